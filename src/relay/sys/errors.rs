//! `MSG_ERRQUEUE` (`recvmsg(2)`, `ip(7)`): what ICMP said about datagrams that a socket sent.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};

use super::control::{next, read_u32};
use super::name::Name;

/// An ICMP or ICMPv6 message about a datagram that was sent from here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) struct IcmpError {
    /// Whom the datagram was for.
    pub(in crate::relay) peer: SocketAddr,
    /// The message's type; which numbers it is from says the family of `peer`.
    pub(in crate::relay) kind: u8,
    /// The message's code.
    pub(in crate::relay) code: u8,
    /// The MTU of the hop that the datagram was too large for, where the message says one; else 0.
    pub(in crate::relay) mtu: u32,
}

/// What the kernel may attach to a report: an extended error with the address of who complained
/// (64), and as much again and more for the options that are on.
#[repr(C, align(8))]
struct Control([u8; 256]);

/// Takes the oldest report from the socket's error queue. `Ok(None)` is one about something else
/// than ICMP, or about nobody. The datagram that was in the report is left out.
///
/// # Errors
/// [`io::ErrorKind::WouldBlock`] when the queue is empty.
pub(in crate::relay) fn next_error(fd: BorrowedFd<'_>) -> io::Result<Option<IcmpError>> {
    let (mut name, mut control) = (Name::EMPTY, Control([0; 256]));
    // SAFETY: `msghdr` is integers and raw pointers, for which all-zero is a value.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = name.as_mut_ptr().cast();
    header.msg_namelen = Name::CAPACITY;
    header.msg_control = control.0.as_mut_ptr().cast();
    header.msg_controllen = control.0.len() as _;
    // SAFETY: the header points at `name` and `control` with their true lengths and at no buffers;
    // all of it lives, and is nobody else's, for the whole call, and the kernel keeps no pointer.
    let read = unsafe {
        libc::recvmsg(fd.as_raw_fd(), &raw mut header, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT)
    };
    if read < 0 {
        return Err(io::Error::last_os_error());
    }
    // A `size_t` on glibc, 32 bits on musl.
    #[allow(clippy::unnecessary_cast)]
    let written = (header.msg_controllen as usize).min(control.0.len());
    let peer = name.decode(header.msg_namelen);
    Ok(peer.and_then(|peer| decode(peer, &control.0[..written])))
}

/// Finds the extended error among the control messages.
fn decode(peer: SocketAddr, mut control: &[u8]) -> Option<IcmpError> {
    while let Some((level, kind, data, rest)) = next(control) {
        match (level, kind) {
            (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) => {
                return extended(peer, data);
            }
            _ => control = rest,
        }
    }
    None
}

/// `sock_extended_err`: errno, origin, type, code, padding, info, data.
fn extended(peer: SocketAddr, data: &[u8]) -> Option<IcmpError> {
    let &[_, _, _, _, origin, kind, code, _] = data.get(..8)? else { return None };
    let (from_icmp, too_big) = match peer {
        SocketAddr::V4(_) => (libc::SO_EE_ORIGIN_ICMP, (kind, code) == (3, 4)),
        SocketAddr::V6(_) => (libc::SO_EE_ORIGIN_ICMP6, kind == 2),
    };
    if origin != from_icmp {
        return None;
    }
    let mtu = if too_big { read_u32(data, 8)? } else { 0 };
    Some(IcmpError { peer, kind, code, mtu })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sock_extended_err` with these bytes at the front and this info.
    fn error(origin: u8, kind: u8, code: u8, info: u32) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[4..7].copy_from_slice(&[origin, kind, code]);
        bytes[8..12].copy_from_slice(&info.to_ne_bytes());
        bytes
    }

    fn v4() -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 7], 4000))
    }

    #[test]
    fn a_router_that_cannot_pass_the_datagram_whole_says_its_mtu() {
        let said = extended(v4(), &error(libc::SO_EE_ORIGIN_ICMP, 3, 4, 1400));
        assert_eq!(said, Some(IcmpError { peer: v4(), kind: 3, code: 4, mtu: 1400 }));
        let v6 = SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 4000));
        let said = extended(v6, &error(libc::SO_EE_ORIGIN_ICMP6, 2, 0, 1280));
        assert_eq!(said, Some(IcmpError { peer: v6, kind: 2, code: 0, mtu: 1280 }));
    }

    #[test]
    fn what_is_no_icmp_of_the_peers_family_is_passed_over() {
        for origin in [libc::SO_EE_ORIGIN_LOCAL, libc::SO_EE_ORIGIN_ICMP6, 4] {
            assert_eq!(extended(v4(), &error(origin, 3, 3, 0)), None);
        }
        assert_eq!(extended(v4(), &[0; 7]), None);
        assert_eq!(decode(v4(), &[]), None);
    }
}
