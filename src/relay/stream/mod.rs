//! Clients that come over TCP and TLS: byte streams inside a shard.
//!
//! Whoever accepts connections hands one over through a [`StreamDoor`], past its PROXY header and
//! its TLS handshake; from then on one shard owns it as it owns its UDP sockets. Frames are cut out
//! of what comes in ([`stun::frame`](crate::stun::frame)) and given to the machine one by one; what
//! goes out is collected over a turn and written with one call. Nothing here waits: what a client
//! does not take stays in a queue with a bound, and what is over the bound is dropped and counted.

mod connection;
mod connections;
mod door;
mod outbox;
mod send;
mod tls;

use std::fmt;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(super) use connection::{Connection, Ended, read};
pub(super) use connections::Connections;
pub use door::StreamDoor;
pub(super) use door::{Arrival, Census, Mailbox, UNHEARD};
pub(super) use outbox::{Cargo, Outbox};

/// A client's connection, ready for its first STUN message or in the middle of it.
pub struct Stream {
    /// The socket. It is made non-blocking when it is handed over.
    pub socket: TcpStream,
    /// Its TLS session, once the handshake is done; `None` is plain TCP.
    pub tls: Option<Box<rustls::ServerConnection>>,
    /// The address the client connected to.
    pub local: SocketAddr,
    /// The client: the one a trusted proxy named, where there was one.
    pub remote: SocketAddr,
    /// What has been read (and decrypted) already, from the first byte of a message on. At most
    /// [`MAX_FRAME`](crate::stun::frame::MAX_FRAME) bytes of it are looked at.
    pub early: Vec<u8>,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream")
            .field("local", &self.local)
            .field("remote", &self.remote)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

/// The bounds of all streams of a relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamLimits {
    /// Connections open at once, over all shards.
    pub connections: usize,
    /// A connection without an allocation ends when it brought no complete message for this long.
    pub idle: Duration,
    /// Bytes that may wait for one client beside what its socket holds; what is over that is
    /// dropped. One message in the middle of being sent may be beyond it.
    pub write_queue: usize,
}

impl Default for StreamLimits {
    /// 20,000 connections, 60 seconds, 64 KiB.
    fn default() -> Self {
        Self { connections: 20_000, idle: Duration::from_secs(60), write_queue: 64 << 10 }
    }
}

/// Why a connection was not taken. It is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refused {
    /// As many connections are open as may be.
    #[error("as many connections are open as `limits.stream_connections` allows")]
    Full,
    /// The relay stops.
    #[error("the relay stops")]
    Stopping,
    /// The system does not let its socket be used without blocking: it is broken.
    #[error("the connection is broken already")]
    Broken,
}
