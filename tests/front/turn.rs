//! coturn's client over every stream there is: whole calls, relayed.

use crate::support::server::{Server, Start};
use crate::support::tools::{Peer, Report, uclient};

fn server() -> Server {
    Start::default().with_ipv6().arg("--secret").arg("north").start()
}

/// Ten messages of each of a client's two sessions to an echo and back.
fn echoed(server: std::net::SocketAddr, args: &[&str]) -> Report {
    let peer = Peer::start("127.0.0.1");
    let [e, ip, r, port] = peer.args();
    let mut all = vec!["-n", "10", e.as_str(), &ip, &r, &port, "-u", "ann", "-W", "north"];
    all.extend(args);
    uclient(server, &all)
}

/// The tool reads one record each time its socket is readable, and leaves the last one lying where
/// two came at once; against coturn's server too. All the rest must come.
#[track_caller]
fn expect_nearly_all(report: &Report, messages: u64) {
    assert!(!report.timed_out && report.code == Some(0), "{report:?}");
    assert_eq!(report.sent, Some(messages), "{report:?}");
    assert!(report.received.is_some_and(|received| received + 4 >= messages), "{report:?}");
}

#[test]
fn a_call_over_tcp_loses_nothing() {
    let server = server();
    echoed(server.tcp(), &["-t"]).expect_all(20);
    echoed(server.tcp(), &["-t", "-s"]).expect_all(20);
}

#[test]
fn a_call_over_tls_works_on_a_port_of_tls_and_on_one_of_tcp() {
    let server = server();
    expect_nearly_all(&echoed(server.tls(), &["-t", "-S"]), 20);
    expect_nearly_all(&echoed(server.tcp(), &["-t", "-S"]), 20);
}
