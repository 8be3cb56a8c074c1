//! Lengths of time: `"24h"`, `"15m"`, `"1h30m"`, or a number of seconds.

use std::time::Duration;

use super::{Read, fault};
use crate::app::config::value::{Node, Value};

/// The units, longest first.
const UNITS: [(char, u64); 5] = [('w', 604_800), ('d', 86_400), ('h', 3600), ('m', 60), ('s', 1)];

/// The longest that is accepted: a hundred years, so that no sum of times overflows.
const LONGEST: u64 = 100 * 365 * 86_400;

/// A length of time from `least` to `most`.
pub(in crate::app::config) fn between(
    node: &Node,
    least: Duration,
    most: Duration,
) -> Read<Duration> {
    let duration = match &node.value {
        Value::Text(text) => parse(text.trim()).or_else(|what| fault(node, what))?,
        Value::Integer(seconds) => match u64::try_from(*seconds) {
            Ok(seconds) => Duration::from_secs(seconds.min(LONGEST)),
            Err(_) => return fault(node, format!("{seconds} is negative; write \"15m\" or 900")),
        },
        other => {
            return fault(
                node,
                format!("expected a time such as \"15m\", found {}", other.shape()),
            );
        }
    };
    if (least..=most).contains(&duration) {
        return Ok(duration);
    }
    let (least, most) = (format(least), format(most));
    fault(node, format!("{} is out of range; write {least} to {most}", format(duration)))
}

/// Reads `1w2d3h4m5s`: units from long to short, each at most once. Digits alone are seconds.
///
/// # Errors
/// A sentence that says what to write.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{}` is no time; write \"24h\", \"15m\", \"1h30m\"", shown(text));
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return seconds(text.parse().map_err(|_| wrong())?).ok_or_else(wrong);
    }
    let mut units = UNITS.iter();
    let (mut rest, mut total) = (text, 0u64);
    while !rest.is_empty() {
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let count: u64 = rest[..digits].parse().map_err(|_| wrong())?;
        let unit = rest[digits..].chars().next().ok_or_else(wrong)?;
        let (_, worth) = units.find(|(name, _)| *name == unit).ok_or_else(wrong)?;
        let part = count.checked_mul(*worth).ok_or_else(wrong)?;
        total = total.checked_add(part).ok_or_else(wrong)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    if text.is_empty() { Err(wrong()) } else { seconds(total).ok_or_else(wrong) }
}

fn seconds(seconds: u64) -> Option<Duration> {
    (seconds <= LONGEST).then(|| Duration::from_secs(seconds))
}

/// Writes what [`parse`] reads: `1h30m`, `0s`.
pub fn format(duration: Duration) -> String {
    let (mut seconds, mut text) = (duration.as_secs(), String::new());
    // Weeks are read, but "14d" is clearer than "2w" in an answer, and "24h" than "1d".
    let units = if seconds < 2 * 86_400 { &UNITS[2..] } else { &UNITS[1..] };
    for (unit, worth) in units {
        let count = seconds / worth;
        if count > 0 {
            text += &format!("{count}{unit}");
            seconds %= worth;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// At most the first 40 characters, control characters escaped.
pub(in crate::app::config) fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{}{more}", short.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read_back(seconds in 0..=LONGEST) {
            let duration = Duration::from_secs(seconds);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
            prop_assert_eq!(parse(&seconds.to_string()), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused_with_what_to_write(text in ".*") {
            match parse(&text) {
                Ok(duration) => prop_assert!(duration.as_secs() <= LONGEST),
                Err(what) => prop_assert!(what.contains("\"1h30m\"")),
            }
        }
    }

    #[test]
    fn units_add_up() {
        assert_eq!(parse("1w1d1h1m1s"), Ok(Duration::from_secs(604_800 + 86_400 + 3600 + 61)));
        assert_eq!(parse("1h30m"), Ok(Duration::from_secs(5400)));
    }

    #[test]
    fn a_unit_twice_or_out_of_order_is_refused() {
        for text in ["1h1h", "1m1h", "h", "1", "1x", "", "-1s", "1 h", "1.5h", "99999999999999w"] {
            assert_eq!(parse(text).is_ok(), text == "1", "{text}");
        }
    }
}
