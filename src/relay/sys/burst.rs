//! Trains of datagrams over plain sockets: what a load generator needs of the kernel.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::time::Duration;

use super::control::{self, Ancillary, ReceiveControl, SendControl, TrainControl};
use super::name::Name;
use super::options;

/// Sends `bytes` as datagrams of `size` bytes each (the last may be shorter) with one call, to `to` or
/// where the socket is connected to.
///
/// # Errors
/// The kernel's.
pub fn send_train(
    socket: &UdpSocket,
    bytes: &[u8],
    size: usize,
    to: Option<SocketAddr>,
) -> io::Result<()> {
    let mut iovec =
        libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    let name = to.map(Name::from);
    let mut train = TrainControl::EMPTY;
    let control = if bytes.len() > size { train.write(&SendControl::NONE, size) } else { &[] };
    // SAFETY: `msghdr` is integers and raw pointers, for which all-zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut iovec;
    message.msg_iovlen = 1;
    if let Some(name) = &name {
        message.msg_name = name.as_ptr().cast_mut().cast();
        message.msg_namelen = name.len();
    }
    if !control.is_empty() {
        message.msg_control = control.as_ptr().cast_mut().cast();
        message.msg_controllen = control.len() as _;
    }
    // SAFETY: the message points at `iovec`, `name`, `control` and through `iovec` at `bytes`, with their
    // true lengths; all outlive the call, and the kernel only reads them.
    let sent = unsafe { libc::sendmsg(socket.as_raw_fd(), &raw const message, libc::MSG_NOSIGNAL) };
    if sent < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The most datagrams of one [`send_each`].
pub const MOST: usize = 64;

/// Sends single datagrams with one call, each to the address beside it or where the socket is connected to.
/// Says how many went, of the first [`MOST`].
///
/// # Errors
/// The kernel's, when none went.
pub fn send_each<'b>(
    socket: &UdpSocket,
    datagrams: impl Iterator<Item = (&'b [u8], Option<SocketAddr>)>,
) -> io::Result<usize> {
    // SAFETY: `mmsghdr` and `iovec` are integers and raw pointers, for which all-zero is a value.
    let (mut headers, mut iovecs): ([libc::mmsghdr; MOST], [libc::iovec; MOST]) =
        unsafe { (std::mem::zeroed(), std::mem::zeroed()) };
    let mut names = [Name::EMPTY; MOST];
    let mut count = 0;
    for (bytes, to) in datagrams.take(MOST) {
        iovecs[count].iov_base = bytes.as_ptr().cast_mut().cast();
        iovecs[count].iov_len = bytes.len();
        let header = &mut headers[count].msg_hdr;
        header.msg_iov = &raw mut iovecs[count];
        header.msg_iovlen = 1;
        if let Some(to) = to {
            names[count] = Name::from(to);
            header.msg_name = names[count].as_ptr().cast_mut().cast();
            header.msg_namelen = names[count].len();
        }
        count += 1;
    }
    // SAFETY: the first `count` headers point at `iovecs`, `names` and through `iovecs` at datagrams, with their
    // true lengths; all outlive the call, and the kernel only reads them (and writes `msg_len` in the headers).
    let sent = unsafe {
        libc::sendmmsg(
            socket.as_raw_fd(),
            headers.as_mut_ptr(),
            count as libc::c_uint,
            libc::MSG_NOSIGNAL as _,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// A datagram, or a train of them.
#[derive(Clone, Copy, Debug)]
pub struct Received {
    /// Bytes of all.
    pub len: usize,
    /// Bytes of each; the last may have fewer.
    pub each: usize,
    /// When it came, since the beginning of 1970, as the kernel noted it: a receiver that was late to look is so
    /// not taken for a network that was slow.
    pub came: Option<Duration>,
}

/// Receives a datagram or a train into `buffer`.
///
/// # Errors
/// The kernel's; `WouldBlock` when nothing is there.
pub fn receive(socket: &UdpSocket, buffer: &mut [u8]) -> io::Result<Received> {
    let mut iovec = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    let mut control = ReceiveControl::EMPTY;
    // SAFETY: `msghdr` is integers and raw pointers, for which all-zero is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut iovec;
    message.msg_iovlen = 1;
    message.msg_control = control.0.as_mut_ptr().cast();
    message.msg_controllen = ReceiveControl::CAPACITY as _;
    message.msg_name = ptr::null_mut();
    // SAFETY: the message points at `iovec`, `control` and through `iovec` at `buffer`, with their true
    // lengths, all borrowed mutably for the whole call; the kernel keeps no pointer after it.
    let received =
        unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut message, libc::MSG_DONTWAIT) };
    let len = usize::try_from(received).map_err(|_| io::Error::last_os_error())?;
    #[allow(clippy::unnecessary_cast)] // A `size_t` on glibc, 32 bits on musl.
    let written = (message.msg_controllen as usize).min(ReceiveControl::CAPACITY);
    let control = &control.0[..written];
    let each = match Ancillary::decode(control).segment {
        0 => len.max(1),
        segment => segment,
    };
    Ok(Received { len, each, came: control::arrival(control) })
}

/// Large buffers, datagrams that come as trains, and the time of their arrival.
pub fn prepare(socket: &UdpSocket) {
    options::enlarge_buffers(socket.as_fd());
    // An older kernel gives each datagram by itself, and without a time it is our own when we looked.
    let _ = options::receive_trains(socket.as_fd());
    let _ = options::note_arrivals(socket.as_fd());
}

/// As [`prepare`], but each datagram by itself: those of a train have but one time.
pub fn prepare_for_singles(socket: &UdpSocket) {
    prepare(socket);
    let _ = options::receive_singly(socket.as_fd());
}
