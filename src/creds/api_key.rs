//! Keys with which applications call the HTTP API: 256 random bits, stored only as a hash.

use std::fmt;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use thiserror::Error;

/// The key made of these random bytes: `rk_` and 43 characters of base64url.
pub fn format(random: [u8; 32]) -> String {
    format!("rk_{}", URL_SAFE_NO_PAD.encode(random))
}

/// Whether this may be a key: `rk_` and 32 to 128 characters of base64url. Of 32 random ones, nobody
/// guesses any.
pub fn is_key(text: &str) -> bool {
    let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"_-".contains(&byte);
    text.strip_prefix("rk_")
        .is_some_and(|key| (32..=128).contains(&key.len()) && key.bytes().all(safe))
}

/// What is stored of a key and what it is found by. A plain hash is enough: the key has 256 bits
/// of entropy, so there is nothing to guess, and to find a hash tells nothing about its neighbours.
pub fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

/// What a key allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Ask for ICE servers with fresh credentials.
    Mint,
    /// Make rooms and invites, look at rooms.
    Rooms,
    /// Everything below `/api/v1/admin`.
    Admin,
}

impl Scope {
    /// Every scope there is.
    pub const ALL: [Self; 3] = [Self::Mint, Self::Rooms, Self::Admin];

    /// The word for it on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mint => "mint",
            Self::Rooms => "rooms",
            Self::Admin => "admin",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of scopes. In JSON a list of names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "Vec<Scope>", from = "Vec<Scope>")]
pub struct Scopes(u8);

impl Scopes {
    /// Whether `scope` is in the set.
    pub const fn contains(self, scope: Scope) -> bool {
        self.0 & scope.bit() != 0
    }

    /// Whether the set allows nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The scopes in the set, in the order of [`Scope::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Scope> {
        Scope::ALL.into_iter().filter(move |scope| self.contains(*scope))
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        Self(scopes.into_iter().fold(0, |bits, scope| bits | scope.bit()))
    }
}

impl From<Vec<Scope>> for Scopes {
    fn from(scopes: Vec<Scope>) -> Self {
        scopes.into_iter().collect()
    }
}

impl From<Scopes> for Vec<Scope> {
    fn from(scopes: Scopes) -> Self {
        scopes.iter().collect()
    }
}

/// `mint,rooms`: names between commas.
impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Scope::name).collect();
        f.write_str(&names.join(","))
    }
}

/// A list of scopes that names one there is not, or none at all.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("no scope is called {0:?}: write one or more of mint, rooms, admin, between commas")]
pub struct UnknownScope(pub String);

impl FromStr for Scopes {
    type Err = UnknownScope;

    fn from_str(list: &str) -> Result<Self, UnknownScope> {
        let scope = |name: &str| {
            let known = Scope::ALL.into_iter().find(|scope| scope.name() == name);
            known.ok_or_else(|| UnknownScope(name.to_owned()))
        };
        list.split(',').map(|name| scope(name.trim())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_its_prefix_and_43_safe_characters() {
        let key = format([0xff; 32]);
        assert_eq!(key.len(), 46);
        assert_eq!(&key[..6], "rk____");
        assert!(
            is_key(&key)
                && !is_key(&key[..34])
                && !is_key(&key[1..])
                && !is_key(&key.replace('k', " "))
        );
        assert!(key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte)));
    }

    #[test]
    fn the_hash_is_sha_256_of_the_whole_key() {
        assert_eq!(hash("abc")[..4], [0xba, 0x78, 0x16, 0xbf]);
        assert_ne!(hash(&format([1; 32])), hash(&format([2; 32])));
    }

    #[test]
    fn scopes_are_read_and_written_as_names() {
        let scopes: Scopes = "rooms, mint".parse().unwrap();
        assert!(scopes.contains(Scope::Mint) && scopes.contains(Scope::Rooms));
        assert!(!scopes.contains(Scope::Admin));
        assert_eq!(scopes.to_string(), "mint,rooms");
        let json = serde_json::to_string(&scopes).unwrap();
        assert_eq!(json, r#"["mint","rooms"]"#);
        assert_eq!(serde_json::from_str::<Scopes>(&json).unwrap(), scopes);
    }

    #[test]
    fn an_unknown_scope_is_named_in_the_error() {
        assert_eq!("mint,root".parse::<Scopes>(), Err(UnknownScope("root".to_owned())));
        assert_eq!("".parse::<Scopes>(), Err(UnknownScope(String::new())));
    }
}
