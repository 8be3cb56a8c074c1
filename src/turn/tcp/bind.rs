//! ConnectionBind (RFC 6062 section 5.4): a connection of the client becomes the other half of one to
//! a peer.

use super::State;
use crate::net::Flow;
use crate::stun::{ConnectionId as ConnectionIdAttribute, Message, Method};
use crate::turn::command::{Command, ConnectionId};
use crate::turn::reject::Reject;
use crate::turn::relay::Relay;
use crate::turn::request::{Outcome, Requester};
use crate::turn::response::Response;

impl Relay {
    /// The shard that has the connection, where this one has not. Only what claims to be signed is
    /// passed on: whoever has to be challenged is challenged here.
    pub(in crate::turn) fn elsewhere(&self, flow: &Flow, message: &Message<'_>) -> Option<u8> {
        let shard = named(message)?.shard();
        let signed = message.has_integrity() || message.has_integrity_sha256();
        let ours = shard == self.connections.shard() || !self.shared.has_shard(shard);
        let stays = ours || !signed || !flow.transport.is_stream();
        (!stays && self.table.slot_of(flow).is_none()).then_some(shard)
    }

    /// The allocation that `message` is about: of the five-tuple, or, for a ConnectionBind, which
    /// comes on a five-tuple of its own, of the connection it names.
    pub(in crate::turn) fn slot_about(&self, flow: &Flow, message: &Message<'_>) -> Option<usize> {
        match message.method() {
            Method::CONNECTION_BIND => named(message).and_then(|id| self.connections.slot_of(id)),
            _ => self.table.slot_of(flow),
        }
    }

    pub(in crate::turn) fn connection_bind(
        &mut self,
        flow: Flow,
        message: &Message<'_>,
        requester: Requester,
    ) -> Result<Outcome, Reject> {
        if !flow.transport.is_stream() {
            return Err(Reject::Rule(400, "ConnectionBind comes over TCP or TLS"));
        }
        // A control connection cannot be a data connection as well, nor serve two peers.
        if self.table.slot_of(&flow).is_some() || self.connections.on(&flow).is_some() {
            return Err(Reject::Rule(400, "ConnectionBind on a connection that is in use"));
        }
        let Requester::Owner(slot, key) = requester else { return Err(UNKNOWN) };
        let id = named(message).ok_or(UNKNOWN)?;
        let allocation = self.table.get_mut(slot).ok_or(UNKNOWN)?;
        let connection = allocation.connections.get_mut(&id).ok_or(UNKNOWN)?;
        let State::Waiting { .. } = connection.state else { return Err(UNKNOWN) };
        connection.state = State::Spliced { flow };
        self.connections.splice(id, flow);
        self.command(Command::Splice { connection: id, flow });
        Ok(Outcome::Answer(Response::done(message, &key)))
    }
}

/// The connection in CONNECTION-ID, if there is one that makes sense.
fn named(message: &Message<'_>) -> Option<ConnectionId> {
    let id = message.get::<ConnectionIdAttribute>().ok().flatten()?;
    Some(ConnectionId(id.0))
}

const UNKNOWN: Reject =
    Reject::Rule(400, "CONNECTION-ID is missing, or names no connection that waits to be bound");
