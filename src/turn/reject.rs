//! Why a well-formed request is refused: the STUN code for the client, the sentence for the operator.
//! The sentence is made only when somebody will read it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::openings::{SESSION, Spent};
use super::policy::Refusal;
use super::quota::QuotaRefusal;
use crate::creds::{Allowance, Denied};

/// A refusal.
#[derive(Debug)]
pub(super) enum Reject {
    /// The credentials did not hold (400, 401, 438, 441).
    Denied(Denied),
    /// A rule of the RFC: its code, and what was asked that cannot be.
    Rule(u16, &'static str),
    /// The peer policy: 403.
    Peer(IpAddr, Refusal),
    /// A quota: 486, or 508 for the server's own.
    Quota(QuotaRefusal),
    /// The credential has opened what it may in its life: 486; or that cannot be counted: 508.
    Spent(Spent),
    /// The server drains: 300 where there is an alternate server, else 508.
    Draining(Option<SocketAddr>),
}

impl Reject {
    pub(super) fn code(&self) -> u16 {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Rule(code, _) => *code,
            Self::Peer(..) => 403,
            Self::Quota(QuotaRefusal::Server) | Self::Spent(Spent::NoRoom) => 508,
            Self::Quota(_) | Self::Spent(_) => 486,
            Self::Draining(Some(_)) => 300,
            Self::Draining(None) => 508,
        }
    }

    /// The server to ask instead.
    pub(super) fn alternate(&self) -> Option<SocketAddr> {
        match self {
            Self::Draining(alternate) => *alternate,
            _ => None,
        }
    }

    /// The 400 to an attribute that has no meaning.
    pub(super) fn malformed(_: crate::stun::Malformed) -> Self {
        Self::Rule(400, "an attribute has a wrong length or value")
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(denied) => denied.fmt(f),
            Self::Rule(_, why) => f.write_str(why),
            Self::Peer(ip, refusal) => write!(f, "peer {ip}: {refusal}"),
            Self::Draining(Some(server)) => write!(f, "this server drains; {server} serves"),
            Self::Draining(None) => f.write_str(
                "this server drains, and `relay.alternate_server` names none of the client's family",
            ),
            Self::Spent(spent) => spent.fmt(f),
            Self::Quota(refusal) => write!(
                f,
                "`quota.{}` is reached",
                match refusal {
                    QuotaRefusal::Server => "allocations",
                    QuotaRefusal::User => "allocations_per_user",
                    QuotaRefusal::Credential => "allocations_per_credential",
                    QuotaRefusal::Address => "allocations_per_address",
                }
            ),
        }
    }
}

const USED_UP: &str = "the credential is used up";

fn many(number: u32, what: &str) -> String {
    match number {
        1 => format!("one {what}"),
        number => format!("{number} {what}s"),
    }
}

impl fmt::Display for Spent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Allowance(Allowance::Allocations(most)) => {
                write!(f, "{USED_UP}: it was minted for {}", many(*most, "allocation"))
            }
            Self::Allowance(Allowance::Sessions(most)) => write!(
                f,
                "{USED_UP}: it was minted for {}, and what is opened {} s after the first allocation \
                 of a session is another one",
                many(*most, "session"),
                SESSION.as_secs()
            ),
            Self::Quota(most) => write!(
                f,
                "{USED_UP}: `quota.openings_per_credential` allows {most} in its whole life"
            ),
            Self::NoRoom => f.write_str(
                "credentials that may open a number of allocations are too many to be counted: make \
                 them expire sooner",
            ),
        }
    }
}

/// The recommended reason phrases (RFC 8489 section 14.8, RFC 8656 section 19): short, so that a
/// refusal is hardly larger than what it refuses.
pub(super) const fn reason(code: u16) -> &'static str {
    match code {
        300 => "Try Alternate",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        420 => "Unknown Attribute",
        437 => "Allocation Mismatch",
        438 => "Stale Nonce",
        440 => "Address Family not Supported",
        441 => "Wrong Credentials",
        442 => "Unsupported Transport Protocol",
        443 => "Peer Address Family Mismatch",
        446 => "Connection Already Exists",
        447 => "Connection Timeout or Failure",
        486 => "Allocation Quota Reached",
        508 => "Insufficient Capacity",
        _ => "Server Error",
    }
}
