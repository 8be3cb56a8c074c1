//! Nonces without memory (RFC 8489 sections 9.2 and 14.10): a date and a keyed hash over it and the
//! client's IP address. Whoever has the key, any shard, now or after a reload, can tell.
//!
//! The address's port is left out: a client behind a NAT may ask from one port and retry from
//! another. The text is 24 letters and digits, so that it needs no padding and a 401 stays short.
//! It can begin with [`PREFIX`], the place of RFC 8489's nonce cookie, which the hash covers.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::time::Instant;

/// What every nonce begins with: nothing, as no feature of RFC 8489 section 18.1 is announced.
const PREFIX: &[u8] = b"";
/// Base-62 digits of the date: seconds on the monotonic clock, 32 bits.
const DATE: usize = 6;
/// Base-62 digits of the hash: its first 104 bits.
const HASH: usize = 18;
const LENGTH: usize = PREFIX.len() + DATE + HASH;
/// How far ahead of our clock a nonce may be dated: shards read the clock once per batch, so one
/// may be handed a nonce of another's slightly later batch.
const SKEW: u32 = 30;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A nonce as it goes on the wire. Not a secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NonceText([u8; LENGTH]);

impl NonceText {
    /// The value of the NONCE attribute: ASCII letters and digits.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for NonceText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NonceText({})", self.0.escape_ascii())
    }
}

/// Makes nonces and knows its own.
pub(super) struct Nonces {
    key: Zeroizing<[u8; 32]>,
    /// Whole seconds, rounded up: what is dated to the second must not end early.
    lifetime: u32,
}

impl Nonces {
    pub(super) fn new(key: [u8; 32], lifetime: Duration) -> Self {
        let seconds = lifetime.as_secs() + u64::from(lifetime.subsec_nanos() > 0);
        let lifetime = u32::try_from(seconds).unwrap_or(u32::MAX);
        Self { key: Zeroizing::new(key), lifetime }
    }

    /// A nonce for `client`, good from now on for the lifetime.
    pub(super) fn make(&self, now: Instant, client: IpAddr) -> NonceText {
        self.dated(seconds(now), client)
    }

    /// Whether this is a nonce of ours for `client` within its lifetime. In constant time.
    pub(super) fn is_valid(&self, now: Instant, client: IpAddr, nonce: &[u8]) -> bool {
        let Some(date) = date_of(nonce) else { return false };
        let genuine: bool = self.dated(date, client).as_bytes().ct_eq(nonce).into();
        let now = seconds(now);
        let begun = date <= now.saturating_add(SKEW);
        let ended = now.saturating_sub(date) > self.lifetime;
        genuine && begun && !ended
    }

    fn dated(&self, date: u32, client: IpAddr) -> NonceText {
        let hash = self.hash(date, client);
        let mut wide = [0; 16];
        wide[3..].copy_from_slice(&hash[..13]);

        let mut text = [0; LENGTH];
        let (prefix, rest) = text.split_at_mut(PREFIX.len());
        prefix.copy_from_slice(PREFIX);
        write_digits(u128::from(date), &mut rest[..DATE]);
        write_digits(u128::from_be_bytes(wide), &mut rest[DATE..]);
        NonceText(text)
    }

    fn hash(&self, date: u32, client: IpAddr) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.key[..])
            .expect("HMAC takes keys of any length");
        mac.update(b"nonce");
        mac.update(PREFIX);
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

fn date_of(nonce: &[u8]) -> Option<u32> {
    let rest = nonce.strip_prefix(PREFIX)?;
    let digits = rest.get(..DATE)?;
    let date = digits.iter().try_fold(0u64, |sum, digit| {
        let value = DIGITS.iter().position(|known| known == digit)?;
        Some(sum * 62 + value as u64)
    })?;
    u32::try_from(date).ok()
}

/// Big-endian base 62 with leading zeros; the caller's slice is long enough for the number.
fn write_digits(mut number: u128, out: &mut [u8]) {
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

    fn nonces() -> Nonces {
        Nonces::new([7; 32], HOUR)
    }

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(millis * 1_000_000)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_nonce_is_24_letters_and_digits() {
        let nonce = nonces().make(at(u64::from(u32::MAX) * 1000), ip("2001:db8::1"));
        assert_eq!(nonce.as_bytes().len(), 24);
        assert!(nonce.as_bytes().iter().all(u8::is_ascii_alphanumeric));
    }

    #[test]
    fn a_nonce_is_good_for_another_holder_of_the_key() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"));
        assert!(nonces().is_valid(at(5), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn another_key_knows_nothing_of_it() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"));
        let other = Nonces::new([8; 32], HOUR);
        assert!(!other.is_valid(at(5), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_nonce_is_bound_to_the_address() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"));
        assert!(!nonces().is_valid(at(5), ip("192.0.2.2"), nonce.as_bytes()));
    }

    #[test]
    fn a_mapped_address_is_the_same_client() {
        let nonce = nonces().make(at(5), ip("192.0.2.1"));
        assert!(nonces().is_valid(at(5), ip("::ffff:192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_nonce_ends_within_a_second_after_its_lifetime() {
        let nonce = nonces().make(at(10_900), ip("192.0.2.1"));
        assert!(nonces().is_valid(at(10_900 + 3_600_000), ip("192.0.2.1"), nonce.as_bytes()));
        assert!(!nonces().is_valid(at(10_900 + 3_601_000), ip("192.0.2.1"), nonce.as_bytes()));
    }

    #[test]
    fn a_shard_whose_clock_lags_accepts_it_but_the_far_future_is_refused() {
        let nonce = nonces().make(at(100_000), ip("192.0.2.1"));
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
            let nonce = nonces.make(at(made), ip("192.0.2.1"));
            prop_assert!(nonces.is_valid(at(made + age), ip("192.0.2.1"), nonce.as_bytes()));
        }

        #[test]
        fn any_changed_byte_is_a_forgery(place in 0usize..LENGTH, byte in any::<u8>()) {
            let nonce = nonces().make(at(5), ip("192.0.2.1"));
            let mut forged = nonce.0;
            forged[place] = byte;
            let same = forged == nonce.0;
            prop_assert_eq!(nonces().is_valid(at(5), ip("192.0.2.1"), &forged), same);
        }

        #[test]
        fn no_bytes_panic_or_pass(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            prop_assert!(!nonces().is_valid(at(5), ip("192.0.2.1"), &bytes));
        }
    }
}
