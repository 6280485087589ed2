//! What must fail, and that the reason can be asked for: the first screen of the README.

use std::net::TcpListener;

use super::support::world::SECRET;
use super::support::{Done, World, need};

#[track_caller]
fn explained(world: &World, arguments: &[&str], words: &[&str]) {
    let done = Done::of(world.bailiwick([&["explain"], arguments].concat()));
    assert!([1, 2].contains(&done.code()), "should not be allowed: {done}");
    for word in words {
        assert!(done.both().contains(word), "`{word}` is missing: {done}");
    }
}

#[test]
fn a_private_key_cannot_be_read() {
    let world = World::new();
    assert_eq!(world.outside("cat ~/.ssh/id_rsa").ok().out(), SECRET, "the control must see it");
    let done = world.inside("cat ~/.ssh/id_rsa").fails();
    assert!(!done.both().contains(SECRET), "{done}");
    explained(&world, &["read", "~/.ssh/id_rsa"], &[".ssh/id_rsa", "private home"]);
}

#[test]
fn other_projects_cannot_be_read_or_listed() {
    let world = World::new();
    world.inside("cat ~/other/secret.txt").fails();
    world.inside("ls ~/other").fails();
    world.inside("cd ../.. && cat other/secret.txt").fails();
}

#[test]
fn shell_start_up_files_cannot_be_changed() {
    let world = World::new();
    world.inside("echo evil > ~/.bashrc").fails();
    assert_eq!(std::fs::read_to_string(world.home.join(".bashrc")).expect("read"), "# as it was\n");
    explained(&world, &["write", "~/.bashrc"], &[".bashrc", "may not be written", "rule"]);
}

#[test]
fn the_repository_cannot_be_moved_away() {
    need!("git");
    let world = World::with_git();
    world.inside("mv .git x").fails();
    assert!(world.project.join(".git/HEAD").exists());
    explained(&world, &["write", ".git/hooks/pre-commit"], &[".git/hooks", "may not be written", "--write"]);
}

#[test]
fn a_server_of_the_host_does_not_answer() {
    let world = World::new();
    let server = TcpListener::bind("127.0.0.1:0").expect("a server");
    let port = server.local_addr().expect("its address").port();
    let connect = format!("exec 3<> /dev/tcp/127.0.0.1/{port}");
    world.outside(&connect).ok();
    world.inside(&connect).fails();
    explained(&world, &["connect", "example.org:443"], &["network is off", "--allow-host example.org"]);
}

#[test]
fn curl_and_names_do_not_work() {
    need!("curl");
    let world = World::new();
    world.inside("curl -sS --max-time 20 https://example.org/").fails();
    world.inside("getent ahosts example.org").fails();
}

#[test]
fn a_secret_file_of_the_project_is_denied() {
    let world = World::new();
    world.write(".env", &format!("TOKEN={SECRET}\n"));
    let done = world.inside("cat .env").fails();
    assert!(!done.both().contains(SECRET), "{done}");
    assert_eq!(world.read(".env"), format!("TOKEN={SECRET}\n"));
}

#[test]
fn settings_of_editors_and_agents_cannot_be_changed() {
    let world = World::new();
    for file in [".vscode/tasks.json", ".claude/settings.json", ".idea/workspace.xml", ".envrc", ".mcp.json"] {
        world.write(file, "as it was\n");
        world.inside(&format!("cat {file}")).ok().says("as it was");
        world.inside(&format!("echo evil > {file}")).fails();
        world.inside(&format!("rm {file}")).fails();
        assert_eq!(world.read(file), "as it was\n");
    }
}

#[test]
fn settings_that_do_not_exist_do_not_come_to_stay() {
    let world = World::with_git();
    let script = "(mkdir -p .vscode && echo evil > .vscode/tasks.json); echo evil > .envrc; true";
    Done::of(world.bailiwick(["run", "--", "bash", "-c", script])).ok().says(".vscode").says(".envrc");
    let left: Vec<_> =
        world.names().into_iter().filter(|name| name.contains(".vscode") || name.contains(".envrc")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn the_system_cannot_be_written() {
    let world = World::new();
    for place in ["/usr/bin/evil", "/etc/evil", "/opt/evil", "/evil", "/var/lib/evil", "/usr/local/bin/evil"] {
        world.inside(&format!("echo evil > {place}")).fails();
        assert!(!std::path::Path::new(place).exists(), "{place}");
    }
}

#[test]
fn grants_on_the_command_line_open_exactly_what_they_name() {
    let world = World::new();
    world.write_home("data/set.csv", "1,2\n");
    world.write_home("data/private.csv", "3,4\n");
    let data = world.home.join("data");
    let data = data.to_str().expect("a plain path");
    assert_eq!(world.inside_with(&["--read", data], "cat ~/data/set.csv").ok().out(), "1,2");
    world.inside_with(&["--read", data], "echo x > ~/data/set.csv").fails();
    let deny = format!("{data}/private.csv");
    world.inside_with(&["--read", data, "--deny", &deny], "cat ~/data/private.csv").fails();
    world.inside_with(&["--write", data], "echo 5,6 > ~/data/new.csv").ok();
    assert_eq!(std::fs::read_to_string(world.home.join("data/new.csv")).expect("read"), "5,6\n");
}
