//! Net namespaces: bringing up the loopback interface of a new one, and finding the one of a socket.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};

/// Sets `IFF_UP` on `lo` (netdevice(7)); the kernel then gives it 127.0.0.1 and ::1 by itself.
///
/// Callable after `clone`: no allocation.
///
/// # Errors
///
/// What socket(2) or the ioctl answers.
pub fn bring_up_loopback() -> Result<(), Errno> {
    let socket = socket_with(AddressFamily::INET, SocketType::DGRAM, SocketFlags::CLOEXEC, None)?;
    // SAFETY: all-zero bytes are a valid `ifreq`: integers and a union of plain data.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = (*from).cast_signed() as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: SIOCSIFFLAGS reads one `ifreq`, which lives until the call returns.
    let answer = unsafe { libc::ioctl(socket.as_fd().as_raw_fd(), libc::SIOCSIFFLAGS as _, &raw mut request) };
    super::check(answer.into()).map(drop)
}

/// The net namespace of a socket, as a descriptor that keeps it alive, for setns(2) and `IFLA_NET_NS_FD` (`SIOCGSKNS`, Linux 4.10).
///
/// Callable after `clone`: no allocation.
///
/// # Errors
///
/// What the ioctl answers: `EPERM` without `CAP_NET_ADMIN` in the user namespace that the net namespace belongs to. Who has made that user
/// namespace has it from outside (user_namespaces(7)).
pub fn namespace_of(socket: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    // SAFETY: the call takes no argument beyond its number, and answers a fresh descriptor.
    unsafe {
        let answer = libc::ioctl(socket.as_raw_fd(), SIOCGSKNS);
        Ok(OwnedFd::from_raw_fd(super::check(answer.into())? as i32))
    }
}

/// `SIOCGSKNS` of `linux/sockios.h`.
const SIOCGSKNS: libc::Ioctl = 0x894c;
