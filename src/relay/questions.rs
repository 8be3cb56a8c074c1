//! What an operator asks of one shard, waiting until it is woken.

use std::collections::VecDeque;
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::turn::{AllocationId, Listing};

use super::allocations::Unanswered;

/// Questions that wait for one shard at most; whoever asks one more is told to come again.
const MOST_WAITING: usize = 64;

/// One question, and where its answer goes. Nobody may be listening any more.
#[derive(Debug)]
pub(super) enum Question {
    /// A part of the shard's allocations.
    List { after: AllocationId, user: Option<Arc<str>>, answer: SyncSender<Listing> },
    /// To end one; whether it was there.
    End { id: AllocationId, answer: SyncSender<bool> },
    /// To tell this username's refusals for so long. Needs no answer.
    Watch { username: Arc<str>, lasts: Duration },
}

/// The questions of one shard.
#[derive(Debug, Default)]
pub(super) struct Questions(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    questions: VecDeque<Question>,
    closed: bool,
}

impl Questions {
    /// Puts one in, unless there are too many or the shard has stopped.
    pub(super) fn put(&self, question: Question) -> Result<(), Unanswered> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if waiting.closed {
            return Err(Unanswered::Stopping);
        }
        if waiting.questions.len() >= MOST_WAITING {
            return Err(Unanswered::Busy);
        }
        waiting.questions.push_back(question);
        Ok(())
    }

    /// Takes the next one out, and says whether more wait.
    pub(super) fn next(&self) -> Option<(Question, bool)> {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let question = waiting.questions.pop_front()?;
        Some((question, !waiting.questions.is_empty()))
    }

    /// Takes nothing any more; whoever waits is told that there will be no answer.
    pub(super) fn close(&self) {
        let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        waiting.closed = true;
        waiting.questions.clear();
    }
}
