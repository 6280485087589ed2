//! Lines that a crash cut off, and damage.

use bailiwick_winsec::Sid;
use proptest::prelude::*;

use super::*;
use crate::host::{FileId, Hive, Key, LogonRight, SessionObject};

fn changes() -> Vec<Change> {
    let path = WindowsPath::parse(r"D:\ü\a.b").unwrap();
    let key = Key { hive: Hive::Machine, path: r"software\a b".to_owned() };
    let id = FileId { volume: 68, file: 1 << 100 };
    let (sid, name) = (Sid::USERS, "name\t\n.%é".to_owned());
    vec![
        Change::Stamp {
            path: path.clone(),
            id,
            original: vec![0, 255, 10],
            written: vec![],
            ours: vec![sid, Sid::EVERYONE],
        },
        Change::Directory { path: path.clone() },
        Change::File { path },
        Change::Account { name: name.clone(), comment: String::new() },
        Change::Profile { sid },
        Change::Right { sid, right: LogonRight::DenyNetwork },
        Change::RegistryKey { key: key.clone() },
        Change::RegistryValue { key, name: name.clone() },
        Change::Filters { keys: vec![0, u128::MAX] },
        Change::Container { name },
        Change::Session { object: SessionObject::NamedObjects, sid },
    ]
}

fn lines() -> Vec<(u64, Line)> {
    let changes = changes().into_iter().map(Line::Will);
    let all = [Line::Begin("a step.".to_owned()), Line::End, Line::Undone(3)].into_iter().chain(changes);
    all.enumerate().map(|(index, line)| (index as u64 + 1, line)).collect()
}

fn whole() -> String {
    lines().iter().map(|(number, line)| write(*number, line)).collect()
}

#[test]
fn every_line_comes_back() {
    assert_eq!(parse(whole().as_bytes()), Ok(lines()));
}

/// Wherever a crash cuts the journal off, the lines before are understood and the cut one counts as not written.
#[test]
fn a_journal_may_end_anywhere() {
    let text = whole();
    for end in 0..=text.len() {
        let Some(cut) = text.get(..end) else { continue };
        let read = parse(cut.as_bytes()).unwrap();
        assert_eq!(read, lines()[..read.len()]);
        // And goes on after it.
        let more = format!("{cut}{}", write(99, &Line::End));
        assert_eq!(parse(more.as_bytes()).unwrap().last(), Some(&(99, Line::End)));
    }
}

proptest! {
    #[test]
    fn a_changed_byte_is_damage_or_cuts_a_line(at in 0..2000usize, byte in 0x20..0x7fu8) {
        let mut bytes = whole().into_bytes();
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(read) = parse(&bytes) {
            prop_assert!(read.iter().all(|line| lines().contains(line)));
        }
    }
}
