//! The simulation does what Windows does, where a document says what that is; and what a test injects happens.

use bailiwick_winsec::AccessMask;
use bailiwick_winsec::ntfs::Share;

use super::*;
use crate::facts::tests::machine;
use crate::host::{Code, Files, JobLimits, Links, Objects, OpenFile, Place, Processes, Want};

fn path(text: &str) -> WindowsPath {
    WindowsPath::parse(text).unwrap()
}

fn sim() -> Sim {
    Sim::of(&machine("several-drives").0)
}

fn existing(access: AccessMask) -> OpenFile<'static> {
    OpenFile::existing(access)
}

#[test]
fn two_worlds_of_the_same_facts_are_the_same() {
    assert_eq!(sim().snapshot(), sim().snapshot());
}

#[test]
fn other_users_files_are_closed_and_the_own_are_open() {
    let mut user = sim().shell();
    let read = existing(AccessMask::FILE_READ_DATA);
    assert!(user.open(Place::Path(&path(r"C:\Users\lee\.ssh\id_ed25519")), &read).is_ok());
    let error = user.open(Place::Path(&path(r"C:\Users\eve\diary.txt")), &read).unwrap_err();
    assert_eq!((error.call, error.code), ("open", Code::ACCESS_DENIED));
}

#[test]
fn a_pin_holds_a_directory_against_its_owner() {
    let sim = sim();
    let (mut holder, mut other) = (sim.shell(), sim.shell());
    let place = path(r"D:\projects\game\.git");
    let pin = OpenFile { share: Share::PIN, ..existing(AccessMask::FILE_LIST_DIRECTORY) };
    let pin = holder.open(Place::Path(&place), &pin).unwrap();
    let error = other.open(Place::Path(&place), &existing(AccessMask::DELETE)).unwrap_err();
    assert_eq!(error.code, Code::SHARING_VIOLATION);
    holder.close(pin).unwrap();
    let handle = other.open(Place::Path(&place), &existing(AccessMask::DELETE)).unwrap();
    other.rename(handle, &path(r"D:\projects\game\moved"), false).unwrap();
    assert!(sim.files().contains_key(&path(r"D:\projects\game\moved\config")));
}

#[test]
fn links_are_followed_by_programs_and_refused_to_us() {
    let mut user = sim().shell();
    let want = Want::New { directory: true, security: None };
    let junction = path(r"D:\projects\game\j");
    let how = OpenFile { want, ..existing(AccessMask::FILE_WRITE_ATTRIBUTES) };
    let handle = user.open(Place::Path(&junction), &how).unwrap();
    user.set_link(handle, Some(&path(r"C:\Users\lee\.ssh"))).unwrap();
    let below = path(r"D:\projects\game\j\id_ed25519");
    let read = existing(AccessMask::FILE_READ_DATA);
    assert!(user.open(Place::Path(&below), &OpenFile { links: Links::Follow, ..read }).is_ok());
    assert_eq!(user.open(Place::Path(&below), &read).unwrap_err().code, Code::REPARSE_POINT_ENCOUNTERED);
    assert_eq!(user.open(Place::Below(handle, "id_ed25519"), &read).unwrap_err().code, Code::DIRECTORY);
}

#[test]
fn a_hard_link_is_one_object_with_one_list() {
    let sim = sim();
    let mut user = sim.shell();
    let from = path(r"D:\projects\game\.git\config");
    let to = path(r"D:\projects\game\src\config");
    let handle = user.open(Place::Path(&from), &existing(AccessMask::FILE_READ_ATTRIBUTES)).unwrap();
    user.link(handle, &to).unwrap();
    assert_eq!(user.facts(handle).unwrap().links, 2);
    let files = sim.files();
    assert_eq!(files[&from], files[&to]);
}

#[test]
fn a_job_ends_with_the_process_that_holds_it() {
    let sim = sim();
    let mut user = sim.shell();
    let job = user.create_job(&JobLimits { kill_on_close: true, ..JobLimits::default() }).unwrap();
    let start = crate::host::Start {
        image: path(r"C:\Windows\System32\cmd.exe"),
        command_line: String::new(),
        directory: path(r"D:\"),
        environment: Vec::new(),
        desktop: String::new(),
        identity: crate::host::StartAs::Own,
        job: Some(job),
    };
    let child = user.start(&start).unwrap();
    let child = user.process_id(child).unwrap();
    sim.end(user.process());
    assert!(sim.running().iter().all(|(id, _)| *id != child));
}

#[test]
fn faults_strike_once_at_the_call_that_was_named() {
    let read = |user: &mut Actor| user.now().is_ok();
    for (fault, answers, lives) in [
        (Fault::Error, [true, false, true], true),
        (Fault::CrashBefore, [true, false, false], false),
        (Fault::CrashAfter, [true, false, false], false),
    ] {
        let sim = sim();
        let mut user = sim.shell();
        sim.inject(&[user.process()], 1, fault);
        assert_eq!([read(&mut user), read(&mut user), read(&mut user)], answers, "{fault:?}");
        assert_eq!(user.is_alive(), lives);
        assert_eq!(sim.calm(), Some("now"));
    }
}

#[test]
fn a_crash_after_a_call_leaves_its_work_and_one_before_none() {
    for (fault, made) in [(Fault::CrashBefore, false), (Fault::CrashWithin, false), (Fault::CrashAfter, true)] {
        let sim = sim();
        let mut user = sim.shell();
        sim.inject(&[user.process()], 0, fault);
        let place = path(r"D:\projects\game\new");
        let want = Want::New { directory: true, security: None };
        let how = OpenFile { want, ..existing(AccessMask::FILE_READ_ATTRIBUTES) };
        assert_eq!(user.open(Place::Path(&place), &how).unwrap_err().code, Code::PROCESS_ABORTED);
        assert_eq!(sim.files().contains_key(&place), made, "{fault:?}");
    }
}
