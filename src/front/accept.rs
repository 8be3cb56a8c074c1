//! Sockets to connections: one task for each, bounds, a pause when the system has no more to give,
//! and an end.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::connection::{self, Shared};
use super::crowd::{Crowd, Waiting};
use super::numbers::Numbers;
use super::places::Place;
use super::tls::Tls;
use crate::api::HttpDoor;
use crate::relay::StreamDoor;

/// How long to pause when the system gives no more sockets.
const PAUSE: Duration = Duration::from_millis(100);

/// To whom connections go. Without a door, what would go there is closed.
#[derive(Clone, Debug, Default)]
pub struct Doors {
    /// STUN and TURN.
    pub relay: Option<StreamDoor>,
    /// HTTP and WebSocket.
    pub http: Option<HttpDoor>,
}

/// All listeners, at work.
#[derive(Debug)]
pub struct Front {
    shared: Arc<Shared>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
}

/// Begins to accept on every socket, each bound as its [`Place`] says. Connections to addresses of
/// the relay must begin with a PROXY header if they come from `proxies`, and then it is believed.
/// Inside of tokio only.
///
/// # Errors
/// When a socket cannot be used by the runtime.
pub fn start(
    sockets: Vec<(TcpListener, Place)>,
    doors: Doors,
    tls: Arc<Tls>,
    proxies: Vec<IpNet>,
) -> io::Result<Front> {
    let (stop, stopped) = watch::channel(false);
    let (crowd, numbers) = (Crowd::new(), Arc::default());
    let shared = Arc::new(Shared { doors, tls, proxies, crowd, numbers, stopped });
    let mut listeners = JoinSet::new();
    for (socket, place) in sockets {
        socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        listeners.spawn(accept(socket, Arc::new(place), Arc::clone(&shared)));
    }
    Ok(Front { shared, stop, listeners })
}

impl Front {
    /// Its counters, which may outlive it.
    pub fn numbers(&self) -> Arc<Numbers> {
        Arc::clone(&self.shared.numbers)
    }

    /// Closes the listeners and every connection that nothing was decided about. What has been
    /// handed over is no longer here.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.listeners.join_next().await.is_some() {}
    }
}

async fn accept(socket: tokio::net::TcpListener, place: Arc<Place>, shared: Arc<Shared>) {
    let mut stopped = shared.stopped.clone();
    loop {
        let accepted = tokio::select! {
            accepted = next(&socket, &shared) => accepted,
            _ = stopped.wait_for(|stopped| *stopped) => return,
        };
        let (stream, peer, waiting) = accepted;
        shared.numbers.count_accepted();
        tokio::spawn(connection::run(
            Arc::clone(&shared),
            Arc::clone(&place),
            stream,
            peer,
            waiting,
        ));
    }
}

/// A place in the crowd first, then a connection: when all are taken, clients wait in the kernel's
/// queue.
async fn next(
    socket: &tokio::net::TcpListener,
    shared: &Shared,
) -> (TcpStream, SocketAddr, Waiting) {
    let waiting = shared.crowd.enter().await;
    loop {
        match socket.accept().await {
            Ok((stream, peer)) => return (stream, peer, waiting),
            // That one went before it was accepted; the next one may be fine.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(error) => {
                if shared.numbers.of_accepting.are_due() {
                    tracing::warn!(%error, "no connection can be accepted");
                }
                tokio::time::sleep(PAUSE).await;
            }
        }
    }
}
