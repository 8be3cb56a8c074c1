//! A list of operations on a relay that already has allocations: whatever clients, peers and the
//! clock do, nothing panics, and at the end nothing is left.

#[path = "../machine/mod.rs"]
mod machine;

use machine::*;
use relayhouse::net::RelayPort;
use relayhouse::stun::{
    AdditionalAddressFamily, ChannelNumber, DontFragment, EvenPort, Lifetime, Method,
    RequestedAddressFamily, ReservationToken, Writer, XorPeerAddress,
};
use relayhouse::turn::{EndReason, OpenFailure};

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
        settings.unauthenticated_rate = 1000;
    });
    let mut clients: Vec<_> = (0..4).map(|n| Client::at(&format!("203.0.113.{n}:4000"))).collect();
    clients.iter_mut().for_each(|client| client.greet(&mut world));
    clients[0].allocate(&mut world);
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
    match operation % 14 {
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
        11 => {
            world.relay.handle_closed(world.now, flow);
            drop(world.drive());
        }
        12 => {
            world.refuse = [None, Some(OpenFailure::InUse), Some(OpenFailure::Exhausted), None]
                [usize::from(with & 3)];
        }
        _ => {
            world.hold = !world.hold;
            drop(world.release());
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
