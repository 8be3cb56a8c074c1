//! Whether a name and a password belong together.

use std::net::IpAddr;

use crate::api::Api;
use crate::api::errors::{ApiError, Code};
use crate::creds::user_name::user_name;
use crate::store::{EventKind, UserRecord};

impl Api {
    /// The user `name`, if `password` is theirs and they may log in. Nobody learns from the answer,
    /// nor from how long it takes, whether there is such a user.
    ///
    /// # Errors
    /// [`Code::InvalidLogin`]; [`Code::RateLimited`] after too many failures of this address or on this
    /// account; [`Code::Unavailable`] when too many log in at once.
    pub async fn check_password(
        &self,
        client: IpAddr,
        name: &str,
        password: &str,
    ) -> Result<UserRecord, ApiError> {
        let typed = user_name(name);
        let account = typed.as_deref().unwrap_or(name);
        let attempt = self.people().attempts.begin(client, account, self.now().mono)?;
        let user = match &typed {
            Ok(name) => self.store().users().find(name)?,
            Err(_) => None,
        };
        let hash = user.as_ref().filter(|user| user.active).map(|user| user.password.clone());
        let foreign = self.store().users().foreign_hash()?;
        let hashing = &self.people().hashing;
        let compared = match hashing.compare(hash, foreign, password.to_owned()).await {
            Ok(compared) => compared,
            Err(busy) => {
                attempt.undone();
                return Err(busy);
            }
        };
        let Some(user) = user.as_ref().filter(|_| compared.good) else {
            // The client's address makes the line useful to fail2ban. A name nobody has may be a
            // password in the wrong field.
            let name = user.as_ref().map(|user| user.name.as_str());
            let why = match &user {
                None => "no such user",
                Some(user) if !user.active => "the user is not active",
                Some(_) => "wrong password",
            };
            tracing::info!(%client, user = name, why, "refused a login");
            let event = self.event(EventKind::LoginRefused).with("client", client.to_string());
            self.note(event.with("user", name).with("why", why));
            return Err(Code::InvalidLogin.into());
        };
        attempt.succeeded();
        let event = self.event(EventKind::Login).with("client", client.to_string());
        self.note(event.with("user", user.name.as_str()));
        let mut user = user.clone();
        if let Some(hash) = compared.rehashed {
            let (before, after) = (user.password.clone(), hash.clone());
            if self.store().users().rehash(&user.name, before, after).await? {
                tracing::info!(user = user.name, "an imported password is hashed anew");
                user.password = hash;
            }
        }
        Ok(user)
    }
}
