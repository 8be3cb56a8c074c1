//! A server of the API on a loopback port, with its store in a folder of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use relayhouse::api::signal::{self, HubHandle};
use relayhouse::api::{
    Api, Check, HttpServer, HttpSettings, Minter, Parts, RelayDoor, Witness, router,
};
use relayhouse::app::trail::of_rooms;
use relayhouse::creds::Secret;
use relayhouse::creds::api_key;
use relayhouse::creds::password::PasswordHash;
use relayhouse::creds::ticket::{AUDIENCE, Claims, ISSUER, Role, TicketKey};
use relayhouse::creds::uri::Endpoint;
use relayhouse::front::{self, Asked, Doors, List, Tls};
use relayhouse::net::Transport;
use relayhouse::signal::{Actor, CloseReason, HubLimits, Moderation, RoomId, RoomView};
use relayhouse::store::{KeyRecord, Store, UserRecord, UserRole};
use relayhouse::time::{Instant, Now, UnixTime};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::http::{Request, post};
use crate::relay::Relay;

/// A running server. Stops when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub api: Arc<Api>,
    /// What `/readyz` is told besides the store's own state.
    pub checks: Arc<Mutex<Vec<Check>>>,
    /// In the place of a relay.
    pub relay: Arc<Relay>,
    /// What is told of it.
    pub witness: Arc<Witness>,
    hub: HubHandle,
    endpoint: Arc<signal::Endpoint>,
    key: TicketKey,
    dir: Option<TempDir>,
    stop: Option<oneshot::Sender<()>>,
    runtime: Option<Runtime>,
    hands: Arc<Hands>,
}

/// Everybody's.
pub const PASSWORD: &str = "correct horse";

/// A login.
pub fn login(name: &str, password: &str) -> Request {
    post("/api/v1/auth/login").json(&json!({"username": name, "password": password}))
}

/// The time on the wall.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What a test does to the server's clocks.
#[derive(Default)]
struct Hands {
    /// How much they are ahead, in seconds.
    ahead: AtomicU64,
    /// Where they stand, if they do.
    stopped: OnceLock<Now>,
}

/// Both clocks.
fn clock() -> (signal::Clock, Arc<Hands>) {
    let origin = std::time::Instant::now();
    let hands = Arc::new(Hands::default());
    let held = hands.clone();
    let clock = move || {
        let nanos = u64::try_from(origin.elapsed().as_nanos()).unwrap();
        let now = Now { mono: Instant::from_nanos(nanos), unix: UnixTime(now()) };
        let now = *held.stopped.get().unwrap_or(&now);
        now.after(Duration::from_secs(held.ahead.load(Ordering::Relaxed)))
    };
    (Arc::new(clock), hands)
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
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let inside = runtime.enter();
        let (clock, hands) = clock();
        let (hub, mut events) = signal::start(HubLimits::default(), [3; 32], clock.clone());
        let checks = Arc::new(Mutex::new(Vec::new()));
        let told = checks.clone();
        let (relay, witness) = (Arc::<Relay>::default(), Arc::<Witness>::default());
        let api = Api::new(Parts {
            store,
            hub: hub.clone(),
            minter: minter(),
            tickets: key.clone(),
            settings,
            clock,
            metrics: Arc::new(|| "# EOF\n".into()),
            readiness: Arc::new(move || told.lock().unwrap().clone()),
            relay: Arc::clone(&relay) as Arc<dyn RelayDoor>,
            witness: Arc::clone(&witness),
        });
        runtime.block_on(api.reopen_rooms()).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let endpoint = Arc::new(signal::Endpoint::new(hub.clone(), api.clone()));
        let app = router(&api, &endpoint);
        let follower = api.clone();
        runtime.spawn(async move {
            while let Some(event) = events.recv().await {
                if let Some(event) = of_rooms(&event, now()) {
                    follower.store().events().note(event);
                }
                follower.follow(&event).await.unwrap();
            }
        });
        let http = HttpServer::start(api.clone(), app);
        let doors = Doors { relay: None, http: Some(http.door()) };
        let place = front::places([Asked { list: List::Http, address }]).remove(0);
        let tls = Arc::new(Tls::new().unwrap());
        let front = front::start(vec![(listener, place)], doors, tls, Vec::new()).unwrap();
        runtime.spawn(async {
            let _ = stopped.await;
            front.stop().await;
            http.stop().await;
        });
        drop(inside);
        let runtime = Some(runtime);
        Self {
            address,
            api,
            checks,
            relay,
            witness,
            hub,
            endpoint,
            key,
            dir: None,
            stop: Some(stop),
            runtime,
            hands,
        }
    }

    /// Lets time pass, for the server alone.
    pub fn wait(&self, seconds: u64) {
        self.hands.ahead.fetch_add(seconds, Ordering::Relaxed);
    }

    /// Lets no time pass any more but by [`wait`](Self::wait): for bounds per minute.
    pub fn stop_clocks(&self) {
        self.hands.stopped.set(self.api.now()).unwrap();
    }

    /// Adds somebody whose password is [`PASSWORD`].
    pub fn user(&self, name: &str, role: UserRole) -> UserRecord {
        let password = PasswordHash::new(PASSWORD, [9; 16]).unwrap();
        let name = name.to_owned();
        let user = UserRecord { name, role, email: None, active: true, created: 1, password };
        self.api.store().users().add(user.clone()).wait().unwrap();
        user
    }

    /// Logs somebody in: the answer's JSON.
    pub fn login(&self, name: &str) -> Value {
        let answer = login(name, PASSWORD).send(self.address);
        assert_eq!(answer.status, 200, "{}", answer.json());
        answer.json()
    }

    /// Whether the hub has the room open.
    pub fn is_open(&self, room: &str) -> bool {
        self.run(self.hub.room(&RoomId::from(room))).is_some()
    }

    /// The room as it is in the hub.
    #[allow(dead_code, reason = "for the tests of dialects")]
    pub fn room_view(&self, room: &RoomId) -> Option<RoomView> {
        self.run(self.hub.room(room))
    }

    /// Ends the room as the hub would.
    pub fn close(&self, room: &str) {
        self.run(self.hub.close_room(&RoomId::from(room), CloseReason::Idle));
    }

    /// Ends the room as somebody who may would.
    #[allow(dead_code, reason = "for the tests of dialects")]
    pub fn end(&self, room: &str) {
        self.run(self.hub.close_room(&RoomId::from(room), CloseReason::Asked));
    }

    /// Decides as the API would.
    #[allow(dead_code, reason = "for the tests of dialects")]
    pub fn moderate(&self, room: &str, what: Moderation) {
        self.run(self.hub.moderate(&RoomId::from(room), Actor::Api, what)).unwrap();
    }

    /// A reload: these settings, and a relay that listens here.
    #[allow(dead_code, reason = "for the tests of dialects")]
    pub fn reconfigure(&self, settings: HttpSettings, endpoints: Vec<Endpoint>) {
        self.api.reconfigure(settings, Minter { endpoints, ..minter() });
    }

    /// Sends everybody away, as before a restart.
    pub fn send_all_away(&self) {
        let second = Duration::from_secs(1);
        self.run(self.endpoint.shutdown(second, second));
    }

    pub fn run<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.as_ref().unwrap().block_on(future)
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

    /// A ticket with these claims, for a fresh room.
    pub fn ticket_to_a_room(&self, role: Role, exp: u64) -> String {
        let room = self.room();
        self.ticket(role, room["room"]["id"].as_str(), exp)
    }

    /// A room made by a creator: the answer's JSON.
    pub fn room(&self) -> Value {
        let answer = post("/api/v1/rooms").bearer(&self.creator()).json(&json!({}));
        let answer = answer.send(self.address);
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()
    }

    /// A room made by an API key, which owns it, with these settings.
    pub fn room_of(&self, key: &str, wanted: &Value) -> Value {
        let answer = post("/api/v1/rooms").bearer(key).json(wanted).send(self.address);
        assert_eq!(answer.status, 201, "{}", answer.json());
        answer.json()
    }

    /// A guest's ticket for the room of [`room`](Self::room).
    pub fn guest(&self, room: &Value) -> String {
        let path = format!("/api/v1/invites/{}/redeem", self.invite(room));
        post(&path).send(self.address).json()["ticket"].as_str().unwrap().to_owned()
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
        // Of the room that is there now, whatever was done to the clocks.
        iat: exp,
        jti: "one".into(),
        room: room.map(str::to_owned),
        role,
        name: None,
    }
}

pub fn minter() -> Minter {
    let endpoint = |transport| Endpoint { host: "192.0.2.1".into(), port: 3478, transport };
    Minter {
        secret: Secret::from("north"),
        separator: ':',
        ttl: Duration::from_secs(86400),
        guest_ttl: Duration::from_secs(900),
        endpoints: vec![endpoint(Transport::Udp), endpoint(Transport::Tcp)],
    }
}
