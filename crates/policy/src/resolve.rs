//! From the merged policy to the boundary: the policy on this host, for this run.
//!
//! ```text
//! home, workspace ──► grants ──► denials, globs ──► git ──► bailiwick's own ──► hostile links ──► Boundary
//! ```
//!
//! Nothing is created and nothing of the user's is opened but git's own settings; what cannot be decided is refused.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::boundary::{Boundary, FileRule, Isolation, Network, RunLimits};
use crate::credential::{Credential, CredentialSource};
use crate::git::{self, GitError};
use crate::glob::GlobError;
use crate::host::Host;
use crate::locate::{LocateError, Locator, expand_home};
use crate::origin::Origin;
use crate::policy::{Ceiling, Limits, Notice, NoticeKind, Policy, Ruled, TierChoice};
use crate::search::SearchError;
use crate::text::escape;

mod credentials;
mod files;
mod own;
mod private;
#[cfg(unix)]
#[cfg(test)]
mod tests;
mod workspace;

use files::Files;

/// Why a policy cannot be resolved on this host. Nothing has been started.
#[derive(Debug)]
#[non_exhaustive]
pub enum ResolveError {
    /// The home directory is not usable.
    Home {
        /// The home directory as the host has it.
        home: PathBuf,
        /// Why not.
        why: String,
    },
    /// The directory cannot be a workspace.
    Workspace {
        /// The directory.
        workspace: PathBuf,
        /// Why not, and what to do.
        why: String,
    },
    /// A path of the policy cannot be made canonical.
    Path {
        /// The text as written.
        written: String,
        /// Where it was written.
        origin: Origin,
        /// What happened.
        error: LocateError,
    },
    /// A granted path leaves a place that the inside can write, through a symbolic link in it.
    LeavesThroughLink {
        /// The text as written.
        written: String,
        /// Where it was written.
        origin: Origin,
        /// The link.
        link: Box<Path>,
        /// Where it leads.
        leads_to: Box<Path>,
    },
    /// A pattern cannot be used.
    Glob {
        /// Where it was written.
        origin: Origin,
        /// What is wrong with it.
        error: GlobError,
    },
    /// The search for what globs match was refused.
    Search(SearchError),
    /// The workspace's git directory cannot be protected.
    Git(GitError),
    /// One of bailiwick's own directories cannot be made canonical.
    Own(LocateError),
}

impl fmt::Display for ResolveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ResolveError::Home { home, why } => {
                write!(f, "the home directory `{}` cannot be used: {why}", escape(home.as_os_str()))
            }
            ResolveError::Workspace { workspace, why } => {
                write!(f, "`{}` cannot be the workspace: {why}", escape(workspace.as_os_str()))
            }
            ResolveError::Path { written, origin, error } => {
                write!(f, "the rule for `{}` ({origin}) cannot be resolved: {error}", escape(written.as_ref()))
            }
            ResolveError::LeavesThroughLink { written, origin, link, leads_to } => write!(
                f,
                "the grant of `{}` ({origin}) is refused: the symbolic link `{}` leads to `{}`, out of a directory whose \
                 content is not trusted. If that place is meant, grant it by its own path",
                escape(written.as_ref()),
                escape(link.as_os_str()),
                escape(leads_to.as_os_str())
            ),
            ResolveError::Glob { origin, error } => write!(f, "{error} ({origin})"),
            ResolveError::Search(error) => write!(f, "{error}"),
            ResolveError::Git(error) => write!(f, "{error}"),
            ResolveError::Own(error) => write!(f, "looking for bailiwick's own files: {error}"),
        }
    }
}

impl std::error::Error for ResolveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            ResolveError::Path { error, .. } | ResolveError::Own(error) => Some(error),
            ResolveError::Glob { error, .. } => Some(error),
            ResolveError::Search(error) => Some(error),
            ResolveError::Git(error) => Some(error),
            _ => None,
        }
    }
}

impl Policy {
    /// Resolves the policy on this host for a run in the workspace, which may be relative to the host's current directory.
    ///
    /// # Errors
    ///
    /// See [`ResolveError`]; every one means that no run may start.
    pub fn resolve(&self, host: &Host, workspace_as_asked: &Path) -> Result<Boundary, ResolveError> {
        let mut locator = Locator::default();
        let home = workspace::home(&mut locator, host)?;
        let own = own::Own::locate(&mut locator, host, &self.documents)?;
        let workspace = workspace::check(&mut locator, host, &home, &own, workspace_as_asked)?;
        let limit = self.search_limit.as_ref().map(|limit| limit.value);
        let mut files = Files::new(&mut locator, host, &workspace, &home, limit);
        for known_as in [&host.home, &host.current_dir.join(workspace_as_asked)] {
            files.canonical(known_as).map_err(ResolveError::Own)?;
        }
        let rules = files.rules(&self.files)?;
        let ceiling = self.ceiling.as_ref();
        let ceiling_rules = files.restrictions(ceiling.map_or(&[], |ceiling| &ceiling.files))?;
        let ceiling_read = ceiling.and_then(|ceiling| ceiling.read.as_deref());
        let ceiling_read = ceiling_read.map(|list| files.grants(list)).transpose()?;
        let ceiling_write = ceiling.and_then(|ceiling| ceiling.write.as_deref());
        let ceiling_write = ceiling_write.map(|list| files.grants(list)).transpose()?;
        let network = self.network(ceiling, &mut files, &home)?;
        let private = private::roots(&mut files, host, &home, &workspace)?;

        let mut boundary = Boundary {
            rules,
            ceiling_rules,
            ceiling_read,
            ceiling_write,
            private,
            network,
            limits: run_limits(&self.limits),
            workspace_mode: self.workspace_mode.as_ref().map(|mode| mode.value).unwrap_or_default(),
            notices: self.notices.clone(),
            ..Boundary::closed(workspace.clone(), home.clone())
        };
        protect_git(&mut boundary, &mut files)?;
        own.protect(&mut boundary, &mut files)?;
        credentials::keep_outside(&mut boundary, &mut files)?;
        files.finish(&mut boundary)?;

        let pass = ceiling.and_then(|ceiling| ceiling.pass.as_deref());
        let secret: Vec<&str> =
            self.network.credentials.iter().filter_map(|credential| credential.value.from.variable()).collect();
        let Boundary { home, notices, .. } = &mut boundary;
        boundary.environment = crate::environment::resolve(&self.environment, pass, &secret, host, home, notices);
        boundary.isolation = self.isolation(ceiling, &mut boundary.notices);
        Ok(boundary)
    }

    fn network(&self, ceiling: Option<&Ceiling>, files: &mut Files<'_>, home: &Path) -> Result<Network, ResolveError> {
        let mut deny = self.network.deny.clone();
        deny.extend(ceiling.into_iter().flat_map(|ceiling| ceiling.deny.iter().cloned()));
        let most = ceiling.and_then(|ceiling| ceiling.sockets.as_deref());
        let most = most.map(|list| files.sockets(list)).transpose()?;
        let mut sockets = files.sockets(&self.network.sockets)?;
        if let Some(most) = most {
            sockets.retain(|socket| {
                let kept = most.iter().any(|one| one.value == socket.value);
                if !kept {
                    files.notice(
                        NoticeKind::IgnoredCeiling,
                        format!(
                            "the socket `{}` is not granted: the administrator's list does not hold it",
                            escape(socket.value.as_os_str())
                        ),
                        Some(&socket.origin),
                    );
                }
                kept
            });
        }
        let ceiling = ceiling.and_then(|ceiling| ceiling.allow.clone());
        let credentials = self.network.credentials.iter().map(|one| at_home(one, home)).collect();
        Ok(Network { allow: self.network.allow.clone(), deny, ceiling, credentials, sockets })
    }

    fn isolation(&self, ceiling: Option<&Ceiling>, notices: &mut Vec<Notice>) -> Isolation {
        let rules = &self.isolation;
        let mut isolation = Isolation {
            tier: rules.tier.as_ref().map(|tier| tier.value).unwrap_or_default(),
            trace: rules.trace.as_ref().is_some_and(|trace| trace.value),
            nested_namespaces: rules.nested_namespaces.as_ref().is_some_and(|nested| nested.value),
            ..Isolation::default()
        };
        let most = ceiling.and_then(|ceiling| ceiling.accept.as_ref());
        for accepted in &rules.accept {
            if most.is_none_or(|most| most.contains(&accepted.value)) {
                isolation.accept.insert(accepted.value);
            } else {
                let text = format!("losing `{}` is not accepted: the administrator does not allow it", accepted.value);
                notices.push(Notice { kind: NoticeKind::IgnoredCeiling, text, origin: Some(accepted.origin.clone()) });
            }
        }
        if let Some(only) = ceiling.and_then(|ceiling| ceiling.tier.as_ref()) {
            if isolation.tier != TierChoice::Auto && isolation.tier != only.value {
                let text = "the tier is the administrator's, not the one that was asked for".to_owned();
                let origin = rules.tier.as_ref().map(|tier| tier.origin.clone());
                notices.push(Notice { kind: NoticeKind::IgnoredCeiling, text, origin });
            }
            isolation.tier = only.value;
        }
        isolation
    }
}

/// The credential with `~` of its source written out.
fn at_home(credential: &Ruled<Credential>, home: &Path) -> Ruled<Credential> {
    let mut credential = credential.clone();
    match &mut credential.value.from {
        CredentialSource::Env(_) => {}
        CredentialSource::File(path) => *path = expand_home(path.as_os_str(), home),
        CredentialSource::Command(words) => {
            if let Some(program) = words.first_mut() {
                *program = expand_home(program, home).into_os_string();
            }
        }
    }
    credential
}

fn run_limits(limits: &Limits) -> RunLimits {
    let number = |limit: &Option<Ruled<u64>>| limit.as_ref().map(|limit| limit.value);
    RunLimits {
        time: limits.time.as_ref().map(|limit| limit.value),
        memory: number(&limits.memory),
        processes: number(&limits.processes),
        file_size: number(&limits.file_size),
        open_files: number(&limits.open_files),
    }
}

/// Adds what [`git`](crate::git) finds, if the inside may write the workspace or its git directory at all.
fn protect_git(boundary: &mut Boundary, files: &mut Files<'_>) -> Result<(), ResolveError> {
    let workspace = boundary.workspace.clone();
    if !own::is_writable(boundary, &workspace) && !own::is_writable(boundary, &workspace.join(".git")) {
        return Ok(());
    }
    let roots = own::writable_roots(boundary);
    let found = git::inspect(files.locator, &workspace, &boundary.home, &roots).map_err(ResolveError::Git)?;
    for path in found.protect {
        let rules = files.protect_inherent(&path, "git runs programs or takes settings from here")?;
        boundary.rules.extend(rules);
    }
    if own::is_writable(boundary, &workspace) {
        boundary.rules.extend(found.write.into_iter().map(files::git_directory));
    }
    for text in found.remarks {
        files.notice(NoticeKind::Remark, text, None);
    }
    Ok(())
}

/// Sorts by path, parents first, then kind; takes exact duplicates away.
fn sort(rules: &mut Vec<FileRule>) {
    rules.sort_by(|a, b| crate::evaluate::path_order(&a.path, &b.path).then(a.kind.cmp(&b.kind)));
    // As texts first: comparing paths takes them apart.
    rules.dedup_by(|a, b| a.path.as_os_str() == b.path.as_os_str() && a == b);
}
