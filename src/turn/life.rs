//! How long an allocation lives (RFC 8656 section 5), and how it ends: with everything that is its own.

use super::allocation::{Allocation, Phase, Relayed};
use super::command::Command;
use super::event::{EndReason, Event};
use super::relay::Relay;
use super::tcp::Connection;
use super::timers::HORIZON;
use crate::net::RelayPort;
use crate::time::Now;

impl Relay {
    /// Sets the timer of `slot` to the next thing that may end in it.
    pub(super) fn schedule(&mut self, now: Now, slot: usize) {
        let Some(allocation) = self.table.get(slot) else { return };
        let relays = allocation.relays.iter().map(|relayed| relayed.expires);
        let connections = allocation.connections.values().filter_map(Connection::until);
        let next = relays.chain(connections).min();
        let due = next.unwrap_or(now.mono).min(now.mono + HORIZON);
        self.timers.set(now.mono, slot, due);
    }

    /// A timer of `slot` has run out: whatever has expired goes.
    pub(super) fn tend(&mut self, now: Now, slot: usize) {
        let Some(allocation) = self.table.get_mut(slot) else { return };
        if allocation.expires() <= now.mono {
            return self.end(now, slot, EndReason::Expired);
        }
        allocation.sweep(now.mono);
        if let Some(relayed) = allocation.retire(|relayed| relayed.expires <= now.mono) {
            self.close(relayed);
        }
        self.expire_connections(now, slot);
        self.schedule(now, slot);
    }

    /// Removes an allocation with everything that is its own, and reports its life.
    pub(super) fn end(&mut self, now: Now, slot: usize, reason: EndReason) {
        let Some(allocation) = self.take_down(slot) else { return };
        // One whose client was never told of it has no life to report.
        if allocation.phase == Phase::Open {
            let summary = allocation.summary(now.mono, reason);
            self.counters.allocation_ended(reason);
            self.record(Event::AllocationClosed(Box::new(summary)));
        }
        self.close_all(allocation);
    }

    /// Takes an allocation out of every table but that of the ports.
    pub(super) fn take_down(&mut self, slot: usize) -> Option<Allocation> {
        self.timers.cancel(slot);
        self.table.remove(slot)
    }

    /// Closes the sockets of an allocation that has been taken down.
    pub(super) fn close_all(&mut self, mut allocation: Allocation) {
        self.close_connections(&mut allocation);
        while let Some(relayed) = allocation.relays.take(|_| true) {
            self.close(relayed);
        }
    }

    /// Closes one relayed address; its claim on the port goes with it.
    pub(super) fn close(&mut self, relayed: Relayed) {
        if let Some(id) = relayed.opening {
            self.openings.remove(&id);
        }
        let port: RelayPort = relayed.claim.port();
        self.table.unlink(port);
        self.command(Command::CloseRelay { port });
    }
}
