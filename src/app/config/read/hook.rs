//! Hooks: where to, and of what. An URL is never put into an error.

use super::{Read, fault, items, list};
use crate::app::config::nearest::nearest;
use crate::app::config::value::{Node, Value};
use crate::hooks::{HookAddress, MAX_HOOKS};
use crate::store::EventKind;

/// A list of URLs.
pub(in crate::app::config) fn addresses(node: &Node) -> Read<Vec<HookAddress>> {
    if items(node)?.len() > MAX_HOOKS {
        return fault(node, format!("has more than {MAX_HOOKS} URLs"));
    }
    list(node, |item| match &item.value {
        Value::Text(text) => HookAddress::parse(text.trim()).or_else(|what| fault(item, what)),
        other => fault(item, format!("expected an URL in quotes, found {}", other.shape())),
    })
}

/// A list of types of events.
pub(in crate::app::config) fn kinds(node: &Node) -> Read<Vec<EventKind>> {
    list(node, |item| {
        super::parsed(item, |word| {
            EventKind::from_word(word).ok_or_else(|| {
                let words = EventKind::ALL.iter().map(|kind| kind.as_str());
                match nearest(word, words) {
                    Some(near) => format!("is no type of event; did you mean \"{near}\"?"),
                    None => "is no type of event; docs/audit.md has them all".to_owned(),
                }
            })
        })
    })
}
