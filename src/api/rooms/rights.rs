//! Which caller may do what with which room.
//!
//! Seeing a room is for everybody with a ticket for it. Running it (lock, rename, invite, admit, deny,
//! kick) is for its hosts and its owner. Disposing of it (close it, make tickets) is for its owner; a
//! room without one belongs to its hosts. Keys with the scope `rooms` and admins may do all of it.

use super::super::caller::Caller;
use super::super::errors::{ApiError, Code};
use super::super::{Api, ids};
use crate::creds::api_key::Scope;
use crate::creds::ticket::{Claims, Role};
use crate::signal::Actor;
use crate::store::{RoomRecord, UserRole};

/// Rooms that one user may have at a time. All rooms together have a bound too, and nobody alone shall
/// reach it; applications make rooms for many, and admins answer for what they do.
pub const MAX_OWN_ROOMS: usize = 200;

/// Which rooms a caller is shown.
pub(super) enum Listed {
    /// Every one.
    All,
    /// Those of this owner.
    OwnedBy(String),
}

impl Caller {
    /// Who decides, in the words of events.
    pub(in crate::api) fn as_actor(&self) -> Actor {
        match self {
            Self::Anybody => Actor::Api,
            Self::Key { id, .. } => Actor::Caller(format!("key:{id}").into()),
            Self::Ticket(claims) => Actor::Caller(format!("ticket:{}", claims.sub).into()),
            Self::User { name, .. } => Actor::Caller(format!("user:{name}").into()),
        }
    }

    /// May make rooms.
    pub(in crate::api) fn may_create_rooms(&self) -> Result<(), ApiError> {
        allowed(match self {
            Self::Anybody | Self::User { .. } => true,
            Self::Key { scopes, .. } => scopes.contains(Scope::Rooms),
            Self::Ticket(claims) => claims.role == Role::Creator,
        })
    }

    /// Which rooms it may list.
    pub(super) fn rooms_listed(&self) -> Result<Listed, ApiError> {
        match self {
            _ if self.may_all_rooms() => Ok(Listed::All),
            Self::User { name, .. } => Ok(Listed::OwnedBy(name.clone())),
            _ => Err(Code::Forbidden.into()),
        }
    }

    /// May look at this room.
    pub(in crate::api) fn may_see(&self, room: &RoomRecord) -> Result<(), ApiError> {
        allowed(match self {
            Self::Ticket(claims) => is_for(claims, &room.id),
            _ => self.is_owner(room) || self.may_all_rooms(),
        })
    }

    /// May run this room: what its hosts may.
    pub(in crate::api) fn may_run(&self, room: &RoomRecord) -> Result<(), ApiError> {
        allowed(match self {
            Self::Ticket(claims) => is_host_of(claims, &room.id),
            _ => self.is_owner(room) || self.may_all_rooms(),
        })
    }

    /// May dispose of this room: close it, make tickets for it.
    pub(in crate::api) fn may_own(&self, room: &RoomRecord) -> Result<(), ApiError> {
        allowed(match self {
            Self::Ticket(claims) => is_host_of(claims, &room.id) && room.owner.is_none(),
            _ => self.is_owner(room) || self.may_all_rooms(),
        })
    }

    fn is_owner(&self, room: &RoomRecord) -> bool {
        let owner = self.owner();
        owner.is_some() && owner == room.owner
    }

    /// May do everything with every room.
    fn may_all_rooms(&self) -> bool {
        match self {
            Self::Anybody => true,
            Self::Key { scopes, .. } if scopes.contains(Scope::Rooms) => true,
            _ => self.may_admin().is_ok(),
        }
    }

    /// What is said of a room that is not there: only to those who could see it if it were.
    fn may_miss(&self, room: &str) -> Result<(), ApiError> {
        allowed(match self {
            Self::Ticket(claims) => is_for(claims, room),
            Self::Key { .. } => self.may_all_rooms(),
            Self::Anybody | Self::User { .. } => true,
        })
    }
}

fn is_for(claims: &Claims, room: &str) -> bool {
    claims.room.as_deref() == Some(room)
}

fn is_host_of(claims: &Claims, room: &str) -> bool {
    is_for(claims, room) && claims.role == Role::Host
}

fn allowed(allowed: bool) -> Result<(), ApiError> {
    if allowed { Ok(()) } else { Err(Code::Forbidden.into()) }
}

impl Api {
    /// Whether `caller`, who may make rooms, may have one more.
    pub(in crate::api) fn may_have_another_room(&self, caller: &Caller) -> Result<(), ApiError> {
        match caller {
            Caller::User { name, role, .. } => self.user_may_have_another_room(name, *role),
            _ => Ok(()),
        }
    }

    /// The same for a user who came in another way.
    pub(in crate::api) fn user_may_have_another_room(
        &self,
        name: &str,
        role: UserRole,
    ) -> Result<(), ApiError> {
        if role == UserRole::Admin {
            return Ok(());
        }
        let now = self.now().unix.0;
        let own = |room: &RoomRecord| room.owner.as_deref() == Some(name) && !room.is_over(now);
        let own = self.store().rooms().page("", MAX_OWN_ROOMS, own)?.len();
        if own < MAX_OWN_ROOMS { Ok(()) } else { Err(Code::TooManyOwnRooms.into()) }
    }

    /// The room `id`, which `caller` may look at.
    pub(super) fn room_seen_by(&self, caller: &Caller, id: &str) -> Result<RoomRecord, ApiError> {
        self.room_for(caller, id, Caller::may_see)
    }

    /// The room `id`, which `caller` may run.
    pub(super) fn room_run_by(&self, caller: &Caller, id: &str) -> Result<RoomRecord, ApiError> {
        self.room_for(caller, id, Caller::may_run)
    }

    /// The room `id`, which `caller` may dispose of.
    pub(super) fn room_owned_by(&self, caller: &Caller, id: &str) -> Result<RoomRecord, ApiError> {
        self.room_for(caller, id, Caller::may_own)
    }

    fn room_for(
        &self,
        caller: &Caller,
        id: &str,
        right: fn(&Caller, &RoomRecord) -> Result<(), ApiError>,
    ) -> Result<RoomRecord, ApiError> {
        let Some(room) = self.find_room(id)? else {
            caller.may_miss(id)?;
            return Err(Code::NoSuchRoom.into());
        };
        right(caller, &room)?;
        Ok(room)
    }

    /// Whether what was given out for a room to `sub` at `iat` is refused there: its holder was removed,
    /// or an earlier room had the same name.
    pub(in crate::api) fn is_shut_out(
        &self,
        room: &str,
        sub: &str,
        iat: u64,
    ) -> Result<bool, ApiError> {
        let room = self.find_room(room)?;
        let refused =
            |room: RoomRecord| iat < room.created || room.kicked.iter().any(|kicked| kicked == sub);
        Ok(room.is_some_and(refused))
    }

    /// Whether what this caller's ticket is for is still there; anybody else has no such thing.
    pub(in crate::api) fn still_has_room(&self, caller: &Caller) -> Result<(), ApiError> {
        match caller {
            Caller::Ticket(claims) => {
                claims.room.as_deref().map_or(Ok(()), |room| self.stored_room(room).map(drop))
            }
            _ => Ok(()),
        }
    }

    /// The room `id`, if it is stored and not over.
    pub(in crate::api) fn stored_room(&self, id: &str) -> Result<RoomRecord, ApiError> {
        self.find_room(id)?.ok_or_else(|| Code::NoSuchRoom.into())
    }

    fn find_room(&self, id: &str) -> Result<Option<RoomRecord>, ApiError> {
        if id.len() > ids::MAX_ID {
            return Ok(None);
        }
        let now = self.now().unix.0;
        Ok(self.store().rooms().find(id)?.filter(|room| !room.is_over(now)))
    }
}
