//! The manual page, from the table.

use std::fmt::Write as _;

use super::help::{full_name, usage};
use super::table::{CommandSpec, Opt, OptionSpec, ROOT};

/// The manual page in roff (`man` macros).
pub(crate) fn page(version: &str) -> String {
    let mut out = format!(".TH BAILIWICK 1 \"\" \"bailiwick {}\" \"User Commands\"\n", roff(version));
    let _ = writeln!(out, ".SH NAME\nbailiwick \\- {}", roff(&lower_first(ROOT.summary)));
    out.push_str(".SH SYNOPSIS\n");
    for command in leaves(&ROOT) {
        let _ = writeln!(out, ".B {}\n.br", roff(&usage(command)));
    }
    section(&mut out, "DESCRIPTION", ROOT.about);
    out.push_str(".SH COMMANDS\n");
    for command in leaves(&ROOT) {
        describe(&mut out, command);
    }
    out.push_str(".SH OPTIONS\n");
    let mut shown: Vec<Opt> = Vec::new();
    for option in std::iter::once(&ROOT).chain(leaves(&ROOT)).flat_map(CommandSpec::visible_options) {
        if !shown.contains(&option.opt) {
            term(&mut out, option);
            shown.push(option.opt);
        }
    }
    tail(&mut out);
    out
}

fn describe(out: &mut String, command: &CommandSpec) {
    let _ = writeln!(out, ".SS {}", roff(&full_name(command)));
    for (index, paragraph) in command.about.split("\n\n").enumerate() {
        let _ = writeln!(out, "{}{}", if index > 0 { ".PP\n" } else { "" }, roff(paragraph));
    }
    for example in command.examples {
        let _ = writeln!(out, ".PP\n.RS\n.B {}\n.br\n{}\n.RE", roff(example.line), roff(example.meaning));
    }
}

fn term(out: &mut String, option: &OptionSpec) {
    let mut written = option.short.map(|letter| format!("-{letter}, ")).unwrap_or_default();
    written.push_str("--");
    written.push_str(option.long);
    let value = option.value.map(|value| format!(" \\fI{}\\fR", roff(value))).unwrap_or_default();
    let _ = writeln!(out, ".TP\n\\fB{}\\fR{value}\n{}", roff(&written), roff(option.help));
}

fn tail(out: &mut String) {
    out.push_str(".SH EXIT STATUS\n");
    for (status, meaning) in [
        (
            "0..124",
            "Of run: the command's own. Of explain, policy check and doctor: 0 for yes, 1 for no; of explain also 2 where the inside has its own.",
        ),
        ("124", "The command was ended by --timeout."),
        ("125", "bailiwick itself refused or failed; nothing was run, or the run was ended."),
        ("126", "The command was found but could not be executed."),
        ("127", "The command was not found."),
        ("128+N", "The command was ended by signal N."),
    ] {
        let _ = writeln!(out, ".TP\n{}\n{}", roff(status), roff(meaning));
    }
    out.push_str(".SH ENVIRONMENT\n");
    for (name, meaning) in [
        ("HOME", "The user's home directory."),
        ("XDG_CONFIG_HOME, XDG_DATA_HOME, XDG_STATE_HOME", "Where bailiwick's own files are, if absolute."),
        ("NO_COLOR", "No colours, if set and not empty."),
    ] {
        let _ = writeln!(out, ".TP\n{}\n{}", roff(name), roff(meaning));
    }
    out.push_str(".SH FILES\n");
    for (name, meaning) in [
        ("/etc/bailiwick/policy.toml", "The administrator's file: a ceiling that nothing widens."),
        ("~/.config/bailiwick/", "The user's own policy and profiles."),
        ("bailiwick.toml", "In the workspace: it narrows; it widens only when trusted."),
    ] {
        let _ = writeln!(out, ".TP\n.I {}\n{}", roff(name), roff(meaning));
    }
}

fn section(out: &mut String, title: &str, text: &str) {
    let _ = writeln!(out, ".SH {title}\n{}", roff(text));
}

/// The commands that do something themselves, in the order of the help.
fn leaves(command: &'static CommandSpec) -> Vec<&'static CommandSpec> {
    command.visible_commands().flat_map(|sub| if sub.commands.is_empty() { vec![sub] } else { leaves(sub) }).collect()
}

fn lower_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

/// Escapes what roff would read as its own: backslashes, hyphens (which would be printed as dashes that cannot be
/// pasted), and dots and quotes at the start of a line.
fn roff(text: &str) -> String {
    text.lines()
        .map(|line| {
            let line = line.replace('\\', "\\e").replace('-', "\\-").replace('…', "...");
            if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
        })
        .collect::<Vec<_>>()
        .join("\n")
}
