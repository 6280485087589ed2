use super::{Event, Outcome, Report};

#[test]
fn exit_codes_are_those_of_a_shell() {
    assert_eq!(Outcome::Exited { status: 3 }.exit_code(), 3);
    assert_eq!(Outcome::Signalled { signal: 9 }.exit_code(), 137);
    assert_eq!(Outcome::TimedOut.exit_code(), 124);
    assert_eq!(Outcome::NotStarted { errno: 2 }.exit_code(), 127);
    assert_eq!(Outcome::NotStarted { errno: 13 }.exit_code(), 126);
}

#[test]
fn an_event_is_one_line_and_comes_back_the_same() {
    let event = Event::Ended { outcome: Outcome::Exited { status: 1 }, milliseconds: 12, why: None };
    let line = serde_json::to_string(&event).expect("serialises");
    assert_eq!(line, r#"{"event":"ended","ended":"exited","status":1,"milliseconds":12}"#);
    assert_eq!(serde_json::from_str::<Event>(&line).expect("parses"), event);
}

#[test]
fn a_name_with_a_newline_stays_on_its_line() {
    let event = Event::Quarantined { name: "a\nb".to_owned(), kept: None };
    assert!(!serde_json::to_string(&event).expect("serialises").contains('\n'));
}

/// Takes a few bytes at a time, and nothing more when it is full.
struct Narrow {
    room: usize,
    taken: std::sync::Arc<std::sync::Mutex<Vec<u8>>>,
}

impl std::io::Write for Narrow {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = bytes.len().min(self.room).min(7);
        if count == 0 {
            return Err(std::io::ErrorKind::WouldBlock.into());
        }
        self.room -= count;
        self.taken.lock().expect("lock").extend_from_slice(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_is_behind_loses_whole_lines_and_is_told() {
    let taken = std::sync::Arc::default();
    let remark = Event::Remark { text: "x".to_owned() };
    let line = serde_json::to_string(&remark).expect("serialises") + "\n";
    let sink = Narrow { room: line.len(), taken: std::sync::Arc::clone(&taken) };
    let mut report = Report::new().to(sink);
    report.record(&remark);
    assert_eq!(report.failure(), None);
    report.record(&remark);
    assert_eq!(report.failure().as_deref(), Some("1 events are missing, since the reader was too slow"));
    assert_eq!(*taken.lock().expect("lock"), line.as_bytes());
}

#[test]
fn half_a_line_ends_the_sink() {
    let taken = std::sync::Arc::default();
    let mut report = Report::new().to(Narrow { room: 10, taken: std::sync::Arc::clone(&taken) });
    report.record(&Event::Remark { text: "x".to_owned() });
    report.record(&Event::Remark { text: "y".to_owned() });
    assert!(report.failure().is_some());
    assert_eq!(taken.lock().expect("lock").len(), 10);
}

#[cfg(unix)]
#[test]
fn a_report_file_is_the_users_own_and_no_link() {
    use std::io::Read as _;
    let place = std::env::temp_dir().join(format!("bailiwick-report-{}", std::process::id()));
    std::fs::create_dir(&place).expect("creates");
    let file = place.join("report");
    std::fs::write(&file, "old and longer").expect("writes");
    let mut report = Report::new().to(super::open_file(&file).expect("opens"));
    report.record(&Event::Remark { text: "new".to_owned() });
    let mut text = String::new();
    std::fs::File::open(&file).and_then(|mut file| file.read_to_string(&mut text)).expect("reads");
    assert_eq!(text, "{\"event\":\"remark\",\"text\":\"new\"}\n");

    std::os::unix::fs::symlink(&file, place.join("link")).expect("links");
    assert!(super::open_file(&place.join("link")).is_err());
    std::fs::hard_link(&file, place.join("second")).expect("links");
    assert!(super::open_file(&file).is_err());
    assert!(super::open_file(&place).is_err());
    assert_eq!(std::fs::read_to_string(&file).expect("reads"), text, "a refused file is not emptied");
    std::fs::remove_dir_all(&place).expect("removes");
}
