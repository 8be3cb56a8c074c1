//! Every answer of the relay, and the one place where answers become bytes.

use std::net::SocketAddr;
use std::sync::Arc;

use super::allocation::{Allocation, Granted};
use super::command::ConnectionId;
use super::discovery::Discovered;
use super::reject::reason;
use super::tcp::Asked;
use crate::creds::{Credentials, Key, NonceText, PASSWORD_ALGORITHMS};
use crate::packet::Packet;
use crate::stun::{
    AddressErrorCode, AlternateServer, AttributeType, Class, ConnectionId as ConnectionIdAttribute,
    ErrorCode, Lifetime, Message, Method, Nonce, PasswordAlgorithms, Realm, ReservationToken,
    TransactionId, UnknownAttributes, Writer, XorMappedAddress, XorRelayedAddress,
};

/// Unknown attributes that a 420 names at most.
const MAX_UNKNOWN: usize = 8;

/// An answer, complete: made while the request is being read, written after.
#[derive(Debug)]
pub(super) struct Response {
    method: Method,
    id: TransactionId,
    fingerprint: bool,
    /// The requester's key: every answer to a verified request is protected with it.
    key: Option<Key>,
    body: Body,
}

#[derive(Debug)]
enum Body {
    Done,
    Bound(SocketAddr, Option<Discovered>),
    Allocated { mapped: SocketAddr, relayed: [Option<SocketAddr>; 2], granted: Granted },
    Refreshed { lifetime: u32 },
    Connected(ConnectionId),
    Redirected(SocketAddr),
    Error { code: u16, challenge: Option<Challenge>, unknown: Unknown },
}

/// What a client needs to try again.
#[derive(Debug)]
pub(super) struct Challenge {
    pub(super) nonce: NonceText,
    /// Whether the nonce announces PASSWORD-ALGORITHMS.
    pub(super) algorithms: bool,
    /// The realm that the owner of the allocation signs with; `None` is today's.
    pub(super) realm: Option<Arc<str>>,
}

/// The comprehension-required attributes a 420 complains about.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unknown {
    kinds: [u16; MAX_UNKNOWN],
    len: usize,
}

impl Unknown {
    pub(super) fn push(&mut self, kind: AttributeType) {
        if self.len < MAX_UNKNOWN {
            self.kinds[self.len] = kind.0;
            self.len += 1;
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len == 0
    }
}

impl Response {
    fn to(message: &Message<'_>, key: Option<&Key>, body: Body) -> Self {
        Self {
            method: message.method(),
            id: message.transaction_id(),
            fingerprint: message.has_fingerprint(),
            key: key.cloned(),
            body,
        }
    }

    /// A success without content (CreatePermission, ChannelBind).
    pub(super) fn done(message: &Message<'_>, key: &Key) -> Self {
        Self::to(message, Some(key), Body::Done)
    }

    /// The answer to a Binding request.
    pub(super) fn bound(
        message: &Message<'_>,
        mapped: SocketAddr,
        discovered: Option<Discovered>,
    ) -> Self {
        Self::to(message, None, Body::Bound(mapped, discovered))
    }

    /// The answer to a Connect whose peer has accepted.
    pub(super) fn connected(asked: Asked, id: ConnectionId) -> Self {
        Self::to_connect(asked, Body::Connected(id))
    }

    /// The 447 to a Connect whose peer has not.
    pub(super) fn connect_failed(asked: Asked) -> Self {
        let body = Body::Error { code: 447, challenge: None, unknown: Unknown::default() };
        Self::to_connect(asked, body)
    }

    fn to_connect(asked: Asked, body: Body) -> Self {
        let Asked { id, fingerprint, key } = asked;
        Self { method: Method::CONNECT, id, fingerprint, key: Some(key), body }
    }

    /// The 300 that names another server.
    pub(super) fn redirect(message: &Message<'_>, key: &Key, server: SocketAddr) -> Self {
        Self::to(message, Some(key), Body::Redirected(server))
    }

    /// The answer to a Refresh; 0 says the allocation is gone.
    pub(super) fn refreshed(message: &Message<'_>, key: &Key, lifetime: u32) -> Self {
        Self::to(message, Some(key), Body::Refreshed { lifetime })
    }

    /// The answer to the Allocate that opened `allocation`, first time or again.
    pub(super) fn allocated(allocation: &Allocation) -> Self {
        let mut relays = allocation.relays.iter().map(|relayed| relayed.public);
        Self {
            method: Method::ALLOCATE,
            id: allocation.transaction,
            fingerprint: allocation.granted.fingerprint,
            key: Some(allocation.owner.key().clone()),
            body: Body::Allocated {
                mapped: allocation.flow.remote.0,
                relayed: [relays.next(), relays.next()],
                granted: allocation.granted,
            },
        }
    }

    /// A refusal; `key` once the request was verified, `challenge` where the client should try again.
    pub(super) fn error(
        message: &Message<'_>,
        key: Option<&Key>,
        code: u16,
        challenge: Option<Challenge>,
    ) -> Self {
        let unknown = Unknown::default();
        Self::to(message, key, Body::Error { code, challenge, unknown })
    }

    /// 420, naming what was not understood.
    pub(super) fn unknown(message: &Message<'_>, key: Option<&Key>, unknown: Unknown) -> Self {
        Self::to(message, key, Body::Error { code: 420, challenge: None, unknown })
    }

    /// The 508 to an Allocate whose socket could not be opened.
    pub(super) fn exhausted(allocation: &Allocation) -> Self {
        Self {
            method: Method::ALLOCATE,
            id: allocation.transaction,
            fingerprint: allocation.granted.fingerprint,
            key: Some(allocation.owner.key().clone()),
            body: Body::Error { code: 508, challenge: None, unknown: Unknown::default() },
        }
    }

    /// Writes the answer into `packet`, in the place of whatever is there.
    pub(super) fn write(&self, credentials: &Credentials, packet: &mut Packet<'_>) -> Option<()> {
        packet.rewrite(|buffer| self.encode(credentials, buffer).ok_or(())).ok()
    }

    fn encode(&self, credentials: &Credentials, buffer: &mut [u8]) -> Option<usize> {
        let class = match self.body {
            Body::Error { .. } | Body::Redirected(_) => Class::Error,
            _ => Class::Success,
        };
        let mut writer = Writer::new(buffer, class, self.method, self.id);
        match &self.body {
            Body::Done => {}
            Body::Bound(mapped, discovered) => {
                writer.put(&XorMappedAddress(*mapped));
                if let Some(discovered) = discovered {
                    discovered.put(*mapped, &mut writer);
                }
            }
            Body::Connected(id) => {
                writer.put(&ConnectionIdAttribute(id.0));
            }
            Body::Redirected(server) => {
                writer.put(&ErrorCode { code: 300, reason: reason(300) });
                writer.put(&AlternateServer(*server));
            }
            Body::Allocated { mapped, relayed, granted } => {
                for relayed in relayed.iter().flatten() {
                    writer.put(&XorRelayedAddress(*relayed));
                }
                writer.put(&XorMappedAddress(*mapped)).put(&Lifetime(granted.lifetime));
                put_granted(&mut writer, granted);
            }
            Body::Refreshed { lifetime } => {
                writer.put(&Lifetime(*lifetime));
            }
            Body::Error { code, challenge, unknown } => {
                writer.put(&ErrorCode { code: *code, reason: reason(*code) });
                if let Some(Challenge { nonce, algorithms, realm }) = challenge {
                    let realm = realm.as_deref().unwrap_or(credentials.realm());
                    writer.put(&Realm(realm)).put(&Nonce(nonce.as_bytes()));
                    if *algorithms {
                        writer.put(&PasswordAlgorithms::new(&PASSWORD_ALGORITHMS));
                    }
                }
                if !unknown.is_empty() {
                    let kinds = unknown.kinds.map(AttributeType);
                    writer.put(&UnknownAttributes::new(&kinds[..unknown.len]));
                }
            }
        }
        if let Some(key) = &self.key {
            key.protect(&mut writer);
        }
        if self.fingerprint {
            writer.fingerprint();
        }
        writer.finish().ok()
    }
}

fn put_granted(writer: &mut Writer<'_>, granted: &Granted) {
    if let Some(token) = granted.token {
        writer.put(&ReservationToken(token));
    }
    if let Some(code) = granted.address_error {
        let family = crate::net::Family::V6.code();
        let error = AddressErrorCode { family, code, reason: reason(code) };
        match granted.old_code_points {
            true => writer.put_as(AttributeType::OLD_ADDRESS_ERROR_CODE, &error),
            false => writer.put(&error),
        };
    }
}
