//! Section 5.5: data connections end together, and with their allocation.

use relayhouse::turn::{ConnectionId, EndReason, Event};

use crate::machine::*;
use crate::{PEER, allocated};

fn spliced() -> (World, Client, Client, ConnectionId) {
    let (mut world, mut client, _) = allocated();
    let id = client.connected(&mut world, PEER);
    let mut data = client.second_connection("203.0.113.7:4001");
    assert_eq!(data.bind_connection(&mut world, id).code(), 0);
    (world, client, data, id)
}

/// 5.5: when the client's data connection closes, so does the peer's.
#[test]
fn the_client_hangs_up() {
    let (mut world, _, data, _) = spliced();
    world.relay.handle_closed(world.now, data.flow);
    world.drive();
    assert!(world.connections.is_empty());
    assert_eq!(world.relay.allocations(), 1, "the allocation goes on");
}

/// 5.5: when the peer's data connection closes, so does the client's.
#[test]
fn the_peer_hangs_up() {
    let (mut world, mut client, data, id) = spliced();
    world.connection_ends(id);
    assert!(world.connections.is_empty());
    // The driver then closes the client's, and says so: nobody misses it.
    world.relay.handle_closed(world.now, data.flow);
    client.connected(&mut world, PEER);
}

/// 5.5: when the allocation ends, however it does, so does every connection of it.
#[test]
fn connections_end_with_their_allocation() {
    let endings: [fn(&mut World, &mut Client); 4] = [
        |world, client| drop(client.refresh(world, 0)),
        |world, _| drop(world.pass_secs(601)),
        |world, client| {
            world.relay.handle_closed(world.now, client.flow);
            world.drive();
        },
        |world, _| {
            world.relay.end_all(world.now, EndReason::Shutdown);
            world.drive();
        },
    ];
    for ending in endings {
        let (mut world, mut client, _, _) = spliced();
        client.connected(&mut world, "192.0.2.9:9001");
        world.hold = true;
        client.connect_in_vain(&mut world, "192.0.2.9:9002");
        ending(&mut world, &mut client);
        assert_eq!(world.release(), [], "the client is not told what it knows");
        world.assert_clean();
    }
}

/// An operator reads what was relayed, over connections too.
#[test]
fn bytes_are_counted_for_the_allocation_and_the_server() {
    let (mut world, mut client, _, id) = spliced();
    assert!(world.relay.count_spliced(world.now, id, 1000, 30).is_zero());
    world.relay.count_spliced(world.now, id, 1, 2);
    let snapshot = world.relay.counters().snapshot();
    assert_eq!((snapshot.bytes_up, snapshot.bytes_down), (1001, 32));
    assert_eq!((snapshot.connections, snapshot.connections_total), (1, 1));
    client.refresh(&mut world, 0);
    let Some(Event::AllocationClosed(summary)) = world.events.last() else { panic!("a summary") };
    assert_eq!((summary.bytes_up, summary.bytes_down, summary.peers), (1001, 32, 1));
    assert!(world.relay.count_spliced(world.now, id, 9, 9).is_zero(), "nobody's any more");
}
