//! Access tokens: what a person who has logged in shows with each call. JSON Web Tokens of a few
//! minutes, signed like tickets, for an audience of their own.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::ticket::{TicketError, TicketKey};
use crate::time::UnixTime;

pub use super::ticket::ISSUER;

/// The `aud` of every access token: none is a ticket, and no ticket is one.
pub const AUDIENCE: &str = "relayhouse/access";

/// What a person may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserRole {
    /// Make rooms, have ICE servers.
    #[default]
    User,
    /// Everything.
    Admin,
}

impl UserRole {
    /// Every role there is.
    pub const ALL: [Self; 2] = [Self::User, Self::Admin];

    /// The word for it on the command line and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Admin => "admin",
        }
    }
}

/// What an access token says. Times are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Who signed: [`ISSUER`].
    pub iss: String,
    /// For whom: [`AUDIENCE`].
    pub aud: String,
    /// The user's name.
    pub sub: String,
    /// Not good after.
    pub exp: u64,
    /// Made at.
    pub iat: u64,
    /// The token's own name.
    pub jti: String,
    /// The session it belongs to, and ends with.
    pub sid: String,
    /// For clients that want to know. What counts is the user's role when the call is made.
    pub role: UserRole,
}

impl TicketKey {
    /// The access token as text.
    pub fn sign_access(&self, claims: &AccessClaims) -> String {
        self.sign_any(claims)
    }

    /// The claims of an access token this key signed that has not expired at `now`. Whether its
    /// session still lives is another question.
    ///
    /// # Errors
    /// Why not; the signature is looked at before the claims.
    pub fn verify_access(
        &self,
        leeway: Duration,
        now: UnixTime,
        token: &str,
    ) -> Result<AccessClaims, TicketError> {
        self.read(AUDIENCE, leeway, now, token)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::creds::ticket;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn claims() -> AccessClaims {
        AccessClaims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: "alice".into(),
            exp: NOW.0 + 60,
            iat: NOW.0,
            jti: "j".into(),
            sid: "s".into(),
            role: UserRole::Admin,
        }
    }

    #[test]
    fn an_access_token_is_no_ticket_and_a_ticket_no_access_token() {
        let key = TicketKey::new([1; 32]);
        let access = key.sign_access(&claims());
        assert_eq!(key.verify_access(Duration::ZERO, NOW, &access), Ok(claims()));
        assert_eq!(key.verify(NOW, &access), Err(TicketError::Audience));
        // Even with every claim that the other kind wants.
        let both = serde_json::json!({
            "iss": ISSUER, "aud": ticket::AUDIENCE, "sub": "alice", "exp": NOW.0 + 60, "iat": NOW.0,
            "jti": "j", "sid": "s", "role": "admin",
        });
        let ticket = key.sign_any(&both);
        assert_eq!(key.verify_access(Duration::ZERO, NOW, &ticket), Err(TicketError::Audience));
    }

    #[test]
    fn the_leeway_is_the_callers() {
        let key = TicketKey::new([1; 32]);
        let access = key.sign_access(&claims());
        let late = UnixTime(NOW.0 + 61);
        assert!(key.verify_access(Duration::from_secs(2), late, &access).is_ok());
        let expired = TicketError::Expired(Duration::from_secs(1));
        assert_eq!(key.verify_access(Duration::ZERO, late, &access), Err(expired));
    }
}
