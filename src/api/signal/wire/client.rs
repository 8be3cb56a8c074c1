//! Client to server.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::{DeserializeOwned, IgnoredAny};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::signal::{
    Body, ClientMessage, ErrorCode, HubLimits, Moderation, PeerId, RefId, SignalKind,
};

/// Characters of an error's sentence at most: it may quote what the client wrote.
const MAX_SENTENCE: usize = 200;

/// A message that was understood.
#[derive(Debug)]
pub enum Incoming {
    /// The first one.
    Hello {
        /// Echoed in the answer.
        id: Option<RefId>,
        /// The ticket.
        token: String,
        /// The resume token of an earlier `ready`.
        resume: Option<String>,
        /// The last `seq` the client saw.
        seen: Option<u64>,
    },
    /// Any other.
    Message(ClientMessage),
}

/// A message that was not.
#[derive(Debug)]
pub struct BadMessage {
    /// Its id, when that could be read.
    pub id: Option<RefId>,
    /// For programs.
    pub code: ErrorCode,
    /// For people.
    pub text: String,
}

/// Reads one text frame. Sizes of its parts are the room machine's business; the whole, and its
/// depth, are looked at before anything is made of it.
///
/// # Errors
/// What is wrong, with the message's id where there is one.
pub fn parse(text: &str, limits: &HubLimits) -> Result<Incoming, BadMessage> {
    let bad = |id, code, text: String| Err(BadMessage { id, code, text });
    if let Err((code, text)) = check_bounds(text, limits) {
        return bad(None, code, text);
    }
    // A list with a value for each field would pass for an object.
    if text.trim_ascii_start().starts_with('[') {
        return bad(None, ErrorCode::BadMessage, "a message is an object".into());
    }
    if let Some(message) = passed_on(text) {
        return Ok(Incoming::Message(message));
    }
    let envelope: Envelope<'_> = match serde_json::from_str(text) {
        Ok(envelope) => envelope,
        Err(error) => return bad(None, ErrorCode::BadMessage, sentence(&error)),
    };
    let id = match envelope.id.map(reference).transpose() {
        Ok(id) => id,
        Err(text) => return bad(None, ErrorCode::BadMessage, text.into()),
    };
    match read(&envelope.kind, id.clone(), text) {
        Ok(Some(incoming)) => Ok(incoming),
        Ok(None) => bad(id, ErrorCode::UnknownType, "there is no message of this type".into()),
        Err(text) => bad(id, ErrorCode::BadMessage, text),
    }
}

/// Whether a message is short and flat enough to be read; else for programs and for people why not.
pub(in crate::api) fn check_bounds(
    text: &str,
    limits: &HubLimits,
) -> Result<(), (ErrorCode, String)> {
    if text.len() > limits.message {
        let text = format!("a message has at most {} bytes", limits.message);
        return Err((ErrorCode::TooLarge, text));
    }
    // Most have fewer brackets than that, and counting them is quick.
    let brackets = text.bytes().filter(|byte| matches!(byte, b'{' | b'[')).count();
    if brackets > limits.depth && depth(text) > limits.depth {
        let text = format!("a message is nested at most {} deep", limits.depth);
        return Err((ErrorCode::TooDeep, text));
    }
    Ok(())
}

/// What nearly all messages are, in one reading. None for any other, and for one that is wrong: it is read again
/// by its type, which says what is wrong with it.
fn passed_on(text: &str) -> Option<ClientMessage> {
    let read: PassedOn<'_> = serde_json::from_str(text).ok()?;
    let id = read.id.map(reference).transpose().ok()?;
    let to = read.to.map(|to| PeerId(to.0.into()));
    let (kind, payload) = match (read.kind.as_ref(), &to, read.sdp, read.candidate, read.data) {
        ("offer", Some(_), Some(sdp), None, None) => (SignalKind::Offer, sdp.0.into()),
        ("answer", Some(_), Some(sdp), None, None) => (SignalKind::Answer, sdp.0.into()),
        // The end of candidates, which is null, is none here.
        ("candidate", Some(_), None, Some(candidate), None) if candidate.get().starts_with('{') => {
            (SignalKind::Candidate, raw(candidate))
        }
        ("message", _, None, None, Some(data)) => (SignalKind::Message, raw(data)),
        _ => return None,
    };
    Some(ClientMessage { id, body: Body::Signal { kind, to, payload } })
}

/// The fields of all messages that are passed on.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PassedOn<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
    #[serde(default, borrow)]
    to: Option<Text<'a>>,
    #[serde(default, borrow)]
    sdp: Option<Text<'a>>,
    #[serde(default, borrow)]
    candidate: Option<&'a RawValue>,
    #[serde(default, borrow)]
    data: Option<&'a RawValue>,
}

/// A string that is copied only where something in it is escaped.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(default, borrow)]
    id: Option<&'a RawValue>,
}

/// Structs for the fields of each type. All of them have `type` and may have `id`, both read before.
macro_rules! shapes {
    ($($name:ident { $($(#[$meta:meta])* $field:ident: $kind:ty,)* })+) => {$(
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct $name {
            #[serde(rename = "type")]
            _type: IgnoredAny,
            #[serde(default, rename = "id")]
            _id: IgnoredAny,
            $($(#[$meta])* $field: $kind,)*
        }
    )+};
}

shapes! {
    HelloShape { token: String, resume: Option<String>, seen: Option<u64>, }
    Sdp { to: String, sdp: String, }
    Candidate { to: String, candidate: Box<RawValue>, }
    Message { to: Option<String>, data: Box<RawValue>, }
    Media { publishing: bool, }
    Peer { peer: PeerText, }
    Bare {}
}

struct PeerText(PeerId);

impl<'de> Deserialize<'de> for PeerText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(PeerId(text.into())))
    }
}

fn read(kind: &str, id: Option<RefId>, text: &str) -> Result<Option<Incoming>, String> {
    let body = match kind {
        "hello" => {
            let HelloShape { token, resume, seen, .. } = shape(text)?;
            return Ok(Some(Incoming::Hello { id, token, resume, seen }));
        }
        "offer" => sdp(SignalKind::Offer, text)?,
        "answer" => sdp(SignalKind::Answer, text)?,
        "candidate" => {
            let Candidate { to, candidate, .. } = shape(text)?;
            if !matches!(candidate.get().as_bytes(), [b'{', ..] | b"null") {
                return Err("a candidate is an object, or null after the last one".into());
            }
            signal(SignalKind::Candidate, Some(to), raw(&candidate))
        }
        "message" => {
            let Message { to, data, .. } = shape(text)?;
            signal(SignalKind::Message, to, raw(&data))
        }
        "media" => Body::Media { publishing: shape::<Media>(text)?.publishing },
        "admit" => Body::Moderate(Moderation::Admit(peer(text)?)),
        "deny" => Body::Moderate(Moderation::Deny(peer(text)?)),
        "kick" => Body::Moderate(Moderation::Kick(peer(text)?)),
        "lock" => bare(text, Body::Moderate(Moderation::Lock))?,
        "unlock" => bare(text, Body::Moderate(Moderation::Unlock))?,
        "leave" => bare(text, Body::Leave)?,
        "ping" => bare(text, Body::Ping)?,
        _ => return Ok(None),
    };
    Ok(Some(Incoming::Message(ClientMessage { id, body })))
}

fn shape<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_str(text).map_err(|error| sentence(&error))
}

fn sdp(kind: SignalKind, text: &str) -> Result<Body, String> {
    let Sdp { to, sdp, .. } = shape(text)?;
    Ok(signal(kind, Some(to), sdp.into()))
}

fn signal(kind: SignalKind, to: Option<String>, payload: Arc<str>) -> Body {
    Body::Signal { kind, to: to.map(|to| PeerId(to.into())), payload }
}

fn raw(value: &RawValue) -> Arc<str> {
    Arc::from(value.get())
}

fn peer(text: &str) -> Result<PeerId, String> {
    shape::<Peer>(text).map(|shape| shape.peer.0)
}

fn bare(text: &str, body: Body) -> Result<Body, String> {
    shape::<Bare>(text).map(|_| body)
}

/// An id is a string or a number, and short.
fn reference(raw: &RawValue) -> Result<RefId, &'static str> {
    let text = raw.get();
    if text.len() > RefId::MAX {
        return Err("an id has at most 64 bytes");
    }
    match text.as_bytes() {
        [b'"' | b'-' | b'0'..=b'9', ..] => Ok(RefId(text.into())),
        _ => Err("an id is a string or a number"),
    }
}

/// The deepest nesting of arrays and objects; brackets in strings do not count.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            _ if in_string => {}
            b'{' | b'[' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

fn sentence(error: &serde_json::Error) -> String {
    error.to_string().chars().take(MAX_SENTENCE).collect()
}

#[cfg(test)]
#[path = "client_tests.rs"]
mod tests;
