//! RFC 8489's long-term credentials against the running binary, message by message. The bytes are put
//! together by hand from the RFC's figures: no codec, ours or another's, has a part in them.

use std::net::{SocketAddr, UdpSocket};
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::support::server::Start;

const REALM: u16 = 0x0014;
const NONCE: u16 = 0x0015;
const INTEGRITY_SHA256: u16 = 0x001C;
const PASSWORD_ALGORITHM: u16 = 0x001D;
const USERHASH: u16 = 0x001E;
const PASSWORD_ALGORITHMS: u16 = 0x8002;
const OFFER: [u8; 8] = [0, 2, 0, 0, 0, 1, 0, 0];

/// An Allocate for UDP, unsigned.
fn allocate() -> Vec<u8> {
    let mut message = vec![0x00, 0x03, 0, 0, 0x21, 0x12, 0xA4, 0x42];
    message.extend(b"twelve bytes");
    attribute(&mut message, 0x0019, &[17, 0, 0, 0]);
    message
}

fn attribute(message: &mut Vec<u8>, kind: u16, value: &[u8]) {
    message.extend(kind.to_be_bytes());
    message.extend(u16::try_from(value.len()).expect("short").to_be_bytes());
    message.extend(value);
    message.resize(message.len().next_multiple_of(4), 0);
    let length = u16::try_from(message.len() - 20).expect("short");
    message[2..4].copy_from_slice(&length.to_be_bytes());
}

/// The integrity of `before`, whose length already counts the attribute to come.
fn integrity(key: &[u8], before: &[u8]) -> [u8; 32] {
    let mut before = before.to_vec();
    let length = u16::try_from(before.len() - 20 + 36).expect("short");
    before[2..4].copy_from_slice(&length.to_be_bytes());
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("any length");
    mac.update(&before);
    mac.finalize().into_bytes().into()
}

/// An attribute of an answer: where its header begins, and its value.
fn find(message: &[u8], wanted: u16) -> Option<(usize, &[u8])> {
    let mut at = 20;
    while at < message.len() {
        let field = |at: usize| u16::from_be_bytes([message[at], message[at + 1]]);
        let length = usize::from(field(at + 2));
        if field(at) == wanted {
            return Some((at, &message[at + 4..at + 4 + length]));
        }
        at += 4 + length.next_multiple_of(4);
    }
    None
}

fn ask(server: SocketAddr, socket: &UdpSocket, request: &[u8]) -> Vec<u8> {
    socket.send_to(request, server).expect("sent");
    let mut buffer = vec![0; 1500];
    let length = socket.recv(&mut buffer).expect("an answer in time");
    buffer.truncate(length);
    buffer
}

fn socket() -> UdpSocket {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a port");
    socket.set_read_timeout(Some(Duration::from_secs(5))).expect("a time-out");
    socket
}

#[test]
fn an_anonymous_user_with_a_sha256_key_gets_an_allocation() {
    let server = Start::default().set("auth.users", r#"{ ann = "wonder" }"#).start();
    let socket = socket();
    let challenge = ask(server.udp(), &socket, &allocate());
    let (_, realm) = find(&challenge, REALM).expect("a realm");
    let (_, nonce) = find(&challenge, NONCE).expect("a nonce");
    let (_, offer) = find(&challenge, PASSWORD_ALGORITHMS).expect("an offer");
    assert_eq!((offer, &nonce[..13]), (&OFFER[..], &b"obMatJos2AAAB"[..]));

    let text = String::from_utf8(realm.to_vec()).expect("text");
    let key = Sha256::digest(format!("ann:{text}:wonder"));
    let mut request = allocate();
    attribute(&mut request, USERHASH, &Sha256::digest(format!("ann:{text}")));
    attribute(&mut request, REALM, realm);
    attribute(&mut request, NONCE, nonce);
    attribute(&mut request, PASSWORD_ALGORITHMS, offer);
    attribute(&mut request, PASSWORD_ALGORITHM, &[0, 2, 0, 0]);
    let mac = integrity(&key, &request);
    attribute(&mut request, INTEGRITY_SHA256, &mac);

    let answer = ask(server.udp(), &socket, &request);
    assert_eq!(answer[..2], [0x01, 0x03], "a success: {answer:02x?}\n{}", server.text());
    let (at, mac) = find(&answer, INTEGRITY_SHA256).expect("the stronger integrity");
    assert_eq!(mac, integrity(&key, &answer[..at]));
}

#[test]
fn nothing_is_offered_when_it_is_switched_off() {
    let server = Start::default().set("auth.sha256", "false").start();
    let challenge = ask(server.udp(), &socket(), &allocate());
    let (_, nonce) = find(&challenge, NONCE).expect("a nonce");
    assert!(find(&challenge, PASSWORD_ALGORITHMS).is_none() && !nonce.starts_with(b"obMatJos2"));
}
