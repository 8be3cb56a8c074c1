//! Secrets that are made once and kept in the data folder.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::app::Failure;
use crate::app::desk::generated;
use crate::creds::Secret;
use crate::creds::ticket::TicketKey;
use crate::store::Store;

use super::ring::Ring;

/// What this server made for itself at its first start.
#[derive(Clone)]
pub struct Kept {
    /// The shared secrets when none is configured.
    pub ring: Ring,
    /// Signs tickets.
    pub ticket: TicketKey,
    /// Salts the hashes of what peers send each other, in the audit trail.
    pub audit: [u8; 32],
    /// Signs deliveries to hooks when no secret is configured.
    pub hooks: Secret,
    /// Keys nonces. Their dates count from the start of the process, so none outlives it.
    pub nonce: [u8; 32],
}

impl Kept {
    /// Reads them from the store; makes and keeps what is missing. Blocks.
    ///
    /// # Errors
    /// When the store fails or the system gives no random numbers.
    pub fn load(store: &Store) -> Result<Self, Failure> {
        let kept = |name: &str| {
            let fresh = random()?;
            store.secret_or_insert(name, move || fresh).wait().map_err(Failure::runtime)
        };
        let ring = store.secrets().list_or_insert(generated()?).wait();
        Ok(Self {
            ring: Ring::new(ring.map_err(Failure::runtime)?),
            ticket: TicketKey::new(kept("ticket")?),
            audit: kept("audit")?,
            hooks: Secret::from(URL_SAFE_NO_PAD.encode(kept("hooks")?)),
            nonce: kept("nonce")?,
        })
    }
}

/// Random bytes from the system.
///
/// # Errors
/// When it has none.
pub fn random<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::Runtime(format!("the system gives no random numbers: {error}"))
    })?;
    Ok(bytes)
}
