//! The packets of `benches/core`, a few of each: every kind is still answered, relayed or dropped as its
//! name says, in every population. What they cost is measured by `benches/core/run`.

#[path = "../benches/core/src/kinds.rs"]
mod kinds;
mod machine;
#[path = "../benches/core/src/population.rs"]
mod population;

use kinds::{Kind, measured};
use population::{Addresses, CHANNELS, PEERS, Population};
use relayhouse::turn::AllocationId;

const PACKETS: usize = 64;

fn run(allocations: usize, addresses: Addresses) {
    let mut population = Population::new(allocations, addresses);
    assert_eq!(population.world.relay.allocations(), allocations);
    for kind in Kind::ALL {
        let mut jobs = kind.jobs(&mut population, PACKETS);
        let world = &mut population.world;
        let forwarded = measured(&mut world.relay, world.now, &mut jobs);
        assert_eq!(forwarded, if kind.is_forwarded() { PACKETS } else { 0 }, "{}", kind.name());
    }
    let counted = population.world.relay.counters().snapshot();
    assert_eq!(
        (counted.packets_up, counted.packets_down),
        (3 * PACKETS as u64, 3 * PACKETS as u64)
    );
    assert_eq!(counted.bindings, PACKETS as u64);
    assert_eq!(counted.drops.iter().map(|(_, count)| count).sum::<u64>(), 3 * PACKETS as u64);
}

#[test]
fn one_client_sends_and_receives_every_kind() {
    run(1, Addresses::Random);
}

#[test]
fn many_clients_anywhere_send_and_receive_every_kind() {
    run(40, Addresses::Random);
}

#[test]
fn many_clients_at_hostile_addresses_send_and_receive_every_kind() {
    run(40, Addresses::Hostile);
}

#[test]
fn every_client_has_its_permissions_and_channels() {
    let mut population = Population::new(3, Addresses::Random);
    let world = &mut population.world;
    let listing = world.relay.list(world.now, AllocationId(0), None, 10);
    assert_eq!(listing.allocations.len(), 3);
    for view in &listing.allocations {
        assert_eq!((view.permissions, view.channels), (PEERS, CHANNELS));
    }
}
