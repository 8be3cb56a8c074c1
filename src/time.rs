//! Both clocks as one argument. Nothing here reads a clock: the driver does, once per batch.

use std::ops::{Add, Sub};
use std::time::Duration;

/// A point on the driver's monotonic clock: nanoseconds since an origin the driver chose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

impl Instant {
    /// The origin itself.
    pub const ORIGIN: Self = Self(0);
    /// Later than everything: "never".
    pub const FAR: Self = Self(u64::MAX);

    /// The instant `nanos` nanoseconds after the origin.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the origin.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole seconds since the origin.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000_000
    }

    /// How long ago `earlier` was; zero when it lies in the future.
    pub const fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at [`Instant::FAR`].
    fn add(self, rhs: Duration) -> Self {
        let nanos = u64::try_from(rhs.as_nanos()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(nanos))
    }
}

impl Sub for Instant {
    type Output = Duration;

    /// Saturates at zero.
    fn sub(self, rhs: Self) -> Duration {
        self.since(rhs)
    }
}

/// Wall-clock time: whole seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixTime(pub u64);

impl UnixTime {
    /// This time and `duration` more, in whole seconds, saturating.
    pub const fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(duration.as_secs()))
    }

    /// A date and time as RFC 3339 and ISO 8601 write them: `2030-01-01T00:00:00Z`, with or without
    /// seconds and a fraction of them (left out), `T` or a space between, and an offset; none is UTC.
    /// What lies before 1970 is 1970. `None` when it is no such text.
    pub fn parse(text: &str) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let rest = rest.strip_prefix(['T', 't', ' '])?;
        let days = days(date)?;
        let (clock, zone) = rest.split_at(rest.find(['Z', 'z', '+', '-']).unwrap_or(rest.len()));
        let seconds = seconds(clock)?;
        let total = days * 86_400 + seconds - offset(zone)?;
        Some(Self(u64::try_from(total).unwrap_or(0)))
    }
}

/// Days from 1970-01-01 to `YYYY-MM-DD`.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-');
    let year = number(parts.next()?, 4)?;
    let month = number(parts.next()?, 2).filter(|month| (1..=12).contains(month))?;
    let day = number(parts.next()?, 2)?;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if parts.next().is_some() || !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March end with their leap day, and every month has a fixed place in them.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = year * 365 + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    Some(before + (153 * month + 2) / 5 + day - 1 - 719_468)
}

/// Seconds since midnight of `HH:MM`, `HH:MM:SS` or `HH:MM:SS.fraction`.
fn seconds(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut parts = clock.split(':');
    let hours = number(parts.next()?, 2).filter(|hours| *hours < 24)?;
    let minutes = number(parts.next()?, 2).filter(|minutes| *minutes < 60)?;
    // 60 is a leap second.
    let seconds = parts.next().map_or(Some(0), |text| number(text, 2)).filter(|it| *it <= 60)?;
    let whole = parts.next().is_none() && !fraction.is_empty();
    (whole && fraction.bytes().all(|byte| byte.is_ascii_digit()))
        .then_some(hours * 3600 + minutes * 60 + seconds)
}

/// How far a zone is ahead of UTC: nothing, `Z`, `±HH:MM`, `±HHMM` or `±HH`. Seconds.
fn offset(zone: &str) -> Option<i64> {
    if zone.is_empty() || zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let (sign, rest) = match zone.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, zone.strip_prefix('-')?),
    };
    let (hours, minutes) = rest.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let minutes = if minutes.is_empty() && rest.len() == 2 { 0 } else { number(minutes, 2)? };
    let hours = number(hours, 2)?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// A number of exactly so many digits.
fn number(text: &str, digits: usize) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

/// The time of one batch: monotonic for lifetimes, wall-clock for credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For everything that lasts: allocations, permissions, nonces.
    pub mono: Instant,
    /// For everything dated by others: REST usernames, tickets, logs.
    pub unix: UnixTime,
}

impl Now {
    /// Both clocks moved forward by `duration`: what simulations and tests step with.
    #[must_use]
    pub fn after(self, duration: Duration) -> Self {
        Self { mono: self.mono + duration, unix: self.unix.plus(duration) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unix(text: &str) -> Option<u64> {
        UnixTime::parse(text).map(|time| time.0)
    }

    #[test]
    fn dates_are_counted_from_1970() {
        assert_eq!(unix("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(unix("2000-02-29T12:34:56Z"), Some(951_827_696));
        assert_eq!(unix("2030-01-01T00:00:00Z"), Some(1_893_456_000));
        assert_eq!(unix("9999-12-31T23:59:59Z"), Some(253_402_300_799));
        assert_eq!(unix("1969-12-31T23:59:59Z"), Some(0));
        assert_eq!(unix("0000-03-01T00:00:00Z"), Some(0));
    }

    #[test]
    fn what_different_languages_write_is_read() {
        let at = Some(1_893_456_000);
        for text in [
            "2030-01-01T00:00:00.000Z",
            "2030-01-01T00:00:00.123456+00:00",
            "2030-01-01 00:00:00",
            "2030-01-01T00:00",
            "2030-01-01t00:00:00z",
            "2030-01-01T02:00:00+02:00",
            "2030-01-01T02:30:00+0230",
            "2029-12-31T19:00:00-05",
        ] {
            assert_eq!(unix(text), at, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "tomorrow",
            "2030-01-01",
            "2030-1-1T00:00:00Z",
            "2030-13-01T00:00:00Z",
            "2030-02-29T00:00:00Z",
            "2100-02-29T00:00:00Z",
            "2030-01-01T24:00:00Z",
            "2030-01-01T00:60:00Z",
            "2030-01-01T00:00:00.Z",
            "2030-01-01T00:00:00ZZ",
            "2030-01-01T00:00:00+",
            "2030-01-01T00:00:00+2:00",
            "2030-01-01T00:00:00+02:",
            "2030-01-01T00:00:00:00Z",
            "203\u{e9}-01-01T00:00:00Z",
            "1893456000",
        ] {
            assert_eq!(unix(text), None, "{text:?}");
        }
    }
}
