//! What the relay wants done, and how it is told that it was.

use crate::net::{Flow, PeerAddr, RelayPort};

/// Ties an [`Answer`] to its [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenId(pub u64);

/// Names a TCP connection to a peer (RFC 6062): CONNECTION-ID's value. Its top eight bits are the
/// number of the shard it belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(pub u32);

impl ConnectionId {
    /// The shard that has the connection.
    pub const fn shard(self) -> u8 {
        self.0.to_be_bytes()[0]
    }
}

/// What an allocation relays (REQUESTED-TRANSPORT, RFC 8656 section 18.8 and RFC 6062 section 6.2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RelayKind {
    /// Datagrams.
    #[default]
    Udp,
    /// Connections.
    Tcp,
}

/// A wish of the relay. The driver carries out every one, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Command {
    /// Bind a UDP socket to exactly this address and port, not shared with anybody, or listen there
    /// for TCP, in such a way that connections can leave from the same port; then answer.
    OpenRelay {
        /// To be given back in the answer.
        id: OpenId,
        /// What to bind.
        port: RelayPort,
        /// Datagrams or connections.
        kind: RelayKind,
    },
    /// Close the socket. Packets that still arrive on it are nobody's.
    CloseRelay {
        /// What to close.
        port: RelayPort,
    },
    /// Connect to a peer over TCP, from the very port of this relay, then answer. A machine that
    /// waits no longer closes it.
    Connect {
        /// To be given back in the answer.
        id: ConnectionId,
        /// The relay it leaves from.
        from: RelayPort,
        /// Where to.
        to: PeerAddr,
    },
    /// What follows the message that has just been handled on `flow` is the connection's: pass
    /// everything, both ways, as it is, from the first byte after the answer on.
    Splice {
        /// The connection to the peer.
        connection: ConnectionId,
        /// The connection of the client.
        flow: Flow,
    },
    /// Close the connection to the peer, and the client's that is spliced to it. The machine has
    /// forgotten both, and wants to hear no more of them.
    CloseConnection {
        /// Which.
        id: ConnectionId,
    },
}

/// What became of a [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The socket is bound and will be read.
    RelayOpened(OpenId),
    /// It could not be bound.
    RelayFailed(OpenId, OpenFailure),
    /// The peer has accepted; nothing is read from it until [`Command::Splice`].
    Connected(ConnectionId),
    /// The peer cannot be reached; the connection is gone.
    ConnectFailed(ConnectionId),
}

/// Why a relay socket could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Somebody else has this port: another may do.
    InUse,
    /// No port will do: out of descriptors or memory, or the address is gone.
    Exhausted,
}
