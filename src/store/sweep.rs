//! Removing what is over. Called now and then by whoever keeps the time.

use std::time::Duration;

use super::invites::{InviteRecord, remove, remove_invites_of};
use super::pairings::{sweep_pairs, sweep_pendings};
use super::records::decode;
use super::rooms::RoomRecord;
use super::{Change, Store, StoreError, Trees, revoked, sessions};

/// How long an invite is remembered after its end, so that a late visitor is told "used" or
/// "expired" instead of "unknown".
pub const INVITE_MEMORY: Duration = Duration::from_secs(24 * 3600);

/// What a sweep removed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Ids of the rooms that ended; their invites went with them.
    pub rooms: Vec<String>,
    /// How many other invites.
    pub invites: usize,
    /// How many join codes that were over.
    pub pendings: usize,
    /// How many pairs that nobody asked for any more.
    pub pairs: usize,
    /// How many sessions that were over.
    pub sessions: usize,
    /// How many revoked tokens that have expired.
    pub revoked: usize,
    /// How many events of the audit trail.
    pub events: usize,
}

impl Store {
    /// Removes rooms, join codes, sessions and revoked tokens that ended by `now` (unix seconds),
    /// invites that ended [`INVITE_MEMORY`] before it, pairs that nobody asked for in
    /// [`PAIR_MEMORY`](super::PAIR_MEMORY), and events that are older than they are kept for (a bounded
    /// number each time).
    pub fn sweep(&self, now: u64) -> Change<Swept, StoreError> {
        self.write(move |trees| {
            Ok(Swept {
                rooms: sweep_rooms(trees, now)?,
                invites: sweep_invites(trees, now)?,
                pendings: sweep_pendings(trees, now)?,
                pairs: sweep_pairs(trees, now)?,
                sessions: sessions::sweep(trees, now)?,
                revoked: revoked::sweep(trees, now)?,
                events: trees.journal.sweep(now)?,
            })
        })
    }
}

fn sweep_rooms(trees: &Trees, now: u64) -> Result<Vec<String>, StoreError> {
    let mut gone = Vec::new();
    for entry in trees.rooms.iter() {
        let (id, bytes) = entry?;
        // An unreadable record is left for the program that can read it.
        let Ok(room) = decode::<RoomRecord>(&bytes) else { continue };
        if room.is_over(now) {
            remove_invites_of(trees, &room.id)?;
            trees.rooms.remove(id)?;
            gone.push(room.id);
        }
    }
    Ok(gone)
}

fn sweep_invites(trees: &Trees, now: u64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for entry in trees.invites.iter() {
        let (hash, bytes) = entry?;
        let Ok(invite) = decode::<InviteRecord>(&bytes) else { continue };
        if invite.expires.saturating_add(INVITE_MEMORY.as_secs()) <= now {
            remove(trees, &invite.room, &hash)
                .map_err(|error| StoreError::Failed(error.to_string()))?;
            gone += 1;
        }
    }
    Ok(gone)
}
