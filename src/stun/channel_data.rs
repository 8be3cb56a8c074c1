//! ChannelData: four bytes before the payload (RFC 8656 section 12.4).

use super::{Kind, kind};

/// Bytes before the payload: channel number and length, two each.
pub const HEADER: usize = 4;

/// The channel number and the payload's length of a ChannelData message at the front of `bytes`,
/// padded or not. The payload is `bytes[HEADER..HEADER + length]`.
///
/// `None` when it is none: another first byte, or a length beyond the bytes.
pub fn parse(bytes: &[u8]) -> Option<(u16, usize)> {
    let (&[number_high, number_low, len_high, len_low], payload) = bytes.split_first_chunk()?;
    if kind(number_high) != Kind::ChannelData {
        return None;
    }
    let len = usize::from(u16::from_be_bytes([len_high, len_low]));
    (len <= payload.len()).then_some((u16::from_be_bytes([number_high, number_low]), len))
}

/// What goes in front of a payload of `len` bytes, at most 65,535.
///
/// A longer one does not fit any datagram; its length is written as 65,535.
pub fn header(number: u16, len: usize) -> [u8; HEADER] {
    let [number_high, number_low] = number.to_be_bytes();
    let [len_high, len_low] = u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes();
    [number_high, number_low, len_high, len_low]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written() {
        let mut bytes = header(0x4001, 5).to_vec();
        bytes.extend(b"hello");
        assert_eq!(parse(&bytes), Some((0x4001, 5)));
    }

    #[test]
    fn padding_behind_the_payload_is_not_payload() {
        let mut bytes = header(0x7FFE, 1).to_vec();
        bytes.extend([9, 0, 0, 0]);
        assert_eq!(parse(&bytes), Some((0x7FFE, 1)));
    }

    #[test]
    fn an_empty_payload_is_allowed() {
        assert_eq!(parse(&header(0x4000, 0)), Some((0x4000, 0)));
    }

    #[test]
    fn a_length_beyond_the_datagram_is_refused() {
        let mut bytes = header(0x4001, 6).to_vec();
        bytes.extend(b"hello");
        assert_eq!(parse(&bytes), None);
        assert_eq!(parse(&[0x40, 0x01, 0x00]), None);
        assert_eq!(parse(&[]), None);
    }

    #[test]
    fn other_numbers_are_no_channel_data() {
        assert_eq!(parse(&[0x00, 0x01, 0, 0]), None);
        assert_eq!(parse(&[0x3F, 0xFF, 0, 0]), None);
        assert_eq!(parse(&[0x80, 0x00, 0, 0]), None);
    }
}
