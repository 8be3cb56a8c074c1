//! Native signalling: `GET /api/v1/signal`, a WebSocket with one JSON object a message.
//!
//! `wire` is the JSON, `driver` the one task that owns the rooms, `mailbox` what it has for a client, `connection` one task
//! for each client, `upgrade` the HTTP door. What a ticket is, which origins are welcome and which ICE servers
//! a client gets is asked of [`Surroundings`].

mod connection;
mod driver;
mod greeting;
mod line;
mod mailbox;
mod socket;
mod upgrade;
mod wire;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use serde_json::Value;
use tokio::sync::Semaphore;

use super::crowd::Crowd;
use crate::creds::ticket::{Claims, TicketError};
use crate::time::{Now, UnixTime};

pub use driver::{Clock, HubHandle, start, start_hub};
pub(in crate::api) use line::Line;
pub use mailbox::Mailbox;
pub(in crate::api) use socket::{Received, Unwritable, close_code};
pub use upgrade::upgrade;
pub(in crate::api) use upgrade::{Refusal, upgrade_to};
pub(in crate::api) use wire::check_bounds;
pub use wire::{BadMessage, Incoming, encode, parse};

/// What the endpoint asks of the rest of the server.
pub trait Surroundings: Send + Sync + 'static {
    /// Both clocks.
    fn now(&self) -> Now;

    /// What a ticket says.
    ///
    /// # Errors
    /// Why the ticket is not good; shown to the client.
    fn verify(&self, now: UnixTime, token: &str) -> Result<Claims, TicketError>;

    /// Whether a handshake with these headers comes from a page that may.
    fn origin_allowed(&self, headers: &HeaderMap) -> bool;

    /// Whether this client may open one more connection so soon.
    ///
    /// # Errors
    /// When it may.
    fn may_connect(&self, _client: IpAddr) -> Result<(), Duration> {
        Ok(())
    }

    /// Connections that one address may have at a time; zero is no bound.
    fn connections_per_address(&self) -> usize {
        0
    }

    /// A client's ticket was refused, and why. When it had too many refused, how long it is to wait.
    fn ticket_refused(&self, _client: IpAddr, _why: &str) -> Option<Duration> {
        None
    }

    /// Fresh ICE servers for the holder of a ticket.
    fn ice_servers(&self, now: Now, subject: &str) -> IceServers;
}

/// ICE servers as a client is given them.
#[derive(Clone, Debug, PartialEq)]
pub struct IceServers {
    /// The array `iceServers` of an `RTCConfiguration`.
    pub servers: Value,
    /// How long its credentials are good. Zero: for ever.
    pub ttl: Duration,
    /// When they end.
    pub expires: UnixTime,
}

/// How long the endpoint waits for what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patience {
    /// For the hello, from the handshake on.
    pub hello: Duration,
    /// For any sign of life, before a ping asks for one.
    pub silence: Duration,
    /// For any sign of life, before the connection counts as dead.
    pub death: Duration,
    /// For a connection to take the bytes of one message.
    pub write: Duration,
    /// For a client to answer the closing handshake.
    pub close: Duration,
    /// Between one set of ICE servers and the next, at least, however short they live.
    pub ice: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            hello: Duration::from_secs(5),
            silence: Duration::from_secs(25),
            death: Duration::from_secs(60),
            write: Duration::from_secs(10),
            close: Duration::from_secs(2),
            ice: Duration::from_secs(10),
        }
    }
}

/// Connections open at once, hello said or not, unless told otherwise.
pub const MAX_CONNECTIONS: u32 = 20_000;

/// The endpoint: everything a connection needs, shared by all of them.
pub struct Endpoint {
    hub: HubHandle,
    surroundings: Arc<dyn Surroundings>,
    patience: Patience,
    places: Arc<Semaphore>,
    crowd: Arc<Crowd>,
    connections: u32,
}

impl Endpoint {
    /// An endpoint with the default patience and [`MAX_CONNECTIONS`].
    pub fn new(hub: HubHandle, surroundings: Arc<dyn Surroundings>) -> Self {
        Self::with(hub, surroundings, Patience::default(), MAX_CONNECTIONS)
    }

    /// An endpoint that holds at most `connections` at once.
    pub fn with(
        hub: HubHandle,
        surroundings: Arc<dyn Surroundings>,
        patience: Patience,
        connections: u32,
    ) -> Self {
        let places = Arc::new(Semaphore::new(connections as usize));
        Self { hub, surroundings, patience, places, crowd: Arc::default(), connections }
    }

    /// The rooms behind it.
    pub fn hub(&self) -> &HubHandle {
        &self.hub
    }

    /// Both clocks.
    pub fn now(&self) -> Now {
        self.surroundings.now()
    }

    /// Connections open now, hello said or not.
    pub fn open_connections(&self) -> usize {
        self.connections as usize - self.places.available_permits()
    }

    /// Ends every connection with `leave{reason: "shutdown"}`, refuses new ones and waits until all
    /// are closed, but no longer than `within`.
    pub async fn shutdown(&self, retry_after: Duration, within: Duration) {
        self.hub.shutdown(retry_after).await;
        // Whoever asks for all places is served before anybody who asks for one more.
        let all_closed = self.places.acquire_many(self.connections);
        let _ = tokio::time::timeout(within, all_closed).await;
        self.places.close();
    }
}
