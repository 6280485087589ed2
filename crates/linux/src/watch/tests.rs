use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{CWD, FileType, Mode, OFlags, RenameFlags, renameat_with};

use super::*;
use crate::quarantine::tests::{Scratch, names_in, other_file_system};

struct Scene {
    scratch: Scratch,
    root: PathBuf,
    watch: Watch,
}

/// A workspace with `.git/config` and `.git/hooks`; the names are relative to it.
fn scene_with(absent: &[&str], protected: &[&str], quarantine: Option<PathBuf>) -> Scene {
    let scratch = Scratch::new();
    let root = scratch.0.join("ws");
    fs::create_dir_all(root.join(".git/hooks")).unwrap();
    fs::write(root.join(".git/config"), "").unwrap();
    let named = |names: &[&str]| -> Vec<WatchedName> {
        names.iter().map(|name| WatchedName { path: root.join(name), root: root.clone(), deny: false }).collect()
    };
    let quarantine = quarantine.unwrap_or(scratch.0.join("state/quarantine/1"));
    let watch = Watch::start(&named(absent), &named(protected), quarantine).unwrap();
    Scene { scratch, root, watch }
}

fn scene(absent: &[&str]) -> Scene {
    scene_with(absent, &[], None)
}

impl Scene {
    /// Lets the watch work until it has nothing to do.
    fn settle(&mut self) -> Vec<Change> {
        let mut changes = Vec::new();
        loop {
            let mut fds = [PollFd::from_borrowed_fd(self.watch.fd(), PollFlags::IN)];
            // The kernel sends the signal before the call that causes it returns.
            let ready = poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap();
            if ready == 0 && self.watch.tick().is_none() {
                return changes;
            }
            self.watch.on_ready(&mut |change| changes.push(change));
        }
    }

    fn taken(&mut self) -> Vec<(String, bool)> {
        self.settle().into_iter().map(|change| shorten(change, &self.root)).collect()
    }
}

fn shorten(change: Change, root: &Path) -> (String, bool) {
    match change {
        Change::Quarantined { path, kept } => {
            (path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(), kept.is_some())
        }
        other => panic!("{other:?}"),
    }
}

fn mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn whatever_appears_at_a_watched_name_is_taken_away() {
    let mut scene = scene(&[".vscode", ".envrc", ".git/info"]);
    let at = |name: &str| scene.root.join(name);
    let (vscode, envrc, info) = (at(".vscode"), at(".envrc"), at(".git/info"));
    let taken = |name: &str, kept| vec![(name.to_owned(), kept)];
    fs::write(&envrc, "evil").unwrap();
    assert_eq!(scene.taken(), taken(".envrc", true));
    fs::create_dir_all(vscode.join("a/b")).unwrap();
    assert_eq!(scene.taken(), taken(".vscode", true));
    symlink("/etc", &info).unwrap();
    assert_eq!(scene.taken(), taken(".git/info", true));
    rustix::fs::mknodat(CWD, &envrc, FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(scene.taken(), taken(".envrc", false));
    drop(UnixListener::bind(&envrc).unwrap());
    assert_eq!(scene.taken(), taken(".envrc", false));
    fs::write(scene.root.join("other"), "kept").unwrap();
    fs::hard_link(scene.root.join("other"), &envrc).unwrap();
    assert_eq!(scene.taken(), taken(".envrc", true));
    fs::rename(scene.root.join("other"), &envrc).unwrap();
    assert_eq!(scene.taken(), taken(".envrc", true));
    fs::write(scene.root.join("harmless"), "").unwrap();
    fs::write(scene.root.join(".git/harmless"), "").unwrap();
    assert_eq!(scene.taken(), []);
    assert_eq!(names_in(&scene.root), [".git", "harmless"]);
    assert_eq!(names_in(&scene.root.join(".git")), ["config", "harmless", "hooks"]);
    assert_eq!(names_in(&scene.scratch.0.join("state/quarantine/1")).len(), 5);
}

#[test]
fn directories_on_the_way_may_appear_in_any_manner() {
    let mut scene = scene(&["a/b/c/evil"]);
    let root = scene.root.clone();
    let taken = vec![("a/b/c/evil".to_owned(), true)];
    // All at once, before the watch has looked.
    fs::create_dir_all(root.join("a/b/c")).unwrap();
    fs::write(root.join("a/b/c/evil"), "").unwrap();
    assert_eq!(scene.taken(), taken);
    // The directories stay watched.
    fs::write(root.join("a/b/c/evil"), "").unwrap();
    assert_eq!(scene.taken(), taken);
    // Built elsewhere and moved into place, in place of the first.
    fs::rename(root.join("a"), root.join("old")).unwrap();
    fs::create_dir_all(root.join("new/b/c")).unwrap();
    fs::write(root.join("new/b/c/evil"), "").unwrap();
    fs::rename(root.join("new"), root.join("a")).unwrap();
    assert_eq!(scene.taken(), taken);
    // A part replaced.
    fs::rename(root.join("a/b"), root.join("a/x")).unwrap();
    fs::create_dir_all(root.join("a/b/c")).unwrap();
    assert_eq!(scene.taken(), []);
    fs::write(root.join("a/b/c/evil"), "").unwrap();
    assert_eq!(scene.taken(), taken);
    // What was moved away is nobody's name.
    fs::write(root.join("old/b/c/evil"), "").unwrap();
    assert_eq!(scene.taken(), []);
    assert!(root.join("old/b/c/evil").exists());
}

#[test]
fn a_link_on_the_way_goes() {
    let mut scene = scene(&["a/b/evil"]);
    fs::create_dir_all(scene.root.join("elsewhere/b")).unwrap();
    fs::write(scene.root.join("elsewhere/b/evil"), "").unwrap();
    symlink("elsewhere", scene.root.join("a")).unwrap();
    assert_eq!(scene.taken(), [("a".to_owned(), true)]);
    fs::create_dir(scene.root.join("a")).unwrap();
    symlink("../elsewhere/b", scene.root.join("a/b")).unwrap();
    assert_eq!(scene.taken(), [("a/b".to_owned(), true)]);
    assert!(scene.root.join("elsewhere/b/evil").exists());
}

#[test]
fn directories_made_and_moved_away_do_not_pile_up_watches() {
    let mut scene = scene(&["a/b/evil"]);
    for i in 0..100 {
        fs::create_dir_all(scene.root.join("a/b")).unwrap();
        assert_eq!(scene.taken(), []);
        fs::rename(scene.root.join("a"), scene.root.join(format!("x{i}"))).unwrap();
    }
    assert!(scene.watch.places.held_count() <= 3);
}

#[test]
fn a_name_made_again_and_again_is_gone_at_the_end() {
    let mut scene = scene(&[".vscode", "a/b"]);
    let root = scene.root.clone();
    let done = AtomicBool::new(false);
    let mut taken = 0;
    thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..200 {
                let _ = fs::create_dir(root.join(".vscode"));
                let _ = fs::write(root.join(".vscode/tasks.json"), "evil");
                let _ = fs::create_dir(root.join("a"));
                let _ = fs::write(root.join("a/b"), "evil");
                if i % 3 == 0 {
                    let _ = fs::rename(root.join("a"), root.join(format!("x{i}")));
                }
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            scene.watch.on_ready(&mut |_| taken += 1);
        }
    });
    scene.watch.final_check(&mut |change| assert!(!matches!(change, Change::Failed { .. }), "{change:?}"));
    assert!(taken > 0);
    assert!(!scene.root.join(".vscode").exists() && !scene.root.join("a/b").exists());
    assert_eq!(names_in(&scene.root).iter().filter(|name| name.starts_with(".bailiwick")).count(), 0);
}

#[test]
fn swapping_a_directory_for_a_link_leads_nowhere() {
    let mut scene = scene(&["a/evil"]);
    let root = scene.root.clone();
    let outside = scene.scratch.0.join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("evil"), "precious").unwrap();
    fs::create_dir(root.join("real")).unwrap();
    symlink(&outside, root.join("link")).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..500 {
                let _ = fs::rename(root.join("real"), root.join("a"));
                let _ = fs::write(root.join("a/evil"), "evil");
                let _ = renameat_with(CWD, root.join("a"), CWD, root.join("link"), RenameFlags::EXCHANGE);
                if !root.join("link").is_symlink() {
                    let _ = fs::rename(root.join("link"), root.join("real"));
                }
                let _ = symlink(&outside, root.join("link"));
            }
            done.store(true, Ordering::SeqCst);
        });
        while !done.load(Ordering::SeqCst) {
            scene.watch.on_ready(&mut |_| {});
        }
    });
    // The link's target must be untouched, though the writer above writes to it through the link as well.
    assert!(outside.join("evil").exists());
    scene.watch.final_check(&mut |_| {});
    assert!(!scene.root.join("a/evil").exists());
    assert!(outside.join("evil").exists());
}

#[test]
fn a_quarantine_on_another_file_system_gets_copies() {
    let Some(other) = other_file_system() else { return };
    let mut scene = scene_with(&[".vscode", ".envrc"], &[], Some(other.0.join("keep")));
    fs::create_dir(scene.root.join(".vscode")).unwrap();
    fs::write(scene.root.join(".vscode/tasks.json"), "evil").unwrap();
    assert_eq!(scene.taken(), [(".vscode".to_owned(), true)]);
    fs::create_dir(scene.root.join("big")).unwrap();
    for i in 0..9000 {
        fs::write(scene.root.join(format!("big/{i}")), "").unwrap();
    }
    fs::rename(scene.root.join("big"), scene.root.join(".envrc")).unwrap();
    assert_eq!(scene.taken(), [(".envrc".to_owned(), false)]);
    assert_eq!(names_in(&scene.root), [".git"]);
    assert_eq!(names_in(&other.0.join("keep")), ["1-.vscode"]);
}

#[test]
fn names_that_came_before_the_watch_are_seen_by_looking() {
    let mut scene = scene(&["a/evil"]);
    fs::create_dir(scene.root.join("a")).unwrap();
    fs::write(scene.root.join("a/evil"), "").unwrap();
    let mut changes = Vec::new();
    scene.watch.rescan(&mut |change| changes.push(shorten(change, &scene.root)));
    assert_eq!(changes, [("a/evil".to_owned(), true)]);
}

#[test]
fn replaced_protected_names_are_reported() {
    let mut scene = scene_with(&[".git/info"], &[".git/config", ".git/hooks"], None);
    let git = scene.root.join(".git");
    fs::write(git.join("config.lock"), "new").unwrap();
    assert_eq!(scene.settle(), []);
    fs::rename(git.join("config.lock"), git.join("config")).unwrap();
    assert_eq!(scene.settle(), [Change::ProtectedReplaced { path: git.join("config") }]);
    fs::write(git.join("config"), "written in place: the mount holds").unwrap();
    assert_eq!(scene.settle(), []);
    fs::remove_dir(git.join("hooks")).unwrap();
    assert_eq!(scene.settle(), [Change::ProtectedGone { path: git.join("hooks") }]);
    fs::create_dir(git.join("hooks")).unwrap();
    assert_eq!(scene.taken(), [(".git/hooks".to_owned(), true)]);
    fs::write(git.join("info"), "").unwrap();
    assert_eq!(scene.taken(), [(".git/info".to_owned(), true)]);
}

#[test]
fn a_storm_of_changes_hides_nothing() {
    let mut scene = scene(&["evil"]);
    for i in 0..4 * EVENTS_AT_ONCE {
        let path = scene.root.join(format!("{}", i % 2));
        fs::write(&path, "").unwrap();
        fs::rename(&path, scene.root.join("x")).unwrap();
    }
    fs::write(scene.root.join("evil"), "").unwrap();
    assert_eq!(scene.taken(), [("evil".to_owned(), true)]);
}

#[test]
fn directories_without_rights_do_not_blind_the_watch() {
    let mut scene = scene(&["a/b/evil"]);
    fs::create_dir_all(scene.root.join("a/b")).unwrap();
    mode(&scene.root.join("a/b"), 0o300);
    mode(&scene.root.join("a"), 0o300);
    assert_eq!(scene.taken(), []);
    fs::write(scene.root.join("a/b/evil"), "").unwrap();
    mode(&scene.root.join("a/b"), 0);
    mode(&scene.root.join("a"), 0);
    assert_eq!(scene.taken(), [("a/b/evil".to_owned(), true)]);
    mode(&scene.root.join("a"), 0o700);
    mode(&scene.root.join("a/b"), 0o700);
    assert_eq!(names_in(&scene.root.join("a/b")), Vec::<String>::new());
    // The directory of a name that was there from the start is never taken away.
    let mut scene = scene_with(&[".git/info/attributes", ".git/modules"], &[".git/config"], None);
    mode(&scene.root.join(".git"), 0);
    let mut changes = Vec::new();
    scene.watch.final_check(&mut |change| changes.push(change));
    mode(&scene.root.join(".git"), 0o700);
    assert_eq!(changes, []);
    assert!(scene.root.join(".git/config").exists());
}

#[test]
fn a_watch_that_cannot_be_had_refuses_the_run() {
    let scratch = Scratch::new();
    let start = |path: &str, root: &str| {
        let name = WatchedName { path: scratch.0.join(path), root: scratch.0.join(root), deny: true };
        Watch::start(&[name], &[], scratch.0.join("q")).map(drop).unwrap_err()
    };
    let errno = |error| match error {
        WatchError::Open { errno, .. } => Some(errno),
        _ => None,
    };
    assert_eq!(errno(start("none/evil", "none")), Some(Errno::NOENT));
    symlink("/etc", scratch.0.join("link")).unwrap();
    assert_eq!(errno(start("link/evil", "link")), Some(Errno::LOOP));
    assert!(matches!(start("evil", "other"), WatchError::Misplaced { .. }));
    let full = WatchError::Add { path: PathBuf::from("/ws/\u{1b}[2J"), errno: Errno::INVAL }.to_string();
    assert!(full.contains("CONFIG_DNOTIFY") && !full.contains('\u{1b}'), "{full}");
}

#[test]
fn an_unreadable_directory_refuses_the_run_of_an_ordinary_user() {
    use std::os::unix::fs::PermissionsExt;
    if is_root() {
        eprintln!("SKIPPED: root reads every directory; run as an ordinary user too");
        return;
    }
    let scratch = Scratch::new();
    fs::create_dir(scratch.0.join("ws")).unwrap();
    let name = WatchedName { path: scratch.0.join("ws/evil"), root: scratch.0.join("ws"), deny: false };
    fs::set_permissions(scratch.0.join("ws"), fs::Permissions::from_mode(0o300)).unwrap();
    let error = Watch::start(&[name], &[], scratch.0.join("q")).map(drop).unwrap_err();
    fs::set_permissions(scratch.0.join("ws"), fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(error, WatchError::Add { path: scratch.0.join("ws"), errno: Errno::ACCESS });
}

#[test]
fn starting_takes_few_watches_and_leaves_no_trace() {
    let scene = scene_with(&[".vscode", ".idea", ".envrc", ".git/info/attributes"], &[".git/config"], None);
    assert_eq!(scene.watch.places.held_count(), 2);
    assert_eq!(names_in(&scene.scratch.0), ["ws"]);
    let flags = rustix::io::fcntl_getfd(scene.watch.fd()).unwrap();
    assert!(flags.contains(rustix::io::FdFlags::CLOEXEC));
    assert!(rustix::fs::fcntl_getfl(scene.watch.fd()).unwrap().contains(OFlags::NONBLOCK));
}

#[test]
fn rights_taken_off_make_no_protected_name_gone() {
    let mut scene = scene_with(&[".git/info", ".envrc"], &[".git/config", ".git/hooks"], None);
    let (root, git) = (scene.root.clone(), scene.root.join(".git"));
    for (closed, bits) in [(&root, 0), (&root, 0o400), (&git, 0), (&git, 0o400)] {
        // As from within, where the directory of the names is the working directory.
        fs::write(git.join("x"), "").unwrap();
        mode(closed, bits);
        assert_eq!(scene.settle(), [], "{} {bits:o}", closed.display());
        scene.watch.final_check(&mut |change| panic!("{change:?}"));
        mode(closed, 0o700);
        fs::write(root.join("y"), "").unwrap();
        assert_eq!(scene.settle(), []);
        assert_eq!(names_in(&git), ["config", "hooks", "x"]);
    }
    assert!(!scene.scratch.0.join("state").exists());
}

#[test]
fn a_directory_that_nobody_may_open_ends_the_run() {
    if is_root() {
        eprintln!("SKIPPED: root opens every directory; run as an ordinary user too");
        return;
    }
    let mut scene = scene_with(&[".git/info"], &[".git/config"], None);
    // A descriptor of somebody else's directory stands for a root whose rights cannot be given back.
    let foreign = [Path::new("/root"), Path::new("/lost+found"), Path::new("/etc/ssl/private")]
        .into_iter()
        .find_map(|path| rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).ok());
    let Some(foreign) = foreign else {
        eprintln!("SKIPPED: no directory here that this user may not search");
        return;
    };
    fs::write(scene.root.join(".git/x"), "").unwrap();
    scene.watch.places.replace_root(foreign);
    let changes = scene.settle();
    assert!(changes.iter().all(|change| matches!(change, Change::Blind { .. })), "{changes:?}");
    assert_eq!(changes.len(), 2, "{changes:?}");
    let mut last = Vec::new();
    scene.watch.final_check(&mut |change| last.push(change));
    assert!(last.iter().all(|change| matches!(change, Change::Failed { .. })) && last.len() == 2, "{last:?}");
    assert!(scene.root.join(".git/config").exists());
}

#[test]
fn what_could_not_be_looked_at_is_looked_at_again_at_the_end() {
    let mut scene = scene_with(&[".envrc", ".git/info"], &[".git/config"], None);
    fs::write(scene.root.join(".envrc"), "").unwrap();
    while scene.watch.has_events() {
        scene.watch.places.bell().next();
    }
    // The event is lost; only the doubt is left.
    assert_eq!(scene.settle(), []);
    scene.watch.names.iter_mut().for_each(|name| name.unsure = true);
    let mut changes = Vec::new();
    scene.watch.final_check(&mut |change| changes.push(shorten(change, &scene.root)));
    assert_eq!(changes, [(".envrc".to_owned(), true)]);
    // And another directory on the way is doubt enough.
    fs::rename(scene.root.join(".git"), scene.root.join("old")).unwrap();
    fs::create_dir(scene.root.join(".git")).unwrap();
    fs::write(scene.root.join(".git/info"), "").unwrap();
    while scene.watch.has_events() {
        scene.watch.places.bell().next();
    }
    let mut changes = Vec::new();
    scene.watch.final_check(&mut |change| changes.push(change));
    let kept = scene.scratch.0.join("state/quarantine/1/2-info");
    let info = Change::Quarantined { path: scene.root.join(".git/info"), kept: Some(kept) };
    assert!(changes.contains(&info), "{changes:?}");
}

#[test]
fn the_users_own_is_never_taken_away() {
    let mut scene = scene_with(&[".envrc"], &[".git/config", ".git/hooks"], None);
    let (root, git) = (scene.root.clone(), scene.root.join(".git"));
    fs::write(git.join("config"), "precious").unwrap();
    // A full quarantine removes; never this.
    for _ in 0..70 {
        fs::write(root.join(".envrc"), "").unwrap();
        assert_eq!(scene.settle().len(), 1);
    }
    for name in ["config", "hooks"] {
        let at = git.join(name);
        fs::rename(&at, root.join("aside")).unwrap();
        assert_eq!(scene.settle(), [Change::ProtectedGone { path: at.clone() }]);
        fs::rename(root.join("aside"), &at).unwrap();
        assert_eq!(scene.settle(), [Change::ProtectedReplaced { path: at.clone() }]);
        // It is a protected name again: gone once more is told once more.
        fs::rename(&at, root.join("aside")).unwrap();
        assert_eq!(scene.settle(), [Change::ProtectedGone { path: at.clone() }]);
        // What the inside puts there goes.
        fs::write(&at, "evil").unwrap();
        assert!(matches!(scene.settle()[..], [Change::Quarantined { kept: None, .. }]));
        fs::rename(root.join("aside"), &at).unwrap();
        assert_eq!(scene.settle(), [Change::ProtectedReplaced { path: at }]);
    }
    // Where it does not belong, it ends the run.
    fs::rename(git.join("config"), root.join(".envrc")).unwrap();
    let changes = scene.settle();
    assert!(changes.iter().any(|change| matches!(change, Change::Blind { .. })), "{changes:?}");
    assert_eq!(fs::read_to_string(root.join(".envrc")).unwrap(), "precious");
}

#[test]
fn whatever_is_no_directory_on_the_way_goes_unless_it_is_the_users() {
    let mut scene = scene(&["a/config", "a/hooks"]);
    let at = scene.root.join("a");
    fs::create_dir(scene.root.join("g")).unwrap();
    fs::write(&at, "gitdir: g").unwrap();
    assert_eq!(scene.taken(), [("a".to_owned(), true)]);
    rustix::fs::mknodat(CWD, &at, FileType::Fifo, Mode::RWXU, 0).unwrap();
    assert_eq!(scene.taken(), [("a".to_owned(), false)]);
    drop(UnixListener::bind(&at).unwrap());
    assert_eq!(scene.taken(), [("a".to_owned(), false)]);
    assert!(!at.exists());

    // As in a linked working tree.
    let scratch = Scratch::new();
    let root = scratch.0.join("ws");
    fs::create_dir(&root).unwrap();
    fs::write(root.join(".git"), "gitdir: elsewhere").unwrap();
    let named = WatchedName { path: root.join(".git/config"), root: root.clone(), deny: false };
    let mut watch = Watch::start(&[named], &[], scratch.0.join("q")).unwrap();
    watch.rescan(&mut |change| panic!("{change:?}"));
    fs::write(root.join("other"), "").unwrap();
    watch.final_check(&mut |change| panic!("{change:?}"));
    assert_eq!(names_in(&root), [".git", "other"]);
    // Another in its place is not the user's.
    fs::rename(root.join("other"), root.join(".git")).unwrap();
    let mut changes = Vec::new();
    watch.final_check(&mut |change| changes.push(shorten(change, &root)));
    assert_eq!(changes, [(".git".to_owned(), true)]);
}

#[test]
fn a_directory_that_is_no_longer_in_place_is_not_trusted() {
    let mut scene = scene(&[".git/info"]);
    let git = scene.root.join(".git");
    fs::rename(&git, scene.root.join("old")).unwrap();
    fs::create_dir(&git).unwrap();
    fs::write(git.join("info"), "").unwrap();
    // All events on the way are lost.
    while scene.watch.has_events() {
        scene.watch.places.bell().next();
    }
    // The one that is left is about the directory that stood there.
    fs::write(scene.root.join("old/x"), "").unwrap();
    assert_eq!(scene.taken(), [(".git/info".to_owned(), true)]);
    // And directories above are watched though no name is in them.
    fs::rename(&git, scene.root.join("older")).unwrap();
    fs::create_dir(&git).unwrap();
    fs::write(git.join("info"), "").unwrap();
    assert_eq!(scene.taken(), [(".git/info".to_owned(), true)]);
}
