//! TCP connections to peers (RFC 6062): asked for by Connect or announced by a ConnectionAttempt,
//! and spliced to a connection of the client by ConnectionBind. Their bytes never come by here.

mod attempt;
mod bind;
mod connect;
mod connections;
mod ending;

use std::net::SocketAddr;
use std::time::Duration;

pub(super) use connections::Connections;

use crate::creds::Key;
use crate::net::Flow;
use crate::stun::TransactionId;
use crate::time::Instant;

/// How long a peer may take to accept (RFC 6062 section 5.2: at least 30 s).
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a connection waits for its ConnectionBind (RFC 6062 sections 5.2 and 5.3).
const BIND_TIMEOUT: Duration = Duration::from_secs(30);

/// One connection between a relayed address and a peer.
#[derive(Debug)]
pub(super) struct Connection {
    /// Turned inward.
    peer: SocketAddr,
    state: State,
}

#[derive(Debug)]
enum State {
    /// The peer has not accepted yet, and the client has no answer to its Connect.
    Connecting { asked: Asked, until: Instant },
    /// Nobody has bound it yet.
    Waiting { until: Instant },
    /// Bytes pass.
    Spliced { flow: Flow },
}

/// What the answer to a Connect repeats of it.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) id: TransactionId,
    pub(super) fingerprint: bool,
    /// Protects the answer, as the request wanted it.
    pub(super) key: Key,
}

impl Connection {
    /// When it ends if nothing happens; a spliced one never does.
    pub(super) fn until(&self) -> Option<Instant> {
        match self.state {
            State::Connecting { until, .. } | State::Waiting { until } => Some(until),
            State::Spliced { .. } => None,
        }
    }

    /// The connection of the client that it is spliced to.
    fn flow(&self) -> Option<&Flow> {
        match &self.state {
            State::Spliced { flow } => Some(flow),
            _ => None,
        }
    }
}
