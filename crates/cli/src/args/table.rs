//! The table of commands and options: what a row is. The rows are in `table/commands.rs` and `table/options.rs`.

mod commands;
mod options;

pub(crate) use commands::ROOT;
#[cfg(test)]
pub(crate) use options::{GUARANTEES, PROFILES};

/// Which option it is: what the parser hands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opt {
    Accept,
    AllowHost,
    As,
    Deny,
    Env,
    Facts,
    Forget,
    Help,
    Json,
    Layer,
    Offline,
    Profile,
    Protect,
    Quiet,
    Read,
    Record,
    RecordCorpus,
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
