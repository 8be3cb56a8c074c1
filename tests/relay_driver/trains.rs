//! Trains of datagrams (`UDP_GRO`, `UDP_SEGMENT`): what arrives together leaves together, byte for byte and
//! in order, whatever a train is made of.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use relayhouse::relay::burst::{self, Received};
use relayhouse::relay::{Trains, start};
use relayhouse::stun::{Class, channel_data};

use super::client::{Client, socket};
use super::{RELAY_V4, config, eventually};

const CHANNEL: u16 = 0x4001;
/// Both ways of carrying what a relay is given: with trains, and one by one.
const WAYS: [Trains; 4] = [
    Trains { receive: true, send: true },
    Trains { receive: true, send: false },
    Trains { receive: false, send: true },
    Trains { receive: false, send: false },
];

/// A relay, a client with a channel to a peer, and where the peer sends to.
struct Call {
    _relay: relayhouse::relay::RelayHandle,
    client: Client,
    peer: UdpSocket,
    relayed: SocketAddr,
}

fn call(trains: Trains) -> Call {
    let mut config = config(&["127.0.0.1:0"], 1);
    config.trains = trains;
    let relay = start(config).expect("the relay starts");
    let mut client = Client::new(relay.listening()[0]);
    let peer = socket("127.0.0.1:0");
    burst::prepare(&peer);
    burst::prepare(&client.socket);
    client.socket.connect(relay.listening()[0]).expect("a loopback server");
    let relayed = client.allocate().expect("an allocation");
    assert_eq!(client.bind(CHANNEL, peer.local_addr().expect("bound")), Class::Success);
    Call { _relay: relay, client, peer, relayed }
}

/// Everything that comes within a moment, train by train cut into datagrams.
fn arriving(socket: &UdpSocket, count: usize) -> Vec<Vec<u8>> {
    let (mut buffer, mut all) = (vec![0; 1 << 16], Vec::new());
    let end = Instant::now() + Duration::from_secs(5);
    while all.len() < count && Instant::now() < end {
        match burst::receive(socket, &mut buffer) {
            Ok(Received { len, each, .. }) => {
                all.extend(buffer[..len].chunks(each).map(<[u8]>::to_vec))
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) => panic!("{error}"),
        }
    }
    all
}

/// A payload whose every byte says which it is and where.
fn payload(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number * 31 + at * 7) as u8).collect()
}

fn channel_message(payload: &[u8]) -> Vec<u8> {
    [&channel_data::header(CHANNEL, payload.len())[..], payload].concat()
}

/// Sends equal messages as one train.
fn send(socket: &UdpSocket, messages: &[Vec<u8>], to: Option<SocketAddr>) {
    burst::send_train(socket, &messages.concat(), messages[0].len(), to).expect("sent");
}

#[test]
fn a_train_of_a_client_reaches_the_peer_byte_for_byte_and_in_order() {
    for trains in WAYS {
        let call = call(trains);
        let mut expected: Vec<_> = (0..40).map(|number| payload(number, 1100)).collect();
        expected.push(payload(40, 333));
        let messages: Vec<_> = expected.iter().map(|payload| channel_message(payload)).collect();
        send(&call.client.socket, &messages, None);
        assert_eq!(arriving(&call.peer, 41), expected, "{trains:?}");
    }
}

#[test]
fn a_train_of_a_peer_reaches_the_client_byte_for_byte_and_in_order() {
    for trains in WAYS {
        let call = call(trains);
        let mut payloads: Vec<_> = (0..50).map(|number| payload(number, 1201)).collect();
        payloads.push(payload(50, 1));
        send(&call.peer, &payloads, Some(call.relayed));
        let expected: Vec<_> = payloads.iter().map(|payload| channel_message(payload)).collect();
        assert_eq!(arriving(&call.client.socket, 51), expected, "{trains:?}");
    }
}

#[test]
fn channel_data_shorter_than_its_datagram_is_cut_where_it_says() {
    for trains in WAYS {
        let call = call(trains);
        // Each datagram of 104 bytes; some say that they hold less, as padded ones do.
        let lens = [100, 97, 100, 3, 100, 0, 98, 100];
        let message = |(number, len): (usize, &usize)| {
            let mut message = channel_message(&payload(number, *len));
            message.resize(104, 0xEE);
            message
        };
        let messages: Vec<_> = lens.iter().enumerate().map(message).collect();
        send(&call.client.socket, &messages, None);
        let expected: Vec<_> = lens.iter().enumerate().map(|(n, len)| payload(n, *len)).collect();
        // An empty datagram is a datagram, but a train that is read cannot show it.
        let expected: Vec<_> = expected.into_iter().filter(|payload| !payload.is_empty()).collect();
        let got = arriving(&call.peer, expected.len());
        let got: Vec<_> = got.into_iter().filter(|payload| !payload.is_empty()).collect();
        assert_eq!(got, expected, "{trains:?}");
    }
}

#[test]
fn what_is_wrong_in_a_train_is_dropped_alone() {
    for trains in WAYS {
        let call = call(trains);
        let good = |number| channel_message(&payload(number, 60));
        let mut lying = channel_message(&payload(1, 60));
        lying[2..4].copy_from_slice(&500u16.to_be_bytes());
        let mut unbound = channel_message(&payload(2, 60));
        unbound[..2].copy_from_slice(&0x4ABCu16.to_be_bytes());
        let nonsense = vec![0xFF; 64];
        send(&call.client.socket, &[good(0), lying, unbound, nonsense, good(3)], None);
        assert_eq!(arriving(&call.peer, 2), [payload(0, 60), payload(3, 60)], "{trains:?}");
    }
}

#[test]
fn requests_in_a_train_are_answered_and_disturb_nothing_around_them() {
    for trains in WAYS {
        let call = call(trains);
        // A Binding request is 20 bytes, and so is ChannelData with 16.
        let mut train = Vec::new();
        let mut ids = Vec::new();
        for number in 0..30u8 {
            let mut request = [0u8; 20];
            request[..8].copy_from_slice(&[0, 1, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
            request[19] = number;
            ids.push(request[8..].to_vec());
            train.push(request.to_vec());
            train.push(channel_message(&payload(number.into(), 16)));
        }
        send(&call.client.socket, &train, None);
        let expected: Vec<_> = (0..30).map(|number| payload(number, 16)).collect();
        assert_eq!(arriving(&call.peer, 30), expected, "{trains:?}");
        let answers = arriving(&call.client.socket, 30);
        let answered: Vec<_> = answers.iter().map(|answer| answer[8..20].to_vec()).collect();
        assert_eq!(answered, ids, "{trains:?}");
    }
}

#[test]
fn a_train_of_a_peer_without_a_channel_becomes_indications() {
    for trains in WAYS {
        let mut call = call(trains);
        let stranger = socket("127.0.0.3:0");
        let address = stranger.local_addr().expect("bound");
        assert_eq!(call.client.permit(address), Class::Success);
        // Lengths that need padding; the last is shorter.
        let mut payloads: Vec<_> = (0..20).map(|number| payload(number, 99)).collect();
        payloads.push(payload(20, 5));
        send(&stranger, &payloads, Some(call.relayed));
        let got = arriving(&call.client.socket, 21);
        assert_eq!(got.len(), 21, "{trains:?}");
        for (number, (message, payload)) in got.iter().zip(&payloads).enumerate() {
            assert_eq!(message.len() % 4, 0, "indication {number} is padded");
            let (from, data) = super::client::data_indication(message);
            assert_eq!((from, &data), (address, payload), "indication {number}, {trains:?}");
        }
    }
}

#[test]
fn trains_of_several_peers_keep_each_ones_order() {
    let mut call = call(Trains::default());
    let second = socket("127.0.0.3:0");
    assert_eq!(call.client.bind(CHANNEL + 1, second.local_addr().expect("bound")), Class::Success);
    for round in 0..20 {
        let train =
            |who: usize| (0..8).map(|n| payload(who + round * 8 + n, 500)).collect::<Vec<_>>();
        send(&call.peer, &train(0), Some(call.relayed));
        send(&second, &train(1000), Some(call.relayed));
    }
    let all = arriving(&call.client.socket, 320);
    for (channel, who) in [(CHANNEL, 0), (CHANNEL + 1, 1000)] {
        let mine = all.iter().filter(|message| message[..2] == channel.to_be_bytes());
        let mine: Vec<_> = mine.map(|message| message[4..].to_vec()).collect();
        assert_eq!(mine, (0..160).map(|n| payload(who + n, 500)).collect::<Vec<_>>());
    }
}

#[test]
fn a_peer_that_vanishes_in_the_midst_holds_up_nobody() {
    let mut call = call(Trains::default());
    let gone = socket("127.0.0.3:0");
    let address = gone.local_addr().expect("bound");
    assert_eq!(call.client.bind(CHANNEL + 1, address), Class::Success);
    drop(gone);
    for number in 0..20 {
        let mut lost = channel_message(&payload(number, 200));
        lost[..2].copy_from_slice(&(CHANNEL + 1).to_be_bytes());
        let train = [channel_message(&payload(number, 200)), lost];
        send(&call.client.socket, &[train.clone(), train.clone(), train].concat(), None);
    }
    let expected: Vec<_> =
        (0..20).flat_map(|number| [(); 3].map(|()| payload(number, 200))).collect();
    assert_eq!(arriving(&call.peer, 60), expected);
}

#[test]
fn datagrams_too_large_for_a_train_still_arrive() {
    // Larger than any network card's, smaller than loopback's: 20 of them are more than one train.
    let call = call(Trains::default());
    let payloads: Vec<_> = (0..20).map(|number| payload(number, 9_000)).collect();
    for three in payloads.chunks(5) {
        send(&call.peer, three, Some(call.relayed));
    }
    let expected: Vec<_> = payloads.iter().map(|payload| channel_message(payload)).collect();
    assert_eq!(arriving(&call.client.socket, 20), expected);
}

#[test]
fn bursts_of_128_lose_nothing() {
    let call = call(Trains::default());
    let mut number = 0;
    for _ in 0..10 {
        for _ in 0..2 {
            let train: Vec<_> =
                (0..64).map(|at| channel_message(&payload(number + at, 1000))).collect();
            // 64 of them are more bytes than one train may have.
            send(&call.client.socket, &train[..32], None);
            send(&call.client.socket, &train[32..], None);
            number += 64;
        }
        let begin = number - 128;
        let expected: Vec<_> = (begin..number).map(|number| payload(number, 1000)).collect();
        assert_eq!(arriving(&call.peer, 128), expected);
    }
}

#[test]
fn a_relay_counts_packets_and_not_trains() {
    let call = call(Trains::default());
    let train: Vec<_> = (0..30).map(|number| channel_message(&payload(number, 100))).collect();
    send(&call.client.socket, &train, None);
    assert_eq!(arriving(&call.peer, 30).len(), 30);
    eventually("all are counted", || call._relay.counters().packets_up == 30);
    assert_eq!(call._relay.counters().bytes_up, 3000);
    assert_eq!(call.relayed.ip(), RELAY_V4);
}
