//! The door connections come in by: a bound over all shards, and a mailbox for each.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use socket2::SockRef;

use super::super::control::Control;
use super::{Connection, Refused, Stream, StreamLimits};
use crate::stun::frame::MAX_FRAME;

/// How many bytes the kernel takes beyond what it has sent.
const UNSENT: u32 = 32 << 10;

/// For how long what was sent may stay unacknowledged (or unread) before a connection is lost.
pub(in crate::relay) const UNHEARD: Duration = Duration::from_secs(60);

/// Where accepted connections are handed to the relay. Its copies are the same door.
#[derive(Clone, Debug)]
pub struct StreamDoor {
    controls: Arc<[Arc<Control>]>,
    census: Arc<Census>,
}

impl StreamDoor {
    pub(in crate::relay) fn new(controls: Arc<[Arc<Control>]>, census: Arc<Census>) -> Self {
        Self { controls, census }
    }

    /// Gives `stream` to the shard with the fewest connections; from now on it is the relay's.
    /// Never waits.
    ///
    /// # Errors
    /// When as many are open as may be, or the relay stops. The connection is closed.
    pub fn hand_over(&self, stream: Stream) -> Result<(), Refused> {
        let shards = self.controls.iter().enumerate();
        let (shard, control) =
            shards.min_by_key(|(shard, _)| self.census.open_on(*shard)).ok_or(Refused::Stopping)?;
        let place = Census::enter(&self.census, shard).ok_or(Refused::Full)?;
        prepare(&stream).map_err(|_| Refused::Broken)?;
        control.deliver(Arrival::New(stream, place))
    }

    /// The mailboxes of all shards.
    pub(in crate::relay) fn shards(&self) -> Arc<[Arc<Control>]> {
        Arc::clone(&self.controls)
    }

    /// Connections that are open now, over all shards.
    pub fn open(&self) -> u64 {
        self.census.open()
    }

    /// Connections taken since the start.
    pub(in crate::relay) fn accepted(&self) -> u64 {
        self.census.accepted()
    }
}

/// Sees to it that the socket never waits, and that what it holds back is little: a message for a
/// call is worth nothing seconds later.
fn prepare(stream: &Stream) -> io::Result<()> {
    if stream.early.len() > MAX_FRAME {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    stream.socket.set_nonblocking(true)?;
    stream.socket.set_nodelay(true)?;
    let socket = SockRef::from(&stream.socket);
    socket.set_tcp_notsent_lowat(UNSENT)?;
    socket.set_tcp_user_timeout(Some(UNHEARD))
}

/// How many connections there are, against how many there may be.
#[derive(Debug)]
pub(in crate::relay) struct Census {
    limits: StreamLimits,
    open: AtomicUsize,
    by_shard: Box<[AtomicUsize]>,
    accepted: AtomicU64,
}

impl Census {
    /// Nobody is here.
    pub(in crate::relay) fn new(limits: StreamLimits, shards: usize) -> Self {
        let by_shard = (0..shards).map(|_| AtomicUsize::new(0)).collect();
        Self { limits, open: AtomicUsize::new(0), by_shard, accepted: AtomicU64::new(0) }
    }

    /// The bounds.
    pub(in crate::relay) fn limits(&self) -> StreamLimits {
        self.limits
    }

    /// Connections open on one shard.
    pub(in crate::relay) fn open_on(&self, shard: usize) -> usize {
        self.by_shard.get(shard).map_or(usize::MAX, |open| open.load(Relaxed))
    }

    /// Connections open on all.
    pub(in crate::relay) fn open(&self) -> u64 {
        self.open.load(Relaxed) as u64
    }

    /// Connections taken since the start.
    pub(in crate::relay) fn accepted(&self) -> u64 {
        self.accepted.load(Relaxed)
    }

    /// A place on `shard`, if one is left.
    pub(in crate::relay) fn enter(census: &Arc<Self>, shard: usize) -> Option<Place> {
        let most = census.limits.connections;
        let one_more = |open| (open < most).then_some(open + 1);
        census.open.fetch_update(Relaxed, Relaxed, one_more).ok()?;
        census.by_shard[shard].fetch_add(1, Relaxed);
        census.accepted.fetch_add(1, Relaxed);
        Some(Place { census: Arc::clone(census), shard })
    }
}

/// One connection's place in the census, given back when it is dropped.
#[derive(Debug)]
pub(in crate::relay) struct Place {
    census: Arc<Census>,
    shard: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.census.by_shard[self.shard].fetch_sub(1, Relaxed);
        self.census.open.fetch_sub(1, Relaxed);
    }
}

impl Place {
    /// From now on it is a place on this shard.
    pub(super) fn move_to(&mut self, shard: usize) {
        self.census.by_shard[self.shard].fetch_sub(1, Relaxed);
        self.census.by_shard[shard].fetch_add(1, Relaxed);
        self.shard = shard;
    }
}

/// A connection on its way to its shard.
#[derive(Debug)]
pub(in crate::relay) enum Arrival {
    /// From outside, with its place.
    New(Stream, Place),
    /// From another shard, where its client asked for what this one has.
    Moved(Box<Connection>),
}

/// Connections that wait for their shard to wake; bounded by the census.
#[derive(Debug, Default)]
pub(in crate::relay) struct Mailbox {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    arrivals: Vec<Arrival>,
    closed: bool,
}

impl Mailbox {
    /// Puts one in, unless the shard has stopped.
    pub(in crate::relay) fn put(&self, arrival: Arrival) -> Result<(), Refused> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(Refused::Stopping);
        }
        waiting.arrivals.push(arrival);
        Ok(())
    }

    /// Takes all out.
    pub(in crate::relay) fn take(&self) -> Vec<Arrival> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut waiting.arrivals)
    }

    /// Takes nothing any more; whoever waits is sent away.
    pub(in crate::relay) fn close(&self) {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = true;
        waiting.arrivals.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_given_back_when_it_is_dropped() {
        let limits = StreamLimits { connections: 2, ..StreamLimits::default() };
        let census = Arc::new(Census::new(limits, 3));
        let first = Census::enter(&census, 0).expect("two places");
        let _second = Census::enter(&census, 2).expect("two places");
        assert!(Census::enter(&census, 1).is_none());
        assert_eq!((census.open(), census.open_on(0), census.open_on(1)), (2, 1, 0));
        let mut first = first;
        first.move_to(1);
        assert_eq!((census.open(), census.open_on(0), census.open_on(1)), (2, 0, 1));
        drop(first);
        assert_eq!((census.open(), census.open_on(0), census.accepted()), (1, 0, 2));
        assert_eq!(census.open_on(1), 0);
        assert!(Census::enter(&census, 1).is_some());
    }
}
