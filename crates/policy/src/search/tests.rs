//! The search and its cache on real trees.

use std::fs;
use std::time::{Duration, SystemTime};

use super::*;
use crate::glob::{Compiled, compile};
use crate::testing::Tree;

/// Searches the workspace, remembering in the host's state directory. Returns the matches and the entries looked at.
fn search(t: &Tree, patterns: &[&str]) -> Result<(Vec<PathBuf>, u64), SearchError> {
    let globs: Vec<Glob> = patterns
        .iter()
        .map(|text| match compile(OsStr::new(text)).unwrap() {
            Compiled::Glob(glob) => glob,
            Compiled::Literal(path) => panic!("{path:?}"),
        })
        .collect();
    let wanted: Vec<_> = globs.iter().zip(patterns).map(|(glob, written)| Wanted { glob, written }).collect();
    let directory = t.host().state_dir.join("search");
    let mut searcher = Searcher { limit: 1000, seen: 0, remember_in: Some(&directory), uid: t.host().uid };
    let found = searcher.search(&t.workspace(), &wanted)?;
    let mut paths: Vec<_> =
        found.into_iter().map(|found| found.path.strip_prefix(t.workspace()).unwrap().to_path_buf()).collect();
    paths.sort();
    Ok((paths, searcher.seen))
}

fn paths(texts: &[&str]) -> Vec<PathBuf> {
    texts.iter().map(PathBuf::from).collect()
}

/// The only cache file.
fn cache_file(t: &Tree) -> Option<PathBuf> {
    let mut entries = fs::read_dir(t.host().state_dir.join("search")).ok()?;
    Some(entries.next()?.unwrap().path())
}

/// Waits until the tree has not changed for the time that the cache asks for. (The kernel's clock sets change times, so
/// nothing but waiting makes them older.)
fn settle() {
    std::thread::sleep(Duration::from_millis(2100));
}

#[test]
fn what_is_remembered_is_used_and_what_changed_is_read_again() {
    let t = Tree::new();
    t.file("home/w/a/.env", "");
    t.file("home/w/b/x", "");
    settle();
    assert_eq!(search(&t, &["**/.env"]).unwrap().0, paths(&["a/.env"]));
    let file = cache_file(&t).unwrap();
    let saved = fs::read(&file).unwrap();

    // Used: with the cache changed to say something else, consistently, the search says so too.
    let mut cache = cache::Cache::open(Some(&t.host().state_dir.join("search")), &t.workspace(), &[]);
    assert!(cache.recall(Path::new("a"), cache::stamp(&t.workspace().join("a"))).is_none(), "another search's cache");

    // Noticed: a new match, although its directory's modification time is set back to what it was.
    let directory = t.workspace().join("b");
    let before = fs::metadata(&directory).unwrap().modified().unwrap();
    t.file("home/w/b/.env", "");
    fs::File::open(&directory).unwrap().set_modified(before).unwrap();
    assert_eq!(fs::metadata(&directory).unwrap().modified().unwrap(), before);
    assert_eq!(search(&t, &["**/.env"]).unwrap().0, paths(&["a/.env", "b/.env"]));

    // Noticed: a removed match, a new directory, a directory put in the place of another.
    fs::remove_file(t.workspace().join("b/.env")).unwrap();
    t.file("home/w/new/.env", "");
    t.file("home/other/.env", "");
    fs::rename(t.workspace().join("a"), t.home().join("kept")).unwrap();
    fs::rename(t.home().join("other"), t.workspace().join("a")).unwrap();
    fs::rename(t.workspace().join("a/.env"), t.workspace().join("a/env")).unwrap();
    assert_eq!(search(&t, &["**/.env"]).unwrap().0, paths(&["new/.env"]));

    // An old cache put back is no better than none.
    fs::write(cache_file(&t).unwrap(), saved).unwrap();
    assert_eq!(search(&t, &["**/.env"]).unwrap().0, paths(&["new/.env"]));
}

#[test]
fn a_damaged_cache_is_ignored_and_made_anew() {
    let t = Tree::new();
    t.file("home/w/a/.env", "");
    settle();
    let (wanted, seen) = search(&t, &["**/.env"]).unwrap();
    let file = cache_file(&t).unwrap();
    let good = fs::read(&file).unwrap();
    let mut flipped = good.clone();
    flipped[60] ^= 1;
    let huge = vec![0; 1 << 10];
    for bad in [&good[..good.len() - 1], &flipped, b"", &huge, b"bailiwick search 1\n"] {
        fs::write(&file, bad).unwrap();
        assert_eq!(search(&t, &["**/.env"]).unwrap(), (wanted.clone(), seen));
        assert_eq!(fs::read(&file).unwrap(), good, "the cache is whole again");
    }
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn what_changed_just_now_is_not_remembered() {
    let t = Tree::new();
    t.file("home/w/a/.env", "");
    // All of the tree is younger than two seconds, unless making it took that long.
    let started = SystemTime::now();
    search(&t, &["**/.env"]).unwrap();
    if started.elapsed().unwrap() < Duration::from_secs(1) {
        assert_eq!(cache_file(&t), None);
    }
}

#[test]
fn a_remembered_tree_counts_against_the_limit_as_a_fresh_one() {
    let t = Tree::new();
    t.file("home/w/a/.env", "");
    t.file("home/w/b/x", "");
    settle();
    let fresh = search(&t, &["**/.env", "*/x"]).unwrap();
    assert!(cache_file(&t).is_some());
    assert_eq!(search(&t, &["**/.env", "*/x"]).unwrap(), fresh);
    assert_eq!(fresh, (paths(&["a/.env", "b/x"]), 4));
}

#[test]
fn only_what_can_match_is_walked() {
    let t = Tree::new();
    t.file("home/w/a/k.pem", "");
    t.file("home/w/a/deep/k.pem", "");
    t.file("home/w/b/c/k.pem", "");
    assert_eq!(search(&t, &["*.pem"]).unwrap(), (paths(&[]), 2));
    assert_eq!(search(&t, &["a*/*.pem"]).unwrap(), (paths(&["a/k.pem"]), 4));
}

#[test]
fn links_to_directories_are_matches_but_not_ways() {
    let t = Tree::new();
    t.file("home/outside/.env", "");
    t.link("home/w/.env", "../outside");
    t.link("home/w/way", "../outside");
    assert_eq!(search(&t, &["**/.env"]).unwrap().0, paths(&[".env"]));
}

#[test]
fn below_a_match_nothing_is_sought_for_that_pattern_alone() {
    let t = Tree::new();
    t.file("home/w/s/s/k.pem", "");
    assert_eq!(search(&t, &["**/s", "**/*.pem"]).unwrap().0, paths(&["s", "s/s/k.pem"]));
}

#[test]
#[cfg(unix)]
fn a_directory_that_cannot_be_listed_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let t = Tree::new();
    let closed = t.dir("home/w/closed");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o311)).unwrap();
    let can_list_anyway = fs::read_dir(&closed).is_ok();
    let found = search(&t, &["**/.env"]);
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o755)).unwrap();
    if can_list_anyway {
        // The super-user lists it, and then there is nothing to refuse.
        assert!(found.is_ok());
    } else {
        let error = found.unwrap_err();
        assert!(matches!(error, SearchError::List { .. }), "{error}");
    }
}
