//! `turnutils_natdiscovery` (RFC 5780) against a server on two addresses with two ports each.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::support::free_port_pair;
use crate::support::server::{Server, Start};
use crate::support::tools::run_limited;

/// 127.0.0.1 and 127.0.0.2, on the same two ports.
fn server() -> Server {
    start(|start| start)
}

fn start(more: impl FnOnce(Start) -> Start) -> Server {
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
fn without_a_nat_the_mapping_is_found_to_be_none() {
    let output = discovered(&server(), &["-m", "-L", "127.0.0.1"]);
    assert!(output.contains("No NAT! (Endpoint Independent Mapping)"), "{output}");
    assert!(!output.contains("Not received mapped address"), "{output}");
}

#[test]
fn the_mapping_is_seen_to_be_the_same_from_another_address() {
    // Without -L the tool does not know its own address and has to ask the second one.
    let output = discovered(&server(), &["-m"]);
    assert!(output.contains("Endpoint Independent Mapping!"), "{output}");
    assert!(output.contains("Response origin: : 127.0.0.2:"), "{output}");
}

#[test]
fn an_answer_comes_from_the_other_address_and_port() {
    for padding in [&["-f"][..], &["-f", "-P"]] {
        let output = discovered(&server(), padding);
        assert!(output.contains("Endpoint Independent Filtering!"), "{output}");
        assert!(output.contains("Response origin: : 127.0.0.2:"), "{output}");
    }
}

#[test]
fn an_answer_goes_to_another_port_of_the_client() {
    let output = discovered(&server(), &["-t", "-T", "1"]);
    assert!(output.contains("RFC 5780 response 2"), "{output}");
}

#[test]
fn nothing_is_discovered_where_it_is_switched_off() {
    let server = start(|start| start.set("relay.nat_discovery", "false"));
    let output = discovered(&server, &["-m", "-L", "127.0.0.1"]);
    assert!(!output.contains("Other addr"), "{output}");
}
