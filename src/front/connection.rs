//! One connection, from its first byte to whoever it is for.
//!
//! 1. From a trusted proxy: its PROXY header, which says who the client is.
//! 2. The first byte: STUN and HTTP go their ways.
//! 3. TLS: the handshake, and the first byte of what was inside.
//!
//! Each step has ten seconds. Bytes are looked at where they lie, in the kernel or in the TLS
//! session, so that whoever gets the connection reads it from its beginning.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use rustls::ServerConnection;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::accept::Doors;
use super::crowd::{Crowd, Waiting};
use super::numbers::{Numbers, Refusal};
use super::places::Place;
use super::proxy::{self, Header};
use super::sniff::{Layer, Serves, Way, way};
use super::tls::Tls;
use crate::api::{HttpDoor, HttpPlace, Over};
use crate::relay::{self, Stream};

/// How long each step may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a client may take to hear that TLS ends.
const FAREWELL: Duration = Duration::from_secs(1);
/// How much of a PROXY header is looked at at once: all of an ordinary one.
const WINDOW: usize = 256;

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) doors: Doors,
    pub(super) tls: Arc<Tls>,
    pub(super) proxies: Vec<IpNet>,
    pub(super) crowd: Arc<Crowd>,
    pub(super) numbers: Arc<Numbers>,
    pub(super) stopped: watch::Receiver<bool>,
}

/// What became of a connection.
enum Decided {
    /// The relay has it.
    Relayed,
    /// HTTP may begin.
    Http(HttpDoor, HttpPlace, Inside),
}

/// A connection that is still ours.
enum Inside {
    Clear(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Who talks to whom.
#[derive(Clone, Copy)]
struct Ends {
    /// The address connected to.
    local: SocketAddr,
    /// The client.
    client: SocketAddr,
}

/// Takes a connection to where it belongs; HTTP is served here to its end.
pub(super) async fn run(
    shared: Arc<Shared>,
    place: Arc<Place>,
    stream: TcpStream,
    peer: SocketAddr,
    waiting: Waiting,
) {
    let mut stopped = shared.stopped.clone();
    let decided = tokio::select! {
        decided = decide(&shared, &place, stream, peer, waiting) => decided,
        _ = stopped.wait_for(|stopped| *stopped) => return,
    };
    match decided {
        Ok((_, Decided::Relayed)) => {}
        Ok((client, Decided::Http(door, place, inside))) => {
            // Kept apart from what it took to get here: this may last for days.
            let served: Pin<Box<dyn Future<Output = ()> + Send>> = match inside {
                Inside::Clear(stream) => Box::pin(door.serve(stream, client, Over::Tcp, place)),
                Inside::Tls(stream) => Box::pin(door.serve(*stream, client, Over::Tls, place)),
            };
            drop(shared);
            served.await;
        }
        Err(refusal) => {
            shared.numbers.count(&refusal);
            if refusal.is_bound() && shared.numbers.of_bounds.are_due() {
                tracing::warn!(%refusal, "connections are closed; /metrics counts them");
            }
            tracing::debug!(%peer, %refusal, "a connection was closed");
        }
    }
}

async fn decide(
    shared: &Shared,
    place: &Place,
    mut stream: TcpStream,
    peer: SocketAddr,
    mut waiting: Waiting,
) -> Result<(SocketAddr, Decided), Refusal> {
    // Small messages must not wait for company.
    stream.set_nodelay(true)?;
    let local = stream.local_addr()?;
    let serves = place.serves(local.ip());
    let from_proxy = serves.relay() && shared.proxies.iter().any(|net| net.contains(&peer.ip()));
    let client = match from_proxy {
        true => within(proxied(&mut stream)).await?.unwrap_or(peer),
        false => peer,
    };
    if !waiting.is_of(client.ip()) {
        return Err(Refusal::Crowded);
    }
    let ends = Ends { local, client };
    let first = within(first_byte(&stream)).await?;
    let layer = Layer::Clear { certificate: shared.tls.is_ready() };
    let decided = match way(serves, layer, first) {
        Way::Handshake => inside_tls(shared, serves, stream, ends).await?,
        Way::Relay => hand_over(shared, Inside::Clear(stream), ends)?,
        Way::Http => http(shared, Inside::Clear(stream)).await?,
        Way::Refused => return Err(Refusal::Unknown(first)),
    };
    Ok((client, decided))
}

/// Gives a step its time.
async fn within<T>(step: impl Future<Output = Result<T, Refusal>>) -> Result<T, Refusal> {
    tokio::time::timeout(PATIENCE, step).await.unwrap_or(Err(Refusal::Late))
}

/// Takes a PROXY header off the beginning, and nothing of what follows it.
async fn proxied(stream: &mut TcpStream) -> Result<Option<SocketAddr>, Refusal> {
    let (mut header, mut window) = (Vec::new(), [0; WINDOW]);
    loop {
        let seen = stream.peek(&mut window).await?;
        if seen == 0 {
            return Err(Refusal::Ended);
        }
        let taken = header.len();
        header.extend(&window[..seen]);
        match proxy::parse(&header) {
            Header::Whole { len, client } => {
                stream.read_exact(&mut window[..len - taken]).await?;
                return Ok(client);
            }
            // All of it belongs to the header; what comes next is new.
            Header::Partial => drop(stream.read_exact(&mut window[..seen]).await?),
            Header::Broken(malformed) => return Err(malformed.into()),
        }
    }
}

/// The first byte, which stays where it is.
async fn first_byte(stream: &TcpStream) -> Result<u8, Refusal> {
    let mut first = [0];
    match stream.peek(&mut first).await? {
        0 => Err(Refusal::Ended),
        _ => Ok(first[0]),
    }
}

async fn inside_tls(
    shared: &Shared,
    serves: Serves,
    stream: TcpStream,
    ends: Ends,
) -> Result<Decided, Refusal> {
    let acceptor = TlsAcceptor::from(Arc::clone(shared.tls.config()));
    let handshake = async { acceptor.accept(stream).await.map_err(Refusal::Tls) };
    let mut stream = Box::new(within(handshake).await?);
    let first = async {
        let seen = stream.fill_buf().await.map_err(Refusal::Tls)?;
        seen.first().copied().ok_or(Refusal::Ended)
    };
    let first = match within(first).await {
        Ok(first) => first,
        Err(refusal) => return farewell(stream, refusal).await,
    };
    match way(serves, Layer::Tls, first) {
        Way::Relay => hand_over(shared, Inside::Tls(stream), ends),
        Way::Http => http(shared, Inside::Tls(stream)).await,
        Way::Handshake | Way::Refused => farewell(stream, Refusal::Unknown(first)).await,
    }
}

/// Says that TLS ends, which tells the client that nothing was cut off.
async fn farewell(
    mut stream: Box<TlsStream<TcpStream>>,
    refusal: Refusal,
) -> Result<Decided, Refusal> {
    let _ = tokio::time::timeout(FAREWELL, stream.shutdown()).await;
    Err(refusal)
}

/// Hands the connection to a shard, with everything that has been decrypted of it.
fn hand_over(shared: &Shared, inside: Inside, ends: Ends) -> Result<Decided, Refusal> {
    let Some(door) = &shared.doors.relay else { return Err(relay::Refused::Stopping.into()) };
    let (socket, tls, early) = match inside {
        Inside::Clear(socket) => (socket, None, Vec::new()),
        Inside::Tls(stream) => {
            let (socket, mut session) = stream.into_inner();
            let early = decrypted(&mut session)?;
            (socket, Some(Box::new(session)), early)
        }
    };
    let (local, remote) = (ends.local, ends.client);
    door.hand_over(Stream { socket: socket.into_std()?, tls, local, remote, early })?;
    Ok(Decided::Relayed)
}

/// What the session has decrypted and nobody has read.
fn decrypted(session: &mut ServerConnection) -> io::Result<Vec<u8>> {
    let mut early = Vec::new();
    match session.reader().read_to_end(&mut early) {
        // There is no more for now, or there never will be.
        Err(error) if error.kind() != io::ErrorKind::WouldBlock => Err(error),
        _ => Ok(early),
    }
}

/// A place on the HTTP side, as soon as one is free.
async fn http(shared: &Shared, inside: Inside) -> Result<Decided, Refusal> {
    let Some(door) = shared.doors.http.clone() else { return Err(Refusal::Http) };
    // Who waits here is in the crowd: an HTTP side that is full must not keep the relay's clients out.
    let patience = if shared.crowd.is_thin() { PATIENCE } else { Duration::ZERO };
    let entered = tokio::time::timeout(patience, door.enter()).await;
    let place = entered.ok().flatten().ok_or(Refusal::Http)?;
    Ok(Decided::Http(door, place, inside))
}
