//! Shell completions, from the table.

use std::fmt::Write as _;

use super::table::{Candidates, CommandSpec, OptionSpec, ROOT};

/// The shells that there are completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    pub(crate) fn from_name(name: &str) -> Option<Shell> {
        match name {
            "bash" => Some(Shell::Bash),
            "zsh" => Some(Shell::Zsh),
            "fish" => Some(Shell::Fish),
            _ => None,
        }
    }
}

/// The script for `shell`.
pub(crate) fn script(shell: Shell) -> String {
    match shell {
        Shell::Bash => bash(),
        Shell::Zsh => zsh(),
        Shell::Fish => fish(),
    }
}

/// Every command that is shown, parents first.
fn all(command: &'static CommandSpec) -> Vec<&'static CommandSpec> {
    let mut list = vec![command];
    for sub in command.visible_commands() {
        list.extend(all(sub));
    }
    list
}

fn words(option: &OptionSpec) -> Vec<String> {
    let mut words = vec![format!("--{}", option.long)];
    words.extend(option.short.map(|letter| format!("-{letter}")));
    words
}

/// The command as one word of a shell's `case`: empty for the program itself.
fn key(command: &CommandSpec) -> &'static str {
    if command.cmd == ROOT.cmd { "" } else { command.name }
}

// ---- bash

fn bash() -> String {
    let mut out = String::from(BASH_HEAD);
    let mut arms = String::new();
    let mut with_value: Vec<String> = Vec::new();
    for command in all(&ROOT) {
        for option in command.visible_options().filter(|option| option.value.is_some()) {
            for word in words(option) {
                if !with_value.contains(&word) {
                    let _ = writeln!(arms, "        {word}) {}; return ;;", bash_reply(option.candidates));
                    with_value.push(word);
                }
            }
        }
    }
    let _ = write!(out, "{}", bash_command_words(&with_value));
    let _ = write!(out, "    case \"$previous\" in\n{arms}    esac\n    case \"$command\" in\n");
    for command in all(&ROOT) {
        let options: Vec<_> = command.visible_options().flat_map(words).collect();
        let subs: Vec<_> = command.visible_commands().map(CommandSpec::word).collect();
        let _ =
            writeln!(out, "        '{}') options='{}'; words='{}' ;;", key(command), options.join(" "), subs.join(" "));
    }
    out.push_str("    esac\n");
    out.push_str(
        "    if [[ $current == -* ]]; then COMPREPLY=($(compgen -W \"$options\" -- \"$current\")); return; fi\n",
    );
    out.push_str("    if [[ -n $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\")); return; fi\n");
    out.push_str("    case \"$command\" in\n");
    for command in all(&ROOT) {
        if let Some(positional) = command.positionals.first() {
            let _ = writeln!(out, "        '{}') {} ;;", key(command), bash_reply(positional.candidates));
        }
    }
    out.push_str("    esac\n}\ncomplete -F _bailiwick bailiwick\n");
    out
}

const BASH_HEAD: &str = "# Completions of bailiwick for bash.
_bailiwick() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
    local command= options= words= i word
    COMPREPLY=()
";

/// Finds the command's words among those typed, and hands over to the program's own completions after `run --`.
fn bash_command_words(with_value: &[String]) -> String {
    let subs: Vec<_> = all(&ROOT).iter().map(|command| format!("'{}'", key(command))).collect();
    format!(
        "    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        case \"$word\" in
        {}) ((i++)); continue ;;
        --)
            if [[ $command == run ]] && declare -F _command_offset >/dev/null; then _command_offset $((i + 1)); fi
            return ;;
        -*) continue ;;
        esac
        case \"${{command:+$command }}$word\" in
        {}) command=\"${{command:+$command }}$word\" ;;
        esac
    done
",
        with_value.join("|"),
        subs.join("|")
    )
}

fn bash_reply(candidates: Candidates) -> String {
    match candidates {
        Candidates::Free => "COMPREPLY=()".to_owned(),
        Candidates::Path => "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -f -- \"$current\"))".to_owned(),
        Candidates::Directory => {
            "compopt -o filenames 2>/dev/null; COMPREPLY=($(compgen -d -- \"$current\"))".to_owned()
        }
        Candidates::Words(words) => format!("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", words.join(" ")),
        Candidates::Program => "COMPREPLY=($(compgen -c -- \"$current\"))".to_owned(),
    }
}

// ---- zsh

fn zsh() -> String {
    let mut out = String::from("#compdef bailiwick\n# Completions of bailiwick for zsh.\n");
    for command in all(&ROOT) {
        let _ = writeln!(out, "\n{}() {{", zsh_function(command));
        if !command.commands.is_empty() {
            out.push_str("    local line state\n    local -a commands\n    commands=(\n");
            for sub in command.visible_commands() {
                let _ = writeln!(out, "        {}", zsh_quote(&format!("{}:{}", sub.word(), sub.summary)));
            }
            out.push_str("    )\n");
        }
        out.push_str("    _arguments -S");
        for option in command.visible_options() {
            zsh_option(&mut out, option);
        }
        if command.commands.is_empty() {
            for positional in command.positionals {
                let action = zsh_action(positional.candidates);
                let spec = if positional.rest { "*::".to_owned() } else { ":".to_owned() };
                let _ = write!(out, " \\\n        {}", zsh_quote(&format!("{spec}{}:{action}", positional.name)));
            }
            out.push('\n');
        } else {
            out.push_str(" \\\n        '1: :->command' '*:: :->arguments'\n    case $state in\n");
            out.push_str("    command) _describe command commands ;;\n    arguments) case $line[1] in\n");
            for sub in command.visible_commands() {
                let _ = writeln!(out, "        {}) {} ;;", sub.word(), zsh_function(sub));
            }
            out.push_str("        esac ;;\n    esac\n");
        }
        out.push_str("}\n");
    }
    out.push_str(
        "\nif [ \"$funcstack[1]\" = _bailiwick ]; then _bailiwick \"$@\"; else compdef _bailiwick bailiwick; fi\n",
    );
    out
}

fn zsh_function(command: &CommandSpec) -> String {
    if command.cmd == ROOT.cmd {
        "_bailiwick".to_owned()
    } else {
        format!("_bailiwick_{}", command.name.replace(' ', "_"))
    }
}

fn zsh_option(out: &mut String, option: &OptionSpec) {
    let star = if option.repeat { "*" } else { "" };
    let help = option.help.replace(['[', ']'], " ").replace(':', "\\:");
    let value = match option.value {
        None => String::new(),
        Some(name) => format!(":{}:{}", name.replace(['[', ']', ':'], " "), zsh_action(option.candidates)),
    };
    for word in words(option) {
        let join = if option.value.is_some() && word.starts_with("--") { "=" } else { "" };
        let _ = write!(out, " \\\n        {}", zsh_quote(&format!("{star}{word}{join}[{help}]{value}")));
    }
}

fn zsh_action(candidates: Candidates) -> String {
    match candidates {
        Candidates::Free => String::new(),
        Candidates::Path => "_files".to_owned(),
        Candidates::Directory => "_files -/".to_owned(),
        Candidates::Words(words) => format!("({})", words.join(" ")),
        Candidates::Program => "_normal".to_owned(),
    }
}

fn zsh_quote(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

// ---- fish

fn fish() -> String {
    let mut out = String::from(FISH_HEAD);
    for command in all(&ROOT) {
        let here = format!("-n '__bailiwick_at \"{}\"'", key(command));
        for sub in command.visible_commands() {
            let _ = writeln!(out, "complete -c bailiwick {here} -f -a {} -d {}", sub.word(), fish_quote(sub.summary));
        }
        for option in command.visible_options() {
            let short = option.short.map(|letter| format!(" -s {letter}")).unwrap_or_default();
            let value = option.value.map(|_| format!(" {}", fish_value(option.candidates))).unwrap_or_default();
            let _ = writeln!(
                out,
                "complete -c bailiwick {here} -l {}{short}{value} -d {}",
                option.long,
                fish_quote(option.help)
            );
        }
        for positional in command.positionals.iter().take(1) {
            let value = match positional.candidates {
                Candidates::Words(words) => format!("-f -a {}", fish_quote(&words.join(" "))),
                Candidates::Program => "-x -a '(__fish_complete_subcommand --fcs-skip=2)'".to_owned(),
                _ => "-F".to_owned(),
            };
            let _ = writeln!(out, "complete -c bailiwick {here} {value}");
        }
    }
    out
}

const FISH_HEAD: &str = "# Completions of bailiwick for fish.
function __bailiwick_at
    set -l words
    for word in (commandline -opc)[2..]
        string match -q -- '-*' $word; or set -a words $word
    end
    if test -z \"$argv[1]\"
        test (count $words) -eq 0
    else
        string match -q -- \"* $argv[1] *\" \" $words \"
    end
end
complete -c bailiwick -f
";

fn fish_value(candidates: Candidates) -> String {
    match candidates {
        Candidates::Free => "-x".to_owned(),
        Candidates::Path => "-r -F".to_owned(),
        Candidates::Directory => "-x -a '(__fish_complete_directories)'".to_owned(),
        Candidates::Words(words) => format!("-x -a {}", fish_quote(&words.join(" "))),
        Candidates::Program => "-x -a '(__fish_complete_command)'".to_owned(),
    }
}

fn fish_quote(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}
