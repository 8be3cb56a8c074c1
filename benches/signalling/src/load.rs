//! Messages: as many as the server passes on, and so many a second.

use std::time::Duration;

use crate::crowd::{Arrival, Crowd};
use crate::options::Options;
use crate::protocol::Kind;
use crate::stamp::Stamp;
use crate::usage::{Spent, Usage};

/// How long messages go before anything is counted.
const WARM_UP: Duration = Duration::from_secs(1);
/// A server that needs less than this part of a core for so long has nothing left to do; nobody waits longer than that.
const QUIET: f64 = 0.08;
const QUIET_FOR: Duration = Duration::from_millis(500);
const SETTLES_WITHIN: u32 = 60;
/// One message in so many is a description, the others are candidates.
const OFFER_EACH: u64 = 10;
/// Behind the stamp of a candidate.
const CANDIDATE: &str =
    " 1 udp 2122260223 192.0.2.17 51234 typ host generation 0 ufrag 4Zcd network-id 1";
/// Lines of a description, some 1500 bytes together, with line ends as JSON has them.
const LINE: &str = r"\r\na=rtpmap:111 opus/48000/2";
const LINES: usize = 50;

/// What was measured.
pub struct Measured {
    /// Messages that reached whom they were for.
    pub delivered: u64,
    /// Copies that reached somebody else, or their sender.
    pub surplus: u64,
    /// Messages that were sent and had not come when the time was over; of a paced load alone.
    pub lost: u64,
    /// Microseconds from one client to the other, in order.
    pub delays: Vec<u32>,
    /// The server's CPU time for each of all messages, with what it did for them afterwards.
    pub nanos: f64,
    pub server: Spent,
    pub generator: Spent,
}

/// Everybody has `window` messages under way: whenever one has come, its sender says the next. What a server puts off
/// is part of a message's cost, so it is waited for before and after.
pub fn saturated(crowd: &mut Crowd<'_>, options: &Options) -> Result<Measured, String> {
    let mut talk = Talk::new(crowd, options)?;
    let patience = Duration::from_millis(10);
    talk.open_windows();
    talk.go_on(WARM_UP, |talk| talk.answer(patience));
    talk.settle(options)?;
    let watch = Watch::start(options)?;
    talk.begin_counting();
    talk.open_windows();
    talk.go_on(Duration::from_secs(options.seconds), |talk| talk.answer(patience));
    let (delivered, spent) = (talk.delivered, watch.look()?);
    talk.settle(options)?;
    let nanos = watch.look()?.0.nanos as f64 / talk.delivered.max(1) as f64;
    Ok(Measured { delivered, nanos, lost: 0, ..talk.counted(spent) })
}

/// Everybody in turn says something, so that it is `rate` a second together, whatever has come.
pub fn paced(crowd: &mut Crowd<'_>, options: &Options) -> Result<Measured, String> {
    let mut talk = Talk::new(crowd, options)?;
    let mut schedule = Schedule::new(talk.crowd.now(), options.rate);
    talk.go_on(WARM_UP, |talk| schedule.keep(talk));
    talk.settle(options)?;
    let watch = Watch::start(options)?;
    talk.begin_counting();
    schedule = Schedule::new(talk.crowd.now(), options.rate);
    talk.go_on(Duration::from_secs(options.seconds), |talk| schedule.keep(talk));
    let spent = watch.look()?;
    talk.settle(options)?;
    let nanos = watch.look()?.0.nanos as f64 / talk.delivered.max(1) as f64;
    Ok(Measured { nanos, ..talk.counted(spent) })
}

/// When the next message is due. A late one keeps its due time, so that lateness counts as delay.
struct Schedule {
    due: u64,
    every: u64,
    client: usize,
}

impl Schedule {
    fn new(now: u64, rate: u64) -> Self {
        Self { due: now, every: 1_000_000_000 / rate.max(1), client: 0 }
    }

    /// Does not sleep: the generator has a core for itself, and waking up late would look like delay.
    fn keep(&mut self, talk: &mut Talk<'_, '_>) {
        while self.due <= talk.crowd.now() {
            talk.send(self.client, self.due);
            self.client = (self.client + 1) % talk.crowd.clients.len();
            self.due += self.every;
        }
        talk.answer(Duration::ZERO);
    }
}

/// Who talks to whom, and what came of it.
struct Talk<'a, 'b> {
    crowd: &'a mut Crowd<'b>,
    /// The clients of each room.
    rooms: Vec<Vec<usize>>,
    /// Which of its room each client talks to next.
    turn: Vec<usize>,
    /// Copies of each client's messages that are to come.
    under_way: Vec<usize>,
    window: usize,
    broadcast: bool,
    /// Nothing is said in answer to what comes.
    windows_close: bool,
    description: String,
    said: u64,
    expected: u64,
    /// Messages from before this time are not counted.
    counts_from: u64,
    delivered: u64,
    surplus: u64,
    delays: Vec<u32>,
}

impl<'a, 'b> Talk<'a, 'b> {
    fn new(crowd: &'a mut Crowd<'b>, options: &Options) -> Result<Self, String> {
        if options.broadcast && !crowd.protocol.broadcasts() {
            return Err("this server has no message to everybody in a room".into());
        }
        if options.size < 2 {
            return Err("it takes two to talk".into());
        }
        let mut rooms = vec![Vec::new(); options.rooms];
        for (number, client) in crowd.clients.iter().enumerate() {
            rooms[client.seat.room].push(number);
        }
        let clients = crowd.clients.len();
        Ok(Self {
            crowd,
            rooms,
            turn: vec![0; clients],
            under_way: vec![0; clients],
            window: options.window,
            broadcast: options.broadcast,
            windows_close: true,
            description: LINE.repeat(LINES),
            said: 0,
            expected: 0,
            counts_from: 0,
            delivered: 0,
            surplus: 0,
            delays: Vec::new(),
        })
    }

    fn go_on(&mut self, time: Duration, mut step: impl FnMut(&mut Self)) {
        let end = self.crowd.now() + time.as_nanos() as u64;
        while self.crowd.now() < end {
            step(self);
        }
    }

    fn begin_counting(&mut self) {
        (self.counts_from, self.expected, self.delivered, self.surplus) =
            (self.crowd.now(), 0, 0, 0);
        self.delays.clear();
    }

    fn send(&mut self, from: usize, at: u64) {
        let room = &self.rooms[self.crowd.clients[from].seat.room];
        let copies = if self.broadcast { room.len() - 1 } else { 1 };
        let to = (!self.broadcast).then(|| {
            let turn = &mut self.turn[from];
            *turn += 1;
            // Everybody else in turn, wherever in its room the sender stands.
            let mine = room.iter().position(|it| *it == from).expect("it is in its room");
            room[(mine + 1 + *turn % (room.len() - 1)) % room.len()]
        });
        self.said += 1;
        let is_offer = self.said.is_multiple_of(OFFER_EACH);
        let (kind, rest) = match is_offer {
            true => (Kind::Offer, self.description.as_str()),
            false => (Kind::Candidate, CANDIDATE),
        };
        let payload = Stamp { from, to, at }.text() + rest;
        self.crowd.say(from, to, kind, &payload);
        self.under_way[from] += copies;
        self.expected += copies as u64;
    }

    /// Takes what came, and sends what its senders say next.
    fn answer(&mut self, patience: Duration) {
        self.crowd.listen(patience);
        let now = self.crowd.now();
        for (receiver, stamp) in self.crowd.arrivals() {
            self.heard((receiver, stamp), now);
        }
    }

    fn heard(&mut self, (receiver, stamp): Arrival, now: u64) {
        let counts = stamp.at >= self.counts_from;
        if stamp.to.map_or(stamp.from == receiver, |to| to != receiver) {
            self.surplus += u64::from(counts);
            return;
        }
        self.delivered += u64::from(counts);
        if counts {
            self.delays.push((now.saturating_sub(stamp.at) / 1000) as u32);
        }
        let from = stamp.from;
        self.under_way[from] = self.under_way[from].saturating_sub(1);
        let copies = match self.broadcast {
            true => self.rooms[self.crowd.clients[from].seat.room].len() - 1,
            false => 1,
        };
        if !self.windows_close && self.under_way[from] <= (self.window - 1) * copies {
            self.send(from, now);
        }
    }

    /// Everybody says as much as may be under way, and goes on with every answer.
    fn open_windows(&mut self) {
        self.under_way.fill(0);
        self.windows_close = false;
        for client in 0..self.crowd.clients.len() {
            for _ in 0..self.window {
                self.send(client, self.crowd.now());
            }
        }
    }

    /// Nobody says anything more, until what was said has come and the server rests.
    fn settle(&mut self, options: &Options) -> Result<(), String> {
        self.windows_close = true;
        for _ in 0..SETTLES_WITHIN {
            let before = Usage::of(options.server_pid)?;
            self.go_on(QUIET_FOR, |talk| talk.answer(Duration::from_millis(5)));
            if before.until_now(options.server_pid)?.busy() < QUIET {
                break;
            }
        }
        Ok(())
    }

    fn counted(&mut self, (server, generator): (Spent, Spent)) -> Measured {
        let mut delays = std::mem::take(&mut self.delays);
        delays.sort_unstable();
        let lost = self.expected.saturating_sub(self.delivered);
        let (delivered, surplus) = (self.delivered, self.surplus);
        Measured { delivered, surplus, lost, delays, nanos: 0.0, server, generator }
    }
}

/// The CPU time of both sides while something goes on.
struct Watch {
    process: u32,
    server: Usage,
    generator: Usage,
}

impl Watch {
    fn start(options: &Options) -> Result<Self, String> {
        let process = options.server_pid;
        let (server, generator) = (Usage::of(process)?, Usage::of(std::process::id())?);
        Ok(Self { process, server, generator })
    }

    fn look(&self) -> Result<(Spent, Spent), String> {
        let generator = self.generator.until_now(std::process::id())?;
        Ok((self.server.until_now(self.process)?, generator))
    }
}
