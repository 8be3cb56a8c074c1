//! Where in the journal's tree what stands: keys, each a letter for its kind of place and a number.

use sled::IVec;

use super::HookId;

pub(super) const LEDGER: &[u8] = b"#";
const EVENT: &[u8] = b"e";
const ROOM: &[u8] = b"r";
const KIND: &[u8] = b"t";
pub(super) const HOOK: &[u8] = b"h";

pub(super) fn event_key(id: u64) -> Vec<u8> {
    [EVENT, &id.to_be_bytes()].concat()
}

pub(super) fn room_key(room: &str, id: u64) -> Vec<u8> {
    // The length first, so that no room's keys lie among another's.
    let length = u16::try_from(room.len()).unwrap_or(u16::MAX).to_be_bytes();
    [ROOM, &length, room.as_bytes(), &id.to_be_bytes()].concat()
}

pub(super) fn kind_key(kind: &str, id: u64) -> Vec<u8> {
    [KIND, kind.as_bytes(), b"\0", &id.to_be_bytes()].concat()
}

pub(super) fn hook_prefix(hook: &HookId) -> Vec<u8> {
    [HOOK, &hook.0].concat()
}

pub(super) fn hook_key(hook: &HookId, id: u64) -> Vec<u8> {
    [HOOK, &hook.0, &id.to_be_bytes()].concat()
}

pub(super) fn hook_of(key: &IVec) -> Option<(HookId, u64)> {
    let hook = key.get(HOOK.len()..HOOK.len() + 8)?.try_into().ok()?;
    Some((HookId(hook), id_of(key)?))
}

/// The number at the end of any key.
pub(super) fn id_of(key: &[u8]) -> Option<u64> {
    let (_, id) = key.split_last_chunk()?;
    Some(u64::from_be_bytes(*id))
}
