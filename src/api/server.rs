//! Sockets to requests: accepting, bounds, upkeep, and an orderly end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

use super::Api;
use super::numbers::HttpNumbers;

/// How long a client may take for a request's head, and how long a connection may be idle.
const HEAD_PATIENCE: Duration = Duration::from_secs(30);
/// The largest head, in bytes: line and headers together.
const MAX_HEAD: usize = 32 * 1024;
/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);
/// How often what is over is swept out.
const UPKEEP: Duration = Duration::from_secs(60);
/// How long to pause when the system gives no more sockets.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The other end of the socket a request came over: the client or a proxy.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// A place among the connections.
struct Place {
    numbers: Arc<HttpNumbers>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.numbers.connection_closed();
    }
}

/// Serves `router` on the listeners until `shutdown` is done, then lets requests under way end for
/// up to five seconds. Does the API's upkeep meanwhile. WebSocket connections are the endpoint's: end
/// them first, with [`Endpoint::shutdown`](super::signal::Endpoint::shutdown).
///
/// # Errors
/// When a listener cannot be used by the runtime.
pub async fn serve(
    listeners: Vec<TcpListener>,
    api: Arc<Api>,
    router: Router,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let (stop, stopped) = watch::channel(false);
    let places = Arc::new(Semaphore::new(api.settings().max_connections));
    let mut tasks = JoinSet::new();
    for listener in listeners {
        listener.set_nonblocking(true)?;
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let (numbers, places) = (api.numbers().clone(), places.clone());
        tasks.spawn(accept(listener, numbers, places, router.clone(), stopped.clone()));
    }
    let upkeep = tokio::spawn(upkeep(api));
    shutdown.await;
    upkeep.abort();
    stop.send_replace(true);
    let ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(GRACE, ended).await.is_err() {
        tracing::info!("ended with requests under way");
    }
    Ok(())
}

async fn accept(
    listener: tokio::net::TcpListener,
    numbers: Arc<HttpNumbers>,
    places: Arc<Semaphore>,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = next(&listener, &places) => accepted,
            _ = stopped.changed() => break,
            // What has ended is taken off the set, which would grow otherwise.
            Some(_) = connections.join_next() => continue,
        };
        let Some((stream, peer, permit)) = accepted else { break };
        numbers.connection_opened();
        let place = Place { numbers: numbers.clone(), _permit: permit };
        connections.spawn(connection(stream, peer, place, router.clone(), stopped.clone()));
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

/// A place first, then a connection: when all are taken, clients wait in the kernel's queue.
async fn next(
    listener: &tokio::net::TcpListener,
    places: &Arc<Semaphore>,
) -> Option<(TcpStream, SocketAddr, OwnedSemaphorePermit)> {
    let permit = places.clone().acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => return Some((stream, peer, permit)),
            Err(error) => {
                tracing::warn!(%error, "accepting a connection failed");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    peer: SocketAddr,
    place: Place,
    router: Router,
    mut stopped: watch::Receiver<bool>,
) {
    // Small messages must not wait for company; a socket that refuses is about to fail anyway.
    let _ = stream.set_nodelay(true);
    let router = router.layer(Extension(Peer(peer)));
    let service = TowerToHyperService::new(router);
    let mut builder = Builder::new(TokioExecutor::new()).http1_only();
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_PATIENCE)
        .max_buf_size(MAX_HEAD);
    let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    tokio::pin!(served);
    let outcome = tokio::select! {
        outcome = served.as_mut() => outcome,
        _ = stopped.changed() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%peer, error, "a connection broke off");
    }
    drop(place);
}

async fn upkeep(api: Arc<Api>) {
    let mut every = tokio::time::interval(UPKEEP);
    loop {
        every.tick().await;
        api.limiters().shrink();
        match api.store().sweep(api.now().unix.0).await {
            Ok(swept) if !swept.rooms.is_empty() || swept.invites > 0 => {
                tracing::debug!(rooms = swept.rooms.len(), invites = swept.invites, "swept");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "what is over could not be swept out"),
        }
    }
}
