//! A client as far as a load needs one: Allocate with a long-term credential, CreatePermission, ChannelBind.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::identity::{Identity, REQUEST};
use super::options::Plan;
use super::wire::Wire;
use super::wrong;
use crate::stun::{
    ChannelNumber, Class, ErrorCode, Message, Method, RequestedTransport, TransactionId, Writer,
    XorPeerAddress, XorRelayedAddress,
};

/// The channel every client binds: each has but one.
pub(super) const CHANNEL: u16 = 0x4001;

/// How long a server may take for one request, retransmissions and all.
const PATIENCE: Duration = Duration::from_secs(5);

/// An open allocation.
pub(super) struct Client {
    pub(super) wire: Wire,
    pub(super) relayed: SocketAddr,
    identity: Identity,
    next: u64,
}

impl Client {
    /// A client that has been challenged, and has no allocation yet.
    pub(super) fn meet(plan: &Plan) -> io::Result<Self> {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        let mut client = Self {
            wire: Wire::open(plan)?,
            relayed: nowhere,
            identity: Identity::new(plan),
            next: 0,
        };
        let asked = client.request(Method::ALLOCATE, |out| {
            out.put(&RequestedTransport(17));
        })?;
        let challenge =
            Message::parse(&asked).map_err(|_| wrong("the server's answer is no STUN"))?;
        if !client.identity.challenged(&challenge) {
            return Err(wrong("the server does not ask for a credential"));
        }
        Ok(client)
    }

    /// Opens an allocation.
    ///
    /// # Errors
    /// With the server's code, when it refuses.
    pub(super) fn allocate(plan: &Plan) -> io::Result<Self> {
        let mut client = Self::meet(plan)?;
        let answer = client.granted(Method::ALLOCATE, |out| {
            out.put(&RequestedTransport(17));
        })?;
        let answer =
            Message::parse(&answer).map_err(|_| wrong("the server's answer is no STUN"))?;
        let relayed = answer.get::<XorRelayedAddress>().ok().flatten();
        client.relayed = relayed.ok_or_else(|| wrong("the server names no relayed address"))?.0;
        Ok(client)
    }

    /// Its way to the server and who it is, apart.
    pub(super) fn into_parts(self) -> (Wire, Identity) {
        (self.wire, self.identity)
    }

    /// Permits `peer`.
    pub(super) fn permit(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.granted(Method::CREATE_PERMISSION, |out| {
            out.put(&XorPeerAddress(peer));
        })
        .map(drop)
    }

    /// Binds [`CHANNEL`] to `peer`.
    pub(super) fn bind(&mut self, peer: SocketAddr) -> io::Result<()> {
        self.granted(Method::CHANNEL_BIND, |out| {
            out.put(&ChannelNumber(CHANNEL)).put(&XorPeerAddress(peer));
        })
        .map(drop)
    }

    /// A request that must be granted.
    fn granted(&mut self, method: Method, put: impl Fn(&mut Writer<'_>)) -> io::Result<Vec<u8>> {
        let answer = self.request(method, put)?;
        let message =
            Message::parse(&answer).map_err(|_| wrong("the server's answer is no STUN"))?;
        if message.class() == Class::Success {
            return Ok(answer);
        }
        let error = message.get::<ErrorCode<'_>>().ok().flatten();
        let said =
            error.map_or("no code".to_owned(), |error| format!("{} {}", error.code, error.reason));
        Err(wrong(format!("the server refuses {}: {said}", method.name())))
    }

    /// A request and its answer, whatever it is.
    fn request(&mut self, method: Method, put: impl Fn(&mut Writer<'_>)) -> io::Result<Vec<u8>> {
        let mut id = [0; 12];
        self.next += 1;
        id[4..].copy_from_slice(&self.next.to_be_bytes());
        let mut buffer = [0; REQUEST];
        let len = self.identity.write(&mut buffer, method, TransactionId(id), put);
        let len = len.ok_or_else(|| wrong("the request does not fit"))?;
        let end = Instant::now() + PATIENCE;
        self.wire.send(&buffer[..len])?;
        loop {
            match self.wire.receive() {
                Ok(answer) if is_answer(&answer, &id) => return Ok(answer),
                Ok(_) => {}
                Err(error) if Instant::now() > end => return Err(error),
                Err(error) if is_timeout(&error) && self.wire.loses() => {
                    self.wire.send(&buffer[..len])?
                }
                Err(error) => return Err(error),
            }
        }
    }
}

fn is_answer(bytes: &[u8], id: &[u8; 12]) -> bool {
    Message::parse(bytes).is_ok_and(|message| message.transaction_id().0 == *id)
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
