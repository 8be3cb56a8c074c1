//! The token that opens a room: a JSON Web Token good for one connection, signed with Ed25519 (RFC
//! 8037), so that a worker elsewhere checks it with the public key of `/.well-known/jwks.json`.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::api::DialectSettings;
use crate::creds::ticket::{LEEWAY, MAX_TOKEN, TicketKey};
use crate::signal::Role;
use crate::time::UnixTime;

/// How long a token opens its room: the client asks for a new one in time.
pub(super) const TTL: Duration = Duration::from_secs(15 * 60);
/// How long after that it still gets its holder a new one.
pub(super) const RENEWAL: Duration = TTL;

/// `{"alg":"EdDSA","typ":"JWT"}`: the only header there is, compared as it stands.
const HEADER: &str = "eyJhbGciOiJFZERTQSIsInR5cCI6IkpXVCJ9";

/// What a token says. Times are unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) aud: String,
    /// The user, and the peer in the room.
    pub(super) sub: String,
    pub(super) exp: u64,
    pub(super) iat: u64,
    pub(super) jti: String,
    #[serde(rename = "roomID")]
    pub(super) room: String,
    pub(super) role: TokenRole,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) name: Option<String>,
}

/// Who made the room, and who was invited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum TokenRole {
    /// Made the room.
    Host,
    /// Was invited to it.
    Guest,
}

impl From<TokenRole> for Role {
    fn from(role: TokenRole) -> Self {
        match role {
            TokenRole::Host => Self::Host,
            TokenRole::Guest => Self::Guest,
        }
    }
}

/// Why a token is not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum TokenError {
    #[error("this is no token of ours")]
    Malformed,
    #[error("the signature is wrong")]
    Signature,
    #[error("the token has another issuer")]
    Issuer,
    #[error("the token is for another audience")]
    Audience,
    #[error("the token has expired")]
    Expired,
}

/// The key pair of this server's tokens.
pub(super) struct TokenKey(Ed25519KeyPair);

impl TokenKey {
    /// The pair that belongs to the server's ticket key: the same after every restart.
    pub(super) fn of(tickets: &TicketKey) -> Self {
        let seed = tickets.derive("tunnel tokens");
        let pair = Ed25519KeyPair::from_seed_unchecked(&*seed);
        Self(pair.expect("32 bytes are a seed of Ed25519"))
    }

    pub(super) fn sign(&self, claims: &Claims) -> String {
        let payload = serde_json::to_vec(claims).expect("texts and numbers are always JSON");
        let signed = format!("{HEADER}.{}", BASE64URL.encode(payload));
        let signature = BASE64URL.encode(self.0.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// The claims of a token of ours that has not been over for longer than `grace`.
    pub(super) fn verify(
        &self,
        settings: &DialectSettings,
        now: UnixTime,
        grace: Duration,
        token: &str,
    ) -> Result<Claims, TokenError> {
        if token.len() > MAX_TOKEN || !is_one(token) {
            return Err(TokenError::Malformed);
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenError::Malformed)?;
        let decode = |part: &str| BASE64URL.decode(part).map_err(|_| TokenError::Malformed);
        let (payload, signature) = (decode(&signed[HEADER.len() + 1..])?, decode(signature)?);
        UnparsedPublicKey::new(&ED25519, self.0.public_key())
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| TokenError::Signature)?;
        let claims: Claims = serde_json::from_slice(&payload).map_err(|_| TokenError::Malformed)?;
        if claims.iss != settings.tunnel_issuer {
            return Err(TokenError::Issuer);
        }
        if claims.aud != settings.tunnel_audience {
            return Err(TokenError::Audience);
        }
        if now >= UnixTime(claims.exp).plus(LEEWAY).plus(grace) {
            return Err(TokenError::Expired);
        }
        Ok(claims)
    }

    /// The public key as a JSON Web Key Set (RFC 7517 section 5).
    pub(super) fn key_set(&self) -> Value {
        let x = BASE64URL.encode(self.0.public_key());
        json!({"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "x": x}]})
    }
}

/// Whether this looks like a token of this dialect, and not like a ticket or an API key.
pub(super) fn is_one(token: &str) -> bool {
    let mut parts = token.split('.');
    parts.next() == Some(HEADER) && parts.count() == 2
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_700_000_000);

    fn key() -> TokenKey {
        TokenKey::of(&TicketKey::new([1; 32]))
    }

    fn claims() -> Claims {
        Claims {
            iss: "tunnel-backend".into(),
            aud: "tunnel-worker".into(),
            sub: "ann".into(),
            exp: NOW.0 + 60,
            iat: NOW.0,
            jti: "j".into(),
            room: "r".into(),
            role: TokenRole::Host,
            name: None,
        }
    }

    fn verify(token: &str, now: u64) -> Result<Claims, TokenError> {
        key().verify(&DialectSettings::default(), UnixTime(now), Duration::ZERO, token)
    }

    #[test]
    fn a_token_says_what_was_signed_until_it_is_over() {
        let token = key().sign(&claims());
        assert_eq!(verify(&token, NOW.0), Ok(claims()));
        assert_eq!(verify(&token, NOW.0 + 60 + LEEWAY.as_secs()), Err(TokenError::Expired));
    }

    #[test]
    fn a_changed_or_foreign_token_is_refused() {
        let token = key().sign(&claims());
        let other = TokenKey::of(&TicketKey::new([2; 32])).sign(&claims());
        assert_eq!(verify(&other, NOW.0), Err(TokenError::Signature));
        let (head, rest) = token.split_once('.').unwrap();
        let guest = Claims { sub: "bob".into(), ..claims() };
        let payload = BASE64URL.encode(serde_json::to_vec(&guest).unwrap());
        let forged = format!("{head}.{payload}.{}", rest.split_once('.').unwrap().1);
        assert_eq!(verify(&forged, NOW.0), Err(TokenError::Signature));
    }

    #[test]
    fn no_other_header_is_read() {
        let token = key().sign(&claims());
        let (_, rest) = token.split_once('.').unwrap();
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS256"}"#, r#"{"typ":"JWT","alg":"EdDSA"}"#]
        {
            let token = format!("{}.{rest}", BASE64URL.encode(header));
            assert_eq!(verify(&token, NOW.0), Err(TokenError::Malformed), "{header}");
        }
        for text in ["", ".", "..", HEADER, &format!("{HEADER}."), &format!("{HEADER}.."), "é"] {
            assert!(verify(text, NOW.0).is_err(), "{text}");
        }
    }

    #[test]
    fn another_issuer_or_audience_is_refused() {
        let issuer = Claims { iss: "elsewhere".into(), ..claims() };
        assert_eq!(verify(&key().sign(&issuer), NOW.0), Err(TokenError::Issuer));
        let audience = Claims { aud: "elsewhere".into(), ..claims() };
        assert_eq!(verify(&key().sign(&audience), NOW.0), Err(TokenError::Audience));
    }

    #[test]
    fn the_header_says_what_it_should() {
        assert_eq!(BASE64URL.encode(r#"{"alg":"EdDSA","typ":"JWT"}"#), HEADER);
    }
}
