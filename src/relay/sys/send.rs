//! `sendmmsg(2)`: many datagrams of one socket in one call.

use std::io;
use std::ops::Range;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use super::control::SendControl;
use super::name::Name;

/// One datagram that waits to be sent: a range of the shard's buffers, and where it goes.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Letter {
    /// To whom.
    pub(in crate::relay) to: Name,
    /// From which address and with which traffic class.
    pub(in crate::relay) control: SendControl,
    /// Where its bytes lie.
    pub(in crate::relay) bytes: Range<usize>,
    /// With the IPv4 don't-fragment bit.
    pub(in crate::relay) dont_fragment: bool,
}

/// Headers for one call of `sendmmsg`, made once and used again and again.
pub(in crate::relay) struct SendBatch {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
}

/// What to do after the kernel refused a datagram.
enum Refusal {
    /// Nothing was wrong with it: again.
    Again,
    /// It alone cannot be sent.
    Skip,
    /// The socket takes no more now.
    Full,
}

impl SendBatch {
    /// Headers for up to `capacity` datagrams a call.
    pub(in crate::relay) fn new(capacity: usize) -> Self {
        // SAFETY: `mmsghdr` is integers and raw pointers, for which all-zero is a value.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        let iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        Self { headers: vec![header; capacity].into(), iovecs: vec![iovec; capacity].into() }
    }

    /// Sends `letters`, picked and ordered by `order`, whose bytes lie in `memory`. Never waits:
    /// what the kernel does not take is lost. Says how many were.
    pub(in crate::relay) fn send(
        &mut self,
        socket: BorrowedFd<'_>,
        memory: &[u8],
        letters: &[Letter],
        order: &[u16],
    ) -> u64 {
        let mut lost = 0;
        for order in order.chunks(self.headers.len()) {
            lost += match order {
                [only] if letters[usize::from(*only)].control.bytes().is_empty() => {
                    send_one(socket, memory, &letters[usize::from(*only)])
                }
                _ => self.send_many(socket, memory, letters, order),
            };
        }
        lost
    }

    fn send_many(
        &mut self,
        socket: BorrowedFd<'_>,
        memory: &[u8],
        letters: &[Letter],
        order: &[u16],
    ) -> u64 {
        for (index, letter) in order.iter().map(|at| &letters[usize::from(*at)]).enumerate() {
            let payload = &memory[letter.bytes.clone()];
            let iovec = &mut self.iovecs[index];
            iovec.iov_base = payload.as_ptr().cast_mut().cast();
            iovec.iov_len = payload.len();
            let control = letter.control.bytes();
            let header = &mut self.headers[index].msg_hdr;
            header.msg_iov = iovec;
            header.msg_iovlen = 1;
            header.msg_name = letter.to.as_ptr().cast_mut().cast();
            header.msg_namelen = letter.to.len();
            header.msg_controllen = control.len() as _;
            header.msg_control = match control {
                [] => ptr::null_mut(),
                some => some.as_ptr().cast_mut().cast(),
            };
        }
        let (mut done, mut lost, mut retried) = (0, 0, false);
        while done < order.len() {
            let rest = &mut self.headers[done..order.len()];
            // SAFETY: each header in `rest` was filled above with pointers into `memory`,
            // `letters` and `self.iovecs`, with their true lengths. All are borrowed for the whole
            // call; the kernel only reads them (and writes `msg_len` in `rest`), and keeps none.
            let sent = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    rest.as_mut_ptr(),
                    rest.len() as libc::c_uint,
                    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
                )
            };
            if let Ok(sent) = usize::try_from(sent)
                && sent > 0
            {
                done += sent;
                continue;
            }
            match refusal(&mut retried) {
                Refusal::Again => {}
                Refusal::Skip => (done, lost) = (done + 1, lost + 1),
                Refusal::Full => {
                    lost += (order.len() - done) as u64;
                    break;
                }
            }
        }
        lost
    }
}

/// One datagram without control messages: `sendto(2)` has the least to copy and to check.
fn send_one(socket: BorrowedFd<'_>, memory: &[u8], letter: &Letter) -> u64 {
    let payload = &memory[letter.bytes.clone()];
    let mut retried = false;
    loop {
        // SAFETY: payload and name are borrowed for the whole call, with their true lengths; the
        // kernel only reads them.
        let sent = unsafe {
            libc::sendto(
                socket.as_raw_fd(),
                payload.as_ptr().cast(),
                payload.len(),
                libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
                letter.to.as_ptr().cast(),
                letter.to.len(),
            )
        };
        if sent >= 0 {
            return 0;
        }
        match refusal(&mut retried) {
            Refusal::Again => {}
            Refusal::Skip | Refusal::Full => return 1,
        }
    }
}

/// Judges `errno`. An ICMP error that came in for an earlier datagram is reported in place of
/// sending this one, and is thereby cleared: once a call, the same datagram is tried again.
fn refusal(retried: &mut bool) -> Refusal {
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINTR) => Refusal::Again,
        Some(libc::ECONNREFUSED) if !std::mem::replace(retried, true) => Refusal::Again,
        Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => Refusal::Full,
        _ => Refusal::Skip,
    }
}
