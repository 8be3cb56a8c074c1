//! The sockets clients send to: one per address and shard, all of an address on one port.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};

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
}

impl Listener {
    /// Takes over a socket that is bound.
    pub(super) fn new(socket: Socket) -> io::Result<Self> {
        let local = socket.local()?;
        Ok(Self { socket, local, wildcard: local.ip().is_unspecified() })
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
    /// port and family, 0 is not at all.
    pub(super) fn fits(&self, local: SocketAddr) -> u8 {
        if self.local.port() != local.port() {
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
