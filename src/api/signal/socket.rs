//! A client's WebSocket with our patience: writes that end, a closing handshake that ends.

use std::future::poll_fn;
use std::net::IpAddr;
use std::task::Poll;
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, Message, Utf8Bytes};

use super::Patience;
use super::wire;
use crate::signal::{Leave, LeaveReason};

/// What came from a client.
pub(in crate::api) enum Received {
    /// A message.
    Text(Utf8Bytes),
    /// A frame that is no message here.
    Binary,
    /// The answer to a ping of ours: everything up to this number has arrived.
    Confirmed(u64),
    /// Another sign of life.
    Alive,
    /// More than we read.
    TooLarge,
    /// The end.
    Closed,
}

/// Why nothing more can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::api) enum Unwritable {
    /// The client takes no bytes.
    Slow,
    /// The connection broke.
    Broken,
}

pub(in crate::api) struct Socket {
    /// Boxed, because it is large and a session moves it.
    stream: Box<WebSocketStream<TokioIo<Upgraded>>>,
    pub(in crate::api) patience: Patience,
    /// The client's address, behind trusted proxies too.
    pub(in crate::api) client: IpAddr,
    /// When the client last gave a sign of life.
    pub(in crate::api) heard: Instant,
}

impl Socket {
    pub(in crate::api) fn new(
        stream: WebSocketStream<TokioIo<Upgraded>>,
        patience: Patience,
        client: IpAddr,
    ) -> Self {
        Self { stream: Box::new(stream), patience, client, heard: Instant::now() }
    }

    /// The next frame. Cancelling loses nothing.
    pub(in crate::api) async fn receive(&mut self) -> Received {
        let frame = self.stream.next().await;
        self.heard = Instant::now();
        match frame {
            Some(Ok(Message::Text(text))) => Received::Text(text),
            Some(Ok(Message::Binary(_))) => Received::Binary,
            Some(Ok(Message::Pong(payload))) => match <[u8; 8]>::try_from(payload.as_ref()) {
                Ok(seq) => Received::Confirmed(u64::from_be_bytes(seq)),
                Err(_) => Received::Alive,
            },
            Some(Ok(Message::Ping(_) | Message::Frame(_))) => Received::Alive,
            Some(Err(Error::Capacity(_))) => Received::TooLarge,
            Some(Ok(Message::Close(_)) | Err(_)) | None => Received::Closed,
        }
    }

    pub(in crate::api) async fn send(&mut self, text: String) -> Result<(), Unwritable> {
        self.feed(text).await?;
        self.flush().await
    }

    /// Puts a message into the line; [`flush`](Self::flush) makes sure it goes.
    pub(in crate::api) async fn feed(&mut self, text: String) -> Result<(), Unwritable> {
        self.put(Message::text(text)).await
    }

    /// Sends what is in the line.
    pub(in crate::api) async fn flush(&mut self) -> Result<(), Unwritable> {
        let flush = poll_fn(|context| Poll::Ready(self.stream.poll_flush_unpin(context)));
        match flush.await {
            Poll::Ready(done) => done.map_err(|_| Unwritable::Broken),
            Poll::Pending => patiently(self.patience.write, self.stream.flush()).await,
        }
    }

    /// Asks for a sign of life, and for the confirmation of everything up to `seq`: every WebSocket
    /// answers a ping by itself, with the same payload and in order. Sends what is in the line along with it.
    pub(in crate::api) async fn ping(&mut self, seq: u64) -> Result<(), Unwritable> {
        let ping = Message::Ping(seq.to_be_bytes().to_vec().into());
        self.put(ping).await?;
        self.flush().await
    }

    /// Says why the connection ends, and ends it.
    pub(in crate::api) async fn leave(mut self, leave: Leave) {
        if self.send(wire::leave(&leave)).await.is_ok() {
            self.close(close_code(leave.reason), leave.reason.as_str()).await;
        }
    }

    /// Into the buffer, which is flushed first where it is full.
    async fn put(&mut self, message: Message) -> Result<(), Unwritable> {
        let ready = poll_fn(|context| Poll::Ready(self.stream.poll_ready_unpin(context)));
        match ready.await {
            Poll::Ready(done) => done.map_err(|_| Unwritable::Broken)?,
            Poll::Pending => patiently(self.patience.write, self.stream.flush()).await?,
        }
        self.stream.start_send_unpin(message).map_err(|_| Unwritable::Broken)
    }

    /// Ends the connection with these words; `reason` has at most 123 bytes (RFC 6455 section 5.5).
    pub(in crate::api) async fn close(mut self, code: CloseCode, reason: &str) {
        let frame = CloseFrame { code, reason: reason.into() };
        // Waits a little for the client's part of the closing handshake, or the last message could be
        // lost with the connection.
        let _ = timeout(self.patience.close, async {
            if WebSocketStream::close(&mut self.stream, Some(frame)).await.is_ok() {
                while let Some(Ok(_)) = self.stream.next().await {}
            }
        })
        .await;
    }

    /// Answers the client's closing handshake, when it began one.
    pub(in crate::api) async fn finish(mut self) {
        let _ = timeout(self.patience.close, self.stream.flush()).await;
    }
}

/// What could not be written at once must get somewhere in time. Boxed, because few writes have to wait and every
/// connection would keep what waiting takes.
async fn patiently(
    patience: Duration,
    write: impl Future<Output = Result<(), Error>>,
) -> Result<(), Unwritable> {
    match Box::pin(timeout(patience, write)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) => Err(Unwritable::Broken),
        Err(_) => Err(Unwritable::Slow),
    }
}

/// The close code that says most of this reason (RFC 6455 section 7.4.1).
pub(in crate::api) fn close_code(reason: LeaveReason) -> CloseCode {
    match reason {
        LeaveReason::Left => CloseCode::Normal,
        LeaveReason::Shutdown => CloseCode::Restart,
        LeaveReason::TooLarge => CloseCode::Size,
        LeaveReason::Busy | LeaveReason::Slow => CloseCode::Again,
        _ => CloseCode::Policy,
    }
}
