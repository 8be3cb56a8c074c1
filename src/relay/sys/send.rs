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
        let (mut done, mut lost, mut tries) = (0, 0, 0);
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
                (done, tries) = (done + sent, 0);
                continue;
            }
            match refusal(&mut tries) {
                Refusal::Again => {}
                Refusal::Skip => (done, lost, tries) = (done + 1, lost + 1, 0),
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
    let mut tries = 0;
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
        match refusal(&mut tries) {
            Refusal::Again => {}
            Refusal::Skip | Refusal::Full => return 1,
        }
    }
}

/// How often one datagram is tried: ICMP may report another error between two tries.
const TRIES: u32 = 3;

/// Judges `errno` after a try at one datagram; `tries` counts them.
///
/// On a socket that keeps ICMP errors, what ICMP said about an earlier datagram is returned in place
/// of sending this one, under the same numbers that this one's own troubles have. It is thereby
/// cleared, so that another try tells the two apart. `ENOBUFS` is a datagram that the interface's
/// queue has dropped; the next may fit.
fn refusal(tries: &mut u32) -> Refusal {
    *tries += 1;
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::EINTR) => Refusal::Again,
        Some(libc::EAGAIN | libc::ENOMEM) => Refusal::Full,
        Some(libc::ENOBUFS | libc::EINVAL | libc::EAFNOSUPPORT | libc::EPERM) => Refusal::Skip,
        _ if *tries < TRIES => Refusal::Again,
        _ => Refusal::Skip,
    }
}
