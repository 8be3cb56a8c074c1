//! coturn's client over TCP and TLS, and its TCP relays (RFC 6062): the modes `-t`, `-t -S` and `-T`
//! with everything they can be combined with, on IPv4 and IPv6.
//!
//! Over TLS the tool reads one record each time its socket is readable and leaves the last one lying
//! where two came at once, against coturn too. With 100 ms between messages none come together.

use std::net::SocketAddr;

use crate::support::server::{Server, Start};
use crate::support::tools::{Peer, Report, uclient};

/// A server with the REST secret `north` on both loopback addresses.
fn server() -> Server {
    Start::default()
        .own_relay_ports()
        .with_ipv6()
        .arg("--secret")
        .arg("north")
        .set("listen.tls", r#"["127.0.0.1:0", "[::1]:0"]"#)
        .start()
}

/// The tool, whose complaints about the TLS versions it tries before it finds a modern one do not count.
fn run(server: SocketAddr, args: &[&str]) -> Report {
    let mut all = vec!["-n", "5", "-z", "100", "-u", "ann", "-W", "north"];
    if server.is_ipv6() {
        all.extend(["-L", "::1"]);
    }
    all.extend(args);
    let mut report = uclient(server, &all);
    report.errors.retain(|line| !line.contains("tls_connect") && !line.contains("SSL routines"));
    report
}

/// Five messages of one client, over TCP and over TLS on a port of TLS and on one shared with TCP, to
/// an echo on `peer` and back.
fn echoed(clients: &str, peer: &str, args: &[&str]) {
    let (server, peer) = (server(), Peer::start(peer));
    let (tcp, tls) = match clients {
        "::1" => (server.tcp6(), server.tls6()),
        _ => (server.tcp(), server.tls()),
    };
    let [e, ip, r, port] = peer.args();
    let ways: [(SocketAddr, &[&str]); 3] =
        [(tcp, &["-t"]), (tls, &["-t", "-S"]), (tcp, &["-t", "-S"])];
    std::thread::scope(|scope| {
        for (address, way) in ways {
            let all = [way, &["-c", &e, &ip, &r, &port], args].concat();
            scope.spawn(move || run(address, &all).expect_all(5));
        }
    });
}

#[test]
fn channels_carry_everything() {
    echoed("127.0.0.1", "127.0.0.1", &[]);
}

#[test]
fn send_and_data_indications_carry_everything() {
    echoed("127.0.0.1", "127.0.0.1", &["-s"]);
}

#[test]
fn large_messages_pass() {
    echoed("127.0.0.1", "127.0.0.1", &["-l", "1200"]);
}

#[test]
fn messages_that_need_padding_pass() {
    echoed("127.0.0.1", "127.0.0.1", &["-D", "-l", "101"]);
}

#[test]
fn dont_fragment_is_supported() {
    echoed("127.0.0.1", "127.0.0.1", &["-g"]);
}

#[test]
fn an_ipv4_relay_can_be_asked_for() {
    echoed("127.0.0.1", "127.0.0.1", &["-X"]);
}

#[test]
fn an_ipv4_client_reaches_an_ipv6_peer() {
    echoed("127.0.0.1", "::1", &["-x"]);
}

#[test]
fn an_ipv6_client_reaches_an_ipv6_peer() {
    echoed("::1", "::1", &["-x"]);
}

#[test]
fn an_ipv6_client_reaches_an_ipv4_peer() {
    echoed("::1", "127.0.0.1", &[]);
}

#[test]
fn an_ipv6_client_reaches_an_ipv6_peer_with_indications() {
    echoed("::1", "::1", &["-x", "-s"]);
}

#[test]
fn both_ends_can_be_relayed_over_tcp() {
    run(server().tcp(), &["-t", "-y", "-c"]).expect_all(10);
}

#[test]
fn both_ends_can_be_relayed_over_tls() {
    run(server().tls(), &["-t", "-S", "-y", "-c"]).expect_all(10);
}

#[test]
fn both_ends_can_be_relayed_over_tls_with_indications_and_ipv6() {
    run(server().tls6(), &["-t", "-S", "-y", "-s", "-x", "-c"]).expect_all(10);
}

#[test]
fn many_clients_over_tcp_lose_nothing() {
    let (server, peer) = (server(), Peer::start("127.0.0.1"));
    let [e, ip, r, port] = peer.args();
    run(server.tcp(), &["-t", "-m", "20", &e, &ip, &r, &port]).expect_all(20 * 5);
}

#[test]
fn many_clients_over_tls_lose_nothing() {
    run(server().tls(), &["-t", "-S", "-y", "-c", "-m", "10"]).expect_all(10 * 5);
}

#[test]
fn a_tcp_relay_carries_both_directions() {
    run(server().tcp(), &["-T"]).expect_all(10);
}

#[test]
fn a_tcp_relay_is_reached_over_tls() {
    let server = server();
    run(server.tls(), &["-T", "-S"]).expect_all(10);
    run(server.tcp(), &["-T", "-S"]).expect_all(10);
}

#[test]
fn a_tcp_relay_on_ipv6_is_reached_from_ipv4() {
    run(server().tcp(), &["-T", "-x"]).expect_all(10);
}

#[test]
fn a_tcp_relay_is_reached_from_ipv6() {
    let server = server();
    run(server.tcp6(), &["-T"]).expect_all(10);
    run(server.tcp6(), &["-T", "-x"]).expect_all(10);
}

#[test]
fn many_tcp_relays_carry_everything_on_two_shards() {
    let start = Start::default().own_relay_ports().arg("--secret").arg("north");
    let server = start.set("relay.workers", "2").start();
    run(server.tcp(), &["-T", "-m", "8"]).expect_all(8 * 5);
}
