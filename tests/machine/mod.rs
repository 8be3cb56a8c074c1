//! A relay without sockets: the machine at its doors, with a clock that moves only when told.
//!
//! [`World`] plays the driver (it opens every socket asked for, unless told not to); [`Client`]
//! plays a TURN client that does the credential dance.

#![allow(dead_code, reason = "every test binary uses its own part")]

mod streams;

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use relayhouse::creds::{CredentialSettings, Credentials, Secret};
use relayhouse::net::{ClientAddr, Flow, PeerAddr, RelayPort, Transport};
use relayhouse::packet::{HEADROOM, Packet, TAILROOM};
use relayhouse::stun::{
    Attribute, ChannelNumber, Class, ErrorCode, Lifetime, Message, Method, Nonce, Realm,
    RequestedTransport, TransactionId, Username, Writer, XorPeerAddress, XorRelayedAddress,
};
use relayhouse::time::{Instant, Now, UnixTime};
use relayhouse::turn::{
    Answer, ChannelNumbers, Command, ConnectionId, DropReason, Event, Limits, OpenFailure,
    QuotaLimits, Relay, RelayAddress, RelayKind, Route, Settings, Shared, Verdict,
};

#[allow(unused_imports, reason = "every test binary uses its own part")]
pub use streams::named;

pub const REALM: &str = "relay.test";
pub const SECRET: &str = "north";
pub const START: u64 = 1_800_000_000;

pub fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

pub fn addr(text: &str) -> SocketAddr {
    text.parse().expect("an address and port")
}

/// One IPv4 and one IPv6 relay address, both public.
pub fn settings() -> Settings {
    let relay = |text| RelayAddress { local: ip(text), public: ip(text) };
    Settings {
        relay_addresses: vec![relay("198.51.100.1"), relay("2001:db8:1::1")],
        ports: 50_000..=50_999,
        channel_numbers: ChannelNumbers::Rfc5766,
        limits: Limits::default(),
        quota: QuotaLimits::default(),
        allow: Vec::new(),
        deny: vec!["10.0.0.0/8".parse().expect("net"), "127.0.0.0/8".parse().expect("net")],
        own_addresses: vec![ip("198.51.100.1"), ip("2001:db8:1::1")],
        service_ports: vec![addr("198.51.100.1:3478")],
        unauthenticated_rate: 0,
        nat_discovery: Vec::new(),
        alternate: Vec::new(),
        draining: false,
    }
}

pub fn credentials() -> Credentials {
    let secret = |text: &str| Secret::from(text.to_owned());
    Credentials::new(CredentialSettings {
        realm: REALM.into(),
        secrets: vec![secret("old"), secret(SECRET)],
        users: vec![("alice".into(), secret("wonder")), ("bob".into(), secret("builder"))],
        separator: ':',
        sha256: true,
        strict_expiry: false,
        nonce_lifetime: Duration::from_secs(3600),
        nonce_key: [7; 32],
    })
    .expect("good settings")
}

/// A datagram that left the machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    pub route: Route,
    pub bytes: Vec<u8>,
}

impl Sent {
    /// It as a STUN message, for asserting on attributes.
    pub fn message(&self) -> Message<'_> {
        Message::parse(&self.bytes).expect("the machine writes well-formed STUN")
    }

    /// The code of an error response; 0 for a success.
    pub fn code(&self) -> u16 {
        let message = self.message();
        match message.class() {
            Class::Success => 0,
            Class::Error => {
                let error = message.get::<ErrorCode<'_>>().expect("well-formed");
                error.expect("an error response says which").code
            }
            other => panic!("not a response: {other:?}"),
        }
    }

    pub fn get<'a, T: Attribute<'a>>(&'a self) -> Option<T> {
        self.message().get::<T>().expect("well-formed")
    }
}

/// The driver of one shard.
pub struct World {
    pub relay: Relay,
    pub shared: Arc<Shared>,
    pub now: Now,
    pub open: BTreeSet<RelayPort>,
    /// Those of them that listen for TCP.
    pub listening: BTreeSet<RelayPort>,
    /// TCP connections to peers, as the kernel has them.
    pub connections: BTreeMap<ConnectionId, Tie>,
    /// What becomes of connections to peers.
    pub peers: Peers,
    /// Sockets the "kernel" refuses to open from now on, and why.
    pub refuse: Option<OpenFailure>,
    pub refuse_first: usize,
    /// Holds answers to commands back, to look at the time between.
    pub hold: bool,
    pub held: Vec<Answer>,
    pub events: Vec<Event>,
    pub drops: Vec<DropReason>,
    /// Shards that something was handed over to.
    pub elsewhere: Vec<u8>,
}

/// A TCP connection to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tie {
    Connecting { from: RelayPort, to: PeerAddr },
    Open { from: RelayPort, to: PeerAddr },
    Spliced(Flow),
}

/// What peers do when they are connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peers {
    Accept,
    Refuse,
    SayNothing,
}

impl World {
    pub fn new() -> Self {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = settings();
        change(&mut settings);
        let shared = Arc::new(Shared::new(&settings, [1; 32]));
        Self::shard(settings, shared, [2; 32])
    }

    /// One of several shards that share `shared`.
    pub fn shard(settings: Settings, shared: Arc<Shared>, seed: [u8; 32]) -> Self {
        Self::numbered(settings, shared, seed, 0)
    }

    pub fn numbered(settings: Settings, shared: Arc<Shared>, seed: [u8; 32], shard: u8) -> Self {
        let credentials = Arc::new(credentials());
        let relay = Relay::new(Arc::new(settings), credentials, Arc::clone(&shared), seed, shard);
        let mono = Instant::from_nanos(1_000_000_000_000);
        Self {
            relay,
            shared,
            now: Now { mono, unix: UnixTime(START) },
            open: BTreeSet::new(),
            listening: BTreeSet::new(),
            connections: BTreeMap::new(),
            peers: Peers::Accept,
            refuse: None,
            refuse_first: 0,
            hold: false,
            held: Vec::new(),
            events: Vec::new(),
            drops: Vec::new(),
            elsewhere: Vec::new(),
        }
    }

    /// A datagram from a client; everything that leaves the machine for it.
    pub fn client_sends(&mut self, flow: Flow, bytes: &[u8]) -> Vec<Sent> {
        let mut buffer = buffer(bytes);
        let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len());
        let verdict = self.relay.handle_client(self.now, flow, &mut packet);
        self.settle(verdict, &packet)
    }

    /// A datagram from a peer to a relayed port.
    pub fn peer_sends(&mut self, port: RelayPort, from: SocketAddr, bytes: &[u8]) -> Vec<Sent> {
        let mut buffer = buffer(bytes);
        let mut packet = Packet::new(&mut buffer, HEADROOM, bytes.len());
        let verdict = self.relay.handle_peer(self.now, port, PeerAddr(from), &mut packet);
        self.settle(verdict, &packet)
    }

    /// A peer connects to a relayed port: the connection, if it is kept, and what leaves for it.
    pub fn peer_connects(
        &mut self,
        port: RelayPort,
        from: &str,
    ) -> (Option<ConnectionId>, Vec<Sent>) {
        assert!(self.listening.contains(&port), "{port:?} listens");
        let kept = self.relay.handle_connection(self.now, port, PeerAddr(addr(from)));
        let sent = self.drive();
        if let Some(id) = kept {
            let from = Tie::Open { from: port, to: PeerAddr(addr(from)) };
            assert!(self.connections.insert(id, from).is_none(), "a new name");
        }
        (kept, sent)
    }

    /// Either side of a connection to a peer is gone.
    pub fn connection_ends(&mut self, id: ConnectionId) -> Vec<Sent> {
        self.relay.handle_connection_closed(self.now, id);
        self.drive()
    }

    fn settle(&mut self, verdict: Verdict, packet: &Packet<'_>) -> Vec<Sent> {
        let mut sent = Vec::new();
        match verdict {
            Verdict::Forward(route) => {
                if let Route::Peer { from, .. } = route {
                    assert!(self.open.contains(&from), "{from:?} is an open socket");
                }
                sent.push(Sent { route, bytes: packet.bytes().to_vec() });
            }
            Verdict::Taken => {}
            Verdict::Elsewhere(shard) => self.elsewhere.push(shard),
            Verdict::Drop(reason) => self.drops.push(reason),
        }
        sent.extend(self.drive());
        sent
    }

    /// Carries out commands, answers them, and collects what waits.
    pub fn drive(&mut self) -> Vec<Sent> {
        while let Some(command) = self.relay.poll_command() {
            if let Some(answer) = self.carry_out(command) {
                match self.hold {
                    true => self.held.push(answer),
                    false => self.tell(answer),
                }
            }
        }
        let mut sent = Vec::new();
        let mut buffer = vec![0xAA; 2048];
        loop {
            let mut packet = Packet::empty(&mut buffer);
            let Some(route) = self.relay.poll_transmit(&mut packet) else { break };
            sent.push(Sent { route, bytes: packet.bytes().to_vec() });
        }
        self.events.extend(std::iter::from_fn(|| self.relay.poll_event()));
        sent
    }

    fn carry_out(&mut self, command: Command) -> Option<Answer> {
        match command {
            Command::OpenRelay { id, port, kind } => {
                if self.refuse_first > 0 {
                    self.refuse_first -= 1;
                    return Some(Answer::RelayFailed(id, OpenFailure::InUse));
                }
                if let Some(failure) = self.refuse {
                    return Some(Answer::RelayFailed(id, failure));
                }
                assert!(self.open.insert(port), "{port:?} is opened once");
                if kind == RelayKind::Tcp {
                    self.listening.insert(port);
                }
                Some(Answer::RelayOpened(id))
            }
            Command::CloseRelay { port } => {
                self.open.remove(&port);
                self.listening.remove(&port);
                None
            }
            Command::Connect { id, from, to } => self.connect(id, from, to),
            Command::Splice { connection, flow } => {
                let tie = self.connections.insert(connection, Tie::Spliced(flow));
                assert!(matches!(tie, Some(Tie::Open { .. })), "spliced once, when open: {tie:?}");
                None
            }
            Command::CloseConnection { id } => {
                assert!(self.connections.remove(&id).is_some(), "{id:?} is closed once");
                None
            }
        }
    }

    fn connect(&mut self, id: ConnectionId, from: RelayPort, to: PeerAddr) -> Option<Answer> {
        assert!(self.listening.contains(&from), "{from:?} listens");
        let (tie, answer) = match self.peers {
            Peers::Refuse => (Tie::Connecting { from, to }, Some(Answer::ConnectFailed(id))),
            Peers::Accept => (Tie::Open { from, to }, Some(Answer::Connected(id))),
            Peers::SayNothing => (Tie::Connecting { from, to }, None),
        };
        assert!(self.connections.insert(id, tie).is_none(), "a new name");
        answer
    }

    /// Lets the held answers through.
    pub fn release(&mut self) -> Vec<Sent> {
        for answer in std::mem::take(&mut self.held) {
            self.tell(answer);
        }
        self.drive()
    }

    fn tell(&mut self, answer: Answer) {
        if let Answer::ConnectFailed(id) = answer {
            self.connections.remove(&id);
        }
        self.relay.handle_answer(self.now, answer);
    }

    /// Time passes, second by second, as a driver would see it.
    pub fn pass(&mut self, duration: Duration) -> Vec<Sent> {
        let end = self.now.after(duration);
        while self.now.mono < end.mono {
            let step = Duration::from_secs(1).min(end.mono - self.now.mono);
            self.now = self.now.after(step);
            if self.relay.poll_timeout().is_some_and(|due| due <= self.now.mono) {
                self.relay.handle_timeout(self.now);
            }
        }
        self.drive()
    }

    pub fn pass_secs(&mut self, seconds: u64) -> Vec<Sent> {
        self.pass(Duration::from_secs(seconds))
    }

    /// Nothing is left of anything: what every test of an end asserts.
    pub fn assert_clean(&self) {
        assert_eq!(self.relay.allocations(), 0, "allocations");
        assert!(self.open.is_empty(), "sockets: {:?}", self.open);
        assert!(self.connections.is_empty(), "connections: {:?}", self.connections);
        assert_eq!(self.relay.counters().snapshot().connections, 0, "the gauge of connections");
        assert_eq!(self.shared.ports_taken(), 0, "port claims");
        assert_eq!(self.shared.allocations(), 0, "quota");
        assert_eq!(self.relay.poll_timeout(), None, "timers");
        assert_eq!(self.relay.counters().snapshot().allocations, 0, "the gauge");
    }
}

fn buffer(bytes: &[u8]) -> Vec<u8> {
    // Filled with something, so that stale bytes in an answer would show.
    let mut buffer = vec![0xAA; HEADROOM];
    buffer.extend_from_slice(bytes);
    buffer.resize((HEADROOM + bytes.len() + TAILROOM).max(2048), 0xAA);
    buffer
}

pub fn udp(local: &str, remote: &str) -> Flow {
    Flow { transport: Transport::Udp, local: addr(local), remote: ClientAddr(addr(remote)) }
}

/// A TURN client: its five-tuple, its credential and the nonce it was given.
#[derive(Clone, Debug)]
pub struct Client {
    pub flow: Flow,
    pub username: String,
    pub password: String,
    pub nonce: Vec<u8>,
    pub next_id: u64,
}

impl Client {
    /// Alice, at this address, with the static password.
    pub fn at(remote: &str) -> Self {
        let local =
            if remote.starts_with('[') { "[2001:db8:1::1]:3478" } else { "198.51.100.1:3478" };
        Self {
            flow: udp(local, remote),
            username: "alice".into(),
            password: "wonder".into(),
            nonce: Vec::new(),
            next_id: 1,
        }
    }

    pub fn named(mut self, username: &str, password: &str) -> Self {
        self.username = username.into();
        self.password = password.into();
        self
    }

    pub fn key(&self) -> [u8; 16] {
        use md5::{Digest, Md5};
        Md5::digest(format!("{}:{REALM}:{}", self.username, self.password)).into()
    }

    pub fn id(&mut self) -> TransactionId {
        self.next_id += 1;
        let mut id = [0; 12];
        id[4..].copy_from_slice(&self.next_id.to_be_bytes());
        TransactionId(id)
    }

    /// A signed request.
    pub fn request(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let id = self.id();
        self.request_with_id(method, id, fill)
    }

    pub fn request_with_id(
        &mut self,
        method: Method,
        id: TransactionId,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Vec<u8> {
        let key = self.key();
        write(Class::Request, method, id, |writer| {
            fill(writer);
            writer.put(&Username(&self.username)).put(&Realm(REALM)).put(&Nonce(&self.nonce));
            writer.integrity_sha1(&key);
        })
    }

    /// A request without credentials.
    pub fn bare(&mut self, method: Method, fill: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
        let id = self.id();
        write(Class::Request, method, id, fill)
    }

    /// Sends a signed request; the one answer.
    pub fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Sent {
        let request = self.request(method, fill);
        self.exchange(world, &request)
    }

    /// Sends these bytes; the one answer.
    pub fn exchange(&self, world: &mut World, request: &[u8]) -> Sent {
        let mut sent = world.client_sends(self.flow, request);
        assert_eq!(sent.len(), 1, "one answer; dropped: {:?}", world.drops);
        let sent = sent.remove(0);
        assert_eq!(sent.route, Route::Client(self.flow), "answered to where it came from");
        sent
    }

    /// The first contact, which brings the nonce.
    pub fn greet(&mut self, world: &mut World) {
        let request = self.bare(Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        });
        let challenge = self.exchange(world, &request);
        assert_eq!(challenge.code(), 401);
        self.nonce = challenge.get::<Nonce<'_>>().expect("a nonce").0.to_vec();
    }

    /// Greets if need be, then an Allocate with more attributes.
    pub fn allocate_with(&mut self, world: &mut World, fill: impl FnOnce(&mut Writer<'_>)) -> Sent {
        if self.nonce.is_empty() {
            self.greet(world);
        }
        self.ask(world, Method::ALLOCATE, |writer| {
            writer.put(&RequestedTransport(17));
            fill(writer);
        })
    }

    /// A plain allocation that must succeed: its relayed address.
    pub fn allocate(&mut self, world: &mut World) -> SocketAddr {
        let answer = self.allocate_with(world, |_| {});
        assert_eq!(answer.code(), 0);
        answer.get::<XorRelayedAddress>().expect("a relayed address").0
    }

    pub fn refresh(&mut self, world: &mut World, seconds: u32) -> Sent {
        self.ask(world, Method::REFRESH, |writer| {
            writer.put(&Lifetime(seconds));
        })
    }

    pub fn permit(&mut self, world: &mut World, peer: &str) -> Sent {
        self.ask(world, Method::CREATE_PERMISSION, |writer| {
            writer.put(&XorPeerAddress(addr(peer)));
        })
    }

    pub fn bind(&mut self, world: &mut World, number: u16, peer: &str) -> Sent {
        self.ask(world, Method::CHANNEL_BIND, |writer| {
            writer.put(&ChannelNumber(number)).put(&XorPeerAddress(addr(peer)));
        })
    }

    /// Data in a Send indication.
    pub fn send(&mut self, world: &mut World, peer: &str, data: &[u8]) -> Vec<Sent> {
        let id = self.id();
        let bytes = write(Class::Indication, Method::SEND, id, |writer| {
            writer.put(&XorPeerAddress(addr(peer))).put(&relayhouse::stun::Data(data));
        });
        world.client_sends(self.flow, &bytes)
    }

    /// Data on a channel.
    pub fn send_channel(&self, world: &mut World, number: u16, data: &[u8]) -> Vec<Sent> {
        world.client_sends(self.flow, &channel_data(number, data))
    }
}

pub fn channel_data(number: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = relayhouse::stun::channel_data::header(number, data.len()).to_vec();
    bytes.extend_from_slice(data);
    bytes
}

pub fn write(
    class: Class,
    method: Method,
    id: TransactionId,
    fill: impl FnOnce(&mut Writer<'_>),
) -> Vec<u8> {
    let mut bytes = vec![0; 4096];
    let mut writer = Writer::new(&mut bytes, class, method, id);
    fill(&mut writer);
    let len = writer.finish().expect("it fits");
    bytes.truncate(len);
    bytes
}

/// The relay port behind a relayed address of [`settings`].
pub fn port_of(relayed: SocketAddr) -> RelayPort {
    RelayPort { address: u8::from(relayed.is_ipv6()), port: relayed.port() }
}

/// What a client is owed for data to a peer.
pub fn to_peer(relayed: SocketAddr, peer: &str, bytes: &[u8]) -> Sent {
    let to = PeerAddr(addr(peer));
    let route = Route::Peer { from: port_of(relayed), to, dont_fragment: false };
    Sent { route, bytes: bytes.to_vec() }
}
