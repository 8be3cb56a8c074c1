//! The attribute types this library knows, in one table (RFC 8489 section 18.3, RFC 8656 section 18,
//! RFC 6062 section 6.2, RFC 5780 section 7).

use std::fmt;

/// The number of an attribute. Numbers below 0x8000 must be understood by who receives them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttributeType(pub u16);

impl AttributeType {
    /// Whether a request with this attribute must be refused (420) by a server that does not know it
    /// (RFC 8489 section 14).
    pub const fn is_comprehension_required(self) -> bool {
        self.0 < 0x8000
    }

    /// Whether this library knows the attribute.
    pub const fn is_known(self) -> bool {
        self.name().is_some()
    }
}

macro_rules! attribute_types {
    ($($(#[$doc:meta])* $constant:ident = $number:literal $name:literal;)*) => {
        impl AttributeType {
            $($(#[$doc])* pub const $constant: Self = Self($number);)*

            /// The attribute's name in the registry, when this library knows it.
            pub const fn name(self) -> Option<&'static str> {
                match self {
                    $(Self::$constant => Some($name),)*
                    _ => None,
                }
            }
        }
    };
}

attribute_types! {
    /// RFC 8489 section 14.1.
    MAPPED_ADDRESS = 0x0001 "MAPPED-ADDRESS";
    /// RFC 5780 section 7.2.
    CHANGE_REQUEST = 0x0003 "CHANGE-REQUEST";
    /// RFC 8489 section 14.3.
    USERNAME = 0x0006 "USERNAME";
    /// RFC 8489 section 14.5.
    MESSAGE_INTEGRITY = 0x0008 "MESSAGE-INTEGRITY";
    /// RFC 8489 section 14.8.
    ERROR_CODE = 0x0009 "ERROR-CODE";
    /// RFC 8489 section 14.13.
    UNKNOWN_ATTRIBUTES = 0x000A "UNKNOWN-ATTRIBUTES";
    /// RFC 8656 section 18.1.
    CHANNEL_NUMBER = 0x000C "CHANNEL-NUMBER";
    /// RFC 8656 section 18.2.
    LIFETIME = 0x000D "LIFETIME";
    /// RFC 8656 section 18.3.
    XOR_PEER_ADDRESS = 0x0012 "XOR-PEER-ADDRESS";
    /// RFC 8656 section 18.4.
    DATA = 0x0013 "DATA";
    /// RFC 8489 section 14.9.
    REALM = 0x0014 "REALM";
    /// RFC 8489 section 14.10.
    NONCE = 0x0015 "NONCE";
    /// RFC 8656 section 18.5.
    XOR_RELAYED_ADDRESS = 0x0016 "XOR-RELAYED-ADDRESS";
    /// RFC 8656 section 18.6.
    REQUESTED_ADDRESS_FAMILY = 0x0017 "REQUESTED-ADDRESS-FAMILY";
    /// RFC 8656 section 18.7.
    EVEN_PORT = 0x0018 "EVEN-PORT";
    /// RFC 8656 section 18.8.
    REQUESTED_TRANSPORT = 0x0019 "REQUESTED-TRANSPORT";
    /// RFC 8656 section 18.9.
    DONT_FRAGMENT = 0x001A "DONT-FRAGMENT";
    /// RFC 8489 section 14.6.
    MESSAGE_INTEGRITY_SHA256 = 0x001C "MESSAGE-INTEGRITY-SHA256";
    /// RFC 8489 section 14.12.
    PASSWORD_ALGORITHM = 0x001D "PASSWORD-ALGORITHM";
    /// RFC 8489 section 14.4.
    USERHASH = 0x001E "USERHASH";
    /// RFC 8489 section 14.2.
    XOR_MAPPED_ADDRESS = 0x0020 "XOR-MAPPED-ADDRESS";
    /// RFC 8656 section 18.10.
    RESERVATION_TOKEN = 0x0022 "RESERVATION-TOKEN";
    /// RFC 5780 section 7.6.
    PADDING = 0x0026 "PADDING";
    /// RFC 5780 section 7.5.
    RESPONSE_PORT = 0x0027 "RESPONSE-PORT";
    /// RFC 6062 section 6.2.1.
    CONNECTION_ID = 0x002A "CONNECTION-ID";
    /// RFC 8656 section 18.11.
    ADDITIONAL_ADDRESS_FAMILY = 0x8000 "ADDITIONAL-ADDRESS-FAMILY";
    /// RFC 8656 section 18.12.
    ADDRESS_ERROR_CODE = 0x8001 "ADDRESS-ERROR-CODE";
    /// RFC 8489 section 14.11.
    PASSWORD_ALGORITHMS = 0x8002 "PASSWORD-ALGORITHMS";
    /// RFC 8489 section 14.16.
    ALTERNATE_DOMAIN = 0x8003 "ALTERNATE-DOMAIN";
    /// RFC 8656 section 18.13.
    ICMP = 0x8004 "ICMP";
    /// RFC 8489 section 14.14.
    SOFTWARE = 0x8022 "SOFTWARE";
    /// RFC 8489 section 14.15.
    ALTERNATE_SERVER = 0x8023 "ALTERNATE-SERVER";
    /// RFC 5780 section 7.1.
    CACHE_TIMEOUT = 0x8027 "CACHE-TIMEOUT";
    /// RFC 8489 section 14.7.
    FINGERPRINT = 0x8028 "FINGERPRINT";
    /// RFC 5780 section 7.3.
    RESPONSE_ORIGIN = 0x802B "RESPONSE-ORIGIN";
    /// RFC 5780 section 7.4.
    OTHER_ADDRESS = 0x802C "OTHER-ADDRESS";
    /// Where clients up to coturn 4.6 put ADDITIONAL-ADDRESS-FAMILY (draft-ietf-tram-turnbis).
    OLD_ADDITIONAL_ADDRESS_FAMILY = 0x8032 "ADDITIONAL-ADDRESS-FAMILY (0x8032)";
    /// Where clients up to coturn 4.6 look for ADDRESS-ERROR-CODE (draft-ietf-tram-turnbis).
    OLD_ADDRESS_ERROR_CODE = 0x8033 "ADDRESS-ERROR-CODE (0x8033)";
}

impl fmt::Display for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => f.write_str(name),
            None => write!(f, "0x{:04X}", self.0),
        }
    }
}

impl fmt::Debug for AttributeType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lower_half_of_the_numbers_is_comprehension_required() {
        assert!(AttributeType(0x0000).is_comprehension_required());
        assert!(AttributeType(0x7FFF).is_comprehension_required());
        assert!(!AttributeType(0x8000).is_comprehension_required());
        assert!(!AttributeType(0xFFFF).is_comprehension_required());
    }

    #[test]
    fn a_type_is_shown_by_name_or_number() {
        assert_eq!(AttributeType::XOR_PEER_ADDRESS.to_string(), "XOR-PEER-ADDRESS");
        assert_eq!(AttributeType(0x0010).to_string(), "0x0010");
        assert!(!AttributeType(0x0010).is_known());
    }
}
