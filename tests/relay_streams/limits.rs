//! Clients that do not read.

use std::io::{ErrorKind, Write};

use relayhouse::stun::{Class, Method, channel_data};

use super::client::{CHANNEL, binding, call, datagram};
use super::eventually;
use super::house::House;

/// Sends `count` packets of `size` bytes to `relayed`, never more than the relay's socket holds.
fn pour(house: &House, peer: &std::net::UdpSocket, relayed: std::net::SocketAddr, count: u32) {
    let before = house.relay.counters().packets_down;
    for index in 0..count {
        let mut payload = vec![0xAB; 1200];
        payload[..4].copy_from_slice(&index.to_be_bytes());
        peer.send_to(&payload, relayed).expect("sent");
        if index % 64 == 63 {
            let sent = before + u64::from(index + 1);
            eventually("they are handled", || house.relay.counters().packets_down == sent);
        }
    }
}

#[test]
fn who_does_not_read_loses_data_and_nobody_else_does() {
    let house = House::with(|config| config.workers = 1);
    for client in [house.tcp(), house.tls()] {
        let (mut slow, slow_peer, slow_relayed) = call(client);
        let (mut quick, quick_peer, quick_relayed) = call(house.tcp());
        let before = house.relay.slow_client_drops();
        let mut rounds = 0u32;
        // The kernels' buffers of both ends fill first.
        while house.relay.slow_client_drops() < before + 500 {
            pour(&house, &slow_peer, slow_relayed, 640);
            quick_peer.send_to(&rounds.to_be_bytes(), quick_relayed).expect("sent");
            assert_eq!(quick.receive_channel(), rounds.to_be_bytes());
            quick.send_channel(b"up");
            assert_eq!(datagram(&quick_peer).0, b"up");
            rounds += 1;
            assert!(rounds < 200, "a queue grows without bound");
        }
        // Whole messages were dropped: the stream still makes sense, and goes on.
        slow_peer.send_to(b"the end", slow_relayed).expect("sent");
        let mut last = None;
        loop {
            let frame = slow.receive();
            let (number, len) = channel_data::parse(&frame).expect("ChannelData");
            assert_eq!(number, CHANNEL);
            let payload = &frame[channel_data::HEADER..][..len];
            if payload == b"the end" {
                break;
            }
            assert_eq!(payload.len(), 1200);
            last = Some(payload.to_vec());
            slow_peer.send_to(b"the end", slow_relayed).expect("sent");
        }
        assert!(last.is_some());
    }
}

#[test]
fn who_asks_and_does_not_read_is_not_read_either() {
    let house = House::with(|config| config.workers = 1);
    let mut client = house.tcp();
    let socket = client.wire.socket().try_clone().expect("a copy");
    socket.set_nonblocking(true).expect("an option");
    let requests = binding().repeat(1000);
    let mut written = 0usize;
    // Until neither the relay nor the kernels take any more: some megabytes.
    let mut stuck = 0;
    while stuck < 50 {
        match (&socket).write(&requests[written % binding().len()..]) {
            Ok(count) => (written, stuck) = (written + count, 0),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                stuck += 1;
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            Err(error) => panic!("{error}"),
        }
        assert!(written < 100 << 20, "the relay takes whatever comes");
    }
    assert_eq!(house.tcp().binding().class, Class::Success, "others are served");
    // It reads at last: the relay goes on where it stopped.
    socket.set_nonblocking(false).expect("an option");
    let last = client.request(Method::BINDING, |_| ());
    let id = last[8..20].to_vec();
    let mut rest = binding()[written % binding().len()..].to_vec();
    rest.extend(last);
    std::thread::scope(|scope| {
        scope.spawn(|| (&socket).write_all(&rest).expect("written"));
        while client.receive()[8..20] != id {}
    });
    drop(client);
    drop(socket);
    eventually("it is gone", || house.open() == 0);
}
