//! What an operator asks for by command: credentials, API keys, a link to the page. The same desk
//! answers over the control socket of a running server and in the command's own process when none
//! runs.

pub mod allocations;
pub mod client;
mod events;
mod people;
mod request;
mod secrets;
pub mod server;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use super::run::kept::random;
use super::{Failure, clock};
use crate::api::{AllocationsJson, MAX_PAGE, Minter, RelayDoor, creator_claims};
use crate::app::trail;
use crate::creds::api_key::{self, Scope};
use crate::creds::ticket::TicketKey;
use crate::creds::{Secret, SecretId};
use crate::hooks::HookAddress;
use crate::store::{EventKind, KeyHash, KeyRecord, Store};
use crate::turn::AllocationId;

pub use people::checked_email;
pub use request::Request;
pub use secrets::{RingDoor, generated};

/// How long a creator link may make rooms.
pub const LINK_LIFETIME: Duration = Duration::from_secs(24 * 3600);
/// The longest life of a credential that may be asked for.
const LONGEST_TTL: Duration = Duration::from_secs(365 * 86_400);
/// Whose credential it is when nobody is named.
const NOBODY: &str = "operator";
/// What only a server can do, where none runs.
const NO_SERVER: &str = "no server runs on this data folder";

/// What credentials and links are made of; replaced as a whole on a reload.
#[derive(Clone, Debug)]
pub struct Till {
    /// Makes credentials.
    pub minter: Minter,
    /// The secrets of the configuration, in its order; while there are any, they alone count.
    pub configured: Vec<SecretId>,
    /// Signs tickets. None where there is no store.
    pub tickets: Option<TicketKey>,
    /// Where the page is found.
    pub page: Option<String>,
    /// Who is told of events.
    pub hooks: Vec<HookAddress>,
    /// What that is signed with.
    pub hook_secrets: Vec<Secret>,
}

/// Answers requests. Blocks on the store: not to be called inside of tokio.
#[derive(Clone)]
pub struct Desk {
    till: Arc<dyn Fn() -> Till + Send + Sync>,
    store: Option<Store>,
    drain: Option<Arc<dyn Fn() -> u64 + Send + Sync>>,
    relay: Option<Arc<dyn RelayDoor>>,
    ring: Option<RingDoor>,
}

impl Desk {
    /// A desk that asks `till` for what counts now. Without a store it only makes credentials.
    pub fn new(till: impl Fn() -> Till + Send + Sync + 'static, store: Option<Store>) -> Self {
        Self { till: Arc::new(till), store, drain: None, relay: None, ring: None }
    }

    /// The same desk, which also lets a running server drain; `begin` says how many allocations are
    /// open.
    #[must_use]
    pub fn with_drain(self, begin: impl Fn() -> u64 + Send + Sync + 'static) -> Self {
        Self { drain: Some(Arc::new(begin)), ..self }
    }

    /// The same desk, which also lists and ends the allocations of a running server.
    #[must_use]
    pub fn with_relay(self, relay: impl RelayDoor + 'static) -> Self {
        Self { relay: Some(Arc::new(relay)), ..self }
    }

    /// The same desk, which lets a running server know when its secrets have changed.
    #[must_use]
    pub fn with_ring(self, ring: RingDoor) -> Self {
        Self { ring: Some(ring), ..self }
    }

    /// Does what is asked.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn answer(&self, request: Request) -> Result<Value, String> {
        let till = (self.till)();
        match request {
            Request::Credentials { user, ttl } => till.credential(user.as_deref(), ttl),
            Request::Link => till.link().map(|link| json!({ "link": link })),
            Request::Drain => match &self.drain {
                Some(begin) => Ok(json!({ "allocations": begin() })),
                None => Err(NO_SERVER.to_owned()),
            },
            Request::Allocations { after, user } => {
                let relay = self.relay()?;
                let listing = relay.list(AllocationId(after), user.as_deref(), MAX_PAGE)?;
                let page = AllocationsJson::new(&listing, relay.stats().machines.allocations);
                serde_json::to_value(page).map_err(|error| error.to_string())
            }
            Request::AllocationsEnd { id } => match self.relay()?.end(AllocationId(id))? {
                true => {
                    let ended =
                        trail::now(EventKind::Moderation).by("operator").with("action", "end");
                    self.store()?.events().note(ended.with("allocation", id.to_string()));
                    Ok(json!({ "ended": id.to_string() }))
                }
                false => Err(format!(
                    "there is no allocation {id}; `relayhouse allocations` has all that are open"
                )),
            },
            Request::Events { room, kind, since, limit } => {
                self.events(room, kind.as_deref(), since, limit)
            }
            Request::HooksList => self.hooks(&till),
            Request::HooksSecret => Ok(till.hook_secret()),
            Request::HooksTest => self.test_hooks(&till),
            Request::SecretRotate { overlap } => self.rotate(&till, overlap),
            Request::SecretList => self.list_secrets(&till),
            Request::SecretAdd { secret, lasts } => self.add_secret(&till, secret, lasts),
            Request::SecretRemove { id } => self.remove_secret(&till, id),
            Request::SecretShow { id } => self.show_secret(&till, id),
            Request::UsersAdd { name, change } => self.add_user(&name, change),
            Request::UsersChange { name, change } => self.change_user(&name, change),
            Request::UsersRemove { name } => self.remove_user(&name),
            Request::UsersList => self.list_users(),
            Request::UsersImport { users, update } => self.import_users(users, update),
            Request::KeysAdd { scopes, name, hash } => self.add_key(&scopes, name, hash),
            Request::KeysList => {
                let keys = self.store()?.keys().list().map_err(|error| error.to_string())?;
                Ok(json!({ "keys": keys }))
            }
            Request::KeysRevoke { id } => {
                let found = self.store()?.keys().revoke(&id).wait();
                match found.map_err(|error| error.to_string())? {
                    true => {
                        let revoked = trail::now(EventKind::KeyRevoked).by("operator");
                        self.store()?.events().note(revoked.with("key", id.as_str()));
                        Ok(json!({ "revoked": id }))
                    }
                    false => Err(format!("there is no key {id:?}; `relayhouse keys list` has all")),
                }
            }
        }
    }

    /// A credential for nobody in particular, as [`Request::Credentials`] answers it.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn credential(&self) -> Result<Value, String> {
        (self.till)().credential(None, None)
    }

    fn add_key(
        &self,
        scopes: &[Scope],
        name: Option<String>,
        brought: Option<KeyHash>,
    ) -> Result<Value, String> {
        if scopes.is_empty() {
            return Err("a key needs a scope: mint, rooms or admin".to_owned());
        }
        if name.as_ref().is_some_and(|name| name.len() > 100 || name.contains(char::is_control)) {
            return Err("a key's name has at most 100 bytes and no control characters".to_owned());
        }
        let failed = |failure: Failure| failure.to_string();
        let key = api_key::format(random().map_err(failed)?);
        let made = clock::since_1970();
        // Begins with the part of the second: keys of one second are listed as they were made.
        let salt = u16::from_be_bytes(random().map_err(failed)?);
        let id = format!("{:08x}{salt:04x}", made.subsec_nanos());
        let record = KeyRecord {
            id: id.clone(),
            name,
            scopes: scopes.iter().copied().collect(),
            created: made.as_secs(),
        };
        let stored =
            self.store()?.keys().add(brought.unwrap_or_else(|| api_key::hash(&key)), record).wait();
        stored.map_err(|error| error.to_string())?;
        let scopes: Vec<_> = scopes.iter().map(|scope| scope.name()).collect();
        let added = trail::now(EventKind::KeyAdded).by("operator").with("key", id.as_str());
        self.store()?.events().note(added.with("scopes", scopes));
        // Whoever brought it has it.
        Ok(match brought {
            Some(_) => json!({ "id": id }),
            None => json!({ "id": id, "key": key }),
        })
    }

    fn relay(&self) -> Result<&dyn RelayDoor, String> {
        self.relay.as_deref().ok_or_else(|| NO_SERVER.to_owned())
    }

    fn store(&self) -> Result<&Store, String> {
        self.store.as_ref().ok_or_else(|| "the data folder is not open".to_owned())
    }
}

impl Till {
    /// A fresh credential with the ICE servers it is for.
    fn credential(&self, user: Option<&str>, ttl: Option<u64>) -> Result<Value, String> {
        let ttl = ttl.map_or(self.minter.ttl, Duration::from_secs);
        if ttl.is_zero() || ttl > LONGEST_TTL {
            return Err("a credential lives for 1 second to 365 days".to_owned());
        }
        let made = self.minter.ice_servers(clock::unix(), user.unwrap_or(NOBODY), ttl);
        let made = made.map_err(|error| error.to_string())?;
        let turn = made.ice_servers.iter().find(|server| server.username.is_some());
        let turn = turn.ok_or("listen.udp is empty: there is nothing to use a credential on")?;
        Ok(json!({
            "username": turn.username,
            "credential": turn.credential,
            "ttl": made.ttl,
            "expiresAt": made.expires_at,
            "iceServers": made.ice_servers,
        }))
    }

    /// A link to the page whose holder may make rooms.
    ///
    /// # Errors
    /// When nothing serves the page.
    pub fn link(&self) -> Result<String, String> {
        let page = self.page.as_ref().ok_or("http.listen is empty: nothing serves the page")?;
        let tickets = self.tickets.as_ref().ok_or("the data folder is not open")?;
        let ticket = tickets.sign(&creator_claims(clock::unix(), LINK_LIFETIME));
        Ok(format!("{page}/#creator={ticket}"))
    }
}
