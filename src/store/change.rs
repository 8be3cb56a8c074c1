//! A change on its way to the disk.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

use super::StoreError;

/// A change that is under way: await it (or [`wait`](Self::wait) for it outside of tokio). `Ok` is
/// given only after the change was flushed. Dropping it does not take the change back.
#[must_use = "a change is acknowledged by awaiting it"]
pub struct Change<T, E>(State<T, E>);

enum State<T, E> {
    Refused(Option<E>),
    /// Nothing had to be changed.
    Done(Option<T>),
    Sent(oneshot::Receiver<Result<T, E>>),
}

impl<T, E: From<StoreError>> Change<T, E> {
    pub(super) fn refused(error: E) -> Self {
        Self(State::Refused(Some(error)))
    }

    pub(super) fn done(value: T) -> Self {
        Self(State::Done(Some(value)))
    }

    pub(super) fn sent(answer: oneshot::Receiver<Result<T, E>>) -> Self {
        Self(State::Sent(answer))
    }

    /// Blocks until the change is on the disk. For command-line work; panics inside of tokio.
    ///
    /// # Errors
    /// What the change itself gives.
    pub fn wait(self) -> Result<T, E> {
        match self.0 {
            State::Refused(error) => Err(error.unwrap_or_else(|| StoreError::Closed.into())),
            State::Done(value) => value.ok_or_else(|| StoreError::Closed.into()),
            State::Sent(answer) => {
                answer.blocking_recv().unwrap_or_else(|_| Err(StoreError::Closed.into()))
            }
        }
    }
}

// No field is pinned in place: the receiver is Unpin and an error is only taken out.
impl<T, E> Unpin for Change<T, E> {}

impl<T, E: From<StoreError>> Future for Change<T, E> {
    type Output = Result<T, E>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.0 {
            State::Refused(error) => {
                Poll::Ready(Err(error.take().unwrap_or_else(|| StoreError::Closed.into())))
            }
            State::Done(value) => {
                Poll::Ready(value.take().ok_or_else(|| StoreError::Closed.into()))
            }
            State::Sent(answer) => Pin::new(answer)
                .poll(context)
                .map(|got| got.unwrap_or_else(|_| Err(StoreError::Closed.into()))),
        }
    }
}
