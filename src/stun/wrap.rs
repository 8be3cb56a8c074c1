//! A Data indication around a payload that already lies in the packet: the header goes into the
//! headroom, the padding behind, and no byte of the payload moves (RFC 8656 section 11.3).

use std::net::SocketAddr;

use super::header::Header;
use super::{
    Attribute, AttributeType, Class, Cursor, HEADER, Method, TransactionId, XorPeerAddress,
};
use crate::packet::Packet;

/// The most bytes that go in front: header, an IPv6 XOR-PEER-ADDRESS, the header of DATA.
const MAX_FRONT: usize = HEADER + (4 + 20) + 4;

/// Makes the packet, which holds what `peer` sent, a Data indication.
///
/// `None`, and the packet as it was, when headroom or tail are too small or the payload is longer than
/// a message can be.
#[must_use]
pub fn wrap_data_indication(
    packet: &mut Packet<'_>,
    peer: SocketAddr,
    id: TransactionId,
) -> Option<()> {
    let payload = packet.len();
    let padding = payload.next_multiple_of(4) - payload;
    let mut front = [0; MAX_FRONT];
    let front = write_front(&mut front, payload, peer, id)?;
    packet.pad(padding)?;
    match packet.grow_front(front.len()) {
        Some(place) => {
            place.copy_from_slice(front);
            Some(())
        }
        None => {
            packet.truncate(payload);
            None
        }
    }
}

/// Everything before the payload.
fn write_front(
    front: &mut [u8; MAX_FRONT],
    payload: usize,
    peer: SocketAddr,
    id: TransactionId,
) -> Option<&[u8]> {
    let address: u16 = if peer.is_ipv4() { 8 } else { 20 };
    let attributes = usize::from(4 + address + 4) + payload.next_multiple_of(4);
    let len = u16::try_from(attributes).ok()?;
    let mut out = Cursor::new(front);
    out.put(&Header { class: Class::Indication, method: Method::DATA, len, id }.encode());
    out.put_u16(AttributeType::XOR_PEER_ADDRESS.0);
    out.put_u16(address);
    XorPeerAddress(peer).encode(&id, &mut out);
    out.put_u16(AttributeType::DATA.0);
    out.put_u16(u16::try_from(payload).ok()?);
    let written = out.len();
    Some(&front[..written])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::{HEADROOM, MIN_BUFFER, TAILROOM};
    use crate::stun::{Data, Message, Writer};

    const ID: TransactionId = TransactionId([5; 12]);

    fn peers() -> [SocketAddr; 2] {
        ["192.0.2.7:9", "[2001:db8::7]:9"].map(|peer| peer.parse().expect("an address"))
    }

    #[test]
    fn wrapping_gives_what_the_writer_would_write() {
        for peer in peers() {
            for len in 0..9 {
                let mut buffer = [0xEE; MIN_BUFFER];
                let mut packet = Packet::new(&mut buffer, HEADROOM, len);
                wrap_data_indication(&mut packet, peer, ID).expect("there is room");

                let mut expected = [0; 128];
                let mut out = Writer::new(&mut expected, Class::Indication, Method::DATA, ID);
                out.put(&XorPeerAddress(peer)).put(&Data(&[0xEE; 9][..len]));
                let expected_len = out.finish().expect("it fits");
                assert_eq!(packet.bytes(), &expected[..expected_len], "{peer}, {len} bytes");
            }
        }
    }

    #[test]
    fn the_headroom_of_a_packet_is_enough() {
        const { assert!(MAX_FRONT <= HEADROOM && 3 <= TAILROOM) };
    }

    #[test]
    fn too_little_room_leaves_the_packet_as_it_was() {
        let [_, peer] = peers();
        for (start, len, size) in [(MAX_FRONT - 1, 5, 128), (MAX_FRONT, 5, MAX_FRONT + 7)] {
            let mut buffer = vec![0xEE; size];
            let mut packet = Packet::new(&mut buffer, start, len);
            assert_eq!(wrap_data_indication(&mut packet, peer, ID), None);
            assert_eq!((packet.start(), packet.bytes()), (start, &[0xEE; 5][..]));
        }
    }

    #[test]
    fn the_longest_payload_is_what_a_message_can_count() {
        let [peer, _] = peers();
        // 65,532 bytes of attributes, less 12 of XOR-PEER-ADDRESS and 4 of DATA's header.
        for (len, fits) in [(65_516, true), (65_517, false), (65_535, false), (70_000, false)] {
            let mut buffer = vec![1; 70_200];
            let mut packet = Packet::new(&mut buffer, HEADROOM, len);
            assert_eq!(wrap_data_indication(&mut packet, peer, ID).is_some(), fits, "{len} bytes");
            assert_eq!(Message::parse(packet.bytes()).is_ok(), fits, "{len} bytes");
        }
    }
}
