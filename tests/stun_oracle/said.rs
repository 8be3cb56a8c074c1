//! The attributes that both libraries can say and understand.

use std::net::{IpAddr, SocketAddr};

use proptest::collection::vec;
use proptest::prelude::*;
use relayhouse::stun::{
    AlternateServer, AttributeType, ChannelNumber, Data, ErrorCode, Lifetime, MappedAddress,
    Message, Nonce, Realm, Software, UnknownAttributes, Username, Writer, XorMappedAddress,
    XorPeerAddress, XorRelayedAddress,
};
use stun::addr as oracle_addr;
use stun::attributes::{self as kinds, AttrType};
use stun::error_code::{ErrorCode as OracleCode, ErrorCodeAttribute};
use stun::message::{Getter, Message as OracleMessage, Setter};
use stun::textattrs::TextAttribute;
use stun::uattrs::UnknownAttributes as OracleUnknown;
use stun::xoraddr::XorMappedAddress as OracleXor;

type Result<T> = std::result::Result<T, stun::Error>;

/// One attribute, as both libraries can say it.
#[derive(Clone, Debug)]
pub enum Said {
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

/// Any of them.
pub fn said() -> impl Strategy<Value = Said> {
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

/// Says it in our words.
pub fn put(said: &Said, out: &mut Writer<'_>) {
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

/// Says it in the oracle's words.
pub fn add(said: &Said, out: &mut OracleMessage) -> Result<()> {
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
pub fn they_understood(said: &Said, message: &OracleMessage) -> Result<bool> {
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
pub fn we_understood(said: &Said, message: &Message<'_>) -> bool {
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
