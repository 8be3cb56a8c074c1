//! Lanes: who gets one, who gets none, and what comes to one by mistake.

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::super::super::listener::Lane;
use super::super::super::socket::BATCH;
use super::super::super::token::Token;
use super::*;

/// RFC 8489 section 5: a Binding request without attributes.
const BINDING: &[u8] = b"\x00\x01\x00\x00\x21\x12\xA4\x42abcdefghijkl";

/// As many full batches as anybody needs to be elected.
const BATCHES: usize = 16;

/// A seat whose one listener others may share an address with, and where it listens.
fn shared_seat(address: &str) -> (Seat, SocketAddr) {
    let (seat, at) = seat(&[address]);
    seat.listeners[0].socket.share().expect("an option");
    (seat, SocketAddr::from(([127, 0, 0, 1], at[0].port())))
}

fn flow(local: SocketAddr, remote: SocketAddr) -> Flow {
    Flow { transport: Transport::Udp, local, remote: ClientAddr(remote) }
}

/// The listener's queue is found full of what `flow` sent, as often as it takes.
fn crowd(shard: &mut Shard<'_>, flow: Flow) {
    for _ in 0..BATCHES {
        shard.poll_crowd(0, true, Some(flow));
    }
}

fn is_answered(client: &UdpSocket) -> bool {
    client.set_read_timeout(Some(Duration::from_millis(200))).expect("a timeout");
    let mut answer = [0; 128];
    client.recv_from(&mut answer).is_ok_and(|(len, _)| len > 20 && answer[..2] == [0x01, 0x01])
}

/// A lane as it is between the two calls that make one: bound, so that it gets what anybody sends to its
/// address, and not connected.
fn push_unconnected(shard: &mut Shard<'_>, local: SocketAddr) {
    let socket = Socket::bind(local, Sharing::Shards).expect("the address is shared");
    let mut lane = Listener::new(socket).expect("it is bound");
    let client = ClientAddr(address_of(&peer("127.0.0.1:0")));
    lane.lane = Some(Lane { client, behind: None, heard: shard.now.mono });
    shard.seat.listeners.push(lane);
}

#[test]
fn a_source_without_a_port_gets_no_lane_that_would_take_what_its_whole_host_sends() {
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let (mut seat, server) = shared_seat(address);
        let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
        crowd(&mut shard, flow(server, ([127, 0, 0, 1], 0).into()));
        let other = peer("127.0.0.1:0");
        other.send_to(BINDING, server).expect("sent");
        shard.read_listener(0);
        shard.flush();
        assert!(is_answered(&other), "{address}: another client of that host");
    }
}

#[test]
fn a_client_whose_old_packets_fill_the_queue_for_long_gets_no_second_lane() {
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let (mut seat, server) = shared_seat(address);
        let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
        let client = flow(server, address_of(&peer("127.0.0.1:0")));
        for _ in 0..3 {
            crowd(&mut shard, client);
            shard.now = shard.now.after(Duration::from_secs(1));
        }
        assert_eq!(shard.seat.listeners.len(), 2, "{address}: two would change its packets' order");
    }
}

/// Somebody whose request has come to another's lane, which the shard has read.
fn stray_into_a_lane(shard: &mut Shard<'_>, server: SocketAddr) -> UdpSocket {
    let other = peer("127.0.0.1:0");
    push_unconnected(shard, server);
    other.send_to(BINDING, server).expect("sent");
    shard.read_listener(1);
    shard.flush();
    other
}

#[test]
fn what_comes_to_a_lane_that_is_not_yet_connected_is_served_all_the_same() {
    let (mut seat, server) = shared_seat("0.0.0.0:0");
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    assert!(is_answered(&stray_into_a_lane(&mut shard, server)));
}

#[test]
fn what_comes_to_a_lane_by_mistake_and_may_be_another_shards_is_counted() {
    let (mut seat, server) = shared_seat("0.0.0.0:0");
    seat.shards = Arc::new([Arc::clone(&seat.control), Arc::clone(&seat.control)]);
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    assert!(!is_answered(&stray_into_a_lane(&mut shard, server)));
    assert_eq!(shard.seat.control.stats.receive_drops.load(Relaxed), 1);
}

#[test]
fn what_has_just_come_to_a_lane_that_another_client_gets_is_served() {
    let (mut seat, server) = shared_seat("127.0.0.1:0");
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let clients: Vec<_> = (0..17).map(|_| peer("127.0.0.1:0")).collect();
    for client in &clients[..16] {
        crowd(&mut shard, flow(server, address_of(client)));
        shard.now = shard.now.after(Duration::from_secs(1));
    }
    assert_eq!(shard.seat.listeners.len(), 17);
    shard.now = shard.now.after(Duration::from_secs(60));
    clients[0].send_to(BINDING, server).expect("sent");
    crowd(&mut shard, flow(server, address_of(&clients[16])));
    assert_eq!(shard.seat.listeners.len(), 17, "the first is the last one's now");
    shard.flush();
    assert!(is_answered(&clients[0]), "it speaks again at just that moment");
}

#[test]
fn a_lane_that_waits_for_the_listener_takes_no_second_batch_of_it_in_a_turn() {
    let (mut seat, server) = shared_seat("127.0.0.1:0");
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let (heavy, other) = (peer("127.0.0.1:0"), peer("127.0.0.1:0"));
    for _ in 0..3 * BATCH {
        other.send_to(BINDING, server).expect("sent");
    }
    crowd(&mut shard, flow(server, address_of(&heavy)));
    heavy.send_to(BINDING, server).expect("sent");
    for first in [0, 1] {
        shard.turn += 1;
        let before = shard.relay.counters().snapshot().bindings;
        shard.read_listener(first);
        shard.read_listener(1 - first);
        let answered = shard.relay.counters().snapshot().bindings - before;
        assert!(answered <= BATCH as u64, "{answered} in one turn");
    }
}

#[test]
fn who_finds_every_lane_taken_costs_others_nothing() {
    const ROUNDS: usize = 500;
    const REQUESTS: usize = 50;
    let (mut seat, server) = shared_seat("0.0.0.0:0");
    let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
    let clients: Vec<_> = (0..17).map(|_| peer("127.0.0.1:0")).collect();
    for client in &clients[..16] {
        crowd(&mut shard, flow(server, address_of(client)));
        shard.now = shard.now.after(Duration::from_secs(1));
    }
    let other = peer("127.0.0.1:0");
    let asking = std::thread::spawn(move || {
        let mut answer = [0; 128];
        let mut ask = || {
            for _ in 0..REQUESTS {
                other.send_to(BINDING, server).expect("sent");
            }
            (0..REQUESTS).all(|_| other.recv(&mut answer).is_ok())
        };
        (0..ROUNDS).all(|_| ask())
    });
    while !asking.is_finished() {
        shard.turn += 1;
        shard.now = shard.now.after(Duration::from_secs(1));
        for lane in shard.seat.listeners.iter_mut().filter_map(|one| one.lane.as_mut()) {
            lane.heard = shard.now.mono;
        }
        crowd(&mut shard, flow(server, address_of(&clients[16])));
        shard.read_listener(0);
        shard.flush();
    }
    assert!(asking.join().expect("no panic"), "some of its requests were lost");
}

#[test]
fn a_lane_goes_on_when_its_shard_has_started_anew() {
    for address in ["127.0.0.1:0", "0.0.0.0:0"] {
        let (mut seat, server) = shared_seat(address);
        let client = peer("127.0.0.1:0");
        let mut shard = Shard::open(&mut seat, [2; 32]).expect("an epoll");
        crowd(&mut shard, flow(server, address_of(&client)));
        drop(shard);
        let mut shard = Shard::open(&mut seat, [3; 32]).expect("an epoll");
        client.send_to(BINDING, server).expect("sent");
        let ready = shard.epoll.wait(Some(Duration::from_secs(5))).expect("an epoll");
        let lane = Token::Listener(1);
        assert!((0..ready).any(|index| Token::unpack(shard.epoll.token(index)) == lane));
        shard.read_listener(1);
        shard.flush();
        assert!(is_answered(&client), "{address}");
    }
}
