//! A client of the native WebSocket.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::server::Server;

/// An open connection, welcomed.
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub fn connect(server: &Server) -> Self {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let url = format!("ws://{}/api/v1/signal", server.address);
        let mut socket = Self(client(url, stream).unwrap().0);
        assert_eq!(socket.next()["type"], "welcome");
        socket
    }

    /// Says hello with this ticket: the connection, and the answer.
    pub fn hello(server: &Server, ticket: &str) -> (Self, Value) {
        let mut socket = Self::connect(server);
        socket.say(&json!({ "type": "hello", "token": ticket }));
        let answer = socket.next();
        (socket, answer)
    }

    pub fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).unwrap();
    }

    /// The next message; panics when none comes.
    pub fn next(&mut self) -> Value {
        loop {
            match self.0.read().unwrap() {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Ping(_) => self.0.flush().unwrap(),
                other => assert!(!other.is_close(), "closed instead of a message"),
            }
        }
    }

    /// The next message of this type; others are passed over.
    pub fn next_of(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next();
            if message["type"] == kind {
                return message;
            }
        }
    }
}
