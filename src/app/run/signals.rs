//! SIGTERM and SIGINT stop, a second one at once; SIGHUP reloads; SIGUSR1 drains.

use std::sync::Arc;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing::{info, warn};

use crate::app::Failure;

use super::server::Server;
use super::{drain, reload};

/// The signals of this process, caught from the moment this exists.
#[derive(Debug)]
pub(super) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
}

impl Signals {
    /// Catches them. Inside of tokio only.
    ///
    /// # Errors
    /// When the system does not let us.
    pub(super) fn catch() -> Result<Self, Failure> {
        let catch = |kind| {
            signal(kind)
                .map_err(|error| Failure::Runtime(format!("signals cannot be caught: {error}")))
        };
        Ok(Self {
            terminate: catch(SignalKind::terminate())?,
            interrupt: catch(SignalKind::interrupt())?,
            hangup: catch(SignalKind::hangup())?,
            user1: catch(SignalKind::user_defined1())?,
        })
    }

    /// Reloads as often as asked, and drains; returns when the server is to stop.
    pub(super) async fn until_stop(&mut self, server: &Arc<Server>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return info!(signal = "SIGTERM", "stopping"),
                _ = self.interrupt.recv() => return info!(signal = "SIGINT", "stopping"),
                _ = self.hangup.recv() => {
                    let server = Arc::clone(server);
                    // It reads files and prepares passwords: not on this thread.
                    if tokio::task::spawn_blocking(move || reload::reload(&server)).await.is_err() {
                        warn!("the reload ended in a bug; the configuration stays as it was");
                    }
                }
                _ = self.user1.recv() => {
                    let server = Arc::clone(server);
                    // It looks names up. What it says is in the log.
                    tokio::task::spawn_blocking(move || drain::begin(&server));
                }
                () = drain::until_done(server) => {
                    return info!("drained: the last allocation is gone; stopping");
                }
            }
        }
    }

    /// Ends the process with the next signal to stop, whatever is still going on.
    pub(super) async fn exit_on_next(mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
        warn!("asked a second time: stopping at once");
        std::process::exit(1);
    }
}
