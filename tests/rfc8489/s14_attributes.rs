//! Section 14: attributes, as far as a server acts on them.

use relayhouse::stun::{
    AttributeType, Class, Lifetime, Method, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm,
    RequestedTransport, Software, UserHash, Username,
};

use crate::machine::*;
use crate::modern::*;

/// A signed Allocate of Alice, by hand.
fn allocate(client: &mut Client, put: impl FnOnce(&mut relayhouse::stun::Writer<'_>)) -> Vec<u8> {
    let id = client.id();
    let key = client.key();
    write(Class::Request, Method::ALLOCATE, id, |w| {
        put(w);
        w.integrity_sha1(&key);
    })
}

fn greeted(world: &mut World) -> Client {
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(world);
    client
}

/// 14: padding is there to be ignored, whatever its bytes are.
#[test]
fn padding_of_a_request_may_be_anything() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let mut request = client.bare(Method::BINDING, |w| {
        w.put(&Software("x"));
    });
    let end = request.len();
    request[end - 3..].copy_from_slice(b"abc");
    assert_eq!(client.exchange(&mut world, &request).code(), 0);
}

/// 14: padding of an answer is zero: what lay in the buffer before is nobody's business.
#[test]
fn padding_of_an_answer_is_zero() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |_| {});
    let bytes = client.exchange(&mut world, &request).bytes;
    let (mut at, mut seen) = (20, 0);
    while at < bytes.len() {
        let length = usize::from(u16::from_be_bytes([bytes[at + 2], bytes[at + 3]]));
        let (end, next) = (at + 4 + length, at + 4 + length.next_multiple_of(4));
        assert!(bytes[end..next].iter().all(|byte| *byte == 0));
        seen += next - end;
        at = next;
    }
    assert!(seen > 0, "something in a challenge is padded");
}

/// 14: of an attribute that is there twice, the first counts.
#[test]
fn the_first_of_two_attributes_counts() {
    let mut world = World::new();
    let mut client = greeted(&mut world);
    let nonce = client.nonce.clone();
    let request = allocate(&mut client, |w| {
        w.put(&RequestedTransport(17)).put(&RequestedTransport(6));
        w.put(&Username("alice")).put(&Username("mallory"));
        w.put(&Realm(REALM)).put(&Realm("elsewhere"));
        w.put(&Nonce(&nonce)).put(&Nonce(b"other"));
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 0);
}

/// 14.3: a USERNAME that is not UTF-8 is 400.
#[test]
fn a_username_that_is_no_text_is_a_bad_request() {
    let mut world = World::new();
    let mut client = greeted(&mut world);
    let nonce = client.nonce.clone();
    let request = allocate(&mut client, |w| {
        w.put_as(AttributeType::USERNAME, &Nonce(b"\xFF\xFE"));
        w.put(&Realm(REALM)).put(&Nonce(&nonce));
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 400);
}

/// 14.4: a USERHASH has 32 bytes; another length is 400.
#[test]
fn a_userhash_of_another_length_is_a_bad_request() {
    let mut world = World::new();
    let mut client = greeted(&mut world);
    let nonce = client.nonce.clone();
    for length in [0, 31, 33] {
        let request = allocate(&mut client, |w| {
            w.put_as(AttributeType::USERHASH, &Nonce(&[7; 33][..length]));
            w.put(&Realm(REALM)).put(&Nonce(&nonce));
        });
        assert_eq!(client.exchange(&mut world, &request).code(), 400);
    }
}

/// 14.4: USERHASH stands in the place of USERNAME, not beside it: 400.
#[test]
fn two_names_are_a_bad_request() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let (key, UserHash(hash)) = (modern.key(), modern.hash());
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&UserHash(hash));
        w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
        w.integrity_sha256(&key);
    });
    assert_eq!(answer.code(), 400);
}

/// 14.5: what stands behind MESSAGE-INTEGRITY is ignored.
#[test]
fn nothing_behind_the_integrity_counts() {
    let mut world = World::new();
    let mut client = greeted(&mut world);
    let (key, nonce, id) = (client.key(), client.nonce.clone(), client.id());
    let request = write(Class::Request, Method::ALLOCATE, id, |w| {
        w.put(&RequestedTransport(17));
        w.put(&Username("alice")).put(&Realm(REALM)).put(&Nonce(&nonce));
        w.integrity_sha1(&key);
        w.put(&Lifetime(3000)).put_as(AttributeType(0x7777), &Software("unsigned"));
    });
    let answer = client.exchange(&mut world, &request);
    assert_eq!(answer.get::<Lifetime>(), Some(Lifetime(600)));
}

/// 14.5, 14.6: what stands behind MESSAGE-INTEGRITY-SHA256 is ignored too.
#[test]
fn nothing_behind_the_stronger_integrity_counts() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    let answer = modern.try_allocate(&mut world, |w| {
        w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
        w.integrity_sha256(&key);
        w.put(&Lifetime(3000)).put_as(AttributeType(0x7777), &Software("unsigned"));
    });
    assert_eq!(answer.get::<Lifetime>(), Some(Lifetime(600)));
}

/// 14.6: the HMAC may be truncated to no less than 16 bytes; ours is whole.
#[test]
fn a_truncated_integrity_counts_down_to_16_bytes() {
    for (length, code) in [(16, Some(0)), (28, Some(0)), (32, Some(0)), (12, None), (18, None)] {
        let mut world = World::new();
        let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
        let id = modern.client.id();
        let build = |length: usize| {
            // The length that is signed is that of the message as it is sent.
            let mut bytes = write(Class::Request, Method::ALLOCATE, id, |w| {
                w.put(&RequestedTransport(17));
                modern.identify(w);
                w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
            });
            let total = bytes.len() - 20 + 4 + length;
            bytes[2..4].copy_from_slice(&u16::try_from(total).expect("short").to_be_bytes());
            let mac = hmac_sha256(&modern.key(), &bytes);
            bytes.extend([0x00, 0x1C, 0x00, u8::try_from(length).expect("short")]);
            bytes.extend(&mac[..length]);
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            bytes
        };
        let sent = world.client_sends(modern.client.flow, &build(length));
        assert_eq!(sent.first().map(Sent::code), code, "{length} bytes");
    }
}

fn hmac_sha256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    use hmac::{Hmac, KeyInit, Mac};
    let mut mac = <Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// 14.10: a NONCE has fewer than 128 characters, which are 763 bytes at most; a longer one is 400.
#[test]
fn a_nonce_beyond_its_bound_is_a_bad_request() {
    let mut world = World::new();
    let mut client = greeted(&mut world);
    // A DATA attribute may be longer, and is read as a NONCE.
    let request = allocate(&mut client, |w| {
        w.put(&Username("alice")).put(&Realm(REALM));
        w.put_as(AttributeType::NONCE, &relayhouse::stun::Data(&[b'x'; 764]));
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 400);
}

/// 14.11, 14.12: a list or an algorithm that ends in its middle is 400.
#[test]
fn algorithms_cut_off_are_a_bad_request() {
    let mut world = World::new();
    let mut modern = Modern::greeted(&mut world, "203.0.113.7:4000");
    let key = modern.key();
    for (kind, value) in [
        (AttributeType::PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0][..]),
        (AttributeType::PASSWORD_ALGORITHM, &[0, 2, 0][..]),
        (AttributeType::PASSWORD_ALGORITHM, &[0, 2, 0, 8, 1, 2, 3, 4][..]),
    ] {
        let answer = modern.try_allocate(&mut world, |w| {
            w.put_as(kind, &Nonce(value));
            w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
            w.integrity_sha256(&key);
        });
        assert_eq!(answer.code(), 400);
    }
}
