//! Secrets that are made once and kept in the data folder.

use crate::app::Failure;
use crate::app::desk::generated;
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
    /// Keys nonces, so that they are good across restarts.
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
