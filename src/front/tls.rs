//! The certificate in use, and how it changes: sessions that are open keep what they have, new
//! ones see what counts.

use std::fmt;
use std::fs;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwapOption;
use rustls::crypto::ring;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{Error, ServerConfig};
use tracing::{error, info, warn};

use super::certificate::{self, Certificate, CertificateError, Pair};
use crate::time::UnixTime;

/// What a client may ask for by ALPN: STUN over TLS (RFC 7443) and HTTP. None is required.
const PROTOCOLS: [&[u8]; 3] = [b"stun.turn", b"stun.nat-discovery", b"http/1.1"];

/// The TLS side of all listeners: one configuration, one certificate at a time.
pub struct Tls {
    config: Arc<ServerConfig>,
    used: Arc<InUse>,
    source: Mutex<Source>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("used", &self.used).finish_non_exhaustive()
    }
}

/// Where the certificate comes from.
#[derive(Default)]
struct Source {
    pair: Option<Pair>,
    /// What the files looked like when they were last read.
    seen: Option<Stamp>,
    /// What was last said about them, so that it is said once.
    said: Option<String>,
}

/// Length and time of change of both files.
type Stamp = [Option<(u64, SystemTime)>; 2];

fn stamp(pair: &Pair) -> Stamp {
    let of = |path| {
        let metadata = fs::metadata(path).ok()?;
        Some((metadata.len(), metadata.modified().ok()?))
    };
    [of(&pair.certificate), of(&pair.key)]
}

/// Hands the certificate in use to a handshake, with a server name or without.
#[derive(Debug, Default)]
struct InUse(ArcSwapOption<Certificate>);

impl ResolvesServerCert for InUse {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.0.load().as_ref().map(|certificate| Arc::clone(certificate.key()))
    }
}

impl Tls {
    /// Without a certificate: TLS is refused until there is one.
    ///
    /// # Errors
    /// When the cryptography does not support what TLS needs: a bug.
    pub fn new() -> Result<Self, Error> {
        let used = Arc::new(InUse::default());
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[&TLS13, &TLS12])?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(&used) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
        Ok(Self { config: Arc::new(config), used, source: Mutex::default() })
    }

    /// For handshakes.
    pub(super) fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// Whether there is a certificate.
    pub fn is_ready(&self) -> bool {
        self.used.0.load().is_some()
    }

    /// The certificate new sessions see.
    pub fn certificate(&self) -> Option<Arc<Certificate>> {
        self.used.0.load_full()
    }

    /// From now on this certificate, of no files: what `--dev` made.
    pub fn set(&self, certificate: Certificate) {
        *self.source() = Source::default();
        self.used.0.store(Some(Arc::new(certificate)));
    }

    /// From now on the certificate in these files, or none. What is open stays open.
    ///
    /// # Errors
    /// When they cannot be used: everything stays as it was, and the files that were watched are.
    pub fn load(&self, pair: Option<Pair>, now: UnixTime) -> Result<(), CertificateError> {
        let mut source = self.source();
        let Some(pair) = pair else {
            *source = Source::default();
            self.used.0.store(None);
            return Ok(());
        };
        let seen = stamp(&pair);
        let certificate = certificate::load(&pair)?;
        self.take(&pair, certificate, now)?;
        *source = Source { pair: Some(pair), seen: Some(seen), said: None };
        self.say_dates(&mut source, now);
        Ok(())
    }

    /// Looks whether the files have changed, or looks into them in any case, and takes what they
    /// hold if it can be used; otherwise the certificate in use stays, and the log says why. The
    /// answer is whether there is a new one. Reads files: not for the threads of an executor.
    pub fn refresh(&self, in_any_case: bool, now: UnixTime) -> bool {
        let mut source = self.source();
        let Some(pair) = source.pair.clone() else { return false };
        let seen = stamp(&pair);
        let mut is_new = false;
        // A pair that could not be used is tried again: it may have been read half written.
        if in_any_case || source.seen != Some(seen) || source.said.is_some() {
            source.seen = Some(seen);
            let taken = certificate::load(&pair).and_then(|new| self.take(&pair, new, now));
            match taken {
                Ok(true) => {
                    (source.said, is_new) = (None, true);
                    info!(certificate = %pair.certificate.display(), "new certificate in use");
                }
                Ok(false) => {}
                Err(failure) => {
                    let failure = failure.to_string();
                    if source.said.as_ref() != Some(&failure) {
                        error!(failure, "the certificate stays as it was");
                        source.said = Some(failure);
                    }
                    return false;
                }
            }
        }
        self.say_dates(&mut source, now);
        is_new
    }

    /// Uses `new` unless it is what is in use already; whether it is new is the answer.
    fn take(&self, pair: &Pair, new: Certificate, now: UnixTime) -> Result<bool, CertificateError> {
        let old = self.certificate();
        if let Some(old) = &old {
            if old.key().cert == new.key().cert {
                return Ok(false);
            }
            if new.is_expired(now) && !old.is_expired(now) {
                let complaint = new.complaint(now).unwrap_or_default();
                return Err(CertificateError::Expired {
                    path: pair.certificate.clone(),
                    complaint,
                });
            }
        }
        self.used.0.store(Some(Arc::new(new)));
        Ok(true)
    }

    /// Says once what an operator must know of the dates of the certificate in use.
    fn say_dates(&self, source: &mut Source, now: UnixTime) {
        let complaint = self.certificate().and_then(|certificate| certificate.complaint(now));
        if let (Some(complaint), Some(pair)) = (&complaint, &source.pair)
            && source.said.as_ref() != Some(complaint)
        {
            warn!(certificate = %pair.certificate.display(), complaint, "look after the certificate");
        }
        source.said = complaint;
    }

    fn source(&self) -> std::sync::MutexGuard<'_, Source> {
        self.source.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
