//! An operator's questions, answered between two turns of the loop: one a turn, so that packets
//! wait for a bounded time however many ask.

use super::super::allocations::PART;
use super::super::questions::Question;
use super::Shard;

impl Shard<'_> {
    /// Answers one question, and rings for the next turn if more wait.
    pub(super) fn answer_a_question(&mut self) {
        let Some((question, is_more)) = self.seat.control.questions.next() else { return };
        // Whoever asked may have given up: then nobody hears the answer.
        match question {
            Question::List { after, user, answer } => {
                let _ = answer.try_send(self.relay.list(self.now, after, user.as_deref(), PART));
            }
            Question::End { id, answer } => {
                let ended = self.relay.end_allocation(self.now, id);
                self.settle();
                self.flush();
                let _ = answer.try_send(ended);
            }
            Question::Watch { username, lasts } => self.relay.watch(self.now, &username, lasts),
        }
        if is_more {
            self.seat.control.waker.wake();
        }
    }
}
