//! Lanes: a client that fills the queue all clients share gets one of its own, and nobody notices but by
//! what no longer happens to them.

use std::net::UdpSocket;
use std::time::{Duration, Instant};

use relayhouse::relay::burst::{self, Received};
use relayhouse::relay::{RelayHandle, start};
use relayhouse::stun::{Class, channel_data};

use super::client::{Client, socket};
use super::{config, eventually};

const CHANNEL: u16 = 0x4001;
/// Packets of a train, and their bytes.
const TRAIN: usize = 32;
const SIZE: usize = 200;
/// Packets under way at most: they fill no buffer, but the shard always finds more of them.
const WINDOW: u64 = 2_000;
const LIMIT: Duration = Duration::from_secs(30);

/// A client that sends numbered packets to a peer as fast as they come out there.
struct Heavy {
    client: Client,
    peer: UdpSocket,
    sent: u64,
    received: u64,
}

impl Heavy {
    fn new(relay: &RelayHandle, listening: &str) -> Self {
        let mut server = relay.listening()[0];
        if server.ip().is_unspecified() {
            server.set_ip(if server.is_ipv4() {
                [127, 0, 0, 1].into()
            } else {
                std::net::Ipv6Addr::LOCALHOST.into()
            });
        }
        let mut client = Client::new(server);
        client.allocate().unwrap_or_else(|code| panic!("{listening}: refused with {code}"));
        let peer = socket("127.0.0.1:0");
        burst::prepare(&peer);
        assert_eq!(client.bind(CHANNEL, peer.local_addr().expect("bound")), Class::Success);
        Self { client, peer, sent: 0, received: 0 }
    }

    /// One train, if there may be more under way; and what came out, which must be the next numbers.
    fn step(&mut self, window: u64) {
        if self.sent - self.received < window {
            let mut train = Vec::with_capacity(TRAIN * (SIZE + 4));
            for _ in 0..TRAIN {
                let mut payload = [0x55; SIZE];
                payload[..8].copy_from_slice(&self.sent.to_be_bytes());
                train.extend(channel_data::header(CHANNEL, SIZE));
                train.extend(payload);
                self.sent += 1;
            }
            let to = Some(self.client.server);
            burst::send_train(&self.client.socket, &train, SIZE + 4, to).expect("sent");
        }
        let mut buffer = vec![0; 1 << 16];
        while let Ok(Received { len, each, .. }) = burst::receive(&self.peer, &mut buffer) {
            for payload in buffer[..len].chunks(each) {
                let number = u64::from_be_bytes(payload[..8].try_into().expect("eight bytes"));
                assert_eq!((number, payload.len()), (self.received, SIZE), "in order, none lost");
                self.received += 1;
            }
        }
    }
}

/// One that listens at just an address and one at all, and one and several shards.
const HOUSES: [(&str, usize); 4] =
    [("127.0.0.1:0", 1), ("0.0.0.0:0", 2), ("[::1]:0", 2), ("[::]:0", 1)];

#[test]
fn who_fills_the_queue_gets_a_lane_and_keeps_the_order_of_its_packets() {
    for (listening, shards) in HOUSES {
        let relay = start(config(&[listening], shards)).expect("the relay starts");
        let mut heavy = Heavy::new(&relay, listening);
        let begun = Instant::now();
        while relay.lanes() == 0 {
            heavy.step(WINDOW);
            assert!(begun.elapsed() < LIMIT, "{listening}: no lane after {} packets", heavy.sent);
        }
        let in_lane = heavy.sent + 5 * WINDOW;
        while heavy.received < in_lane {
            heavy.step(WINDOW);
            assert!(begun.elapsed() < LIMIT, "{listening}: {} of {in_lane}", heavy.received);
        }
        assert_eq!(relay.lanes(), 1, "{listening}: one is enough");
        assert_eq!((relay.kernel_drops(), relay.receive_drops()), (0, 0), "{listening}");
        // What it asks comes through the lane too, and is answered from where it asked.
        assert_eq!(heavy.client.refresh(600), Class::Success, "{listening}");
    }
}

#[test]
fn others_keep_their_shard_and_their_allocations_when_a_lane_opens() {
    for (listening, shards) in HOUSES {
        let relay = start(config(&[listening], shards)).expect("the relay starts");
        let mut others: Vec<_> = (0..12).map(|_| Heavy::new(&relay, listening)).collect();
        let mut heavy = Heavy::new(&relay, listening);
        let begun = Instant::now();
        while relay.lanes() == 0 {
            heavy.step(WINDOW);
            assert!(begun.elapsed() < LIMIT, "{listening}: no lane after {} packets", heavy.sent);
        }
        for other in &mut others {
            other.step(1);
            assert_eq!(other.client.refresh(600), Class::Success, "{listening}");
        }
        eventually("everything has arrived", || {
            others.iter_mut().for_each(|other| other.step(0));
            others.iter().all(|other| other.received == TRAIN as u64)
        });
    }
}

#[test]
fn a_lane_is_read_although_others_keep_the_common_queue_full() {
    let relay = start(config(&["127.0.0.1:0"], 1)).expect("the relay starts");
    let mut others: Vec<_> = (0..8).map(|_| Heavy::new(&relay, "127.0.0.1:0")).collect();
    let mut heavy = Heavy::new(&relay, "127.0.0.1:0");
    let begun = Instant::now();
    while relay.lanes() == 0 {
        heavy.step(WINDOW);
        assert!(begun.elapsed() < LIMIT, "no lane after {} packets", heavy.sent);
    }
    let wanted = heavy.sent + 5 * WINDOW;
    while heavy.received < wanted {
        heavy.step(WINDOW / 4);
        others.iter_mut().for_each(|other| other.step(WINDOW / 2));
        assert!(begun.elapsed() < LIMIT, "{} of {wanted}", heavy.received);
    }
}

#[test]
fn many_who_are_many_together_get_none() {
    let relay = start(config(&["127.0.0.1:0"], 1)).expect("the relay starts");
    let mut all: Vec<_> = (0..16).map(|_| Heavy::new(&relay, "127.0.0.1:0")).collect();
    let begun = Instant::now();
    while all.iter().map(|one| one.received).sum::<u64>() < 50_000 {
        all.iter_mut().for_each(|one| one.step(WINDOW / 16));
        assert!(begun.elapsed() < LIMIT, "it takes too long");
    }
    assert_eq!(relay.lanes(), 0);
}
