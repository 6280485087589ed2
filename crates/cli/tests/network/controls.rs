//! The network of the tests itself: without this every refusal would prove nothing.

use super::scene::{Equipment, scene};
use super::support::need;

#[test]
fn the_internet_answers_the_host() {
    need!("curl");
    let scene = scene!();
    let curl = |url: &str| scene.outside(&format!("curl -sS --max-time 60 {url}")).ok().says("REACHED");
    for url in [
        "http://web.test-host.example/hello",
        "https://web.test-host.example/hello",
        "http://web.test-host.example:8080/hello",
        "http://six.test-host.example/hello",
        "http://203.0.113.77/hello",
        "http://[2001:db8:1::99]/hello",
        "http://private.trap.example/hello",
        "http://loopback.trap.example/hello",
        "http://own.trap.example/hello",
        "http://metadata.trap.example/hello",
        "http://alias.trap.example/hello",
        "http://ula.trap.example/hello",
    ] {
        curl(url);
    }
    scene.outside("exec 3<>/dev/tcp/db.test-host.example/5432; read line <&3; echo $line").ok().says("220 hello");
    let seen = scene.seen();
    assert!(seen.names().contains(&"web.test-host.example".to_owned()), "{seen:?}");
    assert!(seen.on_the_wire(b"GET /hello HTTP/1.1"));
    assert!(seen.targets().contains(&"tcp 203.0.113.77:80".to_owned()), "{:?}", seen.targets());
    scene.forget();
    assert!(scene.seen().requests().is_empty());
}

#[test]
fn other_protocols_leave_the_host() {
    let scene = scene!();
    let datagram = "import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.sendto(b'leaves', ('203.0.113.9', 4433))";
    scene.python_outside(datagram).ok();
    scene.python_outside(super::protocols::PING).ok();
    let seen = scene.seen();
    assert!(seen.on_the_wire(b"leaves"));
    let targets = seen.targets();
    assert!(targets.contains(&"udp 203.0.113.9:4433".to_owned()), "{targets:?}");
    assert!(targets.contains(&"icmp 203.0.113.9:0".to_owned()), "{targets:?}");
}

#[test]
fn the_git_server_the_registries_and_the_ssh_server_work() {
    need!("git", "curl", "sshd", "ssh");
    let scene = scene!(with Equipment { registries: true, ssh: true });
    scene.outside("git clone -q https://code.test-host.example/git/project.git && test -s project/second").ok();
    for url in [
        "https://cargo.registry.example/index/ti/ny/tiny-thing",
        "https://npm.registry.example/tiny-thing",
        "https://pip.registry.example/simple/tiny-thing/",
    ] {
        scene.outside(&format!("curl -sSf --max-time 60 {url}")).ok().says("tiny");
    }
    scene.outside(&super::tools::ssh(&scene, "echo there")).ok().says("there");
}
