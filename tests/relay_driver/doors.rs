//! Listening: who gets a port, who is told why not, and from where answers come.

use std::net::{SocketAddr, UdpSocket};

use relayhouse::relay::{StartError, start};
use relayhouse::stun::Class;

use super::client::Client;
use super::{address, config, eventually, refused, relay};

#[test]
fn a_second_instance_is_refused_with_the_address_and_what_to_do() {
    let (first, server) = relay();
    let error = refused(config(&[&server.to_string()], 1));
    assert!(matches!(error, StartError::InUse { address } if address == server), "{error}");
    let sentence = error.to_string();
    assert!(sentence.contains(&server.to_string()) && sentence.contains("stop"), "{sentence}");
    assert_eq!(Client::new(server).binding().class, Class::Success, "the first goes on");
    drop(first);
    start(config(&[&server.to_string()], 1)).expect("and leaves the port when it ends");
}

#[test]
fn a_port_somebody_else_shares_is_not_joined() {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::DGRAM, None);
    let socket = socket.expect("a socket");
    socket.set_reuse_port(true).expect("SO_REUSEPORT");
    socket.bind(&address("127.0.0.1:0").into()).expect("a free port");
    let taken = socket.local_addr().expect("bound").as_socket().expect("an IP socket");
    let error = refused(config(&[&taken.to_string()], 2));
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
    let wildcard = format!("0.0.0.0:{}", taken.port());
    let error = refused(config(&[&wildcard], 2));
    assert!(matches!(error, StartError::InUse { .. }), "{error}");
}

#[test]
fn a_failed_start_leaves_nothing_open() {
    let taken = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let taken = (taken.local_addr().expect("bound"), taken);
    let free = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    refused(config(&[&free.to_string(), &taken.0.to_string()], 2));
    UdpSocket::bind(free).expect("the first address is free again");
}

#[test]
fn an_address_this_host_does_not_have_is_named() {
    let error = refused(config(&["192.0.2.1:0"], 1));
    assert!(matches!(error, StartError::NoSuchAddress { .. }), "{error}");
    assert!(error.to_string().contains("192.0.2.1"), "{error}");
}

#[test]
fn listening_nowhere_is_refused() {
    assert!(matches!(refused(config(&[], 1)), StartError::NothingToListenOn));
}

#[test]
fn port_zero_becomes_one_real_port_for_all_shards() {
    let relay = start(config(&["127.0.0.1:0", "127.0.0.1:0"], 3)).expect("the relay starts");
    let ports: Vec<u16> = relay.listening().iter().map(SocketAddr::port).collect();
    assert!(!ports.contains(&0) && ports[0] != ports[1], "{ports:?}");
    assert_eq!(relay.workers(), 3);
    for server in relay.listening() {
        // Enough clients that no shard is left out.
        for _ in 0..32 {
            assert_eq!(Client::new(*server).binding().class, Class::Success);
        }
    }
    eventually("every answer is counted", || relay.counters().bindings == 64);
}

#[test]
fn an_address_given_twice_is_listened_on_once() {
    let free = UdpSocket::bind("127.0.0.1:0").expect("a free port").local_addr().expect("bound");
    let free = free.to_string();
    let relay = start(config(&[&free, &free], 1)).expect("the relay starts");
    assert_eq!(relay.listening().len(), 1);
}

#[test]
fn a_wildcard_answers_from_the_address_that_was_asked() {
    let relay = start(config(&["0.0.0.0:0", "[::]:0"], 2)).expect("the relay starts");
    let ports = [relay.listening()[0].port(), relay.listening()[1].port()];
    for (ip, port) in [("127.0.0.1", ports[0]), ("127.0.0.2", ports[0]), ("::1", ports[1])] {
        let server = SocketAddr::new(ip.parse().expect("an address"), port);
        let mut client = Client::new(server);
        let answer = client.binding();
        assert_eq!(answer.class, Class::Success);
        assert_eq!(answer.mapped, client.socket.local_addr().ok());
    }
}

#[test]
fn a_wildcard_and_an_address_under_it_stand_side_by_side() {
    let free = UdpSocket::bind("0.0.0.0:0").expect("a free port").local_addr().expect("bound");
    let both = [format!("127.0.0.3:{}", free.port()), free.to_string()];
    let relay = start(config(&[&both[0], &both[1]], 2)).expect("the relay starts");
    assert_eq!(relay.listening()[0].to_string(), both[0], "in the order asked for");
    for ip in ["127.0.0.1", "127.0.0.3"] {
        let server = address(&format!("{ip}:{}", free.port()));
        assert_eq!(Client::new(server).binding().class, Class::Success);
    }
}

#[test]
fn buffers_asked_for_and_granted_are_reported() {
    let (relay, _) = relay();
    let buffers = relay.buffers();
    assert_eq!(buffers.asked, 4 << 20);
    assert!(buffers.receive > 0 && buffers.receive <= buffers.asked, "{buffers:?}");
    assert!(buffers.send > 0 && buffers.send <= buffers.asked, "{buffers:?}");
}
