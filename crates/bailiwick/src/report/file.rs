//! Where a report is written: files and descriptors that the inside cannot have prepared.

use std::path::PathBuf;

/// A report file could not be opened.
#[derive(Debug)]
pub struct ReportFileError {
    path: PathBuf,
    why: String,
}

impl std::fmt::Display for ReportFileError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = bailiwick_policy::text::escape(self.path.as_os_str());
        write!(f, "opening the report file `{path}`: {}", self.why)
    }
}

impl std::error::Error for ReportFileError {}

/// Opens `path` for a report, before the run starts: the inside may be able to swap the name later, never this file.
///
/// A new file is readable by the user alone. An existing one is emptied, and has to be the user's own ordinary file
/// with a single name, or a FIFO or a character device (`/dev/null`); a symbolic link at the end of the path is
/// refused, since a hostile workspace could have left it there.
///
/// # Errors
///
/// When the file cannot be opened, or is not of that kind.
#[cfg(unix)]
pub fn open_file(path: &std::path::Path) -> Result<std::fs::File, ReportFileError> {
    use rustix::fs::{FileType, Mode, OFlags};
    let fail = |why: String| ReportFileError { path: path.to_owned(), why };
    // Not truncated by the open: it is not known yet whose file it is. Not blocking: a reader of a FIFO that is gone or
    // slow must never hold up the run.
    let flags =
        OFlags::WRONLY | OFlags::CREATE | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(|errno| {
        fail(match errno {
            rustix::io::Errno::LOOP => "it is a symbolic link; name the file itself".to_owned(),
            rustix::io::Errno::NXIO => "nobody reads from this FIFO; start the reader first".to_owned(),
            errno => std::io::Error::from(errno).to_string(),
        })
    })?;
    let stat = rustix::fs::fstat(&fd).map_err(|errno| fail(std::io::Error::from(errno).to_string()))?;
    let own = stat.st_uid == rustix::process::geteuid().as_raw();
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile if !own => {
            return Err(fail("it belongs to another user; choose another name".to_owned()));
        }
        FileType::RegularFile if stat.st_nlink != 1 => {
            return Err(fail("it has more than one name (hard links); remove it or choose another name".to_owned()));
        }
        FileType::RegularFile => {
            rustix::fs::ftruncate(&fd, 0).map_err(|errno| fail(std::io::Error::from(errno).to_string()))?;
        }
        FileType::Fifo | FileType::CharacterDevice => {}
        _ => return Err(fail("it is not an ordinary file; choose another name".to_owned())),
    }
    Ok(fd.into())
}

/// The descriptor `number` of this process, opened anew for a report: how [`Sandbox::spawn`](crate::Sandbox::spawn)
/// hands its pipe to the program.
///
/// # Errors
///
/// When there is no such descriptor, it cannot be written, or it is one of the standard ones.
#[cfg(unix)]
pub fn open_descriptor(number: u32) -> Result<std::fs::File, ReportFileError> {
    use rustix::fs::{Mode, OFlags};
    let path = PathBuf::from(format!("/proc/self/fd/{number}"));
    if number < 3 {
        let why = "the standard descriptors belong to the command".to_owned();
        return Err(ReportFileError { path, why });
    }
    let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(&path, flags, Mode::empty()) {
        Ok(fd) => Ok(fd.into()),
        Err(errno) => Err(ReportFileError { path, why: std::io::Error::from(errno).to_string() }),
    }
}
