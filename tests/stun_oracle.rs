//! The codec against an independent one, the `stun` crate: what we write it reads the same, what it
//! writes we read the same, and damaged messages are never read in two ways.

use proptest::collection::vec;
use proptest::prelude::*;
use relayhouse::stun::{Class, Message, Method, TransactionId, Writer};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{Message as OracleMessage, MessageType, Setter};

#[path = "fuzz_bodies/channel_data.rs"]
mod channel_data;
#[path = "stun_oracle/said.rs"]
mod said;
#[path = "fuzz_bodies/stun_message.rs"]
mod stun_message;

use said::{Said, said, they_understood, we_understood};

type Result<T> = std::result::Result<T, stun::Error>;

/// A message as both libraries can write it; each attribute at most once, for the oracle reads the
/// first of a kind only.
#[derive(Clone, Debug)]
struct Script {
    message_type: u16,
    id: [u8; 12],
    said: Vec<Said>,
    key: Option<Vec<u8>>,
    fingerprint: bool,
}

fn script() -> impl Strategy<Value = Script> {
    let key = prop::option::of(vec(any::<u8>(), 1..80));
    (0u16..0x4000, any::<[u8; 12]>(), vec(said(), 0..8), key, any::<bool>()).prop_map(
        |(message_type, id, mut said, key, fingerprint)| {
            let mut seen = Vec::new();
            said.retain(|one| {
                let kind = std::mem::discriminant(one);
                let new = !seen.contains(&kind);
                seen.push(kind);
                new
            });
            Script { message_type, id, said, key, fingerprint }
        },
    )
}

fn class_and_method(message_type: u16) -> (Class, Method) {
    let header = [&message_type.to_be_bytes()[..], &[0, 0, 0x21, 0x12, 0xA4, 0x42], &[0; 12]];
    let bytes = header.concat();
    let message = Message::parse(&bytes).expect("an empty message");
    (message.class(), message.method())
}

fn write_ours(script: &Script) -> Vec<u8> {
    let mut buffer = vec![0xA5; 8192];
    let (class, method) = class_and_method(script.message_type);
    let mut out = Writer::new(&mut buffer, class, method, TransactionId(script.id));
    for said in &script.said {
        said::put(said, &mut out);
    }
    if let Some(key) = &script.key {
        out.integrity_sha1(key);
    }
    if script.fingerprint {
        out.fingerprint();
    }
    let len = out.finish().expect("it fits");
    buffer.truncate(len);
    buffer
}

fn write_theirs(script: &Script) -> Result<Vec<u8>> {
    let mut message = OracleMessage::new();
    let mut message_type = MessageType::default();
    message_type.read_value(script.message_type);
    message.set_type(message_type);
    message.transaction_id.0 = script.id;
    message.write_header();
    for said in &script.said {
        said::add(said, &mut message)?;
    }
    if let Some(key) = &script.key {
        MessageIntegrity(key.clone()).add_to(&mut message)?;
    }
    if script.fingerprint {
        FINGERPRINT.add_to(&mut message)?;
    }
    Ok(message.raw)
}

fn read_theirs(bytes: &[u8]) -> Result<OracleMessage> {
    let mut message = OracleMessage::new();
    message.unmarshal_binary(bytes)?;
    Ok(message)
}

proptest! {
    #[test]
    fn what_we_write_the_oracle_reads(script in script()) {
        let bytes = write_ours(&script);
        let mut message = read_theirs(&bytes).expect("the oracle reads it");
        prop_assert_eq!(message.typ.value(), script.message_type);
        prop_assert_eq!(message.transaction_id.0, script.id);
        for said in &script.said {
            let understood = they_understood(said, &message);
            prop_assert!(matches!(understood, Ok(true)), "{:?}: {:?}", said, understood);
        }
        if script.fingerprint {
            prop_assert!(FINGERPRINT.check(&message).is_ok());
        }
        if let Some(key) = &script.key {
            prop_assert!(MessageIntegrity(key.clone()).check(&mut message).is_ok());
        }
    }

    #[test]
    fn what_the_oracle_writes_we_read(script in script()) {
        let bytes = write_theirs(&script).expect("the oracle writes it");
        let message = Message::parse(&bytes).expect("we read it");
        prop_assert_eq!((message.class(), message.method()), class_and_method(script.message_type));
        prop_assert_eq!(message.transaction_id().0, script.id);
        for said in &script.said {
            prop_assert!(we_understood(said, &message), "{:?}", said);
        }
        prop_assert_eq!(message.has_fingerprint(), script.fingerprint);
        let key = script.key.as_deref();
        prop_assert_eq!(message.verify_sha1(key.unwrap_or(b"none")), key.is_some());
    }

    #[test]
    fn both_write_the_same_bytes(script in script()) {
        prop_assert_eq!(write_ours(&script), write_theirs(&script).expect("the oracle writes it"));
    }

    #[test]
    fn a_damaged_message_neither_panics_nor_reads_in_two_ways(
        script in script(),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = write_ours(&Script { fingerprint: false, ..script });
        for (at, value) in damage {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        stun_message::run(&bytes);
        channel_data::run(&bytes);
        let Ok(message) = Message::parse(&bytes) else { return Ok(()) };
        let theirs = read_theirs(&bytes).expect("the oracle is no stricter than we are");
        // The oracle shows what is behind the integrity as well, which does not count.
        for ((kind, value), read) in message.attributes().zip(&theirs.attributes.0) {
            // It reads the number 0x8020 of an old draft as XOR-MAPPED-ADDRESS.
            prop_assert!(kind.0 == read.typ.value() || kind.0 == 0x8020);
            prop_assert_eq!(value, &read.value);
        }
        prop_assert!(message.attributes().count() <= theirs.attributes.0.len());
    }

    #[test]
    fn any_bytes_at_all_do_not_panic(bytes in vec(any::<u8>(), 0..300)) {
        stun_message::run(&bytes);
        channel_data::run(&bytes);
    }
}
