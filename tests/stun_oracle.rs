//! The codec against an independent one, the `stun` crate: what we write it reads the same, what it
//! writes we read the same, and damaged messages are never read in two ways.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;
use relayhouse::stun::{
    AlternateServer, AttributeType, ChannelNumber, Class, Data, ErrorCode, Lifetime, MappedAddress,
    Message, Method, Nonce, Realm, Software, TransactionId, UnknownAttributes, Username, Writer,
    XorMappedAddress, XorPeerAddress, XorRelayedAddress,
};
use stun::addr as oracle_addr;
use stun::attributes::{self as kinds, AttrType};
use stun::error_code::{ErrorCode as OracleCode, ErrorCodeAttribute};
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::{Getter, Message as OracleMessage, MessageType, Setter};
use stun::textattrs::TextAttribute;
use stun::uattrs::UnknownAttributes as OracleUnknown;
use stun::xoraddr::XorMappedAddress as OracleXor;

#[path = "fuzz_bodies/channel_data.rs"]
mod channel_data;
#[path = "fuzz_bodies/stun_message.rs"]
mod stun_message;

type Result<T> = std::result::Result<T, stun::Error>;

/// One attribute, as both libraries can say it.
#[derive(Clone, Debug)]
enum Said {
    Mapped(SocketAddr),
    XorMapped(SocketAddr),
    XorPeer(SocketAddr),
    XorRelayed(SocketAddr),
    Alternate(SocketAddr),
    Username(String),
    Realm(String),
    Nonce(String),
    Software(String),
    Error(u16, String),
    Unknown(Vec<u16>),
    Lifetime(u32),
    Channel(u16),
    Data(Vec<u8>),
}

fn said() -> impl Strategy<Value = Said> {
    let address = || (any::<IpAddr>(), any::<u16>()).prop_map(SocketAddr::from);
    let text = || ".{0,60}";
    prop_oneof![
        address().prop_map(Said::Mapped),
        address().prop_map(Said::XorMapped),
        address().prop_map(Said::XorPeer),
        address().prop_map(Said::XorRelayed),
        address().prop_map(Said::Alternate),
        text().prop_map(Said::Username),
        text().prop_map(Said::Realm),
        text().prop_map(Said::Nonce),
        text().prop_map(Said::Software),
        (300u16..700, text()).prop_map(|(code, reason)| Said::Error(code, reason)),
        vec(any::<u16>(), 0..9).prop_map(Said::Unknown),
        any::<u32>().prop_map(Said::Lifetime),
        any::<u16>().prop_map(Said::Channel),
        vec(any::<u8>(), 0..200).prop_map(Said::Data),
    ]
}

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
        match said {
            Said::Mapped(address) => out.put(&MappedAddress(*address)),
            Said::XorMapped(address) => out.put(&XorMappedAddress(*address)),
            Said::XorPeer(address) => out.put(&XorPeerAddress(*address)),
            Said::XorRelayed(address) => out.put(&XorRelayedAddress(*address)),
            Said::Alternate(address) => out.put(&AlternateServer(*address)),
            Said::Username(text) => out.put(&Username(text)),
            Said::Realm(text) => out.put(&Realm(text)),
            Said::Nonce(text) => out.put(&Nonce(text.as_bytes())),
            Said::Software(text) => out.put(&Software(text)),
            Said::Error(code, reason) => out.put(&ErrorCode { code: *code, reason }),
            Said::Unknown(list) => {
                let list: Vec<_> = list.iter().copied().map(AttributeType).collect();
                out.put(&UnknownAttributes::new(&list))
            }
            Said::Lifetime(seconds) => out.put(&Lifetime(*seconds)),
            Said::Channel(number) => out.put(&ChannelNumber(*number)),
            Said::Data(data) => out.put(&Data(data)),
        };
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
        say(said, &mut message)?;
    }
    if let Some(key) = &script.key {
        MessageIntegrity(key.clone()).add_to(&mut message)?;
    }
    if script.fingerprint {
        FINGERPRINT.add_to(&mut message)?;
    }
    Ok(message.raw)
}

fn say(said: &Said, out: &mut OracleMessage) -> Result<()> {
    let plain = |at: &SocketAddr| oracle_addr::MappedAddress { ip: at.ip(), port: at.port() };
    let xor = |at: &SocketAddr| OracleXor { ip: at.ip(), port: at.port() };
    let text = |kind, text: &String| TextAttribute::new(kind, text.clone());
    match said {
        Said::Mapped(at) => plain(at).add_to(out),
        Said::XorMapped(at) => xor(at).add_to(out),
        Said::XorPeer(at) => xor(at).add_to_as(out, kinds::ATTR_XOR_PEER_ADDRESS),
        Said::XorRelayed(at) => xor(at).add_to_as(out, kinds::ATTR_XOR_RELAYED_ADDRESS),
        Said::Alternate(at) => plain(at).add_to_as(out, kinds::ATTR_ALTERNATE_SERVER),
        Said::Username(name) => text(kinds::ATTR_USERNAME, name).add_to(out),
        Said::Realm(realm) => text(kinds::ATTR_REALM, realm).add_to(out),
        Said::Nonce(nonce) => text(kinds::ATTR_NONCE, nonce).add_to(out),
        Said::Software(name) => text(kinds::ATTR_SOFTWARE, name).add_to(out),
        Said::Error(code, reason) => {
            let code = OracleCode(*code);
            ErrorCodeAttribute { code, reason: reason.clone().into_bytes() }.add_to(out)
        }
        Said::Unknown(list) => {
            OracleUnknown(list.iter().copied().map(AttrType).collect()).add_to(out)
        }
        Said::Lifetime(seconds) => {
            out.add(kinds::ATTR_LIFETIME, &seconds.to_be_bytes());
            Ok(())
        }
        Said::Channel(number) => {
            let [high, low] = number.to_be_bytes();
            out.add(kinds::ATTR_CHANNEL_NUMBER, &[high, low, 0, 0]);
            Ok(())
        }
        Said::Data(data) => {
            out.add(kinds::ATTR_DATA, data);
            Ok(())
        }
    }
}

/// What the oracle understood is what was said.
fn they_understood(said: &Said, message: &OracleMessage) -> Result<bool> {
    let plain = |kind| -> Result<SocketAddr> {
        let mut read = oracle_addr::MappedAddress { ip: IpAddr::from([0; 4]), port: 0 };
        read.get_from_as(message, kind)?;
        Ok(SocketAddr::new(read.ip, read.port))
    };
    let xor = |kind| -> Result<SocketAddr> {
        let mut read = OracleXor::default();
        read.get_from_as(message, kind)?;
        Ok(SocketAddr::new(read.ip, read.port))
    };
    let text = |kind| Ok::<_, stun::Error>(TextAttribute::get_from_as(message, kind)?.text);
    Ok(match said {
        Said::Mapped(at) => plain(kinds::ATTR_MAPPED_ADDRESS)? == *at,
        Said::XorMapped(at) => xor(kinds::ATTR_XORMAPPED_ADDRESS)? == *at,
        Said::XorPeer(at) => xor(kinds::ATTR_XOR_PEER_ADDRESS)? == *at,
        Said::XorRelayed(at) => xor(kinds::ATTR_XOR_RELAYED_ADDRESS)? == *at,
        Said::Alternate(at) => plain(kinds::ATTR_ALTERNATE_SERVER)? == *at,
        Said::Username(name) => text(kinds::ATTR_USERNAME)? == *name,
        Said::Realm(realm) => text(kinds::ATTR_REALM)? == *realm,
        Said::Nonce(nonce) => text(kinds::ATTR_NONCE)? == *nonce,
        Said::Software(name) => text(kinds::ATTR_SOFTWARE)? == *name,
        Said::Error(code, reason) => {
            let mut read = ErrorCodeAttribute::default();
            read.get_from(message)?;
            read.code == OracleCode(*code) && read.reason == reason.as_bytes()
        }
        Said::Unknown(list) => {
            let mut read = OracleUnknown(Vec::new());
            read.get_from(message)?;
            read.0.iter().map(|kind| kind.0).eq(list.iter().copied())
        }
        Said::Lifetime(seconds) => message.get(kinds::ATTR_LIFETIME)? == seconds.to_be_bytes(),
        Said::Channel(number) => {
            message.get(kinds::ATTR_CHANNEL_NUMBER)?[..2] == number.to_be_bytes()
        }
        Said::Data(data) => message.get(kinds::ATTR_DATA)? == *data,
    })
}

/// What we understood is what was said.
fn we_understood(said: &Said, message: &Message<'_>) -> bool {
    match said {
        Said::Mapped(at) => message.get() == Ok(Some(MappedAddress(*at))),
        Said::XorMapped(at) => message.get() == Ok(Some(XorMappedAddress(*at))),
        Said::XorPeer(at) => message.get() == Ok(Some(XorPeerAddress(*at))),
        Said::XorRelayed(at) => message.get() == Ok(Some(XorRelayedAddress(*at))),
        Said::Alternate(at) => message.get() == Ok(Some(AlternateServer(*at))),
        Said::Username(name) => message.get() == Ok(Some(Username(name))),
        Said::Realm(realm) => message.get() == Ok(Some(Realm(realm))),
        Said::Nonce(nonce) => message.get() == Ok(Some(Nonce(nonce.as_bytes()))),
        Said::Software(name) => message.get() == Ok(Some(Software(name))),
        Said::Error(code, reason) => message.get() == Ok(Some(ErrorCode { code: *code, reason })),
        Said::Unknown(list) => {
            let list: Vec<_> = list.iter().copied().map(AttributeType).collect();
            message.get() == Ok(Some(UnknownAttributes::new(&list)))
        }
        Said::Lifetime(seconds) => message.get() == Ok(Some(Lifetime(*seconds))),
        Said::Channel(number) => message.get() == Ok(Some(ChannelNumber(*number))),
        Said::Data(data) => message.get() == Ok(Some(Data(data))),
    }
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
