//! A packet socket (packet(7)) that sees the first packet of each attempt to reach something, and no other.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use libc::{
    BPF_ABS, BPF_ALU, BPF_AND, BPF_B, BPF_H, BPF_IND, BPF_JA, BPF_JEQ, BPF_JMP, BPF_JSET, BPF_K, BPF_LD, BPF_LDX,
    BPF_MSH, BPF_RET, BPF_RSH, sock_filter,
};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Bytes of each packet that are handed on: the headers.
pub const HANDED_ON: u32 = 128;

/// Bytes of packets that may wait. What does not fit is lost, and only not told.
const WAITING: i32 = 64 * 1024;

/// `SKF_AD_OFF + SKF_AD_PKTTYPE` of `linux/filter.h`: the kind of the packet, in a filter.
const KIND: u32 = (-0x1000_i32 + 4).cast_unsigned();

/// Opens the socket on the device `index` of this net namespace: it sees what comes in there, from the IP header on.
///
/// Callable after `clone`: no allocation. Needs `CAP_NET_RAW`.
///
/// # Errors
///
/// What socket(2), setsockopt(2) or bind(2) answers; `EAFNOSUPPORT` where the kernel has no packet sockets.
pub fn open(index: u32) -> Result<OwnedFd, Errno> {
    // Protocol 0: nothing comes before the filter stands.
    let socket = socket_with(AddressFamily::PACKET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    let program = libc::sock_fprog { len: FILTER.len() as u16, filter: FILTER.as_ptr().cast_mut() };
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    let (descriptor, level) = (socket.as_fd().as_raw_fd(), libc::SOL_SOCKET);
    // SAFETY: the kernel copies the program and its instructions, all live and of the lengths that are said, and writes to none.
    let answer =
        unsafe { libc::setsockopt(descriptor, level, libc::SO_ATTACH_FILTER, (&raw const program).cast(), size) };
    super::check(answer.into())?;
    rustix::net::sockopt::set_socket_recv_buffer_size(&socket, WAITING as usize)?;
    // SAFETY: all-zero bytes are a valid `sockaddr_ll`.
    let mut address: libc::sockaddr_ll = unsafe { std::mem::zeroed() };
    address.sll_family = libc::AF_PACKET as u16;
    address.sll_protocol = (libc::ETH_P_ALL as u16).to_be();
    address.sll_ifindex = index.cast_signed();
    // SAFETY: the kernel reads one `sockaddr_ll`, which lives until the call returns.
    let answer = unsafe {
        let size = size_of::<libc::sockaddr_ll>() as libc::socklen_t;
        libc::bind(descriptor, (&raw const address).cast(), size)
    };
    super::check(answer.into()).map(|_| socket)
}

const fn does(code: u32, k: u32) -> sock_filter {
    sock_filter { code: code as u16, jt: 0, jf: 0, k }
}

/// Goes on `yes` or `no` instructions later.
const fn asks(code: u32, k: u32, yes: u8, no: u8) -> sock_filter {
    sock_filter { code: (BPF_JMP | code | BPF_K) as u16, jt: yes, jf: no, k }
}

const TCP: u32 = libc::IPPROTO_TCP as u32;
const UDP: u32 = libc::IPPROTO_UDP as u32;
const NAMES: u32 = 53;
/// Bits of the flags of a TCP header (RFC 9293, section 3.1).
const SYN: u32 = 0x02;
const SYN_AND_ACK: u32 = 0x12;

/// Goes on that many instructions later.
const fn skips(number: u32) -> sock_filter {
    does(BPF_JMP | BPF_JA, number)
}

/// Lets through what comes in, is IPv4 (RFC 791) or IPv6 without extension headers (RFC 8200), and is the first packet of a TCP
/// connection, or UDP to another port than 53.
static FILTER: [sock_filter; 27] = [
    does(BPF_LD | BPF_H | BPF_ABS, KIND),
    asks(BPF_JEQ, libc::PACKET_OUTGOING as u32, 24, 0),
    does(BPF_LD | BPF_B | BPF_ABS, 0),
    does(BPF_ALU | BPF_RSH | BPF_K, 4),
    asks(BPF_JEQ, 4, 0, 10),
    // IPv4: no fragment but the first has ports.
    does(BPF_LD | BPF_H | BPF_ABS, 6),
    asks(BPF_JSET, 0x1fff, 19, 0),
    does(BPF_LDX | BPF_B | BPF_MSH, 0),
    does(BPF_LD | BPF_B | BPF_ABS, 9),
    asks(BPF_JEQ, TCP, 0, 2),
    does(BPF_LD | BPF_B | BPF_IND, 13),
    skips(11),
    asks(BPF_JEQ, UDP, 0, 13),
    does(BPF_LD | BPF_H | BPF_IND, 2),
    skips(7),
    asks(BPF_JEQ, 6, 0, 10),
    // IPv6.
    does(BPF_LD | BPF_B | BPF_ABS, 6),
    asks(BPF_JEQ, TCP, 0, 2),
    does(BPF_LD | BPF_B | BPF_ABS, 40 + 13),
    skips(3),
    asks(BPF_JEQ, UDP, 0, 5),
    does(BPF_LD | BPF_H | BPF_ABS, 40 + 2),
    // The port of a UDP packet.
    asks(BPF_JEQ, NAMES, 3, 2),
    // The flags of a TCP packet.
    does(BPF_ALU | BPF_AND | BPF_K, SYN_AND_ACK),
    asks(BPF_JEQ, SYN, 0, 1),
    does(BPF_RET | BPF_K, HANDED_ON),
    does(BPF_RET | BPF_K, 0),
];
