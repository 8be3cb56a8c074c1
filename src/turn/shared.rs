//! What the shards of one server share: touched per allocation, not per packet.

use crate::turn::Settings;

/// Ports in use, reservations and quotas, for all shards of a server.
#[derive(Debug)]
pub struct Shared {}

impl Shared {
    /// Nothing in use. `seed` makes relay ports and reservation tokens unpredictable.
    pub fn new(_settings: &Settings, _seed: [u8; 32]) -> Self {
        Self {}
    }
}
