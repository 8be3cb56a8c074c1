//! Opening every socket and starting every thread, or saying why not.

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;

use crate::creds::Credentials;
use crate::turn::{RelayAddress, Settings, Shared};

use super::clock::Clock;
use super::control::{Control, Orders};
use super::error::StartError;
use super::handle::{BufferReport, RelayHandle, Worker};
use super::listener::{Listener, MAX_LISTENERS};
use super::shard::{Seat, Trains};
use super::stream::{Census, StreamDoor, StreamLimits};
use super::{probe, supervise, sys, workers};

/// A limit on open files below this is worth a word to the operator.
const FEW_FILES: u64 = 4096;

/// What to start.
#[derive(Debug)]
pub struct RelayConfig {
    /// Where clients send to, over UDP; port 0 takes any free port. At most 256.
    pub listen: Vec<SocketAddr>,
    /// How many shards; 0 is one per core this process may use, its cgroup's quota respected.
    pub workers: usize,
    /// For the machines. The addresses listened on are added to the service ports, which no peer
    /// may be.
    pub settings: Settings,
    /// Who may ask.
    pub credentials: Arc<Credentials>,
    /// The bounds of connections over TCP and TLS, which come in by [`RelayHandle::streams`].
    pub streams: StreamLimits,
    /// Whether datagrams travel in trains between us and the kernel.
    pub trains: Trains,
    /// Events that can wait for their reader; more are counted and lost. At least 1.
    pub event_capacity: usize,
}

/// Listens on every address and starts the threads "relay-0", "relay-1", ….
///
/// Each port is first taken exclusively, so that a second instance never shares it silently. The
/// limit on open files is raised as far as the process may: each allocation needs one.
///
/// # Errors
/// A sentence that names the address and says what to do; nothing stays open.
pub fn start(config: RelayConfig) -> Result<RelayHandle, StartError> {
    raise_descriptor_limit();
    let workers = workers::count(config.workers);
    let first = listen(&config.listen)?;
    let listening: Vec<_> = first.iter().map(Listener::local).collect();
    let buffers = BufferReport::of(&first);
    let mut listeners = vec![first];
    for _ in 1..workers {
        listeners.push(join(&listening)?);
    }

    let fixed = Fixed {
        listening,
        relay_addresses: config.settings.relay_addresses.clone(),
        ports: config.settings.ports.clone(),
    };
    let settings = Arc::new(fixed.hold(config.settings));
    let shared = Arc::new(Shared::new(&settings, seed()?));
    let orders = Arc::new(Orders { settings, credentials: config.credentials });
    let clock = Clock::new();
    let (sender, events) = sync_channel(config.event_capacity.max(1));
    let census = Arc::new(Census::new(config.streams, workers));
    let controls: Result<Arc<[_]>, _> =
        (0..workers).map(|_| Control::new(Arc::clone(&orders)).map(Arc::new)).collect();
    let controls = controls.map_err(StartError::Threads)?;
    let door = StreamDoor::new(Arc::clone(&controls), Arc::clone(&census));
    let mut handle = RelayHandle::new(fixed, buffers, events, clock, door);
    for (index, listeners) in listeners.into_iter().enumerate() {
        let seat = Seat {
            listeners,
            control: Arc::clone(&controls[index]),
            shards: Arc::clone(&controls),
            index,
            trains: config.trains,
            census: Arc::clone(&census),
            shared: Arc::clone(&shared),
            events: sender.clone(),
            clock,
        };
        handle.push(spawn(seat).map_err(StartError::Threads)?);
    }
    Ok(handle)
}

/// A limit that stays low is not fatal: allocations beyond it are answered 508.
fn raise_descriptor_limit() {
    match sys::raise_descriptor_limit() {
        Ok(limit) if limit < FEW_FILES => tracing::warn!(
            limit,
            "this process may open few files, and each allocation needs one: raise its limit \
             (LimitNOFILE= in systemd, --ulimit nofile= in Docker)"
        ),
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the limit on open files cannot be raised"),
    }
}

/// What no reload changes: sockets are open there, and ports are numbered by it.
#[derive(Debug)]
pub(super) struct Fixed {
    pub(super) listening: Vec<SocketAddr>,
    relay_addresses: Vec<RelayAddress>,
    ports: RangeInclusive<u16>,
}

impl Fixed {
    /// `settings` with all of this as it was at the start, and with the addresses that are really
    /// listened on among the service ports.
    pub(super) fn hold(&self, mut settings: Settings) -> Settings {
        settings.relay_addresses.clone_from(&self.relay_addresses);
        settings.ports = self.ports.clone();
        for address in &self.listening {
            if !settings.service_ports.contains(address) {
                settings.service_ports.push(*address);
            }
        }
        settings
    }
}

/// The first shard's listeners.
fn listen(addresses: &[SocketAddr]) -> Result<Vec<Listener>, StartError> {
    let mut once: Vec<SocketAddr> = Vec::new();
    for address in addresses {
        if address.port() == 0 || !once.contains(address) {
            once.push(*address);
        }
    }
    match once.len() {
        0 => Err(StartError::NothingToListenOn),
        asked if asked > MAX_LISTENERS => {
            Err(StartError::TooManyListeners { asked, most: MAX_LISTENERS })
        }
        _ => probe::claim(&once),
    }
}

/// Another shard's listeners.
fn join(listening: &[SocketAddr]) -> Result<Vec<Listener>, StartError> {
    let join = |address: &SocketAddr| {
        Listener::join(*address).map_err(|source| StartError::listen(*address, source))
    };
    listening.iter().map(join).collect()
}

fn spawn(seat: Seat) -> std::io::Result<Worker> {
    let control = Arc::clone(&seat.control);
    let name = format!("relay-{}", seat.index);
    let thread = thread::Builder::new().name(name).spawn(|| supervise::run(seat))?;
    Ok(Worker { control, thread })
}

fn seed() -> Result<[u8; 32], StartError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| StartError::Randomness(error.to_string()))?;
    Ok(seed)
}
