//! The thread that follows the relay: what it reports goes into the log, to the witness and into the
//! audit trail, and uses of secrets are counted.

use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::ring::Uses;
use crate::api::Witness;
use crate::app::trail::of_relay;
use crate::app::{Failure, clock, log};
use crate::relay::RelayHandle;
use crate::store::Store;
use crate::turn::Event;

/// What happens within so long is read in one go. To be woken for each event by itself costs the relay's
/// threads and this one more than all that is written about an allocation.
const GATHER: Duration = Duration::from_millis(2);

/// Follows until the relay has stopped.
///
/// # Errors
/// When no thread can be started.
pub(super) fn relay(
    relay: &mut RelayHandle,
    (store, uses, witness): (Store, Arc<Uses>, Arc<Witness>),
) -> Result<JoinHandle<()>, Failure> {
    let events = relay.events().expect("nobody else takes the events");
    let write = move |event: Event| {
        log::events::write(&event);
        uses.follow(&event);
        witness.saw(clock::unix(), &event);
        if let Some(event) = of_relay(&event, clock::unix().0) {
            store.events().note(event);
        }
    };
    let follow = move || {
        while let Ok(first) = events.recv() {
            thread::sleep(GATHER);
            write(first);
            events.try_iter().for_each(&write);
        }
    };
    let thread = thread::Builder::new().name("events".to_owned()).spawn(follow);
    thread.map_err(|error| Failure::Runtime(format!("cannot start a thread: {error}")))
}
