//! Rates in bytes per second: a number, or a text with a unit such as `"2M"` or `"10Mbit"`.

use super::duration::shown;
use super::{Read, fault};
use crate::app::config::value::{Node, Value};

/// Bytes per second; 0 is no limit.
pub(in crate::app::config) fn bytes_per_second(node: &Node) -> Read<u64> {
    match &node.value {
        Value::Integer(number) => u64::try_from(*number)
            .or_else(|_| fault(node, format!("{number} is negative; write 0 for no limit"))),
        Value::Text(text) => parse(text.trim()).or_else(|what| fault(node, what)),
        other => fault(node, format!("expected bytes per second, found {}", other.shape())),
    }
}

/// Reads `250000`, `"250k"`, `"2MB/s"`, `"1Mi"` or, in bits, `"2Mbit"`.
fn parse(text: &str) -> Result<u64, String> {
    let wrong = || {
        let text = shown(text);
        format!("`{text}` is no rate; write bytes per second: 250000, \"250k\", or bits: \"2Mbit\"")
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let count: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim_start();
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let (prefix, per_byte) = match unit.strip_suffix("bit") {
        Some(prefix) => (prefix, 8),
        None => (unit.strip_suffix('B').unwrap_or(unit), 1),
    };
    let factor: u64 = match prefix {
        "" => 1,
        "k" | "K" => 1000,
        "M" => 1000 * 1000,
        "G" => 1000 * 1000 * 1000,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        _ => return Err(wrong()),
    };
    count.checked_mul(factor).map(|bytes| bytes / per_byte).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn units_are_decimal_binary_or_bits() {
        let rates = [
            ("0", 0),
            ("250000", 250_000),
            ("250k", 250_000),
            ("2MB/s", 2_000_000),
            ("1 Mi", 1_048_576),
            ("2Mbit", 250_000),
        ];
        for (text, rate) in rates {
            assert_eq!(parse(text), Ok(rate), "{text}");
        }
    }

    #[test]
    fn other_units_are_refused() {
        for text in ["", "k", "1x", "-1", "1 T", "99999999999999999G"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
