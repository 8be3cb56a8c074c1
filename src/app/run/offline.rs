//! Commands: asked of the server that runs on the data folder, or answered here when none does.

use serde_json::Value;

use crate::app::Failure;
use crate::app::config::{Config, Loaded};
use crate::app::desk::{Desk, Request, client};
use crate::store::{JournalSettings, OpenError, Store};

use super::addresses::{self, Addresses};
use super::kept::{Kept, random};
use super::listeners::Listening;
use super::ring::Ring;
use super::server::till;
use super::{tls, trail};
use crate::creds::Secret;
use crate::creds::ticket::TicketKey;
use crate::front::certificate;

/// Answers a command.
///
/// # Errors
/// A sentence for the operator.
pub fn ask(loaded: &Loaded, request: &Request) -> Result<Value, Failure> {
    let config = &loaded.config;
    let is_credential = matches!(request, Request::Credentials { .. });
    // A secret that was named here counts here, whatever a running server was given.
    if is_credential && !config.auth.secrets.is_empty() {
        return configured(loaded)?.answer(request.clone()).map_err(Failure::Runtime);
    }
    if let Some(answer) = client::ask(&config.data_dir, request) {
        return answer.map_err(Failure::Runtime);
    }
    if request.needs_a_server() {
        let data_dir = config.data_dir.display();
        return Err(Failure::Runtime(format!("no server runs on the data folder {data_dir}")));
    }
    let store = match Store::open(&config.data_dir) {
        // It is just starting: its socket is not there yet.
        Err(error @ OpenError::Locked { .. }) => {
            return match client::ask(&config.data_dir, request) {
                Some(answer) => answer.map_err(Failure::Runtime),
                None => Err(Failure::runtime(error)),
            };
        }
        opened => opened.map_err(Failure::runtime)?,
    };
    // What is too much is the server's to remove: this command may not have been told of its settings.
    let (max_events, max_queue) = (u64::MAX, u64::MAX);
    let journal = trail::journal_settings(config);
    store.events().configure(JournalSettings { max_events, max_queue, ..journal });
    let kept = Kept::load(&store)?;
    desk(loaded, kept, Some(store))?.answer(request.clone()).map_err(Failure::Runtime)
}

/// A desk without a store: the configuration has the secret.
fn configured(loaded: &Loaded) -> Result<Desk, Failure> {
    let kept = Kept {
        // Never used: a secret is configured, and no ticket is signed without a store.
        ring: Ring::default(),
        ticket: TicketKey::new(random()?),
        audit: [0; 32],
        hooks: Secret::from(String::new()),
        nonce: [0; 32],
    };
    desk(loaded, kept, None)
}

fn desk(loaded: &Loaded, kept: Kept, store: Option<Store>) -> Result<Desk, Failure> {
    let config: &Config = &loaded.config;
    let addresses: Addresses = addresses::resolve(config, &loaded.effective)?;
    // Names come from the certificate; a command works without one.
    let certificate = tls::pair(config).and_then(|pair| certificate::load(&pair).ok());
    let till = till(config, &kept, &addresses, &Listening::of(config), certificate.as_ref());
    Ok(Desk::new(move || till.clone(), store))
}
