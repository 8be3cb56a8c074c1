//! One client's connection from hello to leave: its own task, two bounded queues.

use std::future::ready;
use std::time::Duration;

use tokio::time::Instant;

use super::greeting::greet;
use super::line::Line;
use super::socket::{Received, Socket, Unwritable};
use super::{Endpoint, IceServers, Incoming, Mailbox, encode, parse, wire};
use crate::signal::{ConnId, ErrorCode, Gone, Leave, LeaveReason, Outgoing, PeerId, ServerMessage};

/// When there is nothing to wait for.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

/// Messages that are written before they are sent: whoever talks to many need not wait for one.
const TOGETHER: usize = 32;
/// How often in a row a client is told something before it is heard.
const TOLD_FIRST: u32 = 4;

/// Serves one client until either side ends it. What is needed at the beginning and at the end alone is boxed:
/// it would be kept by every idle connection.
pub(super) async fn run(endpoint: &Endpoint, mut socket: Socket) {
    let hello = match Box::pin(greet(endpoint, &mut socket)).await {
        Ok(hello) => hello,
        Err(Some(leave)) => return Box::pin(socket.leave(leave)).await,
        Err(None) => return,
    };
    let subject = hello.admission.peer.clone();
    let (conn, told) = Box::pin(endpoint.hub.connect(hello)).await;
    let ice_due = Instant::now() + LONG;
    let line = Line::new(socket);
    let mut session = Session { endpoint, line, conn, subject, told, ice_due };
    let end = session.serve().await;
    Box::pin(session.finish(end)).await;
}

struct Session<'a> {
    endpoint: &'a Endpoint,
    line: Line,
    conn: ConnId,
    subject: PeerId,
    told: Mailbox,
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
    async fn finish(self, end: End) {
        match end {
            End::Leave(leave) => self.line.socket.leave(leave).await,
            End::Gone(how) => {
                self.endpoint.hub.disconnect(self.conn, how).await;
                self.line.socket.finish().await;
            }
        }
    }

    async fn serve(&mut self) -> End {
        let mut told = 0;
        loop {
            let due = self.line.due().min(self.ice_due);
            // Whoever is told something has mostly said nothing, and looking at the socket is not free: it comes last.
            let step = tokio::select! {
                biased;
                () = self.line.alarm.rings(due) => self.wake().await,
                outgoing = self.told.recv(), if told < TOLD_FIRST => {
                    told += 1;
                    self.tell(outgoing).await
                }
                received = self.line.socket.receive() => {
                    told = 0;
                    self.heard(received).await
                }
                () = ready(()), if told == TOLD_FIRST => {
                    told = 0;
                    Ok(())
                }
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
                if self.line.confirmed(seq) {
                    hub.acknowledge(conn, seq).await;
                }
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

    /// Writes what is to be told and what more of it is there already, and sends all of it together.
    async fn tell(&mut self, first: Option<Outgoing>) -> Result<(), End> {
        let Some(first) = first else {
            // The queue was full, so there was no place for a leave either; or the rooms are no more.
            let over = self.endpoint.hub.is_over();
            let reason = if over { LeaveReason::Shutdown } else { LeaveReason::Slow };
            return Err(End::Leave(reason.leave()));
        };
        self.write(first).await?;
        for _ in 1..TOGETHER {
            let Some(next) = self.told.try_recv() else { break };
            self.write(next).await?;
        }
        Ok(self.line.flush().await?)
    }

    async fn write(&mut self, outgoing: Outgoing) -> Result<(), End> {
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
        self.line.write(text).await?;
        if let Some(seq) = outgoing.seq {
            self.line.wrote(seq);
        }
        Ok(())
    }

    async fn wake(&mut self) -> Result<(), End> {
        if self.ice_due <= Instant::now() {
            return Box::pin(self.renew_ice()).await;
        }
        if self.line.upkeep().await? { Ok(()) } else { Err(End::Gone(Gone::Dropped)) }
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
