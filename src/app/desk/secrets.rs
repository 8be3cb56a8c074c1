//! The desk's part about REST secrets: rotate, add, remove, list and show them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use tracing::info;

use super::{Desk, Till};
use crate::app::clock;
use crate::app::config::{SHORT_SECRET, format_duration};
use crate::app::run::kept::random;
use crate::creds::{Secret, SecretId};
use crate::store::{SecretError, SecretOrigin, SecretRecord, SecretUse};

/// What an overlap has more than the longest credential lives, for whoever minted a moment ago and for
/// clocks that differ.
const MARGIN: Duration = Duration::from_secs(3600);
/// The longest overlap, and the longest life of an added secret.
const LONGEST: Duration = Duration::from_secs(365 * 86_400);
/// The longest secret that can be added, bytes.
const LONGEST_SECRET: usize = 1024;

/// What a running server does about its secrets.
#[derive(Clone)]
pub struct RingDoor {
    /// They have changed in the store: they count from now on.
    pub changed: Arc<dyn Fn() + Send + Sync>,
    /// Stores what they were used for.
    pub store_uses: Arc<dyn Fn() + Send + Sync>,
}

/// A secret nobody knows.
///
/// # Errors
/// When the system gives no random numbers.
pub fn generated() -> Result<SecretRecord, crate::app::Failure> {
    let secret = URL_SAFE_NO_PAD.encode(random::<32>()?).into();
    let created = clock::unix().0;
    Ok(SecretRecord { secret, origin: SecretOrigin::Generated, created, until: None })
}

impl Desk {
    /// A new secret mints from now on.
    pub(super) fn rotate(&self, till: &Till, overlap: Option<u64>) -> Result<Value, String> {
        till.must_decide_here()?;
        let overlap = overlap.map_or(till.minter.ttl + MARGIN, Duration::from_secs);
        if overlap > LONGEST {
            return Err("an overlap has at most 365 days".to_owned());
        }
        let fresh = generated().map_err(|failure| failure.to_string())?;
        let (id, until) = (fresh.secret.id(), fresh.created.saturating_add(overlap.as_secs()));
        let before = self.ring()?.first().map(|record| record.secret.id());
        self.store()?.secrets().rotate(fresh, overlap).wait().map_err(sentence)?;
        self.ring_changed();
        let retiring = before.map(|id| id.to_string());
        info!(secret = %id, retiring, overlap_seconds = overlap.as_secs(), "a new secret mints");
        Ok(json!({ "id": id, "retiring": before, "until": until, "overlap": overlap.as_secs() }))
    }

    /// One more secret is accepted.
    pub(super) fn add_secret(
        &self,
        till: &Till,
        secret: Secret,
        lasts: Option<u64>,
    ) -> Result<Value, String> {
        till.must_decide_here()?;
        let text = secret.expose();
        if text.is_empty() || text.len() > LONGEST_SECRET || text.contains(char::is_control) {
            return Err(format!(
                "a secret is a line of 1 to {LONGEST_SECRET} bytes without control characters"
            ));
        }
        if lasts.is_some_and(|lasts| lasts == 0 || lasts > LONGEST.as_secs()) {
            return Err("an added secret lasts for 1 second to 365 days, or without end".to_owned());
        }
        let (id, created) = (secret.id(), clock::unix().0);
        let short = text.len() < SHORT_SECRET;
        let until = lasts.map(|lasts| created.saturating_add(lasts));
        let added = SecretRecord { secret, origin: SecretOrigin::Added, created, until };
        self.store()?.secrets().accept(added).wait().map_err(sentence)?;
        self.ring_changed();
        info!(secret = %id, until, "credentials made with one more secret are accepted");
        Ok(json!({ "id": id, "until": until, "short": short }))
    }

    /// A secret is accepted no more.
    pub(super) fn remove_secret(&self, till: &Till, id: SecretId) -> Result<Value, String> {
        if till.configured.contains(&id) {
            return Err(format!("the secret {id} stands in auth.secrets; take it out there"));
        }
        self.store()?.secrets().remove(id).wait().map_err(sentence)?;
        self.ring_changed();
        info!(secret = %id, "a secret is gone: credentials made with it open nothing any more");
        Ok(json!({ "removed": id }))
    }

    /// The text of a secret, of the one that mints when none is named.
    pub(super) fn show_secret(&self, till: &Till, id: Option<SecretId>) -> Result<Value, String> {
        let minting = &till.minter.secret;
        let id = id.unwrap_or_else(|| minting.id());
        if id == minting.id() {
            return Ok(json!({ "id": id, "secret": minting.expose() }));
        }
        if till.configured.contains(&id) {
            return Err(format!("the secret {id} stands in auth.secrets; read it there"));
        }
        let found = self.ring()?.into_iter().find(|record| record.secret.id() == id);
        let found = found.ok_or_else(|| sentence(SecretError::NotThere(id)))?;
        Ok(json!({ "id": id, "secret": found.secret.expose() }))
    }

    /// Every secret, by its id.
    pub(super) fn list_secrets(&self, till: &Till) -> Result<Value, String> {
        if let Some(door) = &self.ring {
            (door.store_uses)();
        }
        let uses = self.store()?.secrets().uses().map_err(|error| error.to_string())?;
        let configured = till.configured.iter().enumerate().map(|(place, id)| {
            let state = if place == 0 { "mints" } else { "accepted" };
            listed(*id, "configured", state, &uses)
        });
        let now = clock::unix().0;
        let ring = self.ring()?;
        let stored = ring.iter().enumerate().map(|(place, record)| {
            let origin = match record.origin {
                SecretOrigin::Generated => "generated",
                SecretOrigin::Added => "added",
            };
            let state = match record.until {
                _ if !till.configured.is_empty() => "unused",
                _ if record.is_over(now) => "ended",
                Some(_) => "retiring",
                None if place == 0 => "mints",
                None => "accepted",
            };
            let mut listed = listed(record.secret.id(), origin, state, &uses);
            listed["created"] = record.created.into();
            if let Some(until) = record.until {
                listed["until"] = until.into();
            }
            listed
        });
        Ok(json!({ "secrets": configured.chain(stored).collect::<Vec<_>>() }))
    }

    fn ring(&self) -> Result<Vec<SecretRecord>, String> {
        self.store()?.secrets().list().map_err(|error| error.to_string())
    }

    fn ring_changed(&self) {
        if let Some(door) = &self.ring {
            (door.changed)();
        }
    }
}

impl Till {
    /// Secrets of the configuration take the place of those of the data folder.
    fn must_decide_here(&self) -> Result<(), String> {
        match self.configured.is_empty() {
            true => Ok(()),
            false => {
                Err("auth.secrets in the configuration decides: put the new secret first there \
                          and reload; take the old one out when its credentials have ended"
                    .to_owned())
            }
        }
    }
}

fn listed(id: SecretId, origin: &str, state: &str, uses: &BTreeMap<SecretId, SecretUse>) -> Value {
    let used = uses.get(&id).copied().unwrap_or_default();
    let last = Some(used.last).filter(|last| *last != 0);
    json!({ "id": id, "origin": origin, "state": state, "lastUsed": last, "opened": used.count })
}

fn sentence(error: SecretError) -> String {
    error.to_string()
}

/// What `secret rotate` prints.
pub(super) fn rotated(answer: &Value) -> String {
    let text = |name: &str| answer.get(name).and_then(Value::as_str).unwrap_or_default();
    let number = |name: &str| answer.get(name).and_then(Value::as_u64).unwrap_or_default();
    let (id, before, until) = (text("id"), text("retiring"), clock::utc(number("until")));
    match number("overlap") {
        0 => format!("{id} mints from now on; {before} is refused\n"),
        overlap => {
            let overlap = format_duration(Duration::from_secs(overlap));
            format!(
                "{id} mints from now on; {before} is accepted for {overlap} more, until {until}\n"
            )
        }
    }
}

/// What `secret add` prints.
pub(super) fn added(answer: &Value) -> String {
    let id = answer.get("id").and_then(Value::as_str).unwrap_or_default();
    let mut text = match answer.get("until").and_then(Value::as_u64) {
        Some(until) => format!("{id} is accepted until {}\n", clock::utc(until)),
        None => format!("{id} is accepted\n"),
    };
    if answer.get("short").and_then(Value::as_bool) == Some(true) {
        text += &format!("it has fewer than {SHORT_SECRET} characters and can be guessed\n");
    }
    text
}

/// What `secret list` prints.
pub(super) fn table(answer: &Value) -> String {
    let mut text = format!(
        "{:<10}  {:<10}  {:<35}  {:<20}  {:<20}  {}\n",
        "id", "from", "state", "made", "last used", "opened"
    );
    let secrets = answer.get("secrets").and_then(Value::as_array);
    for secret in secrets.into_iter().flatten() {
        let word = |name: &str| secret.get(name).and_then(Value::as_str).unwrap_or_default();
        let number = |name: &str| secret.get(name).and_then(Value::as_u64);
        let state = match (word("state"), number("until")) {
            (state @ "ended", Some(until)) => format!("{state} {}", clock::utc(until)),
            (state @ "retiring", Some(until)) => format!("{state} until {}", clock::utc(until)),
            (state, _) => state.to_owned(),
        };
        let time = |name: &str, none: &str| number(name).map_or(none.to_owned(), clock::utc);
        text += &format!(
            "{:<10}  {:<10}  {state:<35}  {:<20}  {:<20}  {}\n",
            word("id"),
            word("origin"),
            time("created", "-"),
            time("lastUsed", "never"),
            number("opened").unwrap_or_default()
        );
    }
    text
}
