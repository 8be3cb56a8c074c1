//! All shards serve one port; a bug in one of them: what is lost, what goes on.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::creds::{CredentialSettings, Credentials, Secret};
use crate::relay::{RelayConfig, RelayHandle, start};
use crate::turn::{ChannelNumbers, Limits, QuotaLimits, Settings};

use super::peer;

/// RFC 8489 section 5: a Binding request without attributes.
const BINDING: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xA4\x42abcdefghijkl";

fn relay(workers: usize) -> RelayHandle {
    let mut credentials = CredentialSettings::new("relay.test", [7; 32]);
    credentials.secrets = vec![Secret::from("north".to_owned())];
    start(RelayConfig {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        workers,
        settings: Settings {
            relay_addresses: Vec::new(),
            ports: 49_152..=65_535,
            channel_numbers: ChannelNumbers::Rfc5766,
            limits: Limits::default(),
            quota: QuotaLimits::default(),
            allow: Vec::new(),
            deny: Vec::new(),
            own_addresses: Vec::new(),
            service_ports: Vec::new(),
            unauthenticated_rate: 0,
        },
        credentials: Arc::new(Credentials::new(credentials).expect("good settings")),
        event_capacity: 16,
    })
    .expect("the relay starts")
}

fn is_answered(server: SocketAddr) -> bool {
    let client = peer("127.0.0.1:0");
    client.send_to(&BINDING, server).expect("sent");
    let mut answer = [0; 128];
    client.recv_from(&mut answer).is_ok_and(|(len, from)| {
        from == server && answer[..2] == [0x01, 0x01] && answer[4..20] == BINDING[4..] && len > 20
    })
}

#[test]
fn every_shard_answers_on_the_one_port() {
    let relay = relay(4);
    let server = relay.listening()[0];
    let idle = || relay.controls().filter(|control| control.snapshot().bindings == 0).count();
    // The kernel spreads clients by a hash of their addresses: with 4 shards, 200 clients leave one
    // out once in 10^24 runs.
    let mut clients = 0;
    while idle() > 0 {
        assert!(clients < 200, "{} shards of 4 never answered", idle());
        assert!(is_answered(server));
        clients += 1;
    }
}

#[test]
fn a_shard_that_panics_is_counted_and_serves_again_on_the_same_port() {
    let relay = relay(1);
    let server = relay.listening()[0];
    assert!(is_answered(server));
    for control in relay.controls() {
        control.fail.store(true, Ordering::SeqCst);
        control.waker.wake();
    }
    let patience = Instant::now() + Duration::from_secs(10);
    while relay.restarts() == 0 {
        assert!(Instant::now() < patience, "the panic is noticed");
        std::thread::sleep(Duration::from_millis(1));
    }
    assert!(is_answered(server));
    assert_eq!(relay.restarts(), 1);
    assert_eq!(relay.counters().bindings, 2, "what the first machine counted is kept");
}
