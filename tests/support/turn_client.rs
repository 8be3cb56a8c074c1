//! A small TURN client over UDP whose every step is the test's own.
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
    socket: UdpSocket,
    credential: Credential,
    realm: String,
    nonce: String,
    /// What came while an answer was awaited.
    early: Vec<Vec<u8>>,
    pub relayed: Option<SocketAddr>,
}

impl TurnClient {
    /// A fresh port on loopback.
    pub fn new(server: SocketAddr, credential: Credential) -> Self {
        let local = if server.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" };
        let socket = UdpSocket::bind(local).expect("a port");
        socket.connect(server).expect("a loopback server");
        let (realm, nonce) = (String::new(), String::new());
        Self { socket, credential, realm, nonce, early: Vec::new(), relayed: None }
    }

    /// Allocates a UDP relay; the first 401 is answered with the credential, as every client does.
    pub fn allocate(&mut self) -> Result<SocketAddr, Refused> {
        let transport = raw(ATTR_REQUESTED_TRANSPORT, &[17, 0, 0, 0]);
        let answer = self.challenged(METHOD_ALLOCATE, &[transport])?;
        self.relayed = address(&answer, ATTR_XOR_RELAYED_ADDRESS);
        Ok(self.relayed.expect("a success carries XOR-RELAYED-ADDRESS"))
    }

    /// Refreshes; the answer is the lifetime granted. 0 ends the allocation.
    pub fn refresh(&mut self, lifetime: u32) -> Result<u32, Refused> {
        let wanted = raw(ATTR_LIFETIME, &lifetime.to_be_bytes());
        let answer = self.challenged(METHOD_REFRESH, &[wanted])?;
        let granted = answer.get(ATTR_LIFETIME).expect("a success carries LIFETIME");
        Ok(u32::from_be_bytes(granted.try_into().expect("four bytes")))
    }

    /// Allows a peer's address.
    pub fn permit(&mut self, peer: SocketAddr) -> Result<(), Refused> {
        self.challenged(METHOD_CREATE_PERMISSION, &[peer_address(peer)]).map(drop)
    }

    /// Binds a channel to a peer.
    pub fn bind_channel(&mut self, number: u16, peer: SocketAddr) -> Result<(), Refused> {
        let [high, low] = number.to_be_bytes();
        let channel = raw(ATTR_CHANNEL_NUMBER, &[high, low, 0, 0]);
        self.challenged(METHOD_CHANNEL_BIND, &[channel, peer_address(peer)]).map(drop)
    }

    /// Sends a payload over a channel.
    pub fn send_channel(&self, number: u16, payload: &[u8]) {
        let mut packet = number.to_be_bytes().to_vec();
        packet.extend((payload.len() as u16).to_be_bytes());
        packet.extend(payload);
        self.socket.send(&packet).expect("sent");
    }

    /// The next ChannelData message, as number and payload; `None` when none comes in time.
    pub fn receive_channel(&mut self, limit: Duration) -> Option<(u16, Vec<u8>)> {
        let deadline = Instant::now() + limit;
        loop {
            let packet =
                if self.early.is_empty() { self.receive(deadline)? } else { self.early.remove(0) };
            if packet.len() >= 4 && (64..128).contains(&packet[0]) {
                let length = usize::from(u16::from_be_bytes([packet[2], packet[3]]));
                let number = u16::from_be_bytes([packet[0], packet[1]]);
                return Some((number, packet[4..4 + length].to_vec()));
            }
        }
    }

    /// Type and code of the next ICMP attribute (RFC 8656 section 18.13) that comes in a Data
    /// indication; `None` when none comes in time.
    pub fn receive_icmp(&mut self, limit: Duration) -> Option<(u16, u16)> {
        let deadline = Instant::now() + limit;
        loop {
            let packet =
                if self.early.is_empty() { self.receive(deadline)? } else { self.early.remove(0) };
            let mut message = Message::new();
            if message.unmarshal_binary(&packet).is_ok()
                && message.typ == MessageType::new(METHOD_DATA, CLASS_INDICATION)
                && let Ok(icmp) = message.get(AttrType(0x8004))
            {
                // Seven bits of type and nine of code, as the RFC draws them.
                let bits = u16::from_be_bytes([icmp[2], icmp[3]]);
                return Some((bits >> 9, bits & 0x1FF));
            }
        }
    }

    /// A request with the credential; a 401 or 438 brings realm and nonce for one more try.
    fn challenged(
        &mut self,
        method: Method,
        attributes: &[RawAttribute],
    ) -> Result<Message, Refused> {
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
        attributes: &[RawAttribute],
    ) -> Result<Message, (Refused, String)> {
        let mut request = Message::new();
        request.new_transaction_id().expect("randomness");
        request.set_type(MessageType::new(method, CLASS_REQUEST));
        request.write_header();
        for attribute in attributes {
            request.add(attribute.typ, &attribute.value);
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
        self.socket.send(&request.raw).expect("sent");
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
            let Some(packet) = self.receive(deadline) else {
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

    fn receive(&self, deadline: Instant) -> Option<Vec<u8>> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.socket.set_read_timeout(Some(left.max(Duration::from_millis(1)))).expect("a timeout");
        let mut buffer = vec![0; 65_536];
        let length = self.socket.recv(&mut buffer).ok()?;
        buffer.truncate(length);
        Some(buffer)
    }
}

fn raw(typ: AttrType, value: &[u8]) -> RawAttribute {
    RawAttribute { typ, length: value.len() as u16, value: value.to_vec() }
}

/// XOR-PEER-ADDRESS of IPv4; the tests that use it stay on 127.0.0.1.
fn peer_address(peer: SocketAddr) -> RawAttribute {
    let SocketAddr::V4(peer) = peer else { panic!("an IPv4 peer") };
    let port = peer.port() ^ (MAGIC_COOKIE >> 16) as u16;
    let ip = u32::from(*peer.ip()) ^ MAGIC_COOKIE;
    let mut value = vec![0, 1];
    value.extend(port.to_be_bytes());
    value.extend(ip.to_be_bytes());
    raw(ATTR_XOR_PEER_ADDRESS, &value)
}

fn address(message: &Message, typ: AttrType) -> Option<SocketAddr> {
    let mut found = XorMappedAddress::default();
    found.get_from_as(message, typ).ok()?;
    Some(SocketAddr::new(found.ip, found.port))
}

fn text(message: &Message, typ: AttrType) -> Option<String> {
    TextAttribute::get_from_as(message, typ).ok().map(|attribute| attribute.text)
}
