//! What the bodies of this dialect have in common.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::super::super::body::LooseJson;
use super::super::super::errors::ApiError;
use super::Refusal;

/// The longest name of a device, in bytes.
pub(super) const MAX_DEVICE: usize = 128;

/// A body, or why there is none.
pub(super) type Given<T> = Result<LooseJson<T>, ApiError>;

/// The room of a pair.
#[derive(Deserialize, Serialize, ToSchema)]
#[schema(as = PairingRoom)]
pub(super) struct Room {
    /// Its id.
    #[serde(default, deserialize_with = "text")]
    #[schema(value_type = String, required, min_length = 1)]
    pub(super) roomid: Option<String>,
}

/// Yes.
#[derive(Serialize, ToSchema)]
#[schema(as = PairingDone)]
pub(super) struct Done {
    pub(super) ok: bool,
}

/// A text; anything else counts as none, so that it is the field that is missing and not the JSON that
/// is wrong.
pub(super) fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    match Value::deserialize(from)? {
        Value::String(text) => Ok(Some(text)),
        _ => Ok(None),
    }
}

pub(super) fn required(field: Option<String>, most: usize) -> Result<String, Refusal> {
    let text = field.filter(|text| !text.is_empty()).ok_or(Refusal::MissingField)?;
    if text.len() > most { Err(Refusal::InvalidField) } else { Ok(text) }
}
