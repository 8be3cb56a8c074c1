//! A signalling server made of its own pieces on a loopback port, and clients of it.

#![allow(dead_code, reason = "each test binary uses its part")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::Request;
use axum::http::HeaderMap;
use axum::routing::any;
use futures_util::{SinkExt, StreamExt};
use relayhouse::api::signal::{self, Endpoint, HubHandle, IceServers, Patience, Surroundings};
use relayhouse::creds::ticket::{AUDIENCE, Claims, ISSUER, Role, TicketError, TicketKey};
use relayhouse::signal::{Event, HubLimits, RoomSpec};
use relayhouse::time::{Instant, Now, UnixTime};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

/// Nothing here takes longer on a busy machine.
pub const SOON: Duration = Duration::from_secs(10);

pub struct Settings {
    pub limits: HubLimits,
    pub patience: Patience,
    pub connections: u32,
    pub ice_ttl: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: HubLimits::default(),
            patience: Patience::default(),
            connections: 100,
            ice_ttl: Duration::from_secs(3600),
        }
    }
}

pub struct Server {
    pub address: SocketAddr,
    pub hub: HubHandle,
    pub endpoint: Arc<Endpoint>,
    pub events: mpsc::Receiver<Event>,
    key: TicketKey,
}

struct House {
    key: TicketKey,
    start: std::time::Instant,
    ice_ttl: Duration,
    minted: AtomicU64,
}

fn now_since(start: std::time::Instant) -> Now {
    let unix = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs();
    let nanos = u64::try_from(start.elapsed().as_nanos()).expect("short");
    Now { mono: Instant::from_nanos(nanos), unix: UnixTime(unix) }
}

impl Surroundings for House {
    fn now(&self) -> Now {
        now_since(self.start)
    }

    fn verify(&self, now: UnixTime, token: &str) -> Result<Claims, TicketError> {
        self.key.verify(now, token)
    }

    fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        headers.get("origin").is_none_or(|origin| origin == "http://good.example")
    }

    fn ice_servers(&self, now: Now, subject: &str) -> IceServers {
        let number = self.minted.fetch_add(1, Ordering::Relaxed);
        let username = format!("{number}:{subject}");
        let servers = json!([{"urls": ["turn:h:3478"], "username": username, "credential": "c"}]);
        IceServers { servers, ttl: self.ice_ttl, expires: now.unix.plus(self.ice_ttl) }
    }
}

impl Server {
    /// With an open room `r`.
    pub async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub async fn with(settings: Settings) -> Self {
        let start = std::time::Instant::now();
        let clock = Arc::new(move || now_since(start));
        let (hub, events) = signal::start(settings.limits, [9; 32], clock);
        let key = TicketKey::new([5; 32]);
        let house =
            House { key: key.clone(), start, ice_ttl: settings.ice_ttl, minted: AtomicU64::new(0) };
        let endpoint = Arc::new(Endpoint::with(
            hub.clone(),
            Arc::new(house),
            settings.patience,
            settings.connections,
        ));
        let door = Arc::clone(&endpoint);
        let handler = move |request: Request| async move { signal::upgrade(&door, request) };
        let app = Router::new().route("/api/v1/signal", any(handler));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("bound");
        tokio::spawn(async move { axum::serve(listener, app).await });
        let server = Self { address, hub, endpoint, events, key };
        server.open("r").await;
        server
    }

    pub async fn open(&self, room: &str) {
        let spec = RoomSpec {
            id: room.into(),
            name: Some("Room".into()),
            capacity: 8,
            lobby: false,
            locked: false,
            kicked: Vec::new(),
            created: UnixTime(1),
            expires: None,
            idle: Duration::from_secs(600),
        };
        assert!(self.hub.open_room(spec).await);
    }

    pub fn ticket(&self, room: Option<&str>, peer: &str, role: Role) -> String {
        self.key.sign(&Claims {
            iss: ISSUER.into(),
            aud: AUDIENCE.into(),
            sub: peer.into(),
            exp: u64::MAX / 2,
            iat: 1,
            jti: "j".into(),
            room: room.map(Into::into),
            role,
            name: Some(peer.to_uppercase()),
        })
    }

    pub fn guest(&self, peer: &str) -> String {
        self.ticket(Some("r"), peer, Role::Guest)
    }

    pub async fn connect(&self) -> Client {
        let stream = TcpStream::connect(self.address).await.expect("listening");
        let url = format!("ws://{}/api/v1/signal", self.address);
        let (socket, _) = tokio_tungstenite::client_async(url, stream).await.expect("upgraded");
        let mut client = Client { socket };
        assert_eq!(client.next().await["type"], "welcome");
        client
    }

    /// A guest of room `r` that is in, and its `ready`.
    pub async fn join(&self, peer: &str) -> (Client, Value) {
        let mut client = self.connect().await;
        client.send(json!({"type": "hello", "token": self.guest(peer)})).await;
        let ready = client.next().await;
        assert_eq!(ready["type"], "ready", "{ready}");
        (client, ready)
    }

    pub async fn resume(&self, peer: &str, ready: &Value) -> (Client, Value) {
        let mut client = self.connect().await;
        let (token, resume) = (self.guest(peer), &ready["resume"]);
        client.send(json!({"type": "hello", "token": token, "resume": resume})).await;
        let ready = client.next().await;
        (client, ready)
    }
}

pub struct Client {
    pub socket: WebSocketStream<TcpStream>,
}

impl Client {
    pub async fn send(&mut self, message: Value) {
        self.send_text(&message.to_string()).await;
    }

    pub async fn send_text(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.expect("connected");
    }

    /// The next message that is JSON; panics when none comes.
    pub async fn next(&mut self) -> Value {
        self.next_or_end().await.expect("a message, not the end")
    }

    /// The next message, or none when the connection ended.
    pub async fn next_or_end(&mut self) -> Option<Value> {
        loop {
            let frame = timeout(SOON, self.socket.next()).await.expect("something comes soon");
            match frame {
                Some(Ok(Message::Text(text))) => {
                    return Some(serde_json::from_str(&text).expect("JSON"));
                }
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                Some(Ok(Message::Close(_)) | Err(_)) | None => return None,
                Some(Ok(other)) => panic!("unexpected {other:?}"),
            }
        }
    }

    /// Everything up to the answer to a ping: what the server had to say so far.
    pub async fn so_far(&mut self) -> Vec<Value> {
        self.send(json!({"type": "ping", "id": "so far"})).await;
        let mut got = Vec::new();
        loop {
            let message = self.next().await;
            if message["type"] == "pong" && message["ref"] == "so far" {
                return got;
            }
            got.push(message);
        }
    }
}
