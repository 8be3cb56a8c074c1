//! Nonces without memory (RFC 8489 sections 9.2 and 14.10): a date and a keyed hash over it and the
//! client's IP address. Whoever has the key, any shard, now or after a reload, can tell.
//!
//! The text is letters and digits: 32 with the nonce cookie (`features.rs`), which the hash covers,
//! and 19 without. So a 401 stays short.
//!
//! Differs: RFC 8489 section 9.2.4 wants one nonce never given to two ports of an address. Ours leaves
//! the port out, because a client behind a NAT may ask from one port and retry from another.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::Features;
use crate::time::Instant;

/// Base-62 digits of the date: seconds on the monotonic clock, 32 bits.
const DATE: usize = 6;
/// Base-62 digits of the hash: its first 72 bits, which nobody guesses online.
const HASH: usize = 13;
const MAX_LENGTH: usize = Features::MAX_PREFIX + DATE + HASH;
/// How far ahead of our clock a nonce may be dated: shards read the clock once per batch, so one
/// may be handed a nonce of another's slightly later batch.
const SKEW: u32 = 30;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A nonce as it goes on the wire. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NonceText {
    text: [u8; MAX_LENGTH],
    length: u8,
}

impl NonceText {
    /// The value of the NONCE attribute: ASCII letters and digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text[..usize::from(self.length)]
    }
}

impl fmt::Debug for NonceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NonceText({})", self.as_bytes().escape_ascii())
    }
}

/// Makes nonces and knows its own.
pub(super) struct Nonces {
    /// With the key already in it: making it anew for each nonce doubles what a 401 costs. Its state is
    /// not wiped when it goes, as the key is; it knows nothing but nonces, which end with the process.
    mac: Hmac<Sha256>,
    /// Whole seconds, rounded up: what is dated to the second must not end early.
    lifetime: u32,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], lifetime: Duration) -> Self {
        let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
        let lifetime = u32::try_from(seconds).unwrap_or(u32::MAX);
        let key = Zeroizing::new(key);
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&key[..])
            .expect("HMAC takes keys of any length");
        Self { mac, lifetime }
    }

    /// A nonce for `client` that announces `features`, good from now on for the lifetime.
    pub(super) fn make(&self, now: Instant, client: IpAddr, features: Features) -> NonceText {
        self.dated(seconds(now), client, features)
    }

    /// Whether this is a nonce of ours for `client` within its lifetime. In constant time.
    pub(super) fn is_valid(&self, now: Instant, client: IpAddr, nonce: &[u8]) -> bool {
        let features = Features::of(nonce);
        let Some(date) = date_of(nonce, features) else { return false };
        let genuine: bool = self.dated(date, client, features).as_bytes().ct_eq(nonce).into();
        let now = seconds(now);
        let begun = date <= now.saturating_add(SKEW);
        let ended = now.saturating_sub(date) > self.lifetime;
        genuine && begun && !ended
    }

    fn dated(&self, date: u32, client: IpAddr, features: Features) -> NonceText {
        let prefix = features.prefix();
        let hash = self.hash(date, client, prefix);
        let mut wide = [0; 16];
        wide[7..].copy_from_slice(&hash[..9]);

        let mut text = [0; MAX_LENGTH];
        let (cookie, rest) = text.split_at_mut(prefix.len());
        cookie.copy_from_slice(prefix);
        write_digits(u128::from(date), &mut rest[..DATE]);
        write_digits(u128::from_be_bytes(wide), &mut rest[DATE..DATE + HASH]);
        NonceText { text, length: (prefix.len() + DATE + HASH) as u8 }
    }

    fn hash(&self, date: u32, client: IpAddr, prefix: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        mac.update(b"nonce");
        mac.update(prefix);
        mac.update(&date.to_be_bytes());
        // A dual-stack socket shows IPv4 clients as mapped addresses: the same client.
        match client.to_canonical() {
            IpAddr::V4(ip) => mac.update(&ip.octets()),
            IpAddr::V6(ip) => mac.update(&ip.octets()),
        }
        mac.finalize().into_bytes().into()
    }
}

/// The date to the second. 32 bits last for 136 years after the clock's origin.
fn seconds(now: Instant) -> u32 {
    u32::try_from(now.as_secs()).unwrap_or(u32::MAX)
}

fn date_of(nonce: &[u8], features: Features) -> Option<u32> {
    let rest = nonce.strip_prefix(features.prefix())?;
    let digits = rest.get(..DATE)?;
    let date = digits.iter().try_fold(0u64, |sum, digit| {
        let value = DIGITS.iter().position(|known| known == digit)?;
        Some(sum * 62 + value as u64)
    })?;
    u32::try_from(date).ok()
}

/// Big-endian base 62 with leading zeros; the caller's slice is long enough for the number.
fn write_digits(number: u128, out: &mut [u8]) {
    // One division by what fits a word, instead of a long one for each digit: 400 instructions of a 401.
    const HALF: usize = 10;
    const SCALE: u128 = 62u128.pow(HALF as u32);
    let (high, low) = out.split_at_mut(out.len().saturating_sub(HALF));
    write_short((number / SCALE) as u64, high);
    write_short((number % SCALE) as u64, low);
}

fn write_short(mut number: u64, out: &mut [u8]) {
    for digit in out.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HOUR: Duration = Duration::from_secs(3600);

    const OFFER: Features = Features { algorithms: true, anonymity: false };

    fn nonces() -> Nonces {
        Nonces::new([7; 32], HOUR)
    }

    #[test]
    fn digits_are_written_as_one_long_division_would() {
        for number in
            [0, 61, 62, u128::from(u64::MAX), 62u128.pow(10) - 1, 62u128.pow(10), (1 << 72) - 1]
        {
            let mut text = [0; HASH];
            write_digits(number, &mut text);
            let value =
                |digit: &u8| DIGITS.iter().position(|known| known == digit).unwrap() as u128;
            assert_eq!(text.iter().fold(0, |sum, digit| sum * 62 + value(digit)), number);
        }
    }

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_is_letters_and_digits_behind_its_cookie() {
        for (features, cookie) in [(Features::default(), ""), (OFFER, "obMatJos2AAAB")] {
            let at = at(u64::from(u32::MAX) * 1000);
            let nonce = nonces().make(at, ip("2001:db8::1"), features);
            assert_eq!(nonce.as_bytes().len(), cookie.len() + 19);
            assert!(nonce.as_bytes().starts_with(cookie.as_bytes()));
            assert!(nonce.as_bytes().iter().all(u8::is_ascii_alphanumeric));
            assert!(nonces().is_valid(at, ip("2001:db8::1"), nonce.as_bytes()));
        }
    }

    /// RFC 8489 section 9.2: without its cookie, or with another one, a nonce is nobody's.
    #[test]
    fn the_cookie_cannot_be_taken_off_or_changed() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
        let rest = &nonce.as_bytes()[OFFER.prefix().len()..];
        for cookie in ["", "obMatJos2AAAA", "obMatJos2AAAC", "obMatJos2AAAD", "obMatJos2gAAB"] {
            let forged = [cookie.as_bytes(), rest].concat();
            assert!(!nonces().is_valid(at(5), ip("192.0.2.1"), &forged), "{cookie}");
        }
    }

    #[test]
    fn a_nonce_is_good_for_another_holder_of_the_key() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
        assert!(nonces().is_valid(at(5), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn another_key_knows_nothing_of_it() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
        let other = Nonces::new([8; 32], HOUR);
        assert!(!other.is_valid(at(5), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_nonce_is_bound_to_the_address() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
        assert!(!nonces().is_valid(at(5), ip("192.0.2.2"), nonce.as_bytes()));
    }

    #[test]
    fn a_mapped_address_is_the_same_client() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
        assert!(nonces().is_valid(at(5), ip("::ffff:192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_nonce_ends_within_a_second_after_its_lifetime() {
        let nonce = nonces().make(at(10_900), ip("192.0.2.1"), OFFER);
        assert!(nonces().is_valid(at(10_900 + 3_600_000), ip("192.0.2.1"), nonce.as_bytes()));
        assert!(!nonces().is_valid(at(10_900 + 3_601_000), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_shard_whose_clock_lags_accepts_it_but_the_far_future_is_refused() {
        let nonce = nonces().make(at(100_000), ip("192.0.2.1"), OFFER);
        assert!(nonces().is_valid(at(99_000), ip("192.0.2.1"), nonce.as_bytes()));
        assert!(!nonces().is_valid(at(10_000), ip("192.0.2.1"), nonce.as_bytes()));
    }

    proptest! {
        /// RFC 8489 section 9.2.4, last step; a browser gives up on a 438 to a fresh nonce.
        #[test]
        fn no_nonce_is_stale_within_its_lifetime(
            made in 0u64..1 << 40, age in 0u64..=2_500, lifetime in 2_500u64..9_999,
        ) {
            let nonces = Nonces::new([7; 32], Duration::from_millis(lifetime));
            let nonce = nonces.make(at(made), ip("192.0.2.1"), OFFER);
            prop_assert!(nonces.is_valid(at(made + age), ip("192.0.2.1"), nonce.as_bytes()));
        }

        #[test]
        fn any_changed_byte_is_a_forgery(place in 0usize..MAX_LENGTH, byte in any::<u8>()) {
            let nonce = nonces().make(at(5), ip("192.0.2.1"), OFFER);
            let mut forged = nonce.text;
            forged[place] = byte;
            let same = forged == nonce.text;
            prop_assert_eq!(nonces().is_valid(at(5), ip("192.0.2.1"), &forged), same);
        }

        #[test]
        fn no_bytes_panic_or_pass(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!nonces().is_valid(at(5), ip("192.0.2.1"), &bytes));
        }
    }
}
