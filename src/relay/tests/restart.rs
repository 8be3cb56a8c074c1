//! All shards serve one port; a bug in one of them: what is lost, what goes on.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use md5::{Digest, Md5};

use crate::creds::{CredentialSettings, Credentials, Secret};
use crate::relay::{RelayConfig, RelayHandle, start};
use crate::stun::{
    Class, Message, Method, Nonce, Realm, RequestedTransport, TransactionId, Username, Writer,
};
use crate::turn::{AllocationId, RelayAddress, Settings};

use super::peer;

/// RFC 8489 section 5: a Binding request without attributes.
const BINDING: [u8; 20] = *b"\x00\x01\x00\x00\x21\x12\xA4\x42abcdefghijkl";

fn relay(workers: usize) -> RelayHandle {
    let mut credentials = CredentialSettings::new("relay.test", [7; 32]);
    credentials.users = vec![("alice".into(), Secret::from("wonder".to_owned()))];
    // Each has one relay port, on an address of its own: tests run side by side.
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let local = IpAddr::from([127, 0, 7, NEXT.fetch_add(1, Ordering::SeqCst)]);
    start(RelayConfig {
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        workers,
        settings: Settings {
            relay_addresses: vec![RelayAddress { local, public: local }],
            ports: 30_000..=30_000,
            ..crate::turn::tests::settings()
        },
        credentials: Arc::new(Credentials::new(credentials).expect("good settings")),
        streams: crate::relay::StreamLimits::default(),
        trains: Default::default(),
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

/// Makes every shard panic, and waits until it has.
fn break_every_shard(relay: &RelayHandle) {
    for control in relay.controls() {
        control.fail.store(true, Ordering::SeqCst);
        control.waker.wake();
    }
    let patience = Instant::now() + Duration::from_secs(10);
    while relay.restarts() < relay.workers() as u64 {
        assert!(Instant::now() < patience, "the panic is noticed");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// A new client's Allocate with alice's credential: its first answer is the challenge.
fn allocate(server: SocketAddr) -> Class {
    let client = peer("127.0.0.1:0");
    let mut nonce = Vec::new();
    for attempt in [1, 2] {
        let mut buffer = [0; 512];
        let id = TransactionId([attempt; 12]);
        let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, id);
        writer.put(&RequestedTransport(17));
        if attempt == 2 {
            writer.put(&Username("alice")).put(&Realm("relay.test")).put(&Nonce(&nonce));
            writer.integrity_sha1(&Md5::digest("alice:relay.test:wonder"));
        }
        let len = writer.finish().expect("it fits");
        client.send_to(&buffer[..len], server).expect("sent");
        let len = client.recv(&mut buffer).expect("an answer");
        let answer = Message::parse(&buffer[..len]).expect("STUN");
        match answer.get::<Nonce<'_>>().expect("well-formed") {
            Some(Nonce(fresh)) if attempt == 1 => nonce = fresh.to_vec(),
            _ => return answer.class(),
        }
    }
    unreachable!("the second answer returns")
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
    break_every_shard(&relay);
    assert!(is_answered(server));
    assert_eq!(relay.restarts(), 1);
    assert_eq!(relay.counters().bindings, 2, "what the first machine counted is kept");
}

#[test]
fn what_a_broken_shard_held_can_be_had_again() {
    let relay = relay(1);
    let server = relay.listening()[0];
    assert_eq!(allocate(server), Class::Success);
    assert_eq!(allocate(server), Class::Error, "there is but one relay port");
    break_every_shard(&relay);
    assert_eq!(allocate(server), Class::Success);
    let counters = relay.counters();
    assert_eq!((counters.allocations, counters.allocations_total), (1, 2));
}

#[test]
fn what_a_broken_shard_lost_is_not_listed_and_its_ids_are_not_used_again() {
    let relay = relay(1);
    let server = relay.listening()[0];
    let listed = || {
        let page = relay.allocations().list(AllocationId(0), None, 10).expect("an answer");
        page.allocations.iter().map(|view| view.id).collect::<Vec<_>>()
    };
    assert_eq!(allocate(server), Class::Success);
    let before = listed();
    break_every_shard(&relay);
    assert_eq!(listed(), []);
    assert_eq!(allocate(server), Class::Success);
    assert!(listed()[0] > before[0]);
}

#[test]
fn a_handle_can_be_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<RelayHandle>();
}

#[test]
fn a_shard_that_panics_closes_its_connections_and_takes_new_ones() {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    let relay = relay(1);
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let connect = || {
        let near = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        near.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let (socket, remote) = listener.accept().expect("it is there");
        let local = socket.local_addr().expect("connected");
        let stream = crate::relay::Stream { socket, tls: None, local, remote, early: Vec::new() };
        relay.streams().hand_over(stream).expect("it is taken");
        near
    };
    let answered = |mut socket: &TcpStream| {
        socket.write_all(&BINDING).expect("written");
        let mut answer = [0; 20];
        socket.read_exact(&mut answer).is_ok() && answer[4..] == BINDING[4..]
    };
    let mut before = connect();
    assert!(answered(&before));
    break_every_shard(&relay);
    let mut rest = Vec::new();
    assert!(before.read_to_end(&mut rest).is_ok(), "it is closed");
    assert!(answered(&connect()));
    assert_eq!(relay.streams().open(), 1, "the place of the first is given back");
}
