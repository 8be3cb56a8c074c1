//! The built-in defaults: the table's, and those of `--dev` over them.

use super::Layer;
use crate::app::config::keys::{KEYS, index_of};
use crate::app::config::problem::Place;
use crate::app::config::value::Node;

/// Every key at its default.
pub(in crate::app::config) fn built_in() -> Layer {
    KEYS.iter().enumerate().map(|(index, key)| (index, toml(key.default, Place::Default))).collect()
}

/// What `--dev` puts in place of the defaults: loopback everywhere.
pub(in crate::app::config) fn dev() -> Layer {
    let values = [
        ("listen.udp", r#"["127.0.0.1:3478", "[::1]:3478"]"#),
        ("listen.tcp", r#"["127.0.0.1:3478", "[::1]:3478"]"#),
        ("listen.tls", r#"["127.0.0.1:5349", "[::1]:5349"]"#),
        ("relay.addresses", r#"["127.0.0.1", "::1"]"#),
        ("peers.allow", r#"["127.0.0.0/8", "::1"]"#),
    ];
    values
        .into_iter()
        .map(|(name, value)| (index_of(name).expect("a key of the table"), toml(value, Place::Dev)))
        .collect()
}

fn toml(text: &'static str, place: Place) -> Node {
    super::toml(text, &place).expect("a default is TOML")
}
