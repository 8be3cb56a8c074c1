//! One UDP socket of a shard: what listeners and relay sockets have in common.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::AtomicU64;

use socket2::{Domain, Protocol, Type};

use super::batch::Chain;
use super::stats::add;
use super::sys::{self, Fragmenting, Granted, IcmpError};

/// The most datagrams one call receives.
pub(super) const BATCH: usize = 64;

/// How many packets of one socket a turn should take: one heavy flow must not hold up the others. Smaller
/// shares where many are ready were measured: beside 50 peers that all sent more than was relayed, 32 packets
/// of each a turn let others wait 2 ms instead of 3 to 7, but a packet cost a tenth more.
const TURN: usize = 4 * BATCH;

/// For so many turns a socket counts as not emptied after all that was asked for came: with many
/// sockets ready, its next look comes that much later.
const RECENT: u64 = 8;

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
    /// How many datagrams came last time, rounded up: see [`Self::want`].
    usual: u8,
    /// How many one call may fetch: fewer when they are trains, see [`TURN`].
    most: u8,
    /// The turn of the last look, if all that was asked for came; else 0.
    full_in: u64,
    fragmenting: Fragmenting,
    drops: u32,
}

impl Socket {
    /// Binds `address` with every option both kinds need.
    pub(super) fn bind(address: SocketAddr, sharing: Sharing) -> io::Result<Self> {
        let ipv4 = address.is_ipv4();
        let (domain, kind) = (Domain::for_address(address), Type::DGRAM.nonblocking());
        let inner = socket2::Socket::new(domain, kind, Some(Protocol::UDP))?;
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
        // All before binding: from then on datagrams come in.
        sys::enlarge_buffers(inner.as_fd());
        inner.bind(&address.into())?;
        let (pending, fragmenting) = (Chain::EMPTY, Fragmenting::Allowed);
        Ok(Self {
            inner,
            ipv4,
            pending,
            usual: 1,
            most: BATCH as u8,
            full_in: 0,
            fragmenting,
            drops: 0,
        })
    }

    /// Keeps what ICMP says about datagrams that leave from here.
    pub(super) fn report_icmp(&self) -> io::Result<()> {
        sys::report_icmp(self.inner.as_fd(), self.ipv4)
    }

    /// Lets datagrams come as trains, where the kernel can.
    pub(super) fn receive_trains(&self) {
        // An older kernel cannot, and gives each by itself as before.
        let _ = sys::receive_trains(self.inner.as_fd());
    }

    /// The oldest ICMP message that was kept; others' reports are passed over, at most `most` of
    /// all. `None` when there is none, or not among so many.
    pub(super) fn next_icmp(&self, most: &mut usize) -> Option<IcmpError> {
        while *most > 0 {
            *most -= 1;
            if let Some(error) = sys::next_error(self.inner.as_fd()).ok()? {
                return Some(error);
            }
        }
        None
    }

    /// From now on only what comes from `remote` comes in here.
    pub(super) fn connect(&self, remote: SocketAddr) -> io::Result<()> {
        self.inner.connect(&remote.into())
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
        sys::granted_buffers(self.inner.as_fd())
    }

    /// How many datagrams to ask for in this turn: as many as usual, and a whole batch when a turn
    /// just now may have left some behind. A socket that gets one packet at a time is so spared the second
    /// look into its empty queue; one with bursts gets them whole.
    pub(super) fn want(&self, turn: u64) -> usize {
        let just_now = turn <= self.full_in + RECENT;
        usize::from(if just_now { self.most } else { self.usual })
    }

    /// Whether it was looked at in this turn, and not emptied: it has had its share.
    pub(super) fn had_its_share(&self, turn: u64) -> bool {
        self.full_in == turn
    }

    /// `got` datagrams or trains came where `asked` were asked for, `packets` in all.
    pub(super) fn learn(&mut self, turn: u64, asked: usize, got: usize, packets: usize) {
        self.full_in = if got >= asked { turn } else { 0 };
        let most = (TURN * got).checked_div(packets).unwrap_or(BATCH).clamp(1, BATCH);
        self.most = most as u8;
        self.usual = got.next_power_of_two().clamp(1, most) as u8;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn socket() -> Socket {
        Socket::bind(([127, 0, 0, 1], 0).into(), Sharing::Exclusive).expect("a loopback socket")
    }

    #[test]
    fn what_a_turn_left_behind_is_fetched_whole() {
        let mut socket = socket();
        assert_eq!(socket.want(70), 1);
        socket.learn(70, 1, 1, 1);
        assert_eq!(socket.want(71), BATCH);
        socket.learn(71, BATCH, 5, 5);
        assert_eq!(socket.want(72), 8, "it is empty again");
    }

    #[test]
    fn a_burst_is_asked_for_whole_when_it_comes_again() {
        let mut socket = socket();
        socket.learn(70, BATCH, 30, 30);
        assert_eq!(socket.want(90), 32);
        socket.learn(90, 64, BATCH, BATCH);
        assert_eq!(socket.want(200), BATCH, "and never for more than a batch");
    }

    #[test]
    fn a_socket_with_a_packet_now_and_then_is_asked_for_one() {
        let mut socket = socket();
        socket.learn(70, 1, 1, 1);
        assert_eq!(socket.want(90), 1);
        socket.learn(90, 1, 0, 0);
        assert_eq!(socket.want(91), 1);
    }

    #[test]
    fn long_trains_are_fetched_a_few_at_a_time() {
        let mut socket = socket();
        socket.learn(70, BATCH, BATCH, BATCH * 64);
        assert_eq!(socket.want(71), 4);
        socket.learn(71, 4, 4, 4);
        assert_eq!(socket.want(72), BATCH, "single ones again");
    }

    #[test]
    fn the_kernels_drop_counter_may_wrap() {
        let mut socket = socket();
        let total = AtomicU64::new(0);
        socket.note_drops(u32::MAX, &total);
        socket.note_drops(1, &total);
        assert_eq!(total.into_inner(), u64::from(u32::MAX) + 2);
    }
}
