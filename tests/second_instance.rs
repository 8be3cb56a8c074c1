//! A second server never shares ports or state with a running one: it is refused with a sentence.

mod support;

use std::net::UdpSocket;
use std::time::Duration;

use support::server::{Failure, Server, Start};
use support::turn_client::binding;

/// The refusal of a start that must not succeed.
fn refused(start: Start) -> Failure {
    match start.try_start() {
        Err(failure) => failure,
        Ok(server) => panic!("the second instance started:\n{}", server.text()),
    }
}

/// It ended with 1, and one line names `what`.
#[track_caller]
fn assert_sentence(failure: &Failure, what: &str) {
    assert_eq!(failure.status.and_then(|status| status.code()), Some(1), "{failure}");
    assert!(failure.log.lines().any(|line| line.contains(what)), "nothing about {what}: {failure}");
    assert!(!failure.log.contains("panicked"), "{failure}");
}

#[test]
fn the_udp_port_of_a_running_instance_is_refused() {
    let first = Server::dev();
    let failure = refused(Start::default().listen(&[first.udp()]));
    assert_sentence(&failure, &first.udp().port().to_string());
    assert!(binding(first.udp(), Duration::from_secs(5)).is_some(), "the first one still answers");
}

#[test]
fn a_udp_port_that_another_program_shares_out_is_refused() {
    let other = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None);
    let other = other.expect("a socket");
    other.set_reuse_port(true).expect("set");
    let any = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    other.bind(&any.into()).expect("bound");
    let other = UdpSocket::from(other);
    let address = other.local_addr().expect("bound");
    assert_sentence(&refused(Start::default().listen(&[address])), &address.port().to_string());
}

#[test]
fn the_http_port_of_a_running_instance_is_refused() {
    let first = Server::dev();
    let failure = refused(Start::default().http(&[first.http_address()]));
    assert_sentence(&failure, &first.http_address().port().to_string());
}

#[test]
fn the_data_folder_of_a_running_instance_is_refused() {
    let first = Server::dev();
    let folder = first.data_dir().to_str().expect("UTF-8");
    assert_sentence(&refused(Start::default().data_dir(first.data_dir())), folder);
}

#[test]
fn the_data_folder_is_free_again_after_a_kill() {
    let folder = tempfile::tempdir().expect("a folder");
    for _ in 0..3 {
        let mut server = Start::default().data_dir(folder.path()).start();
        server.kill();
    }
}

#[test]
fn two_instances_with_ports_and_folders_of_their_own_run_side_by_side() {
    let (one, two) = (Server::dev(), Server::dev());
    assert_ne!(one.udp(), two.udp());
    assert!(binding(one.udp(), Duration::from_secs(5)).is_some());
    assert!(binding(two.udp(), Duration::from_secs(5)).is_some());
}
