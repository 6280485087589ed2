//! Sockets beyond the standard library's.

use std::io;
use std::mem::offset_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use super::check;

/// socket(2).
pub(crate) fn socket(family: i32, kind: i32, protocol: i32) -> io::Result<OwnedFd> {
    // SAFETY: no pointers.
    let fd = check(unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) }.into())?;
    // SAFETY: the kernel just gave this descriptor to us alone.
    Ok(unsafe { OwnedFd::from_raw_fd(fd as i32) })
}

/// An IP address and port as the kernel takes it: room for either family, and its length.
fn address(to: std::net::SocketAddr) -> (libc::sockaddr_in6, libc::socklen_t) {
    // SAFETY: all zero bytes are a valid `sockaddr_in6`: plain integers.
    let mut raw: libc::sockaddr_in6 = unsafe { std::mem::zeroed() };
    match to {
        std::net::SocketAddr::V4(v4) => {
            let short = libc::sockaddr_in {
                sin_family: libc::AF_INET as libc::sa_family_t,
                sin_port: v4.port().to_be(),
                sin_addr: libc::in_addr { s_addr: u32::from_ne_bytes(v4.ip().octets()) },
                sin_zero: [0; 8],
            };
            // SAFETY: `sockaddr_in6` is longer than `sockaddr_in` and aligned at least as strictly.
            unsafe { (&raw mut raw).cast::<libc::sockaddr_in>().write(short) };
            (raw, size_of::<libc::sockaddr_in>() as libc::socklen_t)
        }
        std::net::SocketAddr::V6(v6) => {
            raw.sin6_family = libc::AF_INET6 as libc::sa_family_t;
            raw.sin6_port = v6.port().to_be();
            raw.sin6_addr.s6_addr = v6.ip().octets();
            (raw, size_of::<libc::sockaddr_in6>() as libc::socklen_t)
        }
    }
}

/// connect(2) to an IP address.
pub(crate) fn connect(socket: BorrowedFd<'_>, to: std::net::SocketAddr) -> io::Result<()> {
    let (raw, length) = address(to);
    // SAFETY: the address lives across the call and is at least `length` long.
    check(unsafe { libc::connect(socket.as_raw_fd(), (&raw const raw).cast(), length) }.into()).map(drop)
}

/// listen(2).
pub(crate) fn listen(socket: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers; the descriptor is open.
    check(unsafe { libc::listen(socket.as_raw_fd(), 8) }.into()).map(drop)
}

/// sendto(2) with `flags`.
pub(crate) fn send_to(socket: BorrowedFd<'_>, bytes: &[u8], flags: i32, to: std::net::SocketAddr) -> io::Result<()> {
    let (raw, length) = address(to);
    // SAFETY: buffer and address live across the call with the lengths given.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            flags | libc::MSG_NOSIGNAL,
            (&raw const raw).cast(),
            length,
        )
    };
    check(sent as libc::c_long).map(drop)
}

/// sendmsg(2) with `flags`: another door to the same room.
pub(crate) fn send_message(
    socket: BorrowedFd<'_>,
    bytes: &[u8],
    flags: i32,
    to: std::net::SocketAddr,
) -> io::Result<()> {
    let (mut raw, length) = address(to);
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // SAFETY: all zero bytes are a valid `msghdr`: null pointers and zero lengths.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_name = (&raw mut raw).cast();
    message.msg_namelen = length;
    message.msg_iov = &raw mut vector;
    message.msg_iovlen = 1;
    // SAFETY: everything that the message points to lives across the call; the kernel only reads the buffer.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, flags | libc::MSG_NOSIGNAL) };
    check(sent as libc::c_long).map(drop)
}

/// connect(2) of a socket of family UNIX and `kind` to an abstract name.
pub(crate) fn connect_abstract(kind: i32, name: &str) -> io::Result<OwnedFd> {
    let fd = socket(libc::AF_UNIX, kind, 0)?;
    // SAFETY: all zero bytes are a valid `sockaddr_un`: plain integers.
    let mut raw: libc::sockaddr_un = unsafe { std::mem::zeroed() };
    raw.sun_family = libc::AF_UNIX as libc::sa_family_t;
    for (to, from) in raw.sun_path.iter_mut().skip(1).zip(name.bytes()) {
        *to = from as libc::c_char;
    }
    let length = (offset_of!(libc::sockaddr_un, sun_path) + 1 + name.len()).min(size_of::<libc::sockaddr_un>());
    // SAFETY: the address lives across the call and is at least `length` long.
    check(unsafe { libc::connect(fd.as_raw_fd(), (&raw const raw).cast(), length as libc::socklen_t) }.into())?;
    Ok(fd)
}

/// Which of the descriptors can be read from (or accept), waiting at most `milliseconds`.
pub(crate) fn readable(descriptors: &[BorrowedFd<'_>], milliseconds: i32) -> io::Result<Vec<bool>> {
    let mut list: Vec<libc::pollfd> =
        descriptors.iter().map(|fd| libc::pollfd { fd: fd.as_raw_fd(), events: libc::POLLIN, revents: 0 }).collect();
    // SAFETY: pointer and length of the list belong together.
    check(unsafe { libc::poll(list.as_mut_ptr(), list.len() as libc::nfds_t, milliseconds) }.into())?;
    Ok(list.iter().map(|entry| entry.revents & libc::POLLIN != 0).collect())
}
