//! The sockets clients send to: one per address and shard, all of an address on one port.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

use crate::net::{ClientAddr, Flow};
use crate::time::Instant;

use super::socket::{Sharing, Socket};
use super::sys::Ancillary;

/// The most addresses a server listens on.
pub(super) const MAX_LISTENERS: usize = 256;

/// One shard's socket of one address.
#[derive(Debug)]
pub(super) struct Listener {
    /// The socket.
    pub(super) socket: Socket,
    local: SocketAddr,
    wildcard: bool,
    /// Set where it is a lane: see [`Lane`].
    pub(super) lane: Option<Lane>,
}

/// What makes a listener a lane: a socket beside the listener of its address, connected to one client. The
/// kernel puts what that client sends into the lane's own queue.
#[derive(Debug)]
pub(super) struct Lane {
    /// Whose it is.
    pub(super) client: ClientAddr,
    /// Where what the client sent before may still be; that is read before the lane is.
    pub(super) behind: Option<Behind>,
    /// When something came last.
    pub(super) heard: Instant,
}

/// A queue that was there first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Behind {
    /// Its listener.
    pub(super) listener: usize,
    /// How many batches of it are read at most before the lane's turn comes.
    pub(super) batches: u16,
}

/// Batches that certainly hold what was in a queue before: it has at most some 11,000 datagrams, of which a
/// batch takes 64, or some 230 trains, of which it takes four.
const BATCHES: u16 = 256;

impl Listener {
    /// Takes over a socket that is bound.
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let local = socket.local()?;
        Ok(Self { socket, local, wildcard: local.ip().is_unspecified(), lane: None })
    }

    /// A lane for the client of `flow`, which came through this listener, the one at `index`.
    ///
    /// Which of the shards' sockets a client belongs to depends on how many share an address, so a lane must
    /// not be bound to just the address that they have: beside a wildcard it is bound to the flow's own
    /// address, beside that to the wildcard. Connecting then leaves it at the flow's address, alone.
    ///
    /// A source without a port gets none: to a socket connected to port 0 the kernel gives what comes from
    /// every port of that host, and whoever can write another's address could cut that host off.
    pub(super) fn lane(&self, index: usize, flow: &Flow, now: Instant) -> io::Result<Self> {
        if flow.remote.0.port() == 0 {
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        let bound = match (self.wildcard, flow.local.ip()) {
            (true, _) => flow.local,
            (false, IpAddr::V4(_)) => (Ipv4Addr::UNSPECIFIED, flow.local.port()).into(),
            (false, IpAddr::V6(_)) => (Ipv6Addr::UNSPECIFIED, flow.local.port()).into(),
        };
        let socket = Socket::bind(bound, Sharing::Shards)?;
        socket.connect(flow.remote.0)?;
        let mut lane = Self::new(socket)?;
        if lane.local.ip() != flow.local.ip() {
            // The route to the client leaves from another address of ours.
            return Err(io::ErrorKind::AddrNotAvailable.into());
        }
        lane.local = flow.local;
        let behind = Some(Behind { listener: index, batches: BATCHES });
        lane.lane = Some(Lane { client: flow.remote, behind, heard: now });
        Ok(lane)
    }

    /// Whether it is the lane of `flow`'s client.
    pub(super) fn is_lane_of(&self, flow: &Flow) -> bool {
        let lane = self.lane.as_ref();
        self.local == flow.local && lane.is_some_and(|lane| lane.client == flow.remote)
    }

    /// Whether `from` does not belong here: between its binding and its connecting, which may take a while where
    /// threads have to wait for a core, a lane is given what anybody sends to its address. It may be another
    /// shard's.
    pub(super) fn is_stranger(&self, from: SocketAddr) -> bool {
        self.lane.as_ref().is_some_and(|lane| lane.client.0 != from)
    }

    /// Binds another socket to the port that others share already.
    pub(super) fn join(address: SocketAddr) -> io::Result<Self> {
        Self::new(Socket::bind(address, Sharing::Shards)?)
    }

    /// Where it is bound.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Where a datagram that came with `ancillary` was sent to. `None` when a wildcard socket was
    /// not told.
    pub(super) fn destination(&self, ancillary: &Ancillary) -> Option<SocketAddr> {
        if !self.wildcard {
            return Some(self.local);
        }
        let port = self.local.port();
        Some(match ancillary.destination? {
            (IpAddr::V4(ip), _) => SocketAddr::from((ip, port)),
            (IpAddr::V6(ip), interface) => {
                let scope = if ip.is_unicast_link_local() { interface } else { 0 };
                SocketAddrV6::new(ip, port, 0, scope).into()
            }
        })
    }

    /// The source to name when sending from `local` through this socket.
    pub(super) fn source(&self, local: SocketAddr) -> Option<SocketAddr> {
        self.wildcard.then_some(local)
    }

    /// How well this socket answers for `local`: 2 is bound to just it, 1 to all addresses of its
    /// port and family, 0 is not at all, as a lane never does: nothing is sent through it.
    pub(super) fn fits(&self, local: SocketAddr) -> u8 {
        if self.local.port() != local.port() || self.lane.is_some() {
            return 0;
        }
        match (self.local == local, self.wildcard && self.local.is_ipv4() == local.is_ipv4()) {
            (true, _) => 2,
            (false, true) => 1,
            (false, false) => 0,
        }
    }
}

/// The listener that owns `local`, by its index.
pub(super) fn owner(listeners: &[Listener], local: SocketAddr) -> Option<usize> {
    let mut best = (0, None);
    for (index, listener) in listeners.iter().enumerate() {
        let fits = listener.fits(local);
        if fits == 2 {
            return Some(index);
        }
        if fits > best.0 {
            best = (fits, Some(index));
        }
    }
    best.1
}
