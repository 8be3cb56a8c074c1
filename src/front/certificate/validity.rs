//! From when to when a certificate is good (RFC 5280 section 4.1.2.5), read from its DER.
//!
//! rustls checks the dates of other people's certificates alone, so that the few steps to those of
//! our own stand here. What does not look as it should has no dates, and nothing worse.

use std::time::Duration;

use crate::time::UnixTime;

use super::in_words;

/// From this long before its end, a certificate is worth a word.
const SOON: Duration = Duration::from_secs(7 * 86_400);

/// Both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validity {
    /// Good from here on.
    pub not_before: UnixTime,
    /// Good until here.
    pub not_after: UnixTime,
}

impl Validity {
    pub(super) fn complaint(&self, now: UnixTime) -> Option<String> {
        let (now, begin, end) = (now.0, self.not_before.0, self.not_after.0);
        let ago = |since: u64| in_words(Duration::from_secs(now - since));
        let left = |until: u64| in_words(Duration::from_secs(until - now));
        if now > end {
            return Some(format!("it expired {} ago: renew it, clients refuse it", ago(end)));
        }
        if now < begin {
            let left = left(begin);
            return Some(format!("it is good only in {left}: is this host's clock right?"));
        }
        let soon = end - now < SOON.as_secs();
        soon.then(|| format!("it expires in {}: renew it", left(end)))
    }
}

/// DER's tags of what stands on the way.
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xA0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

/// The dates of a certificate in DER.
pub(super) fn of(der: &[u8]) -> Option<Validity> {
    let (certificate, _) = tagged(der, SEQUENCE)?;
    let (body, _) = tagged(certificate, SEQUENCE)?;
    let mut rest = match element(body)? {
        (VERSION, _, behind) => behind,
        _ => body,
    };
    // Serial number, algorithm of the signature, issuer.
    for _ in 0..3 {
        (_, _, rest) = element(rest)?;
    }
    let (dates, _) = tagged(rest, SEQUENCE)?;
    let (not_before, behind) = time(dates)?;
    let (not_after, _) = time(behind)?;
    Some(Validity { not_before, not_after })
}

fn tagged(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// A tag, its content, and what follows.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&[tag, first], rest) = der.split_first_chunk::<2>()?;
    let (length, rest) = match first {
        0..=0x7F => (usize::from(first), rest),
        0x81..=0x84 => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7F))?;
            (bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`, which is all that certificates may use.
fn time(der: &[u8]) -> Option<(UnixTime, &[u8])> {
    let (tag, text, rest) = element(der)?;
    let digits = text.strip_suffix(b"Z")?;
    let number = |digits: &[u8]| {
        let digit = |byte: &u8| byte.is_ascii_digit().then(|| u64::from(byte - b'0'));
        digits.iter().map(digit).try_fold(0, |number, digit| Some(number * 10 + digit?))
    };
    let (year, behind) = match (tag, digits.len()) {
        (UTC_TIME, 12) => {
            let year = number(&digits[..2])?;
            (if year < 50 { 2000 + year } else { 1900 + year }, &digits[2..])
        }
        (GENERALIZED_TIME, 14) => (number(&digits[..4])?, &digits[4..]),
        _ => return None,
    };
    let part = |index: usize| number(&behind[index * 2..index * 2 + 2]);
    let days = days_since_1970(year, part(0)?, part(1)?)?;
    let seconds = part(2)? * 3600 + part(3)? * 60 + part(4)?;
    Some((UnixTime(days * 86_400 + seconds), rest))
}

/// Days of the Gregorian calendar; a date before 1970 counts as its first day.
fn days_since_1970(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Years that begin in March have their leap day at the end.
    let (year, month) =
        if month > 2 { (year, month - 3) } else { (year.checked_sub(1)?, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some(days.saturating_sub(719_468))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400;

    fn at(tag: u8, text: &str) -> Option<u64> {
        let mut der = vec![tag, u8::try_from(text.len()).expect("short")];
        der.extend(text.as_bytes());
        time(&der).map(|(time, _)| time.0)
    }

    #[test]
    fn both_spellings_of_a_time_are_read() {
        assert_eq!(at(UTC_TIME, "700101000000Z"), Some(0));
        assert_eq!(at(UTC_TIME, "260228235959Z"), Some(1_772_323_199));
        assert_eq!(at(GENERALIZED_TIME, "20240229120000Z"), Some(1_709_208_000));
        assert_eq!(at(GENERALIZED_TIME, "99991231235959Z"), Some(253_402_300_799));
        assert_eq!(at(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
    }

    #[test]
    fn anything_else_is_no_time() {
        for text in ["2602282359Z", "260228235959", "26o228235959Z", "261328235959Z", ""] {
            assert_eq!(at(UTC_TIME, text), None, "{text}");
        }
    }

    #[test]
    fn a_certificate_has_the_dates_it_was_made_with() {
        let mut wanted = rcgen::CertificateParams::new(vec!["a.example".into()]).expect("a name");
        wanted.not_before = rcgen::date_time_ymd(2026, 1, 2);
        wanted.not_after = rcgen::date_time_ymd(2051, 3, 4);
        let key = rcgen::KeyPair::generate().expect("randomness");
        let made = wanted.self_signed(&key).expect("made");
        let validity = of(made.der()).expect("dates");
        let (begin, end) = (1_767_312_000, 2_561_500_800);
        assert_eq!((validity.not_before.0, validity.not_after.0), (begin, end));
        for length in 0..made.der().len() {
            of(&made.der()[..length]); // whatever it says, it says something
        }
    }

    #[test]
    fn only_what_matters_is_complained_about() {
        let validity = Validity { not_before: UnixTime(10 * DAY), not_after: UnixTime(100 * DAY) };
        let says = |day: u64| validity.complaint(UnixTime(day * DAY)).unwrap_or_default();
        assert_eq!(says(50), "");
        assert!(says(95).contains("expires in 5 days"), "{}", says(95));
        assert!(says(103).contains("expired 3 days ago"), "{}", says(103));
        assert!(says(9).contains("good only in 24 hours"), "{}", says(9));
    }
}
