//! HTTP and WebSocket: the native API, health and metrics, and the embedded pages.
//!
//! | file | thought |
//! |---|---|
//! | `errors` | every error: code, status, sentence |
//! | `body`, `query`, `caller`, `forwarded`, `origin`, `limits`, `crowd` | what is checked before a call does anything |
//! | `ice`, `minter`, `rooms`, `tickets`, `ids` | the calls and what they hand out |
//! | `auth` | users: login, refresh, logout |
//! | `checks`, `witness` | what the relay saw of a credential |
//! | `admin`, `relay_door` | what operators see and decide |
//! | `dialects` | the same rooms and credentials, as clients of other systems know them |
//! | `signal` | the WebSocket, and the task that owns the hub |
//! | `live` | what ties stored rooms, the hub and the WebSocket together |
//! | `pages`, `headers` | the embedded pages, and headers on every answer |
//! | `health`, `numbers` | for operators |
//! | `routes`, `openapi`, `server`, `stall` | paths to calls, their description; connections to requests |

mod admin;
mod auth;
mod body;
mod caller;
mod checks;
mod crowd;
mod dialects;
mod errors;
mod forwarded;
mod headers;
mod health;
mod ice;
mod ids;
mod limits;
mod live;
mod minter;
mod notes;
mod numbers;
mod openapi;
mod origin;
mod pages;
mod query;
mod relay_door;
mod rooms;
mod routes;
mod server;
mod settings;
pub mod signal;
mod stall;
mod tickets;
mod witness;

use std::sync::{Arc, OnceLock, Weak};
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;

pub use admin::allocations::{AllocationsJson, MAX_PAGE};
pub use auth::{MEETINGS_LIFETIME, SessionSettings, StartedSession};
pub use body::MAX_BODY;
pub use dialects::{Dialect, DialectSettings, Dialects};
pub use errors::{ApiError, Code};
pub use forwarded::{client_address, is_trusted};
pub use headers::{Client, IsHttps};
pub use health::Check;
pub use ice::{MAX_ALLOWANCE, MAX_SUBJECT};
pub use limits::{MAX_TRACKED, RateLimits};
pub use minter::{IceConfig, IceServer, Minter};
use numbers::HttpNumbers;
pub use numbers::HttpSnapshot;
pub use origin::origin_allowed;
pub use relay_door::{RelayDoor, RelayStats};
pub use rooms::{
    DEFAULT_CAPACITY, DEFAULT_INVITE_TTL, MAX_CAPACITY, MAX_EXPIRES_IN, MAX_INVITE_TTL, MAX_NAME,
    MAX_OWN_ROOMS, MAX_ROOMS_PAGE,
};
pub use routes::router;
pub use server::{HttpDoor, HttpPlace, HttpServer, Over, Peer};
pub use settings::{HttpPatience, HttpSettings, PerAddress};
pub use tickets::{ROOM_TICKET, creator as creator_claims};
pub use witness::{MAX_CHECKS, MAX_REFUSALS, Witness};

use self::signal::HubHandle;
use crate::creds::ticket::TicketKey;
use crate::store::Store;
use crate::time::{Instant, Now};

/// Nothing between us and the client may keep what carries a credential.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What the API is made of.
pub struct Parts {
    /// The embedded state.
    pub store: Store,
    /// The rooms while people are in them.
    pub hub: HubHandle,
    /// Makes ICE servers.
    pub minter: Minter,
    /// Signs and verifies tickets.
    pub tickets: TicketKey,
    /// Who may call, from where, how often.
    pub settings: HttpSettings,
    /// Reads both clocks; the same ones the hub is driven with.
    pub clock: Arc<dyn Fn() -> Now + Send + Sync>,
    /// The text of `/metrics`, in the Prometheus exposition format.
    pub metrics: Arc<dyn Fn() -> String + Send + Sync>,
    /// What else must hold for `/readyz`, besides a writable store.
    pub readiness: Arc<dyn Fn() -> Vec<Check> + Send + Sync>,
    /// The relay's allocations and numbers.
    pub relay: Arc<dyn RelayDoor>,
    /// What the relay reported; whoever reads its events lets it have them.
    pub witness: Arc<Witness>,
}

/// The HTTP side of one instance, shared by all its connections.
pub struct Api {
    store: Store,
    hub: HubHandle,
    /// Weak, because the endpoint itself asks this API about tickets and ICE servers.
    signalling: OnceLock<Weak<signal::Endpoint>>,
    minter: ArcSwap<Minter>,
    tickets: TicketKey,
    settings: ArcSwap<HttpSettings>,
    limiters: limits::Limiters,
    people: auth::People,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    readiness: health::Readiness,
    relay: Arc<dyn RelayDoor>,
    witness: Arc<Witness>,
    numbers: Arc<HttpNumbers>,
    dialects: dialects::Memory,
    started: Instant,
}

impl std::fmt::Debug for Api {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Api")
    }
}

impl Api {
    /// An API of these parts. The rate limits are those of the first settings; the rest of them
    /// follows [`reconfigure`](Self::reconfigure).
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            store,
            hub,
            minter,
            tickets,
            settings,
            clock,
            metrics,
            readiness,
            relay,
            witness,
        } = parts;
        let started = clock().mono;
        Arc::new(Self {
            store,
            hub,
            signalling: OnceLock::new(),
            minter: ArcSwap::from_pointee(minter),
            tickets,
            limiters: limits::Limiters::new(settings.rate_limits),
            people: auth::People::new(settings.rate_limits),
            settings: ArcSwap::from_pointee(settings),
            clock,
            metrics,
            readiness: health::Readiness::new(readiness),
            relay,
            witness,
            numbers: Arc::default(),
            dialects: dialects::Memory::default(),
            started,
        })
    }

    /// A reload: requests from now on see these.
    pub fn reconfigure(&self, settings: HttpSettings, minter: Minter) {
        self.settings.store(Arc::new(settings));
        self.minter.store(Arc::new(minter));
    }

    /// A ticket for `/#creator=…` links: may make rooms and ask for ICE servers.
    pub fn creator_ticket(&self, ttl: Duration) -> String {
        self.tickets.sign(&tickets::creator(self.now().unix, ttl))
    }

    /// The numbers of the HTTP side at this moment, for `/metrics`.
    pub fn snapshot(&self) -> HttpSnapshot {
        let websockets = self.signalling();
        HttpSnapshot {
            rooms: self.store.rooms().count() as u64,
            websockets: websockets.map_or(0, |endpoint| endpoint.open_connections() as u64),
            password_hashes: self.people.hashes(),
            ..self.numbers.snapshot()
        }
    }

    /// The WebSocket side, once it is there.
    fn signalling(&self) -> Option<Arc<signal::Endpoint>> {
        self.signalling.get().and_then(Weak::upgrade)
    }

    fn numbers(&self) -> &Arc<HttpNumbers> {
        &self.numbers
    }

    /// The embedded state.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings of this moment.
    pub fn settings(&self) -> arc_swap::Guard<Arc<HttpSettings>> {
        self.settings.load()
    }

    /// The key of this server's tickets.
    pub fn tickets(&self) -> &TicketKey {
        &self.tickets
    }

    /// Both clocks, now.
    pub fn now(&self) -> Now {
        (self.clock)()
    }

    fn minter(&self) -> arc_swap::Guard<Arc<Minter>> {
        self.minter.load()
    }

    fn limiters(&self) -> &limits::Limiters {
        &self.limiters
    }

    fn witness(&self) -> &Witness {
        &self.witness
    }

    fn people(&self) -> &auth::People {
        &self.people
    }

    fn dialects(&self) -> &dialects::Memory {
        &self.dialects
    }

    fn hub(&self) -> &HubHandle {
        &self.hub
    }
}
