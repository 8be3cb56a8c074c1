//! The relay over real sockets of this host: its threads, its doors and its manners.

mod calls;
mod client;
mod doors;
mod lanes;
mod life;
mod operator;
mod trains;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use relayhouse::creds::{CredentialSettings, Credentials, Secret};
use relayhouse::relay::{RelayConfig, RelayHandle, StartError, start};
use relayhouse::turn::{ChannelNumbers, Limits, QuotaLimits, RelayAddress, Settings};

/// Relayed ports are opened here; peers of the tests live on other loopback addresses.
const RELAY_V4: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 5));

fn settings() -> Settings {
    Settings {
        relay_addresses: vec![RelayAddress { local: RELAY_V4, public: RELAY_V4 }],
        ports: 10_000..=29_999,
        channel_numbers: ChannelNumbers::Rfc5766,
        limits: Limits::default(),
        quota: QuotaLimits::default(),
        allow: vec!["127.0.0.0/8".parse().expect("a range"), "::1/128".parse().expect("a range")],
        deny: Vec::new(),
        own_addresses: Vec::new(),
        service_ports: Vec::new(),
        unauthenticated_rate: 0,
        nat_discovery: Vec::new(),
        alternate: Vec::new(),
        draining: false,
    }
}

fn credentials(users: &[(&str, &str)]) -> Arc<Credentials> {
    let mut settings = CredentialSettings::new(client::REALM, [7; 32]);
    let user = |(name, password): &(&str, &str)| {
        ((*name).to_owned(), Secret::from((*password).to_owned()))
    };
    settings.users = users.iter().map(user).collect();
    Arc::new(Credentials::new(settings).expect("good settings"))
}

fn config(listen: &[&str], workers: usize) -> RelayConfig {
    RelayConfig {
        listen: listen.iter().map(|text| address(text)).collect(),
        workers,
        settings: settings(),
        credentials: credentials(&[("alice", "wonder")]),
        streams: relayhouse::relay::StreamLimits::default(),
        trains: Default::default(),
        event_capacity: 1024,
    }
}

/// A relay of two shards on one free port of 127.0.0.1.
fn relay() -> (RelayHandle, SocketAddr) {
    let relay = start(config(&["127.0.0.1:0"], 2)).expect("the relay starts");
    let server = relay.listening()[0];
    (relay, server)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// Waits for what another thread is about to do.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..5_000 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("not within five seconds: {what}");
}

fn refused(config: RelayConfig) -> StartError {
    start(config).expect_err("it cannot start")
}
