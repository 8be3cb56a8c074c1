//! Tickets this server gives out: what is in them and how long they live.

use std::time::Duration;

use super::Api;
use super::errors::ApiError;
use super::ids::fresh;
use crate::creds::ticket::{AUDIENCE, Claims, ISSUER, Role, TicketError};
use crate::store::{RevokeError, RoomRecord};
use crate::time::UnixTime;

/// How long a ticket for a room lives, unless the room ends before.
pub const ROOM_TICKET: Duration = Duration::from_secs(24 * 3600);

impl Api {
    /// What a ticket of ours says that has neither expired nor been revoked.
    pub(super) fn verify_ticket(&self, now: UnixTime, token: &str) -> Result<Claims, TicketError> {
        let claims = self.tickets().verify_within(self.settings().sessions.leeway, now, token)?;
        match self.store().revoked().contains(&claims.jti) {
            Ok(false) => Ok(claims),
            Ok(true) => Err(TicketError::Revoked),
            Err(error) => {
                tracing::error!(%error, "whether a ticket was revoked cannot be read");
                Err(TicketError::Revoked)
            }
        }
    }

    /// Refuses this ticket from now on, over HTTP and in a hello; who is in a room with it stays.
    ///
    /// # Errors
    /// The store's, or that it remembers as many as it can.
    pub async fn revoke_ticket(&self, claims: &Claims) -> Result<(), ApiError> {
        let until = UnixTime(claims.exp).plus(self.settings().sessions.leeway).0;
        match self.store().revoked().add(&claims.jti, until).await {
            Ok(()) => Ok(()),
            Err(RevokeError::Store(error)) => Err(error.into()),
            Err(RevokeError::Full) => {
                tracing::error!("no ticket can be revoked: as many as can be are remembered");
                Err(ApiError::new(super::Code::Unavailable).retry_after(60))
            }
        }
    }
}

/// A ticket that may make rooms and ask for ICE servers; what `/#creator=…` links carry.
pub fn creator(now: UnixTime, ttl: Duration) -> Claims {
    claims(now, now.plus(ttl), Role::Creator)
}

/// A ticket for a room, for a new peer of its own.
pub(super) fn for_room(
    now: UnixTime,
    room: &RoomRecord,
    role: Role,
    name: Option<String>,
) -> Claims {
    let exp = now.plus(ROOM_TICKET).0.min(room.expires.unwrap_or(u64::MAX));
    // A clock that was set back does not make it one for an earlier room.
    let iat = now.0.max(room.created);
    Claims { room: Some(room.id.clone()), name, iat, ..claims(now, UnixTime(exp), role) }
}

fn claims(now: UnixTime, exp: UnixTime, role: Role) -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: fresh(),
        exp: exp.0,
        iat: now.0,
        jti: fresh(),
        room: None,
        role,
        name: None,
    }
}
