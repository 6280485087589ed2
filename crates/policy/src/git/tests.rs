//! Git directories on real trees.

use crate::boundary::Boundary;
use crate::decide::{Access, Grant, Verdict};
use crate::policy::NoticeKind;
use crate::resolve::ResolveError;
use crate::testing::{Tree, protect, read, write};

fn resolve(t: &Tree) -> Boundary {
    t.resolve(vec![write("."), protect(".git/hooks"), protect(".git/config")]).unwrap()
}

fn grants(t: &Tree, b: &Boundary, wanted: Grant, paths: &[&str]) {
    for path in paths {
        assert_eq!(b.grant(&t.root.join(path)), wanted, "{path}");
    }
}

fn remarks(b: &Boundary) -> Vec<&str> {
    b.notices.iter().filter(|n| n.kind == NoticeKind::Remark).map(|n| n.text.as_str()).collect()
}

#[test]
fn a_plain_repository_gains_no_more_than_commondir() {
    let t = Tree::new();
    t.file("home/w/.git/HEAD", "ref: refs/heads/main\n");
    t.file("home/w/.git/config", "[core]\n\tbare = false\n");
    let b = resolve(&t);
    grants(&t, &b, Grant::Read, &["home/w/.git/commondir", "home/w/.git/config", "home/w/.git/hooks/x"]);
    grants(&t, &b, Grant::Write, &["home/w/.git/index", "home/w/.git/objects/x", "home/w/.git/worktrees/new/HEAD"]);
    assert!(remarks(&b).is_empty());
}

#[test]
fn submodules_and_worktrees_are_found() {
    let t = Tree::new();
    let git = "home/w/.git";
    t.file("home/w/.git/HEAD", "");
    for module in ["a", "group/b", "a/modules/nested"] {
        t.file(&format!("{git}/modules/{module}/HEAD"), "");
    }
    t.file(&format!("{git}/modules/a/config"), "[core]\n\tworktree = ../../../sub/a\n\thooksPath = x\n");
    t.file("home/w/sub/a/.git", "gitdir: ../../.git/modules/a\n");
    t.file(&format!("{git}/worktrees/other/gitdir"), "/elsewhere/.git\n");
    let b = resolve(&t);
    for module in ["a", "group/b", "a/modules/nested"] {
        for name in ["hooks/post-commit", "config", "config.worktree", "info/attributes", "commondir"] {
            grants(&t, &b, Grant::Read, &[&format!("{git}/modules/{module}/{name}")]);
        }
        grants(&t, &b, Grant::Write, &[&format!("{git}/modules/{module}/index")]);
    }
    grants(&t, &b, Grant::Read, &["home/w/sub/a/.git", "home/w/.git/modules/a/x"]);
    for name in ["gitdir", "commondir", "config.worktree"] {
        grants(&t, &b, Grant::Read, &[&format!("{git}/worktrees/other/{name}")]);
    }
    grants(&t, &b, Grant::Write, &["home/w/.git/worktrees/other/HEAD", "home/w/sub/a/file"]);
    let removal = b.decide(&Access::Remove(t.root.join("home/w/.git/modules/a")));
    assert_eq!(removal.verdict, Verdict::Refused);
}

#[test]
fn hook_paths_and_included_settings_in_the_workspace_are_protected() {
    let t = Tree::new();
    t.file("home/w/.git/HEAD", "");
    t.file(
        "home/w/.git/config",
        "[core]\nhooksPath = .husky/_\n[include]\npath = ../.gitconfig\n[include]\npath = ../later\n",
    );
    t.file("home/w/.gitconfig", "[core]\nhooksPath = tools/hooks\n");
    t.file("home/.gitconfig", "[core]\nhooksPath = .githooks\n");
    let b = resolve(&t);
    let protected =
        ["home/w/.husky/_/pre-commit", "home/w/.gitconfig", "home/w/later", "home/w/tools/hooks/x", "home/w/.githooks"];
    grants(&t, &b, Grant::Read, &protected);
    grants(&t, &b, Grant::Write, &["home/w/.husky/x", "home/w/tools/x"]);
}

#[test]
fn hook_paths_outside_touch_nothing_and_the_workspace_itself_is_said() {
    let t = Tree::new();
    t.file("home/w/.git/HEAD", "");
    t.file("home/w/.git/config", "[core]\nhooksPath = /dev/null\n[include]\npath = /dev/zero\n");
    let b = resolve(&t);
    assert!(b.points().iter().all(|p| !p.starts_with("/dev/null") && !p.starts_with("/dev/zero")));
    t.file("home/w/.git/config", "[core]\nhooksPath = .\n");
    let b = resolve(&t);
    grants(&t, &b, Grant::Write, &["home/w/src"]);
    assert_eq!(remarks(&b).len(), 1);
}

#[test]
fn too_much_to_look_at_is_refused() {
    let t = Tree::new();
    t.file("home/w/.git/HEAD", "");
    t.file("home/w/.git/config", vec![b'#'; (1 << 20) + 1]);
    let refused = |t: &Tree| match t.resolve(vec![write(".")]) {
        Err(ResolveError::Git(error)) => error.to_string(),
        other => panic!("{other:?}"),
    };
    assert!(refused(&t).contains("larger than"));
    // Nothing is refused where git's directory is not writable anyway.
    assert!(t.resolve(vec![read(".")]).is_ok());
    assert!(t.resolve(vec![write("."), protect(".git")]).is_err(), "the inside may still write the tree");

    let t = Tree::new();
    t.dir("home/w/.git/modules/1/2/3/4/5/6/7/8");
    assert!(refused(&t).contains("more than 2000 entries"));
    let t = Tree::new();
    for n in 0..2001 {
        t.dir(&format!("home/w/.git/worktrees/{n}"));
    }
    assert!(refused(&t).contains("more than 2000 entries"));
    let t = Tree::new();
    t.file("home/w/.git/config", "[include]\npath = config\n");
    assert!(refused(&t).contains("includes too many"));
}

/// A repository in `home/main` with a linked worktree that is the workspace.
fn linked() -> Tree {
    let t = Tree::new();
    let common = "home/main/.git";
    t.file(&format!("{common}/HEAD"), "ref: refs/heads/main\n");
    t.file(&format!("{common}/config"), "[core]\nhooksPath = hooks-in-tree\n");
    t.dir(&format!("{common}/objects"));
    t.dir(&format!("{common}/refs"));
    t.file(&format!("{common}/worktrees/w/gitdir"), format!("{}\n", t.workspace().join(".git").display()));
    t.file(&format!("{common}/worktrees/w/commondir"), "../..\n");
    t.file(&format!("{common}/worktrees/other/gitdir"), "/x/.git\n");
    t.file("home/w/.git", format!("gitdir: {}\n", t.root.join(common).join("worktrees/w").display()));
    t
}

#[test]
fn a_linked_worktree_gets_its_repository_without_the_names_that_run_things() {
    let t = linked();
    let b = resolve(&t);
    let git = "home/main/.git";
    let writable = ["objects/x", "refs/heads/y", "worktrees/w/index", "worktrees/w/HEAD", "packed-refs"];
    for name in writable {
        grants(&t, &b, Grant::Write, &[&format!("{git}/{name}")]);
    }
    let kept = [
        "hooks/post-commit",
        "config",
        "config.worktree",
        "info/attributes",
        "commondir",
        "worktrees/other/HEAD",
        "worktrees/w/gitdir",
        "worktrees/w/commondir",
        "worktrees/w/config.worktree",
    ];
    for name in kept {
        grants(&t, &b, Grant::Read, &[&format!("{git}/{name}")]);
    }
    grants(&t, &b, Grant::Read, &["home/w/.git", "home/w/hooks-in-tree/x"]);
    grants(&t, &b, Grant::Private(0), &["home/main/src"]);
    assert!(remarks(&b).is_empty());
    // Without a writable workspace there is nothing to commit.
    let b = t.resolve(vec![read(".")]).unwrap();
    grants(&t, &b, Grant::Private(0), &["home/main/.git/objects"]);
}

#[test]
fn a_pointer_that_nothing_answers_is_not_believed() {
    let spoil: [(&str, &str); 5] = [
        ("home/main/.git/worktrees/w/gitdir", "/somewhere/else/.git\n"),
        ("home/main/.git/worktrees/w/gitdir", ""),
        ("home/main/.git/worktrees/w/commondir", "../../..\n"),
        ("home/main/.git/worktrees/w/commondir", "/\n"),
        ("home/w/.git", "gitdir: ../main/.git\n"),
    ];
    for (file, content) in spoil {
        let t = linked();
        t.file(file, content);
        let b = resolve(&t);
        grants(&t, &b, Grant::Private(0), &["home/main/.git/objects", "home/main/.git/worktrees/w/HEAD"]);
        grants(&t, &b, Grant::Read, &["home/w/.git"]);
        assert!(remarks(&b)[0].contains("nothing there names this workspace"), "{file}: {:?}", remarks(&b));
    }
    let t = linked();
    std::fs::remove_dir(t.root.join("home/main/.git/objects")).unwrap();
    assert!(remarks(&resolve(&t))[0].contains("nothing there names"));
    for content in ["", "x", "gitdir: /nowhere\n", "gitdir: a\nb\n", "gitdir: \0\n"] {
        let t = Tree::new();
        t.file("home/w/.git", content);
        assert!(remarks(&resolve(&t))[0].contains("git will not work inside"), "{content:?}");
    }
}

#[test]
fn a_submodules_checkout_gets_its_own_git_directory_only() {
    let t = Tree::new();
    let git = "home/super/.git/modules/x";
    t.file(&format!("{git}/HEAD"), "");
    t.file(&format!("{git}/config"), "[core]\nworktree = ../../../../w\n");
    t.dir(&format!("{git}/objects"));
    t.dir(&format!("{git}/refs"));
    t.file("home/w/.git", "gitdir: ../super/.git/modules/x\n");
    let b = resolve(&t);
    grants(&t, &b, Grant::Write, &["home/super/.git/modules/x/index"]);
    grants(&t, &b, Grant::Read, &["home/super/.git/modules/x/config", "home/super/.git/modules/x/hooks/h"]);
    grants(&t, &b, Grant::Private(0), &["home/super/.git/objects", "home/super/.git/config"]);
    t.file(&format!("{git}/config"), "[core]\nworktree = ../../../../other\n");
    let b = resolve(&t);
    grants(&t, &b, Grant::Private(0), &["home/super/.git/modules/x/index"]);
}

#[test]
fn a_pipe_or_device_in_the_place_of_a_file_stops_nothing() {
    let t = Tree::new();
    t.file("home/w/.git/HEAD", "");
    t.link("home/w/.git/config", "/dev/zero");
    // `/dev/zero` is no regular file: refused, not read for ever.
    assert!(matches!(t.resolve(vec![write(".")]), Err(ResolveError::Git(_))));
}
