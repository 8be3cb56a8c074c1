//! Socket options, and the limit on open files.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// What is asked for each way and socket: a burst of 128 large packets on each of dozens of flows
/// fits, and nothing smaller rides out a scheduler's pause at a gigabit.
pub(in crate::relay) const BUFFER_BYTES: usize = 4 << 20;

/// Buffer sizes the kernel granted, in bytes of the kind that is asked for (it accounts twice that).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) struct Granted {
    /// For receiving.
    pub(in crate::relay) receive: usize,
    /// For sending.
    pub(in crate::relay) send: usize,
}

/// Whether a socket's datagrams may be cut on their way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::relay) enum Fragmenting {
    /// Here and at every router, whatever ICMP said about the path: a datagram of any size passes,
    /// and a forged "fragmentation needed" changes nothing.
    Allowed,
    /// The don't-fragment bit is set; only the interface's MTU bounds the size here.
    Forbidden,
}

/// What listeners and relay sockets have in common: traffic class and drop counter with each
/// datagram, fragments allowed.
pub(in crate::relay) fn on_any_datagram_socket(fd: BorrowedFd<'_>, ipv4: bool) -> io::Result<()> {
    set(fd, libc::SOL_SOCKET, libc::SO_RXQ_OVFL, 1)?;
    if ipv4 {
        set(fd, libc::IPPROTO_IP, libc::IP_RECVTOS, 1)?;
        set_fragmenting(fd, Fragmenting::Allowed)
    } else {
        set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVTCLASS, 1)
    }
}

/// Asks for the real destination of each datagram.
pub(in crate::relay) fn on_wildcard(fd: BorrowedFd<'_>, ipv4: bool) -> io::Result<()> {
    match ipv4 {
        true => set(fd, libc::IPPROTO_IP, libc::IP_PKTINFO, 1),
        false => set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO, 1),
    }
}

/// Lets datagrams of one size from one sender come as a train (`UDP_GRO`), with their size beside it.
pub(in crate::relay) fn receive_trains(fd: BorrowedFd<'_>) -> io::Result<()> {
    set(fd, libc::SOL_UDP, libc::UDP_GRO, 1)
}

/// Takes [`receive_trains`] back.
pub(in crate::relay) fn receive_singly(fd: BorrowedFd<'_>) -> io::Result<()> {
    set(fd, libc::SOL_UDP, libc::UDP_GRO, 0)
}

/// Notes when each datagram came (`SO_TIMESTAMPNS`), by the clock of the day.
pub(in crate::relay) fn note_arrivals(fd: BorrowedFd<'_>) -> io::Result<()> {
    set(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, 1)
}

/// Keeps what ICMP says about datagrams from this socket, for [`next_error`](super::next_error).
///
/// From then on a later call on the socket, about another datagram, may fail with what ICMP said
/// about an earlier one; and `ENOBUFS` tells of a datagram that the interface's queue dropped.
pub(in crate::relay) fn report_icmp(fd: BorrowedFd<'_>, ipv4: bool) -> io::Result<()> {
    match ipv4 {
        true => set(fd, libc::IPPROTO_IP, libc::IP_RECVERR, 1),
        false => set(fd, libc::IPPROTO_IPV6, libc::IPV6_RECVERR, 1),
    }
}

/// Sets or clears the don't-fragment bit of what an IPv4 socket sends from now on.
pub(in crate::relay) fn set_fragmenting(fd: BorrowedFd<'_>, choice: Fragmenting) -> io::Result<()> {
    let mode = match choice {
        Fragmenting::Allowed => libc::IP_PMTUDISC_OMIT,
        Fragmenting::Forbidden => libc::IP_PMTUDISC_PROBE,
    };
    set(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, mode)
}

/// Asks for [`BUFFER_BYTES`] each way, past the system's limit where the process may. Never an
/// error: a small buffer still relays, and [`granted_buffers`] says what there is.
pub(in crate::relay) fn enlarge_buffers(fd: BorrowedFd<'_>) {
    /// The process may not pass the limit: known after the first try, to spare every later
    /// allocation two calls.
    static REFUSED: AtomicBool = AtomicBool::new(false);

    let wanted = BUFFER_BYTES as libc::c_int;
    let sizes = [(libc::SO_RCVBUFFORCE, libc::SO_RCVBUF), (libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)];
    for (forced, plain) in sizes {
        if REFUSED.load(Relaxed) || set(fd, libc::SOL_SOCKET, forced, wanted).is_err() {
            REFUSED.store(true, Relaxed);
            let _ = set(fd, libc::SOL_SOCKET, plain, wanted);
        }
    }
}

/// The buffers a socket has.
pub(in crate::relay) fn granted_buffers(fd: BorrowedFd<'_>) -> Granted {
    let granted = |option| {
        let mut doubled = [0u32];
        match get(fd, option, &mut doubled) {
            // The kernel doubles what it is asked for, to account for its own overhead.
            Ok(()) => doubled[0] as usize / 2,
            Err(_) => 0,
        }
    };
    Granted { receive: granted(libc::SO_RCVBUF), send: granted(libc::SO_SNDBUF) }
}

/// How many datagrams the kernel has dropped on this socket in all, modulo 2^32.
pub(in crate::relay) fn kernel_drops(fd: BorrowedFd<'_>) -> io::Result<u32> {
    /// `SK_MEMINFO_DROPS` of `linux/sock_diag.h`, the last of nine.
    const DROPS: usize = 8;
    let mut numbers = [0u32; DROPS + 1];
    get(fd, libc::SO_MEMINFO, &mut numbers)?;
    Ok(numbers[DROPS])
}

/// Raises this process's limit on open files as far as it may: each allocation needs one, and the
/// usual soft limit is 1024. Says what it is now.
///
/// # Errors
/// The kernel's.
pub fn raise_descriptor_limit() -> io::Result<u64> {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: `limit` lives for the whole call and is what the kernel writes.
    check(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) })?;
    if limit.rlim_cur < limit.rlim_max {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: `limit` lives for the whole call and is only read.
        check(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) })?;
    }
    Ok(limit.rlim_cur)
}

fn set(fd: BorrowedFd<'_>, level: i32, option: i32, value: libc::c_int) -> io::Result<()> {
    let len = size_of_val(&value) as libc::socklen_t;
    // SAFETY: `value` lives for the whole call and `len` is its size.
    check(unsafe {
        libc::setsockopt(fd.as_raw_fd(), level, option, (&raw const value).cast(), len)
    })
}

/// Reads a `SOL_SOCKET` option made of 32-bit numbers.
fn get(fd: BorrowedFd<'_>, option: i32, values: &mut [u32]) -> io::Result<()> {
    let mut len = size_of_val(values) as libc::socklen_t;
    // SAFETY: `values` is borrowed mutably for the whole call and `len` is its size in bytes.
    check(unsafe {
        libc::getsockopt(
            fd.as_raw_fd(),
            libc::SOL_SOCKET,
            option,
            values.as_mut_ptr().cast(),
            &raw mut len,
        )
    })
}

fn check(returned: libc::c_int) -> io::Result<()> {
    if returned < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
