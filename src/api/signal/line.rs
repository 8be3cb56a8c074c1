//! A socket that is asked whether its client still lives, and how far it has read.

use std::pin::Pin;
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use super::socket::{Socket, Unwritable};

/// Numbers that go unconfirmed, and how long after the last question, before their confirmation is asked for. A
/// question and its answer cost as much as a message, and messages come in bursts: a description, then candidates.
const ASK_EACH: u64 = 16;
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// Bytes that wait for [`flush`](Line::flush) at most, but for the last message.
const TOGETHER: usize = 16 * 1024;

/// A [`Socket`] with its questions: one at a time, as pings that every WebSocket answers by itself.
pub(in crate::api) struct Line {
    pub(in crate::api) socket: Socket,
    /// Rings when something is due.
    pub(in crate::api) alarm: Alarm,
    /// The last number written, and the last the client's WebSocket confirmed.
    sent: u64,
    confirmed: u64,
    /// When we asked for a confirmation or a sign of life that has not come yet.
    asked: Option<Instant>,
    /// When the next few numbers are worth a question.
    ask_from: Instant,
    /// Bytes that wait to be flushed.
    waiting: usize,
}

impl Line {
    pub(in crate::api) fn new(socket: Socket) -> Self {
        let alarm = Alarm::new(socket.heard + socket.patience.silence);
        let ask_from = socket.heard;
        Self { socket, alarm, sent: 0, confirmed: 0, asked: None, ask_from, waiting: 0 }
    }

    /// Writes a message; [`flush`](Self::flush) makes sure it goes.
    pub(in crate::api) async fn write(&mut self, text: String) -> Result<(), Unwritable> {
        self.waiting += text.len();
        self.socket.feed(text).await?;
        if self.waiting < TOGETHER { Ok(()) } else { self.flush().await }
    }

    /// The last message, or the last of several that are one to the room, has this number.
    pub(in crate::api) fn wrote(&mut self, seq: u64) {
        self.sent = seq;
    }

    /// Sends what was written, and along with it the question for its confirmation when it is time.
    pub(in crate::api) async fn flush(&mut self) -> Result<(), Unwritable> {
        self.waiting = 0;
        let many = self.sent - self.confirmed >= ASK_EACH;
        match self.has_a_question() && (many || self.ask_from <= Instant::now()) {
            true => self.ask().await,
            false => self.socket.flush().await,
        }
    }

    /// The client has everything up to `seq`; false when that was known.
    pub(in crate::api) fn confirmed(&mut self, seq: u64) -> bool {
        let known = std::mem::replace(&mut self.confirmed, seq.min(self.sent));
        self.asked = None;
        self.confirmed > known
    }

    /// Numbers begin anew: another room counts its own.
    pub(in crate::api) fn begin_anew(&mut self) {
        (self.sent, self.confirmed) = (0, 0);
    }

    /// When [`upkeep`](Self::upkeep) is due: something is to be asked for, or a silent client is to be asked for
    /// a sign of life, or to be given up.
    pub(in crate::api) fn due(&self) -> Instant {
        let patience = &self.socket.patience;
        let asked = self.asked.is_some_and(|asked| asked >= self.socket.heard);
        let silence = self.socket.heard + if asked { patience.death } else { patience.silence };
        if self.has_a_question() { silence.min(self.ask_from) } else { silence }
    }

    /// Asks; false when the client has been silent for too long.
    pub(in crate::api) async fn upkeep(&mut self) -> Result<bool, Unwritable> {
        if self.socket.heard.elapsed() >= self.socket.patience.death {
            return Ok(false);
        }
        self.ask().await.map(|()| true)
    }

    async fn ask(&mut self) -> Result<(), Unwritable> {
        let now = Instant::now();
        (self.asked, self.ask_from) = (Some(now), now + ASK_AGAIN);
        self.socket.ping(self.sent).await
    }

    /// Something is not confirmed, and no question is open.
    fn has_a_question(&self) -> bool {
        self.asked.is_none() && self.sent > self.confirmed
    }
}

/// A timer whose time may be put off as often as one likes: it is set anew when it rings too early, or should ring
/// earlier, and not for each message.
pub(in crate::api) struct Alarm(Pin<Box<Sleep>>);

impl Alarm {
    fn new(at: Instant) -> Self {
        Self(Box::pin(sleep_until(at)))
    }

    /// Waits until `due`.
    pub(in crate::api) async fn rings(&mut self, due: Instant) {
        loop {
            if due < self.0.deadline() {
                self.0.as_mut().reset(due);
            }
            self.0.as_mut().await;
            if due <= self.0.deadline() {
                return;
            }
            self.0.as_mut().reset(due);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_alarm_rings_when_it_is_due_however_its_time_was_moved() {
        let in_millis = |millis| Instant::now() + Duration::from_millis(millis);
        let mut alarm = Alarm::new(in_millis(3_600_000));
        // Earlier, later, later once it has rung, and at once.
        for due in [in_millis(5), in_millis(30), in_millis(60), Instant::now()] {
            alarm.rings(due).await;
            assert!(Instant::now() >= due);
        }
        assert!(alarm.0.deadline() < in_millis(3_000_000), "it was set to an earlier time");
    }
}
