//! One connection: read, understood, passed on, told, kept up, ended.

use std::future::pending;
use std::sync::Arc;

use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::{CloseCode, Dialect, Heard, Parted};
use crate::api::signal::{Endpoint, Line, Mailbox, Received, Unwritable, check_bounds, close_code};
use crate::signal::{
    Admission, Body, Bucket, ClientMessage, ConnId, ErrorCode, Gone, Hello, Leave, LeaveReason,
    Outgoing, ServerMessage,
};

/// Messages that are written before they are sent.
const TOGETHER: usize = 32;
/// The longest reason of a closing frame (RFC 6455 section 5.5), in bytes.
const MAX_CLOSE_REASON: usize = 123;

/// Serves one client until either side ends it.
pub(super) async fn run<D: Dialect>(endpoint: Arc<Endpoint>, line: Line, dialect: D) {
    let limits = endpoint.hub().limits();
    let messages = Bucket::per_second(limits.rate, limits.burst);
    let bad = Bucket::new(limits.bad_every, limits.bad_burst);
    let outside_until = D::OUTSIDE.map(|patience| Instant::now() + patience);
    let mut session = Session { endpoint, line, dialect, seat: None, messages, bad, outside_until };
    let end = match Box::pin(session.begin()).await {
        Ok(()) => session.serve().await,
        Err(end) => end,
    };
    // What the end needs is not kept by every idle connection.
    Box::pin(session.finish(end)).await;
}

struct Session<D> {
    endpoint: Arc<Endpoint>,
    line: Line,
    dialect: D,
    seat: Option<Seat>,
    /// Messages that no room counts.
    messages: Bucket,
    /// Bad ones among them.
    bad: Bucket,
    /// Until when it must be in a room; none while it is in one.
    outside_until: Option<Instant>,
}

/// A place in a room, or in its lobby.
struct Seat {
    conn: ConnId,
    told: Mailbox,
}

/// How a connection ends.
enum End {
    /// The room, if there is one, has let it go: the client is told.
    Told(Vec<String>, CloseCode, String),
    /// It went, or is to go: so does the peer.
    Gone(Gone),
}

impl From<Unwritable> for End {
    fn from(why: Unwritable) -> Self {
        Self::Gone(match why {
            Unwritable::Slow => Gone::Slow,
            Unwritable::Broken => Gone::Dropped,
        })
    }
}

impl<D: Dialect> Session<D> {
    async fn begin(&mut self) -> Result<(), End> {
        if let Some(text) = self.dialect.greeting() {
            self.line.socket.send(text).await?;
        }
        match self.dialect.begin().await {
            Some(heard) => self.act(heard).await,
            None => Ok(()),
        }
    }

    async fn serve(&mut self) -> End {
        loop {
            let due = self.line.due();
            let step = tokio::select! {
                received = self.line.socket.receive() => self.heard(received).await,
                outgoing = next(&mut self.seat) => self.tell(outgoing).await,
                () = until(self.outside_until) => Err(self.never_entered()),
                () = self.endpoint.hub().over(), if self.seat.is_none() => {
                    Err(self.end(&LeaveReason::Shutdown.leave()))
                }
                () = self.line.alarm.rings(due) => self.wake().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn finish(mut self, end: End) {
        let how = if let End::Gone(how) = end { how } else { Gone::Left };
        if let Some(seat) = self.seat.take() {
            self.endpoint.hub().disconnect(seat.conn, how).await;
        }
        let End::Told(texts, code, reason) = end else { return self.line.socket.finish().await };
        for text in texts {
            if self.line.socket.send(text).await.is_err() {
                return;
            }
        }
        let short =
            (0..=MAX_CLOSE_REASON).rev().find_map(|end| reason.get(..end.min(reason.len())));
        self.line.socket.close(code, short.unwrap_or_default()).await;
    }

    async fn heard(&mut self, received: Received) -> Result<(), End> {
        match received {
            Received::Text(text) => self.read(text).await,
            Received::Binary => self.bad(ErrorCode::Binary, "messages are text".into()).await,
            Received::Confirmed(seq) => {
                let is_news = self.line.confirmed(seq);
                if let Some(seat) = self.seat.as_ref().filter(|_| is_news) {
                    self.endpoint.hub().acknowledge(seat.conn, seq).await;
                }
                Ok(())
            }
            Received::Alive => Ok(()),
            Received::TooLarge => {
                if let Some(seat) = self.seat.take() {
                    self.endpoint.hub().disconnect(seat.conn, Gone::TooLarge).await;
                }
                Err(self.end(&LeaveReason::TooLarge.leave()))
            }
            // Whoever means to go says so before.
            Received::Closed => Err(End::Gone(Gone::Dropped)),
        }
    }

    async fn read(&mut self, text: Utf8Bytes) -> Result<(), End> {
        let endpoint = Arc::clone(&self.endpoint);
        if let Err((code, why)) = check_bounds(&text, endpoint.hub().limits()) {
            return self.bad(code, why).await;
        }
        let heard = self.dialect.hear(&text, endpoint.hub().limits()).await;
        self.act(heard).await
    }

    async fn act(&mut self, heard: Heard) -> Result<(), End> {
        match heard {
            Heard::Enter(admission) => self.enter(*admission).await,
            Heard::Say(body) => self.say(body).await,
            Heard::Answer(text) => {
                self.count()?;
                Ok(self.line.socket.send(text).await?)
            }
            Heard::Nothing => self.count(),
            Heard::Bad(code, why) => self.bad(code, why).await,
            Heard::Close(texts, code, reason) => Err(End::Told(texts, code, reason)),
        }
    }

    async fn enter(&mut self, admission: Admission) -> Result<(), End> {
        self.count()?;
        let hub = self.endpoint.hub().clone();
        if let Some(seat) = self.seat.take() {
            hub.disconnect(seat.conn, Gone::Left).await;
        }
        self.line.begin_anew();
        let hello = Hello { id: None, admission, keeps_place: false, resume: None, seen: None };
        let (conn, told) = hub.connect(hello).await;
        self.seat = Some(Seat { conn, told });
        self.outside_until = None;
        Ok(())
    }

    async fn say(&mut self, body: Body) -> Result<(), End> {
        if let Some(seat) = &self.seat {
            let message = ClientMessage { id: None, body };
            self.endpoint.hub().deliver(seat.conn, message).await;
            return Ok(());
        }
        if body != Body::Ping {
            return self.bad(ErrorCode::HelloExpected, "you are in no room".into()).await;
        }
        self.count()?;
        let texts = self.dialect.tell(&ServerMessage::Pong { reference: None });
        self.send_all(texts).await
    }

    /// Tells the client of something wrong; too much of it ends the connection.
    async fn bad(&mut self, code: ErrorCode, why: String) -> Result<(), End> {
        if let Some(seat) = &self.seat {
            self.endpoint.hub().complain(seat.conn, None, code, why).await;
            return Ok(());
        }
        if !self.bad.take(self.endpoint.now().mono) {
            return Err(self.flood());
        }
        let text = self.dialect.error(code, &why);
        Ok(self.line.socket.send(text).await?)
    }

    /// Counts a message that no room counts.
    fn count(&mut self) -> Result<(), End> {
        if self.messages.take(self.endpoint.now().mono) { Ok(()) } else { Err(self.flood()) }
    }

    fn flood(&mut self) -> End {
        let pause = self.endpoint.hub().limits().flood_pause;
        let error = self.dialect.error(ErrorCode::Flood, "too many messages");
        self.end(&LeaveReason::Flood.leave_for(pause)).after(error)
    }

    fn never_entered(&mut self) -> End {
        let error = self.dialect.error(ErrorCode::HelloExpected, "you came into no room in time");
        self.end(&LeaveReason::NoHello.leave()).after(error)
    }

    /// The end of the connection for a reason that leaves the dialect no choice.
    fn end(&mut self, leave: &Leave) -> End {
        match self.dialect.parted(leave) {
            Parted::Close(texts, code, reason) => End::Told(texts, code, reason),
            Parted::Stay(texts) => {
                End::Told(texts, close_code(leave.reason), leave.reason.as_str().into())
            }
        }
    }

    /// Writes what is to be told and what more of it is there already, and sends all of it together.
    async fn tell(&mut self, first: Option<Outgoing>) -> Result<(), End> {
        let Some(mut outgoing) = first else {
            // The queue was full, so there was no place for a leave either; or the rooms are no more.
            self.seat = None;
            let over = self.endpoint.hub().is_over();
            let reason = if over { LeaveReason::Shutdown } else { LeaveReason::Slow };
            return Err(self.end(&reason.leave()));
        };
        for _ in 0..TOGETHER {
            if let ServerMessage::Leave(leave) = outgoing.message {
                return self.left(&leave).await;
            }
            self.write(&outgoing).await?;
            let more = self.seat.as_mut().and_then(|seat| seat.told.try_recv());
            let Some(next) = more else { break };
            outgoing = next;
        }
        Ok(self.line.flush().await?)
    }

    async fn write(&mut self, outgoing: &Outgoing) -> Result<(), End> {
        for text in self.dialect.tell(&outgoing.message) {
            self.line.write(text).await?;
        }
        if let Some(seq) = outgoing.seq {
            self.line.wrote(seq);
        }
        Ok(())
    }

    /// The room has let the client go.
    async fn left(&mut self, leave: &Leave) -> Result<(), End> {
        self.seat = None;
        let ends = matches!(
            leave.reason,
            LeaveReason::Slow | LeaveReason::Flood | LeaveReason::TooLarge | LeaveReason::Shutdown
        );
        if ends {
            return Err(self.end(leave));
        }
        self.outside_until = D::OUTSIDE.map(|patience| Instant::now() + patience);
        match self.dialect.parted(leave) {
            Parted::Close(texts, code, reason) => Err(End::Told(texts, code, reason)),
            Parted::Stay(texts) => {
                self.send_all(texts).await?;
                // What was told before may still wait.
                Ok(self.line.flush().await?)
            }
        }
    }

    async fn wake(&mut self) -> Result<(), End> {
        if self.line.upkeep().await? { Ok(()) } else { Err(End::Gone(Gone::Dropped)) }
    }

    async fn send_all(&mut self, texts: Vec<String>) -> Result<(), End> {
        for text in texts {
            self.line.socket.send(text).await?;
        }
        Ok(())
    }
}

impl End {
    /// With this message before the others.
    fn after(self, text: String) -> Self {
        match self {
            Self::Told(mut texts, code, reason) => {
                texts.insert(0, text);
                Self::Told(texts, code, reason)
            }
            Self::Gone(how) => Self::Gone(how),
        }
    }
}

/// What the room says next.
async fn next(seat: &mut Option<Seat>) -> Option<Outgoing> {
    match seat {
        Some(seat) => seat.told.recv().await,
        None => pending().await,
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
