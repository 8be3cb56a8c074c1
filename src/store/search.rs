//! Looking through the audit trail: by the narrowest index there is, from one number to another.

use super::events::{EventRecord, Found, MAX_FOUND, MAX_SEARCHED, Search, first_id_of};
use super::journal::Journal;
use super::places::{event_key, id_of, kind_key, room_key};
use super::records::decode;
use super::stored::StoredEvent;
use super::{StoreError, events};

impl Journal {
    /// Finds what is asked for. A search that would take long gives back what it has.
    pub(super) fn find(&self, search: &Search) -> Result<Found, StoreError> {
        let limit = search.limit.clamp(1, MAX_FOUND);
        let room = search.room.as_deref().map(events::cut);
        let key = |id: u64| match (&room, search.kind) {
            (Some(room), _) => room_key(room, id),
            (None, Some(kind)) if kind.is_indexed() => kind_key(kind.as_str(), id),
            (None, _) => event_key(id),
        };
        let since = search.since.map_or(0, first_id_of);
        let after = search.after;
        let (low, high) = match search.newest {
            false => (after.map_or(since, |id| since.max(id.saturating_add(1))), u64::MAX),
            true => (since, after.unwrap_or(u64::MAX)),
        };
        if low >= high {
            return Ok(Found::default());
        }
        let mut range = self.tree.range(key(low)..key(high));
        let mut found = Found::default();
        for looked_at in 0.. {
            let entry = if search.newest { range.next_back() } else { range.next() };
            let Some(entry) = entry else { return Ok(Found { next: None, ..found }) };
            if found.events.len() == limit || looked_at == MAX_SEARCHED {
                return Ok(found);
            }
            let (key, value) = entry?;
            let Some(id) = id_of(&key) else { continue };
            found.next = Some(id);
            // The index of a room has the kind beside the number.
            let other_kind = search.kind.is_some_and(|kind| *value != *kind.as_str().as_bytes());
            if room.is_some() && other_kind {
                continue;
            }
            if let Some(event) = self.event(id)?
                && search.since.is_none_or(|since| event.at >= since)
                && search.kind.is_none_or(|kind| event.kind == kind.as_str())
            {
                found.events.push(event);
            }
        }
        Ok(found)
    }

    /// One that was removed meanwhile, or that this program cannot read, is passed over.
    fn event(&self, id: u64) -> Result<Option<EventRecord>, StoreError> {
        let Some(bytes) = self.tree.get(event_key(id))? else { return Ok(None) };
        match decode::<StoredEvent>(&bytes) {
            Ok(stored) => Ok(Some(EventRecord::of(id, stored))),
            Err(error) => {
                tracing::warn!(%error, id, "left out a stored event");
                Ok(None)
            }
        }
    }
}
