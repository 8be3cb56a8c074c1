//! Coming in: whose the token is, whether the room is theirs to join, and under which client id.

use std::time::Duration;

use serde_json::Value;

use super::held::Holding;
use super::talk::{Said, Talk, User, error, is_id, refuse};
use crate::api::caller::Caller;
use crate::api::dialects::socket::{CloseCode, Heard};
use crate::api::errors::Code;
use crate::api::ids;
use crate::signal::{Admission, PeerId, Role, RoomId, RoomSpec};

/// How long a room stays with nobody in it: long enough for its first client to come in.
const IDLE: Duration = Duration::from_secs(5);

/// Why a client is not let in: what it is told, and why its connection closes.
type Refused = (String, CloseCode, &'static str);

impl Talk {
    /// The first message: a token, and perhaps an id.
    pub(super) async fn authenticate(&mut self, said: &Said) -> Heard {
        let Some(Value::String(token)) = &said.token else {
            return refuse(error("Invalid token"), "Invalid token");
        };
        let (record, session) = match self.api.access(token) {
            Ok(known) => known,
            Err(why) if why.code() == Code::InvalidToken => return self.refuse_token(),
            Err(_) => return busy(),
        };
        let (name, role) = (record.name, record.role);
        let caller = Caller::User { name: name.clone(), role, session: session.id };
        let role = match self.enter(&caller, &name).await {
            Ok(role) => role,
            Err((text, code, reason)) => return Heard::Close(vec![text], code, reason.into()),
        };
        let wanted = match &said.client_id {
            Some(Value::String(id)) if is_id(id) => Some(id.as_str()),
            _ => None,
        };
        let (id, holding) = self.client_id(wanted, &name).await;
        let admission = Admission {
            room: RoomId::from(self.room.as_str()),
            peer: PeerId::from(id.as_str()),
            role,
            name: Some(name.as_str().into()),
            issued: None,
        };
        self.user = Some(User { name, id, _holding: holding });
        Heard::Enter(Box::new(admission))
    }

    /// Guesses are counted like everywhere.
    fn refuse_token(&self) -> Heard {
        if self.api.limiters().failures.check(self.client).is_err() {
            return refuse(error("Rate limit exceeded"), "Rate limit exceeded");
        }
        tracing::info!(client = %self.client, "refused an access token on a WebSocket");
        refuse(error("Invalid token"), "Invalid token")
    }

    /// Opens the room if need be, and says what `user` is in it.
    async fn enter(&self, caller: &Caller, user: &str) -> Result<Role, Refused> {
        let (api, room) = (&self.api, RoomId::from(self.room.as_str()));
        let held = &api.dialects().rooms;
        let stored = api.store().rooms().find(&self.room).map_err(|_| unavailable())?;
        if let Some(stored) = stored {
            // Somebody made this one: it is no room to walk into.
            caller.may_see(&stored).map_err(|_| forbidden())?;
            let runs = caller.may_run(&stored).is_ok();
            return Ok(if runs { Role::Host } else { Role::Guest });
        }
        if api.hub().room(&room).await.is_none() {
            held.forgive(&self.room);
            let spec = RoomSpec {
                id: room,
                name: None,
                capacity: api.settings().dialects.rooms_capacity as usize,
                lobby: false,
                locked: false,
                kicked: Vec::new(),
                created: api.now().unix,
                expires: None,
                idle: IDLE,
            };
            if !api.hub().open_room(spec).await {
                return Err((error("Too many rooms"), CloseCode::Again, "Too many rooms"));
            }
        }
        if held.was_sent_away(&self.room, user) { Err(forbidden()) } else { Ok(Role::Guest) }
    }

    /// The id that was asked for, unless it is somebody else's.
    async fn client_id(&self, wanted: Option<&str>, user: &str) -> (String, Holding) {
        let held = &self.api.dialects().rooms;
        if let Some(id) = wanted {
            let peers = self.api.hub().peers(&RoomId::from(self.room.as_str())).await;
            let mut peers = peers.unwrap_or_default().into_iter();
            let taken = peers.any(|info| info.peer.as_str() == id);
            let free = !taken || held.is_held_by(&self.room, id, user);
            if let Some(holding) = free.then(|| held.hold(&self.room, id, user)).flatten() {
                return (id.to_owned(), holding);
            }
        }
        loop {
            let id = ids::uuid();
            if let Some(holding) = held.hold(&self.room, &id, user) {
                return (id, holding);
            }
        }
    }
}

fn forbidden() -> Refused {
    (error("You may not join this room"), CloseCode::Policy, "Forbidden")
}

fn unavailable() -> Refused {
    (error("Try again later"), CloseCode::Again, "Unavailable")
}

fn busy() -> Heard {
    let (text, code, reason) = unavailable();
    Heard::Close(vec![text], code, reason.into())
}
