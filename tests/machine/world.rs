//! The driver of one shard, and the kernel under it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use relayhouse::net::{Flow, PeerAddr, RelayPort};
use relayhouse::packet::{HEADROOM, Packet, TAILROOM};
use relayhouse::time::{Instant, Now, UnixTime};
use relayhouse::turn::{
    Answer, Command, ConnectionId, DropReason, Event, OpenFailure, Relay, RelayKind, Route,
    Settings, Shared, Verdict,
};

use super::{START, Sent, addr, credentials, settings};

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
            Command::OpenRelay { id, port, kind, .. } => {
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
