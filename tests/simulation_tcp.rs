//! TCP relays (RFC 6062) with several clients and peers that come and go in any order, against a
//! model of which connections there must be. Everything comes from a seed, so that a failure can be
//! replayed.

mod machine;

use std::collections::BTreeMap;

use machine::*;
use proptest::prelude::*;
use relayhouse::net::{Flow, RelayPort};
use relayhouse::turn::{ConnectionId, EndReason};

const PEERS: [&str; 4] = ["192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.2:1000", "10.0.0.1:7"];

/// The last of [`PEERS`], which the policy refuses.
const REFUSED: usize = 3;

const MOST: usize = 3;

/// What RFC 6062 says of one client. Times are seconds of the simulation.
#[derive(Default)]
struct Model {
    port: Option<RelayPort>,
    expires: u64,
    permissions: BTreeMap<std::net::IpAddr, u64>,
    connections: BTreeMap<ConnectionId, (usize, State)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Waits { until: u64 },
    Spliced(Flow),
}

impl Model {
    fn age(&mut self, now: u64) {
        if now >= self.expires {
            *self = Self::default();
        }
        let lives = |state: State| !matches!(state, State::Waits { until } if until <= now);
        self.connections.retain(|_, (_, state)| lives(*state));
    }

    fn with(&self, peer: usize) -> Option<ConnectionId> {
        let mut connections = self.connections.iter();
        connections.find(|(_, (other, _))| *other == peer).map(|(id, _)| *id)
    }
}

struct Simulation {
    world: World,
    now: u64,
    /// The next port that a client's data connection comes from.
    next: u16,
    clients: Vec<(Client, Model)>,
}

impl Simulation {
    fn new() -> Self {
        let mut world = World::with(|settings| settings.limits.connections_per_allocation = MOST);
        let clients = (0..3).map(|n| Client::over_tcp(&format!("203.0.113.{n}:4000")));
        let mut clients: Vec<_> = clients.map(|client| (client, Model::default())).collect();
        clients.iter_mut().for_each(|(client, _)| client.greet(&mut world));
        Self { world, now: 0, next: 10_000, clients }
    }

    fn step(&mut self, what: u8, who: usize, peer: usize) {
        match what {
            0 => self.allocate(who),
            1 => self.permit(who, peer),
            2 | 3 => self.connect(who, peer),
            4 => self.incoming(who, peer),
            5 | 6 => self.bind(who, peer),
            7 => self.hang_up(who, peer),
            8 => self.client_hangs_up(who, peer),
            9 => self.pass(1 + 11 * peer as u64),
            _ => self.leave(who, peer),
        }
        self.compare();
    }

    fn allocate(&mut self, who: usize) {
        let (client, model) = &mut self.clients[who];
        let answer = client.allocate_tcp_with(&mut self.world, |_| {});
        assert_eq!(answer.code(), if model.port.is_some() { 437 } else { 0 });
        if let (0, None) = (answer.code(), model.port) {
            let relayed = answer.get::<relayhouse::stun::XorRelayedAddress>().expect("relayed");
            (model.port, model.expires) = (Some(port_of(relayed.0)), self.now + 600);
        }
    }

    fn permit(&mut self, who: usize, peer: usize) {
        let (client, model) = &mut self.clients[who];
        let code = client.permit(&mut self.world, PEERS[peer]).code();
        assert_eq!(
            code,
            if model.port.is_none() {
                437
            } else if peer == REFUSED {
                403
            } else {
                0
            }
        );
        if code == 0 {
            model.permissions.insert(addr(PEERS[peer]).ip(), self.now + 300);
        }
    }

    fn connect(&mut self, who: usize, peer: usize) {
        let (client, model) = &mut self.clients[who];
        let answer = client.connect(&mut self.world, PEERS[peer]);
        let expected = match model.port {
            None => 437,
            Some(_) if peer == REFUSED => 403,
            Some(_) if model.with(peer).is_some() => 446,
            Some(_) if model.connections.len() == MOST => 508,
            Some(_) => 0,
        };
        assert_eq!(answer.code(), expected);
        if expected == 0 {
            let state = State::Waits { until: self.now + 30 };
            model.connections.insert(named(&answer), (peer, state));
        }
    }

    fn incoming(&mut self, who: usize, peer: usize) {
        let (client, model) = &mut self.clients[who];
        let Some(port) = model.port else { return };
        let (kept, sent) = self.world.peer_connects(port, PEERS[peer]);
        let until = model.permissions.get(&addr(PEERS[peer]).ip());
        if until.is_none_or(|until| *until <= self.now) {
            return assert_eq!((kept, sent), (None, vec![]));
        }
        // The same two ends again: the connection before has died unnoticed.
        if let Some(dead) = model.with(peer) {
            model.connections.remove(&dead);
        }
        if model.connections.len() == MOST {
            return assert_eq!(kept, None);
        }
        let id = kept.expect("permitted, and room for it");
        assert_eq!(named(&sent[0]), id);
        assert_eq!(sent[0].route, relayhouse::turn::Route::Client(client.flow));
        model.connections.insert(id, (peer, State::Waits { until: self.now + 30 }));
    }

    /// Any client tries to bind any client's connection.
    fn bind(&mut self, who: usize, peer: usize) {
        let owner = (who + usize::from(peer == 2)) % self.clients.len();
        let Some((id, (_, state))) =
            self.clients[owner].1.connections.iter().nth(peer % 2).map(|(id, it)| (*id, *it))
        else {
            return;
        };
        self.next += 1;
        let mut data = self.clients[who].0.second_connection(&format!("203.0.113.9:{}", self.next));
        // The nonce is bound to the address.
        data.greet(&mut self.world);
        let code = data.bind_connection(&mut self.world, id).code();
        let waits = matches!(state, State::Waits { .. });
        assert_eq!(code, if waits { 0 } else { 400 }, "all are alice");
        if waits {
            self.clients[owner].1.connections.get_mut(&id).expect("known").1 =
                State::Spliced(data.flow);
        }
    }

    fn hang_up(&mut self, who: usize, peer: usize) {
        let model = &mut self.clients[who].1;
        if let Some(id) = model.with(peer) {
            model.connections.remove(&id);
            assert_eq!(self.world.connection_ends(id), []);
        }
    }

    fn client_hangs_up(&mut self, who: usize, peer: usize) {
        let model = &mut self.clients[who].1;
        let Some(id) = model.with(peer) else { return };
        if let (_, State::Spliced(flow)) = model.connections[&id] {
            model.connections.remove(&id);
            self.world.relay.handle_closed(self.world.now, flow);
            self.world.drive();
        }
    }

    fn pass(&mut self, seconds: u64) {
        self.world.pass_secs(seconds);
        self.now += seconds;
        self.clients.iter_mut().for_each(|(_, model)| model.age(self.now));
        for (client, _) in &mut self.clients {
            client.nonce.clear();
            client.greet(&mut self.world);
        }
    }

    /// The control connection ends, one way or the other.
    fn leave(&mut self, who: usize, how: usize) {
        let (client, model) = &mut self.clients[who];
        match how {
            0 => drop(client.refresh(&mut self.world, 0)),
            _ => {
                self.world.relay.handle_closed(self.world.now, client.flow);
                self.world.drive();
            }
        }
        *model = Model::default();
    }

    /// The kernel has the connections that the model has, and no other.
    fn compare(&self) {
        let models = self.clients.iter().map(|(_, model)| model);
        let expected: BTreeMap<_, _> = models
            .clone()
            .flat_map(|model| model.connections.iter())
            .map(|(id, (_, state))| match state {
                State::Waits { .. } => (*id, None),
                State::Spliced(flow) => (*id, Some(*flow)),
            })
            .collect();
        let found = self.world.connections.iter().map(|(id, tie)| match tie {
            Tie::Spliced(flow) => (*id, Some(*flow)),
            Tie::Open { .. } | Tie::Connecting { .. } => (*id, None),
        });
        assert_eq!(found.collect::<BTreeMap<_, _>>(), expected);
        let open = models.filter(|model| model.port.is_some()).count();
        assert_eq!(self.world.relay.allocations(), open);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn there_are_the_connections_that_the_model_says(
        steps in proptest::collection::vec((0u8..11, 0usize..3, 0usize..4), 300)
    ) {
        let mut simulation = Simulation::new();
        for (what, who, peer) in steps {
            simulation.step(what, who, peer);
        }
        let now = simulation.world.now;
        simulation.world.relay.end_all(now, EndReason::Shutdown);
        simulation.world.drive();
        simulation.world.assert_clean();
    }
}
