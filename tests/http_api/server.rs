//! A server of the API on a loopback port, with its store in a folder of its own.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use relayhouse::api::{
    Api, HttpSettings, LiveRoom, LiveRooms, Minter, Parts, Pending, router, serve,
};
use relayhouse::creds::Secret;
use relayhouse::creds::api_key;
use relayhouse::creds::ticket::{AUDIENCE, Claims, ISSUER, Role, TicketKey};
use relayhouse::creds::uri::Endpoint;
use relayhouse::net::Transport;
use relayhouse::signal::RoomSpec;
use relayhouse::store::{KeyRecord, Store};
use relayhouse::time::{Instant, Now, UnixTime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::http::post;

/// Rooms as the hub would keep them.
#[derive(Default)]
pub struct Hub(pub Mutex<HashMap<String, RoomSpec>>);

impl LiveRooms for Hub {
    fn open(&self, spec: RoomSpec) -> Pending<'_, bool> {
        self.0.lock().unwrap().insert(spec.id.as_str().to_owned(), spec);
        Box::pin(async { true })
    }

    fn look<'a>(&'a self, room: &'a str) -> Pending<'a, Option<LiveRoom>> {
        let open = self.0.lock().unwrap().contains_key(room);
        Box::pin(async move { open.then_some(LiveRoom { participants: 0, locked: false }) })
    }
}

/// A running server. Stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub api: Arc<Api>,
    pub hub: Arc<Hub>,
    key: TicketKey,
    dir: Option<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
}

/// The time on the wall.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

impl Server {
    pub fn start() -> Self {
        Self::with(HttpSettings::default())
    }

    /// With minting open, as with `--dev`.
    pub fn open() -> Self {
        Self::with(HttpSettings { open_minting: true, ..HttpSettings::default() })
    }

    pub fn with(settings: HttpSettings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut server = Self::on(dir.path(), settings);
        server.dir = Some(dir);
        server
    }

    /// On a folder that outlives it.
    pub fn on(dir: &Path, settings: HttpSettings) -> Self {
        let store = Store::open(dir).unwrap();
        let key = TicketKey::new(store.secret_or_insert("ticket", || [7; 32]).wait().unwrap());
        let hub = Arc::new(Hub::default());
        let api = Api::new(Parts {
            store,
            live: hub.clone(),
            minter: minter(),
            tickets: key.clone(),
            settings,
            clock: Arc::new(|| Now { mono: Instant::ORIGIN, unix: UnixTime(now()) }),
            metrics: Arc::new(|| "# EOF\n".into()),
            readiness: Arc::new(Vec::new),
        });
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(api.reopen_rooms()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let app = router(&api, Router::new());
        runtime.spawn(serve(vec![listener], api.clone(), app, async {
            let _ = stopped.await;
        }));
        let runtime = Some(runtime);
        Self { address, api, hub, key, dir: None, stop: Some(stop), runtime }
    }

    /// Asks it to stop; the port is free some moments later.
    pub fn stop(&mut self) {
        drop(self.stop.take());
    }

    /// An API key with these scopes.
    pub fn key(&self, scopes: &str) -> String {
        let random = std::array::from_fn(|n| scopes.as_bytes().get(n).copied().unwrap_or(1));
        let key = api_key::format(random);
        let record = KeyRecord {
            id: scopes.replace(',', "-"),
            name: None,
            scopes: scopes.parse().unwrap(),
            created: now(),
        };
        self.api.store().keys().add(api_key::hash(&key), record).wait().unwrap();
        key
    }

    pub fn creator(&self) -> String {
        self.api.creator_ticket(Duration::from_secs(600))
    }

    /// A ticket with these claims, signed as the server does.
    pub fn ticket(&self, role: Role, room: Option<&str>, exp: u64) -> String {
        self.key.sign(&claims(role, room, exp))
    }

    /// A room made by a creator: the answer's JSON.
    pub fn room(&self) -> Value {
        let answer = post("/api/v1/rooms").bearer(&self.creator()).json(&json!({}));
        let answer = answer.send(self.address);
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()
    }

    /// A fresh invite to the room of [`room`](Self::room).
    pub fn invite(&self, room: &Value) -> String {
        let path = format!("/api/v1/rooms/{}/invites", room["room"]["id"].as_str().unwrap());
        let ticket = room["ticket"].as_str().unwrap();
        let answer = post(&path).bearer(ticket).send(self.address);
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()["invite"].as_str().unwrap().to_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(Duration::from_secs(2));
        }
    }
}

pub fn claims(role: Role, room: Option<&str>, exp: u64) -> Claims {
    Claims {
        iss: ISSUER.into(),
        aud: AUDIENCE.into(),
        sub: "somebody".into(),
        exp,
        iat: 1,
        jti: "one".into(),
        room: room.map(str::to_owned),
        role,
        name: None,
    }
}

fn minter() -> Minter {
    let endpoint = |transport| Endpoint { host: "192.0.2.1".into(), port: 3478, transport };
    Minter {
        secret: Secret::from("north"),
        separator: ':',
        ttl: Duration::from_secs(86400),
        guest_ttl: Duration::from_secs(900),
        endpoints: vec![endpoint(Transport::Udp), endpoint(Transport::Tcp)],
    }
}
