//! A client that never waits: what it asks next, and what an answer means to it. Knows no sockets.

use std::net::SocketAddr;

use super::client::CHANNEL;
use super::identity::{Identity, REQUEST};
use super::options::Plan;
use crate::stun::{
    ChannelNumber, Class, ErrorCode, Lifetime, Message, Method, RequestedTransport, TransactionId,
    XorPeerAddress,
};

/// How often one step may be challenged: 401 for a newcomer, 438 for an old nonce.
const CHALLENGES: u8 = 2;

/// A request that has to be granted before the next is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Allocate.
    Open,
    /// CreatePermission.
    Permit(SocketAddr),
    /// ChannelBind.
    Bind(SocketAddr),
    /// Refresh to no lifetime at all.
    GiveBack,
}

impl Step {
    fn method(self) -> Method {
        match self {
            Self::Open => Method::ALLOCATE,
            Self::Permit(_) => Method::CREATE_PERMISSION,
            Self::Bind(_) => Method::CHANNEL_BIND,
            Self::GiveBack => Method::REFRESH,
        }
    }
}

/// What an answer brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// It was none to the last request.
    Nothing,
    /// A challenge: the same is to be asked again.
    Challenged,
    /// This step is done.
    Granted(Step),
    /// The server's code, or 0 where it said none. All is over.
    Refused(u16),
}

/// One client on its way through the steps.
pub(super) struct Session {
    identity: Identity,
    steps: Vec<Step>,
    at: usize,
    challenges: u8,
    number: u32,
    asked: u64,
}

impl Session {
    /// The `number`th client, before its first step.
    pub(super) fn new(plan: &Plan, number: u32, steps: Vec<Step>) -> Self {
        Self { identity: Identity::new(plan), steps, at: 0, challenges: 0, number, asked: 0 }
    }

    /// Whether every step is done.
    pub(super) fn is_done(&self) -> bool {
        self.at == self.steps.len()
    }

    /// From the first step again, as somebody who was never here.
    pub(super) fn restart(&mut self) {
        (self.at, self.challenges) = (0, 0);
        self.identity.forget();
    }

    /// Writes the next request, with an id of its own; `None` when every step is done.
    pub(super) fn ask(&mut self, buffer: &mut [u8; REQUEST]) -> Option<usize> {
        self.asked += 1;
        self.ask_again(buffer)
    }

    /// Writes the last request again: it was lost, or its answer was.
    pub(super) fn ask_again(&self, buffer: &mut [u8; REQUEST]) -> Option<usize> {
        let step = *self.steps.get(self.at)?;
        self.identity.write(buffer, step.method(), self.id(), |out| {
            match step {
                Step::Open => out.put(&RequestedTransport(17)),
                Step::Permit(peer) => out.put(&XorPeerAddress(peer)),
                Step::Bind(peer) => out.put(&ChannelNumber(CHANNEL)).put(&XorPeerAddress(peer)),
                Step::GiveBack => out.put(&Lifetime(0)),
            };
        })
    }

    /// Takes an answer.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Heard {
        let Some(message) = Message::parse(bytes).ok().filter(|m| m.transaction_id() == self.id())
        else {
            return Heard::Nothing;
        };
        let Some(step) = self.steps.get(self.at).copied() else { return Heard::Nothing };
        // What is asked next has another id, so that a second answer to this is none.
        match message.class() {
            Class::Success => {
                (self.at, self.challenges) = (self.at + 1, 0);
                Heard::Granted(step)
            }
            Class::Error => {
                let error = message.get::<ErrorCode<'_>>().ok().flatten();
                let code = error.map_or(0, |error| error.code);
                let may_try = matches!(code, 401 | 438) && self.challenges < CHALLENGES;
                if may_try && self.identity.challenged(&message) {
                    self.challenges += 1;
                    return Heard::Challenged;
                }
                Heard::Refused(code)
            }
            Class::Request | Class::Indication => Heard::Nothing,
        }
    }

    fn id(&self) -> TransactionId {
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.number.to_be_bytes());
        id[4..].copy_from_slice(&self.asked.to_be_bytes());
        TransactionId(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::options::tests::plan;
    use crate::stun::{Nonce, Realm, Writer};

    fn session(steps: &[Step]) -> Session {
        let plan = plan("--load allocations --user u --password p").expect("a plan");
        Session::new(&plan, 7, steps.to_vec())
    }

    fn ask(session: &mut Session) -> Vec<u8> {
        let mut buffer = [0; REQUEST];
        let len = session.ask(&mut buffer).expect("there is something to ask");
        buffer[..len].to_vec()
    }

    /// The server's answer to `request`: a code with a challenge, or success.
    fn answer(request: &[u8], code: Option<u16>) -> Vec<u8> {
        let request = Message::parse(request).expect("a request");
        let class = if code.is_some() { Class::Error } else { Class::Success };
        let mut buffer = [0; 256];
        let mut out = Writer::new(&mut buffer, class, request.method(), request.transaction_id());
        if let Some(code) = code {
            out.put(&ErrorCode { code, reason: "" }).put(&Realm("r")).put(&Nonce(b"n"));
        }
        let len = out.finish().expect("it fits");
        buffer[..len].to_vec()
    }

    #[test]
    fn a_challenge_is_answered_with_the_credential() {
        let mut session = session(&[Step::Open]);
        let bare = ask(&mut session);
        assert!(!Message::parse(&bare).expect("a request").has_integrity());
        assert_eq!(session.hear(&answer(&bare, Some(401))), Heard::Challenged);
        let signed = ask(&mut session);
        let key: [u8; 16] = <md5::Md5 as md5::Digest>::digest("u:r:p").into();
        assert!(Message::parse(&signed).expect("a request").verify_sha1(&key));
        assert_eq!(session.hear(&answer(&signed, None)), Heard::Granted(Step::Open));
        assert!(session.is_done());
    }

    #[test]
    fn steps_come_one_after_the_other_and_a_restart_is_a_newcomer() {
        let peer = "127.0.0.1:9".parse().expect("an address");
        let steps = [Step::Open, Step::Permit(peer), Step::Bind(peer), Step::GiveBack];
        let mut session = session(&steps);
        let challenge = answer(&ask(&mut session), Some(401));
        assert_eq!(session.hear(&challenge), Heard::Challenged);
        for step in steps {
            let request = ask(&mut session);
            assert_eq!(Message::parse(&request).expect("a request").method(), step.method());
            assert_eq!(session.hear(&answer(&request, None)), Heard::Granted(step));
        }
        assert!(session.is_done());
        session.restart();
        let bare = ask(&mut session);
        assert!(!Message::parse(&bare).expect("a request").has_integrity());
    }

    #[test]
    fn an_answer_to_another_request_is_none() {
        let mut session = session(&[Step::Open, Step::GiveBack]);
        let first = answer(&ask(&mut session), None);
        assert_eq!(session.hear(&first), Heard::Granted(Step::Open));
        ask(&mut session);
        assert_eq!(
            session.hear(&first),
            Heard::Nothing,
            "the second answer to what was asked once"
        );
        assert_eq!(session.hear(b"no STUN"), Heard::Nothing);
    }

    #[test]
    fn a_server_that_challenges_for_ever_refuses() {
        let mut session = session(&[Step::Open]);
        let heard: Vec<_> = (0..3)
            .map(|_| {
                let request = ask(&mut session);
                session.hear(&answer(&request, Some(401)))
            })
            .collect();
        assert_eq!(heard, [Heard::Challenged, Heard::Challenged, Heard::Refused(401)]);
    }
}
