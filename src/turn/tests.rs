//! What the unit tests here and of the driver share. The machine itself is tested at its doors, from
//! `tests/rfc8656`.

use super::settings::{ChannelNumbers, Limits, QuotaLimits, Settings};

/// Settings with nothing configured.
pub(crate) fn settings() -> Settings {
    Settings {
        relay_addresses: Vec::new(),
        ports: 49_152..=65_535,
        channel_numbers: ChannelNumbers::Rfc5766,
        limits: Limits::default(),
        quota: QuotaLimits::default(),
        allow: Vec::new(),
        deny: Vec::new(),
        own_addresses: Vec::new(),
        service_ports: Vec::new(),
        unauthenticated_rate: 0,
        nat_discovery: Vec::new(),
        alternate: Vec::new(),
        draining: false,
    }
}
