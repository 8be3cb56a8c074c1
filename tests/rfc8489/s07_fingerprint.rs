//! Section 7: the FINGERPRINT mechanism, with section 14.7.

use relayhouse::stun::{Class, Method, RequestedTransport, Software, TransactionId};
use relayhouse::turn::DropReason;

use crate::machine::*;

fn request(fingerprint: bool, method: Method) -> Vec<u8> {
    write(Class::Request, method, TransactionId([1; 12]), |w| {
        w.put(&RequestedTransport(17));
        if fingerprint {
            w.fingerprint();
        }
    })
}

/// 7: a message whose FINGERPRINT is wrong is not a STUN message.
#[test]
fn a_wrong_fingerprint_is_discarded() {
    let mut world = World::new();
    let mut bytes = request(true, Method::BINDING);
    *bytes.last_mut().expect("bytes") ^= 1;
    assert!(world.client_sends(Client::at("203.0.113.7:4000").flow, &bytes).is_empty());
    assert_eq!(world.drops, [DropReason::Malformed]);
}

/// 7: who uses the mechanism finds it in every answer, in a challenge too; who does not, in none.
#[test]
fn an_answer_has_a_fingerprint_where_the_request_had_one() {
    let mut world = World::new();
    let client = Client::at("203.0.113.7:4000");
    for method in [Method::BINDING, Method::ALLOCATE] {
        for with in [true, false] {
            let answer = client.exchange(&mut world, &request(with, method));
            assert_eq!(answer.message().has_fingerprint(), with, "{}", method.name());
        }
    }
}

/// 14.7: FINGERPRINT is the last attribute; with something behind it, it is no message.
#[test]
fn nothing_may_stand_behind_a_fingerprint() {
    let mut world = World::new();
    let bytes = write(Class::Request, Method::BINDING, TransactionId([1; 12]), |w| {
        w.fingerprint().put(&Software("behind"));
    });
    assert!(world.client_sends(Client::at("203.0.113.7:4000").flow, &bytes).is_empty());
    assert_eq!(world.drops, [DropReason::Malformed]);
}
