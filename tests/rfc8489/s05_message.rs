//! Section 5: STUN message structure.

use relayhouse::stun::{Class, MAGIC_COOKIE, Method, RequestedTransport, TransactionId};
use relayhouse::turn::DropReason;

use crate::machine::*;

fn binding() -> Vec<u8> {
    write(Class::Request, Method::BINDING, TransactionId([5; 12]), |_| {})
}

/// Sends what is no message; it has to be dropped.
fn is_dropped(bytes: &[u8]) {
    let mut world = World::new();
    assert!(world.client_sends(Client::at("203.0.113.7:4000").flow, bytes).is_empty());
    assert_eq!(world.drops, [DropReason::Malformed]);
}

/// 5: every message begins with two zero bits, a type, a length and the magic cookie.
#[test]
fn a_request_begins_as_the_figure_shows() {
    let bytes = binding();
    assert_eq!(bytes[..8], [0x00, 0x01, 0, 0, 0x21, 0x12, 0xA4, 0x42]);
    assert_eq!(MAGIC_COOKIE.to_be_bytes(), [0x21, 0x12, 0xA4, 0x42]);
}

/// 5: the class is in bits 4 and 8 of the type: 0b10 a success, 0b11 an error.
#[test]
fn the_class_of_an_answer_stands_in_its_two_bits() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::BINDING, |_| {});
    assert_eq!(client.exchange(&mut world, &request).bytes[..2], [0x01, 0x01]);
    let request = client.bare(Method::ALLOCATE, |_| {});
    assert_eq!(client.exchange(&mut world, &request).bytes[..2], [0x01, 0x13]);
}

/// 5: the transaction id of a request is echoed in its answer, a success or an error.
#[test]
fn the_transaction_id_is_echoed() {
    let mut world = World::new();
    let client = Client::at("203.0.113.7:4000");
    let id = TransactionId(*b"twelve bytes");
    for method in [Method::BINDING, Method::ALLOCATE, Method::REFRESH] {
        let request = write(Class::Request, method, id, |_| {});
        assert_eq!(client.exchange(&mut world, &request).message().transaction_id(), id);
    }
}

/// 5: the cookie tells STUN from everything else; what has another one is not STUN (section 11: the
/// classic protocol, which had none, is not spoken).
#[test]
fn a_wrong_cookie_is_no_message() {
    let mut bytes = binding();
    bytes[4] = 0x22;
    is_dropped(&bytes);
}

/// 5: the length counts everything behind the header, no more and no less.
#[test]
fn a_wrong_length_is_no_message() {
    for length in [4u16, 8, 0xFFFC] {
        let mut bytes = binding();
        bytes[2..4].copy_from_slice(&length.to_be_bytes());
        is_dropped(&bytes);
    }
    let mut longer = binding();
    longer.extend([0; 4]);
    is_dropped(&longer);
}

/// 5: attributes are padded, so that the last two bits of the length are zero.
#[test]
fn a_length_that_is_no_multiple_of_four_is_no_message() {
    let mut bytes = binding();
    bytes.extend([0x80, 0x22, 0]);
    bytes[3] = 3;
    is_dropped(&bytes);
}

/// 5: an answer is as long as its length says, which is a multiple of four.
#[test]
fn the_length_of_an_answer_is_right() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |w| {
        w.put(&RequestedTransport(17));
    });
    let answer = client.exchange(&mut world, &request);
    let length = u16::from_be_bytes([answer.bytes[2], answer.bytes[3]]);
    assert_eq!((usize::from(length), length % 4), (answer.bytes.len() - 20, 0));
}
