//! Values into types: the shapes every key is made of. What is not of the right shape is answered
//! with what to write instead.

pub(super) mod choice;
pub(super) mod duration;
pub(super) mod hook;
pub(super) mod net;
pub(super) mod rate;
pub(super) mod secret;

use super::problem::Fault;
use super::value::{Node, Value};

/// A value, or everything that is wrong with it.
pub(super) type Read<T> = Result<T, Vec<Fault>>;

/// One fault, at `node`.
pub(super) fn fault<T>(node: &Node, what: impl Into<String>) -> Read<T> {
    Err(vec![Fault { place: node.place.clone(), what: what.into() }])
}

/// A text.
pub(super) fn text(node: &Node) -> Read<&str> {
    match &node.value {
        Value::Text(text) => Ok(text),
        Value::Integer(number) => {
            fault(node, format!("expected a text, found a number; write \"{number}\""))
        }
        other => fault(node, format!("expected a text in quotes, found {}", other.shape())),
    }
}

/// A text that `parse` makes sense of; its error is the sentence the operator reads.
pub(super) fn parsed<T>(node: &Node, parse: impl Fn(&str) -> Result<T, String>) -> Read<T> {
    parse(text(node)?.trim()).or_else(|what| fault(node, what))
}

/// `true` or `false`.
pub(super) fn boolean(node: &Node) -> Read<bool> {
    match &node.value {
        Value::Boolean(value) => Ok(*value),
        other => fault(node, format!("expected true or false, found {}", other.shape())),
    }
}

/// A whole number from `least` to `most`.
pub(super) fn number(node: &Node, least: u64, most: u64) -> Read<u64> {
    let number = match &node.value {
        Value::Integer(number) => *number,
        Value::Text(text) if text.parse::<i64>().is_ok() => {
            return fault(node, format!("expected a whole number; write {text} without quotes"));
        }
        other => return fault(node, format!("expected a whole number, found {}", other.shape())),
    };
    match u64::try_from(number) {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => fault(node, format!("{number} is out of range; write {least} to {most}")),
    }
}

/// A whole number that fits `T`; 0 means what the key says it does.
pub(super) fn count<T: TryFrom<u64>>(node: &Node, most: T) -> Read<T>
where
    u64: TryFrom<T>,
{
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    let number = number(node, 0, most)?;
    T::try_from(number).or_else(|_| fault(node, format!("{number} is too large")))
}

/// A bound that 0 would make useless: 1 to `most`.
pub(super) fn at_least_one(node: &Node, most: usize) -> Read<usize> {
    let most = u64::try_from(most).unwrap_or(u64::MAX);
    number(node, 1, most).map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// A list; every entry that is wrong is named. An entry that stands twice is refused.
pub(super) fn list<T: PartialEq>(node: &Node, read: impl Fn(&Node) -> Read<T>) -> Read<Vec<T>> {
    let items = items(node)?;
    let (mut values, mut faults) = (Vec::with_capacity(items.len()), Vec::new());
    for item in items {
        match read(item) {
            Ok(value) if values.contains(&value) => {
                faults.extend(fault::<T>(item, "stands twice in the list; leave one").err());
            }
            Ok(value) => values.push(value),
            Err(more) => faults.push(more),
        }
    }
    if faults.is_empty() { Ok(values) } else { Err(faults.concat()) }
}

/// The entries of a list.
pub(super) fn items(node: &Node) -> Read<&[Node]> {
    match &node.value {
        Value::List(items) => Ok(items),
        Value::Text(_) | Value::Integer(_) => {
            fault(node, format!("expected a list, found {}; put it in [ ]", node.value.shape()))
        }
        other => fault(node, format!("expected a list in [ ], found {}", other.shape())),
    }
}
