//! A socket that is asked whether its client still lives, and how far it has read.

use tokio::time::Instant;

use super::socket::{Socket, Unwritable};

/// A [`Socket`] with its questions: one at a time, as pings that every WebSocket answers by itself.
pub(in crate::api) struct Line {
    pub(in crate::api) socket: Socket,
    /// The last number written, and the last the client's WebSocket confirmed.
    sent: u64,
    confirmed: u64,
    /// When we asked for a confirmation or a sign of life that has not come yet.
    asked: Option<Instant>,
}

impl Line {
    pub(in crate::api) fn new(socket: Socket) -> Self {
        Self { socket, sent: 0, confirmed: 0, asked: None }
    }

    /// The message of this number was written: asks for its confirmation.
    pub(in crate::api) async fn sent(&mut self, seq: u64) -> Result<(), Unwritable> {
        self.sent = seq;
        self.ask().await
    }

    /// The client has everything up to `seq`: asks for the rest, when there is some.
    pub(in crate::api) async fn confirmed(&mut self, seq: u64) -> Result<(), Unwritable> {
        self.asked = None;
        self.confirmed = seq.min(self.sent);
        self.ask().await
    }

    /// Numbers begin anew: another room counts its own.
    pub(in crate::api) fn begin_anew(&mut self) {
        (self.sent, self.confirmed) = (0, 0);
    }

    /// When a silent client is to be asked for a sign of life, or to be given up.
    pub(in crate::api) fn silence_ends(&self) -> Instant {
        let patience = &self.socket.patience;
        let asked = self.asked.is_some_and(|asked| asked >= self.socket.heard);
        self.socket.heard + if asked { patience.death } else { patience.silence }
    }

    /// Whether the client has been silent for too long.
    pub(in crate::api) fn is_dead(&self) -> bool {
        self.socket.heard.elapsed() >= self.socket.patience.death
    }

    /// Asks for a sign of life.
    pub(in crate::api) async fn ask_for_life(&mut self) -> Result<(), Unwritable> {
        self.asked = Some(Instant::now());
        self.socket.ping(self.sent).await
    }

    async fn ask(&mut self) -> Result<(), Unwritable> {
        if self.asked.is_some() || self.sent <= self.confirmed {
            return Ok(());
        }
        self.ask_for_life().await
    }
}
