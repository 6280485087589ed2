//! `--help`, from the table.

use std::fmt::Write as _;

use super::table::{CommandSpec, OptionSpec, ROOT};
use crate::render::style::Style;
use crate::render::wrap::wrap;

/// Columns of text.
const WIDTH: usize = 96;
/// Where the explanations of options start.
const COLUMN: usize = 28;

/// The words that a command is typed with: `bailiwick policy show`.
pub(crate) fn full_name(command: &CommandSpec) -> String {
    if command.cmd == ROOT.cmd { ROOT.name.to_owned() } else { format!("{} {}", ROOT.name, command.name) }
}

/// The line after `usage:`.
pub(crate) fn usage(command: &CommandSpec) -> String {
    let mut line = full_name(command);
    line.push_str(" [OPTIONS]");
    if !command.commands.is_empty() {
        line.push_str(" COMMAND");
    }
    for positional in command.positionals {
        let name = positional.name;
        line.push_str(&match (positional.rest, positional.required) {
            (true, _) => format!(" -- {name} [ARGUMENT…]"),
            (false, true) => format!(" {name}"),
            (false, false) => format!(" [{name}]"),
        });
    }
    line
}

/// How an option is written: `-C, --workspace DIR`.
pub(crate) fn written(option: &OptionSpec) -> String {
    let mut text = match option.short {
        Some(letter) => format!("-{letter}, --{}", option.long),
        None => format!("    --{}", option.long),
    };
    if let Some(value) = option.value {
        text.push(' ');
        text.push_str(value);
    }
    text
}

/// The whole help of a command.
pub(crate) fn help(command: &CommandSpec, style: Style) -> String {
    let mut out = String::new();
    for paragraph in command.about.split("\n\n") {
        let _ = writeln!(out, "{}\n", wrap(paragraph, 0, WIDTH));
    }
    let _ = writeln!(out, "{} {}", style.bold("Usage:"), usage(command));
    if !command.commands.is_empty() {
        heading(&mut out, "Commands", style);
        for sub in command.visible_commands() {
            entry(&mut out, &format!("  {}", sub.word()), sub.summary, 16);
        }
    }
    if !command.positionals.is_empty() {
        heading(&mut out, "Arguments", style);
        for positional in command.positionals {
            entry(&mut out, &format!("  {}", positional.name), positional.help, 16);
        }
    }
    for group in command.groups {
        heading(&mut out, group.title, style);
        for option in group.options.iter().filter(|option| !option.hidden) {
            entry(&mut out, &format!("  {}", written(option)), option.help, COLUMN);
        }
    }
    examples(&mut out, command, style);
    out
}

fn heading(out: &mut String, title: &str, style: Style) {
    let _ = writeln!(out, "\n{}", style.bold(&format!("{title}:")));
}

/// A term and its explanation from `column` on; on a line of its own where the term is too long.
fn entry(out: &mut String, term: &str, explanation: &str, column: usize) {
    let text = wrap(explanation, column, WIDTH);
    if term.chars().count() + 2 <= column {
        let _ = writeln!(out, "{term:<column$}{}", text.trim_start());
    } else {
        let _ = writeln!(out, "{term}\n{}{}", " ".repeat(column), text.trim_start());
    }
}

fn examples(out: &mut String, command: &CommandSpec, style: Style) {
    if command.examples.is_empty() {
        return;
    }
    heading(out, "Examples", style);
    for example in command.examples {
        let _ = writeln!(out, "  {}\n      {}", example.line, style.dim(example.meaning));
    }
}
