//! Any bytes as ChannelData, and as the payload of a Data indication.

use std::net::SocketAddr;

use relayhouse::packet::{HEADROOM, Packet, TAILROOM};
use relayhouse::stun::{
    Class, Data, Kind, Message, Method, TransactionId, XorPeerAddress, channel_data, kind,
    wrap_data_indication,
};

/// Reads `bytes` as ChannelData, then wraps them.
pub fn run(bytes: &[u8]) {
    if let Some((number, len)) = channel_data::parse(bytes) {
        assert_eq!(kind(bytes[0]), Kind::ChannelData);
        assert!(bytes.len() >= channel_data::HEADER + len);
        assert_eq!(channel_data::header(number, len), bytes[..channel_data::HEADER]);
    }
    wrap(bytes, SocketAddr::from(([192, 0, 2, 1], 9)));
    wrap(bytes, SocketAddr::from(([0x2001, 0xDB8, 0, 0, 0, 0, 0, 1], 9)));
}

fn wrap(payload: &[u8], peer: SocketAddr) {
    let mut buffer = vec![0xA5; HEADROOM + payload.len() + TAILROOM];
    buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(payload);
    let mut packet = Packet::new(&mut buffer, HEADROOM, payload.len());
    let id = TransactionId([7; 12]);
    if wrap_data_indication(&mut packet, peer, id).is_none() {
        assert!(payload.len() > 65_000, "only what no message can hold is refused");
        return assert_eq!(packet.bytes(), payload);
    }
    let message = Message::parse(packet.bytes()).expect("a message");
    assert_eq!((message.class(), message.method()), (Class::Indication, Method::DATA));
    assert_eq!(message.transaction_id(), id);
    assert_eq!(message.get(), Ok(Some(XorPeerAddress(peer))));
    assert_eq!(message.get(), Ok(Some(Data(payload))));
}
