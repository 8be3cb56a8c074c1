//! How connections end (RFC 6062 section 5.5), and what they carried.

use std::time::Duration;

use super::{Connection, State};
use crate::net::Flow;
use crate::time::Now;
use crate::turn::allocation::Allocation;
use crate::turn::bandwidth::Way;
use crate::turn::command::{Command, ConnectionId};
use crate::turn::counters::add;
use crate::turn::relay::Relay;
use crate::turn::response::Response;

impl Relay {
    /// Either side of the connection has ended: [`Command::CloseConnection`] follows for the other.
    pub fn handle_connection_closed(&mut self, _now: Now, id: ConnectionId) {
        self.close_connection(id);
    }

    /// Payload that has passed on a spliced connection since the last time, from the client to the
    /// peer and back. Says how long to read nothing more from either, so that the bandwidth quotas
    /// hold: mostly not at all.
    pub fn count_spliced(&mut self, now: Now, id: ConnectionId, up: u64, down: u64) -> Duration {
        let Some(slot) = self.connections.slot_of(id) else { return Duration::ZERO };
        let Some(allocation) = self.table.get_mut(slot) else { return Duration::ZERO };
        allocation.usage.bytes_up += up;
        allocation.usage.bytes_down += down;
        add(&self.counters.bytes_up, up);
        add(&self.counters.bytes_down, down);
        let (quota, total) = (&self.settings.quota, &self.shared.bandwidth);
        let rest = allocation.charge(now.mono, Way::Up, up, quota, total);
        let rest = rest.max(allocation.charge(now.mono, Way::Down, down, quota, total));
        if !rest.is_zero() {
            self.report_over_bandwidth(slot);
        }
        rest
    }

    /// A client's connection has ended: so does the one it is spliced to.
    pub(in crate::turn) fn unsplice(&mut self, flow: &Flow) {
        if let Some(id) = self.connections.on(flow) {
            self.close_connection(id);
        }
    }

    /// Ends the connections of `slot` whose time is over.
    pub(in crate::turn) fn expire_connections(&mut self, now: Now, slot: usize) {
        let Some(allocation) = self.table.get(slot) else { return };
        let over = allocation
            .connections
            .iter()
            .filter(|(_, connection)| connection.until().is_some_and(|until| until <= now.mono));
        let over: Vec<_> = over.map(|(id, _)| *id).collect();
        over.into_iter().for_each(|id| self.close_connection(id));
    }

    /// Closes a connection; a client that still waits for it is told 447.
    pub(super) fn close_connection(&mut self, id: ConnectionId) {
        if let Some((slot, connection)) = self.forget_connection(id) {
            self.command(Command::CloseConnection { id });
            self.refuse_connect(slot, connection);
        }
    }

    /// 447 to a Connect that has no answer yet.
    pub(super) fn refuse_connect(&mut self, slot: usize, connection: Connection) {
        let State::Connecting { asked, .. } = connection.state else { return };
        let Some(allocation) = self.table.get(slot) else { return };
        let flow = allocation.flow;
        self.answer_later(flow, Response::connect_failed(asked));
    }

    /// Closes every connection of an allocation that has been taken down.
    pub(in crate::turn) fn close_connections(&mut self, allocation: &mut Allocation) {
        for (id, connection) in allocation.connections.drain() {
            self.connections.remove(id, connection.flow());
            self.command(Command::CloseConnection { id });
        }
    }

    /// Takes a connection out of every table.
    pub(super) fn forget_connection(&mut self, id: ConnectionId) -> Option<(usize, Connection)> {
        let slot = self.connections.slot_of(id)?;
        let connection = self.table.get_mut(slot)?.connections.remove(&id)?;
        self.connections.remove(id, connection.flow());
        Some((slot, connection))
    }
}
