//! Connect (RFC 6062 section 5.2): a connection to a peer, from the relayed address.

use std::net::SocketAddr;

use super::{Asked, BIND_TIMEOUT, CONNECT_TIMEOUT, Connection, State};
use crate::net::PeerAddr;
use crate::stun::{Message, XorPeerAddress};
use crate::time::Now;
use crate::turn::allocation::Allocation;
use crate::turn::command::{Command, ConnectionId, RelayKind};
use crate::turn::permission::WRONG_FAMILY;
use crate::turn::refresh::NO_ALLOCATION;
use crate::turn::reject::Reject;
use crate::turn::relay::Relay;
use crate::turn::request::{Outcome, Requester};
use crate::turn::response::Response;

impl Relay {
    pub(in crate::turn) fn connect(
        &mut self,
        now: Now,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        // An allocation that does not exist is 437, one of datagrams no place for connections.
        let Requester::Owner(slot, key) = requester else { return Err(NO_ALLOCATION) };
        let allocation = self.table.get(slot).ok_or(NO_ALLOCATION)?;
        if allocation.kind != RelayKind::Tcp {
            return Err(Reject::Rule(403, "Connect on an allocation that relays UDP"));
        }
        let peer = message.get::<XorPeerAddress>().map_err(Reject::malformed)?;
        let Some(XorPeerAddress(peer)) = peer else {
            return Err(Reject::Rule(400, "XOR-PEER-ADDRESS is missing"));
        };
        let from = allocation.relays.port_for(peer.ip()).ok_or(WRONG_FAMILY)?;
        let to = SocketAddr::new(self.policy.inward(peer.ip()), peer.port());
        self.connectable(allocation, peer, to)?;
        // A second connection between the same two addresses cannot be, who ever began the first.
        if allocation.connections.values().any(|connection| connection.peer == to) {
            return Err(Reject::Rule(446, "there is a connection to this peer already"));
        }
        if allocation.connections.len() >= self.settings.limits.connections_per_allocation {
            return Err(FULL);
        }
        let id = self.connections.open(slot, &mut self.random).ok_or(FULL)?;
        let (asked, fingerprint) = (message.transaction_id(), message.has_fingerprint());
        let asked = Asked { id: asked, fingerprint, key };
        let state = State::Connecting { asked, until: now.mono + CONNECT_TIMEOUT };
        let allocation = self.table.get_mut(slot).ok_or(NO_ALLOCATION)?;
        allocation.connections.insert(id, Connection { peer: to, state });
        self.command(Command::Connect { id, from, to: PeerAddr(to) });
        self.schedule(now, slot);
        Ok(Outcome::Later)
    }

    /// Local policy, or 403. Connect asks for no permission: it is as good as one.
    fn connectable(
        &self,
        allocation: &Allocation,
        named: SocketAddr,
        to: SocketAddr,
    ) -> Result<(), Reject> {
        let guard = self.policy.judge_port(to);
        let guard = guard.map_err(|refusal| Reject::Peer(named.ip(), refusal))?;
        if !self.policy.passes(guard, to.port(), RelayKind::Tcp, &self.shared.ports) {
            return Err(Reject::Rule(403, "the peer is this host, and no live relay port there"));
        }
        let mut own = allocation.relays.addresses().into_iter();
        let itself = own.any(|own| SocketAddr::new(self.policy.inward(own.ip()), own.port()) == to);
        match itself || to.port() == 0 {
            true => Err(Reject::Rule(403, "the peer is the relayed address itself, or port 0")),
            false => Ok(()),
        }
    }

    /// The peer has accepted: the client is told how to bind the connection.
    pub(in crate::turn) fn connected(&mut self, now: Now, id: ConnectionId) {
        let Some(slot) = self.connections.slot_of(id) else { return };
        let Some(allocation) = self.table.get_mut(slot) else { return };
        let Some(connection) = allocation.connections.get_mut(&id) else { return };
        let State::Connecting { .. } = connection.state else { return };
        let waiting = State::Waiting { until: now.mono + BIND_TIMEOUT };
        let before = std::mem::replace(&mut connection.state, waiting);
        let ip = connection.peer.ip();
        if !allocation.permissions.contains_key(&ip) {
            allocation.usage.peers = allocation.usage.peers.saturating_add(1);
        }
        let flow = allocation.flow;
        self.schedule(now, slot);
        if let State::Connecting { asked, .. } = before {
            self.answer_later(flow, Response::connected(asked, id));
        }
    }

    /// The peer cannot be reached: 447.
    pub(in crate::turn) fn connect_failed(&mut self, id: ConnectionId) {
        let Some((slot, connection)) = self.forget_connection(id) else { return };
        self.refuse_connect(slot, connection);
    }
}

const FULL: Reject = Reject::Rule(508, "`limits.connections_per_allocation` is reached");
