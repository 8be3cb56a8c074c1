//! What a packet is, by its first byte (RFC 7983 section 7, which updates RFC 8656 section 12.5).

/// What a packet on a TURN port may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// A STUN message: first byte 0 to 3.
    Stun,
    /// ChannelData: first byte 64 to 127.
    ChannelData,
    /// Neither: DTLS, RTP, HTTP or noise.
    Other,
}

/// What a packet that begins with `first_byte` claims to be.
///
/// Differs: RFC 8656 ends the channel numbers at 0x4FFF (first byte 79). Clients of RFC 5766 bind up
/// to 0x7FFE, so all its first bytes are ChannelData here; which numbers may be bound is for the relay.
pub const fn kind(first_byte: u8) -> Kind {
    match first_byte {
        0..=3 => Kind::Stun,
        64..=127 => Kind::ChannelData,
        _ => Kind::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_byte_tells_the_kind() {
        for byte in 0..=255 {
            let expected = match byte {
                0..=3 => Kind::Stun,
                4..=63 | 128.. => Kind::Other,
                64..=127 => Kind::ChannelData,
            };
            assert_eq!(kind(byte), expected, "first byte {byte}");
        }
    }
}
