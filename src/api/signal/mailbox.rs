//! What waits to be written to one connection: a queue with a bound, which takes no memory while it is empty. Ten
//! thousand connections are silent most of the time, and a channel keeps a block of messages for each.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::signal::Outgoing;

/// Where messages are put in. Dropping it ends the mailbox once it is read.
pub(super) struct Slot(Arc<Shared>);

/// Where they are read.
pub struct Mailbox(Arc<Shared>);

type Shared = Mutex<State>;

struct State {
    waiting: VecDeque<Outgoing>,
    most: usize,
    /// Whoever waits for the next one.
    reader: Option<Waker>,
    /// Whether both ends are there.
    open: bool,
}

/// A mailbox that holds so many.
pub(super) fn mailbox(most: usize) -> (Slot, Mailbox) {
    let state = State { waiting: VecDeque::new(), most, reader: None, open: true };
    let shared = Arc::new(Mutex::new(state));
    (Slot(Arc::clone(&shared)), Mailbox(shared))
}

impl Slot {
    /// Puts a message in; false when there is no place for it, or nobody to read it.
    pub(super) fn put(&self, outgoing: Outgoing) -> bool {
        let mut state = state(&self.0);
        if !state.open || state.waiting.len() >= state.most {
            return false;
        }
        state.waiting.push_back(outgoing);
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
        true
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = state(&self.0);
        state.open = false;
        let reader = state.reader.take();
        drop(state);
        reader.into_iter().for_each(Waker::wake);
    }
}

impl Mailbox {
    /// The next message; `None` when there will be none. Cancelling loses nothing.
    pub async fn recv(&mut self) -> Option<Outgoing> {
        poll_fn(|context| self.poll(context)).await
    }

    /// The next message, if it is there already.
    pub fn try_recv(&mut self) -> Option<Outgoing> {
        state(&self.0).take()
    }

    fn poll(&mut self, context: &Context<'_>) -> Poll<Option<Outgoing>> {
        let mut state = state(&self.0);
        match state.take() {
            None if state.open => {
                state.reader = Some(context.waker().clone());
                Poll::Pending
            }
            next => Poll::Ready(next),
        }
    }
}

impl Drop for Mailbox {
    fn drop(&mut self) {
        let mut state = state(&self.0);
        state.open = false;
        state.waiting = VecDeque::new();
    }
}

impl State {
    fn take(&mut self) -> Option<Outgoing> {
        let next = self.waiting.pop_front()?;
        if self.waiting.is_empty() {
            self.waiting = VecDeque::new();
        }
        Some(next)
    }
}

/// No message is half in: a reader or a writer that panicked left it whole.
fn state(shared: &Shared) -> MutexGuard<'_, State> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::{ConnId, ServerMessage};

    fn outgoing(seq: u64) -> Outgoing {
        let message = ServerMessage::Pong { reference: None };
        Outgoing { conn: ConnId(1), seq: Some(seq), message }
    }

    async fn next(mailbox: &mut Mailbox) -> Option<u64> {
        mailbox.recv().await.and_then(|outgoing| outgoing.seq)
    }

    #[tokio::test]
    async fn messages_come_out_in_order_and_what_was_put_in_last_before_the_end() {
        let (slot, mut mailbox) = mailbox(8);
        assert!((0..3).all(|seq| slot.put(outgoing(seq))));
        assert_eq!(next(&mut mailbox).await, Some(0));
        drop(slot);
        assert_eq!(mailbox.try_recv().and_then(|it| it.seq), Some(1));
        assert_eq!((next(&mut mailbox).await, next(&mut mailbox).await), (Some(2), None));
    }

    #[tokio::test]
    async fn a_full_mailbox_takes_no_more_until_it_is_read() {
        let (slot, mut mailbox) = mailbox(2);
        assert_eq!([1, 2, 3].map(|seq| slot.put(outgoing(seq))), [true, true, false]);
        assert_eq!(next(&mut mailbox).await, Some(1));
        assert!(slot.put(outgoing(4)));
        drop(mailbox);
        assert!(!slot.put(outgoing(5)), "nobody reads it");
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_a_message_and_by_the_end() {
        let (slot, mut mailbox) = mailbox(2);
        let reader =
            tokio::spawn(async move { (next(&mut mailbox).await, next(&mut mailbox).await) });
        tokio::task::yield_now().await;
        slot.put(outgoing(1));
        tokio::task::yield_now().await;
        drop(slot);
        assert_eq!(reader.await.unwrap(), (Some(1), None));
    }

    #[tokio::test]
    async fn an_empty_mailbox_keeps_no_memory() {
        let (slot, mut mailbox) = mailbox(100);
        assert!((0..100).all(|seq| slot.put(outgoing(seq))));
        while mailbox.try_recv().is_some() {}
        assert_eq!(state(&mailbox.0).waiting.capacity(), 0);
    }
}
