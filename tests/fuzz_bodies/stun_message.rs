//! Any bytes as a STUN message: nothing panics, and what was read can be written and read again.

use relayhouse::stun::{
    AdditionalAddressFamily, AddressErrorCode, AlternateDomain, AlternateServer, CacheTimeout,
    ChangeRequest, ChannelNumber, ConnectionId, Data, DontFragment, ErrorCode, EvenPort, Icmp,
    Kind, Lifetime, MappedAddress, Message, Nonce, OtherAddress, Padding, PasswordAlgorithm,
    PasswordAlgorithms, Realm, RequestedAddressFamily, RequestedTransport, ReservationToken,
    ResponseOrigin, ResponsePort, Software, UnknownAttributes, UserHash, Username, Writer,
    XorMappedAddress, XorPeerAddress, XorRelayedAddress, kind,
};

macro_rules! ask_for_all {
    ($message:expr, $($attribute:ident)*) => {
        $(let _ = $message.get::<$attribute>(); let _ = $message.all::<$attribute>().count();)*
    };
}

/// Reads `bytes` in every way there is.
pub fn run(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    assert_ne!(kind(bytes[0]), Kind::ChannelData);

    ask_for_all!(
        message,
        AdditionalAddressFamily AddressErrorCode AlternateDomain AlternateServer CacheTimeout
        ChangeRequest ChannelNumber ConnectionId Data DontFragment ErrorCode EvenPort Icmp Lifetime
        MappedAddress Nonce OtherAddress Padding PasswordAlgorithm PasswordAlgorithms Realm
        RequestedAddressFamily RequestedTransport ReservationToken ResponseOrigin ResponsePort
        Software UnknownAttributes UserHash Username XorMappedAddress XorPeerAddress
        XorRelayedAddress
    );
    assert!(!message.verify_sha1(b"never the key") && !message.verify_sha256(b"never the key"));

    for (kind, value) in message.attributes() {
        assert!(message.has(kind));
        let range = message.range_of(kind).expect("an attribute that is there has a place");
        assert!(bytes.get(range).is_some() && value.len() <= bytes.len());
    }
    for kind in message.unknown_required() {
        assert!(kind.is_comprehension_required() && !kind.is_known());
    }
    write_again(&message, bytes.len());
}

/// What counts in the message fits where the message fitted, and reads the same.
fn write_again(message: &Message<'_>, len: usize) {
    let mut buffer = vec![0xA5; len];
    let id = message.transaction_id();
    let mut writer = Writer::new(&mut buffer, message.class(), message.method(), id);
    for (kind, value) in message.attributes() {
        writer.put_as(kind, &Data(value));
    }
    let written = writer.finish().expect("not longer than before");
    let again = Message::parse(&buffer[..written]).expect("a message");
    assert_eq!(again.class(), message.class());
    assert_eq!(again.method(), message.method());
    assert_eq!(again.transaction_id(), id);
    assert!(again.attributes().eq(message.attributes()));
}
