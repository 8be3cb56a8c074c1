//! Running the server, from the first log line to the last.

mod addresses;
mod banner;
mod doctor;
mod drain;
mod endpoints;
mod follow;
pub mod kept;
mod kernel;
mod listeners;
mod nat_discovery;
mod notify;
pub mod offline;
mod operated;
mod public_address;
mod relay_slot;
mod reload;
pub mod ring;
mod server;
mod settings;
mod signals;
pub mod tls;
mod trail;
mod web;

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use super::config::{Config, Loaded, Sources};
use super::desk::{Desk, RingDoor};
use super::trail::note_server;
use super::{Failure, desk, log};
use crate::api::Witness;
use crate::front;
use crate::relay::{self, RelayConfig, RelayHandle, StartError, StreamLimits};
use crate::store::{EventKind, Store};

use addresses::Addresses;
use drain::Drain;
use kept::Kept;
use listeners::Listening;
use operated::Operated;
use relay_slot::RelaySlot;
use reload::Live;
use ring::Uses;
use server::Server;
use signals::Signals;

/// Events that wait for the log when very many come at once.
const EVENT_CAPACITY: usize = 16_384;
/// How long the relay may take to end its allocations and report them.
const RELAY_GRACE: Duration = Duration::from_secs(2);

/// Starts everything, serves until a signal says stop, and stops everything.
///
/// # Errors
/// One sentence that says what to do.
pub fn run(loaded: Loaded, sources: Sources) -> Result<(), Failure> {
    let Loaded { mut config, effective, warnings } = loaded;
    let log = log::init(&config.log);
    opening_words(&config, &warnings);
    let store = Store::open(&config.data_dir).map_err(Failure::runtime)?;
    store.events().configure(trail::journal_settings(&config));
    let kept = Kept::load(&store)?;
    let addresses = addresses::resolve(&config, &effective)?;
    doctor::examine(&addresses.relay, &config);
    let tls = tls::start(&config, &effective)?;
    config.listen.udp = addresses::speakable("listen.udp", &config.listen.udp, &effective);
    let (sockets, mut listening) = listeners::bind(&config, &effective)?;
    let mut relay = start_relay(&config, &kept, &addresses, &listening)?;
    let uses = Arc::new(Uses::load(&store).map_err(Failure::runtime)?);
    let witness = Arc::new(Witness::default());
    let followers = (store.clone(), Arc::clone(&uses), Arc::clone(&witness));
    let events = follow::relay(&mut relay, followers)?;
    listening.udp = relay.listening().to_vec();
    let server = Arc::new(Server {
        live: Arc::new(Live { config, effective }).into(),
        relay: RelaySlot::new(relay),
        witness,
        web: std::sync::OnceLock::new(),
        store: store.clone(),
        hooks: std::sync::OnceLock::new(),
        front: std::sync::OnceLock::new(),
        sources,
        kept,
        addresses,
        listening,
        tls,
        log,
        changing: std::sync::Mutex::default(),
        drain: Drain::default(),
    });
    let till = Arc::clone(&server);
    let desk = Desk::new(move || till.till(), Some(store.clone()));
    let drained = Arc::clone(&server);
    let desk = desk.with_drain(move || drain::begin(&drained));
    let desk = desk.with_relay(Operated(Arc::clone(&server)));
    let desk = desk.with_ring(ring_door(&server, &store, &uses));
    let data_dir = server.live.load().config.data_dir.clone();
    let control = desk::server::serve(&data_dir, desk.clone()).map_err(Failure::Runtime)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::Runtime(format!("cannot start the control plane: {error}")))?;
    runtime.spawn(ring::watch(Arc::clone(&server), store.clone(), Arc::clone(&uses)));
    note_server(&store, EventKind::ServerStarted);
    let served = runtime.block_on(serve(&server, sockets, store.clone(), &desk));
    drop(control);
    server.relay.stop(RELAY_GRACE);
    // The events end with the relay's threads; what the log has not got by now is lost with us.
    let _ = events.join();
    uses.write_all();
    note_server(&store, EventKind::ServerStopped);
    if let Err(error) = store.events().settle().wait() {
        warn!(%error, "the last events could not be written");
    }
    runtime.shutdown_timeout(Duration::from_secs(1));
    info!("stopped");
    served
}

/// The part that runs on tokio: pages, API and signalling, until a signal.
async fn serve(
    server: &Arc<Server>,
    sockets: Vec<(TcpListener, front::Place)>,
    store: Store,
    desk: &Desk,
) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let web = web::start(server, sockets, store).await?;
    tokio::spawn(tls::watch(Arc::clone(server)));
    tokio::spawn(trail::watch_relay(Arc::clone(server)));
    say_ready(server, desk);
    signals.until_stop(server).await;
    notify::notify("STOPPING=1");
    tokio::spawn(signals.exit_on_next());
    web.stop().await;
    Ok(())
}

/// The banner, the one line that tells scripts that everything listens, and systemd.
fn say_ready(server: &Server, desk: &Desk) {
    use std::io::Write;
    let live = server.live.load();
    let banner = banner::Banner {
        config: &live.config,
        file: server.sources.file.as_deref(),
        link: server.till().link().ok(),
        credential: desk.credential().unwrap_or_default(),
        listening: &server.listening,
        no_users: desk.has_no_users(),
        peers_see: doctor::seen_as(&server.addresses.relay),
        relays_on_loopback: server.addresses.relay.iter().all(|at| at.public.is_loopback()),
    };
    // Nobody may be reading: that is no reason to stop.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(banner.text().as_bytes()).and_then(|()| stdout.flush());
    let Listening { udp, tcp, tls, http } = &server.listening;
    info!(udp = joined(udp), tcp = joined(tcp), tls = joined(tls), http = joined(http), "ready");
    notify::notify("READY=1");
}

/// What should be said before anything can go wrong.
fn opening_words(config: &Config, warnings: &[String]) {
    if config.dev {
        warn!(
            "DEVELOPMENT MODE (--dev): everything is on loopback, clients may relay to loopback, \
             and everybody may mint credentials and make rooms"
        );
    }
    warnings.iter().for_each(|warning| warn!("{warning}"));
}

fn start_relay(
    config: &Config,
    kept: &Kept,
    addresses: &Addresses,
    listening: &Listening,
) -> Result<RelayHandle, Failure> {
    let settings = settings::turn(config, addresses, listening, None);
    if !settings.nat_discovery.is_empty() {
        let at: Vec<_> = settings.nat_discovery.iter().map(|at| at.local).collect();
        info!(addresses = joined(&at), "NAT behaviour discovery (RFC 5780) is served");
    }
    let relay = relay::start(RelayConfig {
        listen: config.listen.udp.clone(),
        workers: config.relay.workers,
        settings,
        credentials: Arc::new(settings::credentials(config, kept)?),
        streams: StreamLimits { connections: config.stream_connections, ..StreamLimits::default() },
        trains: kernel::trains(config.relay.trains),
        event_capacity: EVENT_CAPACITY,
    });
    let relay = relay.map_err(|error| match error {
        StartError::Permission { .. } => Failure::Runtime(format!(
            "{error}: `setcap cap_net_bind_service=+ep` on the program, or \
             AmbientCapabilities=CAP_NET_BIND_SERVICE in the systemd unit"
        )),
        error => Failure::runtime(error),
    })?;
    let buffers = relay.buffers();
    if buffers.receive < buffers.asked {
        info!(
            asked_bytes = buffers.asked,
            receive_bytes = buffers.receive,
            send_bytes = buffers.send,
            "socket buffers are smaller than asked for; under load packets are lost: raise \
             net.core.rmem_max and net.core.wmem_max"
        );
    }
    Ok(relay)
}

/// What the desk may do about the secrets of this server.
fn ring_door(server: &Arc<Server>, store: &Store, uses: &Arc<Uses>) -> RingDoor {
    let (server, store, uses) = (Arc::clone(server), store.clone(), Arc::clone(uses));
    RingDoor {
        changed: Arc::new(move || ring::changed(&server, &store)),
        store_uses: Arc::new(move || uses.write_all()),
    }
}

fn joined(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
}
