//! HTTP and WebSocket: the native API, health and metrics, and the embedded pages.
//!
//! | file | thought |
//! |---|---|
//! | `errors` | every error: code, status, sentence |
//! | `body`, `caller`, `forwarded`, `origin`, `limits` | what is checked before a call does anything |
//! | `ice`, `minter`, `rooms`, `invites`, `tickets`, `ids` | the calls and what they hand out |
//! | `live` | rooms while people are in them, in the hub of `signal` |
//! | `pages`, `headers` | the embedded pages, and headers on every answer |
//! | `health`, `numbers` | for operators |
//! | `routes`, `server` | paths to calls; sockets to requests |

mod body;
mod caller;
mod errors;
mod forwarded;
mod headers;
mod health;
mod ice;
mod ids;
mod invites;
mod limits;
mod live;
mod minter;
mod numbers;
mod origin;
mod pages;
mod rooms;
mod routes;
mod server;
mod settings;
mod tickets;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use axum::http::HeaderValue;

pub use body::MAX_BODY;
pub use errors::{ApiError, Code};
pub use forwarded::{client_address, is_trusted};
pub use headers::{Client, IsHttps};
pub use health::Check;
pub use invites::{DEFAULT_TTL as DEFAULT_INVITE_TTL, MAX_TTL as MAX_INVITE_TTL};
pub use limits::{MAX_TRACKED, RateLimits};
pub use live::{LiveRoom, LiveRooms, Pending};
pub use minter::{IceConfig, IceServer, Minter};
pub use numbers::{HttpNumbers, HttpSnapshot};
pub use origin::origin_allowed;
pub use rooms::{DEFAULT_CAPACITY, MAX_CAPACITY, MAX_EXPIRES_IN, MAX_NAME};
pub use routes::router;
pub use server::{ConnectionGuard, Peer, serve};
pub use settings::HttpSettings;
pub use tickets::{ROOM_TICKET, creator as creator_claims};

use crate::creds::ticket::{Claims, TicketKey};
use crate::store::Store;
use crate::time::{Now, UnixTime};

/// Nothing between us and the client may keep what carries a credential.
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// What the API is made of.
pub struct Parts {
    /// The embedded state.
    pub store: Store,
    /// The rooms of the hub.
    pub live: Arc<dyn LiveRooms>,
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
}

/// The HTTP side of one instance, shared by all its connections.
pub struct Api {
    store: Store,
    live: Arc<dyn LiveRooms>,
    minter: ArcSwap<Minter>,
    tickets: TicketKey,
    settings: ArcSwap<HttpSettings>,
    limiters: limits::Limiters,
    clock: Arc<dyn Fn() -> Now + Send + Sync>,
    metrics: Arc<dyn Fn() -> String + Send + Sync>,
    readiness: health::Readiness,
    numbers: Arc<HttpNumbers>,
}

impl Api {
    /// An API of these parts. The rate limits are those of the first settings; the rest of them
    /// follows [`reconfigure`](Self::reconfigure).
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { store, live, minter, tickets, settings, clock, metrics, readiness } = parts;
        Arc::new(Self {
            store,
            live,
            minter: ArcSwap::from_pointee(minter),
            tickets,
            limiters: limits::Limiters::new(settings.rate_limits),
            settings: ArcSwap::from_pointee(settings),
            clock,
            metrics,
            readiness: health::Readiness::new(readiness),
            numbers: Arc::default(),
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

    /// ICE servers for the holder of a ticket: what `ready` carries on a WebSocket.
    ///
    /// # Errors
    /// Only when the ticket's subject makes no username.
    pub fn ice_for(&self, now: UnixTime, claims: &Claims) -> Result<IceConfig, ApiError> {
        ice::for_ticket(&self.minter.load(), now, claims)
    }

    /// Counters of the HTTP side, for `/metrics`.
    pub fn numbers(&self) -> &Arc<HttpNumbers> {
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

    fn live(&self) -> &dyn LiveRooms {
        &*self.live
    }
}
