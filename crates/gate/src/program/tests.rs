use std::io::ErrorKind;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;

use tokio::task::{LocalSet, spawn_local, yield_now};

use super::*;

/// A tier that answers what the test says: `NUMBER NAME`, or `NUMBER` alone.
struct Told {
    line: UnixDatagram,
    asked: Rc<RefCell<Vec<(u32, Connection)>>>,
}

impl WhoAsks for Told {
    fn ask(&self, number: u32, connection: &Connection) -> io::Result<()> {
        self.asked.borrow_mut().push((number, *connection));
        Ok(())
    }

    fn answer(&self) -> io::Result<(u32, Option<String>)> {
        let mut buffer = [0; 2000];
        let length = self.line.recv(&mut buffer)?;
        let text = String::from_utf8_lossy(&buffer[..length]).into_owned();
        match text.split_once(' ') {
            Some((number, name)) => Ok((number.parse().unwrap(), Some(name.to_owned()))),
            None => text.parse().map(|number| (number, None)).map_err(|_| ErrorKind::InvalidData.into()),
        }
    }

    fn answers(&self) -> io::Result<OwnedFd> {
        self.line.try_clone().map(OwnedFd::from)
    }
}

/// Runs `test` beside programs that are asked for, with the tier's end of the line and what was asked.
fn with_a_tier<T: Future<Output = ()>>(
    test: impl FnOnce(Rc<Programs>, UnixDatagram, Rc<RefCell<Vec<(u32, Connection)>>>) -> T,
) {
    let (line, tier) = UnixDatagram::pair().unwrap();
    line.set_nonblocking(true).unwrap();
    let asked = Rc::new(RefCell::new(Vec::new()));
    let programs = Rc::new(Programs::new(Some(Box::new(Told { line, asked: asked.clone() }))));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(LocalSet::new().run_until(async move {
        let taking = programs.clone();
        spawn_local(async move { taking.take_answers().await });
        yield_now().await;
        test(programs, tier, asked).await;
    }));
}

fn connection(port: u16) -> Connection {
    let (inside, asked) = (SocketAddr::from(([198, 18, 0, 2], port)), SocketAddr::from(([198, 19, 0, 1], 443)));
    Connection { transport: Transport::Tcp, inside, asked }
}

#[test]
fn each_answer_gets_to_its_question() {
    with_a_tier(|programs, tier, asked| async move {
        let (first, second) = (programs.of(&connection(1)), programs.of(&connection(2)));
        assert_eq!(*asked.borrow(), [(0, connection(1)), (1, connection(2))]);
        assert!(!first.is_settled() && first.name().is_none());
        tier.send(b"1 second").unwrap();
        tier.send(b"7 of nobody").unwrap();
        tier.send(b"0").unwrap();
        first.settled().await;
        second.settled().await;
        assert!(first.is_settled() && second.is_settled());
        assert_eq!((first.name(), second.name().as_deref()), (None, Some("second")));
        let long = programs.of(&connection(3));
        tier.send(format!("2 {}", "é".repeat(400)).as_bytes()).unwrap();
        long.settled().await;
        assert_eq!(long.name().unwrap().len(), LONGEST);
    });
}

#[test]
fn nobody_is_waited_for_when_the_answers_end() {
    with_a_tier(|programs, tier, asked| async move {
        let open = programs.of(&connection(1));
        tier.send(b"nonsense").unwrap();
        open.settled().await;
        assert!(open.is_settled() && open.name().is_none());
        assert!(programs.of(&connection(2)).is_settled());
        assert_eq!(asked.borrow().len(), 1, "nobody is asked any more");
    });
}

#[test]
fn questions_that_wait_are_bounded() {
    with_a_tier(|programs, tier, asked| async move {
        let all: Vec<Program> = (0..MOST + 5).map(|_| programs.of(&connection(1))).collect();
        assert_eq!(asked.borrow().len(), MOST);
        assert!(all[MOST].is_settled() && !all[MOST - 1].is_settled());
        tier.send(b"0 one").unwrap();
        all[0].settled().await;
        assert!(!programs.of(&connection(2)).is_settled(), "there is room again");
    });
}

#[test]
fn a_tier_that_cannot_tell_makes_nobody_wait() {
    let programs = Programs::new(None);
    let unknown = programs.of(&connection(1));
    assert!(unknown.is_settled() && unknown.name().is_none());
}
