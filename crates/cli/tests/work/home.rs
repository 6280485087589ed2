//! The private home, the private temporary directories, the environment.

use super::support::world::SECRET;
use super::support::{Done, World};

#[test]
fn the_private_home_is_kept_for_the_workspace_and_is_not_the_real_one() {
    let world = World::new();
    world.inside("test \"$HOME\" = ~; echo kept > ~/note; mkdir -p ~/.cache/tool; echo deep > ~/.cache/tool/x").ok();
    assert_eq!(world.inside("cat ~/note ~/.cache/tool/x").ok().out(), "kept\ndeep");
    assert!(!world.home.join("note").exists());
    // Another workspace has another one.
    let other = world.home.join("src/second");
    std::fs::create_dir(&other).expect("a second project");
    let mut command = world.bailiwick(["run", "-q", "--", "bash", "-c", "test ! -e ~/note && echo none"]);
    command.current_dir(&other);
    assert_eq!(Done::of(command).ok().out(), "none");
}

#[test]
fn the_home_has_its_usual_path_and_shows_no_secret() {
    let world = World::new();
    let home = world.home.display().to_string();
    assert_eq!(world.inside("echo $HOME").ok().out(), home);
    let listed = world.inside("find ~ -type f 2>/dev/null | head -n 1000").ok().out();
    for name in ["id_rsa", ".aws/credentials", ".netrc", "secret.txt", "hosts.yml"] {
        assert!(!listed.contains(name), "{listed}");
    }
    let found = world.inside("grep -rs decoy-secret ~ /tmp /var/tmp /run || true").ok();
    assert!(!found.both().contains(SECRET), "{found}");
}

#[test]
fn git_settings_of_the_user_are_readable_and_not_writable() {
    let world = World::new();
    assert_eq!(world.inside("git config --global user.name").ok().out(), "Test Person");
    world.inside("git config --global user.name evil").fails();
    world.inside("echo evil >> ~/.gitconfig").fails();
    assert!(std::fs::read_to_string(world.home.join(".gitconfig")).expect("read").contains("Test Person"));
}

#[test]
fn temporary_directories_are_private() {
    let world = World::new();
    let name = super::support::processes::mark();
    std::fs::write(format!("/tmp/{name}"), SECRET).expect("a file in /tmp");
    let done = world
        .inside(&format!("test ! -e /tmp/{name}; ls -A /tmp; echo x > /tmp/{name}.in; cat /tmp/{name}.in; mktemp -d"));
    let _ = std::fs::remove_file(format!("/tmp/{name}"));
    assert!(!done.ok().out().contains("tmux"));
    assert!(!std::path::Path::new(&format!("/tmp/{name}.in")).exists());
    world.inside(&format!("test ! -e /tmp/{name}.in")).ok();
    world.inside("echo x > /dev/shm/x; cat /dev/shm/x; rm /dev/shm/x").ok();
}

#[test]
fn the_environment_has_no_tokens() {
    let world = World::new();
    let inside = world.run(&[], &["env"]).ok().out();
    assert!(!inside.contains(SECRET), "{inside}");
    for name in ["AWS_SECRET_ACCESS_KEY", "GITHUB_TOKEN", "DATABASE_URL"] {
        assert!(!inside.contains(name), "{inside}");
    }
    for line in [format!("HOME={}", world.home.display()), "LANG=C.UTF-8".to_owned(), "TERM=xterm".to_owned()] {
        assert!(inside.lines().any(|have| have == line), "{line} is missing: {inside}");
    }
}

#[test]
fn variables_are_passed_and_set_on_request() {
    let world = World::new();
    let mut command = world.bailiwick(["run", "-q", "--env", "FROM_OUTSIDE", "--env", "SET=to this", "--", "env"]);
    command.env("FROM_OUTSIDE", "yes").env("NOT_ASKED_FOR", "no");
    let inside = Done::of(command).ok().out();
    assert!(inside.contains("FROM_OUTSIDE=yes") && inside.contains("SET=to this"), "{inside}");
    assert!(!inside.contains("NOT_ASKED_FOR"), "{inside}");
}

#[test]
fn a_token_that_is_passed_on_purpose_is_warned_about() {
    let world = World::new();
    let done = Done::of(world.bailiwick(["run", "--env", "GITHUB_TOKEN", "--", "env"])).ok();
    assert!(done.out().contains("GITHUB_TOKEN="), "{done}");
    assert!(done.err().contains("GITHUB_TOKEN") && !done.err().contains(SECRET), "{done}");
}

#[test]
fn no_descriptor_but_the_standard_ones_is_inherited() {
    let world = World::new();
    let bailiwick = super::support::binary::bailiwick();
    // The fourth is the directory that `ls` itself reads.
    let script = format!("exec 7< /etc/passwd 9>> open.txt; {} run -q -- ls /proc/self/fd", bailiwick.display());
    assert_eq!(world.outside(&script).ok().out(), "0\n1\n2\n3");
}

#[test]
fn the_inside_is_the_same_user_without_rights() {
    let world = World::new();
    let outside = world.outside("id -u; id -g").ok().out();
    assert_eq!(world.inside("id -u; id -g").ok().out(), outside);
    let rights = world.inside("grep -E '^Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs' /proc/self/status").ok().out();
    for line in rights.lines() {
        let value = line.split_whitespace().last().unwrap_or_default();
        let wanted = if line.starts_with("NoNewPrivs") { "1" } else { "0000000000000000" };
        assert_eq!(value, wanted, "{line}");
    }
}
