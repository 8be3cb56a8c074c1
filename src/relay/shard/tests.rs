//! Where a shard's answers leave from: of its listeners the one that the machine names, whichever
//! the request came to (RFC 5780 section 6.1). Its lanes have a file of their own.

mod lanes;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use crate::creds::{CredentialSettings, Credentials};
use crate::net::{ClientAddr, Flow, Transport};
use crate::turn::{Route, Settings, Shared};

use super::super::clock::Clock;
use super::super::content::Content;
use super::super::control::{Control, Orders};
use super::super::listener::Listener;
use super::super::socket::{Sharing, Socket};
use super::super::stream::{Arrival, Census, Stream, StreamLimits};
use super::super::tests::{address_of, peer};
use super::{Seat, Shard, Trains};

fn settings() -> Settings {
    Settings { ports: 30_000..=30_000, ..crate::turn::tests::settings() }
}

/// What a shard that listens on `addresses` sits on, and where it really listens.
fn seat(addresses: &[&str]) -> (Seat, Vec<SocketAddr>) {
    let listener = |text: &&str| {
        let address = text.parse().expect("an address");
        let socket = Socket::bind(address, Sharing::Exclusive).expect("a loopback socket");
        Listener::new(socket).expect("it is bound")
    };
    let listeners: Vec<_> = addresses.iter().map(listener).collect();
    let listening = listeners.iter().map(Listener::local).collect();
    let settings = Arc::new(settings());
    let shared = Arc::new(Shared::new(&settings, [1; 32]));
    let credentials = CredentialSettings::new("relay.test", [7; 32]);
    let credentials = Arc::new(Credentials::new(credentials).expect("good settings"));
    let orders = Arc::new(Orders { settings, credentials });
    let control = Arc::new(Control::new(orders).expect("an eventfd"));
    let (events, _) = sync_channel(1);
    let seat = Seat {
        listeners,
        shards: Arc::new([Arc::clone(&control)]),
        control,
        index: 0,
        trains: Trains::default(),
        census: Arc::new(Census::new(StreamLimits::default(), 1)),
        shared,
        events,
        clock: Clock::new(),
    };
    (seat, listening)
}

#[test]
fn an_answer_leaves_from_the_listener_that_the_machine_names() {
    let (mut seat, at) = seat(&["127.0.0.1:0", "127.0.0.2:0", "0.0.0.0:0"]);
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let client = peer("127.0.0.1:0");
    let remote = ClientAddr(address_of(&client));
    for local in [at[1], at[0], SocketAddr::from(([127, 0, 0, 3], at[2].port()))] {
        let start = shard.buffers.answer_start(0);
        shard.buffers.answer(0)[..6].copy_from_slice(b"answer");
        let flow = Flow { transport: Transport::Udp, local, remote };
        shard.post(Route::Client(flow), Content::at(start, 6), 0);
        shard.flush();
        let mut answer = [0; 16];
        let (len, from) = client.recv_from(&mut answer).expect("an answer");
        assert_eq!((&answer[..len], from), (&b"answer"[..], local));
    }
}

#[test]
fn an_answer_from_where_nobody_listens_is_counted_and_not_sent() {
    let (mut seat, at) = seat(&["127.0.0.1:0"]);
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let remote = ClientAddr(at[0]);
    let flow = Flow { transport: Transport::Udp, local: ([127, 0, 0, 2], 1).into(), remote };
    let start = shard.buffers.answer_start(0);
    shard.post(Route::Client(flow), Content::at(start, 6), 0);
    assert!(shard.outgoing.is_empty());
    assert_eq!(shard.seat.control.stats.send_drops.load(std::sync::atomic::Ordering::Relaxed), 1);
}

/// A connection: the client's end, and what is handed over of the other.
fn connection() -> (TcpStream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
    let local = listener.local_addr().expect("bound");
    let near = TcpStream::connect(local).expect("connected");
    let (socket, remote) = listener.accept().expect("it is there");
    socket.set_nonblocking(true).expect("an option");
    (near, Stream { socket, tls: None, local, remote, early: Vec::new() })
}

fn welcome(shard: &mut Shard<'_>, stream: Stream) {
    let place = Census::enter(&shard.seat.census, 0).expect("there is room");
    shard.welcome(vec![Arrival::New(stream, place)]);
}

#[test]
fn more_messages_than_one_call_writes_arrive_in_order() {
    const MESSAGES: usize = 400;
    let (mut seat, _) = seat(&["127.0.0.1:0"]);
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let (mut near, stream) = connection();
    let remote = ClientAddr(stream.remote);
    let flow = Flow { transport: Transport::Tcp, local: stream.local, remote };
    welcome(&mut shard, stream);
    let start = shard.buffers.start(0);
    let mut expected = Vec::new();
    for number in 0..MESSAGES {
        let at = start + 100 * number;
        shard.buffers.memory_mut()[at..at + 100].fill(number as u8);
        let (front, bytes) = (at..at + 4, at + 50..at + 50 + number % 41);
        let pad = (bytes.len().next_multiple_of(4) - bytes.len()) as u8;
        expected.extend(std::iter::repeat_n(number as u8, front.len() + bytes.len()));
        expected.extend(std::iter::repeat_n(0, pad.into()));
        shard.post(Route::Client(flow), Content { front, bytes, pad }, 0);
    }
    shard.flush();
    let mut got = vec![0; expected.len()];
    near.read_exact(&mut got).expect("all of it");
    assert!(got == expected);
}

#[test]
fn a_stranger_with_much_to_say_is_listened_to_for_a_short_while_each_turn() {
    let (mut seat, _) = seat(&["127.0.0.1:0"]);
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let (mut near, stream) = connection();
    near.write_all(&b"\x00\x01\x00\x00\x21\x12\xA4\x42abcdefghijkl".repeat(2000)).expect("sent");
    welcome(&mut shard, stream);
    shard.flush();
    // It is looked at twice when it comes.
    let answered = shard.relay.counters().snapshot().bindings;
    assert!((1..=820).contains(&answered), "{answered} requests in one turn");
}
