//! What an operator decides about the HTTP side.

use std::time::Duration;

use ipnet::IpNet;

use super::{DialectSettings, RateLimits, SessionSettings};

/// Who may call, from where, how often. Swapped as a whole on a reload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// How people reach the pages: `https://calls.example.org`. Empty: as they asked.
    pub public_url: String,
    /// Origins of pages elsewhere that may call, as browsers write them; `*` for all.
    pub allowed_origins: Vec<String>,
    /// Proxies whose `X-Forwarded-For` and `X-Forwarded-Proto` are believed.
    pub trusted_proxies: Vec<IpNet>,
    /// Anybody may make rooms and ask for ICE servers: for development.
    pub open_minting: bool,
    /// What clients of other systems find.
    pub dialects: DialectSettings,
    /// Per client address.
    pub rate_limits: RateLimits,
    /// TCP connections at once; further ones wait to be accepted.
    pub max_connections: usize,
    /// How much of that, and of the WebSockets, one address may have.
    pub per_address: PerAddress,
    /// How long a connection may take for what.
    pub patience: HttpPatience,
    /// How long people stay logged in, and the leeway of every token.
    pub sessions: SessionSettings,
    /// How long a room with no end of its own stays with nobody in it.
    pub room_idle: Duration,
}

/// What one client address (IPv6: one /64) may have at a time; zero is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PerAddress {
    /// HTTP connections; those of trusted proxies are not counted.
    pub connections: usize,
    /// WebSockets.
    pub websockets: usize,
}

impl Default for PerAddress {
    fn default() -> Self {
        // A school behind one address comes in; nobody alone takes every place.
        Self { connections: 1000, websockets: 1000 }
    }
}

/// How long an HTTP connection may take for what, before it is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HttpPatience {
    /// To send a request's head, and between one request and the next.
    pub head: Duration,
    /// To take anything at all of an answer.
    pub write: Duration,
}

impl Default for HttpPatience {
    fn default() -> Self {
        Self { head: Duration::from_secs(30), write: Duration::from_secs(30) }
    }
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            public_url: String::new(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            open_minting: false,
            dialects: DialectSettings::default(),
            rate_limits: RateLimits::default(),
            max_connections: 10_000,
            per_address: PerAddress::default(),
            patience: HttpPatience::default(),
            sessions: SessionSettings::default(),
            room_idle: Duration::from_secs(3600),
        }
    }
}
