//! One client's connection from hello to leave: its own task, two bounded queues.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::greeting::greet;
use super::line::Line;
use super::socket::{Received, Socket, Unwritable};
use super::{Endpoint, IceServers, Incoming, encode, parse, wire};
use crate::signal::{ConnId, ErrorCode, Gone, Leave, LeaveReason, Outgoing, PeerId, ServerMessage};

/// When there is nothing to wait for.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// Serves one client until either side ends it.
pub(super) async fn run(endpoint: &Endpoint, mut socket: Socket) {
    let hello = match greet(endpoint, &mut socket).await {
        Ok(hello) => hello,
        Err(Some(leave)) => return socket.leave(leave).await,
        Err(None) => return,
    };
    let subject = hello.admission.peer.clone();
    let (conn, told) = endpoint.hub.connect(hello).await;
    let ice_due = Instant::now() + LONG;
    let line = Line::new(socket);
    let mut session = Session { endpoint, line, conn, subject, told, ice_due };
    match session.serve().await {
        End::Leave(leave) => session.line.socket.leave(leave).await,
        End::Gone(how) => {
            endpoint.hub.disconnect(conn, how).await;
            session.line.socket.finish().await;
        }
    }
}

struct Session<'a> {
    endpoint: &'a Endpoint,
    line: Line,
    conn: ConnId,
    subject: PeerId,
    told: mpsc::Receiver<Outgoing>,
    /// When the client needs new ICE servers.
    ice_due: Instant,
}

/// How a connection ends.
enum End {
    /// The rooms have let it go: the client is told.
    Leave(Leave),
    /// It went: the rooms are told.
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

impl Session<'_> {
    async fn serve(&mut self) -> End {
        loop {
            let silence_ends = self.line.silence_ends();
            let step = tokio::select! {
                received = self.line.socket.receive() => self.heard(received).await,
                outgoing = self.told.recv() => self.tell(outgoing).await,
                () = sleep_until(silence_ends) => self.wake().await,
                () = sleep_until(self.ice_due) => self.renew_ice().await,
            };
            if let Err(end) = step {
                return end;
            }
        }
    }

    async fn heard(&mut self, received: Received) -> Result<(), End> {
        let (hub, conn) = (&self.endpoint.hub, self.conn);
        match received {
            Received::Text(text) => match parse(&text, hub.limits()) {
                Ok(Incoming::Message(message)) => hub.deliver(conn, message).await,
                Ok(Incoming::Hello { id, .. }) => {
                    let text = "you have said hello already".into();
                    hub.complain(conn, id, ErrorCode::AlreadyJoined, text).await;
                }
                Err(bad) => hub.complain(conn, bad.id, bad.code, bad.text).await,
            },
            Received::Binary => {
                hub.complain(conn, None, ErrorCode::Binary, "messages are text".into()).await;
            }
            Received::Confirmed(seq) => {
                hub.acknowledge(conn, seq).await;
                self.line.confirmed(seq).await?;
            }
            Received::Alive => {}
            Received::TooLarge => {
                hub.disconnect(conn, Gone::TooLarge).await;
                return Err(End::Leave(LeaveReason::TooLarge.leave()));
            }
            Received::Closed => return Err(End::Gone(Gone::Dropped)),
        }
        Ok(())
    }

    async fn tell(&mut self, outgoing: Option<Outgoing>) -> Result<(), End> {
        let Some(outgoing) = outgoing else {
            // The queue was full, so there was no place for a leave either; or the rooms are no more.
            let over = self.endpoint.hub.is_over();
            let reason = if over { LeaveReason::Shutdown } else { LeaveReason::Slow };
            return Err(End::Leave(reason.leave()));
        };
        if let ServerMessage::Leave(leave) = outgoing.message {
            return Err(End::Leave(leave));
        }
        let mut ice_due = None;
        let text = encode(&outgoing, self.endpoint.hub.limits(), || {
            let ice = self.ice_servers();
            ice_due = Some(self.renewal(ice.ttl));
            ice
        });
        self.ice_due = ice_due.unwrap_or(self.ice_due);
        self.line.socket.send(text).await?;
        if let Some(seq) = outgoing.seq {
            self.line.sent(seq).await?;
        }
        Ok(())
    }

    async fn wake(&mut self) -> Result<(), End> {
        if self.line.is_dead() {
            return Err(End::Gone(Gone::Dropped));
        }
        Ok(self.line.ask_for_life().await?)
    }

    async fn renew_ice(&mut self) -> Result<(), End> {
        let ice = self.ice_servers();
        self.ice_due = self.renewal(ice.ttl);
        Ok(self.line.socket.send(wire::fresh_ice_servers(&ice)).await?)
    }

    fn ice_servers(&self) -> IceServers {
        let surroundings = &self.endpoint.surroundings;
        surroundings.ice_servers(surroundings.now(), self.subject.as_str())
    }

    /// At four fifths of their life, so that a client has the new ones before the old ones end.
    fn renewal(&self, ttl: Duration) -> Instant {
        let early = (ttl / 5 * 4).max(self.line.socket.patience.ice);
        Instant::now() + if ttl.is_zero() { LONG } else { early.min(LONG) }
    }
}
