//! Where the attack takes place: the attacker's list of places, random trees, random rules.

use bailiwick_winsec::sddl::{self, Domains};
use proptest::prelude::*;

use super::super::stage::{path, scanned};
use crate::facts::tests::machine;
use crate::facts::{Facts, Object, ObjectKind};
use crate::path::WindowsPath;

/// The places of the workspace and beside it that may or may not be there.
const TREE: [&str; 20] = [
    r"D:\w",
    r"D:\w\a",
    r"D:\w\a\f.txt",
    r"D:\w\a\b",
    r"D:\w\b",
    r"D:\w\b\f.txt",
    r"D:\w\.git",
    r"D:\w\.git\hooks",
    r"D:\w\.git\hooks\f.txt",
    r"D:\w\.git\config",
    r"D:\w\.vscode",
    r"D:\w\.env",
    r"D:\out",
    r"D:\out\a",
    r"D:\out\a\f.txt",
    r"D:\out\b",
    r"D:\out\b\f.txt",
    r"D:\out\f.txt",
    r"D:\out\a\b",
    r"D:\out\a\b\f.txt",
];

/// Names where nothing is yet.
const FREE: [&str; 6] =
    [r"D:\w\new", r"D:\w\link", r"D:\w\new\link", r"D:\w\new\new", r"D:\w\a\link", r"D:\w\Properties"];

/// How many of [`places`] are in the workspace or beside it: the first ones.
pub(super) const NEAR: usize = TREE.len() + FREE.len();

/// What every attacker would like.
const ELSEWHERE: [&str; 30] = [
    r"D:\",
    r"D:\archive\2019\taxes.txt",
    r"D:\archive\2019",
    r"C:\",
    r"C:\Users",
    r"C:\Users\notes.txt",
    r"C:\Users\lee\.ssh\id_ed25519",
    r"C:\Users\lee\.ssh",
    r"C:\Users\lee\.gitconfig",
    r"C:\Users\lee\.cargo\bin",
    r"C:\Users\lee\Documents\letter.txt",
    r"C:\Users\lee\Documents",
    r"C:\Users\lee",
    r"C:\Users\lee\AppData\Local",
    r"C:\Users\lee\AppData\Local\bailiwick",
    r"C:\Users\lee\AppData\Local\bailiwick\journal",
    r"C:\Users\lee\AppData\Local\bailiwick\bailiwick-01.secret",
    r"C:\Users\eve\diary.txt",
    r"C:\Users\eve",
    r"C:\Users\Public\Documents",
    r"C:\Users\Public\Documents\shared.txt",
    r"C:\ProgramData\Everyone",
    r"C:\ProgramData\Everyone\drop.txt",
    r"C:\ProgramData\Vendor\settings.ini",
    r"C:\ProgramData\bailiwick-setup\journal",
    r"C:\Program Files\Git\cmd\git.exe",
    r"C:\Windows\System32\cmd.exe",
    r"C:\Windows\Temp",
    r"C:\Windows\System32\Tasks",
    r"C:\Windows\System32\spool\drivers\color",
];

/// Where the attacker tries: the workspace with its protected names, what lies beside it, and everything that it would like.
pub(in crate::run::tests) fn places() -> Vec<WindowsPath> {
    TREE.iter().chain(&FREE).chain(&ELSEWHERE).map(|text| path(text)).collect()
}

/// Which of the tree's places are there. The workspace and what is beside it always are.
pub(in crate::run::tests) fn trees() -> impl Strategy<Value = Vec<bool>> {
    prop::collection::vec(prop::bool::weighted(0.8), TREE.len())
}

/// The whole tree.
pub(in crate::run::tests) fn facts() -> Facts {
    facts_with(&[true; TREE.len()])
}

/// A machine with two drives and a tree of the user's on the second, open as a drive's root makes it.
pub(in crate::run::tests) fn facts_with(there: &[bool]) -> Facts {
    let (mut facts, _) = machine("several-drives");
    facts.setup = None;
    // A drive without access lists is a loss that every tier declares; here it would hide others.
    facts.drives.retain(|drive| matches!(drive.letter, 'C' | 'D'));
    facts.volumes.retain(|(_, letter)| matches!(letter, Some('C' | 'D')));
    facts.objects.retain(|object| !path(r"E:\").covers(&object.path) && !path(r"Z:\").covers(&object.path));
    let user = facts.user.sid;
    let directory = format!(
        "O:{user}G:{user}D:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;OICIIOID;SDGXGWGR;;;AU)(A;OICIID;FA;;;{user})"
    );
    let file = format!(
        "O:{user}G:{user}D:AI(A;ID;FA;;;BA)(A;ID;FA;;;SY)(A;ID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)(A;ID;FA;;;{user})"
    );
    let mut made: Vec<WindowsPath> = Vec::new();
    for (place, there) in TREE.iter().map(|text| path(text)).zip(there) {
        let is_top = place.parent().is_some_and(|parent| parent.is_root());
        let is_below = place.parent().is_some_and(|parent| made.contains(&parent));
        let is_there = is_top || (*there && is_below);
        if !is_there {
            continue;
        }
        let name = place.name().unwrap_or_default();
        let is_file = matches!(name, "f.txt" | "config" | ".env");
        let (kind, sddl) = if is_file { (ObjectKind::File, &file) } else { (ObjectKind::Directory, &directory) };
        let descriptor = sddl::parse(sddl, &Domains::NONE).unwrap();
        made.push(place.clone());
        facts.objects.push(Object { path: place, kind, owner: user, descriptor, links: 1 });
    }
    facts.objects.sort_by(|a, b| a.path.cmp(&b.path));
    scanned(&mut facts);
    facts
}

/// Random rules inside and beside the workspace.
pub(in crate::run::tests) fn rules() -> impl Strategy<Value = String> {
    let places = ["D:/w/a", "D:/w/a/b", "D:/w/b", "D:/w/b/f.txt", "D:/out", "D:/out/a", "D:/out/b/f.txt"];
    let kind = prop_oneof![2 => Just(0usize), 1 => Just(1), 1 => Just(2), 1 => Just(3)];
    prop::collection::vec((kind, 0..places.len()), 0..5).prop_map(move |chosen| {
        let mut lists: [Vec<String>; 4] = Default::default();
        for (kind, place) in chosen {
            lists[kind].push(format!("\"{}\"", places[place]));
        }
        let [read, write, deny, protect] = lists.map(|list| list.join(", "));
        format!("[files]\nread = [{read}]\nwrite = [{write}]\ndeny = [{deny}]\nprotect = [{protect}]")
    })
}
