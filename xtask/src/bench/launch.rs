//! What a run costs before the command does anything: against bubblewrap, in a large tree, on a host of many mounts.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use super::bwrap::{Isolation, Yardstick};
use super::fixture::Fixture;
use super::sample::{interleaved, timed};
use super::table::{Budget, Table};
use crate::shell::{self, Doing, Failure};

const ROUNDS: usize = 300;
const TRUE: &str = "/bin/true";

/// `bailiwick run -- /bin/true` against bubblewrap with the same isolation.
pub(crate) fn launch(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let small = fixture.small();
    let mut bare = || timed(&mut fixture.bare(&small, TRUE));
    let mut inside = || timed(&mut fixture.run(&small, &[], &[TRUE]));
    if !shell::has_program("bwrap") {
        table.note("launch: bubblewrap is not installed, so there is nothing to compare with");
        return compare_without_yardstick(&mut bare, &mut inside, table);
    }
    // The private home is made by the first run; bubblewrap is told to mount it.
    inside()?;
    let same = Yardstick::new(fixture, &small, Isolation::Same)?;
    let alone = Yardstick::new(fixture, &small, Isolation::MountsAlone)?;
    let mut yardstick = || same.time(fixture, &small, TRUE);
    let mut lesser = || alone.time(fixture, &small, TRUE);
    let samples = interleaved(ROUNDS, &mut [&mut bare, &mut lesser, &mut yardstick, &mut inside])?;
    let [bare, lesser, yardstick, inside] = samples.as_slice() else { return Ok(()) };
    table.time("launch", "/bin/true, bare", bare);
    table.compare("launch", "/bin/true, bubblewrap, mounts alone", lesser, Some(("bare", bare)), Budget::None);
    table.compare("launch", "/bin/true, bubblewrap, same isolation", yardstick, Some(("bare", bare)), Budget::None);
    table.compare("launch", "/bin/true, bailiwick run", inside, Some(("bubblewrap", yardstick)), Budget::Ratio(0.5));
    table.compare("launch", "the same", inside, Some(("mounts alone", lesser)), Budget::None);
    table.note(
        "launch: bubblewrap gets its arguments and its system call filter from bailiwick's own plan; it has no Landlock and \
         watches nothing. With the mounts alone it has no filter either, and leaves `/proc` uncovered",
    );
    Ok(())
}

fn compare_without_yardstick(
    bare: &mut dyn FnMut() -> Result<Duration, Failure>,
    inside: &mut dyn FnMut() -> Result<Duration, Failure>,
    table: &mut Table,
) -> Result<(), Failure> {
    let samples = interleaved(ROUNDS, &mut [bare, inside])?;
    let [bare, inside] = samples.as_slice() else { return Ok(()) };
    table.time("launch", "/bin/true, bare", bare);
    table.compare("launch", "/bin/true, bailiwick run", inside, Some(("bare", bare)), Budget::None);
    Ok(())
}

/// The same in a workspace of 300,000 files.
pub(crate) fn tree(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    let (few, many) = (fixture.small(), fixture.many()?);
    let mut few = || timed(&mut fixture.run(&few, &[], &[TRUE]));
    let mut many = || timed(&mut fixture.run(&many, &[], &[TRUE]));
    let samples = interleaved(ROUNDS, &mut [&mut few, &mut many])?;
    let [few, many] = samples.as_slice() else { return Ok(()) };
    table.time("tree", "workspace of a few files", few);
    table.compare("tree", "workspace of 300,000 files", many, Some(("few", few)), Budget::Ratio(1.15));
    Ok(())
}

/// The same on a host with 400 more mounts.
pub(crate) fn mounts(fixture: &Fixture, table: &mut Table) -> Result<(), Failure> {
    if !shell::is_root() {
        table.note("mounts: skipped, since only root can mount");
        return Ok(());
    }
    let small = fixture.small();
    let crowded = Crowded::start(fixture.scratch("mounts")?)?;
    let mut few = || timed(&mut fixture.run(&small, &[], &[TRUE]));
    let mut many = || crowded.time(fixture.run(&small, &[], &[TRUE]));
    let samples = interleaved(ROUNDS, &mut [&mut few, &mut many])?;
    let [few, many] = samples.as_slice() else { return Ok(()) };
    table.time("mounts", "host as it is", few);
    table.compare("mounts", "host with 400 more mounts", many, Some(("few", few)), Budget::RatioOrMore(1.15, 1.0));
    Ok(())
}

/// A thread of this process that lives in a mount namespace of its own, with 400 more mounts in it; what it starts
/// lives there too.
struct Crowded {
    orders: Sender<std::process::Command>,
    times: Receiver<Result<Duration, Failure>>,
}

impl Crowded {
    fn start(directory: PathBuf) -> Result<Crowded, Failure> {
        let (orders, inbox) = channel::<std::process::Command>();
        let (outbox, times) = channel();
        thread::spawn(move || {
            let crowded = crowd(&directory);
            let ready = crowded.is_ok();
            let _ = outbox.send(crowded.map(|()| Duration::ZERO));
            for mut command in inbox.iter().take_while(|_| ready) {
                let _ = outbox.send(timed(&mut command));
            }
        });
        let crowded = Crowded { orders, times };
        crowded.answer()?;
        Ok(crowded)
    }

    fn time(&self, command: std::process::Command) -> Result<Duration, Failure> {
        self.orders.send(command).doing("cannot reach the thread with many mounts")?;
        self.answer()
    }

    fn answer(&self) -> Result<Duration, Failure> {
        self.times.recv().doing("the thread with many mounts has ended")?
    }
}

/// Gives the calling thread a mount namespace of its own and mounts 400 empty file systems there.
fn crowd(directory: &Path) -> Result<(), Failure> {
    let system = |result: i32, doing: &str| {
        if result == 0 { Ok(()) } else { Err(Failure::new(format!("{doing}: {}", std::io::Error::last_os_error()))) }
    };
    // SAFETY: no memory is passed; the call changes the namespace of this thread only.
    system(unsafe { libc::unshare(libc::CLONE_NEWNS) }, "cannot make a mount namespace")?;
    // SAFETY: all pointers are to constant strings that end with a zero byte, or null where the call ignores them.
    let private = unsafe {
        libc::mount(
            c"none".as_ptr(),
            c"/".as_ptr(),
            std::ptr::null(),
            libc::MS_REC | libc::MS_PRIVATE,
            std::ptr::null(),
        )
    };
    system(private, "cannot make the mounts private")?;
    for number in 0..400 {
        let at = directory.join(number.to_string());
        std::fs::create_dir_all(&at).doing(format!("cannot make {}", at.display()))?;
        let path = std::ffi::CString::new(at.into_os_string().into_encoded_bytes()).doing("a path with a zero byte")?;
        // SAFETY: both strings end with a zero byte and live until the call returns.
        let mounted =
            unsafe { libc::mount(c"tmpfs".as_ptr(), path.as_ptr(), c"tmpfs".as_ptr(), 0, c"size=4k".as_ptr().cast()) };
        system(mounted, "cannot mount a tmpfs")?;
    }
    Ok(())
}
