//! People in rooms: joins, messages, goodbyes, and connections that just end.

use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::house::{Chance, House};
use crate::support::credentials::unix_now;
use crate::support::http;

const ANSWER: Duration = Duration::from_secs(10);

pub struct People<'a> {
    pub house: &'a House,
    pub chance: Chance,
}

impl People<'_> {
    /// Rooms that live for some seconds, with two people each, until the time is over.
    pub fn run(mut self) {
        while self.house.goes_on() {
            let room = self.ask("/api/v1/rooms", None, &json!({"expires": unix_now() + 3}));
            let host = room.text("/ticket");
            let invites = format!("/api/v1/rooms/{}/invites", room.text("/room/id"));
            let invite = self.ask(&invites, Some(&host), &json!({"ttl": 2})).text("/invite");
            let redeem = format!("/api/v1/invites/{invite}/redeem");
            let guest = self.ask(&redeem, None, &json!({})).text("/ticket");
            for _ in 0..1 + self.chance.below(6) {
                self.meet(&host, &guest);
                self.house.count("meetings");
            }
        }
    }

    /// As some other client each time: rate limits are not what is tested here.
    fn ask(&mut self, path: &str, bearer: Option<&str>, body: &Value) -> http::Answer {
        let url = format!("http://{}{path}", self.house.http);
        let answer = http::try_post_as_anybody(&url, bearer, body).expect("an answer");
        assert!((200..300).contains(&answer.status), "{path}: {}", answer.body);
        answer
    }

    fn meet(&mut self, host: &str, guest: &str) {
        let (Some(mut one), Some(mut two)) = (self.join(host), self.join(guest)) else {
            return; // the room's time was over
        };
        let text = json!({"type": "message", "data": {"n": self.chance.next()}}).to_string();
        two.send(Message::text(text)).expect("sent");
        while next(&mut one).is_some_and(|message| message["type"] != "message") {}
        for mut socket in [one, two] {
            match self.chance.below(3) {
                0 => drop(socket), // the line is cut
                1 => drop(socket.close(None)),
                _ => {
                    socket.send(Message::text(r#"{"type":"leave"}"#)).expect("sent");
                    while next(&mut socket).is_some() {}
                }
            }
        }
    }

    /// In the room, or `None` when there is none any more.
    fn join(&mut self, ticket: &str) -> Option<WebSocket<TcpStream>> {
        let stream = TcpStream::connect(self.house.http).expect("a connection");
        stream.set_read_timeout(Some(ANSWER)).expect("a timeout");
        let url = format!("ws://{}/api/v1/signal", self.house.http);
        let mut socket = client(url, stream).expect("a WebSocket").0;
        let hello = json!({"type": "hello", "token": ticket}).to_string();
        socket.send(Message::text(hello)).expect("sent");
        while let Some(message) = next(&mut socket) {
            match message["type"].as_str() {
                Some("ready") => return Some(socket),
                Some("error") => return None,
                _ => {}
            }
        }
        None
    }
}

/// The next message; `None` when the connection is over.
fn next(socket: &mut WebSocket<TcpStream>) -> Option<Value> {
    loop {
        match socket.read() {
            Ok(Message::Text(text)) => return Some(serde_json::from_str(&text).expect("JSON")),
            Ok(_) => {}
            Err(_) => return None,
        }
    }
}
