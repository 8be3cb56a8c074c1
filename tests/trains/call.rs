//! A call over three hosts through the running program: a client, its relayed address, peers; and what
//! arrived, whole and in order.

use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use relayhouse::relay::burst::{self, Received};
use relayhouse::stun::channel_data;

use crate::networks::{CLIENT, Host, Networks, PEER, RELAY, SERVER, at};
use crate::support::credentials::Credential;
use crate::support::http;
use crate::support::server::{Server, Start};
use crate::support::turn_client::TurnClient;

/// The first peer's channel; the next ones follow.
pub const CHANNEL: u16 = 0x4001;

/// How long what was sent may take to arrive.
const ARRIVES: Duration = Duration::from_secs(10);

/// The hosts with everybody on them.
pub struct Call {
    pub server: Server,
    client: TurnClient,
    pub socket: UdpSocket,
    pub relayed: SocketAddr,
    pub networks: Networks,
}

impl Call {
    /// A relay of one shard with a client that has an allocation.
    pub fn new(networks: Networks) -> Self {
        let namespace = networks.of(Host::Relay);
        let server = Start::default()
            .closed()
            .through(&["ip", "netns", "exec", &namespace])
            .listen(&[at(SERVER)])
            .arg("--secret")
            .arg("north")
            .set("relay.addresses", &format!("[\"{}\"]", std::net::IpAddr::from(RELAY)))
            .set("relay.workers", "1")
            .set("peers.allow", "[\"10.77.2.0/24\"]")
            .start();
        let socket = networks.on(Host::Client, || UdpSocket::bind(at(CLIENT)).expect("a port"));
        socket.connect(server.udp()).expect("a route");
        burst::prepare(&socket);
        let wire = socket.try_clone().expect("a descriptor");
        let mut client = TurnClient::over(Box::new(wire), Credential::fresh("north", "ann"));
        let relayed = client.allocate();
        let relayed = relayed.unwrap_or_else(|refused| panic!("{refused:?}\n{}", server.text()));
        Self { server, client, socket, relayed, networks }
    }

    /// A peer with a channel of this number.
    pub fn peer(&mut self, channel: u16) -> UdpSocket {
        let peer = self.networks.on(Host::Peer, || UdpSocket::bind(at(PEER)).expect("a port"));
        burst::prepare(&peer);
        let address = peer.local_addr().expect("bound");
        self.client.bind_channel(channel, address).expect("bound");
        peer
    }

    /// A number of the server without labels.
    pub fn number(&self, name: &str) -> u64 {
        let url = self.server.url("/metrics");
        let page = self.networks.on(Host::Relay, || http::get(&url, None).expect(200).body);
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{page}")).parse().expect("a number")
    }
}

/// What came to a socket, and how many of the pieces it came in were trains.
#[derive(Debug, Default)]
pub struct Arrived {
    pub datagrams: Vec<Vec<u8>>,
    pub trains: usize,
}

/// Waits for `count` datagrams.
pub fn arriving(socket: &UdpSocket, count: usize) -> Arrived {
    let (mut buffer, mut arrived) = (vec![0; 1 << 16], Arrived::default());
    let end = Instant::now() + ARRIVES;
    while arrived.datagrams.len() < count && Instant::now() < end {
        match burst::receive(socket, &mut buffer) {
            Ok(Received { len, each, .. }) => {
                arrived.trains += usize::from(each < len);
                arrived.datagrams.extend(buffer[..len].chunks(each).map(<[u8]>::to_vec));
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                std::thread::sleep(Duration::from_millis(1));
            }
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
            Err(error) => panic!("{error}"),
        }
    }
    arrived
}

/// Holds that what came is what was sent: as many, byte for byte, in order.
#[track_caller]
pub fn same(arrived: &Arrived, expected: &[Vec<u8>], what: &str) {
    let numbers = |of: &[Vec<u8>]| of.iter().map(Vec::len).collect::<Vec<_>>();
    let first = arrived.datagrams.iter().zip(expected).position(|(got, sent)| got != sent);
    assert!(
        arrived.datagrams == expected,
        "{what}: {} of {} arrived, the first wrong one is {first:?}; their lengths: {:?}",
        arrived.datagrams.len(),
        expected.len(),
        numbers(&arrived.datagrams),
    );
}

/// A payload whose every byte says which it is and where.
pub fn payload(number: usize, len: usize) -> Vec<u8> {
    (0..len).map(|at| (number * 31 + at * 7 + at / 256) as u8).collect()
}

pub fn payloads(from: usize, lens: &[usize]) -> Vec<Vec<u8>> {
    lens.iter().enumerate().map(|(at, len)| payload(from + at, *len)).collect()
}

/// `payloads` as ChannelData.
pub fn on_channel(channel: u16, payloads: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let message =
        |payload: &Vec<u8>| [&channel_data::header(channel, payload.len())[..], payload].concat();
    payloads.iter().map(message).collect()
}

/// Sends equal messages (the last may be shorter) as one train.
pub fn send_train(socket: &UdpSocket, messages: &[Vec<u8>], to: Option<SocketAddr>) {
    burst::send_train(socket, &messages.concat(), messages[0].len(), to).expect("sent");
}

/// Sends each message by itself.
pub fn send_singly(socket: &UdpSocket, messages: &[Vec<u8>], to: Option<SocketAddr>) {
    for message in messages {
        burst::send_train(socket, message, message.len(), to).expect("sent");
    }
}
