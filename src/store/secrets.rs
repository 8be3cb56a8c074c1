//! Secrets made once and kept: the keys of tickets and nonces. REST secrets change: see `ring`.

use super::{Change, Store, StoreError};

impl Store {
    /// The secret called `name`, made by `make` and kept when there is none of its length yet. What
    /// is given back is on the disk. The names in use: `ticket`, `nonce`, `audit`, `hooks`.
    pub fn secret_or_insert<const N: usize>(
        &self,
        name: &str,
        make: impl FnOnce() -> [u8; N] + Send + 'static,
    ) -> Change<[u8; N], StoreError> {
        let key = format!("secret/{name}");
        self.write(move |trees| {
            if let Some(bytes) = trees.secrets.get(&key)? {
                return bytes.as_ref().try_into().map_err(|_| StoreError::Unreadable {
                    kind: "secret",
                    why: format!("it has {} bytes, not {N}", bytes.len()),
                });
            }
            let made = make();
            trees.secrets.insert(&key, made.as_slice())?;
            Ok(made)
        })
    }
}
