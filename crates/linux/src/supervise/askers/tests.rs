use std::net::{TcpListener, TcpStream};

use rustix::fs::{Mode, OFlags, open};

use super::*;
use crate::sys::sockdiag::Transport;

fn askers() -> (Askers, GateSide) {
    let (mut askers, gate) = Askers::new().unwrap();
    let processes = open("/proc", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    askers.see(vec![processes, SockDiag::open().unwrap().descriptor().try_clone().unwrap()]);
    // This process is one of many here.
    askers.likely.push_front(std::process::id());
    (askers, gate)
}

/// A connection of this process with itself, and how the gate would ask about it.
fn connected() -> (TcpStream, TcpStream, Connection) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, inside) = listener.accept().unwrap();
    let asked = server.local_addr().unwrap();
    (client, server, Connection { transport: Transport::Tcp, inside, asked })
}

fn work_off(askers: &mut Askers) {
    loop {
        askers.work();
        if !askers.is_busy() {
            return;
        }
    }
}

#[test]
fn the_holder_of_a_socket_is_told_by_its_program() {
    let (mut askers, gate) = askers();
    let (client, _server, connection) = connected();
    gate.ask(1, &connection).unwrap();
    work_off(&mut askers);
    let (number, program) = gate.answer().unwrap();
    let Some(program) = program else {
        // A kernel that looks no sockets up; the sockets' own tests say so.
        assert!(inode(&askers.view.unwrap().sockets, &connection).is_err());
        return;
    };
    let own = std::env::current_exe().unwrap();
    let file = own.file_name().unwrap().to_string_lossy().into_owned();
    assert_eq!(number, 1);
    assert!(String::from_utf8_lossy(&program).contains(&file), "{}", String::from_utf8_lossy(&program));
    drop(client);
    gate.ask(2, &connection).unwrap();
    work_off(&mut askers);
    assert_eq!(gate.answer().unwrap(), (2, None), "a closed socket is nobody's");
}

#[test]
fn every_question_is_answered_also_without_a_view_and_without_an_allowance() {
    let (_client, _server, connection) = connected();
    let (mut blind, gate) = Askers::new().unwrap();
    gate.ask(1, &connection).unwrap();
    work_off(&mut blind);
    assert_eq!(gate.answer().unwrap(), (1, None));

    let (mut poor, gate) = askers();
    poor.allowance = -1e9;
    gate.ask(2, &connection).unwrap();
    work_off(&mut poor);
    assert_eq!(gate.answer().unwrap(), (2, None));
}

#[test]
fn one_slice_is_short_however_much_is_asked() {
    let (mut askers, gate) = askers();
    let (_client, _server, connection) = connected();
    let asked = (0..).take_while(|number| gate.ask(*number, &connection).is_ok()).count();
    assert!(asked > MOST_WAITING, "{asked}");
    let before = askers.allowance;
    askers.work();
    assert!(before - askers.allowance < 400.0, "{} looks in one slice", before - askers.allowance);
    assert!(askers.waiting.len() <= MOST_WAITING);
    assert!(askers.is_busy());
    work_off(&mut askers);
    // All that could be put were answered.
    let answers = std::iter::from_fn(|| gate.answer().ok()).count();
    assert!(answers > 0 && answers <= asked, "{answers} of {asked}");
}

#[test]
fn a_gate_that_is_gone_is_not_waited_for() {
    let (mut askers, gate) = askers();
    assert!(askers.fd().is_some());
    drop(gate);
    askers.work();
    assert!(askers.fd().is_none() && !askers.is_busy());
}
