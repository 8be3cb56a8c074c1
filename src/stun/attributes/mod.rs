//! The attributes, each in one place: what its value means, its bounds, how it is read and written.

mod address;
mod address_family;
mod algorithms;
mod error_code;
mod numbers;
mod opaque;
mod text;
mod unknown;

pub use address::{
    AlternateServer, MappedAddress, OtherAddress, ResponseOrigin, XorMappedAddress, XorPeerAddress,
    XorRelayedAddress,
};
pub use address_family::{AdditionalAddressFamily, AddressErrorCode, RequestedAddressFamily};
pub use algorithms::{PasswordAlgorithm, PasswordAlgorithms};
pub use error_code::ErrorCode;
pub use numbers::{
    CacheTimeout, ChangeRequest, ChannelNumber, ConnectionId, DontFragment, EvenPort, Icmp,
    Lifetime, RequestedTransport, ResponsePort,
};
pub use opaque::{Data, Nonce, Padding, ReservationToken, UserHash};
pub use text::{AlternateDomain, MAX_TEXT, MAX_USERNAME, Realm, Software, Username};
pub use unknown::UnknownAttributes;

use super::{AttributeType, Malformed};

/// The value as exactly `N` bytes.
fn exactly<const N: usize>(value: &[u8], kind: AttributeType) -> Result<&[u8; N], Malformed> {
    value.try_into().map_err(|_| Malformed::ValueLength(kind))
}

#[cfg(test)]
mod tests;
