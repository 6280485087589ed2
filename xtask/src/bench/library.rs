//! What a run costs its surroundings: the memory of the supervisor, and a host program with much memory.

use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use bailiwick::{Finish, Stdio as Streams};

use super::fixture::Fixture;
use super::sample::Sample;
use super::table::{Budget, Table};
use crate::shell::{self, Doing, Failure};

/// The word that makes the bench a host program: `bench WORD MEGABYTES COUNT PROGRAM`.
pub(crate) const HOST: &str = "--be-a-host";

/// Design, section 11: 6 MB for the supervisor with the gate off.
const SUPERVISOR_KIBIBYTES: u64 = 6 * 1024;

const BATCHES: usize = 10;
const COUNT: &str = "20";

/// The most memory that the supervisor has resident while a command runs.
pub(crate) fn memory(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    // The command says that it runs, so that the supervisor has done all that it does.
    let mut command = fixture.run(&fixture.small(), &[], &["sh", "-c", "echo running; read line"]);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .doing(format!("cannot start `{}`", shell::shown(&command)))?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.take() {
        use std::io::BufRead;
        std::io::BufReader::new(stdout).read_line(&mut line).doing("cannot read what the command says")?;
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).doing("cannot look at the supervisor");
    drop(child.stdin.take());
    child.wait().doing("cannot wait for the supervisor")?;
    let most = status?
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.trim().parse().ok())
        .ok_or_else(|| Failure::new("the supervisor's memory is not shown"))?;
    table.memory("memory", "supervisor, most resident", most, SUPERVISOR_KIBIBYTES);
    Ok(())
}

/// Sessions started by a host program with 500 MB against a small one.
pub(crate) fn library(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let myself = std::env::current_exe().doing("cannot find this program")?;
    let host = |megabytes: &str| -> Result<Vec<Duration>, Failure> {
        let mut command = Command::new(&myself);
        command.args(["bench", HOST, megabytes, COUNT]).arg(&fixture.bailiwick);
        let text = shell::text(&mut command)?;
        let number = |line: &str| line.parse().map(Duration::from_nanos).doing("the host program answered strangely");
        text.lines().map(number).collect()
    };
    let (mut small, mut large) = (Vec::new(), Vec::new());
    for _ in 0..BATCHES {
        small.extend(host("1")?);
        large.extend(host("500")?);
    }
    let (small, large) = (Sample::of(small), Sample::of(large));
    table.time("library", "/bin/true by Sandbox::spawn, host of 1 MB", &small);
    let against = Some(("small host", &small));
    table.compare("library", "/bin/true by Sandbox::spawn, host of 500 MB", &large, against, Budget::Ratio(1.15));
    Ok(())
}

/// The host program: fills its memory, then starts sessions and prints what each took in nanoseconds.
pub(crate) fn host(arguments: &[String]) -> Result<ExitCode, Failure> {
    let [megabytes, count, program] = arguments else {
        return Err(Failure::new("the host program needs its megabytes, a count and the supervisor"));
    };
    let megabytes: usize = megabytes.parse().doing("the host's megabytes")?;
    let count: usize = count.parse().doing("the host's count")?;
    // Written, so that every page is there.
    let memory = vec![1_u8; megabytes << 20];
    let fixture = Fixture::make(Path::new(program))?;
    let sandbox = fixture.sandbox(&fixture.small())?;
    for _ in 0..count {
        let start = Instant::now();
        let mut session = sandbox.spawn(["/bin/true"], Streams::piped()).doing("cannot start a session")?;
        let finish = session.wait().doing("cannot wait for the session")?;
        let time = start.elapsed();
        if !matches!(finish, Finish::Ended(_)) {
            return Err(Failure::new(format!("the session ended as {finish:?}")));
        }
        println!("{}", time.as_nanos());
    }
    std::hint::black_box(memory);
    Ok(ExitCode::SUCCESS)
}
