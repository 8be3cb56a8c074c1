//! What the relay wants done, and how it is told that it was.

use crate::net::RelayPort;

/// Ties an [`Answer`] to its [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct OpenId(pub u64);

/// A wish of the relay. The driver carries out every one, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Command {
    /// Bind a UDP socket to exactly this address and port, not shared with anybody, then answer.
    OpenRelay {
        /// To be given back in the answer.
        id: OpenId,
        /// What to bind.
        port: RelayPort,
    },
    /// Close the socket. Packets that still arrive on it are nobody's.
    CloseRelay {
        /// What to close.
        port: RelayPort,
    },
}

/// What became of a [`Command`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The socket is bound and will be read.
    RelayOpened(OpenId),
    /// It could not be bound.
    RelayFailed(OpenId, OpenFailure),
}

/// Why a relay socket could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenFailure {
    /// Somebody else has this port: another may do.
    InUse,
    /// No port will do: out of descriptors or memory, or the address is gone.
    Exhausted,
}
