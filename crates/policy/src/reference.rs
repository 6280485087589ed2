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
        if section == Section::Network {
            out.push_str(HOSTS);
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

/// What the rules of `[network]` mean, in full.
const HOSTS: &str = r#"### Rules about hosts

A rule of `allow` is a text, or a table with the text as `host` and options.

| text | means |
| --- | --- |
| `example.org` | this name on ports 80 and 443 |
| `example.org:8443` | this name on this port alone |
| `*.example.org`, `**.example.org` | the names below it; the names below it and itself |
| `192.0.2.1`, `[2001:db8::1]:443` | an address, asked for as such |
| `10.0.0.0/8`, `10.0.0.0/8:5432`, `[2001:db8::]/32:443` | a range of addresses, asked for as such: no bit after the prefix may be set |
| `*` | every name and address; those of private networks still have to be listed (see `addresses`) |
| `GET,HEAD example.org/v1/**` | only these methods and paths; either may be left off |

| option | means |
| --- | --- |
| `inspect = true` | bailiwick ends the TLS connection itself, with an authority that only this run trusts, and decides each request. It reads all that is said |
| `opaque = true` | what is said on the connection is not looked at, neither the server name of TLS nor the host of HTTP: whatever the servers behind the name pass on is reachable |
| `addresses = ["10.0.0.0/8"]` | the names may have these addresses of private and other special networks, which are refused otherwise |

- A rule with a method or a path needs `inspect = true`, unless its only port is 80.
- Methods are case-sensitive; `GET` does not include `HEAD`. `git` over https needs `GET` and `POST`.
- In a path `*` stands for any text between two slashes, `**` between slashes for any number of parts; at the end it stands for
  everything below: `/v1/**` covers `/v1/` and `/v1/a/b`, not `/v1`. Letter case matters.
- Queries and bodies are not looked at: what follows a `?` is allowed with its path, and a server that takes a method out of either
  (`_method=DELETE`) does what it is told. Fields that do the same (`X-HTTP-Method-Override`, `X-Original-URL`, `X-Rewrite-URL` and
  their kin) are refused where no rule is for every request of the host. A WebSocket that a rule allows is a connection both ways.
- A rule with a path refuses what servers are known to read in two ways: `//`, `.` and `..` as parts, `\`, `;`, an encoded dot,
  slash, backslash, percent sign, semicolon, `?`, `#` or control character (`%2e`, `%2f` and so on), encoded bytes that are not
  UTF-8. Only rules for every path (`/**`, or none) let them through. Some registries ask for `/@scope%2fname`.
- A host that several rules cover has what any of them allows. It is inspected as soon as one rule says so. `deny` wins over all.
- A rule by address or range in `allow` also lets allowed names have these addresses on its port; one in `deny` keeps every name
  from having them.
- In the administrator's document a rule is the most in each respect: hosts and ports, requests, `opaque`, `addresses`; where it says
  `inspect`, the host is inspected, whatever the other layers say.

### Credentials

```toml
[network]
allow = [{ host = "api.example.org", inspect = true }]

[[network.credential]]
host   = "api.example.org"
header = "authorization"
prefix = "Bearer "
from   = { command = ["gh", "auth", "token"] }
```

bailiwick sets the header, in place of one that the inside sends, in every allowed request to the host over TLS. The inside never
sees the secret, but can make every allowed request with it.

| key | means |
| --- | --- |
| `host` | a name, or `*.x` and `**.x`; without a port 443 alone. Port 80, ranges and a bare `*` are refused |
| `header` | the name of the header; not one that is about the connection, such as `host` |
| `prefix` | text in front of the secret, its space included |
| `from` | `{ env = "NAME" }`: a variable of your own environment; `{ file = "~/.token" }`: a file, absolute or from your home; `{ command = ["program", "argument"] }`: what a program prints, which is run outside, with your rights, in your home. A line end at the end is taken off |

- Every rule of `allow` that covers the host on that port needs `inspect = true` beside it; otherwise the run is refused.
- Of two credentials for the same host and header the last one written counts, the administrator's over all.
- The variable of `env` is not passed to the inside, whatever `pass` says; a placeholder for it is written with `set`. The file of
  `file` is denied inside, and a program that `command` names by its path cannot be changed from there.
- A workspace's own document never brings any, even where it is trusted: a repository must neither choose a program that runs
  outside nor where a secret of yours goes.

"#;

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
        ValueType::Hosts => "a list of hosts, addresses and ranges of addresses".into(),
        ValueType::HostRules => "a list of [rules about hosts](#rules-about-hosts)".into(),
        ValueType::Credentials => "a list of tables, as `[[network.credential]]` or in one line".into(),
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
        Untrusted::Never => "ignored, and reported; also where the workspace is trusted",
    }
}

fn ceiling(what: Ceiling) -> String {
    match what {
        Ceiling::Holds => "holds over every other layer, however specific their rules".into(),
        Ceiling::Most => "once written, even empty, the most that the other layers may have".into(),
        Ceiling::UpperBound => "an upper bound".into(),
        Ceiling::Only(choice) => format!("{choice}: the only choice; otherwise without effect"),
        Ceiling::Adds => {
            "added to what the other layers say; of two for the same host and header the administrator's counts".into()
        }
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
