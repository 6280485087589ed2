//! The options, in the groups in which they are shown.

use super::{Candidates, Opt, OptionGroup, OptionSpec};

const PLAIN: OptionSpec = OptionSpec {
    opt: Opt::Help,
    long: "",
    short: None,
    value: None,
    candidates: Candidates::Free,
    repeat: false,
    help: "",
    hidden: false,
};

/// The names of the guarantees: a list of words for shells. A test keeps it equal to `Guarantee::ALL`.
pub(crate) const GUARANTEES: &[&str] = &[
    "writes-confined",
    "metadata-confined",
    "reads-confined",
    "names-protected",
    "names-absent",
    "network-off",
    "hosts-filtered",
    "sockets-confined",
    "processes-hidden",
    "tree-dies",
    "terminal-safe",
    "environment-clean",
    "kernel-surface",
    "identity-separate",
    "limits-held",
];

/// The built-in profiles. A test keeps it equal to the library's.
pub(crate) const PROFILES: &[&str] =
    &["workspace", "read-only", "offline-build", "debugger", "browser-tests", "system", "toolchains"];

pub(super) static GLOBAL: OptionGroup = OptionGroup {
    title: "Options of every command",
    options: &[
        OptionSpec {
            opt: Opt::Workspace,
            long: "workspace",
            short: Some('C'),
            value: Some("DIR"),
            candidates: Candidates::Directory,
            help: "Take DIR as the workspace instead of the current directory",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Json,
            long: "json",
            help: "Answer in JSON; `run` writes its own messages to stderr, one object a line",
            ..PLAIN
        },
        OptionSpec { opt: Opt::Help, long: "help", short: Some('h'), help: "Show the help of the command", ..PLAIN },
    ],
};

pub(super) static VERSION: OptionGroup = OptionGroup {
    title: "Options",
    options: &[OptionSpec { opt: Opt::Version, long: "version", short: Some('V'), help: "Show the version", ..PLAIN }],
};

/// What changes the policy: the same for `run`, `explain` and `policy show`, so that what one command line does can be
/// asked of another.
pub(super) static POLICY: OptionGroup = OptionGroup {
    title: "Policy, on top of the policy files",
    options: &[
        OptionSpec {
            opt: Opt::Profile,
            long: "profile",
            value: Some("P"),
            candidates: Candidates::Words(PROFILES),
            help: "Use profile P instead of `workspace`: a built-in one or one of yours, by name",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Read,
            long: "read",
            value: Some("PATH"),
            candidates: Candidates::Path,
            repeat: true,
            help: "Make PATH, and what is below it, readable",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Write,
            long: "write",
            value: Some("PATH"),
            candidates: Candidates::Path,
            repeat: true,
            help: "Make PATH, and what is below it, readable and writable",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Deny,
            long: "deny",
            value: Some("PATH"),
            candidates: Candidates::Path,
            repeat: true,
            help: "Make PATH, and what is below it, neither readable nor writable; may be a pattern (**/.env)",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Protect,
            long: "protect",
            value: Some("PATH"),
            candidates: Candidates::Path,
            repeat: true,
            help: "Keep PATH from being changed, replaced or brought into being; may be a pattern",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::AllowHost,
            long: "allow-host",
            value: Some("HOST[:PORT]"),
            repeat: true,
            help: "Let HOST be reached, on ports 80 and 443 or on PORT",
            ..PLAIN
        },
        OptionSpec { opt: Opt::Offline, long: "offline", help: "No network at all, whatever the policy says", ..PLAIN },
        OptionSpec {
            opt: Opt::Env,
            long: "env",
            value: Some("NAME[=VALUE]"),
            repeat: true,
            help: "Pass the variable NAME to the command, or set it to VALUE",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Tier,
            long: "tier",
            value: Some("TIER"),
            candidates: Candidates::Words(&["auto", "namespaces", "landlock"]),
            help: "Enforce with TIER, or refuse; `auto` takes the strongest that keeps what the policy needs",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Accept,
            long: "accept",
            value: Some("GUARANTEE"),
            candidates: Candidates::Words(GUARANTEES),
            repeat: true,
            help: "Run although this guarantee cannot be kept on this host; `doctor` lists them",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Layer,
            long: "layer",
            help: "Keep the changes to the workspace apart until they are reviewed",
            hidden: true,
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Timeout,
            long: "timeout",
            value: Some("TIME"),
            help: "End the command and all that it started after TIME (90s, 30m, 2h); exit status 124",
            ..PLAIN
        },
    ],
};

pub(super) static ELSEWHERE: OptionGroup = OptionGroup {
    title: "Another machine",
    options: &[
        OptionSpec {
            opt: Opt::As,
            long: "as",
            value: Some("TIER"),
            candidates: Candidates::Words(&["windows:guard", "windows:account", "windows:container"]),
            help: "Answer for TIER on the machine that --facts describes; --workspace and TARGET are paths there",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Facts,
            long: "facts",
            value: Some("FILE"),
            candidates: Candidates::Path,
            help: "The description of that machine",
            ..PLAIN
        },
    ],
};

pub(super) static RECORD: OptionGroup = OptionGroup {
    title: "Recording a Windows machine, on it",
    options: &[
        OptionSpec {
            opt: Opt::Record,
            long: "record",
            help: "Describe this machine for `explain --facts`: versions, folders, drives, access lists",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::RecordCorpus,
            long: "record-corpus",
            help: "Ask this Windows some thousand access checks and compare its answers with the model's",
            ..PLAIN
        },
    ],
};

pub(super) static RUN: OptionGroup = OptionGroup {
    title: "Options of the run",
    options: &[
        OptionSpec {
            opt: Opt::Report,
            long: "report",
            value: Some("FILE"),
            candidates: Candidates::Path,
            help: "Write what happens to FILE, one JSON object a line",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::ReportFd,
            long: "report-fd",
            value: Some("N"),
            help: "As --report, to the open descriptor N: for programs that embed bailiwick",
            hidden: true,
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Quiet,
            long: "quiet",
            short: Some('q'),
            help: "No remarks; refusals and errors are always shown",
            ..PLAIN
        },
        OptionSpec {
            opt: Opt::Verbose,
            long: "verbose",
            short: Some('v'),
            help: "Also say which tier is used and what it keeps",
            ..PLAIN
        },
    ],
};

pub(super) static TRUST: OptionGroup = OptionGroup {
    title: "Options",
    options: &[
        OptionSpec {
            opt: Opt::Show,
            long: "show",
            help: "Only show the file, what it would widen, and whether it is trusted",
            ..PLAIN
        },
        OptionSpec { opt: Opt::Forget, long: "forget", help: "Trust it no longer", ..PLAIN },
        OptionSpec { opt: Opt::Yes, long: "yes", help: "Do not ask; needed when there is no terminal", ..PLAIN },
    ],
};
