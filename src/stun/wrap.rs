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
