//! Section 6: server behaviour.

use relayhouse::net::Transport;
use relayhouse::stun::{
    AttributeType, ChangeRequest, MappedAddress, OtherAddress, Padding, ResponseOrigin,
    ResponsePort, UnknownAttributes, Writer, XorMappedAddress,
};

use crate::machine::*;
use crate::{CORNERS, ask, flow, world};

/// 6.1: every answer says where it comes from and where the other address and port are.
#[test]
fn an_answer_names_its_origin_and_the_other_address() {
    let (_, sent) = ask(&mut world(), flow(CORNERS[0]), |_| {});
    assert_eq!(sent.get::<XorMappedAddress>().expect("mapped").0, addr("203.0.113.7:4000"));
    assert_eq!(sent.get::<ResponseOrigin>().expect("origin").0, addr(CORNERS[0]));
    assert_eq!(sent.get::<OtherAddress>().expect("other").0, addr(CORNERS[3]));
}

/// 6.1: the address is told plainly as well as masked.
#[test]
fn an_answer_carries_both_spellings_of_the_address() {
    let (_, sent) = ask(&mut world(), flow(CORNERS[0]), |_| {});
    assert_eq!(sent.get::<MappedAddress>().expect("plain").0, addr("203.0.113.7:4000"));
    assert_eq!(sent.get::<XorMappedAddress>().expect("masked").0, addr("203.0.113.7:4000"));
}

/// 6.1, table 1: CHANGE-REQUEST chooses the address and the port that the answer comes from.
#[test]
fn change_request_moves_the_origin() {
    for (corner, ip, port, origin) in [
        (0, false, false, 0),
        (0, false, true, 1),
        (0, true, false, 2),
        (0, true, true, 3),
        (3, false, true, 2),
        (3, true, true, 0),
    ] {
        let asked = flow(CORNERS[corner]);
        let (answered, sent) = ask(&mut world(), asked, |w| {
            w.put(&ChangeRequest { ip, port });
        });
        assert_eq!(answered.local, addr(CORNERS[origin]));
        assert_eq!(answered.remote, asked.remote);
        assert_eq!(sent.get::<ResponseOrigin>().expect("origin").0, addr(CORNERS[origin]));
    }
}

/// 6.1: RESPONSE-PORT chooses the client's port that the answer goes to.
#[test]
fn response_port_moves_the_destination() {
    let (answered, sent) = ask(&mut world(), flow(CORNERS[0]), |w| {
        w.put(&ResponsePort(4321));
    });
    assert_eq!(answered.remote.0, addr("203.0.113.7:4321"));
    assert_eq!(answered.local, addr(CORNERS[0]));
    assert_eq!(sent.get::<XorMappedAddress>().expect("mapped").0, addr("203.0.113.7:4000"));
}

/// 6.1: RESPONSE-PORT together with PADDING is 400; so is port 0, and what has a wrong length.
#[test]
fn what_makes_no_sense_is_400() {
    let fills: [fn(&mut Writer<'_>); 3] = [
        |w| {
            w.put(&ResponsePort(4321)).put(&Padding(&[0; 64]));
        },
        |w| {
            w.put(&ResponsePort(0));
        },
        |w| {
            w.put_as(AttributeType::CHANGE_REQUEST, &Padding(&[0; 3]));
        },
    ];
    for fill in fills {
        let (answered, sent) = ask(&mut world(), flow(CORNERS[0]), fill);
        assert_eq!(sent.code(), 400);
        assert_eq!(answered, flow(CORNERS[0]));
    }
}

/// 6.1: PADDING is answered with PADDING.
#[test]
fn padding_is_answered_with_padding() {
    let (_, sent) = ask(&mut world(), flow(CORNERS[0]), |w| {
        w.put(&Padding(&[0; 1000]));
    });
    let Padding(padding) = sent.get().expect("padding");
    assert!(padding.len() > 900 && padding.iter().all(|byte| *byte == 0));
    assert!(!ask(&mut world(), flow(CORNERS[0]), |_| {}).1.message().has(AttributeType::PADDING));
}

/// RFC 8489 6.3.1: where nothing is configured, or over a stream, all of it is unknown: 420.
#[test]
fn without_configuration_and_over_streams_it_is_unknown() {
    let over_tcp = relayhouse::net::Flow { transport: Transport::Tcp, ..flow(CORNERS[0]) };
    for (mut world, flow) in [(World::new(), flow(CORNERS[0])), (world(), over_tcp)] {
        let (_, sent) = ask(&mut world, flow, |w| {
            w.put(&ChangeRequest { ip: true, port: true }).put(&ResponsePort(1));
        });
        assert_eq!(sent.code(), 420);
        let unknown = sent.get::<UnknownAttributes<'_>>().expect("named");
        let named: Vec<_> = unknown.iter().collect();
        assert_eq!(named, [AttributeType::CHANGE_REQUEST, AttributeType::RESPONSE_PORT]);
        let (_, sent) = ask(&mut world, flow, |_| {});
        assert_eq!(sent.code(), 0);
        assert!(!sent.message().has(AttributeType::OTHER_ADDRESS));
    }
}

/// RFC 8489 6.3.1: what nobody knows is 420 here too.
#[test]
fn other_unknown_attributes_stay_unknown() {
    let (_, sent) = ask(&mut world(), flow(CORNERS[0]), |w| {
        w.put_as(AttributeType(0x7777), &Padding(&[0; 4]));
    });
    assert_eq!(sent.code(), 420);
}
