//! How many connections may be undecided at once: in all, and of one source.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Undecided connections at once; further ones wait to be accepted.
const MOST: usize = 2048;
/// Undecided connections of one source at once; further ones are closed. A decision takes a round
/// trip or two, so that whole offices stay far below.
const MOST_OF_ONE: u32 = 128;

/// Everybody who has not been let in yet.
#[derive(Debug)]
pub(super) struct Crowd {
    room: Arc<Semaphore>,
    by_source: Mutex<HashMap<IpAddr, u32>>,
}

/// A place in it, given back when it is dropped.
#[derive(Debug)]
pub(super) struct Waiting {
    crowd: Arc<Crowd>,
    source: Option<IpAddr>,
    _permit: OwnedSemaphorePermit,
}

impl Crowd {
    /// Nobody.
    pub(super) fn new() -> Arc<Self> {
        let room = Arc::new(Semaphore::new(MOST));
        Arc::new(Self { room, by_source: Mutex::default() })
    }

    /// Waits for a place.
    pub(super) async fn enter(self: &Arc<Self>) -> Waiting {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        let permit = permit.expect("nobody closes it");
        Waiting { crowd: Arc::clone(self), source: None, _permit: permit }
    }

    /// Whether more than half of the places are free.
    pub(super) fn is_thin(&self) -> bool {
        self.room.available_permits() > MOST / 2
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, HashMap<IpAddr, u32>> {
        self.by_source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Counts it to its source, once that is known. `false` when there are too many of it.
    pub(super) fn is_of(&mut self, client: IpAddr) -> bool {
        let source = source(client);
        let mut sources = self.crowd.sources();
        let count = sources.entry(source).or_insert(0);
        if *count >= MOST_OF_ONE {
            return false;
        }
        *count += 1;
        self.source = Some(source);
        true
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let Some(source) = self.source else { return };
        let mut sources = self.crowd.sources();
        if let Some(count) = sources.get_mut(&source) {
            *count -= 1;
            if *count == 0 {
                sources.remove(&source);
            }
        }
    }
}

/// A /64 of IPv6 is what one host has to choose from.
fn source(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
        ip => ip,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_source_is_bounded_and_leaves_nothing_behind() {
        let crowd = Crowd::new();
        let ip = |n: u16| IpAddr::from(Ipv6Addr::new(0x2001, 0xDB8, 0, 0, 0, 0, 0, n));
        let mut waiting = Vec::new();
        for n in 0..=128 {
            let mut one = crowd.enter().await;
            assert_eq!(one.is_of(ip(n)), n < 128, "{n}");
            waiting.push(one);
        }
        let mut other = crowd.enter().await;
        assert!(other.is_of(IpAddr::from([192, 0, 2, 1])), "others are not in its way");
        drop((waiting, other));
        assert!(crowd.sources().is_empty());
        assert_eq!(crowd.room.available_permits(), MOST);
    }

    #[tokio::test]
    async fn a_crowd_is_thin_up_to_half_of_its_places() {
        let crowd = Crowd::new();
        let mut waiting = Vec::new();
        for _ in 1..MOST / 2 {
            waiting.push(crowd.enter().await);
        }
        assert!(crowd.is_thin());
        waiting.push(crowd.enter().await);
        assert!(!crowd.is_thin());
        waiting.pop();
        assert!(crowd.is_thin());
    }
}
