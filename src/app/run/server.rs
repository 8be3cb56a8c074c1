//! What the parts of a running server share.

use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;

use crate::api::{HttpSettings, Minter, RateLimits, Witness};
use crate::app::config::{Config, Sources};
use crate::app::desk::Till;
use crate::app::log::LogHandle;
use crate::creds::Secret;
use crate::front::certificate::Certificate;
use crate::front::{Numbers, Tls};
use crate::hooks::Hooks;
use crate::store::Store;

use super::addresses::Addresses;
use super::drain::Drain;
use super::kept::Kept;
use super::listeners::Listening;
use super::relay_slot::RelaySlot;
use super::reload::Live;
use super::web::WebHandle;
use super::{endpoints, settings, trail};

/// How long a credential of a guest lives at most; the page asks for a new one in time.
const GUEST_TTL: Duration = Duration::from_secs(15 * 60);

/// A running server.
pub(super) struct Server {
    /// What counts now.
    pub(super) live: ArcSwap<Live>,
    /// The relay.
    pub(super) relay: RelaySlot,
    /// What the relay reported lately.
    pub(super) witness: Arc<Witness>,
    /// The page, the API and signalling, once they are there.
    pub(super) web: OnceLock<WebHandle>,
    /// The embedded state.
    pub(super) store: Store,
    /// Deliveries to hooks, once they are at work.
    pub(super) hooks: OnceLock<Hooks>,
    /// Counters of the listeners over TCP, once they are at work.
    pub(super) front: OnceLock<Arc<Numbers>>,
    /// Read again on a reload.
    pub(super) sources: Sources,
    /// Secrets of the data folder.
    pub(super) kept: Kept,
    /// Of this host.
    pub(super) addresses: Addresses,
    /// Where is listened.
    pub(super) listening: Listening,
    /// The certificate.
    pub(super) tls: Arc<Tls>,
    /// The log.
    pub(super) log: LogHandle,
    /// Held by whoever changes what counts.
    pub(super) changing: Mutex<()>,
    /// Whether it is to stop when the last allocation is gone.
    pub(super) drain: Drain,
}

impl Server {
    /// What credentials and links are made of now.
    pub(super) fn till(&self) -> Till {
        let config = &self.live.load().config;
        let certificate = self.tls.certificate();
        till(config, &self.kept, &self.addresses, &self.listening, certificate.as_deref())
    }

    /// Gives the page, the API and signalling what counts now.
    pub(super) fn configure_web(&self) {
        if let Some(web) = self.web.get() {
            web.reconfigure(http_settings(&self.live.load().config), self.till().minter);
        }
    }
}

/// What credentials and links are made of under this configuration.
pub(super) fn till(
    config: &Config,
    kept: &Kept,
    addresses: &Addresses,
    listening: &Listening,
    certificate: Option<&Certificate>,
) -> Till {
    let secrets = settings::secrets(config, kept);
    let minting = secrets.into_iter().next().expect("one is made when none is configured");
    let minter = Minter {
        secret: minting.secret,
        separator: config.auth.username_separator,
        ttl: config.auth.credential_ttl,
        guest_ttl: config.auth.credential_ttl.min(GUEST_TTL),
        endpoints: endpoints::turn(config, addresses, listening, certificate),
    };
    let page = endpoints::page(config, addresses, listening, certificate);
    let configured = config.auth.secrets.iter().map(Secret::id).collect();
    let hooks = config.hooks.urls.clone();
    let hook_secrets = trail::hook_secrets(config, kept);
    Till { minter, configured, tickets: Some(kept.ticket.clone()), page, hooks, hook_secrets }
}

/// What the HTTP side must know.
pub(super) fn http_settings(config: &Config) -> HttpSettings {
    HttpSettings {
        public_url: config.http.public_url.clone().unwrap_or_default(),
        allowed_origins: config.http.allowed_origins.clone(),
        trusted_proxies: config.http.trusted_proxies.clone(),
        open_minting: config.dev,
        dialects: config.dialects.clone(),
        room_idle: config.rooms.idle,
        per_address: config.per_address,
        sessions: config.auth.sessions,
        rate_limits: RateLimits {
            ice_per_address: NonZeroU32::new(config.ice_per_minute.address),
            ice_per_key: NonZeroU32::new(config.ice_per_minute.key),
            ..RateLimits::default()
        },
        ..HttpSettings::default()
    }
}
