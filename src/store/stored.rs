//! An event as the journal holds it.

use std::borrow::Cow;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::StoreError;
use super::events::{MAX_EVENT, NewEvent};
use super::records::{Record, encode_as};

/// An event as stored, under its number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredEvent {
    pub(super) at: u64,
    #[serde(rename = "type")]
    pub(super) kind: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) room: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) peer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) by: Option<String>,
    #[serde(flatten)]
    pub(super) detail: Map<String, Value>,
}

/// An event as it is about to be stored. What is borrowed need not be copied: of an allocation's end the
/// copies cost as much as its JSON.
#[derive(Serialize)]
pub(super) struct StoredView<'a> {
    at: u64,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    peer: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by: Option<&'a str>,
    #[serde(flatten)]
    detail: Details<'a>,
}

/// What else there is to say, as a map.
struct Details<'a>(Cow<'a, [(&'static str, Value)]>);

impl Serialize for Details<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'a> StoredView<'a> {
    /// All of `event`.
    fn whole(event: &'a NewEvent) -> Self {
        Self {
            at: event.at,
            kind: event.kind.as_str(),
            room: event.room.as_deref(),
            peer: event.peer.as_deref(),
            by: event.by.as_deref(),
            detail: Details(Cow::Borrowed(&event.detail)),
        }
    }

    /// `event` and its bytes; without its details, where these would be too many.
    pub(super) fn of(event: &'a NewEvent) -> Result<(Self, Vec<u8>), StoreError> {
        let mut view = Self::whole(event);
        let bytes = encode_as::<StoredEvent>(&view)?;
        if bytes.len() <= MAX_EVENT {
            return Ok((view, bytes));
        }
        view.detail = Details(Cow::Owned(vec![("cut", true.into())]));
        let bytes = encode_as::<StoredEvent>(&view)?;
        Ok((view, bytes))
    }

    /// The same, for whoever keeps it.
    pub(super) fn into_owned(self) -> StoredEvent {
        StoredEvent {
            at: self.at,
            kind: self.kind.to_owned(),
            room: self.room.map(str::to_owned),
            peer: self.peer.map(str::to_owned),
            by: self.by.map(str::to_owned),
            detail: self
                .detail
                .0
                .iter()
                .map(|(name, it)| ((*name).to_owned(), it.clone()))
                .collect(),
        }
    }
}

impl Record for StoredEvent {
    const KIND: &'static str = "event";
    const VERSION: u32 = 1;
}
