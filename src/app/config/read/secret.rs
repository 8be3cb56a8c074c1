//! Secrets and users. Nothing here puts a value into an error.

use super::{Read, fault, items};
use crate::app::config::value::{Node, Value};
use crate::creds::Secret;

/// The longest secret or password, bytes.
const LONGEST: usize = 1024;

/// A list of shared secrets.
pub(in crate::app::config) fn list(node: &Node) -> Read<Vec<Secret>> {
    let (mut secrets, mut faults) = (Vec::new(), Vec::new());
    for item in items(node)? {
        match one(item) {
            Ok(secret) => secrets.push(secret),
            Err(more) => faults.extend(more),
        }
    }
    if faults.is_empty() { Ok(secrets) } else { Err(faults) }
}

/// A table of users: name = "password".
pub(in crate::app::config) fn users(node: &Node) -> Read<Vec<(String, Secret)>> {
    let Value::Table(entries) = &node.value else {
        let shape = node.value.shape();
        return fault(node, format!("expected a table, found {shape}; write {{ name = \"…\" }}"));
    };
    let (mut users, mut faults) = (Vec::new(), Vec::new());
    for (name, password) in entries {
        // RFC 8489 section 14.3: fewer than 509 bytes.
        if name.is_empty() || name.len() > 508 || name.contains(char::is_control) {
            let what = "a user's name is 1 to 508 bytes without control characters";
            faults.extend(fault::<()>(password, what).err().into_iter().flatten());
        }
        match one(password) {
            Ok(password) => users.push((name.clone(), password)),
            Err(more) => faults.extend(more),
        }
    }
    if faults.is_empty() { Ok(users) } else { Err(faults) }
}

fn one(node: &Node) -> Read<Secret> {
    match &node.value {
        Value::Text(text) if text.is_empty() => fault(node, "is empty; write a long random text"),
        Value::Text(text) if text.len() > LONGEST => {
            fault(node, format!("is longer than {LONGEST} bytes"))
        }
        Value::Text(text) => Ok(Secret::from(text.clone())),
        other => fault(node, format!("expected a text in quotes, found {}", other.shape())),
    }
}
