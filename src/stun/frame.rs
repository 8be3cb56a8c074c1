//! Messages in a byte stream: where the first of them ends (RFC 8656 section 12.5 for ChannelData,
//! RFC 8489 section 6.2.2 for STUN). It looks at lengths alone; what a message means is for its
//! parser.

use super::{HEADER, Kind, channel_data, kind};

/// The most bytes one frame takes in a stream: the longest STUN message. Its length is a multiple of
/// four, as the padded ChannelData's is.
pub const MAX_FRAME: usize = HEADER + 65_532;

/// What is at the front of the bytes read so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// One message.
    Whole {
        /// Bytes that are the message, without padding behind it.
        len: usize,
        /// Bytes to take off the stream: the message and its padding, at most [`MAX_FRAME`] (for
        /// ChannelData at most 65,540).
        padded: usize,
    },
    /// The beginning of a message, or nothing.
    Partial,
    /// Neither STUN nor ChannelData: nobody knows where the next message begins, so that the stream
    /// is of no more use.
    Broken,
}

/// Finds the first message in `buffered`, the bytes of a stream from a message's first one on.
///
/// A message is whole only with its padding, which a stream always has (RFC 8656 section 12.5).
pub fn next(buffered: &[u8]) -> Frame {
    match announced(buffered) {
        Announced::Length(len) => {
            let padded = len.next_multiple_of(4);
            if buffered.len() < padded { Frame::Partial } else { Frame::Whole { len, padded } }
        }
        Announced::Nothing => Frame::Partial,
        Announced::Nonsense => Frame::Broken,
    }
}

/// How many bytes the first message in `buffered` takes off the stream once it is whole; `None`
/// while its length has not come in, and for what is no message.
pub fn expected(buffered: &[u8]) -> Option<usize> {
    match announced(buffered) {
        Announced::Length(len) => Some(len.next_multiple_of(4)),
        Announced::Nothing | Announced::Nonsense => None,
    }
}

/// What the first bytes of a message say of its length.
enum Announced {
    /// Not yet there.
    Nothing,
    /// No message begins like this.
    Nonsense,
    /// Header and content, without padding.
    Length(usize),
}

fn announced(buffered: &[u8]) -> Announced {
    let Some(first) = buffered.first() else { return Announced::Nothing };
    let (header, aligned) = match kind(*first) {
        Kind::Stun => (HEADER, true),
        Kind::ChannelData => (channel_data::HEADER, false),
        Kind::Other => return Announced::Nonsense,
    };
    let Some(&[high, low]) = buffered.get(2..4) else { return Announced::Nothing };
    let value = usize::from(u16::from_be_bytes([high, low]));
    // RFC 8489 section 5: attributes are padded, so the two lowest bits of the length are zero.
    match aligned && value % 4 != 0 {
        true => Announced::Nonsense,
        false => Announced::Length(header + value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stun(attributes: u16) -> Vec<u8> {
        let mut bytes = vec![0; HEADER + usize::from(attributes)];
        bytes[1] = 1;
        bytes[2..4].copy_from_slice(&attributes.to_be_bytes());
        bytes
    }

    fn channel(payload: usize) -> Vec<u8> {
        let mut bytes = channel_data::header(0x4001, payload).to_vec();
        bytes.resize((channel_data::HEADER + payload).next_multiple_of(4), 7);
        bytes
    }

    #[test]
    fn nothing_is_the_beginning_of_anything() {
        assert_eq!(next(&[]), Frame::Partial);
    }

    #[test]
    fn a_stun_message_is_its_header_and_its_length() {
        assert_eq!(next(&stun(0)), Frame::Whole { len: 20, padded: 20 });
        assert_eq!(next(&stun(8)), Frame::Whole { len: 28, padded: 28 });
        assert_eq!(next(&stun(65_532)), Frame::Whole { len: MAX_FRAME, padded: MAX_FRAME });
    }

    #[test]
    fn channel_data_is_padded_to_four_bytes() {
        for (payload, padded) in [(0, 4), (1, 8), (3, 8), (4, 8), (5, 12), (65_535, 65_540)] {
            let whole = Frame::Whole { len: 4 + payload, padded };
            assert_eq!(next(&channel(payload)), whole, "{payload} bytes");
        }
    }

    #[test]
    fn every_cut_is_partial() {
        for whole in [stun(8), channel(5)] {
            for cut in 0..whole.len() {
                assert_eq!(next(&whole[..cut]), Frame::Partial, "{cut} of {}", whole.len());
            }
        }
    }

    #[test]
    fn what_follows_is_left_alone() {
        let mut bytes = channel(2);
        bytes.extend(stun(4));
        assert_eq!(next(&bytes), Frame::Whole { len: 6, padded: 8 });
        assert_eq!(next(&bytes[8..]), Frame::Whole { len: 24, padded: 24 });
    }

    #[test]
    fn the_length_is_known_from_the_fourth_byte_on() {
        let bytes = channel(5);
        assert_eq!(expected(&bytes[..3]), None);
        assert_eq!(expected(&bytes[..4]), Some(12));
        assert_eq!(expected(&stun(8)[..5]), Some(28));
        assert_eq!(expected(&[0x16, 3, 1, 2]), None);
    }

    #[test]
    fn other_first_bytes_break_the_stream_at_once() {
        for first in (4..=63).chain(128..=255) {
            assert_eq!(next(&[first]), Frame::Broken, "first byte {first}");
        }
    }

    #[test]
    fn a_stun_length_that_is_no_multiple_of_four_breaks_the_stream() {
        assert_eq!(next(&[0, 1, 0, 3]), Frame::Broken);
    }
}
