//! Drain: no new allocations, the open ones live on, and the server stops when the last is gone.
//! Asked for with SIGUSR1 or `relayhouse drain`; only a stop ends it.

use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::app::config::Config;

use super::server::Server;
use super::{joined, notify, reload};

/// How often is looked whether the last allocation is gone.
const LOOK: Duration = Duration::from_millis(100);
/// So many looks in a row must find none: an allocation that was being opened when the drain began
/// is not counted yet.
const LOOKS: u32 = 3;
/// So many looks pass between two words about what is left: a minute.
const WORD: u64 = 600;

/// Whether the server drains.
#[derive(Debug, Default)]
pub(super) struct Drain {
    begun: AtomicBool,
    /// The relay has been told.
    told: AtomicBool,
    bell: Notify,
}

impl Drain {
    /// Whether it has begun.
    pub(super) fn is_on(&self) -> bool {
        self.begun.load(Ordering::Acquire)
    }

    async fn until_told(&self) {
        while !self.told.load(Ordering::Acquire) {
            self.bell.notified().await;
        }
    }
}

/// Begins to drain; once is enough. Says how many allocations are open. Blocks while the names of
/// other servers are looked up: not to be called inside of tokio.
pub(super) fn begin(server: &Server) -> u64 {
    let open = allocations(server);
    if server.drain.begun.swap(true, Ordering::AcqRel) {
        info!(allocations = open, "draining already");
        return open;
    }
    let alternate = reload::configure(server, || ());
    info!(
        allocations = open,
        alternate = joined(&alternate),
        "draining: new allocations are refused; the server stops when the last one is gone"
    );
    notify::notify("STATUS=draining");
    server.drain.told.store(true, Ordering::Release);
    server.drain.bell.notify_one();
    open
}

/// Returns when the server drains and has no allocation left.
pub(super) async fn until_done(server: &Arc<Server>) {
    server.drain.until_told().await;
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut none, mut looks) = (0, 0);
    while none < LOOKS {
        look.tick().await;
        looks += 1;
        let open = allocations(server);
        none = if open == 0 { none + 1 } else { 0 };
        if looks % WORD == 0 {
            info!(allocations = open, "draining");
        }
    }
}

/// Allocations that are open.
pub(super) fn allocations(server: &Server) -> u64 {
    server.relay.with(|relay| relay.counters().allocations).unwrap_or(0)
}

/// The servers that new clients are sent to. What cannot be looked up is left out, and so is
/// loopback, which is not the client's. Blocks.
pub(super) fn alternates(config: &Config) -> Vec<SocketAddr> {
    let mut found: Vec<SocketAddr> = Vec::new();
    for server in &config.relay.alternate_servers {
        match (server.host.as_str(), server.port).to_socket_addrs() {
            Ok(addresses) => found.extend(addresses.filter(|at| !at.ip().is_loopback())),
            Err(error) => {
                let key = "relay.alternate_server";
                warn!(key, %server, %error, "clients cannot be sent there: it is not found");
            }
        }
    }
    found.sort();
    found.dedup();
    found
}
