//! What an operator decides about dialects: `[dialects]`.

use super::{Dialect, Dialects};

/// The keys of `[dialects]`, one to one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DialectSettings {
    /// Those that are served.
    pub serve: Dialects,
    /// Those that serve strangers.
    pub open: Dialects,
    /// What `client-meta` is called.
    pub client_name: String,
    /// The version `client-meta` tells.
    pub client_version: String,
    /// The `aud` of a tunnel token.
    pub tunnel_audience: String,
    /// The `iss` of a tunnel token.
    pub tunnel_issuer: String,
    /// What a room of the dialect `rooms` holds.
    pub rooms_capacity: u32,
}

impl DialectSettings {
    /// Whether strangers may use this dialect; `open_minting` is that of the whole server.
    pub const fn is_open(&self, dialect: Dialect, open_minting: bool) -> bool {
        open_minting || self.open.contains(dialect)
    }
}

impl Default for DialectSettings {
    fn default() -> Self {
        Self {
            serve: Dialects::all(),
            open: Dialects::default(),
            client_name: "Relayhouse".into(),
            client_version: "1.0.0".into(),
            tunnel_audience: "tunnel-worker".into(),
            tunnel_issuer: "tunnel-backend".into(),
            rooms_capacity: 10,
        }
    }
}
