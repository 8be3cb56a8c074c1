//! Whatever is written reads the same: every attribute, every header, with and without protection.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;
use relayhouse::packet::{HEADROOM, Packet, TAILROOM};
use relayhouse::stun::{
    AdditionalAddressFamily, AddressErrorCode, AlternateDomain, AlternateServer, Attribute,
    AttributeType, CacheTimeout, ChangeRequest, ChannelNumber, Class, ConnectionId, Data,
    DontFragment, ErrorCode, EvenPort, Icmp, Lifetime, MAX_TEXT, MAX_USERNAME, MappedAddress,
    Message, Method, Nonce, OtherAddress, Padding, PasswordAlgorithm, PasswordAlgorithms, Realm,
    RequestedAddressFamily, RequestedTransport, ReservationToken, ResponseOrigin, ResponsePort,
    Software, TransactionId, UnknownAttributes, UserHash, Username, Writer, XorMappedAddress,
    XorPeerAddress, XorRelayedAddress, channel_data, wrap_data_indication,
};

/// Writes `attribute` alone into a message whose buffer held other bytes before.
fn write<'v, T: Attribute<'v>>(id: TransactionId, attribute: &T) -> Vec<u8> {
    let mut buffer = vec![0xA5; 70_000];
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, id);
    writer.put(attribute);
    let len = writer.finish().expect("it fits");
    buffer.truncate(len);
    buffer
}

/// A macro, for the attribute that is read borrows from other bytes than the one that was written.
macro_rules! reads_as_written {
    ($id:expr, $attribute:ty, $value:expr) => {{
        let value = $value;
        let bytes = write($id, &value);
        let message = Message::parse(&bytes).expect("a message");
        prop_assert_eq!(message.get::<$attribute>(), Ok(Some(value)));
        let kind = <$attribute as Attribute>::TYPE;
        prop_assert!(kind.is_known() && message.has(kind));
        prop_assert_eq!(message.attributes().count(), 1);
    }};
}

fn id() -> impl Strategy<Value = TransactionId> {
    any::<[u8; 12]>().prop_map(TransactionId)
}

fn address() -> impl Strategy<Value = SocketAddr> {
    (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from)
}

/// Up to `max` bytes of any characters.
fn text(max: usize) -> impl Strategy<Value = String> {
    vec(any::<char>(), 0..max / 2).prop_map(move |chars| {
        let mut text = String::from_iter(chars);
        while text.len() > max {
            text.pop();
        }
        text
    })
}

fn class() -> impl Strategy<Value = Class> {
    prop::sample::select(vec![Class::Request, Class::Indication, Class::Success, Class::Error])
}

proptest! {
    #[test]
    fn addresses_read_as_written(id in id(), address in address()) {
        reads_as_written!(id, MappedAddress, MappedAddress(address));
        reads_as_written!(id, XorMappedAddress, XorMappedAddress(address));
        reads_as_written!(id, XorPeerAddress, XorPeerAddress(address));
        reads_as_written!(id, XorRelayedAddress, XorRelayedAddress(address));
        reads_as_written!(id, AlternateServer, AlternateServer(address));
        reads_as_written!(id, ResponseOrigin, ResponseOrigin(address));
        reads_as_written!(id, OtherAddress, OtherAddress(address));
    }

    #[test]
    fn texts_read_as_written(
        id in id(),
        name in text(MAX_USERNAME),
        long in text(MAX_TEXT),
        domain in text(255),
    ) {
        reads_as_written!(id, Username, Username(&name));
        reads_as_written!(id, Realm, Realm(&long));
        reads_as_written!(id, Software, Software(&long));
        reads_as_written!(id, AlternateDomain, AlternateDomain(&domain));
    }

    #[test]
    fn errors_read_as_written(
        id in id(),
        code in 300u16..700,
        family in any::<u8>(),
        reason in text(MAX_TEXT),
    ) {
        reads_as_written!(id, ErrorCode, ErrorCode { code, reason: &reason });
        let address = AddressErrorCode { family, code, reason: &reason };
        reads_as_written!(id, AddressErrorCode, address);
    }

    #[test]
    fn numbers_read_as_written(id in id(), long in any::<u32>(), short in any::<u16>(),
        byte in any::<u8>(), kind in 0u8..128, flags in any::<(bool, bool)>())
    {
        reads_as_written!(id, Lifetime, Lifetime(long));
        reads_as_written!(id, ConnectionId, ConnectionId(long));
        reads_as_written!(id, CacheTimeout, CacheTimeout(long));
        reads_as_written!(id, ChannelNumber, ChannelNumber(short));
        reads_as_written!(id, ResponsePort, ResponsePort(short));
        reads_as_written!(id, RequestedTransport, RequestedTransport(byte));
        reads_as_written!(id, RequestedAddressFamily, RequestedAddressFamily(byte));
        reads_as_written!(id, AdditionalAddressFamily, AdditionalAddressFamily(byte));
        reads_as_written!(id, Icmp, Icmp { kind, code: byte, data: long });
        reads_as_written!(id, EvenPort, EvenPort { reserve_next: flags.0 });
        reads_as_written!(id, ChangeRequest, ChangeRequest { ip: flags.0, port: flags.1 });
        reads_as_written!(id, DontFragment, DontFragment);
    }

    #[test]
    fn bytes_read_as_written(
        id in id(),
        data in vec(any::<u8>(), 0..3000),
        token in any::<[u8; 8]>(),
        hash in any::<[u8; 32]>(),
    ) {
        reads_as_written!(id, Data, Data(&data));
        reads_as_written!(id, Padding, Padding(&data));
        reads_as_written!(id, Nonce, Nonce(&data[..data.len().min(MAX_TEXT)]));
        reads_as_written!(id, ReservationToken, ReservationToken(token));
        reads_as_written!(id, UserHash, UserHash(hash));
    }

    #[test]
    fn lists_read_as_written(
        id in id(),
        kinds in vec(any::<u16>().prop_map(AttributeType), 0..40),
        algorithms in vec((any::<u16>(), vec(any::<u8>(), 0..9)), 1..8),
    ) {
        reads_as_written!(id, UnknownAttributes, UnknownAttributes::new(&kinds));
        let algorithms: Vec<_> = algorithms
            .iter()
            .map(|(number, parameters)| PasswordAlgorithm { number: *number, parameters })
            .collect();
        reads_as_written!(id, PasswordAlgorithm, algorithms[0]);
        reads_as_written!(id, PasswordAlgorithms, PasswordAlgorithms::new(&algorithms));
    }

    #[test]
    fn a_protected_message_reads_as_written(
        class in class(),
        method in (0u16..0x1000).prop_map(Method),
        id in id(),
        values in vec((0x9000u16..0xA000, vec(any::<u8>(), 0..50)), 0..20),
        key in vec(any::<u8>(), 0..100),
        protection in any::<[bool; 3]>(),
    ) {
        let mut buffer = vec![0xA5; 2048];
        let mut writer = Writer::new(&mut buffer, class, method, id);
        for (kind, value) in &values {
            writer.put_as(AttributeType(*kind), &Data(value));
        }
        let [sha1, sha256, fingerprint] = protection;
        if sha1 { writer.integrity_sha1(&key); }
        if sha256 { writer.integrity_sha256(&key); }
        if fingerprint { writer.fingerprint(); }
        let len = writer.finish().expect("it fits");

        let message = Message::parse(&buffer[..len]).expect("a message");
        prop_assert_eq!(message.class(), class);
        prop_assert_eq!(message.method(), method);
        prop_assert_eq!(message.transaction_id(), id);
        prop_assert_eq!(message.verify_sha1(&key), sha1);
        prop_assert_eq!(message.verify_sha256(&key), sha256);
        prop_assert_eq!(message.has_fingerprint(), fingerprint);
        let other = [&key[..], b"x"].concat();
        prop_assert!(!message.verify_sha1(&other) && !message.verify_sha256(&other));
        let read: Vec<_> = message.attributes().map(|(kind, value)| (kind.0, value.to_vec())).collect();
        prop_assert_eq!(read, values);
    }

    #[test]
    fn a_wrapped_payload_reads_as_it_was(
        id in id(),
        peer in address(),
        payload in vec(any::<u8>(), 0..1500),
    ) {
        let mut buffer = vec![0xA5; HEADROOM + payload.len() + TAILROOM];
        buffer[HEADROOM..HEADROOM + payload.len()].copy_from_slice(&payload);
        let mut packet = Packet::new(&mut buffer, HEADROOM, payload.len());
        wrap_data_indication(&mut packet, peer, id).expect("there is room");
        let message = Message::parse(packet.bytes()).expect("a message");
        prop_assert_eq!(message.get(), Ok(Some(XorPeerAddress(peer))));
        prop_assert_eq!(message.get(), Ok(Some(Data(&payload))));
    }

    #[test]
    fn channel_data_reads_as_written(
        number in 0x4000u16..0x8000,
        payload in vec(any::<u8>(), 0..1500),
        padding in 0usize..4,
    ) {
        let header = channel_data::header(number, payload.len());
        let bytes = [&header[..], &payload, &vec![0; padding]].concat();
        prop_assert_eq!(channel_data::parse(&bytes), Some((number, payload.len())));
    }
}
