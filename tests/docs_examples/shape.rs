//! Compares JSON by keys and types.

use serde_json::{Deserializer, Value};

/// The last JSON value of a text that ends with one.
pub fn last_json(text: &str) -> Option<Value> {
    let mut begins = text.match_indices(['{', '[']).map(|(at, _)| at);
    begins.find_map(|at| {
        let mut values = Deserializer::from_str(&text[at..]).into_iter::<Value>();
        let value = values.next()?.ok()?;
        text[at + values.byte_offset()..].trim().is_empty().then_some(value)
    })
}

/// Whether `got` has the shape of `wanted`: `null` stands for anything, one element of a list for
/// each of its elements. The error names the place.
pub fn compare(wanted: &Value, got: &Value, place: &str) -> Result<(), String> {
    match (wanted, got) {
        (Value::Null, _) => Ok(()),
        (Value::Object(wanted), Value::Object(got)) => {
            if let Some(key) = got.keys().find(|key| !wanted.contains_key(*key)) {
                return Err(format!("answers {place}.{key}, which the page does not show"));
            }
            wanted.iter().try_for_each(|(key, wanted)| {
                let got = got.get(key).ok_or(format!("does not answer {place}.{key}"))?;
                compare(wanted, got, &format!("{place}.{key}"))
            })
        }
        (Value::Array(wanted), Value::Array(got)) => {
            if wanted.is_empty() != got.is_empty() {
                return Err(format!("answers {} elements in {place}", got.len()));
            }
            // Each has the shape of one that is shown: lists may hold several kinds.
            got.iter().enumerate().try_for_each(|(index, got)| {
                let place = format!("{place}[{index}]");
                let mut tried = wanted.iter().map(|wanted| compare(wanted, got, &place));
                let first = tried.next().unwrap_or(Ok(()));
                if first.is_ok() || tried.any(|result| result.is_ok()) { Ok(()) } else { first }
            })
        }
        (Value::String(_), Value::String(_))
        | (Value::Number(_), Value::Number(_))
        | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        _ => Err(format!("answers {got} for {place}, not what {wanted} is")),
    }
}
