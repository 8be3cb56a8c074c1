//! Any bytes as the value of any attribute: what has a meaning keeps it when it is written and read
//! again. The first byte picks the attribute, the next twelve are the transaction id.

use std::fmt::Debug;

use relayhouse::stun::{
    AdditionalAddressFamily, AddressErrorCode, AlternateDomain, AlternateServer, Attribute,
    CacheTimeout, ChangeRequest, ChannelNumber, Class, ConnectionId, Data, DontFragment, ErrorCode,
    EvenPort, Icmp, Lifetime, MappedAddress, Message, Method, Nonce, OtherAddress, Padding,
    PasswordAlgorithm, PasswordAlgorithms, Realm, RequestedAddressFamily, RequestedTransport,
    ReservationToken, ResponseOrigin, ResponsePort, Software, TransactionId, UnknownAttributes,
    UserHash, Username, Writer, XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};

macro_rules! pick {
    ($index:expr, $value:expr, $id:expr, $($attribute:ident)*) => {
        let checks: &[fn(&[u8], TransactionId)] = &[
            $(|value, id| check!($attribute, value, id)),*
        ];
        checks[usize::from($index) % checks.len()]($value, $id);
    };
}

/// A macro and no function: the attribute read from the second buffer has another lifetime.
macro_rules! check {
    ($attribute:ident, $value:expr, $id:expr) => {
        if let Ok(first) = <$attribute as Attribute>::decode($value, &$id) {
            let mut buffer = vec![0xA5; 20 + 4 + $value.len() + 3 + LONGEST_PADDING];
            let len = write(&mut buffer, $id, &first);
            let message = Message::parse(&buffer[..len]).expect("a message");
            let second = message.get::<$attribute>().expect("it has a meaning still");
            same(&first, &second.expect("it is there"));
        }
    };
}

/// PASSWORD-ALGORITHM may lack its inner padding when it comes in.
const LONGEST_PADDING: usize = 3;

/// Reads `bytes` as an attribute.
pub fn run(bytes: &[u8]) {
    let Some((&[index], rest)) = bytes.split_first_chunk::<1>() else { return };
    let Some((id, value)) = rest.split_first_chunk::<12>() else { return };
    // A longer value fits no message.
    let value = &value[..value.len().min(65_000)];
    pick!(
        index, value, TransactionId(*id),
        AdditionalAddressFamily AddressErrorCode AlternateDomain AlternateServer CacheTimeout
        ChangeRequest ChannelNumber ConnectionId Data DontFragment ErrorCode EvenPort Icmp Lifetime
        MappedAddress Nonce OtherAddress Padding PasswordAlgorithm PasswordAlgorithms Realm
        RequestedAddressFamily RequestedTransport ReservationToken ResponseOrigin ResponsePort
        Software UnknownAttributes UserHash Username XorMappedAddress XorPeerAddress
        XorRelayedAddress
    );
}

fn write<'v, T: Attribute<'v>>(buffer: &mut [u8], id: TransactionId, attribute: &T) -> usize {
    let mut writer = Writer::new(buffer, Class::Success, Method::BINDING, id);
    writer.put(attribute);
    writer.finish().expect("what was read can be written")
}

fn same<T: PartialEq + Debug>(first: &T, second: &T) {
    assert_eq!(first, second);
}
