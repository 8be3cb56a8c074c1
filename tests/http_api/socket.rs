//! A client of the native WebSocket.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, HandshakeError, Message, WebSocket, client};

use crate::server::Server;

/// A handshake that was answered otherwise.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub code: String,
    pub retry_after: bool,
}

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

    /// As a trusted proxy's client of this address.
    pub fn connect_from(server: &Server, address: &str) -> Result<Self, Refused> {
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let url = format!("ws://{}/api/v1/signal", server.address);
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("X-Forwarded-For", address.parse().unwrap());
        match client(request, stream) {
            Ok((socket, _)) => {
                let mut socket = Self(socket);
                assert_eq!(socket.next()["type"], "welcome");
                Ok(socket)
            }
            Err(HandshakeError::Failure(Error::Http(answer))) => {
                let body = answer.body().as_deref().unwrap_or_default();
                let json: Value = serde_json::from_slice(body).unwrap();
                Err(Refused {
                    status: answer.status().as_u16(),
                    code: json["error"]["code"].as_str().unwrap().to_owned(),
                    retry_after: answer.headers().contains_key("Retry-After"),
                })
            }
            Err(error) => panic!("{error}"),
        }
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
