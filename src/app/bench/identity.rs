//! Who asks: a long-term credential, and what the server said about how to use it.

use md5::{Digest, Md5};

use super::options::Plan;
use crate::creds::Secret;
use crate::stun::{Class, Message, Method, Nonce, Realm, TransactionId, Username, Writer};

/// The longest request: what a server may put into realm and nonce fits.
pub(super) const REQUEST: usize = 1024;

/// A username and its password, and the last challenge.
pub(super) struct Identity {
    username: String,
    password: Secret,
    realm: String,
    nonce: Vec<u8>,
    key: [u8; 16],
}

impl Identity {
    /// The plan's, not challenged yet.
    pub(super) fn new(plan: &Plan) -> Self {
        let (username, password) = (plan.username.clone(), plan.password.clone());
        Self { username, password, realm: String::new(), nonce: Vec::new(), key: [0; 16] }
    }

    /// Takes the realm and the nonce of a 401 or 438; false when it has none.
    pub(super) fn challenged(&mut self, challenge: &Message<'_>) -> bool {
        let (Ok(Some(Realm(realm))), Ok(Some(Nonce(nonce)))) = (challenge.get(), challenge.get())
        else {
            return false;
        };
        if self.realm != realm {
            realm.clone_into(&mut self.realm);
            let text = format!("{}:{realm}:{}", self.username, self.password.expose());
            self.key = Md5::digest(text).into();
        }
        nonce.clone_into(&mut self.nonce);
        true
    }

    /// Forgets the nonce: the next request is that of a newcomer.
    pub(super) fn forget(&mut self) {
        self.nonce.clear();
    }

    /// From now on with a key that is of no password.
    pub(super) fn spoil(&mut self) {
        self.key[0] ^= 1;
    }

    /// Writes a request, with the credential once there was a challenge. Says how long it is; `None` when
    /// it does not fit.
    pub(super) fn write(
        &self,
        buffer: &mut [u8; REQUEST],
        method: Method,
        id: TransactionId,
        put: impl Fn(&mut Writer<'_>),
    ) -> Option<usize> {
        let mut out = Writer::new(buffer, Class::Request, method, id);
        put(&mut out);
        if !self.nonce.is_empty() {
            out.put(&Username(&self.username)).put(&Realm(&self.realm)).put(&Nonce(&self.nonce));
            out.integrity_sha1(&self.key);
        }
        out.finish().ok()
    }
}
