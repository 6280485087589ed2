//! The reference of the policy file, in Markdown: made from the table of keys and the built-in profiles.

use std::fmt::Write;

use crate::builtin::BUILTINS;
use crate::guarantee::Guarantee;
use crate::keys::{Ceiling, KeyInfo, Section, Untrusted, ValueType};

/// The text of `docs/policy-reference.md`.
pub fn reference() -> String {
    let mut out = String::from(PREFACE);
    for section in Section::ALL {
        let title = match section {
            Section::Top => "Top of the document".to_owned(),
            section => format!("`[{}]`", section.name()),
        };
        line(&mut out, format_args!("\n## {title}\n\n{}\n", section.meaning()));
        for info in section.keys() {
            key(&mut out, info);
        }
    }
    profiles(&mut out);
    line(&mut out, format_args!("\n## Guarantees\n\nThe names of `accept`.\n\n| name | means |\n| --- | --- |"));
    for guarantee in Guarantee::ALL {
        line(&mut out, format_args!("| `{guarantee}` | {} |", guarantee.meaning()));
    }
    out
}

const PREFACE: &str = "# The policy file

<!-- Made from the program by `cargo xtask`; do not edit. -->

A policy is one or more TOML documents. Everything is optional; what is not allowed is refused. A key that bailiwick does
not know is an error, and so is everything else that it does not understand.

| layer | document | what it may do |
| --- | --- | --- |
| built-in | the profiles at the end of this page | the base: `workspace`, unless `extends` or `--profile` names others |
| user | `~/.config/bailiwick/policy.toml`, profiles in `~/.config/bailiwick/profiles/` | anything |
| project | `bailiwick.toml` in the workspace | only narrow, until `bailiwick trust` has accepted exactly its content |
| command line | `--read`, `--write`, … | anything |
| administrator | `/etc/bailiwick/policy.toml` | a ceiling: it cuts what the others allow and grants nothing |

Rules of lists add up from layer to layer; of single values the last one written wins. `--profile` replaces what the
documents extend, not their own rules. Every ignored rule is reported with its file and line. Policy files themselves are
protected names. A document is at most 1 MiB.

In paths `\\*`, `\\?`, `\\[`, `\\]`, `\\{`, `\\}` and `\\\\` mean the character itself. Neither variables nor braces are expanded.
";

fn key(out: &mut String, info: &KeyInfo) {
    line(out, format_args!("### `{}`\n\n{}\n", info.name, info.meaning));
    line(out, format_args!("- Value: {}", value(info.value)));
    line(out, format_args!("- Default: {}", info.default));
    line(out, format_args!("- Example: `{} = {}`", info.name, info.example));
    line(out, format_args!("- In a workspace that is not trusted: {}", untrusted(info.untrusted)));
    line(out, format_args!("- In the administrator's document: {}\n", ceiling(info.ceiling)));
}

fn value(value: ValueType) -> String {
    match value {
        ValueType::Profiles => "a list of profile names".into(),
        ValueType::Paths => "a list of paths".into(),
        ValueType::Globs => "a list of paths and globs".into(),
        ValueType::Hosts => "a list of host patterns".into(),
        ValueType::Variables => "a list of names".into(),
        ValueType::Assignments => "a table of names and texts".into(),
        ValueType::Duration => "a time, such as `\"90s\"` or `\"1h30m\"`".into(),
        ValueType::Size => "a size, such as `\"2GiB\"`, or a number of bytes".into(),
        ValueType::Count => "a number, 1 or more".into(),
        ValueType::Flag => "`true` or `false`".into(),
        ValueType::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
            format!("one of {}", words.join(", "))
        }
        ValueType::Guarantees => "a list of [guarantees](#guarantees)".into(),
    }
}

fn untrusted(what: Untrusted) -> &'static str {
    match what {
        Untrusted::Applies => "takes effect, because it only narrows",
        Untrusted::AppliesIfTighter => "takes effect if it is tighter than the limit of the user's layers",
        Untrusted::Ignored => "ignored, and reported",
    }
}

fn ceiling(what: Ceiling) -> String {
    match what {
        Ceiling::Holds => "holds over every other layer, however specific their rules".into(),
        Ceiling::Most => "once written, even empty, the most that the other layers may have".into(),
        Ceiling::UpperBound => "an upper bound".into(),
        Ceiling::Only(choice) => format!("{choice}: the only choice; otherwise without effect"),
        Ceiling::Refused => "an error".into(),
    }
}

fn profiles(out: &mut String) {
    line(out, format_args!("## Built-in profiles\n"));
    for profile in &BUILTINS {
        line(out, format_args!("### `{}`\n\n{}\n", profile.name, profile.meaning));
        line(out, format_args!("```toml\n{}```\n", profile.text));
    }
}

fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::KEYS;

    #[test]
    fn every_key_profile_and_guarantee_is_there() {
        let text = reference();
        for info in &KEYS {
            assert!(text.contains(&format!("### `{}`\n\n{}", info.name, info.meaning)), "{}", info.name);
        }
        for profile in &BUILTINS {
            assert!(text.contains(profile.text), "{}", profile.name);
        }
        assert!(Guarantee::ALL.iter().all(|guarantee| text.contains(guarantee.meaning())));
    }

    #[test]
    fn a_key_reads_well() {
        let mut out = String::new();
        key(&mut out, crate::keys::Key::Mode.info());
        insta::assert_snapshot!(out, @r#"
        ### `mode`

        `direct`: changes go into the real tree. `layer`: they go into a copy-on-write layer and wait for review.

        - Value: one of `"direct"`, `"layer"`
        - Default: `"direct"`
        - Example: `mode = "layer"`
        - In a workspace that is not trusted: ignored, and reported
        - In the administrator's document: `"layer"`: the only choice; otherwise without effect
        "#);
    }
}
