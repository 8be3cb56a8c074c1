//! Values that are a number or a flag. Reserved bits are zero when written and ignored when read.

use super::exactly;
use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// An attribute whose value has `$len` bytes, read by one function and written by another.
macro_rules! fixed_attribute {
    ($name:ident = $kind:ident [$len:literal], $decode:expr, $encode:expr) => {
        impl Attribute<'_> for $name {
            const TYPE: AttributeType = AttributeType::$kind;

            fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
                let decode: fn([u8; $len]) -> Self = $decode;
                exactly(value, Self::TYPE).map(|value| decode(*value))
            }

            fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
                let encode: fn(&Self) -> [u8; $len] = $encode;
                out.put(&encode(self));
            }
        }
    };
}

/// CHANNEL-NUMBER: the number to bind; whether it may be bound is for the relay (RFC 8656
/// section 18.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelNumber(pub u16);

fixed_attribute!(
    ChannelNumber = CHANNEL_NUMBER[4],
    |[high, low, _, _]| Self(u16::from_be_bytes([high, low])),
    |number| {
        let [high, low] = number.0.to_be_bytes();
        [high, low, 0, 0]
    }
);

/// LIFETIME: seconds until the allocation ends without a refresh; 0 ends it now (RFC 8656
/// section 18.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Lifetime(pub u32);

fixed_attribute!(Lifetime = LIFETIME[4], |seconds| Self(u32::from_be_bytes(seconds)), |lifetime| {
    lifetime.0.to_be_bytes()
});

/// REQUESTED-TRANSPORT: the protocol between relay and peers, as IP numbers it (RFC 8656
/// section 18.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct RequestedTransport(pub u8);

impl RequestedTransport {
    /// Relay UDP.
    pub const UDP: Self = Self(17);
    /// Relay TCP connections (RFC 6062).
    pub const TCP: Self = Self(6);
}

fixed_attribute!(
    RequestedTransport = REQUESTED_TRANSPORT[4],
    |[protocol, _, _, _]| Self(protocol),
    |transport| [transport.0, 0, 0, 0]
);

/// EVEN-PORT: the relayed port should be even (RFC 8656 section 18.7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EvenPort {
    /// Keep the next higher port for a later request.
    pub reserve_next: bool,
}

impl Attribute<'_> for EvenPort {
    const TYPE: AttributeType = AttributeType::EVEN_PORT;

    /// The value is one byte; some clients count its padding as well.
    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        match *value {
            [flags] | [flags, _, _, _] => Ok(Self { reserve_next: flags & 0x80 != 0 }),
            _ => Err(Malformed::ValueLength(Self::TYPE)),
        }
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put_u8(if self.reserve_next { 0x80 } else { 0 });
    }
}

/// DONT-FRAGMENT: relayed packets leave with the DF bit (RFC 8656 section 18.9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DontFragment;

fixed_attribute!(DontFragment = DONT_FRAGMENT[0], |[]| Self, |_| []);

/// CONNECTION-ID: a TCP connection to a peer (RFC 6062 section 6.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ConnectionId(pub u32);

fixed_attribute!(ConnectionId = CONNECTION_ID[4], |id| Self(u32::from_be_bytes(id)), |id| id
    .0
    .to_be_bytes());

/// CHANGE-REQUEST: answer from another address or port (RFC 5780 section 7.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChangeRequest {
    /// From the other address.
    pub ip: bool,
    /// From the other port.
    pub port: bool,
}

fixed_attribute!(
    ChangeRequest = CHANGE_REQUEST[4],
    |[_, _, _, flags]| Self { ip: flags & 0x04 != 0, port: flags & 0x02 != 0 },
    |change| [0, 0, 0, u8::from(change.ip) << 2 | u8::from(change.port) << 1]
);

/// RESPONSE-PORT: answer to this port of the client (RFC 5780 section 7.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ResponsePort(pub u16);

impl Attribute<'_> for ResponsePort {
    const TYPE: AttributeType = AttributeType::RESPONSE_PORT;

    /// The value is two bytes; some clients count its padding as well.
    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        match *value {
            [high, low] | [high, low, _, _] => Ok(Self(u16::from_be_bytes([high, low]))),
            _ => Err(Malformed::ValueLength(Self::TYPE)),
        }
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        out.put_u16(self.0);
    }
}

/// CACHE-TIMEOUT: how many seconds the answers to a behaviour test stay true (RFC 5780 section 7.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CacheTimeout(pub u32);

fixed_attribute!(
    CacheTimeout = CACHE_TIMEOUT[4],
    |seconds| Self(u32::from_be_bytes(seconds)),
    |timeout| timeout.0.to_be_bytes()
);

/// ICMP: what came back instead of the peer's data (RFC 8656 section 18.13).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Icmp {
    /// The ICMP type, up to 127; what it means depends on the family of the peer's address.
    pub kind: u8,
    /// The ICMP code.
    pub code: u8,
    /// The error's own word: a next-hop MTU in "too big", zero in every other.
    pub data: u32,
}

impl Attribute<'_> for Icmp {
    const TYPE: AttributeType = AttributeType::ICMP;

    /// The RFC's figure gives the type seven bits and the code nine.
    fn decode(value: &[u8], _: &TransactionId) -> Result<Self, Malformed> {
        let [_, _, high, low, data @ ..] = *exactly::<8>(value, Self::TYPE)?;
        let bits = u16::from_be_bytes([high, low]);
        let code = u8::try_from(bits & 0x01FF).map_err(|_| Malformed::OutOfRange(Self::TYPE))?;
        Ok(Self { kind: high >> 1, code, data: u32::from_be_bytes(data) })
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        if self.kind > 0x7F {
            return out.refuse();
        }
        out.put_u16(0);
        out.put_u16(u16::from(self.kind) << 9 | u16::from(self.code));
        out.put_u32(self.data);
    }
}
