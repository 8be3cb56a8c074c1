//! Who may ask: long-term credentials (RFC 8489 section 9.2) of static users and of REST shared
//! secrets (draft-uberti-behave-turn-rest-00), stateless nonces, minting, tickets and API keys.
//!
//! Nothing here knows an allocation, reads a clock or draws a random number: time, keys and random
//! bytes are arguments. A [`Verified`] request is a value that only [`Credentials`] can make.

mod check;
mod credentials;
mod denied;
mod key;
mod nonce;
mod prepare;
mod secret;
mod settings;
mod verified;

pub mod api_key;
mod jws;
pub mod rest;
pub mod ticket;
pub mod uri;

pub use credentials::Credentials;
pub use denied::{Denied, Excerpt, Reason};
pub use key::Key;
pub use nonce::NonceText;
pub use secret::Secret;
pub use settings::{CredentialSettings, SettingsError};
pub use verified::Verified;
