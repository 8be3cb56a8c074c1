//! Why a relay did not start, in sentences that name the address and what to do.

use std::io;
use std::net::SocketAddr;

/// Why [`start`](super::start) gave up. Nothing is left open.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// Somebody listens there already: perhaps another instance of this server.
    #[error(
        "UDP {address} is in use by another process (perhaps an instance of this server that still \
         runs): stop that one (`ss -ulpn 'sport = :{}'` shows it), or listen on another port",
        address.port()
    )]
    InUse {
        /// Where.
        address: SocketAddr,
    },
    /// Ports below 1024 need a permission.
    #[error(
        "no permission to listen on UDP {address}: ports below 1024 need root or the capability \
         CAP_NET_BIND_SERVICE; grant it, or listen on a higher port"
    )]
    Permission {
        /// Where.
        address: SocketAddr,
    },
    /// No interface has this address.
    #[error(
        "this host has no address {}: listen on one that an interface has (`ip address` lists \
         them), or on {} for all",
        address.ip(),
        wildcard_of(address)
    )]
    NoSuchAddress {
        /// Where.
        address: SocketAddr,
    },
    /// The host has no IPv6 (or, one day, no IPv4).
    #[error(
        "this host does not speak {} (asked to listen on UDP {address}): take this address out",
        if address.is_ipv6() { "IPv6" } else { "IPv4" }
    )]
    NoSuchFamily {
        /// Where.
        address: SocketAddr,
    },
    /// Anything else the system says about a listening socket.
    #[error("cannot listen on UDP {address}: {source}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// Nothing to listen on.
    #[error("there is no UDP address to listen on: give at least one, such as 0.0.0.0:3478")]
    NothingToListenOn,
    /// More than a shard has room for.
    #[error("{asked} UDP addresses to listen on are too many: at most {most}")]
    TooManyListeners {
        /// How many were given.
        asked: usize,
        /// How many there may be.
        most: usize,
    },
    /// A thread, an `epoll` or an `eventfd` could not be had.
    #[error("cannot start the relay's threads: {0}")]
    Threads(#[source] io::Error),
    /// The system gives no random numbers.
    #[error("the system gives no random numbers: {0}")]
    Randomness(String),
}

impl StartError {
    /// What `source` means for who wanted to listen on `address`.
    pub(super) fn listen(address: SocketAddr, source: io::Error) -> Self {
        match source.raw_os_error() {
            Some(libc::EADDRINUSE) => Self::InUse { address },
            Some(libc::EACCES | libc::EPERM) => Self::Permission { address },
            Some(libc::EADDRNOTAVAIL) => Self::NoSuchAddress { address },
            Some(libc::EAFNOSUPPORT) => Self::NoSuchFamily { address },
            _ => Self::Listen { address, source },
        }
    }
}

fn wildcard_of(address: &SocketAddr) -> &'static str {
    if address.is_ipv6() { "[::]" } else { "0.0.0.0" }
}
