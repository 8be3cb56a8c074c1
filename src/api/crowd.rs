//! How many of something each client address has at a time: connections, WebSockets.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::bucket_of;

/// Counts by address (IPv6: by /64). As large as the number of places taken, which others bound.
#[derive(Debug, Default)]
pub(super) struct Crowd(Mutex<HashMap<IpAddr, usize>>);

/// One of the places of an address; given back when dropped.
#[derive(Debug)]
pub(super) struct Spot {
    crowd: Arc<Crowd>,
    client: IpAddr,
}

impl Crowd {
    /// One more place for this client, or `None` when it has `most` already; zero is no bound.
    pub(super) fn enter(self: &Arc<Self>, client: IpAddr, most: usize) -> Option<Spot> {
        let client = bucket_of(client);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(client).or_default();
        // A count of none is not stored, so what was just made is below any bound.
        if most > 0 && *count >= most {
            return None;
        }
        *count += 1;
        Some(Spot { crowd: Arc::clone(self), client })
    }

    #[cfg(test)]
    fn addresses(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Drop for Spot {
    fn drop(&mut self) {
        let mut counts = self.crowd.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.client) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let crowd = Arc::new(Crowd::default());
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = crowd.enter(a, 2).expect("free");
        let _second = crowd.enter(a, 2).expect("free");
        assert!(crowd.enter(a, 2).is_none());
        assert!(crowd.enter(b, 2).is_some(), "another address is another");
        drop(first);
        assert!(crowd.enter(a, 2).is_some());
    }

    #[test]
    fn a_network_is_one_client_and_nobody_is_remembered_who_left() {
        let crowd = Arc::new(Crowd::default());
        let one = crowd.enter("2001:db8::1".parse().unwrap(), 1);
        assert!(one.is_some() && crowd.enter("2001:db8::2".parse().unwrap(), 1).is_none());
        drop(one);
        assert_eq!(crowd.addresses(), 0);
    }

    #[test]
    fn zero_is_no_bound() {
        let crowd = Arc::new(Crowd::default());
        let address = "192.0.2.1".parse().unwrap();
        let places: Vec<_> = (0..100).map(|_| crowd.enter(address, 0)).collect();
        assert!(places.iter().all(Option::is_some));
    }
}
