//! One UDP socket of a shard: what listeners and relay sockets have in common.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicU64;

use socket2::{Domain, Protocol, Type};

use super::batch::Chain;
use super::stats::add;
use super::sys::{self, Fragmenting, Granted};

/// The most datagrams one call receives.
pub(super) const BATCH: usize = 64;

/// Whether the port may be shared with the other shards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nobody else may have it.
    Exclusive,
    /// `SO_REUSEPORT`: the kernel spreads clients over all sockets of the port.
    Shards,
}

/// A bound UDP socket and what the shard remembers of it.
#[derive(Debug)]
pub(super) struct Socket {
    inner: socket2::Socket,
    ipv4: bool,
    /// What waits to be sent from here.
    pub(super) pending: Chain,
    /// How many datagrams the next call asks for: see [`Self::learn`].
    want: u8,
    fragmenting: Fragmenting,
    drops: u32,
}

impl Socket {
    /// Binds `address` with every option both kinds need.
    pub(super) fn bind(address: SocketAddr, sharing: Sharing) -> io::Result<Self> {
        let ipv4 = address.is_ipv4();
        let inner =
            socket2::Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
        inner.set_nonblocking(true)?;
        if !ipv4 {
            inner.set_only_v6(true)?;
        }
        if sharing == Sharing::Shards {
            inner.set_reuse_port(true)?;
        }
        sys::on_any_datagram_socket(inner.as_fd(), ipv4)?;
        if address.ip().is_unspecified() {
            sys::on_wildcard(inner.as_fd(), ipv4)?;
        }
        // Before binding: from then on datagrams come in.
        sys::enlarge_buffers(inner.as_fd());
        inner.bind(&address.into())?;
        let (pending, fragmenting) = (Chain::EMPTY, Fragmenting::Allowed);
        Ok(Self { inner, ipv4, pending, want: 1, fragmenting, drops: 0 })
    }

    /// Lets the sockets of other shards join this port.
    pub(super) fn share(&self) -> io::Result<()> {
        self.inner.set_reuse_port(true)
    }

    /// Where it is bound.
    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()?.as_socket().ok_or_else(|| io::ErrorKind::Unsupported.into())
    }

    /// The buffers it has.
    pub(super) fn buffers(&self) -> Granted {
        sys::enlarge_buffers(self.inner.as_fd())
    }

    /// How many datagrams to ask for.
    pub(super) fn want(&self) -> usize {
        usize::from(self.want)
    }

    /// Asks for more next time when all that was asked for came, and for no more than came
    /// otherwise. A socket that gets one packet at a time is so spared the second look into its
    /// empty queue, which costs as much as a fifth of receiving; one with bursts gets them whole.
    pub(super) fn learn(&mut self, got: usize) {
        let next = match got {
            all if all >= self.want() => self.want() * 8,
            less => less.next_power_of_two(),
        };
        self.want = next.clamp(1, BATCH) as u8;
    }

    /// Takes the kernel's drop counter; what is new in it is added to `total`.
    pub(super) fn note_drops(&mut self, drops: u32, total: &AtomicU64) {
        add(total, u64::from(drops.wrapping_sub(self.drops)));
        self.drops = drops;
    }

    /// Reads the kernel's drop counter a last time: drops that no later datagram reported.
    pub(super) fn note_last_drops(&mut self, total: &AtomicU64) {
        if let Ok(drops) = sys::kernel_drops(self.inner.as_fd()) {
            self.note_drops(drops, total);
        }
    }

    /// Makes what is sent from now on (not) carry the IPv4 don't-fragment bit. IPv6 has none.
    pub(super) fn forbid_fragments(&mut self, forbid: bool) {
        let wanted = if forbid { Fragmenting::Forbidden } else { Fragmenting::Allowed };
        if self.ipv4 && self.fragmenting != wanted {
            // It cannot fail on an IPv4 socket; if it did, the packet still goes.
            let _ = sys::set_fragmenting(self.inner.as_fd(), wanted);
            self.fragmenting = wanted;
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.as_fd()
    }
}
