//! The certificate: read from its two files, or made for `--dev`; checked before it is used.

mod error;
mod load;
mod validity;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::sign::CertifiedKey;
use webpki::EndEntityCert;

use crate::time::UnixTime;

pub use error::CertificateError;
pub use load::{is_open_to_others, load, self_signed};
pub use validity::Validity;

/// The files of a certificate. They may be one and the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pair {
    /// The chain in PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// Its private key in PEM, not encrypted.
    pub key: PathBuf,
}

/// A chain and the key that belongs to it.
#[derive(Clone)]
pub struct Certificate {
    key: Arc<CertifiedKey>,
    validity: Option<Validity>,
    names: Vec<String>,
}

/// Without the key.
impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate")
            .field("names", &self.names)
            .field("validity", &self.validity)
            .finish_non_exhaustive()
    }
}

impl Certificate {
    /// Reads what the rest of the server wants to know out of the first certificate.
    fn new(key: CertifiedKey) -> Self {
        let own = key.cert.first();
        let parsed = own.and_then(|own| EndEntityCert::try_from(own).ok());
        let names = parsed.iter().flat_map(|parsed| parsed.valid_dns_names());
        let names = names.map(str::to_owned).collect();
        let validity = own.and_then(|own| validity::of(own));
        Self { key: Arc::new(key), validity, names }
    }

    /// What rustls signs with.
    pub(super) fn key(&self) -> &Arc<CertifiedKey> {
        &self.key
    }

    /// The DNS names it is for, wildcards among them, in the order of the certificate.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Whether clients that ask for `host`, a DNS name or an IP address, will take it.
    pub fn is_for(&self, host: &str) -> bool {
        let Ok(name) = ServerName::try_from(host) else { return false };
        let parsed = self.key.cert.first().and_then(|own| EndEntityCert::try_from(own).ok());
        parsed.is_some_and(|parsed| parsed.verify_is_valid_for_subject_name(&name).is_ok())
    }

    /// Its last moment, where that can be read.
    pub fn end(&self) -> Option<UnixTime> {
        self.validity.map(|validity| validity.not_after)
    }

    /// What an operator must know of its dates: it has expired, will soon, or is not good yet.
    pub fn complaint(&self, now: UnixTime) -> Option<String> {
        self.validity.as_ref()?.complaint(now)
    }

    /// Whether it has expired.
    pub fn is_expired(&self, now: UnixTime) -> bool {
        self.validity.is_some_and(|validity| validity.not_after < now)
    }
}

/// Whole days of `time`, or hours below two days, in words.
fn in_words(time: Duration) -> String {
    match time.as_secs() / 3600 {
        1 => "1 hour".to_owned(),
        hours @ ..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}
