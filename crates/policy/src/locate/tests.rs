//! Canonical paths on real trees.

use std::path::{Path, PathBuf};

use proptest::prelude::*;

use super::*;
use crate::testing::Tree;

#[test]
fn a_missing_tail_is_kept() {
    let t = Tree::new();
    let located = locate(&t.root.join("home/./none/x/../y/")).unwrap();
    assert_eq!(located.path, t.root.join("home/none/y"));
    assert_eq!(located.present, Present::Absent);
}

#[test]
fn what_lies_below_a_file_is_absent() {
    let t = Tree::new();
    t.file("f", "");
    let located = locate(&t.root.join("f/x/y")).unwrap();
    assert_eq!((located.path, located.present), (t.root.join("f/x/y"), Present::Absent));
}

#[test]
fn a_dangling_link_leads_to_its_absent_target() {
    let t = Tree::new();
    let at = t.link("l", "nowhere/x");
    let located = locate(&at).unwrap();
    assert_eq!((located.path, located.present), (t.root.join("nowhere/x"), Present::Absent));
    assert_eq!(located.is_link, Some(at));
}

#[test]
fn only_the_last_component_makes_the_path_a_link() {
    let t = Tree::new();
    t.dir("d/x");
    let at = t.link("l", "d");
    assert_eq!(locate(&at.join("x")).unwrap().is_link, None);
    assert_eq!(locate(&at).unwrap().is_link, Some(at.clone()));
    assert_eq!(locate(&at.join("..")).unwrap().path, t.root);
}

#[test]
fn each_component_is_looked_at_once() {
    let t = Tree::new();
    t.dir("d");
    let mut locator = Locator::default();
    assert_eq!(locator.locate(&t.root.join("d")).unwrap().present, Present::Directory);
    std::fs::remove_dir(t.root.join("d")).unwrap();
    assert_eq!(locator.locate(&t.root.join("d/../d")).unwrap().present, Present::Directory);
}

#[test]
fn circles_end() {
    let t = Tree::new();
    let at = t.link("a", "b/x");
    t.link("b", "a");
    assert!(matches!(locate(&at), Err(LocateError::TooManyLinks(_))));
    assert!(matches!(locate(Path::new("a")), Err(LocateError::Relative(_))));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// On a tree of links, `..` and directories: where the system can follow a path, we go to the same place.
    #[test]
    fn agrees_with_the_system(
        links in prop::collection::vec((0..4usize, prop::collection::vec(0..6usize, 1..4)), 0..4),
        asked in prop::collection::vec(0..6usize, 1..6),
    ) {
        let names = ["a", "b", "a/b", "b/a", "..", "."];
        let t = Tree::new();
        for dir in ["a", "b", "a/b", "b/a", "a/b/a"] {
            t.dir(dir);
        }
        let text = |parts: &[usize]| parts.iter().map(|part| names[*part]).collect::<PathBuf>();
        for (index, (place, target)) in links.iter().enumerate() {
            let at = [".", "a", "b", "a/b"][*place];
            t.link(&format!("{at}/l{index}"), text(target));
        }
        let mut locator = Locator::default();
        for prefix in ["", "l0", "l1", "a/l0", "a/l1", "b/l2", "a/b/l3"] {
            let path = t.root.join(prefix).join(text(&asked));
            // What the locator remembers of other paths changes nothing.
            match (locate(&path), locator.locate(&path)) {
                (Ok(alone), Ok(after_others)) => prop_assert_eq!(alone, after_others),
                (alone, after_others) => prop_assert_eq!(alone.is_ok(), after_others.is_ok()),
            }
            if let Ok(canonical) = path.canonicalize() {
                prop_assert_eq!(locate(&path).unwrap().path, canonical);
            }
        }
    }
}
