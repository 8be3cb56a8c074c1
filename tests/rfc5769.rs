//! The published test vectors: RFC 5769 section 2, and RFC 8489 appendix B.1 with erratum 6268.

use md5::{Digest, Md5};
use relayhouse::stun::{
    AttributeType, Class, Malformed, Message, Method, Nonce, PasswordAlgorithm, Realm, Software,
    TransactionId, UserHash, Username, Writer, XorMappedAddress,
};
use sha2::Sha256;

/// RFC 5769 section 2.1.
const REQUEST: &str = "
    00010058 2112a442 b7e7a701 bc34d686 fa87dfae
    80220010 5354554e 20746573 7420636c 69656e74
    00240004 6e0001ff
    80290008 932ff9b1 51263b36
    00060009 6576746a 3a683676 59202020
    00080014 9aeaa70c bfd8cb56 781ef2b5 b2d3f249 c1b571a2
    80280004 e57a3bcf";
/// RFC 5769 section 2.2.
const IPV4_RESPONSE: &str = "
    0101003c 2112a442 b7e7a701 bc34d686 fa87dfae
    8022000b 74657374 20766563 746f7220
    00200008 0001a147 e112a643
    00080014 2b91f599 fd9e90c3 8c7489f9 2af9ba53 f06be7d7
    80280004 c07d4c96";
/// RFC 5769 section 2.3.
const IPV6_RESPONSE: &str = "
    01010048 2112a442 b7e7a701 bc34d686 fa87dfae
    8022000b 74657374 20766563 746f7220
    00200014 0002a147 0113a9fa a5d3f179 bc25f4b5 bed2b9d9
    00080014 a382954e 4be67bf1 1784c97c 8292c275 bfe3ed41
    80280004 c8fb0b4c";
/// RFC 5769 section 2.4.
const LONG_TERM_REQUEST: &str = "
    00010060 2112a442 78ad3433 c6ad72c0 29da412e
    00060012 e3839ee3 8388e383 aae38383 e382afe3 82b90000
    0015001c 662f2f34 39396b39 35346436 4f4c3334 6f4c3946 53547679 36347341
    0014000b 6578616d 706c652e 6f726700
    00080014 f6702465 6dd64a3e 02b8e071 2e85c9a2 8ca89666";
/// RFC 8489 appendix B.1 as erratum 6268 has it.
const SHA256_REQUEST: &str = "
    00010090 2112a442 78ad3433 c6ad72c0 29da412e
    001e0020 4a3cf38f ef6992bd a952c678 0417da0f 24819415 569e60b2 05c46e41 407f1704
    00150029 6f624d61 744a6f73 32414141 43662f2f 3439396b 39353464 364f4c33 346f4c39
             46535476 79363473 41000000
    0014000b 6578616d 706c652e 6f726700
    001d0004 00020000
    001c0020 b5c7bf00 5b6c52a2 1c51c5e8 92f81924 136296cb 927c4314 9309278c c6518e65";

/// Key of the short-term vectors.
const PASSWORD: &[u8] = b"VOkJxbRl1RmTxUk/WvJxBt";
const USERNAME: &str = "\u{30DE}\u{30C8}\u{30EA}\u{30C3}\u{30AF}\u{30B9}";
const REALM: &str = "example.org";

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex
        .chars()
        .filter_map(|digit| digit.to_digit(16))
        .map(|digit| u8::try_from(digit).expect("a digit"))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn saslprep(text: &str) -> String {
    stringprep::saslprep(text).expect("no prohibited character").into_owned()
}

/// MD5 of "username:realm:password", each prepared.
fn long_term_key() -> Vec<u8> {
    let password = saslprep("The\u{AD}M\u{AA}tr\u{2168}");
    assert_eq!(password, "TheMatrIX");
    Md5::digest(format!("{}:{REALM}:{password}", saslprep(USERNAME))).to_vec()
}

#[test]
fn the_request_reads_as_published() {
    let bytes = bytes(REQUEST);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.class(), Class::Request);
    assert_eq!(message.method(), Method::BINDING);
    assert_eq!(message.transaction_id().to_string(), "b7e7a701bc34d686fa87dfae");
    assert_eq!(message.get(), Ok(Some(Software("STUN test client"))));
    assert_eq!(message.get(), Ok(Some(Username("evtj:h6vY"))));
    let priority = AttributeType(0x0024);
    let values: Vec<_> = message.attributes().filter(|(kind, _)| *kind == priority).collect();
    assert_eq!(values, [(priority, &[0x6E, 0x00, 0x01, 0xFF][..])]);
    assert_eq!(message.unknown_required().collect::<Vec<_>>(), [priority]);
    assert!(message.has_fingerprint());
    assert!(message.verify_sha1(PASSWORD));
    assert!(!message.verify_sha1(b"another password"));
}

#[test]
fn the_ipv4_response_reads_as_published() {
    let bytes = bytes(IPV4_RESPONSE);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.class(), Class::Success);
    assert_eq!(message.get(), Ok(Some(Software("test vector"))));
    let mapped = "192.0.2.1:32853".parse().expect("an address");
    assert_eq!(message.get(), Ok(Some(XorMappedAddress(mapped))));
    assert!(message.has_fingerprint());
    assert!(message.verify_sha1(PASSWORD));
}

#[test]
fn the_ipv6_response_reads_as_published() {
    let bytes = bytes(IPV6_RESPONSE);
    let message = Message::parse(&bytes).expect("a message");
    assert_eq!(message.get(), Ok(Some(Software("test vector"))));
    let mapped = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().expect("an address");
    assert_eq!(message.get(), Ok(Some(XorMappedAddress(mapped))));
    assert!(message.has_fingerprint());
    assert!(message.verify_sha1(PASSWORD));
}

#[test]
fn the_long_term_request_reads_as_published() {
    let bytes = bytes(LONG_TERM_REQUEST);
    let message = Message::parse(&bytes).expect("a message");
    let Username(username) = message.get().expect("UTF-8").expect("a username");
    assert_eq!(username, USERNAME);
    assert_eq!(saslprep(username), username);
    assert_eq!(message.get(), Ok(Some(Nonce(b"f//499k954d6OL34oL9FSTvy64sA"))));
    assert_eq!(message.get(), Ok(Some(Realm(REALM))));
    assert!(!message.has_fingerprint());
    assert!(message.verify_sha1(&long_term_key()));
    assert!(!message.verify_sha256(&long_term_key()));
}

#[test]
fn the_long_term_request_is_written_as_published() {
    let expected = bytes(LONG_TERM_REQUEST);
    let id = Message::parse(&expected).expect("a message").transaction_id();
    let mut buffer = [0xFF; 256];
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::BINDING, id);
    writer
        .put(&Username(USERNAME))
        .put(&Nonce(b"f//499k954d6OL34oL9FSTvy64sA"))
        .put(&Realm(REALM))
        .integrity_sha1(&long_term_key());
    let len = writer.finish().expect("it fits");
    assert_eq!(buffer[..len], expected);
}

fn sha256_key() -> Vec<u8> {
    Sha256::digest(format!("{USERNAME}:{REALM}:TheMatrIX")).to_vec()
}

#[test]
fn the_sha256_request_reads_as_published() {
    let bytes = bytes(SHA256_REQUEST);
    let message = Message::parse(&bytes).expect("a message");
    let hash = Sha256::digest(format!("{USERNAME}:{REALM}"));
    assert_eq!(message.get(), Ok(Some(UserHash(hash.into()))));
    assert_eq!(message.get(), Ok(Some(Nonce(b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"))));
    assert_eq!(message.get(), Ok(Some(Realm(REALM))));
    assert_eq!(message.get(), Ok(Some(PasswordAlgorithm::SHA256)));
    assert!(message.has_integrity_sha256() && !message.has_integrity());
    assert!(message.verify_sha256(&sha256_key()));
    assert!(!message.verify_sha256(&long_term_key()));
}

#[test]
fn the_sha256_request_is_written_as_published() {
    let expected = bytes(SHA256_REQUEST);
    let id = TransactionId(expected[8..20].try_into().expect("twelve bytes"));
    let mut buffer = [0xFF; 256];
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::BINDING, id);
    writer
        .put(&UserHash(Sha256::digest(format!("{USERNAME}:{REALM}")).into()))
        .put(&Nonce(b"obMatJos2AAACf//499k954d6OL34oL9FSTvy64sA"))
        .put(&Realm(REALM))
        .put(&PasswordAlgorithm::SHA256)
        .integrity_sha256(&sha256_key());
    let len = writer.finish().expect("it fits");
    assert_eq!(buffer[..len], expected);
}

#[test]
fn a_flipped_bit_breaks_the_fingerprint_of_every_vector() {
    for vector in [REQUEST, IPV4_RESPONSE, IPV6_RESPONSE] {
        let original = bytes(vector);
        for bit in 0..original.len() * 8 {
            let mut damaged = original.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            match Message::parse(&damaged) {
                Err(_) => {}
                // Only when the attribute stops being FINGERPRINT may the message pass.
                Ok(message) => assert!(!message.has_fingerprint(), "bit {bit}"),
            }
        }
    }
}

#[test]
fn a_flipped_bit_breaks_the_integrity_of_the_long_term_request() {
    let original = bytes(LONG_TERM_REQUEST);
    let key = long_term_key();
    for bit in 0..original.len() * 8 {
        let mut damaged = original.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        let verified = Message::parse(&damaged).map(|message| message.verify_sha1(&key));
        assert!(!matches!(verified, Ok(true)), "bit {bit}");
    }
    assert_eq!(
        Message::parse(&original[..original.len() - 1]).err(),
        Some(Malformed::MessageLength)
    );
}
