//! A running relay, as the rest of the process sees it.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::creds::Credentials;
use crate::turn::{Event, Settings, Snapshot};

use super::allocations::AllocationDoor;
use super::clock::Clock;
use super::control::{Control, Orders};
use super::listener::Listener;
use super::start::Fixed;
use super::stats::Stats;
use super::stream::StreamDoor;
use super::sys;

/// Beyond its grace, a thread gets this long to return before it is left behind.
const PATIENCE: Duration = Duration::from_secs(2);

/// Socket buffers, in bytes: what was asked for and the least any listener was granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferReport {
    /// Asked for, each way.
    pub asked: usize,
    /// Granted for receiving (`net.core.rmem_max` bounds it for processes without `CAP_NET_ADMIN`).
    pub receive: usize,
    /// Granted for sending (`net.core.wmem_max`).
    pub send: usize,
}

impl BufferReport {
    pub(super) fn of(listeners: &[Listener]) -> Self {
        let granted = listeners.iter().map(|listener| listener.socket.buffers());
        let start = Self { asked: sys::BUFFER_BYTES, receive: usize::MAX, send: usize::MAX };
        granted.fold(start, |least, granted| Self {
            receive: least.receive.min(granted.receive),
            send: least.send.min(granted.send),
            ..least
        })
    }
}

/// A running relay. Dropping it stops it at once. It may be shared between threads.
#[derive(Debug)]
pub struct RelayHandle {
    fixed: Fixed,
    buffers: BufferReport,
    /// Behind a lock only so that the handle can be shared: it is taken before that.
    events: Mutex<Option<Receiver<Event>>>,
    clock: Clock,
    streams: StreamDoor,
    workers: Vec<Worker>,
}

/// One shard's thread and the mailbox to it.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) control: Arc<Control>,
    pub(super) thread: JoinHandle<()>,
}

impl RelayHandle {
    pub(super) fn new(
        fixed: Fixed,
        buffers: BufferReport,
        events: Receiver<Event>,
        clock: Clock,
        streams: StreamDoor,
    ) -> Self {
        let (events, workers) = (Mutex::new(Some(events)), Vec::new());
        Self { fixed, buffers, events, clock, streams, workers }
    }

    pub(super) fn push(&mut self, worker: Worker) {
        self.workers.push(worker);
    }

    /// The addresses listened on, in the order asked for, with the real ports where 0 was asked.
    pub fn listening(&self) -> &[SocketAddr] {
        &self.fixed.listening
    }

    /// How many shards run.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The machines' numbers, of all shards together.
    pub fn counters(&self) -> Snapshot {
        let mut shards = self.workers.iter().map(|worker| worker.control.snapshot());
        let first = shards.next().unwrap_or_default();
        shards.fold(first, |sum, shard| sum.plus(&shard))
    }

    /// Datagrams the kernel dropped because a listener's or a relay socket's buffer was full.
    pub fn kernel_drops(&self) -> u64 {
        self.sum(|stats| &stats.kernel_drops)
    }

    /// Datagrams that could not be sent: a full send buffer, no route, larger than the path allows.
    pub fn send_drops(&self) -> u64 {
        self.sum(|stats| &stats.send_drops)
    }

    /// Trains of datagrams the kernel did not take: their datagrams went one by one, and later trains got
    /// smaller or ended.
    pub fn refused_trains(&self) -> u64 {
        self.sum(|stats| &stats.refused_trains)
    }

    /// How often a client got a receive queue of its own, because it filled the one that all share.
    pub fn lanes(&self) -> u64 {
        self.sum(|stats| &stats.lanes)
    }

    /// Datagrams that were received cut, without a usable address, or where another client was expected.
    pub fn receive_drops(&self) -> u64 {
        self.sum(|stats| &stats.receive_drops)
    }

    /// ICMP messages that came in about datagrams to peers: unreachable, closed, too large.
    pub fn icmp_errors(&self) -> u64 {
        self.sum(|stats| &stats.icmp_errors)
    }

    /// Events that did not fit the channel: nobody fetched them in time.
    pub fn events_lost(&self) -> u64 {
        self.sum(|stats| &stats.events_lost)
    }

    /// How often a shard had to start anew after a bug. Anything but 0 is worth a report.
    pub fn restarts(&self) -> u64 {
        self.sum(|stats| &stats.restarts)
    }

    /// The door by which allocations are listed and ended.
    pub fn allocations(&self) -> AllocationDoor {
        AllocationDoor::new(self.streams.shards())
    }

    /// The door by which connections over TCP and TLS come in.
    pub fn streams(&self) -> StreamDoor {
        self.streams.clone()
    }

    /// Connections over TCP and TLS taken since the start; [`StreamDoor::open`] says how many there
    /// are now.
    pub fn streams_accepted(&self) -> u64 {
        self.streams.accepted()
    }

    /// Messages dropped towards clients that do not read as fast as they are sent to.
    pub fn slow_client_drops(&self) -> u64 {
        self.sum(|stats| &stats.slow_client_drops)
    }

    /// Connections ended because they brought nothing and had no allocation.
    pub fn idle_closes(&self) -> u64 {
        self.sum(|stats| &stats.idle_closes)
    }

    /// Connections ended because of what they brought: bytes that are neither STUN nor ChannelData,
    /// or TLS that does not hold.
    pub fn broken_closes(&self) -> u64 {
        self.sum(|stats| &stats.broken_closes)
    }

    /// Socket buffers asked for and granted.
    pub fn buffers(&self) -> BufferReport {
        self.buffers
    }

    /// Where events come out. Taken once; shards never wait for its reader.
    pub fn events(&mut self) -> Option<Receiver<Event>> {
        self.events.get_mut().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// From now on these settings and credentials; what is established lives on. Relay addresses and
    /// the port range stay those of the start, and the addresses listened on stay service ports.
    pub fn reconfigure(&self, settings: Settings, credentials: Arc<Credentials>) {
        let settings = Arc::new(self.fixed.hold(settings));
        let orders = Arc::new(Orders { settings, credentials });
        for worker in &self.workers {
            worker.control.order(Arc::clone(&orders));
        }
    }

    /// Ends every allocation, waits up to `grace` for the reader of events, and returns when all
    /// threads have.
    pub fn shutdown(mut self, grace: Duration) {
        self.stop(grace);
    }

    fn stop(&mut self, grace: Duration) {
        // If nobody took the events, nobody is waited for.
        drop(self.events());
        let deadline = self.clock.now().mono + grace;
        for worker in &self.workers {
            worker.control.stop(deadline);
        }
        for worker in self.workers.drain(..) {
            while !worker.thread.is_finished() && self.clock.now().mono < deadline + PATIENCE {
                std::thread::sleep(Duration::from_millis(1));
            }
            if worker.thread.is_finished() {
                // It catches its own panics.
                let _ = worker.thread.join();
            } else {
                tracing::error!("a relay thread does not stop; it is left behind");
            }
        }
    }

    fn sum(&self, counter: impl Fn(&Stats) -> &AtomicU64) -> u64 {
        self.workers.iter().map(|worker| counter(&worker.control.stats).load(Relaxed)).sum()
    }

    #[cfg(test)]
    pub(super) fn controls(&self) -> impl Iterator<Item = &Control> {
        self.workers.iter().map(|worker| &*worker.control)
    }
}

impl Drop for RelayHandle {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}
