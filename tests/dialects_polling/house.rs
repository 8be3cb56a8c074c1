//! Servers with dialects as operators switch them, people on them, and a WebSocket client.

use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use relayhouse::api::{Dialect, DialectSettings, HttpSettings, RateLimits};
use relayhouse::creds::password::PasswordHash;
use relayhouse::store::{UserRecord, UserRole};
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use crate::http::{Answer, Request, post, request};
use crate::server::{Server, now};

/// Nothing here takes longer on a busy machine.
const SOON: Duration = Duration::from_secs(10);

/// What a dialect's own document has: strangers are served.
pub fn open_to_strangers() -> Server {
    Server::with(settings(&Dialect::ALL))
}

/// Settings in which these dialects serve strangers.
pub fn settings(open: &[Dialect]) -> HttpSettings {
    let dialects =
        DialectSettings { open: open.iter().copied().collect(), ..DialectSettings::default() };
    HttpSettings { dialects, rate_limits: patient(), ..HttpSettings::default() }
}

/// Limits that no test meets by chance.
fn patient() -> RateLimits {
    let many = std::num::NonZeroU32::new(10_000).expect("above zero");
    RateLimits { join_codes: many, rooms: many, ..RateLimits::default() }
}

/// Somebody with a password.
pub fn add_user(server: &Server, name: &str, password: &str, role: UserRole) {
    let user = UserRecord {
        name: name.into(),
        role,
        email: None,
        active: true,
        created: now(),
        password: PasswordHash::of(password, [1; 16]).expect("a password"),
    };
    server.api.store().users().add(user).wait().expect("a new user");
}

/// An access token of somebody with a password.
pub fn log_in(server: &Server, name: &str, password: &str) -> String {
    let login = json!({ "username": name, "password": password });
    let answer = post("/api/v1/auth/login").json(&login).send(server.address);
    assert_eq!(answer.status, 200, "{}", answer.json());
    answer.json()["accessToken"].as_str().expect("a token").to_owned()
}

/// A call with a JSON body and, maybe, a proof.
#[track_caller]
pub fn call(
    server: &Server,
    method: &str,
    path: &str,
    proof: Option<&str>,
    body: &Value,
) -> Answer {
    with_proof(request(method, path).json(body), proof).send(server.address)
}

pub fn with_proof(request: Request, proof: Option<&str>) -> Request {
    match proof {
        Some(token) => request.bearer(token),
        None => request,
    }
}

/// A time so many seconds from now, as JavaScript writes it.
pub fn iso_in(seconds: i64) -> String {
    let at = i64::try_from(now()).expect("before the year 292277026596") + seconds;
    let (days, rest) = (at.div_euclid(86_400), at.rem_euclid(86_400));
    // The civil date of a day count, by the well-known way over eras of 400 years.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let (hours, minutes, seconds) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{seconds:02}.000Z")
}

/// Asks until the answer is as wanted.
#[track_caller]
pub fn eventually(what: &str, mut wanted: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !wanted() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A WebSocket client.
pub struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub fn open(address: SocketAddr, path: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_read_timeout(Some(SOON)).expect("a timeout");
        let url = format!("ws://{address}{path}");
        Self(client(url, stream).expect("a WebSocket").0)
    }

    /// A native client that has said hello; what it was answered.
    pub fn native(address: SocketAddr, ticket: &str) -> (Self, Value) {
        let mut socket = Self::open(address, "/api/v1/signal");
        socket.say(&json!({ "type": "hello", "token": ticket }));
        let ready = socket.next_but(&["welcome"]);
        (socket, ready)
    }

    pub fn say(&mut self, message: &Value) {
        self.0.send(Message::text(message.to_string())).expect("the connection stands");
    }

    pub fn say_raw(&mut self, message: Message) {
        self.0.send(message).expect("the connection stands");
    }

    /// The next message.
    #[track_caller]
    pub fn next(&mut self) -> Value {
        loop {
            match self.0.read() {
                Ok(Message::Text(text)) => return serde_json::from_str(&text).expect("JSON"),
                Ok(_) => {}
                Err(error) => panic!("no message: {error}"),
            }
        }
    }

    /// The next message of none of these types.
    #[track_caller]
    pub fn next_but(&mut self, types: &[&str]) -> Value {
        loop {
            let message = self.next();
            if !types.contains(&message["type"].as_str().unwrap_or_default()) {
                return message;
            }
        }
    }

    /// The next message has this type.
    #[track_caller]
    pub fn expect(&mut self, wanted: &str) -> Value {
        let message = self.next();
        assert_eq!(message["type"], wanted, "{message}");
        message
    }

    /// Nothing but the answer to a ping comes next.
    #[track_caller]
    pub fn expect_nothing(&mut self) {
        self.say(&json!({ "type": "ping" }));
        self.expect("pong");
    }

    /// Reads to the end of the connection.
    pub fn ends(&mut self) -> bool {
        loop {
            match self.0.read() {
                Ok(_) => {}
                Err(tokio_tungstenite::tungstenite::Error::Io(_)) => return false,
                Err(_) => return true,
            }
        }
    }
}
