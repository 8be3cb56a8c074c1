//! Rooms while people are in them: what ties the store, the hub and the WebSocket together.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;

use super::Api;
use super::limits::bucket_of;
use super::origin::origin_allowed;
use super::signal::{IceServers, Surroundings};
use crate::creds::ticket::{Claims, TicketError};
use crate::signal::{CloseReason, Event, Moderation, RoomId, RoomSpec};
use crate::store::{RoomRecord, StoreError};
use crate::time::{Now, UnixTime};

impl Api {
    /// Opens every stored room that is not over, as after a restart; gives back how many. Call it
    /// once, before requests are served.
    ///
    /// # Errors
    /// The store's.
    pub async fn reopen_rooms(&self) -> Result<usize, StoreError> {
        let mut opened = 0;
        for room in self.store().rooms().unexpired(self.now().unix.0)? {
            if self.open_room(&room).await {
                opened += 1;
            } else {
                tracing::warn!(room = %room.id, "a stored room was not opened: there are too many");
            }
        }
        Ok(opened)
    }

    /// Lets the store follow what happened in the hub: a room that closed is forgotten together with
    /// its invites; a lock, a new name and who was kicked outlive a restart. Call it with every event of the hub, in order.
    ///
    /// # Errors
    /// The store's.
    pub async fn follow(&self, event: &Event) -> Result<(), StoreError> {
        match event {
            // Heard of late: there is another one of the same name by now.
            Event::RoomClosed { room, .. } if self.hub().room(room).await.is_some() => Ok(()),
            Event::RoomClosed { room, reason } => {
                // Devices that are paired come back to a room that was deserted, not to one that
                // somebody ended.
                let pairings = self.store().pairings();
                if *reason == CloseReason::Asked && pairings.find(room.as_str())?.is_some() {
                    pairings.delete(room.as_str()).await?;
                }
                self.store().rooms().delete(room.as_str()).await.map(drop)
            }
            Event::Moderation { room, what, .. } => self.keep(room.as_str(), what).await,
            _ => Ok(()),
        }
    }

    /// Writes down what of a decision outlives a restart.
    pub(super) async fn keep(&self, room: &str, what: &Moderation) -> Result<(), StoreError> {
        let most = self.hub().limits().kicked_per_room;
        let what = what.clone();
        if matches!(what, Moderation::Admit(_) | Moderation::Deny(_)) {
            return Ok(());
        }
        let change = move |room: &mut RoomRecord| match what {
            Moderation::Lock => room.locked = true,
            Moderation::Unlock => room.locked = false,
            Moderation::Rename(name) => room.name = name.as_deref().map(str::to_owned),
            Moderation::Kick(peer) => remember_kicked(&mut room.kicked, peer.as_str(), most),
            Moderation::Admit(_) | Moderation::Deny(_) => {}
        };
        self.store().rooms().change(room, change).await.map(drop)
    }

    pub(super) async fn open_room(&self, room: &RoomRecord) -> bool {
        self.hub().open_room(spec(room, self.settings().room_idle)).await
    }
}

/// The newest last, as the hub keeps them.
fn remember_kicked(kicked: &mut Vec<String>, peer: &str, most: usize) {
    kicked.retain(|known| known != peer);
    kicked.push(peer.to_owned());
    let over = kicked.len().saturating_sub(most);
    kicked.drain(..over);
}

/// A room that ends at a given time stays until then; any other goes when it is deserted.
fn spec(room: &RoomRecord, idle: Duration) -> RoomSpec {
    RoomSpec {
        id: RoomId::from(room.id.as_str()),
        name: room.name.as_deref().map(Arc::from),
        capacity: room.capacity as usize,
        lobby: room.lobby,
        locked: room.locked,
        kicked: room.kicked.iter().map(|peer| peer.as_str().into()).collect(),
        created: UnixTime(room.created),
        expires: room.expires.map(UnixTime),
        idle: if room.expires.is_some() { Duration::ZERO } else { idle },
    }
}

impl Surroundings for Api {
    fn now(&self) -> Now {
        self.now()
    }

    fn verify(&self, now: UnixTime, token: &str) -> Result<Claims, TicketError> {
        self.verify_ticket(now, token)
    }

    fn origin_allowed(&self, headers: &HeaderMap) -> bool {
        let settings = self.settings();
        origin_allowed(headers, &settings.allowed_origins, &settings.public_url)
    }

    fn may_connect(&self, client: IpAddr) -> Result<(), Duration> {
        self.limiters().websockets.take(&bucket_of(client)).map_err(Duration::from_secs)
    }

    fn connections_per_address(&self) -> usize {
        self.settings().per_address.websockets
    }

    fn ticket_refused(&self, client: IpAddr, why: &str) -> Option<Duration> {
        // The client's address makes the line useful to fail2ban.
        tracing::info!(%client, why, "refused a ticket in a hello");
        let taken = self.limiters().failures.take(&bucket_of(client));
        taken.err().map(Duration::from_secs)
    }

    /// As short as a guest's for everybody: the endpoint renews them while the connection lives.
    fn ice_servers(&self, now: Now, subject: &str) -> IceServers {
        let minter = self.minter();
        let config = minter.ice_servers(now.unix, subject, minter.ttl.min(minter.guest_ttl));
        let none = |error| {
            tracing::error!(%error, "no credential could be made");
            IceServers { servers: serde_json::json!([]), ttl: Duration::ZERO, expires: now.unix }
        };
        config.map_or_else(none, |config| IceServers {
            servers: serde_json::to_value(&config.ice_servers).unwrap_or_default(),
            ttl: Duration::from_secs(config.ttl),
            expires: UnixTime(config.expires_at),
        })
    }
}
