//! SIGHUP: what can change changes at once, what cannot is named, and a configuration that is wrong
//! changes nothing.

use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};

use tracing::{error, info, warn};

use crate::app::config::{self, Change, Config, Effective};
use crate::creds::Credentials;

use super::server::Server;
use super::{drain, settings, tls, trail};

/// What counts at the moment.
#[derive(Debug)]
pub(super) struct Live {
    /// Checked.
    pub(super) config: Config,
    /// Where it came from.
    pub(super) effective: Effective,
}

/// Reads every source again and lets the server have it. Says in the log what came of it.
pub(super) fn reload(server: &Server) {
    let _alone = server.changing.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = match config::load(&server.sources) {
        Ok(loaded) => loaded,
        Err(problems) => return refuse(&problems),
    };
    let live = server.live.load_full();
    let reloaded = match live.effective.reloaded(&loaded.effective, server.sources.dev) {
        Ok(reloaded) => reloaded,
        Err(problems) => return refuse(&problems),
    };
    loaded.warnings.iter().for_each(|warning| warn!("{warning}"));
    let config = reloaded.config;
    let credentials = match settings::credentials(&config, &server.kept) {
        Ok(credentials) => Arc::new(credentials),
        Err(failure) => {
            return error!(problem = failure.to_string(), "the configuration stays as it was");
        }
    };
    if let Err(failure) = tls::reload(server, &live.config, &config) {
        return error!(problem = failure.to_string(), "the configuration stays as it was");
    }
    give_relay(server, &config, credentials);
    server.log.set_level(&config.log.level);
    let (mut applied, mut restart) = (Vec::new(), Vec::new());
    for change in reloaded.changes {
        match change {
            Change::Applied(key) => applied.push(key),
            Change::NeedsRestart(key) => restart.push(key),
        }
    }
    server.live.store(Arc::new(Live { config, effective: reloaded.effective }));
    server.configure_web();
    trail::configure(server);
    info!(applied = applied.join(","), "configuration reloaded");
    if !restart.is_empty() {
        warn!(keys = restart.join(","), "these keys have changed but count only after a restart");
    }
}

/// Makes a change that is decided while the server runs, and gives relay and API what counts then.
/// Says which servers new clients are sent to. Blocks.
pub(super) fn configure(server: &Server, change: impl FnOnce()) -> Vec<SocketAddr> {
    let _alone = server.changing.lock().unwrap_or_else(PoisonError::into_inner);
    change();
    let config = &server.live.load().config;
    // The relay first: what is minted from now on must be good when it comes.
    let alternate = match settings::credentials(config, &server.kept) {
        Ok(credentials) => give_relay(server, config, Arc::new(credentials)),
        // They were good when they were loaded.
        Err(failure) => {
            error!(problem = failure.to_string(), "the relay's settings stay as they were");
            Vec::new()
        }
    };
    server.configure_web();
    alternate
}

fn give_relay(server: &Server, config: &Config, credentials: Arc<Credentials>) -> Vec<SocketAddr> {
    let alternate = server.drain.is_on().then(|| drain::alternates(config));
    let turn = settings::turn(config, &server.addresses, &server.listening, alternate.as_deref());
    server.relay.with(|relay| relay.reconfigure(turn, credentials));
    alternate.unwrap_or_default()
}

fn refuse(problems: &config::Problems) {
    for problem in problems.iter() {
        error!(problem = problem.to_string(), "the configuration stays as it was");
    }
}
