//! Section 12: Channels.

use relayhouse::stun::{ChannelNumber, Method, XorPeerAddress};
use relayhouse::turn::{ChannelNumbers, DropReason, Route};

use crate::machine::*;

const PEER: &str = "192.0.2.9:9999";
const OTHER: &str = "192.0.2.10:9999";

fn bound() -> (World, Client, std::net::SocketAddr) {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let relayed = client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, PEER).code(), 0);
    (world, client, relayed)
}

/// 12.4 and 12.5: data passes both ways behind four bytes; over UDP it need not be padded.
#[test]
fn channel_data_passes_both_ways() {
    let (mut world, client, relayed) = bound();
    for len in [0, 1, 3, 4, 1200] {
        let data: Vec<u8> = (0..len).map(|n| n as u8).collect();
        assert_eq!(client.send_channel(&mut world, 0x4000, &data), [to_peer(relayed, PEER, &data)]);
        let back = world.peer_sends(port_of(relayed), addr(PEER), &data);
        assert_eq!(back[0].route, Route::Client(client.flow));
        assert_eq!(back[0].bytes, channel_data(0x4000, &data));
    }
}

/// 12.4: padded ChannelData over UDP is understood too; the padding is not relayed.
#[test]
fn padding_of_channel_data_is_not_relayed() {
    let (mut world, client, relayed) = bound();
    let mut padded = channel_data(0x4000, b"hello");
    padded.extend([0, 0, 0]);
    assert_eq!(world.client_sends(client.flow, &padded), [to_peer(relayed, PEER, b"hello")]);
}

/// 12.5: towards a client on a stream ChannelData is padded with zeros.
#[test]
fn channel_data_to_a_stream_is_padded() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.flow.transport = relayhouse::net::Transport::Tls;
    let relayed = client.allocate(&mut world);
    client.bind(&mut world, 0x4000, PEER);
    let back = world.peer_sends(port_of(relayed), addr(PEER), b"hello");
    let mut expected = channel_data(0x4000, b"hello");
    expected.extend([0, 0, 0]);
    assert_eq!(back[0].bytes, expected);
}

/// 12.4: a length beyond the datagram, or a channel that is not bound, is discarded.
#[test]
fn broken_or_unbound_channel_data_is_discarded() {
    let (mut world, client, _) = bound();
    assert!(world.client_sends(client.flow, &[0x40, 0, 0, 9, 1, 2]).is_empty());
    assert!(world.client_sends(client.flow, &[0x40, 0, 0]).is_empty());
    assert!(client.send_channel(&mut world, 0x4001, b"x").is_empty());
    let stranger = udp("198.51.100.1:3478", "203.0.113.8:1");
    assert!(world.client_sends(stranger, &channel_data(0x4000, b"x")).is_empty());
    assert_eq!(
        world.drops,
        [
            DropReason::Malformed,
            DropReason::Malformed,
            DropReason::NoChannel,
            DropReason::NoAllocation
        ]
    );
}

/// 12.2: both attributes are required, and the number must be in range: else 400.
#[test]
fn an_incomplete_or_outlandish_bind_is_a_bad_request() {
    let (mut world, mut client, _) = bound();
    let peer = XorPeerAddress(addr(OTHER));
    let half = client.ask(&mut world, Method::CHANNEL_BIND, |w| {
        w.put(&peer);
    });
    assert_eq!(half.code(), 400);
    let half = client.ask(&mut world, Method::CHANNEL_BIND, |w| {
        w.put(&ChannelNumber(0x4001));
    });
    assert_eq!(half.code(), 400);
    for number in [0, 0x3FFF, 0x7FFF, 0x8000, 0xFFFF] {
        assert_eq!(client.bind(&mut world, number, OTHER).code(), 400, "{number:#x}");
    }
    assert_eq!(client.bind(&mut world, 0x7FFE, OTHER).code(), 0, "as RFC 5766 clients do");
}

/// 12.2: where the operator chose RFC 8656's numbers, 0x5000 and up are refused.
#[test]
fn the_channel_range_can_be_that_of_rfc_8656() {
    let mut world = World::with(|settings| settings.channel_numbers = ChannelNumbers::Rfc8656);
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x5000, PEER).code(), 400);
    assert_eq!(client.bind(&mut world, 0x4FFF, PEER).code(), 0);
}

/// 12.2: a channel cannot be rebound to another peer, nor a peer to another channel.
#[test]
fn channel_cannot_be_rebound_to_another_peer() {
    let (mut world, mut client, _) = bound();
    assert_eq!(client.bind(&mut world, 0x4000, OTHER).code(), 400);
    assert_eq!(client.bind(&mut world, 0x4001, PEER).code(), 400);
    assert_eq!(client.bind(&mut world, 0x4000, PEER).code(), 0);
    assert_eq!(client.bind(&mut world, 0x4001, "192.0.2.9:1").code(), 0, "another port: a peer");
}

/// 12: a binding lasts 10 minutes; its permission 5, unless bound again, which refreshes both.
#[test]
fn a_binding_outlasts_its_permission_and_a_repeated_bind_refreshes_both() {
    let (mut world, mut client, relayed) = bound();
    client.refresh(&mut world, 3600);
    world.pass_secs(300);
    assert!(client.send_channel(&mut world, 0x4000, b"x").is_empty());
    assert!(world.peer_sends(port_of(relayed), addr(PEER), b"x").is_empty());
    client.permit(&mut world, PEER);
    assert_eq!(client.send_channel(&mut world, 0x4000, b"x").len(), 1);
    assert_eq!(client.bind(&mut world, 0x4000, PEER).code(), 0);
    world.pass_secs(299);
    assert_eq!(client.send_channel(&mut world, 0x4000, b"x").len(), 1);
    client.bind(&mut world, 0x4000, PEER);
    world.pass_secs(299);
    assert_eq!(client.send_channel(&mut world, 0x4000, b"x").len(), 1);
}

/// 12: after ten minutes the number and the peer are free for others.
#[test]
fn an_expired_channel_is_free_again() {
    let (mut world, mut client, _) = bound();
    client.refresh(&mut world, 3600);
    world.pass_secs(600);
    assert!(client.send_channel(&mut world, 0x4000, b"x").is_empty());
    assert_eq!(client.bind(&mut world, 0x4000, OTHER).code(), 0);
    assert_eq!(client.bind(&mut world, 0x4001, PEER).code(), 0);
}

/// 12.2: the policy and the family hold for channels as for permissions.
#[test]
fn a_refused_or_foreign_peer_gets_no_channel() {
    let (mut world, mut client, _) = bound();
    assert_eq!(client.bind(&mut world, 0x4001, "10.0.0.1:9").code(), 403);
    assert_eq!(client.bind(&mut world, 0x4001, "[2001:db8:5::1]:9").code(), 443);
}

/// 12.2: channels are bounded per allocation (508).
#[test]
fn the_number_of_channels_is_bounded() {
    let mut world = World::with(|settings| settings.limits.channels_per_allocation = 2);
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x4000, "192.0.2.9:1").code(), 0);
    assert_eq!(client.bind(&mut world, 0x4001, "192.0.2.9:2").code(), 0);
    assert_eq!(client.bind(&mut world, 0x4002, "192.0.2.9:3").code(), 508);
    assert_eq!(client.bind(&mut world, 0x4001, "192.0.2.9:2").code(), 0);
}

/// 12.5: a peer with a channel on one port uses indications on another.
#[test]
fn another_port_of_a_channels_peer_comes_by_indication() {
    let (mut world, _, relayed) = bound();
    let sent = world.peer_sends(port_of(relayed), addr("192.0.2.9:5"), b"x");
    assert_eq!(sent[0].get::<XorPeerAddress>().expect("peer").0, addr("192.0.2.9:5"));
}

/// What is established keeps what it was given: a range or a bound that a reload made smaller refuses
/// new channels, and lets those there are be refreshed.
#[test]
fn a_reload_does_not_end_channels() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.allocate(&mut world);
    assert_eq!(client.bind(&mut world, 0x5000, PEER).code(), 0);
    assert_eq!(client.bind(&mut world, 0x5001, OTHER).code(), 0);
    let mut smaller = settings();
    smaller.channel_numbers = ChannelNumbers::Rfc8656;
    smaller.limits.channels_per_allocation = 1;
    smaller.limits.permissions_per_allocation = 1;
    world.relay.configure(smaller.into(), credentials().into());
    assert_eq!(client.bind(&mut world, 0x5000, PEER).code(), 0);
    assert_eq!(client.bind(&mut world, 0x5001, OTHER).code(), 0);
    assert_eq!(client.bind(&mut world, 0x5002, "192.0.2.9:1").code(), 400);
    assert_eq!(client.bind(&mut world, 0x4000, "192.0.2.9:1").code(), 508);
}
