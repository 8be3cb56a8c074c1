//! What counts in a message and what does not.

use super::*;
use crate::stun::{
    AdditionalAddressFamily, ErrorCode, Lifetime, Realm, RequestedTransport, Software, Username,
    Writer,
};

const ID: TransactionId = TransactionId([3; 12]);
const KEY: &[u8] = b"key";

/// A request with what `write` puts into it.
fn request(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut buffer = vec![0xAA; 2048];
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, ID);
    write(&mut writer);
    let len = writer.finish().expect("the request fits");
    buffer.truncate(len);
    buffer
}

/// Header and attributes as raw words, with the right length.
fn raw(attributes: &[u8]) -> Vec<u8> {
    let len = u16::try_from(attributes.len()).expect("a small message");
    let header = Header { class: Class::Request, method: Method::BINDING, len, id: ID };
    [&header.encode()[..], attributes].concat()
}

#[test]
fn an_empty_message_is_its_header() {
    let bytes = raw(&[]);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.attributes().count(), 0);
    assert_eq!(message.get::<Lifetime>(), Ok(None));
    assert!(!message.has_integrity() && !message.verify_sha1(KEY) && !message.verify_sha256(KEY));
}

#[test]
fn bytes_that_are_not_one_whole_message_are_refused() {
    let bytes = request(|out| {
        out.put(&Lifetime(600));
    });
    for len in 0..HEADER {
        assert_eq!(Message::parse(&bytes[..len]).err(), Some(Malformed::TooShort));
    }
    for len in HEADER..bytes.len() {
        assert_eq!(Message::parse(&bytes[..len]).err(), Some(Malformed::MessageLength));
    }
    let longer = [&bytes[..], &[0; 4]].concat();
    assert_eq!(Message::parse(&longer).err(), Some(Malformed::MessageLength));
}

#[test]
fn other_cookies_and_first_bits_are_not_stun() {
    for (at, value) in [(4, 0x20), (7, 0x43), (0, 0x40), (0, 0x80)] {
        let mut bytes = raw(&[]);
        bytes[at] = value;
        assert_eq!(Message::parse(&bytes).err(), Some(Malformed::NotStun), "byte {at}");
    }
}

#[test]
fn a_length_that_is_no_multiple_of_four_is_refused() {
    let bytes = raw(&[0x80, 0x22, 0x00, 0x01, b'x']);
    assert_eq!(Message::parse(&bytes).err(), Some(Malformed::MessageLength));
}

#[test]
fn an_attribute_beyond_the_end_is_refused() {
    for len in [5, 8, 0xFFFC, 0xFFFF] {
        let [high, low] = u16::to_be_bytes(len);
        let bytes = raw(&[0x80, 0x22, high, low, 1, 2, 3, 4]);
        let expected = Malformed::Truncated(AttributeType::SOFTWARE);
        assert_eq!(Message::parse(&bytes).err(), Some(expected), "length {len}");
    }
}

#[test]
fn padding_may_hold_anything() {
    let bytes = raw(&[0x80, 0x22, 0x00, 0x01, b'x', 0xFF, 0xFE, 0xFD]);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.get(), Ok(Some(Software("x"))));
}

#[test]
fn the_first_of_two_equal_attributes_counts() {
    let bytes = request(|out| {
        out.put(&Lifetime(1)).put(&Lifetime(2));
    });
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.get(), Ok(Some(Lifetime(1))));
    let all: Vec<_> = message.all::<Lifetime>().collect();
    assert_eq!(all, [Ok(Lifetime(1)), Ok(Lifetime(2))]);
}

#[test]
fn attributes_behind_message_integrity_are_not_seen() {
    // RFC 8489 section 14.5: all but MESSAGE-INTEGRITY-SHA256 and FINGERPRINT must be ignored there.
    let bytes = request(|out| {
        out.put(&Username("anna")).integrity_sha1(KEY);
        out.put(&Realm("behind")).put(&Lifetime(9)).put_as(AttributeType(0x0070), &Lifetime(9));
    });
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.verify_sha1(KEY));
    assert_eq!(message.get::<Realm<'_>>(), Ok(None));
    assert_eq!(message.all::<Lifetime>().count(), 0);
    assert!(!message.has(AttributeType::LIFETIME));
    assert_eq!(message.range_of(AttributeType::LIFETIME), None);
    assert_eq!(message.unknown_required().count(), 0);
    let seen: Vec<_> = message.attributes().map(|(kind, _)| kind).collect();
    assert_eq!(seen, [AttributeType::USERNAME]);
}

#[test]
fn attributes_between_the_two_integrities_are_not_seen() {
    let bytes = request(|out| {
        out.integrity_sha1(KEY).put(&Lifetime(9)).integrity_sha256(KEY).fingerprint();
    });
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.verify_sha1(KEY) && message.verify_sha256(KEY) && message.has_fingerprint());
    assert_eq!(message.get::<Lifetime>(), Ok(None));
}

#[test]
fn message_integrity_behind_the_sha256_one_does_not_count() {
    // RFC 8489 section 14.6: all but FINGERPRINT must be ignored there.
    let bytes = request(|out| {
        out.integrity_sha256(KEY).integrity_sha1(KEY).put(&Lifetime(9));
    });
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.has_integrity_sha256() && message.verify_sha256(KEY));
    assert!(!message.has_integrity() && !message.verify_sha1(KEY));
    assert_eq!(message.get::<Lifetime>(), Ok(None));
}

#[test]
fn a_second_message_integrity_does_not_count() {
    let bytes = request(|out| {
        out.integrity_sha1(b"another").integrity_sha1(KEY);
    });
    let message = Message::parse(&bytes).expect("a message");
    assert!(!message.verify_sha1(KEY) && message.verify_sha1(b"another"));
}

#[test]
fn integrity_covers_what_is_before_it() {
    let mut bytes = request(|out| {
        out.put(&Username("anna")).integrity_sha1(KEY).integrity_sha256(KEY);
    });
    bytes[HEADER + 4] ^= 1;
    let message = Message::parse(&bytes).expect("a message");
    assert!(message.has_integrity() && message.has_integrity_sha256());
    assert!(!message.verify_sha1(KEY) && !message.verify_sha256(KEY));
}

#[test]
fn a_truncated_sha256_counts_down_to_sixteen_bytes() {
    for len in (16..=32).step_by(4) {
        let bytes = raw(&[]);
        let mac = truncated_mac(&bytes, len);
        let [_, low] = u16::try_from(len).expect("small").to_be_bytes();
        let bytes = raw(&[&[0x00, 0x1C, 0x00, low], &mac[..]].concat());
        let message = Message::parse(&bytes).expect("a message");
        assert!(message.verify_sha256(KEY), "{len} bytes");
        assert!(!message.verify_sha256(b"another"), "{len} bytes");
    }
}

/// What a client that truncates would send behind a bare header.
fn truncated_mac(header: &[u8], len: usize) -> Vec<u8> {
    use hmac::{Hmac, KeyInit, Mac};
    let mut header = header.to_vec();
    header[3] = u8::try_from(4 + len).expect("small");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).expect("a key");
    mac.update(&header);
    mac.finalize().into_bytes()[..len].to_vec()
}

#[test]
fn integrity_of_another_length_is_refused() {
    for (kind, len) in [(0x08, 16), (0x08, 24), (0x1C, 0), (0x1C, 12), (0x1C, 18), (0x1C, 36)] {
        let value = vec![7; usize::from(len).next_multiple_of(4)];
        let bytes = raw(&[&[0x00, kind, 0x00, len], &value[..]].concat());
        let expected = Malformed::ValueLength(AttributeType(u16::from(kind)));
        assert_eq!(Message::parse(&bytes).err(), Some(expected), "type {kind:#x}, {len} bytes");
    }
}

#[test]
fn a_wrong_fingerprint_is_refused() {
    let mut bytes = request(|out| {
        out.put(&Lifetime(1)).fingerprint();
    });
    assert!(Message::parse(&bytes).expect("a message").has_fingerprint());
    *bytes.last_mut().expect("a byte") ^= 1;
    assert_eq!(Message::parse(&bytes).err(), Some(Malformed::Fingerprint));
    let bytes = raw(&[0x80, 0x28, 0x00, 0x00]);
    assert_eq!(Message::parse(&bytes).err(), Some(Malformed::Fingerprint));
}

#[test]
fn nothing_may_follow_the_fingerprint() {
    // The CRC has to be right for the length the message has in the end.
    let attributes = [0x80, 0x28, 0x00, 0x04, 0, 0, 0, 0, 0x80, 0x22, 0x00, 0x00];
    let mut bytes = raw(&attributes);
    let mut crc = crc32fast::Hasher::new();
    crc.update(&[&bytes[..2], &[0, 8], &bytes[4..HEADER]].concat());
    let crc = (crc.finalize() ^ 0x5354_554E).to_be_bytes();
    bytes[HEADER + 4..HEADER + 8].copy_from_slice(&crc);
    assert_eq!(Message::parse(&bytes).err(), Some(Malformed::FingerprintNotLast));
}

#[test]
fn only_required_attributes_that_no_rfc_of_ours_names_are_unknown() {
    let bytes = request(|out| {
        out.put(&RequestedTransport::UDP);
        out.put_as(AttributeType(0x0010), &Lifetime(1));
        out.put_as(AttributeType(0xC057), &Lifetime(1));
        out.put_as(AttributeType(0x7FFF), &Lifetime(1));
    });
    let message = Message::parse(&bytes).expect("a message");
    let unknown: Vec<_> = message.unknown_required().map(|kind| kind.0).collect();
    assert_eq!(unknown, [0x0010, 0x7FFF]);
}

#[test]
fn an_attribute_is_also_found_under_its_old_number() {
    for kind in
        [AttributeType::ADDITIONAL_ADDRESS_FAMILY, AttributeType::OLD_ADDITIONAL_ADDRESS_FAMILY]
    {
        let bytes = request(|out| {
            out.put_as(kind, &AdditionalAddressFamily(2));
        });
        let message = Message::parse(&bytes).expect("a message");
        assert_eq!(message.get(), Ok(Some(AdditionalAddressFamily(2))));
        assert!(message.has(kind));
    }
}

#[test]
fn a_value_without_sense_is_an_error_only_when_asked_for() {
    let bytes = raw(&[0x00, 0x0D, 0x00, 0x02, 1, 2, 0, 0, 0x00, 0x09, 0x00, 0x04, 0, 0, 9, 1]);
    let message = Message::parse(&bytes).expect("a message");
    let length = Malformed::ValueLength(AttributeType::LIFETIME);
    assert_eq!(message.get::<Lifetime>(), Err(length));
    let range = Malformed::OutOfRange(AttributeType::ERROR_CODE);
    assert_eq!(message.get::<ErrorCode<'_>>(), Err(range));
}

#[test]
fn the_place_of_a_value_is_known() {
    let bytes = request(|out| {
        out.put(&Username("anna")).put(&Software("x"));
    });
    let message = Message::parse(&bytes).expect("a message");
    let range = message.range_of(AttributeType::SOFTWARE).expect("SOFTWARE is there");
    assert_eq!(&bytes[range], b"x");
}

#[test]
fn debug_shows_no_values() {
    let bytes = request(|out| {
        out.put(&Username("anna"));
    });
    let text = format!("{:?}", Message::parse(&bytes).expect("a message"));
    assert!(text.contains("Request"), "{text}");
    assert!(!text.contains("anna") && !text.contains("97, 110"), "{text}");
}
