//! Trains of datagrams over real ways: the running program on a host of its own, with cables to a client and
//! to a peer. What one side sends in bursts arrives at the other byte for byte and in order, also where a
//! cable takes only small datagrams, where the kernel refuses trains, and where a peer vanishes.
//!
//! Needs root, network namespaces and `strace`; without them the tests fail and say so.

mod call;
mod networks;
mod refusals;
#[path = "../support/mod.rs"]
mod support;

use std::net::UdpSocket;

use call::{CHANNEL, Call, arriving, on_channel, payload, payloads, same, send_singly, send_train};
use networks::{Host, Networks};

/// An Ethernet's.
const WIDE: u32 = 1500;

/// Both ways: who sends what where, and what arrives.
fn both_ways(
    call: &Call,
    peer: &UdpSocket,
    send: impl Fn(&UdpSocket, &[Vec<u8>], Option<std::net::SocketAddr>),
    sent: &[Vec<u8>],
    what: &str,
) {
    send(&call.socket, &on_channel(CHANNEL, sent), None);
    same(&arriving(peer, sent.len()), sent, &format!("{what}, up"));
    send(peer, sent, Some(call.relayed));
    let expected = on_channel(CHANNEL, sent);
    same(&arriving(&call.socket, sent.len()), &expected, &format!("{what}, down"));
}

#[test]
fn bursts_of_128_arrive_whole_both_ways() {
    let mut call = Call::new(Networks::new(WIDE, WIDE));
    let peer = call.peer(CHANNEL);
    for round in 0..10 {
        let sent = payloads(round * 128, &[1100; 128]);
        both_ways(&call, &peer, send_singly, &sent, "one by one");
        // A train has at most 65,507 bytes.
        let in_trains = |socket: &UdpSocket, all: &[Vec<u8>], to| {
            all.chunks(32).for_each(|train| send_train(socket, train, to));
        };
        both_ways(&call, &peer, in_trains, &sent, "in trains");
    }
    assert_eq!(call.number("relayhouse_refused_trains_total"), 0);
}

#[test]
fn sizes_that_change_within_a_burst_arrive_in_order() {
    let mut call = Call::new(Networks::new(WIDE, WIDE));
    let peer = call.peer(CHANNEL);
    // Runs of one size, some with a shorter end, some of one datagram; odd lengths.
    let runs: [&[usize]; 9] = [
        &[1200; 30],
        &[1200, 1200, 7],
        &[1],
        &[333; 17],
        &[334, 334, 334, 333],
        &[1399],
        &[1400, 1400, 1],
        &[61; 64],
        &[60, 59],
    ];
    for round in 0..5 {
        let sent = payloads(round * 1000, &runs.concat());
        let in_runs = |socket: &UdpSocket, all: &[Vec<u8>], to| {
            let mut at = 0;
            for run in runs {
                send_train(socket, &all[at..at + run.len()], to);
                at += run.len();
            }
        };
        both_ways(&call, &peer, in_runs, &sent, "in runs");
        both_ways(&call, &peer, send_singly, &sent, "one by one");
    }
}

#[test]
fn a_peer_that_vanishes_in_the_midst_of_trains_costs_another_nothing() {
    let mut call = Call::new(Networks::new(WIDE, WIDE));
    let (stays, leaves) = (call.peer(CHANNEL), call.peer(CHANNEL + 1));
    let address = leaves.local_addr().expect("bound");
    let sent = |round: usize| payloads(round * 40, &[900; 20]);
    let mut leaves = Some(leaves);
    for round in 0..40 {
        // The relay's socket is told that nobody is there while it has trains for both.
        if round == 15 {
            leaves = None;
        }
        for channel in [CHANNEL + 1, CHANNEL] {
            send_train(&call.socket, &on_channel(channel, &sent(round)), None);
        }
        if let Some(peer) = &leaves {
            same(&arriving(peer, 20), &sent(round), "before it left");
        }
    }
    let expected: Vec<_> = (0..40).flat_map(sent).collect();
    let arrived = arriving(&stays, expected.len());
    same(&arrived, &expected, "who stayed");
    assert!(arrived.trains >= 30, "they still leave as trains: {}", arrived.trains);
    assert!(call.number("relayhouse_icmp_errors_total") > 0, "nobody was told");
    assert_eq!(call.number("relayhouse_refused_trains_total"), 0);
    // And who comes back is there again.
    let back = call.networks.on(Host::Peer, || UdpSocket::bind(address).expect("its port"));
    relayhouse::relay::burst::prepare(&back);
    let mut again = Vec::new();
    for number in 0..20 {
        // The first ones may be told what ICMP said about the last of those before.
        send_train(&call.socket, &on_channel(CHANNEL + 1, &payloads(number, &[50; 3])), None);
        again = arriving(&back, 3).datagrams;
        if !again.is_empty() {
            break;
        }
    }
    assert_eq!(again.last(), Some(&payload(again.len() - 1, 50)));
}
