//! Git on a real repository: everyday work does, hooks and configuration cannot be touched.

use std::collections::BTreeSet;

use super::support::{World, need, tree};

/// Fixed dates make the objects of two runs of one script the same.
const DATES: &str = "export GIT_AUTHOR_DATE='2026-01-02T03:04:05Z' GIT_COMMITTER_DATE='2026-01-02T03:04:05Z'\n";

/// Runs the script inside one repository and outside its twin: the same objects, references, files and status must come
/// of it, nothing may lie about in the tree, and the host's own git must find the repository sound.
#[track_caller]
fn same_as_outside(script: &str) {
    let (inside, outside) = (twin(), twin());
    inside.inside(&format!("{DATES}{script}")).ok();
    outside.outside(&format!("{DATES}{script}")).ok();
    assert_eq!(state(&inside), state(&outside), "objects, references or status differ");
    let litter = tree::difference(&listing(&outside), &listing(&inside));
    assert!(litter.is_empty(), "the trees differ: {litter:#?}");
    inside.outside("git fsck --strict --no-progress").ok();
}

fn twin() -> World {
    let world = World::new();
    world.write("README.md", "hello\n");
    world.outside(&format!("{DATES}git init -q -b main . && git add README.md && git commit -q -m first")).ok();
    world
}

fn state(world: &World) -> String {
    world
        .outside("git rev-list --all --objects | sort; git for-each-ref; git status --porcelain=v2 --branch")
        .ok()
        .out()
}

/// Every path but those of loose objects and packs, which `state` compares by content.
fn listing(world: &World) -> BTreeSet<String> {
    world.names().into_iter().filter(|line| !line.contains(".git/objects/")).collect()
}

#[test]
fn status_add_and_commit() {
    need!("git");
    same_as_outside(
        "test -z \"$(git status --porcelain)\"
         echo more >> README.md; mkdir -p src; echo 'fn main() {}' > src/main.rs
         git add -A; git commit -q -m second
         test \"$(git log --format=%an -1)\" = 'Test Person'
         test -z \"$(git status --porcelain)\"",
    );
}

#[test]
fn branches_merge_and_tags() {
    need!("git");
    same_as_outside(
        "git branch topic; git checkout -q topic; echo topic > topic.txt; git add .; git commit -q -m topic
         git checkout -q main; git checkout -q -b other; echo other > other.txt; git add .; git commit -q -m other
         git checkout -q main; git merge -q --no-ff -m merged topic; git merge -q -m both other
         git tag light; git tag -a -m heavy heavy; git branch -D topic; git log --oneline | grep -q merged
         git mv README.md READ.md; git commit -q -m renamed; git revert --no-edit HEAD; git reset -q --hard HEAD~1",
    );
}

#[test]
fn rebase_and_cherry_pick() {
    need!("git");
    same_as_outside(
        "git checkout -q -b topic; for i in 1 2 3; do echo $i > t$i; git add .; git commit -q -m t$i; done
         git checkout -q main; for i in 1 2; do echo $i > m$i; git add .; git commit -q -m m$i; done
         git checkout -q topic; git rebase -q main; test $(git rev-list --count main..topic) = 3
         GIT_SEQUENCE_EDITOR='sed -i 1d' git rebase -q -i main; test $(git rev-list --count main..topic) = 2
         git checkout -q main; git cherry-pick topic > /dev/null",
    );
}

#[test]
fn a_conflict_is_resolved() {
    need!("git");
    same_as_outside(
        "git checkout -q -b topic; echo topic > README.md; git commit -q -am topic
         git checkout -q main; echo main > README.md; git commit -q -am main
         git rebase main topic > /dev/null 2>&1 && exit 9
         echo both > README.md; git add README.md; GIT_EDITOR=true git rebase --continue > /dev/null",
    );
}

#[test]
fn stash() {
    need!("git");
    same_as_outside(
        "echo change >> README.md; echo new > new.txt; git stash push -q -u -m later
         test -z \"$(git status --porcelain)\"; git stash pop -q; test -f new.txt; git stash push -q -u",
    );
}

#[test]
fn a_worktree_below_the_workspace() {
    need!("git");
    let world = World::with_git();
    world
        .inside(
            "git worktree add -q trees/topic -b topic; cd trees/topic; echo topic > topic.txt; git add .
             git commit -q -m topic; cd ../..; git worktree list | grep -q topic; git merge -q topic; test -f topic.txt",
        )
        .ok();
    world.outside("git -C trees/topic status --porcelain && git fsck --strict && git log topic | grep -q topic").ok();
}

#[test]
fn a_worktree_that_is_made_and_removed() {
    need!("git");
    same_as_outside(
        "git worktree add -q trees/topic -b topic; cd trees/topic; echo topic > topic.txt; git add .
         git commit -q -m topic; cd ../..; git worktree remove trees/topic; git worktree prune; rmdir trees; git merge -q topic",
    );
}

#[test]
fn a_worktree_of_an_earlier_run_is_kept_by_its_pointers() {
    need!("git");
    let world = World::with_git();
    world.inside("git worktree add -q trees/topic -b topic").ok();
    // Its pointers decide which configuration and hooks git believes, so a later run can use them and not replace them.
    world.inside("cd trees/topic; echo topic > topic.txt; git add .; git commit -q -m topic").ok();
    world.inside("echo /tmp/evil > .git/worktrees/topic/commondir").fails();
    world.inside("echo 'gitdir: /tmp/evil' > trees/topic/.git").fails();
    world.inside("mv .git/worktrees/topic .git/worktrees/x").fails();
    world.inside("mv trees/topic trees/x").fails();
    world.outside("git -C trees/topic status; git worktree remove trees/topic; git fsck --strict").ok();
}

#[test]
fn housekeeping() {
    need!("git");
    same_as_outside(
        "for i in $(seq 20); do echo $i >> README.md; git commit -q -am c$i; done
         test $(git reflog | wc -l) = 21; git gc -q --prune=now; git repack -q -a -d; git fsck; git diff --stat HEAD~5",
    );
}

#[test]
fn a_linked_worktree_as_the_workspace() {
    need!("git");
    let world = World::new();
    world.outside("git init -q -b main ../main; cd ../main; echo a > a; git add .; git commit -q -m first").ok();
    world.outside("cd ../main; rmdir ../project; git worktree add -q ../project -b topic").ok();
    world
        .inside("git status; echo b > b; git add b; git commit -q -m second; git log --oneline | wc -l | grep -q 2")
        .ok();
    world.outside("git -C ../main fsck --strict; git -C ../main log topic --format=%s | grep -q second").ok();
    // The pointer leads to the main repository: its hooks and its configuration stay as they are.
    world.inside("echo evil > ../main/.git/hooks/post-checkout").fails();
    world.inside("git config core.hooksPath /tmp").fails();
    world.inside("echo 'gitdir: /tmp/evil' > .git").fails();
    world.inside("rm -f .git").fails();
    world.outside("test ! -e ../main/.git/hooks/post-checkout; git -C ../main status; git status").ok();
}

#[test]
fn submodules() {
    need!("git");
    let world = World::with_git();
    world.outside("git init -q -b main ../lib; cd ../lib; echo lib > lib; git add .; git commit -q -m lib").ok();
    world.outside("git -c protocol.file.allow=always submodule -q add ../lib lib; git commit -q -m 'add lib'").ok();
    world
        .inside(
            "git submodule status; cd lib; echo more >> lib; git commit -q -am more; cd ..
             git add lib; git commit -q -m 'newer lib'; test -z \"$(git status --porcelain)\"",
        )
        .ok();
    world.outside("git fsck --strict; git -C lib fsck --strict; test -z \"$(git status --porcelain)\"").ok();
    world.inside("echo evil > .git/modules/lib/hooks/post-checkout").fails();
    world.inside("cd lib; git config user.name evil").fails();
    world.outside("test ! -e .git/modules/lib/hooks/post-checkout; ! git -C lib config --local user.name").ok();
}

#[test]
fn configuration_and_hooks_cannot_be_written() {
    need!("git");
    let world = World::with_git();
    let before = world.outside("cat .git/config; ls -la .git/hooks | wc -l").ok().out();
    for script in [
        "git config user.name evil",
        "git config --add core.fsmonitor 'touch /tmp/evil'",
        "echo '[core] fsmonitor=x' >> .git/config",
        "echo evil > .git/hooks/post-checkout",
        "cp /bin/true .git/hooks/pre-commit",
        "mv .git/hooks .git/hooks2",
        "rm -rf .git/hooks",
        "mv .git x",
        "mv .git/config .git/c",
        "ln -sf /tmp/evil .git/config",
        "chmod 777 .git/config",
        "git remote add evil https://example.org/evil.git",
    ] {
        world.inside(script).fails();
    }
    assert_eq!(world.outside("cat .git/config; ls -la .git/hooks | wc -l").ok().out(), before);
    world.outside("git status --porcelain; git fsck --strict").ok();
}

#[test]
fn the_work_goes_on_in_a_directory_below_the_workspace() {
    need!("git");
    let world = World::with_git();
    world.write("deep/er/file", "x\n");
    world.inside("cd deep/er; git add file; git commit -q -m deep; git -C ../.. log --oneline | grep -q deep").ok();
}
