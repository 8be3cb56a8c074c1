//! The certificate: at the start, when its files change, and on a reload.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tracing::{info, warn};

use crate::app::config::{Config, Effective, Loaded};
use crate::app::{Failure, clock};
use crate::front::Tls;
use crate::front::certificate::{self, CertificateError, Pair};

use super::server::Server;

/// How often the files are looked at.
const EVERY: Duration = Duration::from_secs(10);

/// The files of the configuration. They are checked to be both there or both not.
pub(super) fn pair(config: &Config) -> Option<Pair> {
    let (certificate, key) = (config.tls.certificate.clone()?, config.tls.key.clone()?);
    Some(Pair { certificate, key })
}

/// Whether the certificate of a configuration can be used, for `--check`. The answer is what should
/// be said about its dates.
///
/// # Errors
/// One sentence with its place.
pub fn check(loaded: &Loaded) -> Result<Option<String>, Failure> {
    let Some(pair) = pair(&loaded.config) else { return Ok(None) };
    let certificate = certificate::load(&pair).map_err(|e| unusable(&loaded.effective, &e))?;
    let complaint = certificate.complaint(clock::unix());
    Ok(complaint.map(|complaint| format!("{}: {complaint}", pair.certificate.display())))
}

/// The TLS side with the certificate of the configuration, or one made for `--dev`, or none.
///
/// # Errors
/// One sentence that says what is wrong with the files.
pub(super) fn start(config: &Config, effective: &Effective) -> Result<Arc<Tls>, Failure> {
    let tls =
        Tls::new().map_err(|error| Failure::Runtime(format!("TLS cannot be used: {error}")))?;
    match pair(config) {
        None if config.dev => tls.set(certificate::self_signed().map_err(Failure::runtime)?),
        None => {}
        Some(pair) => {
            if certificate::is_open_to_others(&pair.key) {
                let key = pair.key.display();
                warn!("{key} holds a private key and is open to every user; chmod 600 it");
            }
            tls.load(Some(pair), clock::unix()).map_err(|error| unusable(effective, &error))?;
        }
    }
    Ok(Arc::new(tls))
}

fn unusable(effective: &Effective, error: &CertificateError) -> Failure {
    let sentence = error.to_string();
    let key = sentence.split(':').next().filter(|key| *key == "tls.key");
    Failure::Unusable(format!("{}: {sentence}", effective.place(key.unwrap_or("tls.certificate"))))
}

/// Looks at the files for as long as the server runs.
pub(super) async fn watch(server: Arc<Server>) {
    let mut every = tokio::time::interval(EVERY);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        every.tick().await;
        let server = Arc::clone(&server);
        // Files may be on a disk that sleeps.
        let looked = tokio::task::spawn_blocking(move || refresh(&server, false));
        if looked.await.is_err() {
            warn!("looking after the certificate ended in a bug; it stays as it was");
        }
    }
}

fn refresh(server: &Server, in_any_case: bool) {
    if server.tls.refresh(in_any_case, clock::unix()) {
        // Minted URLs carry its name.
        server.configure_web();
    }
}

/// A reload: other files, or the same ones read again.
///
/// # Errors
/// When other files are named that cannot be used. Everything stays as it was.
pub(super) fn reload(server: &Server, old: &Config, new: &Config) -> Result<(), CertificateError> {
    if old.tls == new.tls {
        refresh(server, true);
        return Ok(());
    }
    match pair(new) {
        None if new.dev => server.tls.set(certificate::self_signed()?),
        pair => server.tls.load(pair, clock::unix())?,
    }
    info!("the certificate of other files is in use");
    Ok(())
}
