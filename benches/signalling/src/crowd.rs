//! All clients of a run, and the one loop that listens to them.

use std::io;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::client::Client;
use crate::connect;
use crate::options::Options;
use crate::protocol::{Kind, Protocol, Seat, Told};
use crate::stamp::Stamp;

/// Bytes read from a socket at once.
const WINDOW: usize = 64 * 1024;
/// Handshakes between two looks at those who are in already.
const BETWEEN_LOOKS: usize = 16;
/// How long it may take until everybody is in.
const PATIENCE: Duration = Duration::from_secs(30);

/// A stamped text that came: to which client, and its stamp.
pub type Arrival = (usize, Stamp);

pub struct Crowd<'a> {
    pub protocol: &'a dyn Protocol,
    pub clients: Vec<Client>,
    server: std::net::SocketAddr,
    poll: Poll,
    events: Events,
    window: Box<[u8]>,
    started: Instant,
    /// Clients with something to flush.
    dirty: Vec<usize>,
    arrived: Vec<Arrival>,
    /// Whose heartbeat is next, and when.
    heartbeats: (usize, Instant),
    errors: u64,
    first_error: Option<String>,
}

impl<'a> Crowd<'a> {
    pub fn new(protocol: &'a dyn Protocol, options: &Options) -> Self {
        Self {
            protocol,
            clients: Vec::with_capacity(options.clients()),
            server: options.server,
            poll: Poll::new().expect("the kernel has epoll"),
            events: Events::with_capacity(1024),
            window: vec![0; WINDOW].into(),
            started: Instant::now(),
            dirty: Vec::new(),
            arrived: Vec::new(),
            heartbeats: (0, Instant::now()),
            errors: 0,
            first_error: None,
        }
    }

    /// Brings everybody in, one after the other, and waits until the server has said so to each.
    pub fn come_in(&mut self, seats: Vec<Seat>) -> Result<(), String> {
        for (number, seat) in seats.into_iter().enumerate() {
            let source = connect::source(number);
            let (stream, early) = connect::open(self.server, source, &seat.path)?;
            self.enter(stream, seat, early).map_err(|why| format!("client {number}: {why}"))?;
            if number % BETWEEN_LOOKS == 0 {
                self.listen(Duration::ZERO);
            }
        }
        let end = Instant::now() + PATIENCE;
        while self.clients.iter().any(|client| !client.is_in) {
            if Instant::now() > end || self.errors > 0 {
                let out = self.clients.iter().filter(|client| !client.is_in).count();
                let why = self.first_error.as_deref().unwrap_or("the server says nothing");
                return Err(format!("{out} of {} are not let in: {why}", self.clients.len()));
            }
            self.listen(Duration::from_millis(10));
        }
        Ok(())
    }

    fn enter(&mut self, stream: std::net::TcpStream, seat: Seat, early: Vec<u8>) -> io::Result<()> {
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let number = self.clients.len();
        let interest = Interest::READABLE | Interest::WRITABLE;
        self.poll.registry().register(&mut stream, Token(number), interest)?;
        let mut client = Client::new(stream, seat, early);
        for text in std::mem::take(&mut client.seat.first) {
            client.say(&text);
        }
        client.flush();
        self.clients.push(client);
        self.read(number);
        Ok(())
    }

    /// Nobody says more than a heartbeat.
    pub fn idle(&mut self, time: Duration) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.listen(Duration::from_millis(20));
        }
    }

    /// Nanoseconds since the start.
    pub fn now(&self) -> u64 {
        self.started.elapsed().as_nanos() as u64
    }

    /// `from` says something to `to`, or to everybody else in its room. Goes out with the next look.
    pub fn say(&mut self, from: usize, to: Option<usize>, kind: Kind, payload: &str) {
        let receiver = to.map(|to| &self.clients[to].seat);
        let text = self.protocol.say(&self.clients[from].seat, receiver, kind, payload);
        self.clients[from].say(&text);
        self.dirty.push(from);
    }

    /// Sends what was said, waits no longer than `patience` for something to come and reads it.
    pub fn listen(&mut self, patience: Duration) {
        self.keep_alive();
        self.flush();
        if self.poll.poll(&mut self.events, Some(patience)).is_err() {
            return;
        }
        let ready: Vec<(usize, bool, bool)> = self
            .events
            .iter()
            .map(|event| (event.token().0, event.is_readable(), event.is_writable()))
            .collect();
        for (number, readable, writable) in ready {
            if writable {
                self.clients[number].writable();
            }
            if readable && self.clients[number].lives {
                self.read(number);
            }
        }
        self.flush();
    }

    /// What came since the last time.
    pub fn arrivals(&mut self) -> Vec<Arrival> {
        std::mem::take(&mut self.arrived)
    }

    /// Refusals and connections that ended.
    pub fn errors(&self) -> u64 {
        self.errors
    }

    pub fn first_error(&self) -> Option<&str> {
        self.first_error.as_deref()
    }

    fn read(&mut self, number: usize) {
        let client = &mut self.clients[number];
        let (mut entered, mut named) = (false, None);
        let answers = client.readable(&mut self.window, |text| {
            if let Some(stamp) = Stamp::find(text) {
                self.arrived.push((number, stamp));
                return;
            }
            match self.protocol.told(text) {
                Told::In(name) => (entered, named) = (true, name),
                Told::Refused => {
                    self.errors += 1;
                    let text = || String::from_utf8_lossy(text).into_owned();
                    self.first_error.get_or_insert_with(text);
                }
                Told::Nothing => {}
            }
        });
        client.is_in |= entered;
        if let Some(name) = named {
            client.seat.name = name;
        }
        if !client.lives {
            self.errors += 1;
            self.first_error.get_or_insert_with(|| "a connection ended".into());
        }
        if answers {
            self.dirty.push(number);
        }
    }

    fn flush(&mut self) {
        for number in self.dirty.drain(..) {
            self.clients[number].flush();
        }
    }

    /// Spreads everybody's heartbeats over their interval.
    fn keep_alive(&mut self) {
        let Some((every, text)) = self.protocol.heartbeat() else { return };
        let now = Instant::now();
        while !self.clients.is_empty() && self.heartbeats.1 <= now {
            let (number, due) = self.heartbeats;
            let number = number % self.clients.len();
            if self.clients[number].is_in {
                self.clients[number].say(text);
                self.dirty.push(number);
            }
            self.heartbeats = (number + 1, due + every / self.clients.len() as u32);
        }
    }
}
