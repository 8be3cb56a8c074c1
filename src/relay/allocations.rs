//! The door by which an operator sees and ends allocations, over all shards.
//!
//! A question goes into each shard's mailbox and is answered between two turns of its loop, a
//! bounded part of the allocations at a time: packets never wait for more than one part, and
//! nothing on their way knows of it. Parts of the shards are put together here, on the asker's thread.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::{Duration, Instant};

use crate::turn::{AllocationId, AllocationView, Listing};

use super::control::Control;
use super::questions::Question;

/// Allocations that a shard looks at for one question: a tenth of a millisecond unoptimised.
pub(super) const PART: usize = 256;

/// The most allocations in one answer.
pub const MAX_LISTED: usize = 1000;

/// For all shards together; each answers within one turn of its loop.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where allocations are listed and ended. Its copies are the same door. Calls block for as long as
/// the slowest shard takes for a turn: not to be made on a thread that serves others.
#[derive(Clone, Debug)]
pub struct AllocationDoor {
    shards: Arc<[Arc<Control>]>,
}

/// Why there is no answer. Asking again may help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unanswered {
    /// Too many others ask.
    #[error("too many others ask the relay just now")]
    Busy,
    /// The relay stops.
    #[error("the relay stops")]
    Stopping,
    /// A relay thread started anew in the middle of it.
    #[error("a relay thread started anew meanwhile")]
    Restarted,
    /// It took too long.
    #[error("the relay did not answer in time")]
    Late,
}

impl AllocationDoor {
    pub(super) fn new(shards: Arc<[Arc<Control>]>) -> Self {
        Self { shards }
    }

    /// Up to `limit` (at most [`MAX_LISTED`]) open allocations with ids above `after`, the oldest
    /// first, of this user or username alone if one is named. `more_after` is set if there are more.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub fn list(
        &self,
        after: AllocationId,
        user: Option<&str>,
        limit: usize,
    ) -> Result<Listing, Unanswered> {
        let deadline = Instant::now() + PATIENCE;
        let limit = limit.clamp(1, MAX_LISTED);
        let user: Option<Arc<str>> = user.map(Arc::from);
        let mut shards: Vec<_> = self.shards.iter().map(|one| Reader::new(one, after)).collect();
        let mut allocations = Vec::new();
        loop {
            fill(&mut shards, user.as_ref(), deadline)?;
            if allocations.len() == limit {
                break;
            }
            let next = shards.iter_mut().filter(|shard| !shard.read.is_empty());
            let next = next.min_by_key(|shard| shard.read.front().map(|first| first.id));
            let Some(next) = next.and_then(|shard| shard.read.pop_front()) else { break };
            allocations.push(next);
        }
        let is_more = shards.iter().any(|shard| !shard.read.is_empty());
        let more_after = allocations.last().map(|last: &AllocationView| last.id);
        Ok(Listing { allocations, more_after: more_after.filter(|_| is_more) })
    }

    /// Ends an allocation. Says whether it was there.
    ///
    /// # Errors
    /// See [`Unanswered`]; it may have ended all the same.
    pub fn end(&self, id: AllocationId) -> Result<bool, Unanswered> {
        let deadline = Instant::now() + PATIENCE;
        let ask = |shard: &Arc<Control>| {
            let (answer, answered) = sync_channel(1);
            shard.ask(Question::End { id, answer }).map(|()| answered)
        };
        // Only one has it, and none says which: all are asked at once.
        let answers: Result<Vec<_>, _> = self.shards.iter().map(ask).collect();
        let mut ended = false;
        for answer in answers? {
            ended |= wait(&answer, deadline)?;
        }
        Ok(ended)
    }

    /// From now on and for so long, refusals of exactly this username are reported (a bounded
    /// number of them) even while others' take up all that is reported.
    ///
    /// # Errors
    /// See [`Unanswered`].
    pub fn watch(&self, username: &str, lasts: Duration) -> Result<(), Unanswered> {
        let username: Arc<str> = username.into();
        let ask = |shard: &Arc<Control>| {
            shard.ask(Question::Watch { username: Arc::clone(&username), lasts })
        };
        self.shards.iter().try_for_each(ask)
    }
}

/// What has been read of one shard and not been used yet.
struct Reader<'a> {
    shard: &'a Control,
    read: VecDeque<AllocationView>,
    /// Where to go on, if there may be more.
    more_after: Option<AllocationId>,
}

impl<'a> Reader<'a> {
    fn new(shard: &'a Control, after: AllocationId) -> Self {
        Self { shard, read: VecDeque::new(), more_after: Some(after) }
    }

    fn ask(&self, user: Option<&Arc<str>>) -> Result<Option<Receiver<Listing>>, Unanswered> {
        let Some(after) = self.more_after.filter(|_| self.read.is_empty()) else { return Ok(None) };
        let (answer, answered) = sync_channel(1);
        self.shard.ask(Question::List { after, user: user.cloned(), answer })?;
        Ok(Some(answered))
    }
}

/// Reads on, all shards at a time, until each has something to give or nothing left.
fn fill(
    shards: &mut [Reader<'_>],
    user: Option<&Arc<str>>,
    deadline: Instant,
) -> Result<(), Unanswered> {
    loop {
        let asked: Result<Vec<_>, _> = shards.iter().map(|shard| shard.ask(user)).collect();
        let asked = asked?;
        if asked.iter().all(Option::is_none) {
            return Ok(());
        }
        for (shard, answer) in shards.iter_mut().zip(asked) {
            if let Some(answer) = answer {
                let part = wait(&answer, deadline)?;
                shard.read = part.allocations.into();
                shard.more_after = part.more_after;
            }
        }
    }
}

fn wait<T>(answer: &Receiver<T>, deadline: Instant) -> Result<T, Unanswered> {
    let left = deadline.saturating_duration_since(Instant::now());
    answer.recv_timeout(left).map_err(|error| match error {
        RecvTimeoutError::Timeout => Unanswered::Late,
        RecvTimeoutError::Disconnected => Unanswered::Restarted,
    })
}
