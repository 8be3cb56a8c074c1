//! Trains that the kernel refuses: what was in them arrives all the same, and the next ones are such as it takes.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::WIDE;
use crate::call::{CHANNEL, Call, arriving, on_channel, payloads, same, send_train};
use crate::networks::Networks;

const REFUSED: &str = "relayhouse_refused_trains_total";

#[derive(Clone, Copy, Debug)]
enum Way {
    Up,
    Down,
}

/// Sends `sent` as one train, holds that it arrives, and says whether it arrived in trains.
fn train(way: Way, call: &Call, peer: &UdpSocket, sent: &[Vec<u8>]) -> bool {
    let (arrived, expected) = match way {
        Way::Up => {
            send_train(&call.socket, &on_channel(CHANNEL, sent), None);
            (arriving(peer, sent.len()), sent.to_vec())
        }
        Way::Down => {
            send_train(peer, sent, Some(call.relayed));
            (arriving(&call.socket, sent.len()), on_channel(CHANNEL, sent))
        }
    };
    same(&arrived, &expected, &format!("{way:?}, {} bytes each", sent[0].len()));
    arrived.trains > 0
}

#[test]
fn a_way_with_a_small_mtu_gets_the_datagrams_of_a_refused_train_one_by_one() {
    // The way in is wide, the way out is not.
    for (way, networks) in
        [(Way::Up, Networks::new(WIDE, 1280)), (Way::Down, Networks::new(900, WIDE))]
    {
        let mut call = Call::new(networks);
        let peer = call.peer(CHANNEL);
        train(way, &call, &peer, &payloads(0, &[1300; 20]));
        assert_eq!(call.number(REFUSED), 1, "{way:?}: it is tried once");
        train(way, &call, &peer, &payloads(100, &[1300; 20]));
        assert_eq!(call.number(REFUSED), 1, "{way:?}: and remembered");
        let still = train(way, &call, &peer, &payloads(200, &[700; 20]));
        assert!(still, "{way:?}: what fits still leaves as trains");
        assert_eq!(call.number(REFUSED), 1, "{way:?}");
    }
}

#[test]
fn a_kernel_that_takes_no_trains_gets_single_datagrams_and_is_not_asked_again() {
    // What IPsec and old network cards say, and what kernels before 6.14 say of a small MTU. A try that
    // fails with EIO is made three times, since ICMP may have meant an earlier datagram by it.
    for (way, error, tries) in [
        (Way::Up, "EIO", "1..3"),
        (Way::Down, "EIO", "1..3"),
        (Way::Up, "EINVAL", "1"),
        (Way::Down, "EINVAL", "1"),
    ] {
        let mut call = Call::new(Networks::new(WIDE, WIDE));
        let peer = call.peer(CHANNEL);
        assert!(train(way, &call, &peer, &payloads(0, &[1000; 20])), "trains are on");
        let trace = Trace::of(call.server.pid(), error, tries);
        train(way, &call, &peer, &payloads(100, &[1000; 20]));
        train(way, &call, &peer, &payloads(200, &[1000; 20]));
        let calls = trace.end();
        assert_eq!(call.number(REFUSED), 1, "{way:?}, {error}");
        let refused = calls.iter().filter(|call| call.contains("INJECTED")).count();
        assert!(refused > 0, "{way:?}, {error}: nothing was refused: {calls:?}");
        let later: Vec<_> = calls.iter().skip(refused).collect();
        assert!(later.len() >= 2, "{way:?}, {error}: both bursts left: {later:?}");
        assert!(
            later.iter().all(|call| !call.contains("cmsg_level=SOL_UDP")),
            "{way:?}, {error}: a train was tried again: {later:?}"
        );
        assert!(!train(way, &call, &peer, &payloads(300, &[1000; 20])), "{way:?}, {error}");
    }
}

/// `strace` at work on a running program: its calls of `sendmmsg`, the first of which fail.
struct Trace {
    strace: Child,
    lines: std::thread::JoinHandle<Vec<String>>,
}

impl Trace {
    fn of(pid: u32, error: &str, tries: &str) -> Self {
        let inject = format!("inject=sendmmsg:error={error}:when={tries}");
        let pid = pid.to_string();
        let mut strace = Command::new("strace")
            .args(["-f", "-e", "trace=sendmmsg", "-e", &inject, "-p", &pid])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| {
                panic!("`strace` is needed by this test and cannot be started ({error})")
            });
        let mut reader = BufReader::new(strace.stderr.take().expect("a pipe")).lines();
        let mut said = Vec::new();
        // One line for all threads, or the reason why not.
        let first = reader.next().and_then(Result::ok).unwrap_or_default();
        assert!(first.contains("attached"), "strace may not look at the server: {first}");
        said.push(first);
        let lines = std::thread::spawn(move || {
            let calls = reader.map_while(Result::ok).filter(|line| line.contains("sendmmsg("));
            calls.collect()
        });
        // It attaches to the threads one after the other.
        std::thread::sleep(Duration::from_millis(300));
        Self { strace, lines }
    }

    /// Every call, in order.
    fn end(mut self) -> Vec<String> {
        let pid = self.strace.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let _ = self.strace.wait();
        self.lines.join().expect("no panic")
    }
}
