//! The audit trail: what happened, readable by room, type and time.
//!
//! An event is noted without waiting for anybody and is on the disk within about
//! [`GATHER`](super::GATHER). What the disk does not take in time is counted and stands in the trail
//! as an event of its own, [`EventKind::Lost`].

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::journal::{MOMENTS, TakenBy};
use super::stored::StoredEvent;
use super::{Change, Store, StoreError};

/// Events one search gives back at most.
pub const MAX_FOUND: usize = 1000;
/// Events one search looks at before it gives back what it has, with where to go on.
pub const MAX_SEARCHED: usize = 20_000;
/// Bytes of one event as stored; what is larger loses its details.
pub const MAX_EVENT: usize = 2048;
/// Bytes of one text in an event: a room, a peer, a username. What is longer is cut.
pub const MAX_TEXT: usize = 256;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        /// What kind of thing happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum EventKind { $($(#[$doc])* $variant,)+ }

        impl EventKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The stable word in `type`.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

kinds! {
    /// The server began to serve.
    ServerStarted = "server_started",
    /// The server was told to stop.
    ServerStopped = "server_stopped",
    /// Somebody made a room.
    RoomMade = "room_made",
    /// A room opened, or was opened again after a restart.
    RoomOpened = "room_opened",
    /// A room ended.
    RoomClosed = "room_closed",
    /// A guest waits in the lobby.
    Waiting = "waiting",
    /// A guest waits no more and did not come in.
    WaitingEnded = "waiting_ended",
    /// A peer came in.
    Joined = "joined",
    /// A peer came back after its connection broke.
    Resumed = "resumed",
    /// A peer is gone for good.
    Left = "left",
    /// A host or the API decided something.
    Moderation = "moderation",
    /// A client was told that something is wrong.
    Error = "error",
    /// An SDP offer was passed on.
    Offer = "offer",
    /// An SDP answer was passed on.
    Answer = "answer",
    /// An ICE candidate was passed on.
    Candidate = "candidate",
    /// An invite was made.
    InviteMade = "invite_made",
    /// An invite was used.
    InviteRedeemed = "invite_redeemed",
    /// An invite was taken back.
    InviteRevoked = "invite_revoked",
    /// Somebody logged in.
    Login = "login",
    /// Somebody was not let in.
    LoginRefused = "login_refused",
    /// Somebody logged out.
    Logout = "logout",
    /// An API key was made.
    KeyAdded = "key_added",
    /// An API key was taken back.
    KeyRevoked = "key_revoked",
    /// An allocation of the relay ended.
    AllocationEnded = "allocation_ended",
    /// Events were lost here, so many.
    Lost = "lost",
    /// A hook was asked to say that it hears.
    Ping = "ping",
}

impl EventKind {
    /// Whether the events of this kind are found without looking at others. Ends of allocations are what there
    /// is most of wherever there are many events, and a place in an index costs as much as the event.
    pub(super) fn is_indexed(self) -> bool {
        self != Self::AllocationEnded
    }

    /// The kind of this word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
    }
}

/// Something that just happened, on its way to the store.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEvent {
    /// When, unix seconds.
    pub at: u64,
    /// What.
    pub kind: EventKind,
    /// In which room.
    pub room: Option<String>,
    /// To or by which peer.
    pub peer: Option<String>,
    /// Who decided it: `peer:…`, `user:…`, `key:…`, `api` or `operator`.
    pub by: Option<String>,
    /// What else there is to say, by name. A list: a map with names of its own costs an allocation's end more
    /// than its JSON.
    pub detail: Vec<(&'static str, Value)>,
}

impl NewEvent {
    /// An event without details. `at` is unix seconds.
    pub fn new(kind: EventKind, at: u64) -> Self {
        Self { at, kind, room: None, peer: None, by: None, detail: Vec::new() }
    }

    /// In this room.
    #[must_use]
    pub fn room(self, room: &str) -> Self {
        Self { room: Some(cut(room)), ..self }
    }

    /// This peer.
    #[must_use]
    pub fn peer(self, peer: &str) -> Self {
        Self { peer: Some(cut(peer)), ..self }
    }

    /// Decided by.
    #[must_use]
    pub fn by(self, who: &str) -> Self {
        Self { by: Some(cut(who)), ..self }
    }

    /// With one detail more. A name that every event has of its own is not taken, nor one twice.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        debug_assert!(!["id", "at", "type", "room", "peer", "by", "v"].contains(&name));
        let value = match value.into() {
            Value::String(text) if text.len() > MAX_TEXT => Value::String(cut(&text)),
            other => other,
        };
        debug_assert!(self.detail.iter().all(|(taken, _)| *taken != name));
        self.detail.push((name, value));
        self
    }
}

/// The first [`MAX_TEXT`] bytes, in whole characters.
pub(super) fn cut(text: &str) -> String {
    let mut end = text.len().min(MAX_TEXT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// An event with its number, as operators and hooks are shown it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EventRecord {
    /// Grows from event to event, and begins with the time: microseconds since 1970, about.
    pub id: u64,
    /// When, unix seconds.
    pub at: u64,
    /// What: one of [`EventKind`]'s words, or one that a newer version knows.
    #[serde(rename = "type")]
    pub kind: String,
    /// In which room.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub room: Option<String>,
    /// To or by which peer.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub peer: Option<String>,
    /// Who decided it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by: Option<String>,
    /// What else there is to say.
    #[serde(flatten)]
    pub detail: Map<String, Value>,
}

impl EventRecord {
    pub(super) fn of(id: u64, stored: StoredEvent) -> Self {
        let StoredEvent { at, kind, room, peer, by, mut detail } = stored;
        detail.remove("v");
        Self { id, at, kind, room, peer, by, detail }
    }
}

/// How long, how much, and for whom events are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalSettings {
    /// How long an event stays in the trail; zero: there is no trail.
    pub keep: Duration,
    /// Events in the trail at most; the oldest go first.
    pub max_events: u64,
    /// Events that wait for a hook at most, for each; the oldest go first.
    pub max_queue: u64,
    /// Who is told of what.
    pub hooks: Vec<TakenBy>,
}

/// What is looked for. The default finds everything, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Search {
    /// Only of this room.
    pub room: Option<String>,
    /// Only of this kind.
    pub kind: Option<EventKind>,
    /// Only from this unix second on.
    pub since: Option<u64>,
    /// Only what comes after this number, in the order asked for.
    pub after: Option<u64>,
    /// So many at most; brought into 1..=[`MAX_FOUND`].
    pub limit: usize,
    /// The newest first.
    pub newest: bool,
}

/// What was found.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Found {
    /// In the order asked for.
    pub events: Vec<EventRecord>,
    /// There may be more after this number.
    pub next: Option<u64>,
}

/// What became of events so far, for metrics.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventNumbers {
    /// In the trail now.
    pub kept: u64,
    /// Written so far.
    pub written: u64,
    /// Lost so far because the disk did not keep up.
    pub lost: u64,
}

/// The events of a store.
#[derive(Clone, Copy)]
pub struct Events<'a>(&'a Store);

impl<'a> Events<'a> {
    pub(super) fn of(store: &'a Store) -> Self {
        Self(store)
    }

    /// What counts from now on. Before the first call nothing is kept.
    pub fn configure(self, settings: JournalSettings) {
        self.0.journal().configure(settings);
    }

    /// Takes an event, never waits. Nothing is kept of one that nobody wants.
    pub fn note(self, event: NewEvent) {
        if self.0.journal().note(event) {
            self.0.wake_writer();
        }
    }

    /// So many events never came this far: they are counted, and the trail says so.
    pub fn note_lost(self, count: u64, at: u64) {
        self.note(NewEvent::new(EventKind::Lost, at).with("count", count));
        self.0.journal().numbers.lost(count);
    }

    /// Waits until all that was noted so far can be found and is on the disk.
    pub fn settle(self) -> Change<(), StoreError> {
        self.0.write(|trees| {
            while trees.journal.write()? {}
            Ok(())
        })
    }

    /// What a search finds. Blocks on the disk.
    ///
    /// # Errors
    /// The engine's.
    pub fn find(self, search: &Search) -> Result<Found, StoreError> {
        self.0.journal().find(search)
    }

    /// The numbers of this moment.
    pub fn numbers(self) -> EventNumbers {
        self.0.journal().numbers.snapshot()
    }
}

/// The first number an event of this second may have.
pub(super) fn first_id_of(at: u64) -> u64 {
    at.saturating_mul(MOMENTS)
}
