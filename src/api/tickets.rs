//! Tickets this server gives out: what is in them and how long they live.

use std::time::Duration;

use super::ids::fresh;
use crate::creds::ticket::{AUDIENCE, Claims, ISSUER, Role};
use crate::store::RoomRecord;
use crate::time::UnixTime;

/// How long a ticket for a room lives, unless the room ends before.
pub const ROOM_TICKET: Duration = Duration::from_secs(24 * 3600);

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
    Claims { room: Some(room.id.clone()), name, ..claims(now, UnixTime(exp), role) }
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
