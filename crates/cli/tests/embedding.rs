//! A host program that starts the program `bailiwick` through the library.
#![cfg(target_os = "linux")]
#![expect(clippy::expect_used, reason = "what cannot be set up fails the test, in its helpers too")]

use std::io::Read;
use std::path::{Path, PathBuf};

use bailiwick::policy::host::Host;
use bailiwick::report::{Event, Outcome};
use bailiwick::{Finish, Sandbox, SpawnError, Stdio};

/// A home with a workspace in it, removed at the end.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Place {
        let root = std::env::temp_dir().join(format!("bailiwick-embedding-{name}-{}", std::process::id()));
        std::fs::create_dir_all(root.join("home/project")).expect("a directory can be made");
        Place(root.canonicalize().expect("it is there"))
    }

    fn sandbox(&self) -> Sandbox {
        let home = self.0.join("home");
        let host = Host {
            user: "ana".to_owned(),
            uid: 0,
            config_dir: home.join(".config/bailiwick"),
            data_dir: home.join(".local/share/bailiwick"),
            state_dir: home.join(".local/state/bailiwick"),
            admin_file: PathBuf::from("/etc/bailiwick/policy.toml"),
            current_dir: home.join("project"),
            environment: vec![("HOME".into(), home.clone().into()), ("PATH".into(), "/usr/bin:/bin".into())],
            home,
        };
        Sandbox::on(host).supervisor(env!("CARGO_BIN_EXE_bailiwick"))
    }

    /// Whether anything can be run inside on this host; says so where not.
    fn works(&self, name: &str) -> bool {
        let mut session = self.sandbox().spawn(["true"], Stdio::piped()).expect("starts");
        match session.wait().expect("ends") {
            Finish::Ended(Outcome::Exited { status: 0 }) => true,
            other => {
                eprintln!("skipped embedding::{name}: {other:?}");
                if let Some(file) = std::env::var_os("BAILIWICK_SKIPS") {
                    let list = std::fs::read_to_string(&file).unwrap_or_default();
                    std::fs::write(file, format!("{list}embedding::{name}: {other:?}\n")).expect("can be written");
                }
                false
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn events_output_and_outcome_arrive() {
    let place = Place::new("events");
    if !place.works("events_output_and_outcome_arrive") {
        return;
    }
    let sandbox = place.sandbox().env("GREETING", "-hi").protect("-dash");
    let mut session = sandbox.spawn(["sh", "-c", "echo $GREETING; exit 3"], Stdio::piped()).expect("starts");
    let mut output = String::new();
    session.take_stdout().expect("is a pipe").read_to_string(&mut output).expect("reads");
    assert_eq!(output, "-hi\n");
    let first = session.next_event().expect("reads");
    assert!(
        matches!(&first, Some(Event::Started { command, .. }) if command[2] == "echo $GREETING; exit 3"),
        "{first:?}"
    );
    assert_eq!(session.wait().expect("ends"), Finish::Ended(Outcome::Exited { status: 3 }));
    assert_eq!(session.next_event().expect("reads"), None);
}

#[test]
fn a_refusal_arrives_as_the_last_event() {
    let place = Place::new("refusal");
    let sandbox = place.sandbox().profile("no-such-profile");
    let mut session = sandbox.spawn(["true"], Stdio::piped()).expect("starts");
    match session.wait().expect("ends") {
        Finish::Refused(why) => assert!(why.contains("no-such-profile"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_kill_ends_the_run_and_is_told_as_lost() {
    let place = Place::new("kill");
    if !place.works("a_kill_ends_the_run_and_is_told_as_lost") {
        return;
    }
    let mut session = place.sandbox().spawn(["sleep", "600"], Stdio::piped()).expect("starts");
    assert!(matches!(session.next_event().expect("reads"), Some(Event::Started { .. })));
    session.kill().expect("can be killed");
    assert!(matches!(session.wait().expect("ends"), Finish::Lost { .. }));
}

#[test]
fn sessions_side_by_side_have_their_own_events() {
    let place = Place::new("many");
    if !place.works("sessions_side_by_side_have_their_own_events") {
        return;
    }
    std::thread::scope(|scope| {
        for status in 1..=4_u8 {
            let sandbox = place.sandbox();
            scope.spawn(move || {
                let script = format!("exit {status}");
                let mut session = sandbox.spawn(["sh", "-c", &script], Stdio::piped()).expect("starts");
                assert_eq!(session.wait().expect("ends"), Finish::Ended(Outcome::Exited { status }));
            });
        }
    });
}

#[test]
fn a_supervisor_that_is_not_there_is_named() {
    let place = Place::new("missing");
    let sandbox = place.sandbox().supervisor("/no/such/program");
    match sandbox.spawn(["true"], Stdio::piped()) {
        Err(SpawnError::Start { program, .. }) => assert_eq!(program, Path::new("/no/such/program")),
        other => panic!("{other:?}"),
    }
    assert!(matches!(place.sandbox().spawn(Vec::<&str>::new(), Stdio::piped()), Err(SpawnError::NoCommand)));
}
