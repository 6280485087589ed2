//! Both directions of a tunnel on Linux, and how it ends.
//!
//! An orderly end of one side is passed on as such, and the other may go on for as long as it likes. When a side breaks, what it had said is
//! still carried, and then the other side is broken too, as it would have been without the gate.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{Interest, Ready};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::Carried;
use super::direction::{Broken, Direction};
use super::pipes::Pipes;
use crate::socket::reset;

/// How long what a broken side had said may take to be carried.
const GRACE: Duration = Duration::from_secs(30);

/// Carries bytes both ways until both ends are over or one breaks. `carried` is added to as they go.
pub(crate) async fn tunnel(client: TcpStream, server: TcpStream, pipes: &Pipes, carried: &Carried) {
    if both(&client, &server, pipes, carried).await {
        reset(client);
        reset(server);
    }
}

/// Whether an end broke.
async fn both(client: &TcpStream, server: &TcpStream, pipes: &Pipes, carried: &Carried) -> bool {
    let mut tunnel = Tunnel {
        up: Direction::new(client, server, pipes, &carried.sent),
        down: Direction::new(server, client, pipes, &carried.received),
        is_broken: false,
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
    tunnel.is_broken
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Server,
}

struct Tunnel<'a> {
    up: Direction<'a>,
    down: Direction<'a>,
    is_broken: bool,
    /// Runs once a side broke.
    grace: Option<Pin<Box<Sleep>>>,
}

impl Tunnel<'_> {
    /// This side takes nothing more. What it had said before is still carried.
    fn broke(&mut self, side: Side) {
        self.is_broken = true;
        match side {
            Side::Client => self.down.give_up(),
            Side::Server => self.up.give_up(),
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
