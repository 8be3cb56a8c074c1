//! What happened, for the log, the metrics and the audit trail. One file of the driver turns these
//! into lines; nothing here is text made for a hostile packet.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use crate::creds::SecretId;
use crate::net::Flow;

/// Names an allocation for as long as the process lives; never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AllocationId(pub u64);

/// Something an operator may want to know.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An allocation is open and its client has been told.
    AllocationOpened {
        /// Which.
        id: AllocationId,
        /// The client's five-tuple.
        flow: Flow,
        /// The username that the client authenticated with.
        username: Arc<str>,
        /// Which secret the credential was made with; `None` for static users.
        secret: Option<SecretId>,
        /// The relayed transport address(es), as told to the client.
        relayed: Vec<SocketAddr>,
        /// Granted.
        lifetime: Duration,
    },
    /// An allocation is gone: its ports are closed and its quota is given back.
    AllocationClosed(Box<Summary>),
    /// A request was refused. At most a bounded number of these is made per second.
    Refused {
        /// Who asked.
        flow: Flow,
        /// The STUN method, by its [name](crate::stun::Method::name) in logs.
        method: &'static str,
        /// The STUN error code answered.
        code: u16,
        /// What exactly was wrong and what would allow it, for the operator.
        why: String,
        /// The username the client gave, if any: unverified, to be escaped.
        username: Option<Box<str>>,
        /// Refusals since the last one that was told, which were too many to be.
        suppressed: u64,
    },
    /// The first packet of an allocation was dropped over a bandwidth quota, or a stream of it was
    /// held back for the first time.
    BandwidthExceeded {
        /// Which.
        id: AllocationId,
        /// Its user.
        username: Arc<str>,
    },
}

/// What an allocation did in its life.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// Which.
    pub id: AllocationId,
    /// The client's five-tuple.
    pub flow: Flow,
    /// Who opened it.
    pub username: Arc<str>,
    /// The relayed transport address(es), as told to the client.
    pub relayed: Vec<SocketAddr>,
    /// How long it was open.
    pub age: Duration,
    /// Payload bytes from the client to peers.
    pub bytes_up: u64,
    /// Payload bytes from peers to the client.
    pub bytes_down: u64,
    /// Packets from the client to peers.
    pub packets_up: u64,
    /// Packets from peers to the client.
    pub packets_down: u64,
    /// How many different peer addresses had a permission.
    pub peers: u32,
    /// Why it ended.
    pub reason: EndReason,
}

/// Why an allocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// The client refreshed it with LIFETIME 0.
    Deleted,
    /// Nobody refreshed it.
    Expired,
    /// The client's connection closed.
    Disconnected,
    /// An operator ended it.
    Ended,
    /// The server stops.
    Shutdown,
}

impl EndReason {
    /// Every reason there is.
    pub const ALL: [Self; 5] =
        [Self::Deleted, Self::Expired, Self::Disconnected, Self::Ended, Self::Shutdown];

    /// The word in the log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Deleted => "deleted",
            Self::Expired => "expired",
            Self::Disconnected => "disconnected",
            Self::Ended => "ended",
            Self::Shutdown => "shutdown",
        }
    }
}
