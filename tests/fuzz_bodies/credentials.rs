//! Any bytes as usernames, nonces, tokens, settings and signed requests: nothing panics, and nobody
//! enters without a key.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::LazyLock;

use relayhouse::creds::api_key::Scopes;
use relayhouse::creds::ticket::TicketKey;
use relayhouse::creds::{
    Allowance, CredentialSettings, Credentials, Denied, Secret, SecretId, Verified, rest, uri,
};
use relayhouse::stun::{
    AttributeType, Class, Data, Message, Method, Nonce, PasswordAlgorithm, Realm, TransactionId,
    UserHash, Username, Writer,
};
use relayhouse::time::{Instant, Now, UnixTime};

const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NOW: Now = Now { mono: Instant::from_nanos(1 << 40), unix: UnixTime(1_700_000_000) };
const REALM: &str = "example.org";
/// MD5 of "alice:example.org:password".
const ALICE: [u8; 16] = [
    0xdf, 0x60, 0xa4, 0x44, 0xf2, 0x93, 0x5c, 0x69, 0x96, 0xa3, 0xaf, 0x5e, 0xd4, 0xa7, 0x6b, 0xd1,
];

static CREDENTIALS: LazyLock<Credentials> = LazyLock::new(|| {
    let mut settings = CredentialSettings::new(REALM, [7; 32]);
    settings.secrets = vec!["north".into(), "south".into()];
    settings.users = vec![("alice".to_owned(), Secret::from("password"))];
    Credentials::new(settings).expect("good settings")
});

static OWNER: LazyLock<Verified> = LazyLock::new(|| {
    let nonce = CREDENTIALS.nonce(NOW, CLIENT);
    let request = signed("alice", nonce.as_bytes());
    check(&request).expect("Alice and her password")
});

/// Reads `bytes` in every way credentials can come.
pub fn run(bytes: &[u8]) {
    if let Ok(message) = Message::parse(bytes) {
        refused(&CREDENTIALS.check(NOW, &message, CLIENT).expect_err("no key is known outside"));
        let owned = CREDENTIALS.check_owner(NOW, &message, CLIENT, &OWNER);
        refused(&owned.expect_err("no key is known outside"));
    }

    // A text and some bytes: a username and a nonce, signed as Alice would.
    let split = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let (text, rest) = bytes.split_at(split);
    let text = String::from_utf8_lossy(text);
    // Longer ones can only come as raw messages: they cannot be written.
    let username: String = text.chars().take(127).collect();
    let request = signed(&username, &rest[..rest.len().min(763)]);
    refused(&check(&request).expect_err("the nonce is made up"));

    hashed(rest);
    texts(&text);
}

/// The same bytes as USERHASH, algorithms and nonce of a request that Alice's key signs.
fn hashed(bytes: &[u8]) {
    let mut hash = [0; 32];
    let (name, rest) = bytes.split_at(bytes.len().min(32));
    hash[..name.len()].copy_from_slice(name);
    let (list, nonce) = rest.split_at(rest.len().min(12));
    let mut buffer = vec![0; 2048];
    let id = TransactionId([1; 12]);
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, id);
    writer.put(&UserHash(hash)).put(&Realm(REALM)).put(&Nonce(&nonce[..nonce.len().min(763)]));
    writer.put_as(AttributeType::PASSWORD_ALGORITHMS, &Data(list)).put(&PasswordAlgorithm::SHA256);
    writer.integrity_sha256(&ALICE);
    let length = writer.finish().expect("it fits");
    refused(&check(&buffer[..length]).expect_err("the nonce is made up"));
    let message = Message::parse(&buffer[..length]).expect("our own message");
    let owned = CREDENTIALS.check_owner(NOW, &message, CLIENT, &OWNER);
    refused(&owned.expect_err("the nonce is made up"));
}

/// What takes text from outside.
fn texts(text: &str) {
    let _ = rest::parse_username(text, ':');
    let _ = Allowance::split(text);
    let _ = text.parse::<SecretId>();
    if let Ok(minted) = rest::mint(&Secret::from("north"), text, NOW.unix, ':') {
        let read = rest::parse_username(&minted.username, ':').expect("it is of our making");
        assert_eq!(read, (NOW.unix, Some(text).filter(|text| !text.is_empty())));
    }
    TicketKey::new([7; 32]).verify(NOW.unix, text).expect_err("nobody has the key");
    let _ = text.parse::<Scopes>();
    let _ = uri::stun_uri(text, 3478);

    let mut settings = CredentialSettings::new(text, [7; 32]);
    settings.separator = text.chars().next().unwrap_or(':');
    settings.users = vec![(text.to_owned(), Secret::from(text))];
    let _ = Credentials::new(settings);
}

fn signed(username: &str, nonce: &[u8]) -> Vec<u8> {
    let mut buffer = vec![0; 2048];
    let id = TransactionId([1; 12]);
    let mut writer = Writer::new(&mut buffer, Class::Request, Method::REFRESH, id);
    writer.put(&Username(username)).put(&Realm(REALM)).put(&Nonce(nonce)).integrity_sha1(&ALICE);
    let length = writer.finish().expect("it fits");
    buffer.truncate(length);
    buffer
}

fn check(request: &[u8]) -> Result<Verified, Denied> {
    CREDENTIALS.check(NOW, &Message::parse(request).expect("our own message"), CLIENT)
}

/// Every refusal is an answer and a sentence on one line.
fn refused(denied: &Denied) {
    assert!(matches!(denied.code(), 400 | 401 | 438 | 441));
    let sentence = denied.to_string();
    assert!(!sentence.is_empty() && !sentence.contains(char::is_control));
}
