//! A soak: mixed clients that come, misbehave and go, and afterwards nothing of them is left: no
//! allocation, port, timer, table entry, quota share, file descriptor or memory.
//!
//! Some seconds in `cargo test`. `RELAYHOUSE_SOAK=30 cargo test --test soak` goes on for 30 minutes and
//! then waits until the server by itself ends what vanished clients left behind (ten minutes more).

#[path = "../support/mod.rs"]
mod support;

mod callers;
mod footprint;
mod house;
mod nuisance;
mod rooms;

use std::collections::HashMap;
use std::net::UdpSocket;
use std::ops::Range;
use std::time::{Duration, Instant};

use callers::Caller;
use footprint::Footprint;
use house::{Chance, House, QUOTA};
use nuisance::Nuisance;
use rooms::People;
use support::credentials::Credential;
use support::http;
use support::server::{Server, Start, message};
use support::turn_client::TurnClient;

const SECRET: &str = "north";

/// What an idle server may have grown by between the ends of the two halves: arenas of the
/// allocator that other threads happened to use, and a full log queue. A table that keeps its
/// entries grows by more in the short form's thousands of clients, and without end in the long one.
const GROWTH_KIB: u64 = 4 * 1024;

/// Threads that may have come: those of tokio that wait for a file, and go after some seconds.
const MORE_THREADS: usize = 8;

/// The server's whole port range, small enough to be filled at the end.
const PORTS: u16 = 256;

/// How long the clients go on, twice.
fn half() -> Duration {
    match std::env::var("RELAYHOUSE_SOAK") {
        Ok(minutes) => {
            let minutes: u64 = minutes.parse().expect("RELAYHOUSE_SOAK is a number of minutes");
            Duration::from_secs(minutes * 30)
        }
        Err(_) => Duration::from_secs(4),
    }
}

fn is_long() -> bool {
    std::env::var_os("RELAYHOUSE_SOAK").is_some()
}

/// A range below the ephemeral ports; runs side by side use others.
fn ports() -> Range<u16> {
    let start = 30_000 + (std::process::id() % 10) as u16 * PORTS;
    start..start + PORTS
}

fn server(ports: &Range<u16>) -> Server {
    Start::default()
        .with_ipv6()
        .arg("--secret")
        .arg(SECRET)
        .set("relay.workers", "2")
        .set("relay.ports", &format!("{}-{}", ports.start, ports.end - 1))
        .set("quota.allocations_per_user", &QUOTA.to_string())
        .set("limits.max_lifetime", "10m")
        // Everybody over TCP comes from one address here, as from behind one router.
        .set("limits.unauthenticated_rate", "5000")
        .set("http.trusted_proxies", "127.0.0.1")
        .start()
}

/// Everybody at once, for one half.
fn busy(server: &Server) -> House {
    let house = House::of(server, SECRET, Instant::now() + half());
    std::thread::scope(|scope| {
        let house = &house;
        for seed in 0..4 {
            let name = format!("ann-{seed}");
            let caller = Caller { house, name, chance: Chance::new(seed) };
            scope.spawn(|| caller.run());
        }
        let nuisance = |seed| Nuisance { house, chance: Chance::new(seed) };
        scope.spawn(move || nuisance(10).run_datagrams());
        scope.spawn(move || nuisance(11).run_streams());
        let people = People { house, chance: Chance::new(12) };
        scope.spawn(|| people.run());
    });
    house
}

/// Ends what vanished clients left.
fn bury(house: &House) {
    for (local, credential) in house.graves.lock().expect("held").drain(..) {
        house.bury(local, credential);
    }
}

/// Waits until nothing is open, and returns what the server holds then.
#[track_caller]
fn settle(server: &Server, start: &Footprint, limit: Duration) -> Footprint {
    let deadline = Instant::now() + limit;
    loop {
        let numbers = numbers(server);
        let open = ["allocations", "connections", "rooms"]
            .map(|name| numbers[&format!("relayhouse_{name}")]);
        let now = Footprint::of(server.pid());
        let beyond = now.beyond(start);
        if open == [0.0; 3] && beyond.is_none() {
            return now;
        }
        assert!(
            Instant::now() < deadline,
            "{limit:?} after the last client, {open:?} allocations, signalling connections and \
             rooms are open, and the process holds:\n{}",
            beyond.unwrap_or_default()
        );
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// The samples of `/metrics`, by name and labels.
fn numbers(server: &Server) -> HashMap<String, f64> {
    let text = http::get(&server.url("/metrics"), None).expect(200).body;
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    let pair = |line: &str| {
        let (name, value) = line.rsplit_once(' ').expect("a name and a value");
        (name.to_owned(), value.parse().expect("a number"))
    };
    samples.map(pair).collect()
}

/// Opens allocations until the ports are used up: each port can be had again.
fn fill(server: &Server, ports: &Range<u16>) {
    let mut clients = Vec::new();
    let refused = loop {
        let credential = Credential::fresh(SECRET, &format!("filler-{}", clients.len()));
        let mut client = TurnClient::new(server.udp(), credential);
        match client.allocate() {
            Ok(_) => clients.push(client),
            Err(refused) => break refused,
        }
    };
    assert_eq!(refused.code, 508, "{refused:?}");
    let foreign = ports.clone().filter(|port| {
        let ours = clients.iter().any(|client| client.relayed.expect("open").port() == *port);
        !ours && UdpSocket::bind(("127.0.0.1", *port)).is_err()
    });
    let (open, foreign) = (clients.len(), foreign.count());
    assert_eq!(open + foreign, usize::from(PORTS), "ports are lost: {open} could be had");
    for mut client in clients {
        client.refresh(0).expect("deleted");
    }
}

/// What must not have happened, by the server's own account.
fn no_surprises(server: &Server) {
    let numbers = numbers(server);
    for name in ["events_lost_total", "relay_worker_restarts_total"] {
        assert_eq!(numbers[&format!("relayhouse_{name}")], 0.0, "{name}");
    }
    for reason in ["kernel_buffer", "send_failed", "receive_failed"] {
        let name = format!("relayhouse_socket_drops_total{{reason=\"{reason}\"}}");
        assert_eq!(numbers[&name], 0.0, "{name}");
    }
    let log = server.log();
    let bad = log.iter().filter(|line| line["level"] == "ERROR").collect::<Vec<_>>();
    assert!(bad.is_empty(), "{bad:?}");
    let count = |words| log.iter().filter(|line| message(line) == Some(words)).count();
    let (begun, ended) = (count("allocation begins"), count("allocation ends"));
    assert_eq!(begun, ended, "allocations that begin and end in the log");
    assert_eq!(numbers["relayhouse_allocations_opened_total"], begun as f64);
}

#[test]
fn nothing_is_left_of_a_busy_time() {
    let ports = ports();
    let server = server(&ports);
    // What is made once and kept (threads, arenas, the store's files) is there after the first requests.
    fill(&server, &ports);
    let start = Footprint::of(server.pid());
    let mut after = Vec::new();
    for last in [false, true] {
        let house = busy(&server);
        println!("{:?}", house.done());
        assert_eq!(house.done().len(), 13, "not everything was done: {:?}", house.done());
        let limit = if last && is_long() {
            Duration::from_secs(11 * 60)
        } else {
            bury(&house);
            Duration::from_secs(30)
        };
        after.push(settle(&server, &start, limit));
    }
    fill(&server, &ports);
    settle(&server, &start, Duration::from_secs(30));
    let [first, second] = after.try_into().expect("two halves");
    println!("KiB: {} at the start, {} and {} after the halves", start.kib, first.kib, second.kib);
    println!("threads: {} at the start, {} at the end", start.threads, second.threads);
    assert!(second.threads <= start.threads + MORE_THREADS, "{} threads", second.threads);
    assert!(second.kib < first.kib + GROWTH_KIB, "{} and then {} KiB", first.kib, second.kib);
    no_surprises(&server);
}

#[test]
fn what_a_vanished_client_leaves_behind_is_seen() {
    let server = server(&ports());
    let start = Footprint::of(server.pid());
    assert_eq!(start.beyond(&start), None);
    let mut client = TurnClient::new(server.udp(), Credential::fresh(SECRET, "ann"));
    let relayed = client.allocate().expect("allocated");
    let left = Footprint::of(server.pid()).beyond(&start).expect("a socket");
    assert!(left.contains("socket") && left.contains(&relayed.port().to_string()), "{left}");
}
