//! The audit trail and the hooks of a running server: what is noted, and under which settings.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tracing::warn;

use crate::api::Api;
use crate::api::signal::HubHandle;
use crate::app::clock;
use crate::app::config::Config;
use crate::app::log::rooms;
use crate::app::metrics::TrailNumbers;
use crate::app::trail::of_rooms;
use crate::creds::Secret;
use crate::hooks::{HookSettings, Hooks};
use crate::signal::Event;
use crate::store::{JournalSettings, Store, TakenBy};

use super::kept::Kept;
use super::server::Server;

/// What must be written down before rooms are forgotten, when very much happens at once. Behind it the
/// events wait, and behind those nobody: they would be lost and counted.
const DECISIONS: usize = 16_384;
/// Events taken in one go.
const BATCH: usize = 256;
/// Between two looks at what the relay could not report.
const LOOK: Duration = Duration::from_secs(10);

/// What the store must know of the configuration.
pub(super) fn journal_settings(config: &Config) -> JournalSettings {
    let kinds = &config.hooks.events;
    let hooks = config.hooks.urls.iter();
    let hooks = hooks.map(|address| TakenBy { hook: address.id(), kinds: kinds.clone() });
    JournalSettings {
        keep: config.audit.keep,
        max_events: config.audit.max_events,
        max_queue: config.hooks.max_queue,
        hooks: hooks.collect(),
    }
}

/// What deliveries are signed with: the configured secrets, or the one that was made for this server.
pub(super) fn hook_secrets(config: &Config, kept: &Kept) -> Vec<Secret> {
    match config.hooks.secrets.as_slice() {
        [] => vec![kept.hooks.clone()],
        secrets => secrets.to_vec(),
    }
}

fn hook_settings(config: &Config, kept: &Kept) -> HookSettings {
    HookSettings {
        addresses: config.hooks.urls.clone(),
        secrets: hook_secrets(config, kept),
        timeout: config.hooks.timeout,
        give_up_after: config.hooks.give_up_after,
        max_queue: config.hooks.max_queue,
    }
}

/// Begins to deliver to hooks. On tokio.
pub(super) fn start_hooks(server: &Server) {
    let settings = hook_settings(&server.live.load().config, &server.kept);
    // Only a second start could have set it.
    let _ = server.hooks.set(Hooks::start(server.store.clone(), settings, clock::unix));
}

/// A reload: events from now on are kept and sent like this.
pub(super) fn configure(server: &Server) {
    let config = &server.live.load().config;
    server.store.events().configure(journal_settings(config));
    if let Some(hooks) = server.hooks.get() {
        hooks.configure(hook_settings(config, &server.kept));
    }
}

/// The numbers of this moment.
pub(super) fn numbers(server: &Server) -> TrailNumbers {
    TrailNumbers {
        events: server.store.events().numbers(),
        hooks: server.hooks.get().map(|hooks| hooks.numbers(clock::unix())).unwrap_or_default(),
    }
}

/// Lets the log, the audit trail and the stored rooms have what happens in the rooms, until they end.
pub(super) async fn follow(
    api: Arc<Api>,
    store: Store,
    hub: HubHandle,
    mut events: mpsc::Receiver<Event>,
) {
    let (decisions, decided) = mpsc::channel(DECISIONS);
    // The trail does not wait for rooms that are being forgotten one by one.
    let keeper = tokio::spawn(keep(api, decided));
    let (mut batch, mut lost) = (Vec::with_capacity(BATCH), 0);
    while events.recv_many(&mut batch, BATCH).await > 0 {
        let now = clock::unix().0;
        let lost_so_far = hub.events_lost();
        if lost_so_far > lost {
            warn!(events = lost_so_far - lost, "too much happened in the rooms at once");
            store.events().note_lost(lost_so_far - lost, now);
            lost = lost_so_far;
        }
        for event in batch.drain(..) {
            rooms::write(&event);
            if let Some(event) = of_rooms(&event, now) {
                store.events().note(event);
            }
            if matches!(event, Event::RoomClosed { .. } | Event::Moderation { .. }) {
                let _ = decisions.send(event).await;
            }
        }
    }
    drop(decisions);
    let _ = keeper.await;
}

async fn keep(api: Arc<Api>, mut decided: mpsc::Receiver<Event>) {
    while let Some(event) = decided.recv().await {
        if let Err(error) = api.follow(&event).await {
            warn!(%error, "what happened in a room could not be stored");
        }
    }
}

/// Lets the trail say what the relay's threads could not report because too much ended at once.
pub(super) async fn watch_relay(server: Arc<Server>) {
    let mut lost = 0;
    loop {
        tokio::time::sleep(LOOK).await;
        let lost_so_far = server.relay.numbers().events_lost;
        if lost_so_far > lost {
            server.store.events().note_lost(lost_so_far - lost, clock::unix().0);
            lost = lost_so_far;
        }
    }
}
