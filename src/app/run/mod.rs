//! Running the server, from the first log line to the last.

mod addresses;
mod banner;
mod endpoints;
pub mod kept;
mod listeners;
mod notify;
pub mod offline;
mod relay_slot;
mod reload;
mod server;
mod settings;
mod signals;
mod web;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tracing::{info, warn};

use super::config::{Config, Effective, Loaded, Place, Sources};
use super::desk::Desk;
use super::{Failure, desk, log};
use crate::relay::{self, RelayConfig, RelayHandle, StartError};
use crate::store::Store;
use crate::turn::Event;

use addresses::Addresses;
use kept::Kept;
use relay_slot::RelaySlot;
use reload::Live;
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
    let kept = Kept::load(&store)?;
    let addresses = addresses::resolve(&config, &effective)?;
    mention_nat(&config, &addresses);
    config.listen.udp = speakable(&config.listen.udp, &effective);
    let sockets = listeners::bind(&config.http.listen)?;
    let http = listeners::addresses(&sockets)?;
    let mut relay = start_relay(&config, &kept, &addresses, &http)?;
    let events = log_events(&mut relay)?;
    let udp = relay.listening().to_vec();
    let server = Arc::new(Server {
        live: Arc::new(Live { config, effective }).into(),
        relay: RelaySlot::new(relay),
        web: std::sync::OnceLock::new(),
        sources,
        kept,
        addresses,
        udp,
        http,
        log,
    });
    let till = Arc::clone(&server);
    let desk = Desk::new(move || till.till(), Some(store.clone()));
    let data_dir = server.live.load().config.data_dir.clone();
    let control = desk::server::serve(&data_dir, desk.clone()).map_err(Failure::Runtime)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Failure::Runtime(format!("cannot start the control plane: {error}")))?;
    let served = runtime.block_on(serve(&server, sockets, store, &desk));
    drop(control);
    server.relay.stop(RELAY_GRACE);
    // The events end with the relay's threads; what the log has not got by now is lost with us.
    let _ = events.join();
    runtime.shutdown_timeout(Duration::from_secs(1));
    info!("stopped");
    served
}

/// The part that runs on tokio: pages, API and signalling, until a signal.
async fn serve(
    server: &Arc<Server>,
    sockets: Vec<std::net::TcpListener>,
    store: Store,
    desk: &Desk,
) -> Result<(), Failure> {
    let mut signals = Signals::catch()?;
    let web = web::start(server, sockets, store).await?;
    say_ready(server, desk);
    signals.until_stop(server).await;
    notify::notify("STOPPING=1");
    tokio::spawn(signals.exit_on_next());
    web.stop().await
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
        udp: &server.udp,
        http: &server.http,
        relays_on_loopback: server.addresses.relay.iter().all(|at| at.public.is_loopback()),
    };
    // Nobody may be reading: that is no reason to stop.
    let mut stdout = std::io::stdout().lock();
    let _ = stdout.write_all(banner.text().as_bytes()).and_then(|()| stdout.flush());
    info!(udp = joined(&server.udp), http = joined(&server.http), "ready");
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
    let keys = [("listen.tcp", &config.listen.tcp), ("listen.tls", &config.listen.tls)];
    let asked: Vec<_> =
        keys.iter().filter(|(_, list)| !list.is_empty()).map(|(key, _)| *key).collect();
    if !asked.is_empty() {
        info!(keys = asked.join(","), "these listeners are not served by this version");
    }
}

/// The usual surprise in clouds and behind routers: peers are told an address they cannot reach.
fn mention_nat(config: &Config, addresses: &Addresses) {
    let inner = |ip: IpAddr| match ip {
        IpAddr::V4(ip) => ip.is_private(),
        IpAddr::V6(ip) => ip.is_unique_local(),
    };
    if !config.dev && addresses.relay.iter().all(|address| inner(address.public)) {
        let relay: Vec<_> = addresses.relay.iter().map(|at| at.public.to_string()).collect();
        info!(
            addresses = relay.join(","),
            "relayed addresses are private: clients on the internet cannot reach them; if this \
             host has a public address, write it into relay.external"
        );
    }
}

/// The addresses to listen on. IPv6 that nobody asked for is left out on a host without it.
fn speakable(udp: &[SocketAddr], effective: &Effective) -> Vec<SocketAddr> {
    let by_default = matches!(effective.place("listen.udp"), Place::Default | Place::Dev);
    let (kept, left): (Vec<SocketAddr>, Vec<SocketAddr>) =
        udp.iter().partition(|address| !by_default || addresses::is_here(address.ip()));
    if !left.is_empty() && !kept.is_empty() {
        info!(addresses = joined(&left), "this host does not have these; they are left out");
        return kept;
    }
    udp.to_vec()
}

fn start_relay(
    config: &Config,
    kept: &Kept,
    addresses: &Addresses,
    http: &[SocketAddr],
) -> Result<RelayHandle, Failure> {
    let relay = relay::start(RelayConfig {
        listen: config.listen.udp.clone(),
        workers: config.relay.workers,
        settings: settings::turn(config, addresses, http),
        credentials: Arc::new(settings::credentials(config, kept)?),
        streams: relay::StreamLimits::default(),
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

/// A thread that writes the relay's events into the log until the relay has stopped.
fn log_events(relay: &mut RelayHandle) -> Result<thread::JoinHandle<()>, Failure> {
    let events = relay.events().expect("nobody else takes the events");
    let write = move || events.iter().for_each(|event: Event| log::events::write(&event));
    let thread = thread::Builder::new().name("events".to_owned()).spawn(write);
    thread.map_err(|error| Failure::Runtime(format!("cannot start a thread: {error}")))
}

fn joined(addresses: &[SocketAddr]) -> String {
    addresses.iter().map(SocketAddr::to_string).collect::<Vec<_>>().join(",")
}
