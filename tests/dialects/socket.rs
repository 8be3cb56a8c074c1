//! A plain WebSocket client.

use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

/// A connection that is open.
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    #[track_caller]
    pub fn open(server: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(server).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(client(format!("ws://{server}{path}"), stream).unwrap().0)
    }

    #[track_caller]
    pub fn send(&mut self, message: &Value) {
        self.send_text(&message.to_string());
    }

    #[track_caller]
    pub fn send_text(&mut self, text: &str) {
        self.0.send(Message::text(text)).unwrap();
    }

    #[track_caller]
    pub fn send_binary(&mut self, bytes: &[u8]) {
        self.0.send(Message::binary(bytes.to_vec())).unwrap();
    }

    /// As [`send_text`](Self::send_text), to a server that may have gone.
    pub fn try_send_text(&mut self, text: &str) -> bool {
        self.0.send(Message::text(text)).is_ok()
    }

    /// The next message.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        match self.next_or_close() {
            Ok(message) => message,
            Err(close) => panic!("closed: {close:?}"),
        }
    }

    /// The next message, or the code and the reason of the close.
    #[track_caller]
    pub fn next_or_close(&mut self) -> Result<Value, (u16, String)> {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return Ok(serde_json::from_str(&text).unwrap()),
                Ok(Message::Close(Some(frame))) => {
                    return Err((frame.code.into(), frame.reason.to_string()));
                }
                Ok(Message::Close(None)) => return Err((1005, String::new())),
                Ok(_) => {}
                Err(error) => panic!("neither a message nor a close: {error}"),
            }
        }
    }

    /// Everything up to the close, and its code and reason.
    #[track_caller]
    pub fn rest(&mut self) -> (Vec<Value>, (u16, String)) {
        let mut said = Vec::new();
        loop {
            match self.next_or_close() {
                Ok(message) => said.push(message),
                Err(close) => return (said, close),
            }
        }
    }

    /// Says goodbye.
    pub fn close(mut self) {
        let _ = self.0.close(None);
        while self.0.read().is_ok() {}
    }
}

/// A session description that is long enough to be one.
pub fn sdp(words: &str) -> String {
    format!("v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns={words}\r\nt=0 0\r\n")
}
