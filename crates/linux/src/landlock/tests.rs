//! Rights per interface, locks as data, and a real lock in a child.

use std::path::{Path, PathBuf};

use bailiwick_policy::decide::Grant;

use super::limits::unheld_points;
use super::*;
use crate::sys::throwaway::in_test_child;

#[test]
fn every_interface_adds_rights_and_takes_none() {
    let all: Vec<String> = (0..=12)
        .map(|version| {
            let abi = Abi(version);
            format!("{version}: fs {:#x} net {:#x} scopes {:#x}", abi.file_rights(), abi.net_rights(), abi.scopes())
        })
        .collect();
    insta::assert_snapshot!(all.join("\n"), @r"
    0: fs 0x0 net 0x0 scopes 0x0
    1: fs 0x1fff net 0x0 scopes 0x0
    2: fs 0x3fff net 0x0 scopes 0x0
    3: fs 0x7fff net 0x0 scopes 0x0
    4: fs 0x7fff net 0x3 scopes 0x0
    5: fs 0xffff net 0x3 scopes 0x0
    6: fs 0xffff net 0x3 scopes 0x3
    7: fs 0xffff net 0x3 scopes 0x3
    8: fs 0xffff net 0x3 scopes 0x3
    9: fs 0x1ffff net 0x3 scopes 0x3
    10: fs 0x1ffff net 0xf scopes 0x3
    11: fs 0x1ffff net 0xf scopes 0x3
    12: fs 0x1ffff net 0xf scopes 0x3
    ");
}

#[test]
fn no_use_makes_device_files() {
    for purpose in [Use::Read, Use::Write, Use::Devices, Use::Connect] {
        let names = rights::names(purpose.rights());
        assert!(!names.contains(&"make-char") && !names.contains(&"make-block"), "{purpose:?}");
    }
    assert_eq!(rights::names(Use::Read.rights()), ["execute", "read-file", "read-dir"]);
}

#[test]
fn a_lock_grants_only_what_the_interface_knows_and_each_path_once() {
    let grants = [(Path::new("/a"), Use::Read), (Path::new("/a"), Use::Devices), (Path::new("/s"), Use::Connect)];
    let old = Lock::main(Abi(1), grants).expect("plain paths");
    assert_eq!(old.len(), 1, "connecting cannot be granted before ABI 9");
    assert_eq!(old.rules[0].rights & !Abi(1).file_rights(), 0);
    let new = Lock::main(Abi(9), grants).expect("plain paths");
    assert_eq!(new.len(), 2);
    assert_eq!(rights::names(new.rules[1].rights), ["resolve-unix"]);
    assert!(Lock::main(Abi(0), grants).expect("plain paths").is_empty());
}

#[test]
fn a_path_with_a_zero_byte_is_refused() {
    let error = Lock::main(Abi(1), [(Path::new("/a\0b"), Use::Read)]).expect_err("no system call can name it");
    assert_eq!(error.step, LockStep::Name);
}

#[test]
fn what_is_narrower_than_its_parent_is_unheld() {
    let points = [
        (Path::new("/home/u"), Grant::Private(0)),
        (Path::new("/home/u/.bashrc"), Grant::PrivateProtected(0)),
        (Path::new("/home/u/w"), Grant::Write),
        (Path::new("/home/u/w/.env"), Grant::Denied),
        (Path::new("/home/u/w/.git/hooks"), Grant::Read),
        (Path::new("/home/u/w/sub"), Grant::Write),
        (Path::new("/home/u/wide"), Grant::Read),
        (Path::new("/opt"), Grant::Read),
        (Path::new("/opt/secret"), Grant::Hidden),
        (Path::new("/opt/w"), Grant::Write),
    ];
    let paths: Vec<PathBuf> = unheld_points(&points).into_iter().map(|unheld| unheld.path).collect();
    let expected =
        ["/home/u/.bashrc", "/home/u/w/.env", "/home/u/w/.git/hooks", "/opt/secret"].map(PathBuf::from).to_vec();
    assert_eq!(paths, expected);
}

/// A directory of this test's own, removed with its content at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("bailiwick-landlock-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a scratch directory");
        Scratch(path.canonicalize().expect("it exists"))
    }

    fn file(&self, name: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::create_dir_all(path.parent().expect("below the scratch directory")).expect("a directory");
        std::fs::write(&path, "content").expect("a file");
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Opens each path as asked, under the lock or without it, and tells the errno of each, or 0; `None` if the lock did not close.
fn opens(lock: Option<&Lock>, attempts: &[(PathBuf, OFlags)]) -> Vec<u32> {
    let attempts: Vec<(CString, OFlags)> = attempts
        .iter()
        .map(|(path, flags)| (CString::new(path.as_os_str().as_bytes()).expect("a plain path"), *flags))
        .collect();
    let arena = Arena::new(1 << 20).expect("memory");
    let lock = lock.map(|lock| lock.lay_out(&arena).expect("room"));
    in_test_child(|report| {
        if let Some(lock) = lock {
            if rustix::thread::set_no_new_privs(true).is_err() {
                return;
            }
            if let Err(error) = lock.enforce() {
                report.tell(error.errno.raw_os_error().unsigned_abs());
                return;
            }
        }
        for (path, flags) in &attempts {
            let opened = rustix::fs::open(path.as_c_str(), *flags | OFlags::CLOEXEC, Mode::RUSR | Mode::WUSR);
            report.tell(opened.map_or_else(|errno| errno.raw_os_error().unsigned_abs(), |_| 0));
        }
    })
}

const DENIED: u32 = libc::EACCES.unsigned_abs();

#[test]
fn the_kernel_holds_a_lock() {
    if abi().0 == 0 {
        eprintln!("SKIPPED: this kernel has no Landlock");
        return;
    }
    let scratch = Scratch::new("holds");
    let (read, write, other) = (scratch.file("r/file"), scratch.file("w/file"), scratch.file("o/file"));
    let single = scratch.file("single");
    let create = OFlags::WRONLY | OFlags::CREATE;
    let attempts = [
        (read.clone(), OFlags::RDONLY),
        (read.clone(), OFlags::WRONLY),
        (scratch.0.join("r/new"), create),
        (write.clone(), OFlags::RDWR),
        (scratch.0.join("w/new"), create),
        (other.clone(), OFlags::RDONLY),
        (scratch.0.join("o"), OFlags::RDONLY | OFlags::DIRECTORY),
        (single.clone(), OFlags::RDWR),
    ];
    let expected = [0, DENIED, DENIED, 0, 0, DENIED, DENIED, 0];
    assert_eq!(opens(None, &attempts), [0; 8], "the control");
    let _ = std::fs::remove_file(scratch.0.join("r/new"));
    let (r, w) = (scratch.0.join("r"), scratch.0.join("w"));
    let grants = [(r.as_path(), Use::Read), (w.as_path(), Use::Write), (single.as_path(), Use::Write)];
    let lock = Lock::main(abi(), grants).expect("plain paths");
    assert_eq!(opens(Some(&lock), &attempts), expected);
}

#[test]
fn the_second_lock_reads_everything_and_writes_what_is_listed() {
    if abi().0 == 0 {
        eprintln!("SKIPPED: this kernel has no Landlock");
        return;
    }
    let scratch = Scratch::new("second");
    let (inside, outside) = (scratch.file("w/file"), scratch.file("o/file"));
    let attempts = [
        (outside.clone(), OFlags::RDONLY),
        (outside, OFlags::WRONLY),
        (inside, OFlags::WRONLY),
        (PathBuf::from("/dev/null"), OFlags::WRONLY | OFlags::TRUNC),
    ];
    assert_eq!(opens(None, &attempts), [0; 4], "the control");
    let w = scratch.0.join("w");
    let grants = [(w.as_path(), Use::Write), (Path::new("/dev"), Use::Devices)];
    let lock = Lock::second(abi(), grants).expect("plain paths");
    assert_eq!(opens(Some(&lock), &attempts), [0, DENIED, 0, 0]);
}

#[test]
fn a_rule_on_a_swapped_path_fails_closed() {
    if abi().0 == 0 {
        eprintln!("SKIPPED: this kernel has no Landlock");
        return;
    }
    let scratch = Scratch::new("swapped");
    let file = scratch.file("real/file");
    let link = scratch.0.join("link");
    std::os::unix::fs::symlink(scratch.0.join("real"), &link).expect("a link");
    let lock = Lock::main(abi(), [(link.as_path(), Use::Write)]).expect("plain paths");
    let told = opens(Some(&lock), &[(file, OFlags::RDONLY)]);
    assert_eq!(told, [libc::ELOOP.unsigned_abs()]);
    let error = LockError { step: LockStep::Open, rule: Some(0), errno: Errno::LOOP };
    assert!(lock.describe(error).contains("link"));
}
