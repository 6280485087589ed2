use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use bailiwick::policy::boundary::{Backing, Boundary, FileRule, Isolation, Network, Present, PrivateRoot, RunLimits};
use bailiwick::policy::guarantee::Guarantee;
use bailiwick::policy::host_rule::HostRule;
use bailiwick::policy::origin::{Layer, Origin, Source};
use bailiwick::policy::policy::{FileRuleKind, Notice, NoticeKind, Ruled, TierChoice, WorkspaceMode};

use super::show;
use crate::render::style::Style;

fn origin(line: u32) -> Origin {
    Origin { layer: Layer::User, source: Source::File(PathBuf::from("/home/ana/p.toml")), line: Some(line) }
}

fn rule(kind: FileRuleKind, path: &str, present: Present, line: u32) -> FileRule {
    FileRule { kind, path: PathBuf::from(path), present, written: path.to_owned(), origin: origin(line) }
}

fn boundary() -> Boundary {
    Boundary {
        workspace: PathBuf::from("/home/ana/w"),
        home: PathBuf::from("/home/ana"),
        rules: vec![
            rule(FileRuleKind::Write, "/home/ana/w", Present::Directory, 1),
            rule(FileRuleKind::Deny, "/home/ana/w/\x1b[2J", Present::Absent, 22),
        ],
        ceiling_rules: vec![rule(FileRuleKind::Deny, "/srv", Present::Directory, 3)],
        ceiling_read: None,
        ceiling_write: Some(Vec::new()),
        private: vec![PrivateRoot { path: PathBuf::from("/tmp"), backing: Backing::Memory, origin: origin(4) }],
        aliases: Vec::new(),
        network: Network {
            allow: vec![Ruled { value: HostRule::parse("*.example.org:8080").expect("a pattern"), origin: origin(5) }],
            ..Network::default()
        },
        environment: vec![
            (OsString::from("LANG"), OsString::from("C")),
            (OsString::from("TOKEN"), OsString::from("hush")),
        ],
        limits: RunLimits { time: Some(Duration::from_secs(90)), processes: Some(512), ..RunLimits::default() },
        workspace_mode: WorkspaceMode::Direct,
        isolation: Isolation {
            tier: TierChoice::Auto,
            accept: [Guarantee::LimitsHeld].into(),
            trace: true,
            nested_namespaces: false,
        },
        notices: vec![Notice {
            kind: NoticeKind::MissingPath,
            text: "it is missing".to_owned(),
            origin: Some(origin(6)),
        }],
    }
}

#[test]
fn every_rule_stands_beside_its_origin() {
    insta::assert_snapshot!(show(&boundary(), Style::PLAIN), @r"
    workspace  /home/ana/w
    home       /home/ana

    files
      write    /home/ana/w                     /home/ana/p.toml:1
      deny     /home/ana/w/\u{1b}[2J (absent)  /home/ana/p.toml:22

    files, by the administrator, over everything above
      deny     /srv  /home/ana/p.toml:3

    the most that may be written, by the administrator
      nothing

    the inside's own
      /tmp  in memory, gone with the run

    network
      allow  *.example.org:8080  /home/ana/p.toml:5

    environment
      LANG TOKEN

    limits
      time       90 s
      processes  512

    isolation
      tier         auto
      may be lost  limits-held
      trace        processes may trace their own children

    to know
      it is missing (/home/ana/p.toml:6)
    ");
}

#[test]
fn values_of_variables_and_control_characters_are_not_shown() {
    let text = show(&boundary(), Style::PLAIN);
    assert!(text.contains("TOKEN"));
    assert!(!text.contains("hush"));
    assert!(!text.contains('\x1b'));
}
