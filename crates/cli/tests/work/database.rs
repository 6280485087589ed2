//! Databases: a file, and a server on its own socket below the workspace.

use super::support::skip::{find_program, is_root};
use super::support::{World, need, skip};

#[test]
fn sqlite_with_two_writers() {
    need!("sqlite3");
    let world = World::new();
    world
        .inside(
            "sqlite3 db 'pragma journal_mode=wal; create table t(x)' | grep -q wal
             w() { for i in $(seq 20); do sqlite3 -cmd '.timeout 60000' db \"insert into t values($i)\"; done; }
             w & w & wait; test $(sqlite3 db 'select count(*) from t') = 40; sqlite3 db 'pragma integrity_check' | grep -qx ok",
        )
        .ok();
    world.outside("test $(sqlite3 db 'select count(*) from t') = 40").ok();
}

#[test]
fn postgres_on_its_own_socket() {
    if is_root() {
        skip!("postgres refuses to run as root");
    }
    let Some(bin) = find_program("initdb").and_then(|path| path.canonicalize().ok()) else {
        skip!("`postgres` is not installed");
    };
    let world = World::new().path_first(bin.parent().expect("a directory"));
    world
        .inside(
            "initdb -D db -A trust --no-sync -U me > /dev/null
             pg_ctl -D db -o \"-k $PWD -c listen_addresses= -c fsync=off\" -l log -w start > /dev/null || { cat log; exit 1; }
             psql -h \"$PWD\" -U me -d postgres -Atc 'create table t as select generate_series(1, 1000) x' > /dev/null
             test $(psql -h \"$PWD\" -U me -d postgres -Atc 'select sum(x) from t') = 500500
             pg_ctl -D db -w stop > /dev/null; echo stopped",
        )
        .ok()
        .says("stopped");
}

#[test]
fn a_postgres_that_is_left_running_dies_with_the_run() {
    if is_root() {
        skip!("postgres refuses to run as root");
    }
    let Some(bin) = find_program("initdb").and_then(|path| path.canonicalize().ok()) else {
        skip!("`postgres` is not installed");
    };
    let world = World::new().path_first(bin.parent().expect("a directory"));
    let start = "pg_ctl -D db -o \"-k $PWD -c listen_addresses=\" -l log -w start > /dev/null
                 psql -h \"$PWD\" -U me -d postgres -Atc 'select 6 * 7'";
    let first = world.inside(&format!("initdb -D db -A trust -U me > /dev/null; {start}")).ok().out();
    assert_eq!(first, "42");
    // The server was killed with the run. The next one recovers, as after a power cut, since nothing else holds the data.
    assert_eq!(world.inside(start).ok().out(), "42");
}
