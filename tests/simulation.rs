//! A relay with several clients and peers on a bad network, against a model of what RFC 8656 says
//! must pass: clock, loss and order of events come from a seed, so that a failure can be replayed.

mod machine;

use std::collections::BTreeMap;

use machine::*;
use proptest::prelude::*;
use relayhouse::net::PeerAddr;
use relayhouse::stun::{
    ChannelNumber, Data, Lifetime, Method, RequestedTransport, XorPeerAddress, XorRelayedAddress,
};
use relayhouse::turn::{EndReason, Route};

const PEERS: [&str; 4] = ["192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.2:1000", "192.0.2.3:7"];

/// A small generator (SplitMix64): the simulation's only source of chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % bound
    }
}

/// What the RFC says of one client's allocation. Times are seconds of the simulation.
#[derive(Default)]
struct Model {
    relayed: Option<std::net::SocketAddr>,
    expires: u64,
    permissions: BTreeMap<std::net::IpAddr, u64>,
    channels: BTreeMap<u16, (usize, u64)>,
}

impl Model {
    fn forget_if_expired(&mut self, now: u64) {
        if self.relayed.is_some() && now >= self.expires {
            *self = Self::default();
        }
    }

    fn permits(&self, now: u64, peer: usize) -> bool {
        let until = self.permissions.get(&addr(PEERS[peer]).ip());
        self.relayed.is_some() && until.is_some_and(|until| now < *until)
    }

    fn channel_to(&self, now: u64, peer: usize) -> Option<u16> {
        let bound = |(_, (to, until)): &(&u16, &(usize, u64))| *to == peer && now < *until;
        self.channels.iter().find(bound).map(|(number, _)| *number)
    }
}

struct Simulation {
    world: World,
    chance: Chance,
    /// Packets lost, in percent, each way.
    loss: u64,
    now: u64,
    clients: Vec<(Client, Model)>,
}

impl Simulation {
    fn new(seed: u64, loss: u64) -> Self {
        let clients = (0..5).map(|n| Client::at(&format!("203.0.113.{n}:4000")));
        Self {
            world: World::new(),
            chance: Chance(seed),
            loss,
            now: 0,
            clients: clients.map(|client| (client, Model::default())).collect(),
        }
    }

    fn lost(&mut self) -> bool {
        self.chance.below(100) < self.loss
    }

    /// A request with retransmissions until its answer gets through.
    fn transact(&mut self, who: usize, request: &[u8]) -> Sent {
        loop {
            if self.lost() {
                continue;
            }
            let answer = self.clients[who].0.exchange(&mut self.world, request);
            if !self.lost() {
                return answer;
            }
        }
    }

    fn step(&mut self) {
        let who = self.chance.below(self.clients.len() as u64) as usize;
        let peer = self.chance.below(PEERS.len() as u64) as usize;
        match self.chance.below(9) {
            0 => self.allocate(who),
            1 => self.refresh(who),
            2 => self.permit(who, peer),
            3 => self.bind(who, peer),
            4 => self.pass(),
            5 | 6 => self.send(who, peer),
            _ => self.receive(who, peer),
        }
    }

    fn allocate(&mut self, who: usize) {
        if self.clients[who].0.nonce.is_empty() {
            let (client, _) = &mut self.clients[who];
            client.greet(&mut self.world);
        }
        let request = self.clients[who].0.request(Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        });
        let answer = self.transact(who, &request);
        let now = self.now;
        let model = &mut self.clients[who].1;
        match model.relayed {
            Some(_) => assert_eq!(answer.code(), 437),
            None => {
                assert_eq!(answer.code(), 0);
                model.relayed = answer.get::<XorRelayedAddress>().map(|relayed| relayed.0);
                model.expires = now + 600;
            }
        }
    }

    fn refresh(&mut self, who: usize) {
        let seconds = [0, 600, 900, 3600][self.chance.below(4) as usize];
        if self.clients[who].0.nonce.is_empty() {
            return;
        }
        let request = self.clients[who].0.request(Method::REFRESH, |w| {
            w.put(&Lifetime(seconds));
        });
        let code = self.transact(who, &request).code();
        let now = self.now;
        let model = &mut self.clients[who].1;
        match (model.relayed, seconds) {
            (None, _) => assert_eq!(code, 437),
            // The first copy deleted it, and its answer was lost.
            (Some(_), 0) => {
                assert!(code == 0 || code == 437);
                *model = Model::default();
            }
            (Some(_), seconds) => {
                assert_eq!(code, 0);
                model.expires = now + u64::from(seconds);
            }
        }
    }

    fn permit(&mut self, who: usize, peer: usize) {
        if self.clients[who].0.nonce.is_empty() {
            return;
        }
        let request = self.clients[who].0.request(Method::CREATE_PERMISSION, |w| {
            w.put(&XorPeerAddress(addr(PEERS[peer])));
        });
        let code = self.transact(who, &request).code();
        let now = self.now;
        let model = &mut self.clients[who].1;
        assert_eq!(code, if model.relayed.is_some() { 0 } else { 437 });
        if code == 0 {
            model.permissions.insert(addr(PEERS[peer]).ip(), now + 300);
        }
    }

    fn bind(&mut self, who: usize, peer: usize) {
        if self.clients[who].0.nonce.is_empty() {
            return;
        }
        let number = 0x4000 + self.chance.below(4) as u16;
        let request = self.clients[who].0.request(Method::CHANNEL_BIND, |w| {
            w.put(&ChannelNumber(number)).put(&XorPeerAddress(addr(PEERS[peer])));
        });
        let code = self.transact(who, &request).code();
        let now = self.now;
        let model = &mut self.clients[who].1;
        let taken =
            model.channels.get(&number).is_some_and(|(to, until)| *to != peer && now < *until);
        let elsewhere = model.channel_to(now, peer).is_some_and(|bound| bound != number);
        let expected = match model.relayed {
            None => 437,
            Some(_) if taken || elsewhere => 400,
            Some(_) => 0,
        };
        assert_eq!(code, expected);
        if code == 0 {
            model.channels.retain(|_, (to, _)| *to != peer);
            model.channels.insert(number, (peer, now + 600));
            model.permissions.insert(addr(PEERS[peer]).ip(), now + 300);
        }
    }

    fn pass(&mut self) {
        let seconds = 1 + self.chance.below(350);
        self.world.pass_secs(seconds);
        self.now += seconds;
        for (client, model) in &mut self.clients {
            model.forget_if_expired(self.now);
            // The nonce lasts an hour: a fresh start keeps the model simple.
            client.nonce.clear();
            client.greet(&mut self.world);
        }
    }

    /// The client sends, by channel where it has one, else by indication.
    fn send(&mut self, who: usize, peer: usize) {
        let payload = self.chance.below(u64::MAX).to_be_bytes();
        let (client, model) = &mut self.clients[who];
        let sent = match model.channel_to(self.now, peer) {
            Some(number) => client.send_channel(&mut self.world, number, &payload),
            None => client.send(&mut self.world, PEERS[peer], &payload),
        };
        match model.relayed.filter(|_| model.permits(self.now, peer)) {
            Some(relayed) => assert_eq!(sent, [to_peer(relayed, PEERS[peer], &payload)]),
            None => assert!(sent.is_empty()),
        }
    }

    /// The peer sends to the relayed address.
    fn receive(&mut self, who: usize, peer: usize) {
        let payload = self.chance.below(u64::MAX).to_be_bytes();
        let (client, model) = &mut self.clients[who];
        let Some(relayed) = model.relayed else { return };
        let from = PeerAddr(addr(PEERS[peer])).0;
        let sent = self.world.peer_sends(port_of(relayed), from, &payload);
        if !model.permits(self.now, peer) {
            return assert!(sent.is_empty());
        }
        assert_eq!(sent[0].route, Route::Client(client.flow));
        match model.channel_to(self.now, peer) {
            Some(number) => assert_eq!(sent[0].bytes, channel_data(number, &payload)),
            None => {
                assert_eq!(sent[0].get::<Data<'_>>().expect("data").0, payload);
                assert_eq!(sent[0].get::<XorPeerAddress>().expect("peer").0, from);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_happens_the_relay_does_what_the_model_says(seed: u64, loss in 0u64..50) {
        let mut simulation = Simulation::new(seed, loss);
        for _ in 0..400 {
            simulation.step();
            let expected = simulation.clients.iter().filter(|(_, model)| model.relayed.is_some());
            prop_assert_eq!(simulation.world.relay.allocations(), expected.count());
        }
        let now = simulation.world.now;
        simulation.world.relay.end_all(now, EndReason::Shutdown);
        simulation.world.drive();
        simulation.world.assert_clean();
    }
}
