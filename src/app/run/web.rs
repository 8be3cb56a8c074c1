//! The page, the API and signalling on tokio.

use std::net::TcpListener;
use std::sync::Arc;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::api::{self, Api, Check, HttpSettings, LiveRoom, LiveRooms, Minter, Parts, Pending};
use crate::app::metrics::{Metrics, Sources, WebNumbers};
use crate::app::{Failure, clock};
use crate::signal::RoomSpec;
use crate::store::Store;

use super::server::{Server, http_settings};

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
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

struct NoRooms;
impl LiveRooms for NoRooms {
    fn open(&self, _: RoomSpec) -> Pending<'_, bool> {
        Box::pin(async { true })
    }
    fn look<'a>(&'a self, _: &'a str) -> Pending<'a, Option<LiveRoom>> {
        Box::pin(async { None })
    }
}

/// Opens the stored rooms and begins to serve.
///
/// # Errors
/// The store's.
pub(super) async fn start(
    server: &Arc<Server>,
    sockets: Vec<TcpListener>,
    store: Store,
) -> Result<Web, Failure> {
    let (for_metrics, for_readiness) = (Arc::clone(server), Arc::clone(server));
    let metrics = metrics(for_metrics);
    let api = Api::new(Parts {
        store,
        live: Arc::new(NoRooms),
        minter: server.till().minter,
        tickets: server.kept.ticket.clone(),
        settings: http_settings(&server.live.load().config),
        clock: Arc::new(clock::now),
        metrics: Arc::new(move || metrics.render()),
        readiness: Arc::new(move || vec![relay_runs(&for_readiness)]),
    });
    // Only a second start could have set it.
    let _ = server.web.set(WebHandle(Arc::clone(&api)));
    api.reopen_rooms().await.map_err(Failure::runtime)?;
    let router = api::router(&api, axum::Router::new());
    let (stop, stopped) = oneshot::channel();
    let stopped = async { stopped.await.unwrap_or_default() };
    let served = tokio::spawn(api::serve(sockets, api, router, stopped));
    Ok(Web { stop, served })
}

impl Web {
    /// Ends what is under way and waits for it.
    ///
    /// # Errors
    /// When serving had failed.
    pub(super) async fn stop(self) -> Result<(), Failure> {
        // It has ended already when nobody listens to this.
        let _ = self.stop.send(());
        match self.served.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(Failure::Runtime(format!("the HTTP side failed: {error}"))),
            Err(error) => Err(Failure::Runtime(format!("the HTTP side ended in a bug: {error}"))),
        }
    }
}

fn relay_runs(server: &Server) -> Check {
    let why = match server.relay.with(|relay| relay.workers()) {
        Some(workers) if workers > 0 => None,
        _ => Some("the relay does not run".to_owned()),
    };
    Check { check: "relay", why }
}

fn metrics(server: Arc<Server>) -> Metrics {
    let relay = server.relay.clone();
    let web = move || {
        let Some(WebHandle(api)) = server.web.get() else { return WebNumbers::default() };
        let numbers = api.numbers().snapshot();
        WebNumbers { rooms: 0, connections: numbers.websockets, requests: numbers.responses }
    };
    let sources = Sources { relay: Box::new(move || relay.numbers()), web: Box::new(web) };
    Metrics::new(sources, clock::unix().0)
}
