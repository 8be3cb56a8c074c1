//! Which user holds which client id, and whom a host sent away.
//!
//! Clients of `rooms` choose their own ids. An id that is in use is given to nobody else, or anybody
//! could take another's place in a room and read what is meant for them.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Users remembered who were sent away, over all rooms; the oldest is forgotten first.
const MAX_SENT_AWAY: usize = 4096;

/// What is held by open connections.
#[derive(Clone, Default)]
pub(in crate::api) struct Held(Arc<Mutex<Tables>>);

#[derive(Default)]
struct Tables {
    /// By room and client id: whose it is, and over how many connections.
    ids: BTreeMap<(String, String), (String, usize)>,
    /// Rooms and users.
    sent_away: VecDeque<(String, String)>,
}

/// A client id that is held until this is dropped.
pub(super) struct Holding {
    of: Held,
    key: (String, String),
}

impl Held {
    /// Holds `id` in `room` for `user`; `None` when somebody else holds it.
    pub(super) fn hold(&self, room: &str, id: &str, user: &str) -> Option<Holding> {
        let key = (room.to_owned(), id.to_owned());
        let mut tables = self.tables();
        let holder = tables.ids.entry(key.clone()).or_insert_with(|| (user.to_owned(), 0));
        if holder.0 != user {
            return None;
        }
        holder.1 += 1;
        Some(Holding { of: self.clone(), key })
    }

    /// Whether `user` holds `id` in `room` already.
    pub(super) fn is_held_by(&self, room: &str, id: &str, user: &str) -> bool {
        let key = (room.to_owned(), id.to_owned());
        self.tables().ids.get(&key).is_some_and(|(holder, _)| holder == user)
    }

    /// Refuses `user` in `room` from now on, as long as the room is there.
    pub(super) fn send_away(&self, room: &str, user: &str) {
        let mut tables = self.tables();
        tables.sent_away.push_back((room.to_owned(), user.to_owned()));
        while tables.sent_away.len() > MAX_SENT_AWAY {
            tables.sent_away.pop_front();
        }
    }

    /// Whether `user` was sent away from `room`.
    pub(super) fn was_sent_away(&self, room: &str, user: &str) -> bool {
        self.tables().sent_away.iter().any(|(from, who)| from == room && who == user)
    }

    /// The room is a new one.
    pub(super) fn forgive(&self, room: &str) {
        self.tables().sent_away.retain(|(from, _)| from != room);
    }

    /// Whoever panicked left the tables as they were: each change is one step.
    fn tables(&self) -> MutexGuard<'_, Tables> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Holding {
    fn drop(&mut self) {
        let mut tables = self.of.tables();
        let Some(holder) = tables.ids.get_mut(&self.key) else { return };
        holder.1 -= 1;
        if holder.1 == 0 {
            tables.ids.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_its_users_until_the_last_connection_is_gone() {
        let held = Held::default();
        let first = held.hold("r", "id", "ann").unwrap();
        assert!(held.hold("r", "id", "bob").is_none());
        assert!(held.hold("other", "id", "bob").is_some());
        let second = held.hold("r", "id", "ann").unwrap();
        drop(first);
        assert!(held.is_held_by("r", "id", "ann") && held.hold("r", "id", "bob").is_none());
        drop(second);
        assert!(held.hold("r", "id", "bob").is_some());
        assert!(held.tables().ids.is_empty());
    }

    #[test]
    fn who_was_sent_away_stays_away_until_the_room_is_a_new_one() {
        let held = Held::default();
        held.send_away("r", "ann");
        assert!(held.was_sent_away("r", "ann"));
        assert!(!held.was_sent_away("r", "bob") && !held.was_sent_away("s", "ann"));
        held.forgive("r");
        assert!(!held.was_sent_away("r", "ann"));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let held = Held::default();
        (0..=MAX_SENT_AWAY).for_each(|n| held.send_away("r", &n.to_string()));
        assert!(!held.was_sent_away("r", "0") && held.was_sent_away("r", "1"));
    }
}
