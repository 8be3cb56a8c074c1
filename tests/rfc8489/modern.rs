//! A client that knows all of section 9.2: SHA-256 keys, the echoed offer, anonymous usernames. Its
//! keys come straight from the hash functions.

use std::sync::Arc;

use relayhouse::creds::{CredentialSettings, Credentials, Secret};
use relayhouse::stun::{
    Class, Lifetime, Method, Nonce, PasswordAlgorithm, PasswordAlgorithms, Realm,
    RequestedTransport, UserHash, Username, Writer,
};
use sha2::{Digest, Sha256};

use crate::machine::*;

/// What the server offers.
pub const OFFER: [PasswordAlgorithm<'static>; 2] =
    [PasswordAlgorithm::SHA256, PasswordAlgorithm::MD5];

pub struct Modern {
    pub client: Client,
    /// Sends USERHASH in the place of USERNAME.
    pub anonymous: bool,
}

impl Modern {
    /// Alice, who has had her challenge.
    pub fn greeted(world: &mut World, remote: &str) -> Self {
        Self::of(world, Client::at(remote))
    }

    pub fn of(world: &mut World, mut client: Client) -> Self {
        client.greet(world);
        Self { client, anonymous: false }
    }

    pub fn key(&self) -> [u8; 32] {
        let Client { username, password, .. } = &self.client;
        Sha256::digest(format!("{username}:{REALM}:{password}")).into()
    }

    pub fn hash(&self) -> UserHash {
        UserHash(Sha256::digest(format!("{}:{REALM}", self.client.username)).into())
    }

    /// The name, the realm and the nonce.
    pub fn identify(&self, writer: &mut Writer<'_>) {
        match self.anonymous {
            true => writer.put(&self.hash()),
            false => writer.put(&Username(&self.client.username)),
        };
        writer.put(&Realm(REALM)).put(&Nonce(&self.client.nonce));
    }

    /// An Allocate as the section wants it.
    pub fn allocate(&mut self, world: &mut World) -> Sent {
        self.ask(world, Method::ALLOCATE, |w| {
            w.put(&RequestedTransport(17));
        })
    }

    pub fn refresh(&mut self, world: &mut World, seconds: u32) -> Sent {
        self.ask(world, Method::REFRESH, |w| {
            w.put(&Lifetime(seconds));
        })
    }

    pub fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        fill: impl FnOnce(&mut Writer<'_>),
    ) -> Sent {
        let id = self.client.id();
        let request = write(Class::Request, method, id, |w| {
            fill(w);
            self.identify(w);
            w.put(&PasswordAlgorithms::new(&OFFER)).put(&PasswordAlgorithm::SHA256);
            w.integrity_sha256(&self.key());
        });
        self.client.exchange(world, &request)
    }

    /// An Allocate with name, realm and nonce; algorithms and signatures are the caller's.
    pub fn try_allocate(&mut self, world: &mut World, rest: impl FnOnce(&mut Writer<'_>)) -> Sent {
        let id = self.client.id();
        let request = write(Class::Request, Method::ALLOCATE, id, |w| {
            w.put(&RequestedTransport(17));
            self.identify(w);
            rest(w);
        });
        self.client.exchange(world, &request)
    }
}

/// Alice and Bob, no secrets.
pub fn users_alone() -> CredentialSettings {
    let mut settings = CredentialSettings::new(REALM, [7; 32]);
    settings.users =
        vec![("alice".into(), Secret::from("wonder")), ("bob".into(), Secret::from("builder"))];
    settings
}

pub fn configure(world: &mut World, credentials: CredentialSettings) {
    let credentials = Credentials::new(credentials).expect("good settings");
    world.relay.configure(Arc::new(settings()), Arc::new(credentials));
}

/// Takes the nonce of a challenge.
pub fn nonce_of(challenge: &Sent) -> Vec<u8> {
    challenge.get::<Nonce<'_>>().expect("a nonce").0.to_vec()
}

/// What a challenge offers.
pub fn offer_of(challenge: &Sent) -> Option<Vec<u16>> {
    let list = challenge.get::<PasswordAlgorithms<'_>>()?;
    Some(list.iter().map(|algorithm| algorithm.number).collect())
}
