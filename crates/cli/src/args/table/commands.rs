//! The commands.

use super::options::{ELSEWHERE, GLOBAL, POLICY, RECORD, RUN, TRUST, VERSION};
use super::{Candidates, Cmd, CommandSpec, Example, Positional};

const NO_POSITIONALS: &[Positional] = &[];
const NO_COMMANDS: &[CommandSpec] = &[];
const NO_EXAMPLES: &[Example] = &[];

static POLICY_COMMANDS: &[CommandSpec] = &[
    CommandSpec {
        cmd: Cmd::PolicyShow,
        name: "policy show",
        summary: "Show the policy as it would hold for a run here, each rule with its origin",
        about: "Merges the policy files and the options, resolves them on this host for this workspace, and shows every rule with the file and line that it comes from.",
        groups: &[&POLICY, &GLOBAL],
        positionals: NO_POSITIONALS,
        commands: NO_COMMANDS,
        examples: &[
            Example { line: "bailiwick policy show", meaning: "what a run here may do" },
            Example {
                line: "bailiwick policy show --profile read-only --json",
                meaning: "another profile, for a program",
            },
        ],
        hidden: false,
    },
    CommandSpec {
        cmd: Cmd::PolicyCheck,
        name: "policy check",
        summary: "Check policy files and say what is wrong, with file and line",
        about: "Checks one file; without FILE every file that a run here would read. Exit status 0 if all is well, 1 if something is wrong.",
        groups: &[&GLOBAL],
        positionals: &[Positional {
            name: "FILE",
            help: "The policy file to check",
            required: false,
            rest: false,
            candidates: Candidates::Path,
        }],
        commands: NO_COMMANDS,
        examples: &[Example { line: "bailiwick policy check bailiwick.toml", meaning: "before it is committed" }],
        hidden: false,
    },
    CommandSpec {
        cmd: Cmd::PolicySchema,
        name: "policy schema",
        summary: "Print the JSON schema of policy files, for editors",
        about: "Prints the JSON schema of policy files, for editors that complete and check TOML by schema.",
        groups: &[&GLOBAL],
        positionals: NO_POSITIONALS,
        commands: NO_COMMANDS,
        examples: &[Example {
            line: "bailiwick policy schema > bailiwick.schema.json",
            meaning: "a file that an editor can be pointed at",
        }],
        hidden: false,
    },
];

/// The whole program.
pub(crate) static ROOT: CommandSpec = CommandSpec {
    cmd: Cmd::Root,
    name: "bailiwick",
    summary: "Run a coding agent, or any command, inside its bailiwick",
    about: "Runs a command so that it can read and write the project and reach what the policy names, but not your keys, your other projects or the network. Names in the project that run by themselves later with your rights (git hooks, editor and agent settings) are protected; the threat model (docs/threat-model.md) lists what is not.",
    groups: &[&VERSION, &GLOBAL],
    positionals: NO_POSITIONALS,
    commands: &[
        CommandSpec {
            cmd: Cmd::Run,
            name: "run",
            summary: "Run a command inside",
            about: "Runs COMMAND inside the boundary of the policy. Without any policy file that is: the workspace writable but for the names that run later with your rights (git hooks, editor and agent settings), system and toolchains readable, a home of its own, no network, a clean environment.\n\nThe exit status is the command's own; 128+N when signal N ended it; 124 on --timeout; 125 when bailiwick refuses or fails; 126 and 127 when COMMAND cannot be executed or found.",
            groups: &[&POLICY, &RUN, &GLOBAL],
            positionals: &[Positional {
                name: "COMMAND",
                help: "The program and its arguments; everything after it belongs to it",
                required: true,
                rest: true,
                candidates: Candidates::Program,
            }],
            commands: NO_COMMANDS,
            examples: &[
                Example { line: "bailiwick run -- cargo test", meaning: "the tests of this project, without network" },
                Example { line: "bailiwick run --read /opt/sdk -- make", meaning: "one more directory readable" },
                Example { line: "bailiwick run --profile read-only -- grep -r TODO .", meaning: "nothing is written" },
                Example {
                    line: "bailiwick run --timeout 30m --report ~/run.jsonl -- ./agent",
                    meaning: "a limit, and an account of what happened",
                },
            ],
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Explain,
            name: "explain",
            summary: "Say whether something is allowed, by which rule, and what would change it",
            about: "Answers with the function that the enforcement itself uses: the verdict, the rule with its file and line, and the option or policy line that would change a refusal.\n\nExit status 0 if it is allowed, 1 if it is refused, 2 if the inside has its own there: it works, and the host's is neither read nor changed.\n\nWith --as and --facts the question is put to a Windows tier on a described machine: the verdict, what the planned token gets of the planned access lists and by which entry, and the promise that is concerned. The policy is the built-in profile as it is on Windows and the options given here; no policy file is read. The answer is computed and has not been run on Windows. Exit status 3 if that tier would not do what the policy says.",
            groups: &[&POLICY, &ELSEWHERE, &GLOBAL],
            positionals: &[
                Positional {
                    name: "ACCESS",
                    help: "read, write, remove, connect or socket",
                    required: true,
                    rest: false,
                    candidates: Candidates::Words(&["read", "write", "remove", "connect", "socket"]),
                },
                Positional {
                    name: "TARGET",
                    help: "A path; for connect HOST[:PORT]",
                    required: true,
                    rest: false,
                    candidates: Candidates::Path,
                },
            ],
            commands: NO_COMMANDS,
            examples: &[
                Example { line: "bailiwick explain read ~/.ssh/id_rsa", meaning: "why a key cannot be read" },
                Example { line: "bailiwick explain write .git/hooks/pre-commit", meaning: "why a hook cannot be made" },
                Example { line: "bailiwick explain connect github.com:443", meaning: "whether a host is reached" },
                Example {
                    line: "bailiwick explain --as windows:container --facts laptop.toml -C 'C:\\src\\shop' read '~/.ssh'",
                    meaning: "the same on a colleague's machine",
                },
            ],
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Policy,
            name: "policy",
            summary: "Show the resolved policy, check policy files, print their schema",
            about: "What the policy is, whether its files are right, and how they are written.",
            groups: &[&GLOBAL],
            positionals: NO_POSITIONALS,
            commands: POLICY_COMMANDS,
            examples: NO_EXAMPLES,
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Trust,
            name: "trust",
            summary: "Trust the workspace's own policy file, by its content",
            about: "The file bailiwick.toml of a workspace comes with the repository, so it may only narrow the policy until you have trusted exactly its content. This command shows the file and what it would widen, asks, and records the hash of the content. When the file changes, the trust is gone.",
            groups: &[&TRUST, &GLOBAL],
            positionals: NO_POSITIONALS,
            commands: NO_COMMANDS,
            examples: &[
                Example { line: "bailiwick trust --show", meaning: "what would be trusted" },
                Example { line: "bailiwick trust", meaning: "look, answer, done" },
            ],
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Doctor,
            name: "doctor",
            summary: "Say what this host can guarantee, what is missing, and how to get it",
            about: "Prints every guarantee of every tier on this host with the reason of each one that is lacking, why user namespaces fail where they do and the remedy, and looks for hard links in the workspace.\n\nExit status 0 if a tier keeps what the policy here needs, 1 if none does.\n\nOn Windows, --record writes a description of the machine for the workspace, as `explain --facts` reads it anywhere; it names the user, groups and directories. --record-corpus writes what the system answers to access checks, with the SIDs of the user and groups and no names; exit status 1 if this version would answer one otherwise. Neither needs an administrator or changes anything. Neither has been run on a real Windows yet.",
            groups: &[&RECORD, &GLOBAL],
            positionals: &[Positional {
                name: "FILE",
                help: "What a recording is written to; standard output if left out",
                required: false,
                rest: false,
                candidates: Candidates::Path,
            }],
            commands: NO_COMMANDS,
            examples: &[
                Example { line: "bailiwick doctor", meaning: "before the first run, or after a refusal" },
                Example { line: "bailiwick doctor --record laptop.toml", meaning: "on Windows, in the project" },
            ],
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Completions,
            name: "completions",
            summary: "Print the completions for a shell",
            about: "Prints a script that completes bailiwick's commands and options in the shell.",
            groups: &[&GLOBAL],
            positionals: &[Positional {
                name: "SHELL",
                help: "bash, zsh or fish",
                required: true,
                rest: false,
                candidates: Candidates::Words(&["bash", "zsh", "fish"]),
            }],
            commands: NO_COMMANDS,
            examples: &[
                Example {
                    line: "bailiwick completions bash > ~/.local/share/bash-completion/completions/bailiwick",
                    meaning: "bash",
                },
                Example {
                    line: "bailiwick completions fish > ~/.config/fish/completions/bailiwick.fish",
                    meaning: "fish",
                },
                Example { line: "bailiwick completions zsh > \"${fpath[1]}/_bailiwick\"", meaning: "zsh" },
            ],
            hidden: false,
        },
        CommandSpec {
            cmd: Cmd::Man,
            name: "man",
            summary: "Print the manual page",
            about: "Prints the manual page in roff.",
            groups: &[&GLOBAL],
            positionals: NO_POSITIONALS,
            commands: NO_COMMANDS,
            examples: &[Example { line: "bailiwick man | man -l -", meaning: "read it" }],
            hidden: true,
        },
    ],
    examples: &[
        Example { line: "bailiwick run -- cargo test", meaning: "run a command inside" },
        Example { line: "bailiwick explain read ~/.ssh/id_rsa", meaning: "ask why something is refused" },
        Example { line: "bailiwick doctor", meaning: "see what this host can guarantee" },
    ],
    hidden: false,
};
