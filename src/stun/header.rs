//! The header of a message: class, method, transaction id (RFC 8489 section 5).

use std::fmt;

use super::{HEADER, Malformed};

/// The constant that tells STUN from everything else (RFC 8489 section 5).
pub const MAGIC_COOKIE: u32 = 0x2112_A442;

/// What binds an answer to its request: 96 bits the client drew.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(pub [u8; 12]);

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

/// What a message is to its method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Wants an answer.
    Request,
    /// Wants none.
    Indication,
    /// Answers yes.
    Success,
    /// Answers no, with an ERROR-CODE.
    Error,
}

impl Class {
    const fn bits(self) -> u16 {
        match self {
            Self::Request => 0x0000,
            Self::Indication => 0x0010,
            Self::Success => 0x0100,
            Self::Error => 0x0110,
        }
    }

    const fn of(message_type: u16) -> Self {
        match message_type & 0x0110 {
            0x0000 => Self::Request,
            0x0010 => Self::Indication,
            0x0100 => Self::Success,
            _ => Self::Error,
        }
    }
}

/// What a message asks for: twelve bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Method(pub u16);

impl Method {
    /// Which address do I have? (RFC 8489 section 3)
    pub const BINDING: Self = Self(0x001);
    /// Make an allocation (RFC 8656 section 7).
    pub const ALLOCATE: Self = Self(0x003);
    /// Prolong or end an allocation (RFC 8656 section 8).
    pub const REFRESH: Self = Self(0x004);
    /// Data from the client to a peer (RFC 8656 section 11.2).
    pub const SEND: Self = Self(0x006);
    /// Data from a peer to the client (RFC 8656 section 11.3).
    pub const DATA: Self = Self(0x007);
    /// Let peers of these addresses through (RFC 8656 section 10).
    pub const CREATE_PERMISSION: Self = Self(0x008);
    /// Give a peer a channel number (RFC 8656 section 12).
    pub const CHANNEL_BIND: Self = Self(0x009);
    /// Open a TCP connection to a peer (RFC 6062 section 4.3).
    pub const CONNECT: Self = Self(0x00A);
    /// This is the data connection of that id (RFC 6062 section 4.4).
    pub const CONNECTION_BIND: Self = Self(0x00B);
    /// A peer has connected (RFC 6062 section 4.4).
    pub const CONNECTION_ATTEMPT: Self = Self(0x00C);

    /// The word logs and metrics use, in snake case; `unknown` for every other method, so that a
    /// metric label stays bounded.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BINDING => "binding",
            Self::ALLOCATE => "allocate",
            Self::REFRESH => "refresh",
            Self::SEND => "send",
            Self::DATA => "data",
            Self::CREATE_PERMISSION => "create_permission",
            Self::CHANNEL_BIND => "channel_bind",
            Self::CONNECT => "connect",
            Self::CONNECTION_BIND => "connection_bind",
            Self::CONNECTION_ATTEMPT => "connection_attempt",
            _ => "unknown",
        }
    }

    /// The method's bits lie around the two of the class (RFC 8489 figure 3).
    const fn bits(self) -> u16 {
        (self.0 & 0x00F) | ((self.0 & 0x070) << 1) | ((self.0 & 0xF80) << 2)
    }

    const fn of(message_type: u16) -> Self {
        Self(
            (message_type & 0x000F)
                | ((message_type & 0x00E0) >> 1)
                | ((message_type & 0x3E00) >> 2),
        )
    }
}

/// The twenty bytes in front of the attributes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) class: Class,
    pub(super) method: Method,
    /// Bytes of attributes behind the header.
    pub(super) len: u16,
    pub(super) id: TransactionId,
}

impl Header {
    /// Reads the header at the front of `bytes`; whether its length fits is for the caller.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let Some(&[t0, t1, l0, l1, c0, c1, c2, c3, id @ ..]) = bytes.first_chunk::<HEADER>() else {
            return Err(Malformed::TooShort);
        };
        let message_type = u16::from_be_bytes([t0, t1]);
        let cookie = u32::from_be_bytes([c0, c1, c2, c3]);
        if message_type & 0xC000 != 0 || cookie != MAGIC_COOKIE {
            return Err(Malformed::NotStun);
        }
        Ok(Self {
            class: Class::of(message_type),
            method: Method::of(message_type),
            len: u16::from_be_bytes([l0, l1]),
            id: TransactionId(id),
        })
    }

    /// The header as it goes on the wire.
    pub(super) fn encode(&self) -> [u8; HEADER] {
        let mut bytes = [0; HEADER];
        bytes[..2].copy_from_slice(&(self.class.bits() | self.method.bits()).to_be_bytes());
        bytes[2..4].copy_from_slice(&self.len.to_be_bytes());
        bytes[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
        bytes[8..].copy_from_slice(&self.id.0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_and_method_survives_the_message_type() {
        for class in [Class::Request, Class::Indication, Class::Success, Class::Error] {
            for method in (0..0x1000).map(Method) {
                let header = Header { class, method, len: 8, id: TransactionId([9; 12]) };
                assert_eq!(Header::decode(&header.encode()), Ok(header));
            }
        }
    }

    #[test]
    fn message_types_are_those_of_the_registry() {
        let message_type = |class: Class, method: Method| class.bits() | method.bits();
        assert_eq!(message_type(Class::Request, Method::BINDING), 0x0001);
        assert_eq!(message_type(Class::Success, Method::BINDING), 0x0101);
        assert_eq!(message_type(Class::Error, Method::ALLOCATE), 0x0113);
        assert_eq!(message_type(Class::Indication, Method::SEND), 0x0016);
        assert_eq!(message_type(Class::Indication, Method::DATA), 0x0017);
        assert_eq!(message_type(Class::Indication, Method::CONNECTION_ATTEMPT), 0x001C);
    }

    #[test]
    fn a_transaction_id_is_shown_in_hex() {
        let id = TransactionId([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 255]);
        assert_eq!(id.to_string(), "000102030405060708090aff");
    }
}
