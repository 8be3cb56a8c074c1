//! Runs every kind of packet through one population: `core one|many|hostile [packets]`.
//!
//! Prints a line for each kind, its name and how many packets a second that made. `benches/core/run`
//! runs it under callgrind, which counts the instructions of each call of `measured`.

mod kinds;
#[path = "../../../tests/machine/mod.rs"]
mod machine;
mod population;

use std::time::Instant;

use kinds::{Kind, measured};
use population::{Addresses, Population};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (allocations, addresses) = match arguments.next().as_deref() {
        Some("one") => (1, Addresses::Random),
        Some("many") => (10_000, Addresses::Random),
        Some("hostile") => (10_000, Addresses::Hostile),
        _ => panic!("usage: core one|many|hostile [packets]"),
    };
    let packets = arguments.next().map_or(4_000, |text| text.parse().expect("a number"));
    let mut population = Population::new(allocations, addresses);
    for kind in Kind::ALL {
        let mut jobs = kind.jobs(&mut population, packets);
        let world = &mut population.world;
        let began = Instant::now();
        let forwarded = measured(&mut world.relay, world.now, &mut jobs);
        let rate = packets as f64 / began.elapsed().as_secs_f64();
        assert_eq!(forwarded, if kind.is_forwarded() { packets } else { 0 }, "{}", kind.name());
        println!("{}\t{rate:.0}", kind.name());
    }
}
