//! Every section and key of a policy document, once: the parser, the JSON schema and the reference are made from this table.

mod table;

use crate::policy::{TierChoice, WorkspaceMode};

pub use table::KEYS;

/// A table of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// Above the first table.
    Top,
    /// `[files]`
    Files,
    /// `[network]`
    Network,
    /// `[environment]`
    Environment,
    /// `[limits]`
    Limits,
    /// `[workspace]`
    Workspace,
    /// `[isolation]`
    Isolation,
}

impl Section {
    /// Every section, in the order in which they are shown.
    pub const ALL: [Section; 7] = [
        Section::Top,
        Section::Files,
        Section::Network,
        Section::Environment,
        Section::Limits,
        Section::Workspace,
        Section::Isolation,
    ];

    /// The name of the table; empty for the keys above the first one.
    pub const fn name(self) -> &'static str {
        match self {
            Section::Top => "",
            Section::Files => "files",
            Section::Network => "network",
            Section::Environment => "environment",
            Section::Limits => "limits",
            Section::Workspace => "workspace",
            Section::Isolation => "isolation",
        }
    }

    /// What the table is about, in one sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Section::Top => "What the document builds on.",
            Section::Files => {
                "Which files the inside sees. The most specific path wins; on the same path `deny`, `protect`, `write`, `read` in that order. What no rule covers is not there."
            }
            Section::Network => {
                "Which hosts and which sockets of this machine the inside reaches. Nothing is reachable unless it is listed."
            }
            Section::Environment => "Which variables the inside has. No other variable is passed.",
            Section::Limits => "How much one run may use. A limit that is not written is not set.",
            Section::Workspace => "What becomes of the changes to the workspace.",
            Section::Isolation => "How the boundary is enforced.",
        }
    }

    /// The section called `name`.
    pub fn named(name: &str) -> Option<Section> {
        Section::ALL.into_iter().find(|section| *section != Section::Top && section.name() == name)
    }

    /// The keys of this section.
    pub fn keys(self) -> impl Iterator<Item = &'static KeyInfo> {
        KEYS.iter().filter(move |key| key.section == self)
    }
}

/// A key of a policy document.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Key {
    /// `extends`
    Extends,
    /// `[files] read`
    Read,
    /// `[files] write`
    Write,
    /// `[files] deny`
    Deny,
    /// `[files] protect`
    Protect,
    /// `[files] search_limit`
    SearchLimit,
    /// `[network] allow`
    AllowHosts,
    /// `[network] deny`
    DenyHosts,
    /// `[network] sockets`
    Sockets,
    /// `[[network.credential]]`
    Credentials,
    /// `[environment] pass`
    Pass,
    /// `[environment] set`
    Set,
    /// `[limits] time`
    Time,
    /// `[limits] memory`
    Memory,
    /// `[limits] processes`
    Processes,
    /// `[limits] file_size`
    FileSize,
    /// `[limits] open_files`
    OpenFiles,
    /// `[workspace] mode`
    Mode,
    /// `[isolation] tier`
    Tier,
    /// `[isolation] accept`
    Accept,
    /// `[isolation] trace`
    Trace,
    /// `[isolation] nested_namespaces`
    NestedNamespaces,
}

/// What a key holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueType {
    /// A list of profile names.
    Profiles,
    /// A list of paths.
    Paths,
    /// A list of paths and globs.
    Globs,
    /// A list of host patterns.
    Hosts,
    /// A list of rules about hosts: texts, and tables with options.
    HostRules,
    /// A list of tables, each a header that the gate sets.
    Credentials,
    /// A list of names of variables, `*` at the start or the end.
    Variables,
    /// A table of variables and their values.
    Assignments,
    /// A time such as `"1h30m"`.
    Duration,
    /// A number of bytes, such as `"2GiB"` or `1048576`.
    Size,
    /// A number, 1 or more.
    Count,
    /// `true` or `false`.
    Flag,
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of guarantees by name.
    Guarantees,
}

/// What a workspace's own document may do with a key before the user has trusted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untrusted {
    /// It narrows, so it takes effect.
    Applies,
    /// It takes effect where it is tighter than what the other layers say.
    AppliesIfTighter,
    /// It is ignored, and the run says so.
    Ignored,
    /// It is ignored, and the run says so, even where the document is trusted.
    Never,
}

/// What a key does in the administrator's document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ceiling {
    /// It holds over every other layer, however specific their rules.
    Holds,
    /// The list, once written, is the most that any other layer may have.
    Most,
    /// An upper bound.
    UpperBound,
    /// This value, once written, is the only choice; any other has no effect.
    Only(&'static str),
    /// It adds to what the other layers say, and opens nothing by itself.
    Adds,
    /// An error: a ceiling grants nothing.
    Refused,
}

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct KeyInfo {
    /// Which key.
    pub key: Key,
    /// Where it stands.
    pub section: Section,
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub value: ValueType,
    /// What it does, in Markdown.
    pub meaning: &'static str,
    /// What holds where it is not written, in words.
    pub default: &'static str,
    /// A value as TOML.
    pub example: &'static str,
    /// In a workspace's own document that is not trusted.
    pub untrusted: Untrusted,
    /// In the administrator's document.
    pub ceiling: Ceiling,
}

impl Key {
    /// The row of this key.
    pub fn info(self) -> &'static KeyInfo {
        // The rows stand in the order of the variants, which a test holds true.
        &KEYS[self as usize]
    }
}

impl KeyInfo {
    /// The key with its section, as people write about it: `[files] read`.
    pub fn full_name(&self) -> String {
        match self.section {
            Section::Top => self.name.to_owned(),
            section => format!("[{}] {}", section.name(), self.name),
        }
    }
}

/// The keys of a table in `[network] allow`.
pub const HOST_FIELDS: [&str; 4] = ["host", "inspect", "opaque", "addresses"];

/// The keys of a table in `[[network.credential]]`.
pub const CREDENTIAL_FIELDS: [&str; 4] = ["host", "header", "prefix", "from"];

/// The sources of a credential: `from` has one of them.
pub const SOURCES: [&str; 3] = ["env", "file", "command"];

/// The words of `[workspace] mode`.
pub const MODES: [(&str, WorkspaceMode); 2] = [("direct", WorkspaceMode::Direct), ("layer", WorkspaceMode::Layer)];

/// The words of `[isolation] tier`.
pub const TIERS: [(&str, TierChoice); 3] =
    [("auto", TierChoice::Auto), ("namespaces", TierChoice::Namespaces), ("landlock", TierChoice::Landlock)];

/// The word for a tier.
pub fn tier_word(tier: TierChoice) -> &'static str {
    TIERS.iter().find(|(_, choice)| *choice == tier).map_or("auto", |(word, _)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_keys() {
        for (place, row) in KEYS.iter().enumerate() {
            assert_eq!(row.key as usize, place, "{}", row.name);
        }
        assert_eq!(Key::NestedNamespaces as usize + 1, KEYS.len());
    }

    #[test]
    fn words_in_the_table_are_the_words_that_are_read() {
        let words = |key: Key| match key.info().value {
            ValueType::Word(words) => words.to_vec(),
            other => panic!("{other:?}"),
        };
        assert_eq!(words(Key::Mode), MODES.map(|(word, _)| word));
        assert_eq!(words(Key::Tier), TIERS.map(|(word, _)| word));
    }

    #[test]
    fn sections_are_found_by_name() {
        assert_eq!(Section::named("files"), Some(Section::Files));
        assert_eq!(Section::named(""), None);
        assert!(Section::ALL.into_iter().all(|section| section.keys().count() > 0));
    }
}
