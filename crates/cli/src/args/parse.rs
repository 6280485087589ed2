//! From words to a command with its options.

use std::ffi::{OsStr, OsString};
use std::fmt;

use bailiwick::policy::text::escape;

use super::suggest::nearest;
use super::table::{Candidates, CommandSpec, Opt, OptionSpec, ROOT};

/// A command line, taken apart.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) command: &'static CommandSpec,
    /// Options in the order in which they were given; flags have an empty value.
    pub(crate) options: Vec<(Opt, OsString)>,
    pub(crate) positionals: Vec<OsString>,
}

impl Parsed {
    pub(crate) fn flag(&self, opt: Opt) -> bool {
        self.options.iter().any(|(given, _)| *given == opt)
    }

    /// The value of an option that is given at most once.
    pub(crate) fn value(&self, opt: Opt) -> Option<&OsStr> {
        self.options.iter().rev().find(|(given, _)| *given == opt).map(|(_, value)| value.as_os_str())
    }

    /// The positional argument at `index`; empty where it was not given (only optional ones can be).
    pub(crate) fn positional(&self, index: usize) -> &OsStr {
        self.positionals.get(index).map_or(OsStr::new(""), OsString::as_os_str)
    }
}

/// A command line that is not one.
#[derive(Debug)]
pub(crate) struct UsageError {
    /// What is wrong. Text from the command line in it is escaped.
    pub(crate) problem: String,
    /// What was probably meant.
    pub(crate) hint: Option<String>,
    /// The command that was being read.
    pub(crate) command: &'static CommandSpec,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.problem)?;
        if let Some(hint) = &self.hint {
            write!(f, "; {hint}")?;
        }
        let name = super::help::full_name(self.command);
        write!(f, "\n  usage: {}\n  `{name} --help` says more", super::help::usage(self.command))
    }
}

/// Takes the command line apart. `words` are the arguments without the program's name.
pub(crate) fn parse(words: impl IntoIterator<Item = OsString>) -> Result<Parsed, UsageError> {
    let words = words.into_iter().collect::<Vec<_>>();
    let mut parser = lexopt::Parser::from_args(words);
    let mut parsed = Parsed { command: &ROOT, options: Vec::new(), positionals: Vec::new() };
    loop {
        let argument = match parser.next() {
            Ok(Some(argument)) => argument,
            Ok(None) => break,
            Err(error) => return Err(flag_with_value(&parsed, &error)),
        };
        match argument {
            lexopt::Arg::Long(name) => {
                let spec = find_long(&parsed, name)?;
                take(&mut parsed, &mut parser, spec)?;
            }
            lexopt::Arg::Short(letter) => {
                let spec = find_short(&parsed, letter)?;
                take(&mut parsed, &mut parser, spec)?;
            }
            lexopt::Arg::Value(word) => place(&mut parsed, &mut parser, word)?,
        }
    }
    complete(parsed)
}

/// Nothing required may be missing, unless help was asked for.
fn complete(parsed: Parsed) -> Result<Parsed, UsageError> {
    if parsed.flag(Opt::Help) || parsed.flag(Opt::Version) {
        return Ok(parsed);
    }
    let command = parsed.command;
    let fail = |problem: String, hint: Option<String>| Err(UsageError { problem, hint, command });
    if !command.commands.is_empty() {
        let words: Vec<_> = command.visible_commands().map(CommandSpec::word).collect();
        return fail(format!("a command is missing: {}", words.join(", ")), None);
    }
    match command.positionals.get(parsed.positionals.len()) {
        Some(missing) if missing.required => {
            let help = missing.help;
            fail(format!("{} is missing ({}{})", missing.name, help[..1].to_lowercase(), &help[1..]), None)
        }
        _ => Ok(parsed),
    }
}

fn find_long(parsed: &Parsed, name: &str) -> Result<&'static OptionSpec, UsageError> {
    let command = parsed.command;
    command.options().find(|option| option.long == name).ok_or_else(|| UsageError {
        problem: format!("unknown option `--{}`", escape(OsStr::new(name))),
        hint: nearest(name, command.visible_options().map(|option| option.long))
            .map(|near| format!("did you mean `--{near}`?"))
            .or_else(|| belongs_elsewhere(name)),
        command,
    })
}

/// An option that another command has: `bailiwick --read x run` instead of `bailiwick run --read x`.
fn belongs_elsewhere(name: &str) -> Option<String> {
    let owner = ROOT.visible_commands().find(|command| command.visible_options().any(|option| option.long == name))?;
    Some(format!("it is an option of `bailiwick {}` and stands after that word", owner.name))
}

fn find_short(parsed: &Parsed, letter: char) -> Result<&'static OptionSpec, UsageError> {
    let command = parsed.command;
    command.options().find(|option| option.short == Some(letter)).ok_or_else(|| UsageError {
        problem: format!("unknown option `-{}`", escape(OsStr::new(letter.encode_utf8(&mut [0; 4])))),
        hint: None,
        command,
    })
}

fn take(parsed: &mut Parsed, parser: &mut lexopt::Parser, spec: &'static OptionSpec) -> Result<(), UsageError> {
    let fail = |problem: String| UsageError { problem, hint: None, command: parsed.command };
    let value = match spec.value {
        None => OsString::new(),
        Some(name) => {
            let value = parser.value().map_err(|_| fail(format!("`--{}` needs a value: {name}", spec.long)))?;
            if value.is_empty() {
                return Err(fail(format!("`--{}` has an empty value", spec.long)));
            }
            value
        }
    };
    if spec.value.is_some() && !spec.repeat && parsed.flag(spec.opt) {
        return Err(fail(format!("`--{}` is given twice", spec.long)));
    }
    parsed.options.push((spec.opt, value));
    Ok(())
}

/// Puts a word that is no option where it belongs: a command's name, or a positional argument.
fn place(parsed: &mut Parsed, parser: &mut lexopt::Parser, word: OsString) -> Result<(), UsageError> {
    let command = parsed.command;
    if !command.commands.is_empty() {
        return descend(parsed, word);
    }
    let Some(spec) = command.positionals.get(parsed.positionals.len()) else {
        let problem = format!("`{}` is one argument too many", escape(&word));
        return Err(UsageError { problem, hint: None, command });
    };
    if let Candidates::Words(words) = spec.candidates
        && !words.iter().any(|known| word == *known)
    {
        let hint = word.to_str().and_then(|typed| nearest(typed, words.iter().copied()));
        let hint = hint.map(|near| format!("did you mean `{near}`?"));
        let problem = format!("{} is one of {}, not `{}`", spec.name, words.join(", "), escape(&word));
        return Err(UsageError { problem, hint, command });
    }
    parsed.positionals.push(word);
    if spec.rest {
        // The rest is the command's own, `--` and options included.
        match parser.raw_args() {
            Ok(rest) => parsed.positionals.extend(rest),
            Err(error) => return Err(flag_with_value(parsed, &error)),
        }
    }
    Ok(())
}

fn descend(parsed: &mut Parsed, word: OsString) -> Result<(), UsageError> {
    let command = parsed.command;
    if let Some(found) = command.commands.iter().find(|candidate| word == candidate.word()) {
        parsed.command = found;
        return Ok(());
    }
    if word == "help" {
        // `bailiwick help run` is `bailiwick run --help`: what follows is looked up as a command.
        parsed.options.push((Opt::Help, OsString::new()));
        return Ok(());
    }
    let hint = match word.to_str().and_then(|typed| nearest(typed, command.visible_commands().map(CommandSpec::word))) {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None if command.cmd == ROOT.cmd => Some("a program is started by `bailiwick run -- PROGRAM`".to_owned()),
        None => None,
    };
    Err(UsageError { problem: format!("unknown command `{}`", escape(&word)), hint, command })
}

/// The only thing that the lexer itself refuses: a value for a flag.
fn flag_with_value(parsed: &Parsed, error: &lexopt::Error) -> UsageError {
    let problem = match error {
        lexopt::Error::UnexpectedValue { option, value } => {
            format!("`{}` takes no value, and got `{}`", escape(OsStr::new(option)), escape(value))
        }
        other => escape(OsStr::new(&other.to_string())),
    };
    UsageError { problem, hint: None, command: parsed.command }
}
