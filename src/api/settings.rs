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
    /// How long people stay logged in, and the leeway of every token.
    pub sessions: SessionSettings,
    /// How long a room with no end of its own stays with nobody in it.
    pub room_idle: Duration,
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
            sessions: SessionSettings::default(),
            room_idle: Duration::from_secs(3600),
        }
    }
}
