//! Connections that peers make to a relayed address (RFC 6062 section 5.3).

use std::net::SocketAddr;

use super::{BIND_TIMEOUT, Connection, State};
use crate::net::{PeerAddr, RelayPort};
use crate::time::Now;
use crate::turn::command::{ConnectionId, RelayKind};
use crate::turn::notice::Notice;
use crate::turn::relay::Relay;
use crate::turn::verdict::DropReason;

impl Relay {
    /// A peer has connected to a TCP relay. `Some` is the connection's name: keep it, unread, until
    /// [`Command::Splice`](crate::turn::Command::Splice) or
    /// [`Command::CloseConnection`](crate::turn::Command::CloseConnection). `None`: close it.
    pub fn handle_connection(
        &mut self,
        now: Now,
        port: RelayPort,
        from: PeerAddr,
    ) -> Option<ConnectionId> {
        match self.attempt(now, port, from.0) {
            Ok(id) => Some(id),
            Err(reason) => {
                self.counters.dropped(reason);
                None
            }
        }
    }

    fn attempt(
        &mut self,
        now: Now,
        port: RelayPort,
        peer: SocketAddr,
    ) -> Result<ConnectionId, DropReason> {
        let slot = self.table.slot_on(port).ok_or(DropReason::NoAllocation)?;
        let allocation = self.table.get(slot).ok_or(DropReason::NoAllocation)?;
        // Without a permission the connection is closed at once.
        let permission = allocation.permissions.get(&peer.ip());
        let permission = permission.filter(|permission| now.mono < permission.expires);
        let guard = permission.ok_or(DropReason::NoPermission)?.guard;
        if !self.policy.passes(guard, peer.port(), RelayKind::Tcp, &self.shared.ports) {
            return Err(DropReason::RefusedPeer);
        }
        // The same two addresses again: the connection before this one is dead, and nobody said so.
        let same = |(_, connection): &(&ConnectionId, &Connection)| connection.peer == peer;
        let before = allocation.connections.iter().find(same).map(|(id, _)| *id);
        if let Some(before) = before {
            self.close_connection(before);
        }
        let allocation = self.table.get(slot).ok_or(DropReason::NoAllocation)?;
        if allocation.connections.len() >= self.settings.limits.connections_per_allocation {
            return Err(DropReason::Overloaded);
        }
        let id = self.connections.open(slot, &mut self.random).ok_or(DropReason::Overloaded)?;
        let state = State::Waiting { until: now.mono + BIND_TIMEOUT };
        let allocation = self.table.get_mut(slot).ok_or(DropReason::NoAllocation)?;
        allocation.connections.insert(id, Connection { peer, state });
        let flow = allocation.flow;
        let known = SocketAddr::new(self.policy.outward(peer.ip()), peer.port());
        self.schedule(now, slot);
        self.notify(flow, Notice::Attempt { connection: id, peer: known });
        Ok(id)
    }
}
