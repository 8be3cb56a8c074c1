//! TCP connections to peers (RFC 6062): asked for by Connect or announced by a ConnectionAttempt,
//! and spliced to a connection of the client by ConnectionBind. Their bytes never come by here.

use std::time::Duration;

use super::command::ConnectionId;
use super::relay::Relay;
use crate::net::{PeerAddr, RelayPort};
use crate::time::Now;

impl Relay {
    /// A peer has connected to a TCP relay. `Some` is the connection's name: keep it, unread, until
    /// [`Command::Splice`](super::Command::Splice) or
    /// [`Command::CloseConnection`](super::Command::CloseConnection). `None`: close it.
    pub fn handle_connection(
        &mut self,
        _now: Now,
        _port: RelayPort,
        _from: PeerAddr,
    ) -> Option<ConnectionId> {
        None
    }

    /// Either side of the connection has ended: what is left of it is closed.
    pub fn handle_connection_closed(&mut self, _now: Now, _id: ConnectionId) {}

    /// Bytes that have passed on a spliced connection, from the client to the peer and back. Says how
    /// long to read no more from either side, so that the bandwidth quotas hold: mostly not at all.
    pub fn count_spliced(
        &mut self,
        _now: Now,
        _id: ConnectionId,
        _up: u64,
        _down: u64,
    ) -> Duration {
        Duration::ZERO
    }

    pub(super) fn connected(&mut self, _now: Now, _id: ConnectionId) {}

    pub(super) fn connect_failed(&mut self, _now: Now, _id: ConnectionId) {}
}
