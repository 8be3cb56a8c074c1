//! REST credentials computed from the draft alone, so that the server's own minting has a judge.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};

/// A user name and its password.
#[derive(Clone, Debug)]
pub struct Credential {
    pub username: String,
    pub password: String,
}

impl Credential {
    /// A fixed user of the server's configuration.
    pub fn of_user(username: &str, password: &str) -> Self {
        Self { username: username.into(), password: password.into() }
    }

    /// A REST credential with exactly this user name (draft-uberti-behave-turn-rest-00, section 2.2).
    pub fn signed(secret: &str, username: &str) -> Self {
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(secret.as_bytes()).expect("any length");
        mac.update(username.as_bytes());
        let password =
            base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
        Self { username: username.into(), password }
    }

    /// A REST credential that is good for another hour.
    pub fn fresh(secret: &str, subject: &str) -> Self {
        let expiry = unix_now() + 3600;
        Self::signed(secret, &format!("{expiry}:{subject}"))
    }

    /// A REST credential, rightly signed, that ended `ago`.
    pub fn expired(secret: &str, subject: &str, ago: Duration) -> Self {
        let expiry = unix_now() - ago.as_secs();
        Self::signed(secret, &format!("{expiry}:{subject}"))
    }
}

/// Seconds since 1970.
pub fn unix_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs()
}
