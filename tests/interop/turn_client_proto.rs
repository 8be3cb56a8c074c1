//! The `turn-client-proto` crate's client, a machine without sockets of its own: over UDP, TCP and TLS,
//! with indications and channels, TCP relays, SHA-256, and ICMP.
//!
//! It neither pads ChannelData on streams nor expects padding, which RFC 8656 (12.5) asks for; the
//! wire below it does both. It waits for ConnectionAttempt as a request, where RFC 6062 (5.3) has an
//! indication; that direction is left to coturn's client.

use std::collections::BTreeMap;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use turn_client_proto::api::{TurnConfig, TurnEvent, TurnPollRet, TurnRecvRet};
use turn_client_proto::client::TurnClient;
use turn_client_proto::prelude::TurnClientApi;
use turn_client_proto::stun::Instant as Moment;
use turn_client_proto::stun::agent::Transmit;
use turn_client_proto::stun::types::TransportType;
use turn_client_proto::tcp::TurnClientTcp;
use turn_client_proto::types::stun::message::IntegrityAlgorithm;
use turn_client_proto::types::{AddressFamily, TurnCredentials};
use turn_client_proto::udp::TurnClientUdp;

use crate::support::credentials::Credential;
use crate::support::server::{Server, Start};
use crate::support::wire::{self, Wire};

const ANSWER: Duration = Duration::from_secs(10);

/// How long one look at a quiet socket takes.
const LOOK: Duration = Duration::from_millis(2);

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Udp,
    Tcp,
    Tls,
}

const WAYS: [Way; 3] = [Way::Udp, Way::Tcp, Way::Tls];

fn server() -> Server {
    Start::default()
        .with_ipv6()
        .arg("--secret")
        .arg("north")
        .set("listen.tls", r#"["127.0.0.1:0", "[::1]:0"]"#)
        .set("relay.workers", "2")
        .start()
}

fn config() -> TurnConfig {
    let credential = Credential::fresh("north", "ann");
    TurnConfig::new(TurnCredentials::new(&credential.username, &credential.password))
}

trait Pipe: Read + Write {}
impl<T: Read + Write> Pipe for T {}

/// The crate's machine and the sockets it wishes for.
struct Driver {
    way: Way,
    server: SocketAddr,
    client: TurnClient,
    control: Box<dyn Wire>,
    /// Data connections of TCP relays, by their own address.
    data: BTreeMap<SocketAddr, Box<dyn Pipe>>,
    events: Vec<TurnEvent>,
    received: Vec<(SocketAddr, Vec<u8>)>,
    icmp: Vec<(SocketAddr, u8, u8)>,
    begun: Instant,
}

impl Driver {
    fn new(server: &Server, way: Way, six: bool, config: TurnConfig) -> Self {
        let server = match (way, six) {
            (Way::Udp, false) => server.udp(),
            (Way::Udp, true) => server.udp6(),
            (Way::Tcp, false) => server.tcp(),
            (Way::Tcp, true) => server.tcp6(),
            (Way::Tls, false) => server.tls(),
            (Way::Tls, true) => server.tls6(),
        };
        let control = match way {
            Way::Udp => wire::udp(SocketAddr::new(wire::loopback(server), 0), server),
            Way::Tcp => wire::tcp(server),
            Way::Tls => wire::tls(server),
        };
        let local = control.local();
        let client = match way {
            Way::Udp => TurnClientUdp::allocate(local, server, config).into(),
            Way::Tcp | Way::Tls => TurnClientTcp::allocate(local, server, config).into(),
        };
        let (data, events, received, icmp) = (BTreeMap::new(), vec![], vec![], vec![]);
        let begun = Instant::now();
        Self { way, server, client, control, data, events, received, icmp, begun }
    }

    fn now(&self) -> Moment {
        Moment::from_std(self.begun)
    }

    /// Goes on until `found` finds something; panics after a while.
    #[track_caller]
    fn until<T>(&mut self, what: &str, mut found: impl FnMut(&mut Self) -> Option<T>) -> T {
        let deadline = Instant::now() + ANSWER;
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            assert!(Instant::now() < deadline, "no {what}; events so far: {:?}", self.events);
            self.step();
        }
    }

    fn step(&mut self) {
        let now = self.now();
        match self.client.poll(now) {
            TurnPollRet::AllocateTcpSocket { id, socket, peer_addr } => {
                let stream = TcpStream::connect(socket.to).expect("a data connection");
                stream.set_read_timeout(Some(LOOK)).expect("a timeout");
                let local = stream.local_addr().expect("connected");
                self.client
                    .allocated_tcp_socket(id, socket, peer_addr, Some(local), now)
                    .expect("asked for");
                let pipe: Box<dyn Pipe> = match self.way {
                    Way::Tls => Box::new(wire::in_tls(stream)),
                    _ => Box::new(stream),
                };
                self.data.insert(local, pipe);
            }
            TurnPollRet::TcpClose { local_addr, .. } => drop(self.data.remove(&local_addr)),
            TurnPollRet::WaitUntil(_) | TurnPollRet::Closed => {}
        }
        while let Some(transmit) = self.client.poll_transmit(now) {
            self.send(transmit.from, transmit.data.as_ref());
        }
        if let Some(message) = self.control.receive(Instant::now() + LOOK) {
            self.take(self.control.local(), message);
        }
        let mut buffer = vec![0; 65_536];
        let mut came = Vec::new();
        for (local, pipe) in &mut self.data {
            match pipe.read(&mut buffer) {
                Ok(length) => came.push((*local, buffer[..length].to_vec())),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => panic!("a data connection failed: {error}"),
            }
        }
        for (local, bytes) in came {
            self.take(local, bytes);
        }
        while let Some(data) = self.client.poll_recv(now) {
            self.received.push((data.peer, data.data().to_vec()));
        }
        while let Some(event) = self.client.poll_event() {
            self.events.push(event);
        }
    }

    fn transport(&self) -> TransportType {
        if self.way == Way::Udp { TransportType::Udp } else { TransportType::Tcp }
    }

    fn take(&mut self, local: SocketAddr, bytes: Vec<u8>) {
        let transmit = Transmit::new(bytes, self.transport(), self.server, local);
        match self.client.recv(transmit, self.now()) {
            TurnRecvRet::PeerData(data) => {
                self.received.push((data.peer, data.data().to_vec()));
            }
            TurnRecvRet::PeerIcmp { peer, icmp_type, icmp_code, .. } => {
                // The crate reads eight bits of each, where RFC 8656's figure (18.13) has seven and nine.
                self.icmp.push((peer, icmp_type >> 1, icmp_code));
            }
            TurnRecvRet::Handled => {}
            TurnRecvRet::Ignored(what) => panic!("the client did not understand {what:?}"),
        }
    }

    fn send(&mut self, from: SocketAddr, bytes: &[u8]) {
        if from == self.control.local() {
            return self.control.send(bytes);
        }
        let pipe = self.data.get_mut(&from).expect("a data connection");
        // A TLS handshake that is still under way reads, and gives up as early as a read does.
        patiently(|| pipe.write_all(bytes));
        patiently(|| pipe.flush());
    }

    /// The relayed address, once there is one of each family that was asked for.
    #[track_caller]
    fn allocated(&mut self) -> Vec<SocketAddr> {
        self.until("allocation", |driver| {
            let families = driver.client.relayed_addresses().count();
            let failed = driver
                .events
                .iter()
                .any(|event| matches!(event, TurnEvent::AllocationCreateFailed(_)));
            assert!(!failed, "refused: {:?}", driver.events);
            (families > 0).then(|| driver.client.relayed_addresses().map(|(_, at)| at).collect())
        })
    }

    #[track_caller]
    fn permit(&mut self, transport: TransportType, peer: SocketAddr) {
        let now = self.now();
        self.client.create_permission(transport, peer.ip(), now).expect("a permission");
        self.until("permission", |driver| {
            driver.client.have_permission(transport, peer.ip()).then_some(())
        });
    }

    fn send_to_peer(&mut self, transport: TransportType, peer: SocketAddr, bytes: &[u8]) {
        let now = self.now();
        let transmit = self.client.send_to(transport, peer, bytes, now).expect("may be sent");
        if let Some(transmit) = transmit {
            let transmit = transmit.build();
            self.send(transmit.from, &transmit.data);
        }
    }

    /// There and back again, through a plain UDP peer.
    #[track_caller]
    fn echo(&mut self, peer: &UdpSocket, relayed: SocketAddr, payload: &[u8]) {
        let at = peer.local_addr().expect("bound");
        self.send_to_peer(TransportType::Udp, at, payload);
        let mut buffer = [0; 2000];
        let (length, from) = peer.recv_from(&mut buffer).expect("it arrives");
        assert_eq!((&buffer[..length], from), (payload, relayed));
        peer.send_to(payload, relayed).expect("sent");
        let got = self.until("answer from the peer", |driver| driver.received.pop());
        assert_eq!(got, (at, payload.to_vec()));
    }
}

fn udp_peer(ip: &str) -> UdpSocket {
    let peer = UdpSocket::bind((ip, 0)).expect("a port");
    peer.set_read_timeout(Some(ANSWER)).expect("a timeout");
    peer
}

/// A call over each way: indications first, then a channel, payloads of every length modulo four.
#[track_caller]
fn calls(clients_six: bool, peers: &str) {
    let server = server();
    for way in WAYS {
        let mut config = config();
        if peers == "::1" {
            config.set_address_family(AddressFamily::IPV6);
        }
        let mut driver = Driver::new(&server, way, clients_six, config);
        let relayed = driver.allocated()[0];
        let peer = udp_peer(peers);
        let at = peer.local_addr().expect("bound");
        driver.permit(TransportType::Udp, at);
        for length in 1..9 {
            driver.echo(&peer, relayed, &vec![7; length * 37]);
        }
        let now = driver.now();
        driver.client.bind_channel(TransportType::Udp, at, now).expect("a channel");
        driver.until("channel", |driver| {
            let bound = |event: &TurnEvent| matches!(event, TurnEvent::ChannelCreated(..));
            driver.events.iter().any(bound).then_some(())
        });
        for length in 1..9 {
            driver.echo(&peer, relayed, &vec![8; length * 37]);
        }
    }
}

#[test]
fn calls_over_udp_tcp_and_tls() {
    calls(false, "127.0.0.1");
}

#[test]
fn calls_from_ipv6_to_ipv6() {
    calls(true, "::1");
}

#[test]
fn calls_from_ipv4_to_ipv6() {
    calls(false, "::1");
}

#[test]
fn calls_from_ipv6_to_ipv4() {
    calls(true, "127.0.0.1");
}

#[test]
fn one_allocation_has_both_families() {
    let server = server();
    for way in WAYS {
        let mut config = config();
        config.add_address_family(AddressFamily::IPV6);
        let relayed = Driver::new(&server, way, false, config).allocated();
        let both =
            relayed.iter().any(SocketAddr::is_ipv4) && relayed.iter().any(SocketAddr::is_ipv6);
        assert!(both && relayed.len() == 2, "{relayed:?}");
    }
}

#[test]
fn sha256_is_agreed_on() {
    let server = server();
    for way in WAYS {
        let mut config = config();
        config.set_supported_integrity(IntegrityAlgorithm::Sha256);
        let mut driver = Driver::new(&server, way, false, config);
        let relayed = driver.allocated()[0];
        let peer = udp_peer("127.0.0.1");
        driver.permit(TransportType::Udp, peer.local_addr().expect("bound"));
        driver.echo(&peer, relayed, b"signed with SHA-256");
    }
}

#[test]
fn a_closed_port_is_told_by_icmp() {
    let server = server();
    for way in WAYS {
        let mut driver = Driver::new(&server, way, false, config());
        driver.allocated();
        let nobody = udp_peer("127.0.0.1").local_addr().expect("bound");
        driver.permit(TransportType::Udp, nobody);
        driver.send_to_peer(TransportType::Udp, nobody, b"anybody there?");
        // Destination unreachable, port unreachable.
        let told = driver.until("ICMP", |driver| driver.icmp.pop());
        assert_eq!(told, (nobody, 3, 3));
    }
}

fn tcp_relay(server: &Server, way: Way, six: bool) -> (Driver, SocketAddr) {
    let mut config = config();
    config.set_allocation_transport(TransportType::Tcp);
    if six {
        config.set_address_family(AddressFamily::IPV6);
    }
    let mut driver = Driver::new(server, way, six, config);
    let relayed = driver.allocated()[0];
    (driver, relayed)
}

/// Bytes both ways over a data connection that has just been made.
#[track_caller]
fn talk(driver: &mut Driver, peer: &mut TcpStream, at: SocketAddr) {
    peer.set_read_timeout(Some(ANSWER)).expect("a timeout");
    let up: Vec<u8> = (0..50_000_u32).map(|n| n as u8).collect();
    driver.send_to_peer(TransportType::Tcp, at, &up);
    let mut got = vec![0; up.len()];
    peer.read_exact(&mut got).expect("it arrives");
    assert!(got == up, "bytes changed on the way");
    peer.write_all(&up).expect("written");
    let mut down = Vec::new();
    driver.until("answer from the peer", |driver| {
        for (from, bytes) in driver.received.drain(..) {
            assert_eq!(from, at);
            down.extend(bytes);
        }
        (down.len() >= up.len()).then_some(())
    });
    assert!(down == up, "bytes changed on the way back");
}

#[test]
fn a_tcp_relay_connects_to_a_peer() {
    let server = server();
    for (way, six) in [(Way::Tcp, false), (Way::Tls, false), (Way::Tcp, true), (Way::Tls, true)] {
        let (mut driver, relayed) = tcp_relay(&server, way, six);
        let listener = TcpListener::bind((relayed.ip(), 0)).expect("a port");
        let at = listener.local_addr().expect("bound");
        driver.permit(TransportType::Tcp, at);
        let now = driver.now();
        driver.client.tcp_connect(at, now).expect("a connection");
        driver.until("connection", |driver| {
            let connected = |event: &TurnEvent| matches!(event, TurnEvent::TcpConnected(_));
            driver.events.iter().any(connected).then_some(())
        });
        let (mut peer, from) = listener.accept().expect("a connection");
        assert_eq!(from, relayed, "a Connect leaves from the relayed address");
        talk(&mut driver, &mut peer, at);
    }
}

#[test]
fn a_peer_that_refuses_is_told() {
    let server = server();
    let (mut driver, relayed) = tcp_relay(&server, Way::Tcp, false);
    let nobody = TcpListener::bind((relayed.ip(), 0)).expect("a port").local_addr().expect("bound");
    driver.permit(TransportType::Tcp, nobody);
    let now = driver.now();
    driver.client.tcp_connect(nobody, now).expect("a connection");
    driver.until("refusal", |driver| {
        let failed = |event: &TurnEvent| matches!(event, TurnEvent::TcpConnectFailed(_));
        driver.events.iter().any(failed).then_some(())
    });
}

/// Tries until it does not have to wait.
fn patiently(mut attempt: impl FnMut() -> std::io::Result<()>) {
    let patience = Instant::now() + ANSWER;
    while let Err(error) = attempt() {
        assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
        assert!(Instant::now() < patience, "it still has to wait");
    }
}
