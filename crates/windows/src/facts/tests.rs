//! The machines that plans are tested on, and descriptions that are refused.

use super::*;

/// The machines of the tests, by name.
pub(crate) const MACHINES: [(&str, &str, &str); 7] = [
    ("home-edition", r"C:\Users\Ada\source\project", include_str!("../../fixtures/home-edition.toml")),
    ("domain-user", r"C:\src\billing", include_str!("../../fixtures/domain-user.toml")),
    (
        "non-ascii-profile",
        r"C:\Users\Žofie Nováková\Projekty\účetnictví",
        include_str!("../../fixtures/non-ascii-profile.toml"),
    ),
    ("dev-drive", r"V:\repos\engine", include_str!("../../fixtures/dev-drive.toml")),
    ("onedrive-folder", r"C:\Users\mia\OneDrive\code\thesis", include_str!("../../fixtures/onedrive-folder.toml")),
    ("several-drives", r"D:\projects\game", include_str!("../../fixtures/several-drives.toml")),
    ("pnpm-store", r"C:\work\shop", include_str!("../../fixtures/pnpm-store.toml")),
];

/// A machine of the tests and its workspace.
pub(crate) fn machine(name: &str) -> (Facts, WindowsPath) {
    let (_, workspace, text) = MACHINES.iter().find(|(known, ..)| *known == name).unwrap();
    let facts = Facts::parse(text).unwrap_or_else(|error| panic!("{name}: {error}"));
    (facts, WindowsPath::parse(workspace).unwrap())
}

fn refusal(change: impl FnOnce(&str) -> String) -> String {
    let (_, _, text) = MACHINES[1];
    Facts::parse(&change(text)).expect_err("it must be refused").to_string()
}

#[test]
fn every_machine_is_understood() {
    for (name, ..) in MACHINES {
        let (facts, workspace) = machine(name);
        assert_eq!(facts.object(&workspace).map(|object| &object.kind), Some(&ObjectKind::Directory), "{name}");
        assert!(facts.drive_of(&workspace).is_some(), "{name}");
    }
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest() {
    insta::assert_snapshot!(refusal(|text| text.replace("revision =", "revison =")), @"the description of the host, line 9: unknown key `revison` in `[windows]`; did you mean `revision`?");
    insta::assert_snapshot!(refusal(|text| text.replace("filtering_engine = true", "filtering_engine = true\nwifi = 1")), @"the description of the host, line 41: unknown key `wifi` in `[network]`; known are filtering_engine, firewall");
}

#[test]
fn half_a_description_is_refused() {
    let without_object = |text: &str, path: &str| {
        let start = text.find(&format!("[[object]]\npath = '{path}'\n")).unwrap();
        let end = text[start + 2..].find("[[object]]").map_or(text.len(), |next| start + 2 + next);
        format!("{}{}", &text[..start], &text[end..])
    };
    insta::assert_snapshot!(refusal(|text| without_object(text, r"C:\src")), @r"the description of the host: `C:\src\billing` is described, but its directory `C:\src` is not; a plan cannot be made from half the facts: record them again with `doctor --record`");
    insta::assert_snapshot!(refusal(|text| without_object(text, r"C:\ProgramData")), @r"the description of the host: program_data (`C:\ProgramData`) is not described; a plan cannot be made from half the facts: record them again with `doctor --record`");
    insta::assert_snapshot!(refusal(|text| text.replace("\"S-1-1-0\", ", "")), @"the description of the host: the groups of the user do not hold S-1-1-0; a plan cannot be made from half the facts: record them again with `doctor --record`");
    insta::assert_snapshot!(refusal(|text| text.replace("path = 'C:\\src'", "path = 'D:\\src'")), @r"the description of the host: `C:\src\billing` is described, but its directory `C:\src` is not; a plan cannot be made from half the facts: record them again with `doctor --record`");
    insta::assert_snapshot!(refusal(|text| text.replace("[network]\nfiltering_engine = true\nfirewall = true\n", "")), @"the description of the host: the table `[network]` is missing");
    insta::assert_snapshot!(refusal(|text| text.replace("firewall = true\n", "")), @"the description of the host, line 39: `firewall` is missing in `[network]`");
}

#[test]
fn what_cannot_be_is_refused() {
    insta::assert_snapshot!(refusal(|text| text.replace("format = 1", "format = 2")), @"the description of the host, line 1: `format` is 2; this version reads 1: record the facts again");
    insta::assert_snapshot!(refusal(|text| text.replace("gate_port = 47102", "gate_port = 47101")), @"the description of the host: the accounts `bailiwick-01` and `bailiwick-02` share a SID, a port or a workspace");
    insta::assert_snapshot!(refusal(|text| text.replace("build = 26200", "build = 99999999999")), @"the description of the host, line 8: `build`: the number is out of range");
    insta::assert_snapshot!(refusal(|text| text.replace(r"'C:\src\billing'", r"'\\server\billing'")), @r"the description of the host, line 121: `path`: `\\server\billing` is not taken as a path: it is reached through the network, where the server decides with the user's full rights; use a local path");
    insta::assert_snapshot!(refusal(|text| text.replace("\"S-1-5-5-0-402113\"\nelevated", "\"S-1-5-4\"\nelevated")), @"the description of the host: `logon` is S-1-5-4, which is not the SID of a logon");
    insta::assert_snapshot!(refusal(|text| format!("{text}\n[[object]]\n{}", &text[text.rfind("path = ").unwrap()..])), @r"the description of the host: `C:\Windows` is described twice");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 64, ..Default::default() })]

    #[test]
    fn a_damaged_description_is_refused_or_read(at in 0..4000usize, with in "[\\x00-\\x7fä\\\\']{0,4}", name in 0..MACHINES.len()) {
        let (_, _, text) = MACHINES[name];
        let mut damaged = String::new();
        for (index, c) in text.chars().enumerate() {
            if index == at { damaged.push_str(&with) } else { damaged.push(c) }
        }
        let _ = Facts::parse(&damaged);
    }
}
