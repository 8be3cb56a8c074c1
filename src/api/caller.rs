//! Who calls: an API key, a ticket or a user's access token in `Authorization: Bearer …`, or anybody
//! while minting is open.

use std::net::IpAddr;

use axum::http::{HeaderMap, header};

use super::Api;
use super::errors::{ApiError, Code};
use crate::creds::api_key::{self, Scope, Scopes};
use crate::creds::ticket::{Claims, TicketError};
use crate::store::{SessionId, UserRole};

/// A caller whose proof was checked.
#[derive(Debug)]
pub(super) enum Caller {
    /// Anybody: minting is open and nothing was shown.
    Anybody,
    /// An application.
    Key { id: String, scopes: Scopes },
    /// A person with a ticket.
    Ticket(Box<Claims>),
    /// A person who has logged in. The role is the one they have now.
    User { name: String, role: UserRole, session: SessionId },
}

impl Api {
    /// Checks what the request shows. A wrong proof is refused even while minting is open, so that a
    /// client's mistake is seen.
    pub(super) fn caller(&self, headers: &HeaderMap, client: IpAddr) -> Result<Caller, ApiError> {
        let Some(value) = headers.get(header::AUTHORIZATION) else {
            return match self.settings().open_minting {
                true => Ok(Caller::Anybody),
                false => Err(Code::Unauthorized.into()),
            };
        };
        let refused = |why: String| {
            self.limiters().failures.check(client)?;
            // The client's address makes the line useful to fail2ban.
            tracing::info!(%client, why, "refused an API key, ticket or access token");
            Err(ApiError::new(Code::InvalidToken))
        };
        // RFC 9110 section 5.3: whoever reads another one of two would see another caller.
        if headers.get_all(header::AUTHORIZATION).iter().nth(1).is_some() {
            return refused("more than one Authorization header".into());
        }
        let Some(token) = value.to_str().ok().and_then(bearer) else {
            return refused("not a bearer token".into());
        };
        if token.starts_with("rk_") {
            return match self.store().keys().find(&api_key::hash(token))? {
                Some(key) => Ok(Caller::Key { id: key.id, scopes: key.scopes }),
                None => refused("no such API key".into()),
            };
        }
        match self.verify_ticket(self.now().unix, token) {
            Ok(claims) if self.opens_no_more(&claims)? => {
                refused("its holder was removed from the room, or it is for an earlier one".into())
            }
            Ok(claims) => Ok(Caller::Ticket(Box::new(claims))),
            // Ours, and no ticket: each kind of token has an audience of its own.
            Err(TicketError::Audience) => match self.access_or_why(token)? {
                Ok((user, session)) => {
                    Ok(Caller::User { name: user.name, role: user.role, session: session.id })
                }
                Err(why) => refused(why),
            },
            Err(error) => refused(error.to_string()),
        }
    }
}

impl Api {
    fn opens_no_more(&self, claims: &Claims) -> Result<bool, ApiError> {
        let Some(room) = &claims.room else { return Ok(false) };
        self.is_shut_out(room, &claims.sub, claims.iat)
    }
}

/// RFC 6750 section 2.1; the scheme's case does not matter (RFC 9110 section 11.1).
pub(super) fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

impl Caller {
    /// May have ICE servers.
    pub(super) fn may_mint(&self) -> Result<(), ApiError> {
        self.allowed(match self {
            Self::Key { scopes, .. } => scopes.contains(Scope::Mint),
            Self::Anybody | Self::Ticket(_) | Self::User { .. } => true,
        })
    }

    /// May do everything below `/api/v1/admin`.
    pub(super) fn may_admin(&self) -> Result<(), ApiError> {
        self.allowed(match self {
            Self::Key { scopes, .. } => scopes.contains(Scope::Admin),
            Self::User { role, .. } => *role == UserRole::Admin,
            // Open minting opens minting: who relays what is nobody's business.
            Self::Anybody | Self::Ticket(_) => false,
        })
    }

    /// Whom what they make belongs to: a user by name, an application as `key-<id>`, which is
    /// nobody's name.
    pub(super) fn owner(&self) -> Option<String> {
        match self {
            Self::Key { id, .. } => Some(format!("key-{id}")),
            Self::User { name, .. } => Some(name.clone()),
            Self::Anybody | Self::Ticket(_) => None,
        }
    }

    fn allowed(&self, allowed: bool) -> Result<(), ApiError> {
        if allowed { Ok(()) } else { Err(Code::Forbidden.into()) }
    }
}

#[cfg(test)]
mod tests {
    use super::bearer;

    #[test]
    fn a_bearer_token_is_what_follows_the_scheme() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc"), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearer "), None);
        assert_eq!(bearer("Bearer"), None);
    }
}
