//! A small TURN client, over UDP, TCP or TLS, whose every step is the test's own.
//!
//! The codec is the `stun` crate's, not ours: a mistake made alike on both sides would go unseen.
//! It blocks, retransmits nothing, and does nothing by itself.

use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use stun::agent::TransactionId;
use stun::attributes::*;
use stun::error_code::ErrorCodeAttribute;
use stun::fingerprint::FINGERPRINT;
use stun::integrity::MessageIntegrity;
use stun::message::*;
use stun::textattrs::TextAttribute;
use stun::xoraddr::XorMappedAddress;

use super::credentials::Credential;
use super::wire::{self, Wire};

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(5);

/// What an error response said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub code: u16,
    pub reason: String,
}

/// Asks for the own address (a Binding request); `None` when no answer comes in time.
pub fn binding(server: SocketAddr, limit: Duration) -> Option<SocketAddr> {
    let local = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
    let socket = UdpSocket::bind(local).expect("a port");
    socket.set_read_timeout(Some(limit)).expect("a timeout");
    socket.connect(server).expect("a loopback server");
    let mut request = Message::new();
    request.build(&[Box::new(TransactionId::new()), Box::new(BINDING_REQUEST)]).expect("built");
    socket.send(&request.raw).ok()?;
    let mut buffer = [0; 1500];
    let Ok(length) = socket.recv(&mut buffer) else {
        std::thread::sleep(limit / 2); // refused at once: nobody listens yet
        return None;
    };
    let mut answer = Message::new();
    answer.unmarshal_binary(&buffer[..length]).expect("a STUN message");
    assert_eq!(answer.transaction_id, request.transaction_id, "somebody else's answer");
    address(&answer, ATTR_XORMAPPED_ADDRESS)
}

/// One five-tuple towards a server, with a credential.
pub struct TurnClient {
    wire: Box<dyn Wire>,
    credential: Credential,
    realm: String,
    nonce: String,
    /// What came while an answer was awaited.
    early: Vec<Vec<u8>>,
    pub relayed: Option<SocketAddr>,
}

impl TurnClient {
    /// Over UDP, from a fresh port on loopback.
    pub fn new(server: SocketAddr, credential: Credential) -> Self {
        Self::from(SocketAddr::new(wire::loopback(server), 0), server, credential)
    }

    /// Over UDP, from an address of the test's choice.
    pub fn from(local: SocketAddr, server: SocketAddr, credential: Credential) -> Self {
        Self::over(wire::udp(local, server), credential)
    }

    /// Over any wire.
    pub fn over(wire: Box<dyn Wire>, credential: Credential) -> Self {
        let (realm, nonce) = (String::new(), String::new());
        Self { wire, credential, realm, nonce, early: Vec::new(), relayed: None }
    }

    /// The own address.
    pub fn local(&self) -> SocketAddr {
        self.wire.local()
    }

    /// Allocates a UDP relay; the first 401 is answered with the credential, as every client does.
    pub fn allocate(&mut self) -> Result<SocketAddr, Refused> {
        self.allocate_with(&[]).map(|allocated| allocated.relayed[0])
    }

    /// Allocates a UDP relay with further attributes.
    pub fn allocate_with(&mut self, more: &[With]) -> Result<Allocated, Refused> {
        let mut attributes = vec![With::Value(ATTR_REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
        attributes.extend_from_slice(more);
        let answer = self.challenged(METHOD_ALLOCATE, &attributes)?;
        let relayed = addresses(&answer, ATTR_XOR_RELAYED_ADDRESS);
        assert!(!relayed.is_empty(), "a success carries XOR-RELAYED-ADDRESS");
        self.relayed = Some(relayed[0]);
        let reservation = answer.get(ATTR_RESERVATION_TOKEN).ok();
        Ok(Allocated { relayed, reservation })
    }

    /// Refreshes; the answer is the lifetime granted. 0 ends the allocation.
    pub fn refresh(&mut self, lifetime: u32) -> Result<u32, Refused> {
        let wanted = With::Value(ATTR_LIFETIME, lifetime.to_be_bytes().to_vec());
        let answer = self.challenged(METHOD_REFRESH, &[wanted])?;
        let granted = answer.get(ATTR_LIFETIME).expect("a success carries LIFETIME");
        Ok(u32::from_be_bytes(granted.try_into().expect("four bytes")))
    }

    /// Allows a peer's address.
    pub fn permit(&mut self, peer: SocketAddr) -> Result<(), Refused> {
        self.challenged(METHOD_CREATE_PERMISSION, &[With::Peer(peer)]).map(drop)
    }

    /// Binds a channel to a peer.
    pub fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Result<(), Refused> {
        let [high, low] = number.to_be_bytes();
        let channel = With::Value(ATTR_CHANNEL_NUMBER, vec![high, low, 0, 0]);
        self.challenged(METHOD_CHANNEL_BIND, &[channel, With::Peer(peer)]).map(drop)
    }

    /// Sends a payload over a channel.
    pub fn send_channel(&mut self, number: u16, payload: &[u8]) {
        let mut packet = number.to_be_bytes().to_vec();
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend(payload);
        self.wire.send(&packet);
    }

    /// The next ChannelData message, as number and payload; `None` when none comes in time.
    pub fn receive_channel(&mut self, limit: Duration) -> Option<(u16, Vec<u8>)> {
        self.receive_that(limit, |packet| {
            let [high @ 64..128, low, length_high, length_low, ref payload @ ..] = *packet else {
                return None;
            };
            let length = usize::from(u16::from_be_bytes([length_high, length_low]));
            Some((u16::from_be_bytes([high, low]), payload[..length].to_vec()))
        })
    }

    /// Sends a payload in a Send indication.
    pub fn send_indication(&mut self, peer: SocketAddr, payload: &[u8]) {
        let mut indication = Message::new();
        indication.new_transaction_id().expect("randomness");
        indication.set_type(MessageType::new(METHOD_SEND, CLASS_INDICATION));
        indication.write_header();
        With::Peer(peer).add_to(&mut indication);
        indication.add(ATTR_DATA, payload);
        self.wire.send(&indication.raw);
    }

    /// The next Data indication, as peer and payload; `None` when none comes in time.
    pub fn receive_indication(&mut self, limit: Duration) -> Option<(SocketAddr, Vec<u8>)> {
        self.receive_that(limit, |packet| {
            let mut message = Message::new();
            message.unmarshal_binary(packet).ok()?;
            if message.typ != MessageType::new(METHOD_DATA, CLASS_INDICATION) {
                return None;
            }
            Some((address(&message, ATTR_XOR_PEER_ADDRESS)?, message.get(ATTR_DATA).ok()?))
        })
    }

    fn receive_that<T>(
        &mut self,
        limit: Duration,
        wanted: impl Fn(&[u8]) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + limit;
        loop {
            let packet = if self.early.is_empty() {
                self.wire.receive(deadline)?
            } else {
                self.early.remove(0)
            };
            if let Some(found) = wanted(&packet) {
                return Some(found);
            }
        }
    }

    /// Type and code of the next ICMP attribute (RFC 8656 section 18.13) that comes in a Data
    /// indication; `None` when none comes in time.
    pub fn receive_icmp(&mut self, limit: Duration) -> Option<(u16, u16)> {
        self.receive_that(limit, |packet| {
            let mut message = Message::new();
            message.unmarshal_binary(packet).ok()?;
            if message.typ != MessageType::new(METHOD_DATA, CLASS_INDICATION) {
                return None;
            }
            let icmp = message.get(AttrType(0x8004)).ok()?;
            // Seven bits of type and nine of code, as the RFC draws them.
            let bits = u16::from_be_bytes([icmp[2], icmp[3]]);
            Some((bits >> 9, bits & 0x1FF))
        })
    }

    /// A request with the credential; a 401 or 438 brings realm and nonce for one more try.
    fn challenged(&mut self, method: Method, attributes: &[With]) -> Result<Message, Refused> {
        match self.request(method, attributes) {
            Err((refused, nonce)) if nonce != self.nonce && matches!(refused.code, 401 | 438) => {
                self.nonce = nonce;
                self.request(method, attributes).map_err(|(refused, _)| refused)
            }
            other => other.map_err(|(refused, _)| refused),
        }
    }

    fn request(
        &mut self,
        method: Method,
        attributes: &[With],
    ) -> Result<Message, (Refused, String)> {
        let mut request = Message::new();
        request.new_transaction_id().expect("randomness");
        request.set_type(MessageType::new(method, CLASS_REQUEST));
        request.write_header();
        for attribute in attributes {
            attribute.add_to(&mut request);
        }
        let key = MessageIntegrity::new_long_term_integrity(
            self.credential.username.clone(),
            self.realm.clone(),
            self.credential.password.clone(),
        );
        if !self.nonce.is_empty() {
            request.add(ATTR_USERNAME, self.credential.username.as_bytes());
            request.add(ATTR_REALM, self.realm.as_bytes());
            request.add(ATTR_NONCE, self.nonce.as_bytes());
            key.add_to(&mut request).expect("integrity");
        }
        FINGERPRINT.add_to(&mut request).expect("fingerprint");
        self.wire.send(&request.raw);
        let mut answer = self.answer_to(request.transaction_id);
        if answer.typ.class == CLASS_ERROR_RESPONSE {
            let mut error = ErrorCodeAttribute::default();
            error.get_from(&answer).expect("an error carries ERROR-CODE");
            let nonce = text(&answer, ATTR_NONCE).unwrap_or_default();
            self.realm = text(&answer, ATTR_REALM).unwrap_or_else(|| self.realm.clone());
            let reason = String::from_utf8_lossy(&error.reason).into_owned();
            return Err((Refused { code: error.code.0, reason }, nonce));
        }
        assert_eq!(answer.typ.class, CLASS_SUCCESS_RESPONSE);
        key.check(&mut answer).expect("a success carries a valid MESSAGE-INTEGRITY");
        Ok(answer)
    }

    fn answer_to(&mut self, id: TransactionId) -> Message {
        let deadline = Instant::now() + ANSWER;
        loop {
            let Some(packet) = self.wire.receive(deadline) else {
                panic!("no answer from the server within {ANSWER:?}");
            };
            let mut message = Message::new();
            let whole = message.unmarshal_binary(&packet).is_ok();
            if whole && message.transaction_id == id {
                return message;
            }
            self.early.push(packet);
        }
    }
}

/// What an Allocate was given.
#[derive(Debug)]
pub struct Allocated {
    /// One relayed address, or one of each family.
    pub relayed: Vec<SocketAddr>,
    /// The token of the neighbouring port, where it was asked for.
    pub reservation: Option<Vec<u8>>,
}

/// One attribute of a request.
#[derive(Clone, Debug)]
pub enum With {
    /// A value as it is on the wire, without padding.
    Value(AttrType, Vec<u8>),
    /// XOR-PEER-ADDRESS; its value depends on the transaction.
    Peer(SocketAddr),
}

impl With {
    fn add_to(&self, message: &mut Message) {
        match self {
            Self::Value(typ, value) => message.add(*typ, value),
            Self::Peer(peer) => XorMappedAddress { ip: peer.ip(), port: peer.port() }
                .add_to_as(message, ATTR_XOR_PEER_ADDRESS)
                .expect("added"),
        }
    }
}

/// Every address of this type, in order.
fn addresses(message: &Message, typ: AttrType) -> Vec<SocketAddr> {
    let of_type = message.attributes.0.iter().filter(|attribute| attribute.typ == typ);
    let alone = of_type.map(|attribute| {
        let mut alone = Message::new();
        alone.transaction_id = message.transaction_id;
        alone.write_header();
        alone.add(typ, &attribute.value);
        address(&alone, typ).expect("an address")
    });
    alone.collect()
}

fn address(message: &Message, typ: AttrType) -> Option<SocketAddr> {
    let mut found = XorMappedAddress::default();
    found.get_from_as(message, typ).ok()?;
    Some(SocketAddr::new(found.ip, found.port))
}

fn text(message: &Message, typ: AttrType) -> Option<String> {
    TextAttribute::get_from_as(message, typ).ok().map(|attribute| attribute.text)
}
