//! Transport addresses, plain and XORed (RFC 8489 sections 14.1 and 14.2).
//!
//! XORing keeps NATs from rewriting an address they find in a packet: the port is XORed with the high
//! half of the magic cookie, an IPv4 address with the cookie, an IPv6 one with cookie and transaction id.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::exactly;
use crate::stun::{Attribute, AttributeType, Cursor, MAGIC_COOKIE, Malformed, TransactionId};

const IPV4: u8 = 0x01;
const IPV6: u8 = 0x02;

macro_rules! address_attribute {
    ($($(#[$doc:meta])* $name:ident = $kind:ident $mask:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub SocketAddr);

        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], id: &TransactionId) -> Result<Self, Malformed> {
                decode(value, Self::TYPE, $mask(id)).map(Self)
            }

            fn encode(&self, id: &TransactionId, out: &mut Cursor<'_>) {
                encode(self.0, $mask(id), out);
            }
        }
    )*};
}

address_attribute! {
    /// MAPPED-ADDRESS: the client's address as the server sees it, for clients of RFC 3489.
    MappedAddress = MAPPED_ADDRESS Mask::plain;
    /// XOR-MAPPED-ADDRESS: the client's address as the server sees it.
    XorMappedAddress = XOR_MAPPED_ADDRESS Mask::of;
    /// XOR-PEER-ADDRESS: whom data go to or come from, or who gets a permission.
    XorPeerAddress = XOR_PEER_ADDRESS Mask::of;
    /// XOR-RELAYED-ADDRESS: the address the server relays for the client.
    XorRelayedAddress = XOR_RELAYED_ADDRESS Mask::of;
    /// ALTERNATE-SERVER: the server to ask instead, with a 300.
    AlternateServer = ALTERNATE_SERVER Mask::plain;
    /// RESPONSE-ORIGIN: where the answer was sent from (RFC 5780 section 7.3).
    ResponseOrigin = RESPONSE_ORIGIN Mask::plain;
    /// OTHER-ADDRESS: where an answer to CHANGE-REQUEST would come from (RFC 5780 section 7.4).
    OtherAddress = OTHER_ADDRESS Mask::plain;
}

/// What an address is XORed with: nothing at all when it is plain.
#[derive(Clone, Copy)]
struct Mask {
    port: u16,
    v4: u32,
    v6: u128,
}

impl Mask {
    const fn plain(_: &TransactionId) -> Self {
        Self { port: 0, v4: 0, v6: 0 }
    }

    fn of(id: &TransactionId) -> Self {
        let mut v6 = [0; 16];
        v6[..4].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        v6[4..].copy_from_slice(&id.0);
        Self { port: (MAGIC_COOKIE >> 16) as u16, v4: MAGIC_COOKIE, v6: u128::from_be_bytes(v6) }
    }
}

fn decode(value: &[u8], kind: AttributeType, mask: Mask) -> Result<SocketAddr, Malformed> {
    // The first byte is zero or to be ignored.
    let Some((&[_, family, port_high, port_low], address)) = value.split_first_chunk() else {
        return Err(Malformed::ValueLength(kind));
    };
    let ip = match family {
        IPV4 => {
            let bits = u32::from_be_bytes(*exactly(address, kind)?);
            IpAddr::V4(Ipv4Addr::from_bits(bits ^ mask.v4))
        }
        IPV6 => {
            let bits = u128::from_be_bytes(*exactly(address, kind)?);
            IpAddr::V6(Ipv6Addr::from_bits(bits ^ mask.v6))
        }
        _ => return Err(Malformed::AddressFamily(kind)),
    };
    Ok(SocketAddr::new(ip, u16::from_be_bytes([port_high, port_low]) ^ mask.port))
}

/// An IPv6 address's scope and flow label stay here: STUN has no place for them.
fn encode(address: SocketAddr, mask: Mask, out: &mut Cursor<'_>) {
    out.put_u8(0);
    out.put_u8(if address.is_ipv4() { IPV4 } else { IPV6 });
    out.put_u16(address.port() ^ mask.port);
    match address.ip() {
        IpAddr::V4(ip) => out.put_u32(ip.to_bits() ^ mask.v4),
        IpAddr::V6(ip) => out.put(&(ip.to_bits() ^ mask.v6).to_be_bytes()),
    }
}
