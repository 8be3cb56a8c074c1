//! Many clients at once, in one thread, on sockets that never block.

use std::collections::BTreeMap;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use super::delay::Delays;
use super::identity::REQUEST;
use super::options::Plan;
use super::session::{Heard, Session, Step};

/// How long an answer may take before the request is sent again.
const ANSWER: Duration = Duration::from_millis(500);
/// Loopback addresses that clients have.
const ADDRESSES: usize = 250;
/// How often a request is sent, until nobody is believed to be there.
const TRIES: u8 = 8;

/// What came of all their requests.
#[derive(Default)]
pub(super) struct Tally {
    /// Allocations that were granted.
    pub(super) opened: u64,
    /// Clients that were refused, by the server's code.
    pub(super) refused: BTreeMap<u16, u64>,
    /// Clients that heard nothing.
    pub(super) unheard: u64,
    /// Requests that were sent again.
    pub(super) repeated: u64,
    /// From the first request of a client until its allocation was granted.
    pub(super) delays: Delays,
}

/// The clients.
pub(super) struct Crowd {
    server: SocketAddr,
    members: Vec<Member>,
    /// Sockets opened so far.
    opened: usize,
    /// Those that wait for an answer.
    waiting: Vec<usize>,
    /// Those that have done every step, or can do no more, since they were last asked for.
    finished: Vec<usize>,
    pub(super) tally: Tally,
}

struct Member {
    socket: UdpSocket,
    session: Session,
    began: Instant,
    sent: Instant,
    tries: u8,
}

/// Whether a member goes on waiting.
#[derive(PartialEq, Eq)]
enum Goes {
    On,
    Home,
}

impl Crowd {
    /// `count` clients with a five-tuple each, who have not begun.
    pub(super) fn gather(plan: &Plan, count: usize, steps: &[Step]) -> io::Result<Self> {
        let now = Instant::now();
        let member = |number: usize| {
            let session = Session::new(plan, number as u32, steps.to_vec());
            let socket = socket(plan.server, number)?;
            Ok(Member { socket, session, began: now, sent: now, tries: 0 })
        };
        let members = (0..count).map(member).collect::<io::Result<_>>()?;
        let (server, waiting, finished) = (plan.server, Vec::new(), Vec::new());
        Ok(Self { server, members, opened: count, waiting, finished, tally: Tally::default() })
    }

    /// How many wait for an answer.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// Lets one begin.
    pub(super) fn begin(&mut self, index: usize) {
        let member = &mut self.members[index];
        member.began = Instant::now();
        member.ask();
        self.waiting.push(index);
    }

    /// Makes another client of one that is through, with a five-tuple of its own.
    pub(super) fn renew(&mut self, index: usize) -> io::Result<()> {
        let member = &mut self.members[index];
        member.session.restart();
        member.socket = socket(self.server, self.opened)?;
        self.opened += 1;
        Ok(())
    }

    /// Those that are through since the last call.
    pub(super) fn finished(&mut self) -> Vec<usize> {
        std::mem::take(&mut self.finished)
    }

    /// Whether one has done every step.
    pub(super) fn is_done(&self, index: usize) -> bool {
        self.members[index].session.is_done()
    }

    /// Takes every answer that is there and lets whom it is for go on; false when there was none.
    pub(super) fn turn(&mut self) -> bool {
        let (mut any, mut at) = (false, 0);
        let now = Instant::now();
        while let Some(index) = self.waiting.get(at).copied() {
            let member = &mut self.members[index];
            let mut goes = Goes::On;
            let mut buffer = [0; 2048];
            while goes == Goes::On
                && let Ok(len) = member.socket.recv(&mut buffer)
            {
                any = true;
                goes = member.hear(&buffer[..len], &mut self.tally);
            }
            if goes == Goes::On && now.saturating_duration_since(member.sent) > ANSWER {
                goes = member.lose_patience(&mut self.tally);
            }
            match goes {
                Goes::On => at += 1,
                Goes::Home => self.finished.push(self.waiting.swap_remove(at)),
            }
        }
        any
    }
}

impl Member {
    fn ask(&mut self) {
        let mut buffer = [0; REQUEST];
        if let Some(len) = self.session.ask(&mut buffer) {
            self.tries = 1;
            self.send(&buffer[..len]);
        }
    }

    /// What does not leave is as good as lost on its way.
    fn send(&mut self, request: &[u8]) {
        let _ = self.socket.send(request);
        self.sent = Instant::now();
    }

    fn hear(&mut self, answer: &[u8], tally: &mut Tally) -> Goes {
        match self.session.hear(answer) {
            Heard::Nothing => return Goes::On,
            Heard::Challenged => {}
            Heard::Granted(step) => {
                if step == Step::Open {
                    tally.opened += 1;
                    tally.delays.add(self.began.elapsed().as_nanos() as u64);
                }
                if self.session.is_done() {
                    return Goes::Home;
                }
            }
            Heard::Refused(code) => {
                *tally.refused.entry(code).or_default() += 1;
                return Goes::Home;
            }
        }
        self.ask();
        Goes::On
    }

    fn lose_patience(&mut self, tally: &mut Tally) -> Goes {
        if self.tries == TRIES {
            tally.unheard += 1;
            return Goes::Home;
        }
        self.tries += 1;
        tally.repeated += 1;
        let mut buffer = [0; REQUEST];
        if let Some(len) = self.session.ask_again(&mut buffer) {
            self.send(&buffer[..len]);
        }
        Goes::On
    }
}

/// The `number`th socket towards the server, which never blocks. On this machine it has another address
/// than its neighbours, as clients have; so that no five-tuple comes again soon, which a server may remember
/// for a while.
pub(super) fn socket(server: SocketAddr, number: usize) -> io::Result<UdpSocket> {
    let any: SocketAddr = match server {
        SocketAddr::V4(to) if to.ip().is_loopback() => {
            ([127, 0, 0, 1 + (number % ADDRESSES) as u8], 0).into()
        }
        SocketAddr::V4(_) => ([0, 0, 0, 0], 0).into(),
        SocketAddr::V6(_) => ([0u16; 8], 0).into(),
    };
    let socket = UdpSocket::bind(any)?;
    socket.connect(server)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}
