//! Tickets: who may do what in which room, as a JSON Web Token (RFC 7519) signed by this server.

use std::fmt;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zeroize::Zeroizing;

use super::jws::{self, Refused};
use crate::time::UnixTime;

/// The `iss` of every ticket.
pub const ISSUER: &str = "relayhouse";
/// The `aud` of every ticket.
pub const AUDIENCE: &str = "relayhouse";
/// A longer token is refused before anything of it is read. Bytes.
pub const MAX_TOKEN: usize = 4096;
/// How long after its expiry a ticket still passes, for clocks that differ.
pub const LEEWAY: Duration = Duration::from_secs(5);

/// What a ticket says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who signed: [`ISSUER`].
    pub iss: String,
    /// For whom: [`AUDIENCE`].
    pub aud: String,
    /// The holder; in a room, the peer's id.
    pub sub: String,
    /// Not good after.
    pub exp: u64,
    /// Made at.
    pub iat: u64,
    /// The ticket's own name, for revoking it.
    pub jti: String,
    /// The one room it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub room: Option<String>,
    /// What the holder is there.
    pub role: Role,
    /// What others see the holder called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
}

/// What the holder of a ticket is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs a room.
    Host,
    /// Takes part in a room.
    Guest,
    /// May make rooms and ask for ICE servers.
    Creator,
}

/// Why a token is not accepted. No sentence holds any of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TicketError {
    /// More than [`MAX_TOKEN`] bytes.
    #[error("the token is longer than {MAX_TOKEN} bytes")]
    TooLong,
    /// No JSON Web Token, or one with other claims than ours.
    #[error("this is no ticket")]
    Malformed,
    /// Not plainly HS256.
    #[error("the token is signed in a way that is not accepted")]
    Algorithm,
    /// Another key signed it, or it was changed.
    #[error("the signature is wrong")]
    Signature,
    /// Another server's.
    #[error("the token has another issuer")]
    Issuer,
    /// For something else.
    #[error("the token is for another audience")]
    Audience,
    /// So long ago.
    #[error("the ticket expired {} s ago", .0.as_secs())]
    Expired(Duration),
    /// Taken back before its end.
    #[error("the token was revoked")]
    Revoked,
}

impl From<Refused> for TicketError {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Malformed => Self::Malformed,
            Refused::Algorithm => Self::Algorithm,
            Refused::Signature => Self::Signature,
        }
    }
}

/// The key that signs and verifies tickets. Wiped when dropped.
#[derive(Clone)]
pub struct TicketKey(Zeroizing<[u8; 32]>);

impl TicketKey {
    /// A key of 32 random bytes.
    pub fn new(key: [u8; 32]) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The ticket as text for a URL or a header. Claims whose texts are longer than about 2,900
    /// bytes together make a token that [`Self::verify`] refuses.
    pub fn sign(&self, claims: &Claims) -> String {
        self.sign_any(claims)
    }

    /// The claims of a ticket this key signed, for us, that has not expired at `now`.
    ///
    /// # Errors
    /// Why not; the signature is looked at before the claims.
    pub fn verify(&self, now: UnixTime, token: &str) -> Result<Claims, TicketError> {
        self.verify_within(LEEWAY, now, token)
    }

    /// As [`verify`](Self::verify), with another leeway.
    ///
    /// # Errors
    /// Why not; the signature is looked at before the claims.
    pub fn verify_within(
        &self,
        leeway: Duration,
        now: UnixTime,
        token: &str,
    ) -> Result<Claims, TicketError> {
        self.read(AUDIENCE, leeway, now, token)
    }

    /// Any token of ours for this audience. What it is for is looked at before what it says, so that
    /// a token of one kind is never read as another.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        audience: &str,
        leeway: Duration,
        now: UnixTime,
        token: &str,
    ) -> Result<T, TicketError> {
        if token.len() > MAX_TOKEN {
            return Err(TicketError::TooLong);
        }
        let payload = jws::verify(&self.0, token)?;
        let envelope: Envelope =
            serde_json::from_slice(&payload).map_err(|_| TicketError::Malformed)?;
        if envelope.iss != ISSUER {
            return Err(TicketError::Issuer);
        }
        if envelope.aud != audience {
            return Err(TicketError::Audience);
        }
        // RFC 7519 section 4.1.4: on its expiry it has expired, but for a little leeway.
        if now >= UnixTime(envelope.exp).plus(leeway) {
            let ago = now.0.saturating_sub(envelope.exp);
            return Err(TicketError::Expired(Duration::from_secs(ago)));
        }
        serde_json::from_slice(&payload).map_err(|_| TicketError::Malformed)
    }

    /// A key of its own for another purpose, from which neither this one nor a third can be found.
    pub fn derive(&self, purpose: &str) -> Zeroizing<[u8; 32]> {
        // No token begins like this, so no signature is ever one of these keys.
        Zeroizing::new(jws::mac(&self.0, format!("key for {purpose}").as_bytes()))
    }

    /// Any claims as a token.
    pub(super) fn sign_any(&self, claims: &impl Serialize) -> String {
        let payload = serde_json::to_vec(claims).expect("texts and numbers are always JSON");
        jws::sign(&self.0, &payload)
    }
}

/// What every token of ours says.
#[derive(Deserialize)]
struct Envelope {
    iss: String,
    aud: String,
    exp: u64,
}

impl fmt::Debug for TicketKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketKey([redacted])")
    }
}
