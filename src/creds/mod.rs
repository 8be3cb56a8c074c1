//! Who may ask: long-term credentials (RFC 8489 section 9.2) of static users and of REST shared
//! secrets (draft-uberti-behave-turn-rest-00), stateless nonces, minting, tickets, API keys, names and
//! passwords of people.
//!
//! Nothing here knows an allocation, reads a clock or draws a random number: time, keys and random
//! bytes are arguments. A [`Verified`] request is a value that only [`Credentials`] can make.

mod allowance;
mod check;
mod credentials;
mod denied;
mod features;
mod given;
mod key;
mod nonce;
mod prepare;
mod scheme;
mod secret;
mod settings;
mod userhash;
mod verified;

pub mod access;
pub mod api_key;
mod jws;
pub mod password;
pub mod rest;
pub mod session_token;
pub mod ticket;
pub mod uri;
pub mod user_name;

pub use allowance::Allowance;
pub use credentials::{Challenge, Credentials};
pub use denied::{Denied, Excerpt, Reason};
pub use features::Features;
pub use key::Key;
pub use nonce::NonceText;
pub use scheme::{Algorithm, PASSWORD_ALGORITHMS, Protection};
pub use secret::{NoSecretId, Secret, SecretId, SharedSecret, exposed};
pub use settings::{CredentialSettings, SettingsError};
use userhash::userhash;
pub use verified::Verified;
