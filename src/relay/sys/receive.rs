//! `recvmmsg(2)`: many datagrams in one call.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use crate::relay::buffers::Buffers;

use super::control::{Ancillary, ReceiveControl};
use super::name::Name;

/// Headers for one call of `recvmmsg`, made once and used again and again.
pub(in crate::relay) struct ReceiveBatch {
    headers: Box<[libc::mmsghdr]>,
    iovecs: Box<[libc::iovec]>,
    names: Box<[Name]>,
    controls: Box<[ReceiveControl]>,
}

/// What is known of a datagram beside its bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::relay) struct Datagram {
    /// Who sent it. `None` is an address family that UDP does not have.
    pub(in crate::relay) from: Option<SocketAddr>,
    /// Bytes received.
    pub(in crate::relay) len: usize,
    /// The datagram was larger than the buffer: the rest is lost.
    pub(in crate::relay) truncated: bool,
    /// What came with it.
    pub(in crate::relay) ancillary: Ancillary,
}

impl Datagram {
    /// How many datagrams it is: more than one when it is a train.
    pub(in crate::relay) fn packets(&self) -> usize {
        match self.ancillary.segment {
            0 => 1,
            size => self.len.div_ceil(size).max(1),
        }
    }

    /// Where each datagram of a train begins, and how long it is.
    pub(in crate::relay) fn each(&self) -> impl Iterator<Item = (usize, usize)> + use<> {
        let (len, size) = (self.len, self.ancillary.segment.max(1));
        (0..len).step_by(size).map(move |at| (at, size.min(len - at)))
    }
}

impl ReceiveBatch {
    /// Headers for up to `capacity` datagrams a call.
    pub(in crate::relay) fn new(capacity: usize) -> Self {
        // SAFETY: `mmsghdr` is integers and raw pointers, for which all-zero is a value.
        let header: libc::mmsghdr = unsafe { std::mem::zeroed() };
        let iovec = libc::iovec { iov_base: ptr::null_mut(), iov_len: 0 };
        Self {
            headers: vec![header; capacity].into(),
            iovecs: vec![iovec; capacity].into(),
            names: vec![Name::EMPTY; capacity].into(),
            controls: vec![ReceiveControl::EMPTY; capacity].into(),
        }
    }

    /// Receives up to `count` datagrams into the slots `first..first + count` of `buffers`, without
    /// waiting. Says how many; [`Self::datagram`] describes them until the next call.
    pub(in crate::relay) fn receive(
        &mut self,
        socket: BorrowedFd<'_>,
        buffers: &mut Buffers,
        first: usize,
        count: usize,
    ) -> io::Result<usize> {
        let count = count.min(self.headers.len());
        for index in 0..count {
            let room = buffers.room(first + index);
            let iovec = &mut self.iovecs[index];
            iovec.iov_base = room.as_mut_ptr().cast();
            iovec.iov_len = room.len();
            let header = &mut self.headers[index].msg_hdr;
            header.msg_iov = iovec;
            header.msg_iovlen = 1;
            header.msg_name = self.names[index].as_mut_ptr().cast();
            header.msg_namelen = Name::CAPACITY;
            header.msg_control = self.controls[index].0.as_mut_ptr().cast();
            header.msg_controllen = ReceiveControl::CAPACITY as _;
        }
        // SAFETY: the first `count` headers point at `iovecs`, `names` and `controls` of `self` and
        // at disjoint slots of `buffers`, with their true lengths; all four are borrowed mutably
        // for the whole call, and the kernel keeps no pointer after it.
        let received = unsafe {
            libc::recvmmsg(
                socket.as_raw_fd(),
                self.headers.as_mut_ptr(),
                count as libc::c_uint,
                libc::MSG_DONTWAIT as _,
                ptr::null_mut(),
            )
        };
        usize::try_from(received).map_err(|_| io::Error::last_os_error())
    }

    /// The datagram at `index` of the last call.
    pub(in crate::relay) fn datagram(&self, index: usize) -> Datagram {
        let header = &self.headers[index];
        let controls = &self.controls[index].0;
        // A `size_t` on glibc, 32 bits on musl.
        #[allow(clippy::unnecessary_cast)]
        let written = (header.msg_hdr.msg_controllen as usize).min(controls.len());
        Datagram {
            from: self.names[index].decode(header.msg_hdr.msg_namelen),
            len: header.msg_len as usize,
            truncated: header.msg_hdr.msg_flags & libc::MSG_TRUNC != 0,
            ancillary: Ancillary::decode(&controls[..written]),
        }
    }
}
