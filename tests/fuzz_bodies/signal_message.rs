//! Any bytes as what clients of a room do: nothing panics, no queue outgrows its bound, nothing is
//! echoed, and what the server says is always JSON.
//!
//! The first byte chooses: even, the rest is lines of text from two peers in turn; odd, the rest is
//! a list of operations of two bytes each.

use std::collections::BTreeMap;
use std::time::Duration;

use relayhouse::api::signal::{IceServers, Incoming, encode, parse};
use relayhouse::signal::{
    Admission, Body, ClientMessage, CloseReason, ConnId, Gone, Hello, Hub, HubLimits, Moderation,
    Outgoing, PeerId, ResumeToken, Role, RoomSpec, ServerMessage, SignalKind,
};
use relayhouse::time::{Instant, Now, UnixTime};

const PEERS: u8 = 4;
const CAPACITY: usize = 3;

struct House {
    hub: Hub,
    now: Now,
    /// The newest connection of each peer, its resume token, and who is behind which connection.
    newest: [Option<ConnId>; PEERS as usize],
    tokens: [Option<ResumeToken>; PEERS as usize],
    owners: BTreeMap<ConnId, u8>,
    connections: u64,
}

/// Does what the bytes say.
pub fn run(bytes: &[u8]) {
    let Some((mode, rest)) = bytes.split_first() else { return };
    let mut house = House::new(mode & 2 != 0);
    if mode & 1 == 0 {
        for peer in 0..2 {
            house.connect(peer, false);
        }
        for (line, bytes) in rest.split(|byte| *byte == b'\n').enumerate() {
            house.text(u8::try_from(line % 2).expect("0 or 1"), &String::from_utf8_lossy(bytes));
        }
    } else {
        for operation in rest.chunks_exact(2) {
            house.operate(operation[0], operation[1]);
        }
    }
    house.close();
}

fn name(peer: u8) -> PeerId {
    PeerId(format!("p{}", peer % PEERS).into())
}

impl House {
    fn new(lobby: bool) -> Self {
        let limits = HubLimits { queue_messages: 4, bad_burst: 50, ..HubLimits::default() };
        let mut house = Self {
            hub: Hub::new(limits, [1; 32]),
            now: Now { mono: Instant::from_nanos(1), unix: UnixTime(1) },
            newest: [None; PEERS as usize],
            tokens: [const { None }; PEERS as usize],
            owners: BTreeMap::new(),
            connections: 0,
        };
        let opened = house.hub.open(
            house.now,
            RoomSpec {
                id: "r".into(),
                name: None,
                capacity: CAPACITY,
                lobby,
                locked: false,
                kicked: Vec::new(),
                created: UnixTime(1),
                expires: Some(UnixTime(10_000)),
                idle: Duration::from_secs(100),
            },
        );
        assert!(opened);
        house
    }

    fn connect(&mut self, peer: u8, resume: bool) {
        self.connections += 1;
        let conn = ConnId(self.connections);
        let index = usize::from(peer % PEERS);
        let role = if index == 0 { Role::Host } else { Role::Guest };
        let resume = self.tokens[index].clone().filter(|_| resume);
        let admission =
            Admission { room: "r".into(), peer: name(peer), role, name: None, issued: None };
        self.newest[index] = Some(conn);
        self.owners.insert(conn, peer % PEERS);
        self.hub.connect(
            self.now,
            conn,
            Hello { id: None, admission, keeps_place: true, resume, seen: None },
        );
        self.drain();
    }

    fn text(&mut self, peer: u8, text: &str) {
        let Some(conn) = self.newest[usize::from(peer)] else { return };
        match parse(text, self.hub.limits()) {
            Ok(Incoming::Message(message)) => self.hub.handle(self.now, conn, message),
            Ok(Incoming::Hello { .. }) => {}
            Err(bad) => self.hub.complain(self.now, conn, bad.id, bad.code, bad.text),
        }
        self.drain();
    }

    fn say(&mut self, peer: u8, body: Body) {
        let Some(conn) = self.newest[usize::from(peer % PEERS)] else { return };
        self.hub.handle(self.now, conn, ClientMessage { id: None, body });
    }

    fn operate(&mut self, what: u8, value: u8) {
        let (peer, other) = (value, value >> 4);
        let newest = self.newest[usize::from(peer % PEERS)];
        match what % 16 {
            0 => self.connect(peer, false),
            1 => self.connect(peer, true),
            2 | 3 => {
                let gone = [Gone::Dropped, Gone::Slow, Gone::TooLarge, Gone::Left];
                if let Some(conn) = newest {
                    self.hub.disconnect(self.now, conn, gone[usize::from(other % 4)]);
                }
            }
            4..=6 => {
                let to = (other < 8).then(|| name(other));
                let (kind, payload) = (SignalKind::Message, "1".into());
                self.say(peer, Body::Signal { kind, to, payload });
            }
            7 => self.say(peer, Body::Media { publishing: other % 2 == 0 }),
            8 => self.say(peer, Body::Leave),
            9 => self.say(peer, Body::Moderate(Moderation::Admit(name(other)))),
            10 => self.say(peer, Body::Moderate(Moderation::Deny(name(other)))),
            11 => self.say(peer, Body::Moderate(Moderation::Kick(name(other)))),
            12 => self.say(peer, Body::Moderate(Moderation::Lock)),
            13 => self.say(peer, Body::Moderate(Moderation::Unlock)),
            14 => {
                if let Some(conn) = newest {
                    self.hub.acknowledge(conn, u64::from(other));
                }
            }
            _ => {
                self.now = self.now.after(Duration::from_secs(u64::from(value)));
                self.hub.handle_timeout(self.now);
            }
        }
        self.drain();
        if let Some(room) = self.hub.room(&"r".into()) {
            assert!(room.participants <= CAPACITY);
        }
        assert!(self.hub.stats().connections <= usize::from(PEERS));
    }

    fn drain(&mut self) {
        let mut left: Vec<ConnId> = Vec::new();
        while let Some(outgoing) = self.hub.poll_send() {
            assert!(!left.contains(&outgoing.conn), "nothing comes after a leave");
            let owner = self.owners[&outgoing.conn];
            match &outgoing.message {
                ServerMessage::Ready(ready) => {
                    self.tokens[usize::from(owner)] = Some(ready.resume.clone());
                }
                ServerMessage::Signal { from, .. } => assert_ne!(*from, name(owner), "no echo"),
                ServerMessage::Leave(_) => left.push(outgoing.conn),
                _ => {}
            }
            self.is_json(&outgoing);
        }
        while self.hub.poll_event().is_some() {}
    }

    fn is_json(&self, outgoing: &Outgoing) {
        let ice = || IceServers {
            servers: serde_json::Value::Null,
            ttl: Duration::ZERO,
            expires: UnixTime(0),
        };
        let text = encode(outgoing, self.hub.limits(), ice);
        let value: Result<serde_json::Value, _> = serde_json::from_str(&text);
        assert!(value.is_ok_and(|value| value.get("type").is_some()), "{text}");
    }

    /// Whatever happened, a closed room leaves nothing behind.
    fn close(mut self) {
        self.hub.close(self.now, &"r".into(), CloseReason::Asked);
        self.drain();
        assert_eq!(self.hub.poll_timeout(), None);
        let stats = self.hub.stats();
        assert_eq!((stats.rooms, stats.peers, stats.waiting, stats.connections), (0, 0, 0, 0));
    }
}
