//! Names of things: rooms, peers and the connections behind them.
//!
//! Room and peer names are text, so that a dialect with numbered rooms uses the number's digits; a
//! dialect with numbered peers uses [`PeerInfo::number`](super::PeerInfo::number).

use std::fmt;
use std::sync::Arc;

/// A room's name in tickets and links; unique in the process.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoomId(pub Arc<str>);

/// A peer's name inside a room: the subject of the ticket it came with.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerId(pub Arc<str>);

/// One connection of a client, numbered by the driver and never used twice. For a polling client it
/// is the session that polls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// A client's own name for one of its messages, kept as the text it wrote (with quotes, if it wrote
/// a string) and echoed in what answers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefId(pub Arc<str>);

impl RefId {
    /// Bytes of the longest one that is accepted.
    pub const MAX: usize = 64;
}

macro_rules! text_id {
    ($name:ident) => {
        impl $name {
            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(Arc::from(text))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_id!(RoomId);
text_id!(PeerId);

/// What a peer may do in its room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Admits, denies, kicks, locks; never waits in the lobby.
    Host,
    /// Takes part.
    Guest,
}

impl Role {
    /// The word on the wire: `host` or `guest`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Guest => "guest",
        }
    }
}
