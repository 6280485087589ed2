use std::ffi::OsString;

use bailiwick::policy::builtin::BUILTINS;
use bailiwick::policy::guarantee::Guarantee;

use super::completions::{Shell, script};
use super::table::{CommandSpec, GUARANTEES, Opt, PROFILES, ROOT};
use super::{Parsed, help, man, parse};
use crate::render::style::Style;

fn read(line: &[&str]) -> Result<Parsed, String> {
    parse(line.iter().map(OsString::from)).map_err(|error| error.to_string())
}

fn refused(line: &[&str]) -> String {
    match read(line) {
        Ok(parsed) => panic!("understood as {parsed:?}"),
        Err(text) => text.lines().next().unwrap_or_default().to_owned(),
    }
}

fn all(command: &'static CommandSpec) -> Vec<&'static CommandSpec> {
    std::iter::once(command).chain(command.commands.iter().flat_map(all)).collect()
}

#[test]
fn options_end_where_the_command_begins() {
    let parsed = read(&["run", "-q", "--read", "/a", "cargo", "--json", "--", "-q"]).expect("parses");
    assert_eq!(parsed.positionals, ["cargo", "--json", "--", "-q"]);
    assert_eq!(parsed.options, [(Opt::Quiet, "".into()), (Opt::Read, "/a".into())]);
}

#[test]
fn dashes_before_the_command_are_not_its_own() {
    let parsed = read(&["run", "--", "--read", "x"]).expect("parses");
    assert_eq!(parsed.positionals, ["--read", "x"]);
    assert!(parsed.options.is_empty());
}

#[test]
fn options_of_every_command_stand_anywhere_before_it() {
    for line in [
        &["-C", "/w", "run", "--json", "x"][..],
        &["--json", "run", "-C/w", "x"],
        &["--json", "run", "--workspace=/w", "x"],
    ] {
        let parsed = read(line).expect("parses");
        assert!(parsed.flag(Opt::Json));
        assert_eq!(parsed.value(Opt::Workspace), Some("/w".as_ref()));
    }
}

#[cfg(unix)]
#[test]
fn values_need_not_be_text() {
    let name: OsString = std::os::unix::ffi::OsStringExt::from_vec(b"/a\xff=b".to_vec());
    let mut glued = OsString::from("--read=");
    glued.push(&name);
    for line in [vec!["run".into(), "--read".into(), name.clone(), "x".into()], vec!["run".into(), glued, "x".into()]] {
        let parsed = parse(line).expect("parses");
        assert_eq!(parsed.value(Opt::Read), Some(name.as_os_str()));
    }
}

#[test]
fn what_is_wrong_is_said_with_what_was_meant() {
    insta::assert_snapshot!(refused(&["run", "--raed", "x"]), @"unknown option `--raed`; did you mean `--read`?");
    insta::assert_snapshot!(refused(&["rnu", "x"]), @"unknown command `rnu`; did you mean `run`?");
    insta::assert_snapshot!(refused(&["policy", "shwo"]), @"unknown command `shwo`; did you mean `show`?");
    insta::assert_snapshot!(refused(&["make"]), @"unknown command `make`; a program is started by `bailiwick run -- PROGRAM`");
    insta::assert_snapshot!(refused(&["--read", "x", "run", "y"]), @"unknown option `--read`; it is an option of `bailiwick run` and stands after that word");
    insta::assert_snapshot!(refused(&["run", "-x"]), @"unknown option `-x`");
    insta::assert_snapshot!(refused(&["run"]), @"COMMAND is missing (the program and its arguments; everything after it belongs to it)");
    insta::assert_snapshot!(refused(&["run", "--read"]), @"`--read` needs a value: PATH");
    insta::assert_snapshot!(refused(&["run", "--read="]), @"`--read` has an empty value");
    insta::assert_snapshot!(refused(&["run", "--quiet=yes", "x"]), @"`--quiet` takes no value, and got `yes`");
    insta::assert_snapshot!(refused(&["run", "--tier", "landlock", "--tier", "auto", "x"]), @"`--tier` is given twice");
    insta::assert_snapshot!(refused(&["explain", "raed", "x"]), @"ACCESS is one of read, write, remove, connect, socket, not `raed`; did you mean `read`?");
    insta::assert_snapshot!(refused(&["explain", "read", "x", "y"]), @"`y` is one argument too many");
    insta::assert_snapshot!(refused(&[]), @"a command is missing: run, explain, policy, trust, doctor, completions");
}

#[test]
fn hostile_words_are_escaped() {
    assert!(!refused(&["\x1b[2J"]).contains('\x1b'));
    assert!(!refused(&["run", "--\x1b[2J"]).contains('\x1b'));
    assert!(!refused(&["explain", "read", "x", "\x1b[2J"]).contains('\x1b'));
    assert!(!refused(&["run", "-\u{1b}"]).contains('\x1b'));
}

#[test]
fn help_is_asked_for_in_three_ways() {
    for line in [&["policy", "show", "--help"][..], &["-h", "policy", "show"], &["help", "policy", "show"]] {
        let parsed = read(line).expect("parses");
        assert!(parsed.flag(Opt::Help));
        assert_eq!(parsed.command.name, "policy show");
    }
}

#[test]
fn no_two_options_of_a_command_share_a_name() {
    for command in all(&ROOT) {
        let mut names: Vec<String> = command
            .options()
            .flat_map(|option| option.short.map(String::from).into_iter().chain([option.long.to_owned()]))
            .collect();
        let count = names.len();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), count, "{}", command.name);
    }
}

#[test]
fn the_guarantees_offered_are_the_guarantees() {
    assert_eq!(GUARANTEES, Guarantee::ALL.map(Guarantee::name));
}

#[test]
fn the_profiles_offered_are_the_built_in_ones() {
    assert_eq!(PROFILES, BUILTINS.map(|builtin| builtin.name));
}

#[test]
fn every_example_is_a_command_line() {
    for command in all(&ROOT) {
        for example in command.examples {
            let before_shell = example.line.split([">", "|"].map(|c| c.chars().next().expect("one")).as_slice()).next();
            let words = before_shell.unwrap_or_default().split_whitespace().skip(1);
            let parsed = parse(words.map(OsString::from)).unwrap_or_else(|error| panic!("{}: {error}", example.line));
            assert!(command.cmd == ROOT.cmd || parsed.command.cmd == command.cmd, "{}", example.line);
        }
    }
}

#[test]
fn everything_made_from_the_table_names_every_option() {
    let page = man::page("0").replace("\\-", "-");
    let shells = [Shell::Bash, Shell::Zsh, Shell::Fish].map(script);
    for command in all(&ROOT).into_iter().filter(|command| !command.hidden) {
        let text = help::help(command, Style::PLAIN);
        for option in command.visible_options() {
            assert!(text.contains(&format!("--{}", option.long)), "help of {}: {}", command.name, option.long);
            assert!(page.contains(&format!("--{}", option.long)), "manual: {}", option.long);
            for script in &shells {
                assert!(script.contains(option.long), "completions: {}", option.long);
            }
        }
        assert!(page.contains(command.name), "manual: {}", command.name);
    }
}

#[test]
fn hidden_things_are_hidden() {
    let run = read(&["run", "x"]).expect("parses").command;
    assert!(!help::help(run, Style::PLAIN).contains("report-fd"));
    assert!(!help::help(&ROOT, Style::PLAIN).contains("  man "));
    assert!(!script(Shell::Bash).contains("report-fd"));
}

#[test]
fn help_keeps_to_the_width_of_a_terminal() {
    for command in all(&ROOT) {
        for line in help::help(command, Style::PLAIN).lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
