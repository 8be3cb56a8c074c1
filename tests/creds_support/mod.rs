//! A client that signs requests: its keys come straight from the hash functions, not from `creds`.

#![allow(dead_code, reason = "each test file uses a part of this")]

use std::net::IpAddr;
use std::time::Duration;

use md5::{Digest, Md5};
use relayhouse::creds::{CredentialSettings, Credentials, Denied, Secret, Verified};
use relayhouse::stun::{
    Class, Message, Method, Nonce, Realm, RequestedTransport, TransactionId, Username, Writer,
};
use relayhouse::time::{Instant, Now, UnixTime};

pub const REALM: &str = "example.org";
pub const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 7));

/// 2023-11-14T22:13:20Z, the server up for a day.
pub fn now() -> Now {
    Now { mono: Instant::ORIGIN, unix: UnixTime(1_700_000_000 - 86_400) }
        .after(Duration::from_secs(86_400))
}

/// Secrets "north" and "south"; users "alice" with "wonder:land" and, odd name, "1699999000:bob".
pub fn settings() -> CredentialSettings {
    let mut settings = CredentialSettings::new(REALM, [42; 32]);
    settings.secrets = vec!["north".into(), "south".into()];
    settings.users = vec![
        ("alice".to_owned(), Secret::from("wonder:land")),
        ("1699999000:bob".to_owned(), Secret::from("builder")),
    ];
    settings
}

pub fn credentials() -> Credentials {
    Credentials::new(settings()).expect("good settings")
}

/// What a client puts into its request. `None` leaves the attribute out.
#[derive(Clone)]
pub struct Ask {
    pub username: Option<String>,
    pub realm: Option<String>,
    pub nonce: Option<Vec<u8>>,
    pub password: Option<String>,
}

impl Ask {
    /// With a nonce just handed out.
    pub fn new(credentials: &Credentials, username: &str, password: &str) -> Self {
        Self {
            username: Some(username.to_owned()),
            realm: Some(REALM.to_owned()),
            nonce: Some(credentials.nonce(now(), CLIENT).as_bytes().to_vec()),
            password: Some(password.to_owned()),
        }
    }

    /// The Allocate request, signed with `MD5(username:realm:password)`.
    pub fn bytes(&self) -> Vec<u8> {
        let mut buffer = vec![0; 2048];
        let mut writer =
            Writer::new(&mut buffer, Class::Request, Method::ALLOCATE, TransactionId([9; 12]));
        writer.put(&RequestedTransport(17));
        if let Some(username) = &self.username {
            writer.put(&Username(username));
        }
        if let Some(realm) = &self.realm {
            writer.put(&Realm(realm));
        }
        if let Some(nonce) = &self.nonce {
            writer.put(&Nonce(nonce));
        }
        if let Some(password) = &self.password {
            let username = self.username.as_deref().unwrap_or_default();
            let realm = self.realm.as_deref().unwrap_or_default();
            let key: [u8; 16] = Md5::digest(format!("{username}:{realm}:{password}")).into();
            writer.integrity_sha1(&key);
        }
        let length = writer.finish().expect("it fits");
        buffer.truncate(length);
        buffer
    }

    pub fn check(&self, credentials: &Credentials, now: Now) -> Result<Verified, Denied> {
        check(credentials, now, &self.bytes())
    }

    pub fn check_owner(
        &self,
        credentials: &Credentials,
        now: Now,
        owner: &Verified,
    ) -> Result<(), Denied> {
        let bytes = self.bytes();
        let message = Message::parse(&bytes).expect("a message");
        credentials.check_owner(now, &message, CLIENT, owner).map(|_key| ())
    }
}

pub fn check(credentials: &Credentials, now: Now, bytes: &[u8]) -> Result<Verified, Denied> {
    credentials.check(now, &Message::parse(bytes).expect("a message"), CLIENT)
}
