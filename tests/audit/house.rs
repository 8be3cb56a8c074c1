//! A server in a folder that outlives it, and people who call each other on it.

use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::support::http;
use crate::support::server::{Server, Start, run_to_end};

/// How long anything here may take on a slow machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct House {
    pub folder: TempDir,
    settings: Vec<(String, String)>,
    pub server: Server,
    pub admin: String,
}

impl House {
    /// `--dev` with these settings.
    pub fn with(settings: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let args = ["keys", "add", "--scope", "admin", "--data-dir", text(folder.path())];
        let (code, admin, stderr) = run_to_end(&args, PATIENCE);
        assert_eq!(code, Some(0), "{stderr}");
        let settings: Vec<_> =
            settings.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect();
        let server = start(folder.path(), &settings);
        Self { folder, settings, server, admin: admin.trim().to_owned() }
    }

    /// The same again on the same folder, after `kill -9`.
    pub fn kill_and_start(&mut self) {
        self.server.kill();
        self.server = start(self.folder.path(), &self.settings);
    }

    /// From the next start on everything is at its default.
    pub fn forget_settings(&mut self) {
        self.settings.clear();
    }

    /// A room with its host's ticket.
    pub fn room(&self, wanted: &Value) -> (String, String) {
        let made = http::post(&self.server.url("/api/v1/rooms"), None, wanted).expect(201);
        (made.text("/room/id"), made.text("/ticket"))
    }

    pub fn guest(&self, room: &str, host: &str) -> String {
        let invites = self.server.url(&format!("/api/v1/rooms/{room}/invites"));
        let invite = http::post(&invites, Some(host), &json!({})).expect(201).text("/invite");
        let redeem = self.server.url(&format!("/api/v1/invites/{invite}/redeem"));
        http::post(&redeem, None, &json!({"name": "Guest"})).expect(200).text("/ticket")
    }

    /// The audit trail's answer to this query.
    pub fn events(&self, query: &str) -> Value {
        let url = self.server.url(&format!("/api/v1/admin/events?{query}"));
        http::get(&url, Some(&self.admin)).expect(200).json
    }

    /// Waits until the trail has this many events for the query; gives them back.
    pub fn wait_for(&self, query: &str, count: usize) -> Vec<Value> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let found = self.events(query)["events"].as_array().expect("a list").clone();
            if found.len() >= count {
                return found;
            }
            let log = self.server.text();
            assert!(Instant::now() < deadline, "{count} wanted for {query}, {found:#?}\n{log}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Runs the program on the folder of this server; gives back what it prints.
    pub fn command(&self, args: &[&str]) -> String {
        let args = [args, &["--data-dir", text(self.folder.path())]].concat();
        let (code, stdout, stderr) = run_to_end(&args, PATIENCE);
        assert_eq!(code, Some(0), "{stdout}\n{stderr}");
        stdout
    }

    /// A number of `/metrics`.
    pub fn metric(&self, name: &str) -> u64 {
        let page = http::get(&self.server.url("/metrics"), None).expect(200).body;
        let value = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        let value = value.unwrap_or_else(|| panic!("no {name} in {page}"));
        value.parse().expect("a number")
    }
}

fn start(folder: &Path, settings: &[(String, String)]) -> Server {
    let start = Start::default().data_dir(folder);
    settings.iter().fold(start, |start, (key, value)| start.set(key, value)).start()
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Somebody in a room, or before its door.
pub struct Person {
    socket: WebSocket<TcpStream>,
    pub peer: String,
}

impl Person {
    pub fn join(house: &House, ticket: &str) -> Self {
        let at = house.server.http_address();
        let stream = TcpStream::connect(at).expect("a connection");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout");
        let socket = client(format!("ws://{at}/api/v1/signal"), stream).expect("a WebSocket").0;
        let mut person = Self { socket, peer: String::new() };
        person.say(&json!({"type": "hello", "token": ticket}));
        loop {
            let message = person.next();
            if let Some("ready" | "waiting") = message["type"].as_str() {
                person.peer = message["peer"].as_str().expect("a peer").to_owned();
                return person;
            }
        }
    }

    pub fn say(&mut self, message: &Value) {
        self.socket.send(Message::text(message.to_string())).expect("sent");
    }

    /// The next message of this type.
    pub fn hear(&mut self, kind: &str) -> Value {
        loop {
            let message = self.next();
            if message["type"] == kind {
                return message;
            }
        }
    }

    pub fn leave(mut self) {
        self.say(&json!({"type": "leave"}));
        self.hear("leave");
    }

    fn next(&mut self) -> Value {
        loop {
            match self.socket.read().expect("the server speaks") {
                Message::Text(text) => return serde_json::from_str(&text).expect("JSON"),
                _ => continue,
            }
        }
    }
}
