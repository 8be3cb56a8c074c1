//! What all clients of one run share: where the server is, how long it goes on, what was done.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Mutex;
use std::time::Instant;

use crate::support::credentials::Credential;
use crate::support::server::Server;

/// Allocations of one user at a time.
pub const QUOTA: usize = 6;

pub struct House {
    pub secret: &'static str,
    pub udp: SocketAddr,
    pub udp6: SocketAddr,
    pub tcp: SocketAddr,
    pub http: SocketAddr,
    pub until: Instant,
    /// Clients that vanished: where they were and who.
    pub graves: Mutex<Vec<(SocketAddr, Credential)>>,
    done: Mutex<BTreeMap<&'static str, u64>>,
}

impl House {
    pub fn of(server: &Server, secret: &'static str, until: Instant) -> Self {
        Self {
            secret,
            udp: server.udp(),
            udp6: server.udp6(),
            tcp: server.tcp(),
            http: server.http_address(),
            until,
            graves: Mutex::default(),
            done: Mutex::default(),
        }
    }

    pub fn goes_on(&self) -> bool {
        Instant::now() < self.until
    }

    pub fn count(&self, what: &'static str) {
        *self.done.lock().expect("held").entry(what).or_default() += 1;
    }

    /// What was done, and how often.
    pub fn done(&self) -> BTreeMap<&'static str, u64> {
        self.done.lock().expect("held").clone()
    }
}

/// How a client reaches the server.
#[derive(Clone, Copy, Debug)]
pub enum Way {
    Udp,
    Tcp,
    Tls,
}

/// Dice that fall the same way in every run, and loopback addresses to come from: each thread has a
/// /16 of its own, so that limits per address see many clients.
pub struct Chance {
    state: u64,
    network: u8,
}

impl Chance {
    pub fn new(seed: u8) -> Self {
        Self { state: 0x9e37_79b9_7f4a_7c15 ^ u64::from(seed) << 32, network: 10 + seed }
    }

    pub fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    pub fn below(&mut self, bound: usize) -> usize {
        (self.next() >> 16) as usize % bound
    }

    /// UDP half of the time.
    pub fn way(&mut self) -> Way {
        [Way::Udp, Way::Udp, Way::Tcp, Way::Tls][self.below(4)]
    }

    /// A loopback address, any port.
    pub fn address(&mut self) -> SocketAddr {
        let [a, b, ..] = self.next().to_be_bytes();
        SocketAddr::from((Ipv4Addr::new(127, self.network, a, b.clamp(1, 254)), 0))
    }

    /// The same with a port, where most likely nobody is.
    pub fn address_with_port(&mut self) -> SocketAddr {
        let port = 1024 + self.below(20_000) as u16;
        SocketAddr::new(self.address().ip(), port)
    }
}
