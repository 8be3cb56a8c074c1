//! Every value as the RFCs draw it, byte by byte, and what is no value.

use std::net::SocketAddr;

use super::*;
use crate::stun::{Attribute, Class, HEADER, Message, Method, TransactionId, Writer};

const ID: TransactionId = TransactionId([0x11; 12]);

/// The type, the length and the value of `attribute` as it goes on the wire.
fn on_the_wire<'v, T: Attribute<'v>>(attribute: &T) -> Vec<u8> {
    let mut buffer = [0xFF; 256];
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::BINDING, ID);
    writer.put(attribute);
    let len = writer.finish().expect("it fits");
    assert!(Message::parse(&buffer[..len]).is_ok());
    buffer[HEADER..len].to_vec()
}

fn decode<'a, T: Attribute<'a>>(value: &'a [u8]) -> Result<T, Malformed> {
    T::decode(value, &ID)
}

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

#[test]
fn addresses_look_as_drawn() {
    let v4 = address("192.0.2.1:32853");
    let v6 = address("[2001:db8::1]:32853");
    let plain = [0, 1, 0x80, 0x55, 192, 0, 2, 1];
    assert_eq!(on_the_wire(&MappedAddress(v4)), [&[0, 0x01, 0, 8][..], &plain].concat());
    assert_eq!(on_the_wire(&AlternateServer(v4)), [&[0x80, 0x23, 0, 8][..], &plain].concat());
    assert_eq!(on_the_wire(&ResponseOrigin(v4)), [&[0x80, 0x2B, 0, 8][..], &plain].concat());
    assert_eq!(on_the_wire(&OtherAddress(v4)), [&[0x80, 0x2C, 0, 8][..], &plain].concat());
    let masked = [0, 1, 0xA1, 0x47, 0xE1, 0x12, 0xA6, 0x43];
    assert_eq!(on_the_wire(&XorMappedAddress(v4)), [&[0, 0x20, 0, 8][..], &masked].concat());
    assert_eq!(on_the_wire(&XorPeerAddress(v4)), [&[0, 0x12, 0, 8][..], &masked].concat());
    assert_eq!(on_the_wire(&XorRelayedAddress(v4)), [&[0, 0x16, 0, 8][..], &masked].concat());
    let masked = [
        0, 2, 0xA1, 0x47, 0x01, 0x13, 0xA9, 0xFA, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11,
        0x11, 0x11, 0x11, 0x10,
    ];
    assert_eq!(on_the_wire(&XorPeerAddress(v6)), [&[0, 0x12, 0, 20][..], &masked].concat());
}

#[test]
fn errors_look_as_drawn() {
    assert_eq!(
        on_the_wire(&ErrorCode { code: 438, reason: "old" }),
        [0, 0x09, 0, 7, 0, 0, 4, 38, b'o', b'l', b'd', 0]
    );
    assert_eq!(
        on_the_wire(&AddressErrorCode { family: 2, code: 440, reason: "" }),
        [0x80, 0x01, 0, 4, 2, 0, 4, 40]
    );
    assert_eq!(
        on_the_wire(&UnknownAttributes::new(&[AttributeType(0x7F01)])),
        [0, 0x0A, 0, 2, 0x7F, 0x01, 0, 0]
    );
}

#[test]
fn numbers_look_as_drawn() {
    assert_eq!(on_the_wire(&ChannelNumber(0x4001)), [0, 0x0C, 0, 4, 0x40, 0x01, 0, 0]);
    assert_eq!(on_the_wire(&Lifetime(600)), [0, 0x0D, 0, 4, 0, 0, 0x02, 0x58]);
    assert_eq!(on_the_wire(&RequestedTransport::UDP), [0, 0x19, 0, 4, 17, 0, 0, 0]);
    assert_eq!(on_the_wire(&RequestedTransport::TCP), [0, 0x19, 0, 4, 6, 0, 0, 0]);
    assert_eq!(on_the_wire(&RequestedAddressFamily(1)), [0, 0x17, 0, 4, 1, 0, 0, 0]);
    assert_eq!(on_the_wire(&AdditionalAddressFamily(2)), [0x80, 0x00, 0, 4, 2, 0, 0, 0]);
    assert_eq!(on_the_wire(&EvenPort { reserve_next: true }), [0, 0x18, 0, 1, 0x80, 0, 0, 0]);
    assert_eq!(on_the_wire(&EvenPort { reserve_next: false }), [0, 0x18, 0, 1, 0, 0, 0, 0]);
    assert_eq!(on_the_wire(&DontFragment), [0, 0x1A, 0, 0]);
    assert_eq!(on_the_wire(&ConnectionId(7)), [0, 0x2A, 0, 4, 0, 0, 0, 7]);
    assert_eq!(on_the_wire(&ResponsePort(3478)), [0, 0x27, 0, 2, 0x0D, 0x96, 0, 0]);
    assert_eq!(on_the_wire(&CacheTimeout(9)), [0x80, 0x27, 0, 4, 0, 0, 0, 9]);
    let change = ChangeRequest { ip: true, port: false };
    assert_eq!(on_the_wire(&change), [0, 0x03, 0, 4, 0, 0, 0, 4]);
    let change = ChangeRequest { ip: false, port: true };
    assert_eq!(on_the_wire(&change), [0, 0x03, 0, 4, 0, 0, 0, 2]);
    // Type 3 in seven bits, code 4 in nine.
    assert_eq!(
        on_the_wire(&Icmp { kind: 3, code: 4, data: 1500 }),
        [0x80, 0x04, 0, 8, 0, 0, 0x06, 0x04, 0, 0, 0x05, 0xDC]
    );
}

#[test]
fn texts_and_bytes_look_as_drawn() {
    assert_eq!(on_the_wire(&Username("ab")), [0, 0x06, 0, 2, b'a', b'b', 0, 0]);
    assert_eq!(on_the_wire(&Realm("abcd")), [0, 0x14, 0, 4, b'a', b'b', b'c', b'd']);
    assert_eq!(on_the_wire(&Nonce(b"n")), [0, 0x15, 0, 1, b'n', 0, 0, 0]);
    assert_eq!(on_the_wire(&Software("s")), [0x80, 0x22, 0, 1, b's', 0, 0, 0]);
    assert_eq!(on_the_wire(&AlternateDomain("d")), [0x80, 0x03, 0, 1, b'd', 0, 0, 0]);
    assert_eq!(on_the_wire(&Data(&[])), [0, 0x13, 0, 0]);
    assert_eq!(on_the_wire(&Padding(&[1])), [0, 0x26, 0, 1, 1, 0, 0, 0]);
    assert_eq!(on_the_wire(&ReservationToken([9; 8]))[..4], [0, 0x22, 0, 8]);
    assert_eq!(on_the_wire(&UserHash([9; 32]))[..4], [0, 0x1E, 0, 32]);
    assert_eq!(on_the_wire(&PasswordAlgorithm::SHA256), [0, 0x1D, 0, 4, 0, 2, 0, 0]);
    let both = [PasswordAlgorithm::SHA256, PasswordAlgorithm::MD5];
    assert_eq!(
        on_the_wire(&PasswordAlgorithms::new(&both)),
        [0x80, 0x02, 0, 8, 0, 2, 0, 0, 0, 1, 0, 0]
    );
}

#[test]
fn reserved_bits_are_ignored() {
    assert_eq!(decode(&[0x40, 0x01, 0xFF, 0xFF]), Ok(ChannelNumber(0x4001)));
    assert_eq!(decode(&[17, 1, 2, 3]), Ok(RequestedTransport::UDP));
    assert_eq!(decode(&[2, 1, 2, 3]), Ok(RequestedAddressFamily(2)));
    assert_eq!(decode(&[0x7F]), Ok(EvenPort { reserve_next: false }));
    assert_eq!(decode(&[0xFF, 0xFF, 0xFF, 0xF9]), Ok(ChangeRequest { ip: false, port: false }));
    assert_eq!(decode(&[0xFF, 0xFF, 0xF4, 1]), Ok(ErrorCode { code: 401, reason: "" }));
    let mapped = MappedAddress(address("1.2.3.4:5"));
    assert_eq!(decode(&[0xFF, 1, 0, 5, 1, 2, 3, 4]), Ok(mapped));
}

#[test]
fn values_of_another_length_are_refused() {
    /// Every length up to 40 bytes but those in `right`.
    fn check<T: for<'a> Attribute<'a>>(right: &[usize]) {
        for len in (0..40).filter(|len| !right.contains(len)) {
            let refused = matches!(
                decode::<T>(&vec![1; len]),
                Err(Malformed::ValueLength(kind)) if kind == T::TYPE
            );
            assert!(refused, "{}: {len} bytes", T::TYPE);
        }
        assert!(right.iter().all(|len| decode::<T>(&vec![1; *len]).is_ok()), "{}", T::TYPE);
    }
    check::<MappedAddress>(&[8]);
    check::<XorPeerAddress>(&[8]);
    check::<ChannelNumber>(&[4]);
    check::<Lifetime>(&[4]);
    check::<RequestedTransport>(&[4]);
    check::<RequestedAddressFamily>(&[4]);
    check::<AdditionalAddressFamily>(&[4]);
    check::<EvenPort>(&[1, 4]);
    check::<DontFragment>(&[0]);
    check::<ConnectionId>(&[4]);
    check::<ChangeRequest>(&[4]);
    check::<ResponsePort>(&[2, 4]);
    check::<CacheTimeout>(&[4]);
    check::<ReservationToken>(&[8]);
    check::<UserHash>(&[32]);
    assert_eq!(decode(&[0; 7]), Err::<Icmp, _>(Malformed::ValueLength(AttributeType::ICMP)));
    let unknown = Malformed::ValueLength(AttributeType::UNKNOWN_ATTRIBUTES);
    assert_eq!(decode(&[0; 3]), Err::<UnknownAttributes<'_>, _>(unknown));
    let error = Malformed::ValueLength(AttributeType::ERROR_CODE);
    assert_eq!(decode(&[0, 0, 4]), Err::<ErrorCode<'_>, _>(error));
}

#[test]
fn values_without_a_meaning_are_refused() {
    let family = Malformed::AddressFamily(AttributeType::XOR_PEER_ADDRESS);
    assert_eq!(decode(&[0, 3, 0, 0, 1, 2, 3, 4]), Err::<XorPeerAddress, _>(family));
    let length = Malformed::ValueLength(AttributeType::XOR_PEER_ADDRESS);
    assert_eq!(decode(&[0, 2, 0, 0, 1, 2, 3, 4]), Err::<XorPeerAddress, _>(length));
    let range = Malformed::OutOfRange(AttributeType::ERROR_CODE);
    for value in [[0, 0, 2, 99], [0, 0, 7, 0], [0, 0, 4, 100]] {
        assert_eq!(decode(&value), Err::<ErrorCode<'_>, _>(range));
    }
    let range = Malformed::OutOfRange(AttributeType::ICMP);
    assert_eq!(decode(&[0, 0, 0x07, 0x00, 0, 0, 0, 0]), Err::<Icmp, _>(range));
    let utf8 = Malformed::NotUtf8(AttributeType::USERNAME);
    assert_eq!(decode(&[b'a', 0xFF]), Err::<Username<'_>, _>(utf8));
    let algorithms = Malformed::ValueLength(AttributeType::PASSWORD_ALGORITHMS);
    assert_eq!(decode(&[0, 1, 0, 4, 1]), Err::<PasswordAlgorithms<'_>, _>(algorithms));
}

#[test]
fn texts_have_bounds() {
    let long = [b'x'; MAX_TEXT + 1];
    assert!(decode::<Username<'_>>(&long[..MAX_USERNAME]).is_ok());
    assert!(decode::<Username<'_>>(&long[..=MAX_USERNAME]).is_err());
    assert!(decode::<Realm<'_>>(&long[..MAX_TEXT]).is_ok() && decode::<Realm<'_>>(&long).is_err());
    assert!(decode::<Nonce<'_>>(&long[..MAX_TEXT]).is_ok() && decode::<Nonce<'_>>(&long).is_err());
    assert!(decode::<Software<'_>>(&long).is_err());
    assert!(decode::<AlternateDomain<'_>>(&long[..256]).is_err());
}

#[test]
fn an_algorithm_may_come_without_its_inner_padding() {
    let odd = PasswordAlgorithm { number: 9, parameters: b"abc" };
    assert_eq!(decode(&[0, 9, 0, 3, b'a', b'b', b'c']), Ok(odd));
    assert_eq!(decode(&[0, 9, 0, 3, b'a', b'b', b'c', 0]), Ok(odd));
}
