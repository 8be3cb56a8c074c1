//! coturn's client over TCP and TLS, and its TCP relays (RFC 6062).

use crate::support::server::{Server, Start};
use crate::support::tools::{Peer, Report, uclient};

/// A server of two shards with the REST secret `north`: TLS and plain TCP on each port.
fn server() -> Server {
    let start = Start::default().with_ipv6().arg("--secret").arg("north");
    start.set("relay.workers", "2").start()
}

/// Ten messages each way between two clients of the server.
fn each_other(args: &[&str]) -> Report {
    let mut all = vec!["-y", "-c", "-n", "10", "-u", "ann", "-W", "north"];
    all.extend(args);
    uclient(server().tcp(), &all)
}

/// Ten messages to an echo and back.
fn to_a_peer(args: &[&str]) -> Report {
    let (server, peer) = (server(), Peer::start("127.0.0.1"));
    let [e, ip, r, port] = peer.args();
    let mut all = vec!["-n", "10", "-u", "ann", "-W", "north", e.as_str(), &ip, &r, &port];
    all.extend(args);
    uclient(server.tcp(), &all)
}

#[test]
fn channels_pass_over_tcp() {
    to_a_peer(&["-t"]).expect_all(20);
}

#[test]
fn channels_pass_over_tls() {
    to_a_peer(&["-t", "-S"]).expect_all(20);
}

#[test]
fn indications_pass_over_tcp_and_tls() {
    to_a_peer(&["-t", "-s"]).expect_all(20);
    to_a_peer(&["-t", "-S", "-s"]).expect_all(20);
}

#[test]
fn large_messages_pass_over_tcp_and_tls() {
    to_a_peer(&["-t", "-l", "1301"]).expect_all(20);
    to_a_peer(&["-t", "-S", "-l", "1301"]).expect_all(20);
}

#[test]
fn many_clients_over_tls_lose_nothing() {
    each_other(&["-t", "-S", "-m", "10"]).expect_all(100);
}

#[test]
fn many_clients_over_tcp_lose_nothing() {
    each_other(&["-t", "-m", "20"]).expect_all(200);
}

#[test]
fn connections_are_relayed_to_a_peer() {
    to_a_peer(&["-T"]).expect_all(20);
    to_a_peer(&["-T", "-S"]).expect_all(20);
}

#[test]
fn connections_are_relayed_between_clients() {
    each_other(&["-T", "-m", "6"]).expect_all(60);
    each_other(&["-T", "-S", "-m", "6"]).expect_all(60);
}
