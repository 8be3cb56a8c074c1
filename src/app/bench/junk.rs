//! Datagrams that are no STUN, made to reach as far into a server as they can: a third look like a
//! request but for its length, a third like data of a channel that nobody has bound, the rest like nothing.

use crate::stun::MAGIC_COOKIE;

/// The smallest: a header has its place in it.
pub(super) const SMALLEST: usize = 20;

/// `count` datagrams of `size` bytes, one behind the other: the same ones for the same `seed`.
pub(super) fn datagrams(seed: u64, count: usize, size: usize) -> Vec<u8> {
    let mut random = Random(seed.wrapping_mul(0x2545_F491_4F6C_DD1D));
    let mut bytes: Vec<u8> = (0..count * size).map(|_| random.next() as u8).collect();
    for (number, datagram) in bytes.chunks_mut(size).enumerate() {
        match (seed as usize + number) % 3 {
            0 => like_a_request(datagram),
            1 => like_channel_data(datagram),
            _ => datagram[0] |= 0x80,
        }
    }
    bytes
}

/// First byte 0 to 3 and the cookie, and a length that is more than there is.
fn like_a_request(datagram: &mut [u8]) {
    let len = u16::try_from(datagram.len()).unwrap_or(u16::MAX);
    datagram[0] &= 0x03;
    datagram[2..4].copy_from_slice(&(len | 0x8000).to_be_bytes());
    datagram[4..8].copy_from_slice(&MAGIC_COOKIE.to_be_bytes());
}

/// A channel number, and the length of what is there.
fn like_channel_data(datagram: &mut [u8]) {
    let len = u16::try_from(datagram.len() - 4).unwrap_or(u16::MAX);
    datagram[0] = datagram[0] & 0x3F | 0x40;
    datagram[2..4].copy_from_slice(&len.to_be_bytes());
}

/// SplitMix64: good enough for junk, and the same everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{Kind, Message, kind};

    #[test]
    fn junk_is_of_every_kind_and_never_stun() {
        let mut seen = Vec::new();
        for seed in 0..16 {
            for datagram in datagrams(seed, 32, SMALLEST).chunks(SMALLEST) {
                assert!(Message::parse(datagram).is_err(), "{datagram:02x?}");
                seen.push(kind(datagram[0]));
            }
        }
        for one in [Kind::Stun, Kind::ChannelData, Kind::Other] {
            assert!(seen.iter().filter(|kind| **kind == one).count() > 100, "{one:?}");
        }
    }

    #[test]
    fn the_same_seed_makes_the_same_junk_and_another_makes_other_junk() {
        assert_eq!(datagrams(5, 9, 50), datagrams(5, 9, 50));
        assert_ne!(datagrams(5, 9, 50), datagrams(6, 9, 50));
    }
}
