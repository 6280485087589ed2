//! One attack, and what counts as proof that it worked.

use bailiwick_policy::guarantee::Guarantee;

use crate::outcome::Outcome;
use crate::stage::Stage;

/// Something that code inside a boundary tries.
#[derive(Clone, Copy, Debug)]
pub struct Attack {
    /// Its name: unique, in kebab case.
    pub name: &'static str,
    /// The promise that it would break.
    pub guarantee: Guarantee,
    /// What is tried and why it matters, in one line.
    pub summary: &'static str,
    /// Where the harness looks to see whether it worked.
    pub proof: Proof,
    /// The attempt.
    pub run: fn(&Stage) -> Outcome,
    /// What a host may lack for the attack to mean anything. Where this is `None`, the control must breach.
    pub unless: Option<&'static str>,
    /// Why a tier may keep its promise and still fall to this: a residue that the threat model names.
    pub residue: Option<&'static str>,
    /// What the command's standard streams are.
    pub stdio: Stdio,
    /// What the workspace is.
    pub project: Project,
}

/// Where the harness looks to see whether an attack worked. What the inside says is believed only where nothing else can be seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// What the kernel answered, which only the inside can see.
    Answer,
    /// A decoy file or directory outside, or a protected name, is not what it was.
    Tree,
    /// What was read contains a secret that was never told to the inside.
    Secret,
    /// A decoy outside received the marker.
    Received,
    /// The decoy process is dead, stopped, or has other limits or another priority.
    Process,
    /// Something of the enclosure still lives after the run.
    Survivor,
    /// Something of the enclosure still lives after the launcher was killed.
    SurvivorOfKill,
    /// A protected name that did not exist exists.
    Absent,
    /// The marker is in the input of the caller's terminal.
    TerminalInput,
    /// The caller's terminal was sent these bytes.
    TerminalOutput(&'static [u8]),
    /// The file `grown` of the workspace is larger than the limit allows.
    Grown,
}

/// What the standard streams of the command are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdio {
    /// Files: stdin a decoy opened for reading, stderr a decoy log opened for appending.
    Files,
    /// The caller's terminal.
    Terminal,
    /// Files, in a session that has the caller's terminal as its controlling terminal.
    ControllingTerminal,
}

/// What the workspace is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Project {
    /// A git repository.
    Repository,
    /// A linked git worktree: `.git` is a file that points into the main repository outside the workspace.
    Worktree,
}

impl Attack {
    pub(crate) const fn new(
        name: &'static str,
        guarantee: Guarantee,
        proof: Proof,
        summary: &'static str,
        run: fn(&Stage) -> Outcome,
    ) -> Self {
        Attack {
            name,
            guarantee,
            summary,
            proof,
            run,
            unless: None,
            residue: None,
            stdio: Stdio::Files,
            project: Project::Repository,
        }
    }

    /// The host may lack what the attack needs.
    pub(crate) const fn unless(self, what: &'static str) -> Self {
        Attack { unless: Some(what), ..self }
    }

    /// The threat model names this as a residue.
    pub(crate) const fn residue(self, why: &'static str) -> Self {
        Attack { residue: Some(why), ..self }
    }

    pub(crate) const fn stdio(self, stdio: Stdio) -> Self {
        Attack { stdio, ..self }
    }

    pub(crate) const fn project(self, project: Project) -> Self {
        Attack { project, ..self }
    }
}
