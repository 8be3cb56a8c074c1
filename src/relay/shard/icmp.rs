//! What ICMP says about datagrams to peers, from the kernel to the machine (RFC 8656 section 11.5).

use crate::net::PeerAddr;
use crate::stun::Icmp;

use super::super::stats::add;
use super::super::sys::IcmpError;
use super::Shard;

/// The most reports one turn takes from a socket: whoever provokes them gets no more of the shard
/// than others do. What is left comes in the next turn.
const REPORTS: usize = 16;

impl Shard<'_> {
    /// Some of what is in the error queue of a relay socket.
    pub(super) fn read_icmp(&mut self, slot: u32, life: u32) {
        let mut left = REPORTS;
        while let Some(relay) = self.sockets.alive(slot, life) {
            let port = relay.port;
            let Some(error) = relay.socket.next_icmp(&mut left) else { return };
            add(&self.seat.control.stats.icmp_errors, 1);
            let IcmpError { peer, kind, code, mtu: data } = error;
            let icmp = Icmp { kind, code, data };
            // Whether it counts is the machine's business; what it wants to say waits for `settle`.
            let _ = self.relay.handle_icmp(self.now, port, PeerAddr(peer), icmp);
            self.settle();
        }
    }
}
