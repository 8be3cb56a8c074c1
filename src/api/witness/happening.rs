//! One thing the relay reported, as those who ask are shown it. Texts of clients are bounded, and
//! what could deceive a reader in them is escaped.

use std::net::SocketAddr;

use serde::Serialize;
use utoipa::ToSchema;

use crate::net::Flow;
use crate::turn::Summary;

/// The longest text that is kept of what a client gave, in bytes.
const LONGEST: usize = 200;

/// A refused request of the relay's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) struct Refusal {
    /// Unix seconds.
    at: u64,
    /// The STUN method: `allocate`, `refresh`, `create_permission` …
    method: &'static str,
    /// The STUN error code.
    code: u16,
    /// What was wrong, and what would allow it.
    why: String,
    /// The client's address and port.
    client: String,
    /// `udp`, `tcp` or `tls`.
    transport: &'static str,
    /// As claimed.
    #[serde(skip_serializing_if = "Option::is_none")]
    username: Option<String>,
}

/// What became of a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = HappeningKind)]
#[serde(rename_all = "lowercase")]
pub(in crate::api) enum Kind {
    /// An allocation is open.
    Opened,
    /// A request was refused.
    Refused,
    /// An allocation is gone.
    Closed,
}

/// One thing that happened with a credential.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub(in crate::api) struct Happening {
    /// Unix seconds.
    pub(super) at: u64,
    pub(super) kind: Kind,
    /// How the client came: `udp`, `tcp` or `tls`.
    transport: &'static str,
    /// From where it came, as the relay saw it.
    #[schema(value_type = String)]
    pub(super) client: SocketAddr,
    /// What was refused: `allocate`, `create_permission` …
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<&'static str>,
    /// The STUN error code.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    /// Why it was refused or closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    why: Option<String>,
    /// The relayed addresses that it got, or had.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    relayed: Vec<SocketAddr>,
}

impl Refusal {
    pub(super) fn new(
        at: u64,
        flow: &Flow,
        method: &'static str,
        code: u16,
        why: &str,
        username: Option<&str>,
    ) -> Self {
        let client = flow.remote.to_string();
        let (why, username) = (shown(why), username.map(shown));
        Self { at, method, code, why, client, transport: flow.transport.name(), username }
    }
}

impl Happening {
    pub(super) fn opened(at: u64, flow: &Flow, relayed: &[SocketAddr]) -> Self {
        Self { relayed: relayed.to_vec(), ..Self::plain(at, Kind::Opened, flow) }
    }

    pub(super) fn closed(at: u64, summary: &Summary) -> Self {
        Self {
            why: Some(summary.reason.name().to_owned()),
            relayed: summary.relayed.clone(),
            ..Self::plain(at, Kind::Closed, &summary.flow)
        }
    }

    pub(super) fn refused(
        at: u64,
        flow: &Flow,
        method: &'static str,
        code: u16,
        why: &str,
    ) -> Self {
        Self {
            method: Some(method),
            code: Some(code),
            why: Some(shown(why)),
            ..Self::plain(at, Kind::Refused, flow)
        }
    }

    fn plain(at: u64, kind: Kind, flow: &Flow) -> Self {
        Self {
            at,
            kind,
            transport: flow.transport.name(),
            client: flow.remote.0,
            method: None,
            code: None,
            why: None,
            relayed: Vec::new(),
        }
    }
}

/// A text from outside: its beginning, with what is not printed (line ends, marks that turn the
/// direction of writing) as an escape.
pub(super) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for character in text.chars() {
        let is_plain = matches!(character, '"' | '\'' | '\\');
        let escaped = character.escape_debug();
        if shown.len() + escaped.len() > LONGEST {
            shown.push('…');
            return shown;
        }
        match is_plain {
            true => shown.push(character),
            false => shown.extend(escaped),
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_text_from_outside_is_bounded_and_cannot_deceive() {
        assert_eq!(shown("1800000000:zoë \"x\""), "1800000000:zoë \"x\"");
        assert_eq!(shown("a\nb\u{202e}c\u{1b}"), "a\\nb\\u{202e}c\\u{1b}");
        let long = shown(&"\u{202e}".repeat(500));
        assert!(long.len() <= 203 && long.ends_with('…'), "{long}");
    }
}
