//! The one task that owns the rooms, and the handle everybody else has on it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};

use super::mailbox::{Mailbox, Slot, mailbox};

use crate::signal::{
    Actor, ClientMessage, CloseReason, ConnId, ErrorCode, Event, Gone, Hello, Hub, HubLimits,
    HubStats, Moderation, Outgoing, PeerInfo, Presence, RefId, RoomId, RoomSpec, RoomView,
};
use crate::time::{Instant, Now};

/// Reads both clocks.
pub type Clock = Arc<dyn Fn() -> Now + Send + Sync>;

/// Commands that may wait for the task; whoever sends one more waits.
const COMMANDS: usize = 1024;
/// Commands handled before what they caused is sent.
const BATCH: usize = 64;
/// Events that may wait to be taken; what does not fit is lost and counted. As many as two seconds of
/// four hundred clients that each send as much as they may.
const EVENTS: usize = 65_536;
/// Messages for a connection beyond the queue of its peer: answers, which no replay needs.
const ANSWERS: usize = 64;

enum Command {
    Open(Box<RoomSpec>, oneshot::Sender<bool>),
    Close(RoomId, CloseReason),
    Room(RoomId, oneshot::Sender<Option<RoomView>>),
    Rooms(oneshot::Sender<Vec<RoomView>>),
    Look(Vec<RoomId>, oneshot::Sender<Vec<Option<RoomView>>>),
    Peers(RoomId, oneshot::Sender<Option<Vec<PeerInfo>>>),
    Presence(RoomId, oneshot::Sender<Option<Presence>>),
    Stats(oneshot::Sender<HubStats>),
    Moderate(RoomId, Actor, Moderation, oneshot::Sender<Result<(), ErrorCode>>),
    Connect(ConnId, Box<Hello>, Slot),
    Deliver(ConnId, ClientMessage),
    Complain(ConnId, Option<RefId>, ErrorCode, String),
    Acknowledge(ConnId, u64),
    Disconnect(ConnId, Gone),
    Shutdown(Duration, oneshot::Sender<()>),
}

/// Speaks to the rooms. Cheap to clone. After a shutdown nothing is found and nothing opens.
#[derive(Clone)]
pub struct HubHandle {
    commands: mpsc::Sender<Command>,
    connections: Arc<AtomicU64>,
    events_lost: Arc<AtomicU64>,
    limits: Arc<HubLimits>,
}

/// Starts the task on the current runtime. `seed` must come from a random source. Events are what
/// log, store and hooks live from; a receiver that is dropped is fine.
pub fn start(
    limits: HubLimits,
    seed: [u8; 32],
    clock: Clock,
) -> (HubHandle, mpsc::Receiver<Event>) {
    start_hub(Hub::new(limits, seed), clock)
}

/// As [`start`], with a hub of one's own making.
pub fn start_hub(hub: Hub, clock: Clock) -> (HubHandle, mpsc::Receiver<Event>) {
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (events, taken) = mpsc::channel(EVENTS);
    let handle = HubHandle {
        commands,
        connections: Arc::default(),
        events_lost: Arc::default(),
        limits: Arc::new(hub.limits().clone()),
    };
    let driver = Driver {
        hub,
        clock,
        events,
        events_lost: Arc::clone(&handle.events_lost),
        slots: HashMap::default(),
        over: None,
    };
    tokio::spawn(driver.run(inbox));
    (handle, taken)
}

impl HubHandle {
    /// The bounds the rooms were made with.
    pub fn limits(&self) -> &HubLimits {
        &self.limits
    }

    /// Opens a room, or leaves one that is open as it is. False when there are too many.
    pub async fn open_room(&self, spec: RoomSpec) -> bool {
        self.ask(|answer| Command::Open(Box::new(spec), answer)).await.unwrap_or(false)
    }

    /// Ends a room, if it is open.
    pub async fn close_room(&self, room: &RoomId, reason: CloseReason) {
        self.tell(Command::Close(room.clone(), reason)).await;
    }

    /// A room as it is now.
    pub async fn room(&self, room: &RoomId) -> Option<RoomView> {
        self.ask(|answer| Command::Room(room.clone(), answer)).await.flatten()
    }

    /// These rooms as they are now, in this order; none for one that is not open.
    pub async fn look(&self, rooms: Vec<RoomId>) -> Vec<Option<RoomView>> {
        self.ask(|answer| Command::Look(rooms, answer)).await.unwrap_or_default()
    }

    /// Every open room.
    pub async fn rooms(&self) -> Vec<RoomView> {
        self.ask(Command::Rooms).await.unwrap_or_default()
    }

    /// The peers in a room, in the order they came.
    pub async fn peers(&self, room: &RoomId) -> Option<Vec<PeerInfo>> {
        self.ask(|answer| Command::Peers(room.clone(), answer)).await.flatten()
    }

    /// Who is in a room and who waits there.
    pub async fn presence(&self, room: &RoomId) -> Option<Presence> {
        self.ask(|answer| Command::Presence(room.clone(), answer)).await.flatten()
    }

    /// How much there is.
    pub async fn stats(&self) -> HubStats {
        self.ask(Command::Stats).await.unwrap_or_default()
    }

    /// A decision of `by`, whose right to it was checked.
    ///
    /// # Errors
    /// As [`Hub::moderate`].
    pub async fn moderate(
        &self,
        room: &RoomId,
        by: Actor,
        what: Moderation,
    ) -> Result<(), ErrorCode> {
        let answer = self.ask(|answer| Command::Moderate(room.clone(), by, what, answer)).await;
        answer.unwrap_or(Err(ErrorCode::NoSuchRoom))
    }

    /// A client said hello with a good ticket. What it is told comes out of the receiver, which ends
    /// after a `Leave`, or without one when the client was too slow to be told.
    pub async fn connect(&self, hello: Hello) -> (ConnId, Mailbox) {
        let conn = ConnId(self.connections.fetch_add(1, Ordering::Relaxed));
        let (slot, told) = mailbox(self.limits.queue_messages.saturating_mul(3) + ANSWERS);
        self.tell(Command::Connect(conn, Box::new(hello), slot)).await;
        (conn, told)
    }

    /// A message of a client.
    pub async fn deliver(&self, conn: ConnId, message: ClientMessage) {
        self.tell(Command::Deliver(conn, message)).await;
    }

    /// A message of a client that could not be understood.
    pub async fn complain(&self, conn: ConnId, id: Option<RefId>, code: ErrorCode, text: String) {
        self.tell(Command::Complain(conn, id, code, text)).await;
    }

    /// A client has everything up to `seq`.
    pub async fn acknowledge(&self, conn: ConnId, seq: u64) {
        self.tell(Command::Acknowledge(conn, seq)).await;
    }

    /// A connection ended.
    pub async fn disconnect(&self, conn: ConnId, how: Gone) {
        self.tell(Command::Disconnect(conn, how)).await;
    }

    /// Tells every client that the server ends, and ends the task.
    pub async fn shutdown(&self, retry_after: Duration) {
        let _ = self.ask(|answer| Command::Shutdown(retry_after, answer)).await;
    }

    /// Events that nobody took in time.
    pub fn events_lost(&self) -> u64 {
        self.events_lost.load(Ordering::Relaxed)
    }

    /// Whether the rooms are no more: there was a shutdown.
    pub fn is_over(&self) -> bool {
        self.commands.is_closed()
    }

    /// Waits until the rooms are no more.
    pub async fn over(&self) {
        self.commands.closed().await;
    }

    async fn tell(&self, command: Command) {
        // Fails only after a shutdown, when there is nobody left to tell.
        if let Err(TrySendError::Full(command)) = self.commands.try_send(command) {
            // Boxed, because what is kept for waiting is kept by every connection.
            let _ = Box::pin(self.commands.send(command)).await;
        }
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Option<T> {
        let (answer, answered) = oneshot::channel();
        self.commands.send(command(answer)).await.ok()?;
        answered.await.ok()
    }
}

struct Driver {
    hub: Hub,
    clock: Clock,
    events: mpsc::Sender<Event>,
    events_lost: Arc<AtomicU64>,
    /// By numbers of our own making, so nobody chooses where they fall.
    slots: HashMap<ConnId, Slot, FixedState>,
    /// Answered when the shutdown is done.
    over: Option<oneshot::Sender<()>>,
}

impl Driver {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        let mut batch = Vec::with_capacity(BATCH);
        while self.over.is_none() {
            tokio::select! {
                count = inbox.recv_many(&mut batch, BATCH) => {
                    if count == 0 {
                        return;
                    }
                    let now = (self.clock)();
                    batch.drain(..).for_each(|command| self.handle(now, command));
                }
                () = sleep_until(self.hub.poll_timeout(), &self.clock) => {
                    self.hub.handle_timeout((self.clock)());
                }
            }
            self.flush();
        }
        // Refuse what still comes before saying that it is over.
        inbox.close();
        if let Some(over) = self.over.take() {
            let _ = over.send(());
        }
    }

    fn handle(&mut self, now: Now, command: Command) {
        let hub = &mut self.hub;
        // An asker that has gone away needs no answer.
        match command {
            Command::Open(spec, answer) => {
                let _ = answer.send(hub.open(now, *spec));
            }
            Command::Close(room, reason) => hub.close(now, &room, reason),
            Command::Room(room, answer) => {
                let _ = answer.send(hub.room(&room));
            }
            Command::Rooms(answer) => {
                let _ = answer.send(hub.rooms().collect());
            }
            Command::Peers(room, answer) => {
                let _ = answer.send(hub.peers(&room));
            }
            Command::Look(rooms, answer) => {
                let _ = answer.send(rooms.iter().map(|room| hub.room(room)).collect());
            }
            Command::Presence(room, answer) => {
                let _ = answer.send(hub.presence(&room));
            }
            Command::Stats(answer) => {
                let _ = answer.send(hub.stats());
            }
            Command::Moderate(room, by, what, answer) => {
                let _ = answer.send(hub.moderate(now, &room, by, what));
            }
            Command::Connect(conn, hello, slot) => {
                self.slots.insert(conn, slot);
                hub.connect(now, conn, *hello);
            }
            Command::Deliver(conn, message) => hub.handle(now, conn, message),
            Command::Complain(conn, id, code, text) => hub.complain(now, conn, id, code, text),
            Command::Acknowledge(conn, seq) => hub.acknowledge(conn, seq),
            Command::Disconnect(conn, how) => {
                hub.disconnect(now, conn, how);
                if matches!(how, Gone::Dropped | Gone::Left) {
                    self.slots.remove(&conn);
                }
            }
            Command::Shutdown(retry_after, answer) => {
                hub.shutdown(now, retry_after);
                self.over = Some(answer);
            }
        }
    }

    /// Hands out everything the last inputs caused.
    fn flush(&mut self) {
        while let Some(outgoing) = self.hub.poll_send() {
            self.send(outgoing);
        }
        while let Some(event) = self.hub.poll_event() {
            // Nobody may hold the rooms up: an event that finds no place is lost.
            if let Err(TrySendError::Full(_)) = self.events.try_send(event) {
                self.events_lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn send(&mut self, outgoing: Outgoing) {
        let conn = outgoing.conn;
        let last = matches!(outgoing.message, crate::signal::ServerMessage::Leave(_));
        let Some(slot) = self.slots.get(&conn) else { return };
        let fits = slot.put(outgoing);
        if last || !fits {
            self.slots.remove(&conn);
        }
        if !fits && !last {
            self.hub.disconnect((self.clock)(), conn, Gone::Slow);
        }
    }
}

async fn sleep_until(due: Option<Instant>, clock: &Clock) {
    match due {
        Some(due) => tokio::time::sleep(due - clock().mono).await,
        None => std::future::pending().await,
    }
}
