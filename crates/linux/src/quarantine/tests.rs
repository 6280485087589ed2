use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use super::*;

/// A directory of its own, removed afterwards.
pub(crate) struct Scratch(pub(crate) PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch::below(&std::env::temp_dir())
    }

    pub(crate) fn below(directory: &Path) -> Scratch {
        let name = hidden_name().unwrap().into_string().unwrap().replace(PREFIX, "bailiwick-test-");
        let path = directory.canonicalize().unwrap().join(name);
        fs::create_dir(&path).unwrap();
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn names_in(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A directory in memory, on another file system than the temporary directory; `None` where there is none here.
pub(crate) fn other_file_system() -> Option<Scratch> {
    use std::os::unix::fs::MetadataExt;
    let shm = Path::new("/dev/shm");
    let differs = fs::metadata(shm).ok()?.dev() != fs::metadata(std::env::temp_dir()).ok()?.dev();
    if !differs {
        eprintln!("SKIPPED: /dev/shm is not another file system than the temporary directory here");
        return None;
    }
    Some(Scratch::below(shm))
}

fn open(directory: &Path) -> OwnedFd {
    rustix::fs::open(directory, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap()
}

fn take(quarantine: &mut Quarantine, tree: &Path, name: &str) -> Result<Option<Taken>, Errno> {
    quarantine.take(open(tree).as_fd(), OsStr::new(name), &tree.join(name), &|_, _| false)
}

#[test]
fn nothing_there_leaves_no_trace() {
    let scratch = Scratch::new();
    let mut quarantine = Quarantine::new(scratch.0.join("state/quarantine"));
    assert_eq!(take(&mut quarantine, &scratch.0, "absent"), Ok(None));
    assert_eq!(names_in(&scratch.0), Vec::<String>::new());
}

#[test]
fn files_directories_and_links_are_kept() {
    for elsewhere in [None, other_file_system()] {
        let scratch = Scratch::new();
        let tree = scratch.0.join("tree");
        fs::create_dir(&tree).unwrap();
        let keep = elsewhere.as_ref().map_or(scratch.0.join("a/b/keep"), |other| other.0.join("keep"));
        let mut quarantine = Quarantine::new(keep.clone());
        fs::write(tree.join("file"), "text").unwrap();
        fs::create_dir_all(tree.join("directory/sub/deep")).unwrap();
        fs::write(tree.join("directory/sub/x"), "x").unwrap();
        symlink("/etc/passwd", tree.join("directory/link")).unwrap();
        symlink("/etc", tree.join("link")).unwrap();
        for (number, name) in ["file", "directory", "link"].into_iter().enumerate() {
            let kept = keep.join(format!("{}-{name}", number + 1));
            assert_eq!(take(&mut quarantine, &tree, name), Ok(Some(Taken::Kept(kept))), "{name}");
        }
        assert_eq!(names_in(&tree), Vec::<String>::new());
        assert_eq!(fs::read_to_string(keep.join("1-file")).unwrap(), "text");
        assert_eq!(fs::read_to_string(keep.join("2-directory/sub/x")).unwrap(), "x");
        assert!(keep.join("2-directory/sub/deep").is_dir());
        assert_eq!(fs::read_link(keep.join("2-directory/link")).unwrap(), Path::new("/etc/passwd"));
        assert_eq!(fs::read_link(keep.join("3-link")).unwrap(), Path::new("/etc"));
        assert_eq!(fs::metadata(&keep).unwrap().permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn special_files_are_removed() {
    let scratch = Scratch::new();
    let tree = scratch.0.join("tree");
    fs::create_dir(&tree).unwrap();
    rustix::fs::mknodat(CWD, tree.join("pipe"), FileType::Fifo, Mode::RWXU, 0).unwrap();
    let _socket = UnixListener::bind(tree.join("socket")).unwrap();
    let mut quarantine = Quarantine::new(scratch.0.join("keep"));
    for name in ["pipe", "socket"] {
        assert_eq!(take(&mut quarantine, &tree, name), Ok(Some(Taken::Removed)), "{name}");
    }
    assert_eq!(names_in(&tree), Vec::<String>::new());
}

#[test]
fn what_is_too_large_to_copy_goes_all_the_same() {
    let Some(other) = other_file_system() else { return };
    let scratch = Scratch::new();
    let mut quarantine = Quarantine::new(other.0.join("keep"));
    fs::File::create(scratch.0.join("huge")).unwrap().set_len(1 << 40).unwrap();
    fs::create_dir(scratch.0.join("many")).unwrap();
    for i in 0..6000 {
        fs::write(scratch.0.join(format!("many/{i}")), "").unwrap();
    }
    let mut deep = scratch.0.join("deep");
    for _ in 0..200 {
        deep.push("d");
    }
    fs::create_dir_all(&deep).unwrap();
    for name in ["huge", "many", "deep"] {
        assert_eq!(take(&mut quarantine, &scratch.0, name), Ok(Some(Taken::Removed)), "{name}");
        assert!(!scratch.0.join(name).exists());
    }
    while quarantine.clean() == Cleaning::Unfinished {}
    assert!(!quarantine.has_leftovers());
    assert_eq!(names_in(&scratch.0), Vec::<String>::new());
    assert_eq!(names_in(&other.0.join("keep")), Vec::<String>::new());
}

#[test]
fn rights_taken_off_by_the_inside_do_not_help() {
    let Some(other) = other_file_system() else { return };
    let scratch = Scratch::new();
    let tree = scratch.0.join("tree");
    fs::create_dir_all(tree.join("evil/a/b")).unwrap();
    fs::write(tree.join("evil/a/b/x"), "x").unwrap();
    for directory in ["evil/a/b", "evil/a", "evil"] {
        fs::set_permissions(tree.join(directory), fs::Permissions::from_mode(0o0)).unwrap();
    }
    fs::set_permissions(&tree, fs::Permissions::from_mode(0o500)).unwrap();
    let mut quarantine = Quarantine::new(other.0.join("keep"));
    assert!(matches!(take(&mut quarantine, &tree, "evil"), Ok(Some(_))));
    while quarantine.clean() == Cleaning::Unfinished {}
    assert_eq!(names_in(&tree), Vec::<String>::new());
}

#[test]
fn one_run_keeps_a_bounded_number() {
    let scratch = Scratch::new();
    let mut quarantine = Quarantine::new(scratch.0.join("keep"));
    for _ in 0..KEEP_MOST + 10 {
        fs::write(scratch.0.join("x"), "").unwrap();
        assert!(matches!(take(&mut quarantine, &scratch.0, "x"), Ok(Some(_))));
        assert!(!scratch.0.join("x").exists());
    }
    assert_eq!(names_in(&scratch.0.join("keep")).len(), KEEP_MOST as usize);
    assert_eq!(names_in(&scratch.0), ["keep"]);
}

#[test]
fn a_quarantine_that_cannot_be_made_does_not_keep_the_name() {
    let scratch = Scratch::new();
    fs::write(scratch.0.join("x"), "").unwrap();
    let mut quarantine = Quarantine::new(PathBuf::from("/proc/none/of/this"));
    assert_eq!(take(&mut quarantine, &scratch.0, "x"), Ok(Some(Taken::Removed)));
    assert_eq!(names_in(&scratch.0), Vec::<String>::new());
}

#[test]
fn sweeping_removes_what_a_killed_run_has_left_and_nothing_else() {
    let scratch = Scratch::new();
    let hidden = hidden_name().unwrap().into_string().unwrap();
    fs::create_dir_all(scratch.0.join(&hidden).join("a/b/c")).unwrap();
    fs::write(scratch.0.join(&hidden).join("a/b/x"), "").unwrap();
    symlink("/etc", scratch.0.join(&hidden).join("a/link")).unwrap();
    let mine = format!("{PREFIX}notes");
    fs::write(scratch.0.join(&mine), "").unwrap();
    fs::write(scratch.0.join("other"), "").unwrap();
    assert_eq!(sweep(&scratch.0), Ok(1));
    assert_eq!(names_in(&scratch.0), [mine.as_str(), "other"]);
    symlink(&scratch.0, scratch.0.join("link")).unwrap();
    assert_eq!(sweep(&scratch.0.join("link")), Err(Errno::LOOP));
}

#[test]
fn what_is_spared_is_put_back_however_full_the_quarantine() {
    for elsewhere in [None, other_file_system()] {
        let scratch = Scratch::new();
        let keep = elsewhere.as_ref().map_or(scratch.0.join("keep"), |other| other.0.join("keep"));
        let mut quarantine = Quarantine::new(keep);
        fs::write(scratch.0.join("mine"), "precious").unwrap();
        for kept in [0, KEEP_MOST] {
            quarantine.kept = kept;
            let taken = quarantine.take(open(&scratch.0).as_fd(), OsStr::new("mine"), &scratch.0, &|_, _| true);
            assert_eq!(taken, Ok(Some(Taken::Spared)));
            assert_eq!(fs::read_to_string(scratch.0.join("mine")).unwrap(), "precious");
        }
        assert!(!quarantine.has_leftovers());
    }
}
