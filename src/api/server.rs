//! Connections to requests: bounds, upkeep, and an orderly end. Whoever accepts them hands them in.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::JoinHandle;

use super::Api;
use super::crowd::Crowd;
use super::forwarded::is_trusted;
use super::numbers::HttpNumbers;
use super::stall::Stalling;

/// Said to an address that has as many connections as it may have.
const CROWDED: &[u8] = b"HTTP/1.1 429 Too Many Requests\r\n\
    Connection: close\r\n\
    Content-Type: application/json\r\n\
    Content-Length: 85\r\n\
    Retry-After: 5\r\n\
    \r\n\
    {\"error\":{\"code\":\"rate_limited\",\"message\":\"Too many connections from this address.\"}}";
/// The largest head, in bytes: line and headers together.
const MAX_HEAD: usize = 32 * 1024;
/// How long requests under way may take at the end.
const GRACE: Duration = Duration::from_secs(5);
/// How often what is over is swept out.
const UPKEEP: Duration = Duration::from_secs(60);

/// The other end of the connection a request came over: the client or a proxy.
#[derive(Clone, Copy, Debug)]
pub struct Peer(pub SocketAddr);

/// What a connection is wrapped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// Plain TCP.
    Tcp,
    /// TLS that ended here.
    Tls,
}

/// The running HTTP side: what connections are served with until [`stop`](Self::stop).
#[derive(Debug)]
pub struct HttpServer {
    door: HttpDoor,
    stop: watch::Sender<bool>,
    /// Held by whoever is here, beside the server itself.
    here: mpsc::Sender<()>,
    /// Ends when nobody is here any more; nothing is ever sent.
    gone: mpsc::Receiver<()>,
    upkeep: JoinHandle<()>,
}

/// Where connections are handed in. Its copies are the same door.
#[derive(Clone, Debug)]
pub struct HttpDoor {
    router: Router,
    api: Arc<Api>,
    crowd: Arc<Crowd>,
    numbers: Arc<HttpNumbers>,
    places: Arc<Semaphore>,
    stopped: watch::Receiver<bool>,
    here: mpsc::WeakSender<()>,
}

/// A place among the connections.
#[derive(Debug)]
pub struct HttpPlace {
    numbers: Arc<HttpNumbers>,
    _permit: OwnedSemaphorePermit,
    _here: mpsc::Sender<()>,
}

impl Drop for HttpPlace {
    fn drop(&mut self) {
        self.numbers.connection_closed();
    }
}

impl HttpServer {
    /// Ready for connections, which are served with `router`. Does the API's upkeep meanwhile.
    /// Inside of tokio only.
    pub fn start(api: Arc<Api>, router: Router) -> Self {
        let (stop, stopped) = watch::channel(false);
        let (here, gone) = mpsc::channel(1);
        let door = HttpDoor {
            router,
            api: Arc::clone(&api),
            crowd: Arc::default(),
            numbers: api.numbers().clone(),
            places: Arc::new(Semaphore::new(api.settings().max_connections)),
            stopped,
            here: here.downgrade(),
        };
        Self { door, stop, here, gone, upkeep: tokio::spawn(upkeep(api)) }
    }

    /// Where connections are handed in.
    pub fn door(&self) -> HttpDoor {
        self.door.clone()
    }

    /// Lets requests under way end for up to five seconds. Take no more connections, and end the
    /// WebSocket ones first, with [`Endpoint::shutdown`](super::signal::Endpoint::shutdown).
    pub async fn stop(mut self) {
        self.upkeep.abort();
        self.stop.send_replace(true);
        self.door.places.close();
        drop(self.here);
        if tokio::time::timeout(GRACE, self.gone.recv()).await.is_err() {
            tracing::info!("ended with requests under way");
        }
    }
}

impl HttpDoor {
    /// A place for one connection, once one is free; `None` when the server stops.
    pub async fn enter(&self) -> Option<HttpPlace> {
        let permit = self.places.clone().acquire_owned().await.ok()?;
        let here = self.here.upgrade()?;
        self.numbers.connection_opened();
        Some(HttpPlace { numbers: self.numbers.clone(), _permit: permit, _here: here })
    }

    /// Serves one connection of `peer` until its end, or until the server stops and the request
    /// under way is answered.
    pub async fn serve<S>(self, stream: S, peer: SocketAddr, over: Over, place: HttpPlace)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let settings = self.api.settings.load_full();
        let most = match is_trusted(peer.ip().to_canonical(), &settings.trusted_proxies) {
            true => 0,
            false => settings.per_address.connections,
        };
        let Some(spot) = self.crowd.enter(peer.ip(), most) else {
            tracing::debug!(%peer, "too many connections of one address");
            return crowded(stream).await;
        };
        let Self { router, mut stopped, .. } = self;
        let service = router.layer(Extension(Peer(peer))).layer(Extension(over));
        let service = TowerToHyperService::new(service);
        let mut builder = Builder::new(TokioExecutor::new()).http1_only();
        builder
            .http1()
            .timer(TokioTimer::new())
            .header_read_timeout(settings.patience.head)
            .max_buf_size(MAX_HEAD);
        let stream = Stalling::new(stream, settings.patience.write);
        let served = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
        tokio::pin!(served);
        let outcome = tokio::select! {
            outcome = served.as_mut() => outcome,
            () = stopping(&mut stopped) => {
                served.as_mut().graceful_shutdown();
                served.await
            }
        };
        if let Err(error) = outcome {
            tracing::debug!(%peer, error, "a connection broke off");
        }
        drop((place, spot));
    }
}

/// The last words to an address that has as many connections as it may have.
async fn crowded(mut stream: impl AsyncWrite + Unpin) {
    let answer = async {
        stream.write_all(CROWDED).await?;
        stream.shutdown().await
    };
    // Whoever does not take them need not hear them.
    let _ = tokio::time::timeout(Duration::from_secs(1), answer).await;
}

/// Waits for the end of the server.
async fn stopping(stopped: &mut watch::Receiver<bool>) {
    // A server that is gone without a word has stopped too.
    drop(stopped.wait_for(|stopped| *stopped).await);
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
