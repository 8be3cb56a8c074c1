//! The configuration as the relay and the credential check want it.

use std::net::SocketAddr;

use crate::app::Failure;
use crate::app::config::Config;
use crate::creds::{CredentialSettings, Credentials, SharedSecret};
use crate::turn::Settings;

use super::addresses::Addresses;
use super::kept::Kept;
use super::listeners::Listening;
use super::nat_discovery;

/// What the relay's machines must know. Nothing that listens is a peer. `alternate` are the servers
/// that new clients are sent to, when this one drains.
pub(super) fn turn(
    config: &Config,
    addresses: &Addresses,
    listening: &Listening,
    alternate: Option<&[SocketAddr]>,
) -> Settings {
    let Listening { udp, tcp, tls, http } = listening;
    let ours = [&udp[..], tcp, tls, http];
    Settings {
        relay_addresses: addresses.relay.clone(),
        ports: config.relay.ports.clone(),
        channel_numbers: config.relay.channel_numbers,
        limits: config.limits,
        quota: config.quota,
        allow: config.peers.allow.clone(),
        deny: config.peers.deny.clone(),
        own_addresses: addresses.own.clone(),
        service_ports: ours.concat().into_iter().filter(|address| address.port() != 0).collect(),
        unauthenticated_rate: config.unauthenticated_rate,
        nat_discovery: match config.relay.nat_discovery {
            true => nat_discovery::of(udp, &addresses.relay),
            false => Vec::new(),
        },
        alternate: alternate.unwrap_or_default().to_vec(),
        draining: alternate.is_some(),
    }
}

/// The shared secrets that count: the configured ones, or those of the data folder. The first mints.
pub(super) fn secrets(config: &Config, kept: &Kept) -> Vec<SharedSecret> {
    match config.auth.secrets.as_slice() {
        [] => kept.ring.shared(),
        secrets => secrets.iter().cloned().map(SharedSecret::from).collect(),
    }
}

/// Who may ask.
///
/// # Errors
/// When users or secrets cannot be used as they are.
pub(super) fn credentials(config: &Config, kept: &Kept) -> Result<Credentials, Failure> {
    let auth = &config.auth;
    let settings = CredentialSettings {
        realm: config.realm.clone(),
        secrets: secrets(config, kept),
        users: auth.users.clone(),
        separator: auth.username_separator,
        sha256: auth.sha256,
        strict_expiry: auth.strict_expiry,
        nonce_lifetime: auth.nonce_lifetime,
        nonce_key: kept.nonce,
    };
    Credentials::new(settings).map_err(|error| Failure::Unusable(format!("auth: {error}")))
}
