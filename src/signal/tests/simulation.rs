//! Several clients over connections that lose their tail, in any order of events. What must hold:
//! order for each sender, exactly once for a client that says what it saw, no echo, one polite peer
//! in each pair, never more peers than places, and no queue or timer left over.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

const PEERS: usize = 4;
const CAPACITY: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    Connect(usize),
    /// The connection breaks; the client has seen only the first messages in flight.
    Break {
        who: usize,
        delivered: usize,
    },
    Say {
        who: usize,
        to: Option<usize>,
    },
    /// The client reads, and its side confirms.
    Read {
        who: usize,
        confirm: bool,
    },
    Leave(usize),
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let who = 0..PEERS;
    prop_oneof![
        3 => who.clone().prop_map(Step::Connect),
        2 => (who.clone(), 0..6_usize).prop_map(|(who, delivered)| Step::Break { who, delivered }),
        8 => (who.clone(), prop::option::of(0..PEERS)).prop_map(|(who, to)| Step::Say { who, to }),
        4 => (who.clone(), any::<bool>()).prop_map(|(who, confirm)| Step::Read { who, confirm }),
        1 => who.prop_map(Step::Leave),
        2 => (0..40_u64).prop_map(Step::Wait),
    ]
}

/// What a client knows; it lives through its connections.
#[derive(Default)]
struct Client {
    conn: Option<ConnId>,
    token: Option<ResumeToken>,
    last_seq: u64,
    /// The other peers and our bit towards each.
    peers: BTreeMap<PeerId, bool>,
    /// The newest number each sender's messages carried, since we came in.
    newest: BTreeMap<PeerId, u64>,
}

struct Simulation {
    hub: Hub,
    now: Now,
    clients: Vec<Client>,
    /// On the way to a connection.
    wires: BTreeMap<ConnId, Vec<Outgoing>>,
    next_conn: u64,
    next_payload: u64,
    /// Which payloads each peer must see in its present stay, in order, oldest first.
    owed: Vec<Vec<u64>>,
}

fn name(who: usize) -> PeerId {
    PeerId(format!("p{who}").into())
}

impl Simulation {
    fn new() -> Self {
        let now = Now { mono: Instant::from_nanos(1), unix: UnixTime(1) };
        let limits = HubLimits { queue_messages: 10_000, burst: 100_000, ..HubLimits::default() };
        let mut hub = Hub::new(limits, [3; 32]);
        assert!(hub.open(now, RoomSpec { capacity: CAPACITY, idle: Duration::ZERO, ..spec("r") }));
        Self {
            hub,
            now,
            clients: (0..PEERS).map(|_| Client::default()).collect(),
            wires: BTreeMap::new(),
            next_conn: 0,
            next_payload: 0,
            owed: vec![Vec::new(); PEERS],
        }
    }

    fn is_member(&self, who: usize) -> bool {
        let peers = self.hub.peers(&"r".into()).expect("never closes");
        peers.iter().any(|info| info.peer == name(who))
    }

    fn run(&mut self, step: Step) {
        match step {
            Step::Connect(who) => self.connect(who),
            Step::Break { who, delivered } => {
                let Some(conn) = self.clients[who].conn else { return };
                self.read(who, delivered, false);
                if self.clients[who].conn.take().is_some() {
                    self.hub.disconnect(self.now, conn, Gone::Dropped);
                }
                self.wires.remove(&conn);
            }
            Step::Say { who, to } => self.say(who, to),
            Step::Read { who, confirm } => self.read(who, usize::MAX, confirm),
            Step::Leave(who) => {
                let Some(conn) = self.clients[who].conn.take() else { return };
                let message = ClientMessage { id: None, body: Body::Leave };
                self.hub.handle(self.now, conn, message);
                self.wires.remove(&conn);
                self.clients[who] = Client::default();
            }
            Step::Wait(seconds) => {
                self.now = self.now.after(Duration::from_secs(seconds));
                self.hub.handle_timeout(self.now);
            }
        }
        while let Some(outgoing) = self.hub.poll_send() {
            self.wires.entry(outgoing.conn).or_default().push(outgoing);
        }
        while let Some(event) = self.hub.poll_event() {
            // A stay begins or ends: nothing is owed from before.
            if let Event::Joined { peer, .. } | Event::Left { peer, .. } = event {
                let who = (0..PEERS).find(|who| name(*who) == peer).expect("one of ours");
                self.owed[who].clear();
            }
        }
        self.check();
    }

    fn connect(&mut self, who: usize) {
        self.next_conn += 1;
        let conn = ConnId(self.next_conn);
        let client = &mut self.clients[who];
        if let Some(old) = client.conn.replace(conn) {
            self.wires.remove(&old);
        }
        let mut hello = hello("r", name(who).as_str(), Role::Guest);
        hello.resume.clone_from(&client.token);
        hello.seen = client.token.as_ref().map(|_| client.last_seq);
        self.hub.connect(self.now, conn, hello);
    }

    fn say(&mut self, who: usize, to: Option<usize>) {
        let Some(conn) = self.clients[who].conn else { return };
        if !self.is_member(who) {
            return;
        }
        self.next_payload += 1;
        let receivers = (0..PEERS).filter(|peer| to.is_none_or(|to| to == *peer) && *peer != who);
        for receiver in receivers.filter(|peer| self.is_member(*peer)).collect::<Vec<_>>() {
            self.owed[receiver].push(self.next_payload);
        }
        let body =
            message(to.map(name).as_ref().map(PeerId::as_str), &self.next_payload.to_string());
        self.hub.handle(self.now, conn, ClientMessage { id: None, body });
    }

    /// The client reads up to `most` messages of its present connection.
    fn read(&mut self, who: usize, most: usize, confirm: bool) {
        let Some(conn) = self.clients[who].conn else { return };
        let wire = self.wires.entry(conn).or_default();
        let got: Vec<Outgoing> = wire.drain(..most.min(wire.len())).collect();
        for outgoing in got {
            self.receive(who, outgoing);
        }
        if confirm {
            self.hub.acknowledge(conn, self.clients[who].last_seq);
        }
    }

    fn receive(&mut self, who: usize, outgoing: Outgoing) {
        let client = &mut self.clients[who];
        if let Some(seq) = outgoing.seq {
            assert_eq!(seq, client.last_seq + 1, "no gap and no repetition");
            client.last_seq = seq;
        }
        match outgoing.message {
            ServerMessage::Ready(ready) => {
                let there: BTreeMap<PeerId, bool> =
                    ready.peers.iter().map(|info| (info.peer.clone(), info.polite)).collect();
                if ready.resumed {
                    assert_eq!(there, client.peers, "a resumed client is told what it knew");
                } else {
                    (client.last_seq, client.newest) = (0, BTreeMap::new());
                }
                client.peers = there;
                client.token = Some(ready.resume);
            }
            ServerMessage::Joined(info) => {
                assert_ne!(info.peer, name(who));
                let known = client.peers.insert(info.peer.clone(), info.polite);
                assert_eq!(known, None, "joined twice");
            }
            ServerMessage::Left { peer, .. } => {
                assert!(client.peers.remove(&peer).is_some(), "left without having joined");
            }
            ServerMessage::Signal { from, payload, .. } => {
                assert_ne!(from, name(who), "no echo");
                assert!(client.peers.contains_key(&from), "from somebody it knows");
                let number: u64 = payload.parse().expect("our own payload");
                let newest = client.newest.entry(from).or_default();
                assert!(number > *newest, "in order");
                *newest = number;
                let place = self.owed[who].iter().position(|owed| *owed == number);
                self.owed[who].remove(place.expect("owed, and not seen before"));
            }
            ServerMessage::Leave(_) => client.conn = None,
            _ => {}
        }
    }

    fn check(&mut self) {
        let peers = self.hub.peers(&"r".into()).expect("never closes");
        assert!(peers.len() <= CAPACITY);
        let numbers: BTreeSet<u64> = peers.iter().map(|info| info.number).collect();
        assert_eq!(numbers.len(), peers.len());
        assert!(self.hub.stats().connections <= PEERS);
    }

    /// Everybody reads all; what a member that stayed was owed has then come.
    fn finish(&mut self) {
        for who in 0..PEERS {
            self.read(who, usize::MAX, true);
        }
        let present = |who: &usize| self.clients[*who].conn.is_some() && self.is_member(*who);
        let here: Vec<usize> = (0..PEERS).filter(present).collect();
        for a in &here {
            assert_eq!(self.owed[*a], [0; 0], "nothing is lost");
            for b in here.iter().filter(|b| *b > a) {
                let (ours, theirs) =
                    (self.clients[*a].peers[&name(*b)], self.clients[*b].peers[&name(*a)]);
                assert_ne!(ours, theirs, "exactly one of each pair is polite");
            }
        }
        // The last proof: nothing keeps a timer once everybody is gone.
        for who in 0..PEERS {
            self.run(Step::Leave(who));
        }
        self.run(Step::Wait(31));
        assert_eq!(self.hub.poll_timeout(), None);
        assert_eq!(self.hub.stats().peers, 0);
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_invariants_hold(steps in prop::collection::vec(step(), 1..120)) {
        let mut simulation = Simulation::new();
        for step in steps {
            simulation.run(step);
        }
        simulation.finish();
    }
}

#[test]
fn a_message_sent_while_away_is_seen_exactly_once() {
    let mut simulation = Simulation::new();
    for who in [0, 1] {
        simulation.run(Step::Connect(who));
        simulation.run(Step::Read { who, confirm: false });
    }
    simulation.run(Step::Say { who: 0, to: Some(1) });
    simulation.run(Step::Break { who: 1, delivered: 0 });
    simulation.run(Step::Say { who: 0, to: None });
    simulation.run(Step::Connect(1));
    simulation.run(Step::Read { who: 1, confirm: true });
    assert_eq!(simulation.owed[1], [0; 0]);
    simulation.finish();
}
