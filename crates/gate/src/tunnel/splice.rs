//! Both directions of a tunnel on Linux, and how it ends.
//!
//! An orderly end of one side is passed on as such, and the other may go on for as long as it likes. When a side breaks, what it had said is
//! still carried, and then the other side is broken too, as it would have been without the gate.
//!
//! A reset destroys what is still on its way. Without the gate that is what the network and the reader's own system hold; with it there are
//! the gate's buffers as well, and a slow reader of what was said, and ended in order, would lose the end of it to a reset that came
//! later. (A server that has said everything and closed answers the client's next word with one.) So the other side is broken only when its
//! system has all that was said to it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
use tokio::select;
use tokio::time::{Sleep, sleep};

use super::Carried;
use super::direction::{Broken, Direction};
use super::pipes::Pipes;
use super::unsent::unsent;
use crate::socket::reset;

/// How long what a broken side had said may take to be carried.
const GRACE: Duration = Duration::from_secs(30);

/// The system does not say when a reader has taken everything; it is asked, at first after this time.
const FIRST_LOOK: Duration = Duration::from_millis(2);
/// Then less and less often, down to once in this time.
const LAST_LOOK: Duration = Duration::from_millis(250);

/// Carries bytes both ways until both ends are over or one breaks. `carried` is added to as they go.
pub(crate) async fn tunnel(client: TcpStream, server: TcpStream, pipes: &Pipes, carried: &Carried) {
    let breaks = both(&client, &server, pipes, carried).await;
    match (breaks.client, breaks.server) {
        (false, false) => return,
        (true, false) => arrival(&server).await,
        (false, true) => arrival(&client).await,
        (true, true) => {}
    }
    reset(client);
    reset(server);
}

/// Waits until the other end's system has all that was given to this socket, which did not break, or breaks too. What it says meanwhile is for
/// nobody, and is left where it is.
async fn arrival(socket: &TcpStream) {
    let delivered = async {
        let mut pause = FIRST_LOOK;
        while unsent(socket) > 0 {
            sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    };
    select! {
        () = delivered => {}
        _ = socket.ready(Interest::ERROR) => {}
        () = sleep(GRACE) => {}
    }
}

/// Which ends broke.
#[derive(Clone, Copy, Debug, Default)]
struct Breaks {
    client: bool,
    server: bool,
}

async fn both(client: &TcpStream, server: &TcpStream, pipes: &Pipes, carried: &Carried) -> Breaks {
    let mut tunnel = Tunnel {
        up: Direction::new(client, server, pipes, &carried.sent),
        down: Direction::new(server, client, pipes, &carried.received),
        breaks: Breaks::default(),
        grace: None,
    };
    // A reset shows as an error condition even when nobody reads or writes that side just now.
    let mut client_breaks = pin!(client.ready(Interest::ERROR));
    let mut server_breaks = pin!(server.ready(Interest::ERROR));
    let (mut client_watched, mut server_watched) = (true, true);
    poll_fn(|context| {
        if client_watched && is_error(client_breaks.as_mut(), context) {
            client_watched = false;
            tunnel.broke(Side::Client);
        }
        if server_watched && is_error(server_breaks.as_mut(), context) {
            server_watched = false;
            tunnel.broke(Side::Server);
        }
        tunnel.poll(context)
    })
    .await;
    tunnel.breaks
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

struct Tunnel<'a> {
    up: Direction<'a>,
    down: Direction<'a>,
    breaks: Breaks,
    /// Runs once a side broke.
    grace: Option<Pin<Box<Sleep>>>,
}

impl Tunnel<'_> {
    /// This side takes nothing more. What it had said before is still carried.
    fn broke(&mut self, side: Side) {
        match side {
            Side::Client => {
                self.breaks.client = true;
                self.down.give_up();
            }
            Side::Server => {
                self.breaks.server = true;
                self.up.give_up();
            }
        }
        if self.grace.is_none() {
            self.grace = Some(Box::pin(sleep(GRACE)));
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<()> {
        match self.up.poll(context) {
            Poll::Ready(Err(Broken::Source)) => self.broke(Side::Client),
            Poll::Ready(Err(Broken::Sink)) => self.broke(Side::Server),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        match self.down.poll(context) {
            Poll::Ready(Err(Broken::Source)) => self.broke(Side::Server),
            Poll::Ready(Err(Broken::Sink)) => self.broke(Side::Client),
            Poll::Ready(Ok(())) | Poll::Pending => {}
        }
        if self.up.is_over() && self.down.is_over() {
            return Poll::Ready(());
        }
        match &mut self.grace {
            Some(grace) => grace.as_mut().poll(context),
            None => Poll::Pending,
        }
    }
}

fn is_error(watch: Pin<&mut impl Future<Output = std::io::Result<Ready>>>, context: &mut Context<'_>) -> bool {
    matches!(watch.poll(context), Poll::Ready(Ok(_) | Err(_)))
}
