use std::net::UdpSocket;
use std::os::fd::AsFd;

use rustix::fs::{fstat, open};

use super::*;

/// The host's: these tests are not inside anything.
fn processes() -> OwnedFd {
    open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

fn inode(socket: impl AsFd) -> u32 {
    u32::try_from(fstat(socket).unwrap().st_ino).unwrap()
}

/// Searches to the end. Gives how it ended and how many looks it took.
fn ended(mut search: Search) -> (Step, usize) {
    let (processes, mut looks) = (processes(), 0);
    loop {
        let before = looks;
        let step = search.step(&processes, &mut looks);
        assert!(looks - before <= 130, "one step took {} looks", looks - before);
        if step != Step::More {
            return (step, looks);
        }
    }
}

fn is_this_program(step: &Step) -> bool {
    let Step::Found(process, program) = step else { return false };
    let path = std::env::current_exe().unwrap();
    let file = path.file_name().unwrap().to_string_lossy().into_owned();
    *process == std::process::id() && String::from_utf8_lossy(program).contains(&file)
}

#[test]
fn whoever_has_connected_before_is_found_at_once() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let (step, looks) = ended(Search::new(inode(&socket), [std::process::id()].into_iter()));
    assert!(is_this_program(&step), "{step:?}");
    // The other tests of this process have descriptors too.
    assert!(looks < 1000, "{looks}");
}

#[test]
fn everybody_else_is_found_by_looking_at_all_processes() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    // One that is not there any more, and one that is not it.
    let (step, _) = ended(Search::new(inode(&socket), [4_194_304, 2].into_iter()));
    assert!(is_this_program(&step), "{step:?}");
}

#[test]
fn hundreds_of_other_descriptors_hide_nothing() {
    let others: Vec<UdpSocket> = (0..300).map_while(|_| UdpSocket::bind("127.0.0.1:0").ok()).collect();
    let last = others.last().unwrap();
    let (step, looks) = ended(Search::new(inode(last), [std::process::id()].into_iter()));
    assert!(is_this_program(&step), "{step:?}");
    assert!(looks > others.len() / 2, "{looks}");
}

#[test]
fn a_search_for_nobodys_socket_ends() {
    // The kernel counts upward from 1; no machine of tests has opened so many.
    let (step, looks) = ended(Search::new(u32::MAX, std::iter::repeat_n(std::process::id(), 100_000)));
    assert_eq!(step, Step::Nobody);
    assert!((MOST_LOOKS..MOST_LOOKS + 200).contains(&looks), "{looks}");
}

#[test]
fn a_program_is_its_file_and_its_own_word() {
    let shown = |path: &str, name: &str| String::from_utf8(shown(path.as_bytes(), name.as_bytes())).unwrap();
    assert_eq!(shown("/usr/bin/curl", "curl"), "/usr/bin/curl");
    assert_eq!(shown("/usr/lib/git-core/git-remote-https", "git-remote-http"), "/usr/lib/git-core/git-remote-https");
    assert_eq!(shown("/usr/bin/python3.11", "pip"), "/usr/bin/python3.11 (pip)");
    assert_eq!(shown("/w/tool (deleted)", "tool"), "/w/tool (deleted)");
    assert_eq!(shown("", "curl"), "curl");
    assert_eq!(shown("/usr/bin/curl", ""), "/usr/bin/curl");
    assert_eq!(shown("", ""), "");
    let long = shown(&format!("/{}/the-end", "d".repeat(4000)), "x\u{1b}[31m");
    assert!(long.starts_with("…ddd") && long.ends_with("/the-end (x\u{1b}[31m)"), "{long}");
    assert!(long.len() <= LONGEST_PROGRAM);
}
