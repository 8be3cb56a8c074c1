//! One WebSocket session for every dialect that has sockets: the same bounds as native signalling
//! (origin, connections, message size, JSON depth, floods, slow readers and writers, silence, the
//! server's end), around a [`Dialect`] that only puts words into words.
//!
//! There is no resume: whoever's connection ends is gone from its room at once.

mod session;

use std::future::Future;
use std::time::Duration;

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::super::Api;
use super::super::signal::{Line, Refusal, upgrade_to};
use crate::signal::{Admission, Body, ErrorCode, HubLimits, Leave, ServerMessage};

pub(super) use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

/// How one dialect speaks: one value for each connection, which may remember what was said.
pub(super) trait Dialect: Send + 'static {
    /// How long a client may be in no room before its connection ends; none: as long as it lives.
    const OUTSIDE: Option<Duration>;

    /// The body of an answer that opens no WebSocket.
    fn refused(status: StatusCode, message: &str) -> Value;

    /// Said as soon as the connection stands.
    fn greeting(&mut self) -> Option<String> {
        None
    }

    /// What the handshake itself asked for, done after the greeting.
    fn begin(&mut self) -> impl Future<Output = Option<Heard>> + Send {
        async { None }
    }

    /// What a message of the client means. Its size and depth are within bounds.
    fn hear(&mut self, text: &str, limits: &HubLimits) -> impl Future<Output = Heard> + Send;

    /// What the room says, in any number of messages. Never a [`ServerMessage::Leave`].
    fn tell(&mut self, message: &ServerMessage) -> Vec<String>;

    /// Something is wrong with what the client said.
    fn error(&mut self, code: ErrorCode, text: &str) -> String;

    /// The client is in the room no more, or was not let in; the reason has been told as an error
    /// before, where it is one.
    fn parted(&mut self, leave: &Leave) -> Parted;
}

/// What a client wants.
pub(super) enum Heard {
    /// Into a room, which is open; out of the one it is in, if any.
    Enter(Box<Admission>),
    /// Something of the room it is in.
    Say(Body),
    /// What is answered without a room.
    #[allow(dead_code, reason = "not every dialect has such words")]
    Answer(String),
    /// What needs no answer.
    Nothing,
    /// Nothing that makes sense.
    Bad(ErrorCode, String),
    /// Something after which there is nothing more to say than these messages.
    Close(Vec<String>, CloseCode, String),
}

/// What follows when a client has left its room.
pub(super) enum Parted {
    /// The connection goes on, after these messages, unless the server ends it.
    #[allow(dead_code, reason = "not every dialect's connections outlive a room")]
    Stay(Vec<String>),
    /// It ends, after these messages.
    Close(Vec<String>, CloseCode, String),
}

/// Reads a message; an error is told as [`ErrorCode::BadMessage`].
pub(super) fn read<T: DeserializeOwned>(text: &str) -> Result<T, Heard> {
    /// It may quote what the client wrote.
    const MAX_SENTENCE: usize = 200;
    serde_json::from_str(text).map_err(|error| {
        let sentence = error.to_string().chars().take(MAX_SENTENCE).collect();
        Heard::Bad(ErrorCode::BadMessage, sentence)
    })
}

/// Turns a request into a WebSocket that speaks `dialect`, or says why not.
pub(super) fn serve<D: Dialect>(api: &Api, request: Request, dialect: D) -> Response {
    let opened = match api.signalling() {
        Some(endpoint) => upgrade_to(&endpoint, request, |endpoint, socket| async move {
            session::run(endpoint, Line::new(socket), dialect).await;
        }),
        None => Err(Refusal::Busy),
    };
    opened.unwrap_or_else(|refusal| {
        let (status, _, message) = refusal.words();
        refusal.with_body(&D::refused(status, message))
    })
}
