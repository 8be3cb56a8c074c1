//! A list of operations on a relay that already has allocations: whatever clients, peers and the
//! clock do, nothing panics, and at the end nothing is left.

#[path = "../machine/mod.rs"]
mod machine;

use machine::*;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use relayhouse::net::{Flow, PeerAddr, RelayPort};
use relayhouse::stun::{
    AdditionalAddressFamily, ChangeRequest, ChannelNumber, ConnectionId as ConnectionIdAttribute,
    DontFragment, EvenPort, Icmp, Lifetime, Method, Padding, RequestedAddressFamily,
    ReservationToken, ResponsePort, Writer, XorPeerAddress,
};
use relayhouse::turn::{AllocationId, ConnectionId, EndReason, NatDiscovery, OpenFailure, Route};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 1));

/// Where a client may ask what its NAT does.
const CORNER: NatDiscovery = NatDiscovery {
    local: SocketAddr::new(HERE, 3478),
    other_ip: IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)),
    other_port: 3479,
};

const PEERS: [&str; 8] = [
    "192.0.2.1:1000",
    "192.0.2.1:1001",
    "192.0.2.2:0",
    "10.0.0.1:9",
    "198.51.100.1:50000",
    "[2001:db8:5::1]:9",
    "[::ffff:127.0.0.1]:3478",
    "255.255.255.255:1",
];

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn take(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        taken
    }
}

/// Runs one list of operations.
pub fn run(data: &[u8]) {
    let mut world = World::with(|settings| {
        settings.ports = 50_000..=50_015;
        settings.limits.permissions_per_allocation = 4;
        settings.limits.channels_per_allocation = 4;
        settings.quota.per_user = 6;
        settings.limits.connections_per_allocation = 4;
        settings.quota.bandwidth_per_user = 2000;
        settings.unauthenticated_rate = 1000;
        settings.nat_discovery = vec![CORNER];
    });
    let mut clients: Vec<_> = (0..4)
        .map(|n| match n {
            0 | 1 => Client::at(&format!("203.0.113.{n}:4000")),
            _ => Client::over_tcp(&format!("203.0.113.{n}:4000")),
        })
        .collect();
    clients.iter_mut().for_each(|client| client.greet(&mut world));
    clients[0].allocate(&mut world);
    clients[3].allocate_tcp(&mut world);
    let mut bytes = Bytes(data);
    for _ in 0..256 {
        let (Some(operation), Some(with)) = (bytes.next(), bytes.next()) else { break };
        let client = &mut clients[usize::from(with & 3)];
        step(&mut world, client, operation, with >> 2, &mut bytes);
    }
    world.refuse = None;
    world.hold = false;
    world.release();
    world.relay.end_all(world.now, EndReason::Shutdown);
    world.drive();
    world.pass_secs(31);
    world.assert_clean();
}

fn step(world: &mut World, client: &mut Client, operation: u8, with: u8, bytes: &mut Bytes<'_>) {
    let peer = PEERS[usize::from(with & 7)];
    let flow = client.flow;
    match operation % 24 {
        0 => send(world, client, Method::ALLOCATE, |w| fill(w, with)),
        1 => send(world, client, Method::REFRESH, |w| {
            w.put(&Lifetime(u32::from(with) * 30));
            if with & 1 == 1 {
                w.put(&RequestedAddressFamily(with & 3));
            }
        }),
        2 => send(world, client, Method::CREATE_PERMISSION, |w| {
            w.put(&XorPeerAddress(addr(peer)));
        }),
        3 => send(world, client, Method::CHANNEL_BIND, |w| {
            w.put(&ChannelNumber(0x4000 + u16::from(with & 3))).put(&XorPeerAddress(addr(peer)));
        }),
        4 => drop(client.send(world, peer, bytes.take(with.into()))),
        5 => drop(client.send_channel(world, 0x4000 + u16::from(with & 3), bytes.take(9))),
        6 | 7 => {
            let port = 50_000 + u16::from(with & 15);
            let port = RelayPort { address: with >> 5, port };
            drop(world.peer_sends(port, addr(peer), bytes.take(with.into())));
        }
        8 => drop(world.pass_secs(u64::from(with) * 4)),
        9 => drop(world.client_sends(flow, bytes.take(with.into()))),
        10 => {
            let mut request = client.request(Method::ALLOCATE, |w| fill(w, with));
            let at = usize::from(with) * 2 % request.len();
            request[at] ^= bytes.next().unwrap_or(1);
            drop(world.client_sends(flow, &request));
        }
        11 if with & 1 == 1 => operate(world, usize::from(with >> 1)),
        11 => {
            world.relay.handle_closed(world.now, flow);
            drop(world.drive());
        }
        12 => {
            world.refuse = [None, Some(OpenFailure::InUse), Some(OpenFailure::Exhausted), None]
                [usize::from(with & 3)];
        }
        13 => {
            world.hold = !world.hold;
            drop(world.release());
        }
        operation => relay_tcp(world, client, operation, with, bytes),
    }
}

/// An operator looks, and ends one of those that are seen.
fn operate(world: &mut World, which: usize) {
    let seen = world.relay.list(world.now, AllocationId(0), None, 64).allocations;
    assert_eq!(
        seen.len() as u64,
        world.relay.counters().snapshot().allocations,
        "all that is open"
    );
    if let Some(one) = seen.get(which % seen.len().max(1)) {
        assert!(world.relay.end_allocation(world.now, one.id), "what is seen is there");
    }
    drop(world.drive());
}

/// What concerns connections, ICMP, discovery and drain.
fn relay_tcp(
    world: &mut World,
    client: &mut Client,
    operation: u8,
    with: u8,
    bytes: &mut Bytes<'_>,
) {
    let peer = PEERS[usize::from(with & 7)];
    let (now, flow) = (world.now, client.flow);
    // One that there is, where there is one.
    let known = world.connections.keys().nth(usize::from(with & 3)).copied();
    let id = known.unwrap_or(ConnectionId(u32::from(with) << 20));
    match operation {
        14 => send(world, client, Method::ALLOCATE, |w| {
            w.put(&relayhouse::stun::RequestedTransport(6));
            if with & 1 == 1 {
                w.put(&RequestedAddressFamily(with >> 1));
            }
        }),
        15 => send(world, client, Method::CONNECT, |w| {
            w.put(&XorPeerAddress(addr(peer)));
        }),
        16 => {
            let mut data =
                client.second_connection(&format!("203.0.113.9:{}", 4000 + u16::from(with)));
            send(world, &mut data, Method::CONNECTION_BIND, |w| {
                w.put(&ConnectionIdAttribute(id.0));
            });
        }
        17 => {
            let ports: Vec<_> = world.listening.iter().copied().collect();
            if let Some(port) = ports.get(usize::from(with & 3)) {
                drop(world.peer_connects(*port, peer));
            }
        }
        18 => drop(world.connection_ends(id)),
        19 => {
            let most = u64::from(with) << 6;
            let rest = world.relay.count_spliced(now, id, most, u64::from(with));
            assert!(rest.as_secs() < 3600 * 24, "{rest:?} for {most} bytes");
        }
        20 => {
            let tie = world.connections.values().nth(usize::from(with & 3)).copied();
            if let Some(Tie::Spliced(flow)) = tie {
                world.relay.handle_closed(now, flow);
            }
            drop(world.drive());
        }
        21 => {
            let port = RelayPort { address: with >> 5, port: 50_000 + u16::from(with & 15) };
            let kind = bytes.next().unwrap_or(3);
            let icmp = Icmp { kind, code: with, data: 1400 };
            let _ = world.relay.handle_icmp(now, port, PeerAddr(addr(peer)), icmp);
            drop(world.drive());
        }
        22 => {
            let flow = Flow { local: CORNER.local, ..flow };
            let request = client.bare(Method::BINDING, |w| {
                w.put(&ChangeRequest { ip: with & 1 != 0, port: with & 2 != 0 });
                match with & 4 {
                    0 => drop(w.put(&ResponsePort(with.into()))),
                    _ => drop(w.put(&Padding(&vec![0; usize::from(with) * 16]))),
                }
            });
            for sent in world.client_sends(flow, &request) {
                let Route::Client(route) = sent.route else { panic!("to a client") };
                assert_eq!(route.remote.0.ip(), flow.remote.0.ip(), "no reflector");
            }
        }
        _ => {
            world.peers = [Peers::Accept, Peers::Refuse, Peers::SayNothing][usize::from(with % 3)];
            let mut settings = settings();
            settings.ports = 50_000..=50_015;
            settings.draining = with & 4 != 0;
            world.relay.configure(settings.into(), credentials().into());
        }
    }
}

fn send(
    world: &mut World,
    client: &mut Client,
    method: Method,
    fill: impl FnOnce(&mut Writer<'_>),
) {
    let request = client.request(method, fill);
    world.client_sends(client.flow, &request);
}

fn fill(writer: &mut Writer<'_>, with: u8) {
    writer.put(&relayhouse::stun::RequestedTransport(17));
    match with % 8 {
        0 => drop(writer.put(&EvenPort { reserve_next: true })),
        1 => drop(writer.put(&EvenPort { reserve_next: false })),
        2 => drop(writer.put(&AdditionalAddressFamily(2))),
        3 => drop(writer.put(&RequestedAddressFamily(with & 3))),
        4 => drop(writer.put(&ReservationToken([with; 8]))),
        5 => drop(writer.put(&DontFragment)),
        _ => {}
    }
}
