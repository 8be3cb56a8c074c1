//! The page, the API and signalling on tokio, and the listeners before them and the relay.

use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tracing::{info, warn};

use crate::api::signal::{self, Endpoint, Surroundings};
use crate::api::{self, Api, Check, HttpServer, HttpSettings, Minter, Parts};
use crate::app::config::Config;
use crate::app::metrics::{FrontNumbers, Metrics, RelayNumbers, Sources, WebNumbers};
use crate::app::{Failure, clock};
use crate::front::{self, Doors, Front, Place};
use crate::relay::RelayHandle;
use crate::signal::{Hub, HubLimits};
use crate::store::Store;
use crate::time::Now;

use super::drain;
use super::kept::random;
use super::operated::Operated;
use super::server::{Server, http_settings};
use super::trail;

/// When clients are told to try again after a stop: a restart takes less.
const RETRY_AFTER: Duration = Duration::from_secs(2);
/// How long clients may take to say goodbye.
const GOODBYE: Duration = Duration::from_secs(2);
/// How long events and deliveries that are under way may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How the rest of the server reaches the HTTP side.
pub(super) struct WebHandle(Arc<Api>);

impl WebHandle {
    /// A reload: requests from now on see these.
    pub(super) fn reconfigure(&self, settings: HttpSettings, minter: Minter) {
        self.0.reconfigure(settings, minter);
    }
}

/// A running HTTP side.
pub(super) struct Web {
    front: Front,
    signalling: Arc<Endpoint>,
    http: HttpServer,
    follower: JoinHandle<()>,
    server: Arc<Server>,
}

/// Opens the stored rooms and begins to serve.
///
/// # Errors
/// The store's.
pub(super) async fn start(
    server: &Arc<Server>,
    sockets: Vec<(TcpListener, Place)>,
    store: Store,
) -> Result<Web, Failure> {
    let clock: Arc<dyn Fn() -> Now + Send + Sync> = Arc::new(clock::now);
    let mut rooms = Hub::new(hub_limits(&server.live.load().config), random()?);
    rooms.describe(&server.kept.audit);
    let (hub, events) = signal::start_hub(rooms, Arc::clone(&clock));
    let metrics = metrics(Arc::clone(server));
    let of_readiness = Arc::clone(server);
    let api = Api::new(Parts {
        store,
        hub: hub.clone(),
        minter: server.till().minter,
        tickets: server.kept.ticket.clone(),
        settings: http_settings(&server.live.load().config),
        clock,
        metrics: Arc::new(move || metrics.render()),
        readiness: Arc::new(move || vec![relay_runs(&of_readiness)]),
        relay: Arc::new(Operated(Arc::clone(server))),
        witness: Arc::clone(&server.witness),
    });
    // Only a second start could have set it.
    let _ = server.web.set(WebHandle(Arc::clone(&api)));
    let rooms = api.reopen_rooms().await.map_err(Failure::runtime)?;
    if rooms > 0 {
        info!(rooms, "rooms of the last run are open again");
    }
    trail::start_hooks(server);
    let follower = trail::follow(Arc::clone(&api), server.store.clone(), hub.clone(), events);
    let follower = tokio::spawn(follower);
    let signalling = Arc::new(Endpoint::new(hub, Arc::clone(&api) as Arc<dyn Surroundings>));
    let router = api::router(&api, &signalling);
    let http = HttpServer::start(api, router);
    let relay = server.relay.with(RelayHandle::streams);
    let doors = Doors { relay, http: Some(http.door()) };
    let proxies = server.live.load().config.listen.proxy_from.clone();
    let front = front::start(sockets, doors, Arc::clone(&server.tls), proxies);
    let front = front.map_err(|error| Failure::Runtime(format!("cannot accept: {error}")))?;
    let _ = server.front.set(front.numbers());
    Ok(Web { front, signalling, http, follower, server: Arc::clone(server) })
}

impl Web {
    /// Ends what is under way and waits for it; connections of the relay are the relay's.
    pub(super) async fn stop(self) {
        self.front.stop().await;
        self.signalling.shutdown(RETRY_AFTER, GOODBYE).await;
        self.http.stop().await;
        // The rooms are over, and with them their events.
        if tokio::time::timeout(LAST_WORDS, self.follower).await.is_err() {
            warn!("what happened last in the rooms was not all written down");
        }
        if let Some(hooks) = self.server.hooks.get() {
            let _ = tokio::time::timeout(LAST_WORDS, hooks.stop()).await;
        }
    }
}

fn hub_limits(config: &Config) -> HubLimits {
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    HubLimits {
        silence: config.rooms.silence,
        rate: count(config.signal_rate),
        burst: count(config.signal_burst),
        ..HubLimits::default()
    }
}

fn relay_runs(server: &Server) -> Check {
    let why = match server.relay.with(|relay| relay.workers()) {
        Some(_) if server.drain.is_on() => {
            let open = drain::allocations(server);
            Some(format!("draining: new allocations are refused, {open} are open"))
        }
        Some(workers) if workers > 0 => None,
        _ => Some("the relay does not run".to_owned()),
    };
    Check { check: "relay", why }
}

fn metrics(server: Arc<Server>) -> Metrics {
    let relay = Arc::clone(&server);
    let numbers = move || RelayNumbers { draining: relay.drain.is_on(), ..relay.relay.numbers() };
    let of_front = Arc::clone(&server);
    let front = move || FrontNumbers {
        connections: of_front.front.get().map(|numbers| numbers.snapshot()).unwrap_or_default(),
        streams: of_front.relay.with(|relay| relay.streams().open()).unwrap_or_default(),
        certificate_ends: of_front.tls.certificate().and_then(|used| used.end()).map(|end| end.0),
    };
    let of_trail = Arc::clone(&server);
    let trail = move || trail::numbers(&of_trail);
    let web = move || {
        let Some(WebHandle(api)) = server.web.get() else { return WebNumbers::default() };
        let numbers = api.snapshot();
        WebNumbers {
            rooms: numbers.rooms,
            connections: numbers.websockets,
            minted: numbers.minted,
            ice_refused: numbers.ice_refused,
            requests: numbers.responses,
        }
    };
    let sources = Sources {
        relay: Box::new(numbers),
        front: Box::new(front),
        web: Box::new(web),
        trail: Box::new(trail),
    };
    Metrics::new(sources, clock::unix().0)
}
