//! `sendmmsg(2)`: many datagrams of one socket in one call, and those of one size to one receiver as one
//! train (`UDP_SEGMENT`).

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::relay::content::Content;

use super::control::TrainControl;
use super::letter::{Letter, MAX_SEGMENTS, train};

/// Pieces of memory in one call: a whole train of letters fits with room to spare.
const PIECES: usize = 4 * MAX_SEGMENTS * Content::PIECES;

/// A train whose datagrams are no larger than this is refused for no reason of its size.
const SURELY_FITS: usize = 1200;

/// Headers for one call of `sendmmsg`, made once and used again and again.
pub(in crate::relay) struct SendBatch {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    controls: Box<[TrainControl]>,
    /// How many letters each header holds.
    counts: Box<[u8]>,
    /// The largest datagram of a train. Smaller after the kernel said that one was too large for
    /// the way it goes; zero where it takes no trains at all.
    largest: usize,
    /// Trains the kernel did not take, whose datagrams went alone.
    refused: u64,
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
    /// Headers for up to `capacity` datagrams or trains a call; no trains unless `trains`.
    pub(in crate::relay) fn new(capacity: usize, trains: bool) -> Self {
        // SAFETY: `mmsghdr` is integers and raw pointers, for which all-zero is a value.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        let iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        Self {
            headers: vec![header; capacity].into(),
            iovecs: vec![iovec; PIECES].into(),
            controls: vec![TrainControl::EMPTY; capacity].into(),
            counts: vec![0; capacity].into(),
            largest: if trains { usize::MAX } else { 0 },
            refused: 0,
        }
    }

    /// How many trains were refused since this was asked last.
    pub(in crate::relay) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
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
        if let [only] = order {
            let letter = &letters[usize::from(*only)];
            if letter.is_whole() && letter.control.bytes().is_empty() {
                return send_one(socket, memory, letter);
            }
        }
        self.send_many(socket, memory, letters, order)
    }

    fn send_many(
        &mut self,
        socket: BorrowedFd<'_>,
        memory: &[u8],
        letters: &[Letter],
        order: &[u16],
    ) -> u64 {
        let (mut done, mut lost, mut tries) = (0, 0, 0);
        // Letters before this one go alone: the kernel did not take them as a train, for this reason.
        let (mut alone, mut refused) = (0, None);
        while done < order.len() {
            let filled = self.fill(memory, letters, order, done, alone);
            let headers = &mut self.headers[..filled];
            // SAFETY: the first `filled` headers were filled just now with pointers into `memory`,
            // `letters`, `self.iovecs` and `self.controls`, with their true lengths. All are borrowed
            // for the whole call; the kernel only reads them (and writes `msg_len` in the headers),
            // and keeps none.
            let sent = unsafe {
                libc::sendmmsg(
                    socket.as_raw_fd(),
                    headers.as_mut_ptr(),
                    headers.len() as libc::c_uint,
                    (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as _,
                )
            };
            if let Ok(sent) = usize::try_from(sent)
                && sent > 0
            {
                // It was the train, not what was in it: alone it went.
                if let Some((error, size)) = refused.take() {
                    self.largest = self.learn(error, size);
                    self.refused += 1;
                }
                let letters = self.counts[..sent].iter().map(|count| usize::from(*count));
                (done, tries) = (done + letters.sum::<usize>(), 0);
                continue;
            }
            let error = io::Error::last_os_error().raw_os_error();
            let count = usize::from(self.counts[0]);
            match refusal(error, &mut tries) {
                Refusal::Again => {}
                Refusal::Skip if count > 1 => {
                    refused = Some((error, letters[usize::from(order[done])].len()));
                    (alone, tries) = (done + count, 0);
                }
                Refusal::Skip => {
                    (done, lost, tries, refused) = (done + 1, lost + 1, 0, None);
                }
                Refusal::Full => {
                    lost += (order.len() - done) as u64;
                    break;
                }
            }
        }
        lost
    }

    /// Fills headers with what comes from `order[done]` on, as much as fits one call. Says how many.
    fn fill(
        &mut self,
        memory: &[u8],
        letters: &[Letter],
        order: &[u16],
        done: usize,
        alone: usize,
    ) -> usize {
        let (mut at, mut header, mut piece) = (done, 0, 0);
        while at < order.len() && header < self.headers.len() {
            let largest = if at < alone { 0 } else { self.largest };
            let count = train(letters, &order[at..], largest);
            if piece + count * Content::PIECES > self.iovecs.len() {
                break;
            }
            let begin = piece;
            for letter in order[at..at + count].iter().map(|at| &letters[usize::from(*at)]) {
                for bytes in letter.pieces(memory) {
                    self.iovecs[piece].iov_base = bytes.as_ptr().cast_mut().cast();
                    self.iovecs[piece].iov_len = bytes.len();
                    piece += 1;
                }
            }
            let first = &letters[usize::from(order[at])];
            let control = match count {
                1 => first.control.bytes(),
                _ => self.controls[header].write(&first.control, first.len()),
            };
            let message = &mut self.headers[header].msg_hdr;
            message.msg_iov = self.iovecs[begin..].as_mut_ptr();
            message.msg_iovlen = (piece - begin) as _;
            message.msg_name = first.to.as_ptr().cast_mut().cast();
            message.msg_namelen = first.to.len();
            message.msg_controllen = control.len() as _;
            message.msg_control = match control {
                [] => ptr::null_mut(),
                some => some.as_ptr().cast_mut().cast(),
            };
            self.counts[header] = count as u8;
            (at, header) = (at + count, header + 1);
        }
        header
    }

    /// What the largest datagram of a train is after one of datagrams of this `size` was refused of which the
    /// first then went alone. `EMSGSIZE` is about their size: larger than the way takes in one piece.
    /// Before Linux 6.14 that was `EINVAL`. Of a size which every way takes that ends trains for good, and so
    /// does `EIO` (the way cannot sum up). Any other number may be what ICMP said, thrice and so fast that no
    /// try got through: nothing is learnt from it, nor from an `EMSGSIZE` that cannot be about the size.
    fn learn(&self, error: Option<i32>, size: usize) -> usize {
        match error {
            Some(libc::EMSGSIZE | libc::EINVAL) if size > SURELY_FITS => self.largest.min(size - 1),
            Some(libc::EINVAL | libc::EIO) => 0,
            _ => self.largest,
        }
    }
}

/// One datagram without control messages: `sendto(2)` has the least to copy and to check.
fn send_one(socket: BorrowedFd<'_>, memory: &[u8], letter: &Letter) -> u64 {
    let payload = &memory[letter.content.bytes.clone()];
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
        let error = io::Error::last_os_error().raw_os_error();
        match refusal(error, &mut tries) {
            Refusal::Again => {}
            Refusal::Skip | Refusal::Full => return 1,
        }
    }
}

/// How often one datagram is tried: ICMP may report another error between two tries.
const TRIES: u32 = 3;

/// Judges the `error` after a try at one datagram or train; `tries` counts them.
///
/// On a socket that keeps ICMP errors, what ICMP said about an earlier datagram is returned in place
/// of sending this one, under the same numbers that this one's own troubles have. It is thereby
/// cleared, so that another try tells the two apart. `ENOBUFS` is a datagram that the interface's
/// queue has dropped; the next may fit.
fn refusal(error: Option<i32>, tries: &mut u32) -> Refusal {
    *tries += 1;
    match error {
        Some(libc::EINTR) => Refusal::Again,
        Some(libc::EAGAIN | libc::ENOMEM) => Refusal::Full,
        Some(libc::ENOBUFS | libc::EINVAL | libc::EAFNOSUPPORT | libc::EPERM) => Refusal::Skip,
        _ if *tries < TRIES => Refusal::Again,
        _ => Refusal::Skip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_refuses_makes_trains_smaller_or_ends_them() {
        let batch = SendBatch::new(4, true);
        let after = |error, size| batch.learn(Some(error), size);
        assert_eq!(after(libc::EINVAL, 1473), 1472, "larger than the way takes");
        assert_eq!(after(libc::EINVAL, 900), 0, "every way takes these");
        assert_eq!(after(libc::EIO, 1472), 0, "the card cannot sum up");
        assert_eq!(after(libc::EMSGSIZE, 1473), 1472, "the same, as it is said today");
        for icmp in [libc::ECONNREFUSED, libc::ENOPROTOOPT, libc::EOPNOTSUPP] {
            assert_eq!(after(icmp, 1472), usize::MAX, "not about trains");
        }
        assert_eq!(after(libc::EMSGSIZE, 900), usize::MAX, "nor is this");
    }
}
