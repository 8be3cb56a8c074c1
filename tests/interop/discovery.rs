//! `turnutils_natdiscovery` (RFC 5780) against a server on two addresses with two ports each.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::support::free_port_pair;
use crate::support::server::{Server, Start};
use crate::support::tools::run_limited;

/// 127.0.0.1 and 127.0.0.2, on the same two ports.
fn server(more: impl FnOnce(Start) -> Start) -> Server {
    let port = free_port_pair("127.0.0.1");
    let at = |last, port| SocketAddr::from(([127, 0, 0, last], port));
    let all = [at(1, port), at(1, port + 1), at(2, port), at(2, port + 1)];
    more(Start::default().listen(&all)).start()
}

/// What the tool says of its network, which is loopback: no NAT at all.
fn discovered(server: &Server, args: &[&str]) -> String {
    let mut command = Command::new("turnutils_natdiscovery");
    command.args(args).args(["-p", &server.udp().port().to_string()]);
    let ended = run_limited(command.arg(server.udp().ip().to_string()), Duration::from_secs(60));
    let output = format!("{}{}", ended.stdout, ended.stderr);
    assert!(!ended.timed_out && ended.code == Some(0), "{output}");
    output
}

#[test]
fn the_mapping_is_endpoint_independent() {
    println!("{}", discovered(&server(|start| start), &["-m"]));
}

#[test]
fn the_filtering_is_endpoint_independent() {
    println!("{}", discovered(&server(|start| start), &["-f"]));
}
