//! Attempts that nothing takes: packets of the inside to ports without a listener, and datagrams other than to the name server.
//!
//! They go nowhere whether this looks or not; it only makes them known. Each target is told once.

use std::collections::{BTreeSet, HashSet};
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::yield_now;

use crate::event::{Begun, Way};
use crate::gate::Gate;
use crate::late;
use crate::program::{Connection, Program, Transport};
use crate::refusal::{Refusal, shown};
use crate::watch;

/// How many targets are remembered. Beyond them nothing more is told.
const MOST: usize = 1024;

/// Packets looked at before the others get their turn.
const ROUND: usize = 64;

/// The port of the name server.
const NAMES: u16 = 53;

/// A packet socket of the inside.
pub(crate) struct Packets {
    socket: AsyncFd<OwnedFd>,
    /// TCP ports that a listener takes.
    taken: BTreeSet<u16>,
    told: HashSet<Sent>,
}

/// What a packet wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Sent {
    to: IpAddr,
    port: u16,
    protocol: Protocol,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Protocol {
    /// The first packet of a connection.
    Tcp,
    Udp,
}

impl Packets {
    /// With the TCP ports that somebody listens on.
    pub(crate) fn new(socket: OwnedFd, taken: BTreeSet<u16>) -> io::Result<Packets> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let socket = watch::readable(socket)?;
        Ok(Packets { socket, taken, told: HashSet::new() })
    }

    /// Looks at packets for as long as the gate lives. If the socket breaks, or there is nothing more to tell, it ends: nothing depends on it.
    pub(crate) async fn serve(mut self, gate: Rc<Gate>) {
        while self.told.len() < MOST {
            // Looked at in rounds: a flood of packets must not keep the connections waiting.
            match self.round(&gate).await {
                Ok(()) => yield_now().await,
                Err(_broken) => return,
            }
        }
    }

    async fn round(&mut self, gate: &Rc<Gate>) -> io::Result<()> {
        for _ in 0..ROUND {
            let mut start = [0; 128];
            let number = self.socket.async_io(Interest::READABLE, |socket| receive(socket, &mut start)).await?;
            let Some((from, sent)) = Sent::read(start.get(..number).unwrap_or_default()) else { continue };
            if self.is_taken(sent) || !self.told.insert(sent) {
                continue;
            }
            tell(gate, from, sent);
        }
        Ok(())
    }

    fn is_taken(&self, sent: Sent) -> bool {
        match sent.protocol {
            Protocol::Tcp => self.taken.contains(&sent.port),
            Protocol::Udp => sent.port == NAMES,
        }
    }
}

fn receive(socket: &OwnedFd, start: &mut [u8]) -> io::Result<usize> {
    let (number, _length) = recv(socket, start, RecvFlags::DONTWAIT)?;
    Ok(number)
}

fn tell(gate: &Rc<Gate>, from: SocketAddr, sent: Sent) {
    let target = gate.target(sent.to, sent.port);
    let program = match sent.protocol {
        // The kernel has answered: its socket is closed.
        Protocol::Tcp => Program::unknown(),
        Protocol::Udp => gate.programs.of(&Connection {
            transport: Transport::Udp,
            inside: from,
            asked: SocketAddr::new(sent.to, sent.port),
        }),
    };
    let begun = Begun::now(Way::Packet, &target.host.to_string(), sent.port, program);
    let refusal = match (gate.decide(&target), sent.protocol) {
        (Err(refusal), Protocol::Tcp) => refusal,
        (Ok(_), Protocol::Tcp) => Refusal::Denied {
            reason: shown(&format!("`{target}` is allowed, but the gate does not listen on this port")),
            rule: None,
            grant: None,
        },
        (_, Protocol::Udp) => Refusal::Denied {
            reason: shown(&format!("UDP leaves for nowhere, so not for `{target}`: only TCP is carried")),
            rule: None,
            grant: None,
        },
    };
    late::tell(gate, begun, move |begun| begun.refused(&refusal));
}

impl Sent {
    /// Reads the start of an IP packet (RFC 791, RFC 8200; TCP: RFC 9293, UDP: RFC 768). None if it is nothing to tell: a fragment, another protocol,
    /// a packet of a connection that is there already. With the sender's address.
    fn read(packet: &[u8]) -> Option<(SocketAddr, Sent)> {
        let (protocol, from, to, payload) = match packet.first()? >> 4 {
            4 => {
                let length = usize::from(packet.first()? & 15) * 4;
                let fragment = u16::from_be_bytes([*packet.get(6)?, *packet.get(7)?]) & 0x1fff;
                let from: [u8; 4] = packet.get(12..16)?.try_into().ok()?;
                let to: [u8; 4] = packet.get(16..20)?.try_into().ok()?;
                if fragment != 0 || length < 20 {
                    return None;
                }
                (*packet.get(9)?, Ipv4Addr::from(from).into(), IpAddr::from(Ipv4Addr::from(to)), packet.get(length..)?)
            }
            6 => {
                let from: [u8; 16] = packet.get(8..24)?.try_into().ok()?;
                let to: [u8; 16] = packet.get(24..40)?.try_into().ok()?;
                (*packet.get(6)?, Ipv6Addr::from(from).into(), IpAddr::from(Ipv6Addr::from(to)), packet.get(40..)?)
            }
            _ => return None,
        };
        let from = SocketAddr::new(from, u16::from_be_bytes([*payload.first()?, *payload.get(1)?]));
        let port = u16::from_be_bytes([*payload.get(2)?, *payload.get(3)?]);
        match protocol {
            6 => {
                const SYN_AND_ACK: u8 = 0x12;
                const SYN: u8 = 0x02;
                let flags = *payload.get(13)?;
                (flags & SYN_AND_ACK == SYN).then_some((from, Sent { to, port, protocol: Protocol::Tcp }))
            }
            17 => Some((from, Sent { to, port, protocol: Protocol::Udp })),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
