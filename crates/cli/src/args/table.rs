//! The table of commands and options.

/// Which option it is: what the parser hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opt {
    Accept,
    AllowHost,
    Deny,
    Env,
    Forget,
    Help,
    Json,
    Layer,
    Offline,
    Profile,
    Protect,
    Quiet,
    Read,
    Report,
    ReportFd,
    Show,
    Tier,
    Timeout,
    Verbose,
    Version,
    Workspace,
    Write,
    Yes,
}

/// Which command it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cmd {
    Root,
    Run,
    Explain,
    Policy,
    PolicyShow,
    PolicyCheck,
    PolicySchema,
    Trust,
    Doctor,
    Completions,
    Man,
}

/// What a shell can offer for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Candidates {
    /// Nothing.
    Free,
    /// Files and directories.
    Path,
    /// Directories.
    Directory,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A program and its arguments.
    Program,
}

/// One option.
#[derive(Debug)]
pub(crate) struct OptionSpec {
    pub(crate) opt: Opt,
    pub(crate) long: &'static str,
    pub(crate) short: Option<char>,
    /// The value's name in help; `None` for a flag.
    pub(crate) value: Option<&'static str>,
    pub(crate) candidates: Candidates,
    /// May be given more than once.
    pub(crate) repeat: bool,
    pub(crate) help: &'static str,
    /// Understood but not shown: for other programs.
    pub(crate) hidden: bool,
}

/// Options that are shown together.
#[derive(Debug)]
pub(crate) struct OptionGroup {
    pub(crate) title: &'static str,
    pub(crate) options: &'static [OptionSpec],
}

/// One argument that is not an option.
#[derive(Debug)]
pub(crate) struct Positional {
    pub(crate) name: &'static str,
    pub(crate) help: &'static str,
    pub(crate) required: bool,
    /// Takes everything that follows, options included.
    pub(crate) rest: bool,
    pub(crate) candidates: Candidates,
}

/// One line of the examples.
#[derive(Debug)]
pub(crate) struct Example {
    pub(crate) line: &'static str,
    pub(crate) meaning: &'static str,
}

/// One command.
#[derive(Debug)]
pub(crate) struct CommandSpec {
    pub(crate) cmd: Cmd,
    /// All words: `policy show`.
    pub(crate) name: &'static str,
    /// One line, for lists.
    pub(crate) summary: &'static str,
    /// Paragraphs, separated by empty lines.
    pub(crate) about: &'static str,
    pub(crate) groups: &'static [&'static OptionGroup],
    pub(crate) positionals: &'static [Positional],
    pub(crate) commands: &'static [CommandSpec],
    pub(crate) examples: &'static [Example],
    pub(crate) hidden: bool,
}

impl CommandSpec {
    /// The last word of the name: what is typed after the parent command.
    pub(crate) fn word(&self) -> &'static str {
        self.name.rsplit(' ').next().unwrap_or(self.name)
    }

    /// Every option, group after group.
    pub(crate) fn options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        self.groups.iter().flat_map(|group| group.options)
    }

    /// The options that people are shown.
    pub(crate) fn visible_options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        self.options().filter(|option| !option.hidden)
    }

    /// The commands that people are shown.
    pub(crate) fn visible_commands(&self) -> impl Iterator<Item = &'static CommandSpec> {
        self.commands.iter().filter(|command| !command.hidden)
    }
}

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

static GLOBAL: OptionGroup = OptionGroup {
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

static VERSION: OptionGroup = OptionGroup {
    title: "Options",
    options: &[OptionSpec { opt: Opt::Version, long: "version", short: Some('V'), help: "Show the version", ..PLAIN }],
};

/// What changes the policy: the same for `run`, `explain` and `policy show`, so that what one command line does can be
/// asked of another.
static POLICY: OptionGroup = OptionGroup {
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

static RUN: OptionGroup = OptionGroup {
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

static TRUST: OptionGroup = OptionGroup {
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
    about: "Runs a command so that it can read and write the project and reach what the policy names, and nothing else: not your keys, not your other projects, not the network, not what would run later with your rights.",
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
            about: "Answers with the function that the enforcement itself uses: the verdict, the rule with its file and line, and the option or policy line that would change a refusal.\n\nExit status 0 if it is allowed, 1 if it is refused, 2 if the inside has its own there: it works, and the host's is neither read nor changed.",
            groups: &[&POLICY, &GLOBAL],
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
            about: "Prints every guarantee of every tier on this host with the reason of each one that is lacking, why user namespaces fail where they do and the remedy, and looks for hard links in the workspace.\n\nExit status 0 if a tier keeps what the policy here needs, 1 if none does.",
            groups: &[&GLOBAL],
            positionals: NO_POSITIONALS,
            commands: NO_COMMANDS,
            examples: &[Example { line: "bailiwick doctor", meaning: "before the first run, or after a refusal" }],
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
