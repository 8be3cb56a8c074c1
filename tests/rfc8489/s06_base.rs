//! Section 6: base protocol procedures, as a server follows them.

use relayhouse::stun::{
    AttributeType, Class, ErrorCode, Method, Nonce, Realm, TransactionId, UnknownAttributes,
    Username, XorMappedAddress,
};
use relayhouse::turn::Route;

use crate::machine::*;

/// 6.3.1: 420 names the attributes that must be understood and are not; no other stands in its list.
#[test]
fn all_unknown_attributes_are_named_and_no_others() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let (first, second) = (AttributeType(0x7001), AttributeType(0x7002));
    let request = client.bare(Method::BINDING, |w| {
        w.put_as(first, &Username("x"))
            .put_as(AttributeType(0xC001), &Username("optional"))
            .put(&Username("known"))
            .put_as(second, &Username("y"));
    });
    let answer = client.exchange(&mut world, &request);
    assert_eq!(answer.code(), 420);
    let unknown = answer.get::<UnknownAttributes<'_>>().expect("a list");
    assert_eq!(unknown.iter().collect::<Vec<_>>(), [first, second]);
}

/// 6.3.1: who is asked for credentials is asked first; what is unknown is only said to who has them.
#[test]
fn authentication_comes_before_unknown_attributes() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |w| {
        w.put_as(AttributeType(0x7001), &Username("x"));
    });
    assert_eq!(client.exchange(&mut world, &request).code(), 401);
}

/// 6.3.1.1: an error answer has an ERROR-CODE with a reason; a 4xx of the authentication leaves out
/// what belongs to a success.
#[test]
fn an_error_says_why_and_nothing_of_a_success() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    let request = client.bare(Method::ALLOCATE, |_| {});
    let answer = client.exchange(&mut world, &request);
    let error = answer.get::<ErrorCode<'_>>().expect("an error");
    assert_eq!((error.code, error.reason.is_empty()), (401, false));
    assert!(answer.get::<XorMappedAddress>().is_none());
}

/// 6.3.1.2: the answer goes to where the request came from, from where it arrived.
#[test]
fn an_answer_goes_back_the_same_way() {
    let mut world = World::new();
    let mut client = Client::at("[2001:db8:9::7]:4000");
    let request = client.bare(Method::BINDING, |_| {});
    let sent = world.client_sends(client.flow, &request);
    assert_eq!(sent[0].route, Route::Client(client.flow));
}

/// 6.3.1: a retransmitted request is answered again, the same.
#[test]
fn a_retransmission_gets_the_same_answer() {
    let mut world = World::new();
    let mut client = Client::at("203.0.113.7:4000");
    client.greet(&mut world);
    let allocate = client.request(Method::ALLOCATE, |w| {
        w.put(&relayhouse::stun::RequestedTransport(17));
    });
    let first = client.exchange(&mut world, &allocate);
    assert_eq!(first.code(), 0);
    assert_eq!(client.exchange(&mut world, &allocate), first);
}

/// 6.3.2: an indication gets no answer, not even one with an unknown attribute.
#[test]
fn an_indication_is_never_answered() {
    let mut world = World::new();
    let flow = Client::at("203.0.113.7:4000").flow;
    let bytes = write(Class::Indication, Method::BINDING, TransactionId([1; 12]), |w| {
        w.put_as(AttributeType(0x7001), &Username("x"));
    });
    assert!(world.client_sends(flow, &bytes).is_empty());
}

/// 6.3: a request that is only a challenge's worth leaves nothing behind: two 401s are independent.
#[test]
fn a_challenge_costs_no_memory() {
    let mut world = World::new();
    for port in 4000..4100 {
        let mut client = Client::at(&format!("203.0.113.7:{port}"));
        let request = client.bare(Method::ALLOCATE, |_| {});
        let answer = client.exchange(&mut world, &request);
        assert!(answer.get::<Realm<'_>>().is_some() && answer.get::<Nonce<'_>>().is_some());
    }
    world.assert_clean();
}
