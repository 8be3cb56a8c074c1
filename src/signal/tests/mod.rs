//! The room machine from its doors: inputs with their time, messages out. No clock, no socket.

mod closing;
mod describing;
mod joining;
mod limits;
mod lobby;
mod relaying;
mod resuming;
mod simulation;

use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::time::{Instant, Now, UnixTime};

/// A hub with what every connection got so far.
struct World {
    hub: Hub,
    now: Now,
    inbox: BTreeMap<ConnId, Vec<Outgoing>>,
    events: Vec<Event>,
}

fn spec(id: &str) -> RoomSpec {
    RoomSpec {
        id: id.into(),
        name: None,
        capacity: 8,
        lobby: false,
        locked: false,
        kicked: Vec::new(),
        created: UnixTime(1_000_000),
        expires: None,
        idle: Duration::from_secs(600),
    }
}

fn hello(room: &str, peer: &str, role: Role) -> Hello {
    let admission =
        Admission { room: room.into(), peer: peer.into(), role, name: None, issued: None };
    Hello { id: None, admission, keeps_place: true, resume: None, seen: None }
}

fn message(to: Option<&str>, payload: &str) -> Body {
    let kind = SignalKind::Message;
    Body::Signal { kind, to: to.map(PeerId::from), payload: payload.into() }
}

impl World {
    fn new() -> Self {
        Self::with(HubLimits::default())
    }

    /// A hub with an open room `r`.
    fn with(limits: HubLimits) -> Self {
        let now = Now { mono: Instant::from_nanos(5_000), unix: UnixTime(1_000_000) };
        let mut world = Self {
            hub: Hub::new(limits, [7; 32]),
            now,
            inbox: BTreeMap::new(),
            events: Vec::new(),
        };
        world.open(spec("r"));
        world
    }

    fn open(&mut self, spec: RoomSpec) {
        assert!(self.hub.open(self.now, spec));
        self.drain();
    }

    fn drain(&mut self) {
        while let Some(outgoing) = self.hub.poll_send() {
            self.inbox.entry(outgoing.conn).or_default().push(outgoing);
        }
        while let Some(event) = self.hub.poll_event() {
            self.events.push(event);
        }
    }

    fn connect(&mut self, conn: u64, hello: Hello) {
        self.hub.connect(self.now, ConnId(conn), hello);
        self.drain();
    }

    /// A guest joins room `r`; what it got is forgotten, its resume token returned.
    fn join(&mut self, conn: u64, peer: &str) -> ResumeToken {
        self.join_as(conn, peer, Role::Guest)
    }

    fn join_as(&mut self, conn: u64, peer: &str, role: Role) -> ResumeToken {
        self.connect(conn, hello("r", peer, role));
        let got = self.take(conn);
        match &got[0] {
            ServerMessage::Ready(ready) => ready.resume.clone(),
            other => panic!("not ready: {other:?}"),
        }
    }

    fn resume(&mut self, conn: u64, peer: &str, token: &ResumeToken, seen: Option<u64>) {
        let mut hello = hello("r", peer, Role::Guest);
        (hello.resume, hello.seen) = (Some(token.clone()), seen);
        self.connect(conn, hello);
    }

    fn say(&mut self, conn: u64, body: Body) {
        let id = Some(RefId("7".into()));
        self.hub.handle(self.now, ConnId(conn), ClientMessage { id, body });
        self.drain();
    }

    fn drop_connection(&mut self, conn: u64) {
        self.hub.disconnect(self.now, ConnId(conn), Gone::Dropped);
        self.drain();
    }

    /// Time passes, and every timer fires when it is due.
    fn wait(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(due) = self.hub.poll_timeout().filter(|due| *due <= end.mono) {
            self.now = self.now.after(due - self.now.mono);
            self.hub.handle_timeout(self.now);
            self.drain();
        }
        self.now = end;
    }

    fn take(&mut self, conn: u64) -> Vec<ServerMessage> {
        self.take_numbered(conn).into_iter().map(|outgoing| outgoing.message).collect()
    }

    fn take_numbered(&mut self, conn: u64) -> Vec<Outgoing> {
        self.inbox.remove(&ConnId(conn)).unwrap_or_default()
    }

    /// As words: what a connection got since the last look.
    fn heard(&mut self, conn: u64) -> Vec<String> {
        self.take(conn).iter().map(word).collect()
    }
}

/// A message in short, so that tests read as what happens.
fn word(message: &ServerMessage) -> String {
    match message {
        ServerMessage::Ready(ready) => {
            let peers: Vec<&str> = ready.peers.iter().map(|peer| peer.peer.as_str()).collect();
            let how = if ready.resumed { "resumed" } else { "ready" };
            format!("{how} [{}]", peers.join(" "))
        }
        ServerMessage::Waiting { .. } => "waiting".into(),
        ServerMessage::Knock { peer, .. } => format!("knock {peer}"),
        ServerMessage::Joined(info) => format!("joined {}", info.peer),
        ServerMessage::Left { peer, reason, .. } => format!("left {peer} {}", reason.as_str()),
        ServerMessage::Signal { kind, from, payload } => {
            format!("{kind:?} {from} {payload}").to_lowercase()
        }
        ServerMessage::Media { peer, publishing } => format!("media {peer} {publishing}"),
        ServerMessage::Room(room) => {
            format!("room {:?} locked={}", room.name.as_deref().unwrap_or(""), room.locked)
        }
        ServerMessage::Leave(leave) => {
            format!("leave {} {}", leave.reason.as_str(), leave.action.as_str())
        }
        ServerMessage::Error { code, .. } => format!("error {}", code.as_str()),
        ServerMessage::Pong { .. } => "pong".into(),
    }
}
