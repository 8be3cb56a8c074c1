//! One allocation (RFC 8656 section 3.2): its relayed addresses, permissions, channels and sums.

use std::net::{IpAddr, SocketAddr};

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use super::bandwidth::Bucket;
use super::channels::Channels;
use super::command::{ConnectionId, OpenId, RelayKind};
use super::event::{AllocationId, EndReason, Summary};
use super::openings::Opening;
use super::pace::Pace;
use super::policy::Guard;
use super::ports::PortClaim;
use super::quota::Grant;
use super::reservations::Token;
use super::tcp::Connection;
use crate::creds::Verified;
use crate::net::{Family, Flow, RelayPort};
use crate::stun::TransactionId;
use crate::time::Instant;

/// How long a permission lasts (RFC 8656 section 9).
pub(super) const PERMISSION_LIFETIME: std::time::Duration = std::time::Duration::from_secs(300);

/// How long a channel stays bound (RFC 8656 section 12).
pub(super) const CHANNEL_LIFETIME: std::time::Duration = std::time::Duration::from_secs(600);

/// One allocation. What a packet on a channel needs stands in front, in three lines of memory, where the
/// compiler would spread it: with the slots in `table.rs` that saves a packet of one client among thousands
/// one line up and two down, and waiting for lines is most of what such a packet costs (`benches/core`).
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Allocation {
    pub(super) flow: Flow,
    pub(super) usage: Usage,
    pub(super) channels: Channels,
    pub(super) kind: RelayKind,
    /// Permissions by peer address, turned inward.
    pub(super) permissions: HashMap<IpAddr, Permission, FixedState>,
    pub(super) relays: Relays,
    pub(super) grant: Grant,
    pub(super) id: AllocationId,
    pub(super) owner: Verified,
    /// Of the Allocate that opened it: a retransmission gets the same answer.
    pub(super) transaction: TransactionId,
    /// What that answer said of lifetime, reservation and the second family.
    pub(super) granted: Granted,
    pub(super) phase: Phase,
    pub(super) opened: Instant,
    pub(super) pace: Pace,
    /// Until it is open: what its credential is not to be charged for if it never is.
    pub(super) opening: Option<Opening>,
    /// TCP connections to peers (RFC 6062); none but where `kind` is TCP.
    pub(super) connections: HashMap<ConnectionId, Connection, FixedState>,
}

/// What the Allocate response carries besides addresses.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted {
    /// LIFETIME, in seconds.
    pub(super) lifetime: u32,
    /// RESERVATION-TOKEN.
    pub(super) token: Option<Token>,
    /// ADDRESS-ERROR-CODE for the additional family.
    pub(super) address_error: Option<u16>,
    /// Whether the client speaks the code points from before RFC 8656 for these.
    pub(super) old_code_points: bool,
    /// Whether the client sent FINGERPRINT.
    pub(super) fingerprint: bool,
}

/// Where an allocation is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for its socket(s); the client has no answer yet.
    Opening {
        /// Tries left before the client is told 508.
        tries: u8,
    },
    /// Relaying.
    Open,
}

/// One relayed transport address.
#[derive(Debug)]
pub(super) struct Relayed {
    pub(super) claim: PortClaim,
    /// As told to the client.
    pub(super) public: SocketAddr,
    pub(super) expires: Instant,
    /// The command that has not been answered yet.
    pub(super) opening: Option<OpenId>,
}

/// One or two relayed transport addresses, never two of one family.
#[derive(Debug, Default)]
pub(super) struct Relays([Option<Relayed>; 2]);

impl Relays {
    /// Adds one.
    ///
    /// # Panics
    /// With a third: nothing asks for that.
    pub(super) fn push(&mut self, relayed: Relayed) {
        let free = self.0.iter_mut().find(|slot| slot.is_none());
        *free.expect("an allocation has at most two families") = Some(relayed);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Relayed> {
        self.0.iter().flatten()
    }

    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Relayed> {
        self.0.iter_mut().flatten()
    }

    pub(super) fn of(&self, family: Family) -> Option<&Relayed> {
        self.iter().find(|relayed| Family::of(relayed.public.ip()) == family)
    }

    /// The socket that reaches peers of this family.
    pub(super) fn port_for(&self, peer: IpAddr) -> Option<RelayPort> {
        self.of(Family::of(peer)).map(|relayed| relayed.claim.port())
    }

    /// Takes one that fits out.
    pub(super) fn take(&mut self, fits: impl Fn(&Relayed) -> bool) -> Option<Relayed> {
        self.0.iter_mut().find(|slot| slot.as_ref().is_some_and(&fits))?.take()
    }

    pub(super) fn addresses(&self) -> Vec<SocketAddr> {
        self.iter().map(|relayed| relayed.public).collect()
    }
}

/// A permission (RFC 8656 section 9).
#[derive(Clone, Copy, Debug)]
pub(super) struct Permission {
    pub(super) expires: Instant,
    pub(super) guard: Guard,
}

/// What an allocation relayed.
#[derive(Debug, Default)]
pub(super) struct Usage {
    pub(super) bytes_up: u64,
    pub(super) bytes_down: u64,
    pub(super) packets_up: u64,
    pub(super) packets_down: u64,
    pub(super) peers: u32,
    pub(super) up: Bucket,
    pub(super) down: Bucket,
    pub(super) over_reported: bool,
}

impl Allocation {
    /// The latest end of its relayed addresses.
    pub(super) fn expires(&self) -> Instant {
        self.relays.iter().map(|relayed| relayed.expires).max().unwrap_or(Instant::ORIGIN)
    }

    /// Permits `ip` until a full permission lifetime from now, channels included.
    pub(super) fn permit(&mut self, now: Instant, ip: IpAddr, guard: Guard) {
        let expires = now + PERMISSION_LIFETIME;
        if self.permissions.insert(ip, Permission { expires, guard }).is_none() {
            self.usage.peers = self.usage.peers.saturating_add(1);
        }
        self.channels.permit(ip, expires);
    }

    /// Forgets permissions and channels that have run out.
    pub(super) fn sweep(&mut self, now: Instant) {
        self.permissions.retain(|_, permission| now < permission.expires);
        self.channels.retain(|channel| now < channel.expires);
        if self.permissions.is_empty() {
            self.permissions.shrink_to_fit();
        }
    }

    /// Takes the relayed address that fits out, and with it the permissions and channels towards its
    /// family: its port may be another client's next.
    pub(super) fn retire(&mut self, fits: impl Fn(&Relayed) -> bool) -> Option<Relayed> {
        let retired = self.relays.take(fits)?;
        let family = Family::of(retired.public.ip());
        self.permissions.retain(|ip, _| Family::of(*ip) != family);
        self.channels.retain(|channel| Family::of(channel.peer.ip()) != family);
        Some(retired)
    }

    /// Its life in numbers.
    pub(super) fn summary(&self, now: Instant, reason: EndReason) -> Summary {
        Summary {
            id: self.id,
            flow: self.flow,
            username: std::sync::Arc::clone(self.owner.username()),
            relayed: self.relays.addresses(),
            age: now.since(self.opened),
            bytes_up: self.usage.bytes_up,
            bytes_down: self.usage.bytes_down,
            packets_up: self.usage.packets_up,
            packets_down: self.usage.packets_down,
            peers: self.usage.peers,
            reason,
        }
    }
}
