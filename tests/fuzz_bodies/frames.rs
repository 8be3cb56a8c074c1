//! Any bytes as a stream: cut into frames the same way however they come in, and every frame lies
//! within its bounds.

use relayhouse::stun::frame::{self, Frame, MAX_FRAME};
use relayhouse::stun::{Kind, Message, channel_data, kind};

/// Cuts `bytes` into frames, whole and as they arrive in pieces. The first byte is the size of the
/// pieces.
pub fn run(bytes: &[u8]) {
    let Some((&step, stream)) = bytes.split_first() else { return };
    let whole = cut(stream);
    assert_eq!(in_pieces(stream, usize::from(step).max(1)), whole);
}

/// The frames of a stream that has come in whole, and whether it is broken behind them.
fn cut(mut stream: &[u8]) -> (Vec<(usize, usize)>, bool) {
    let mut frames = Vec::new();
    loop {
        match frame::next(stream) {
            Frame::Whole { len, padded } => {
                check(stream, len, padded);
                frames.push((len, padded));
                stream = &stream[padded..];
            }
            Frame::Partial => {
                assert!(stream.len() < MAX_FRAME, "the longest frame is whole");
                return (frames, false);
            }
            Frame::Broken => return (frames, true),
        }
    }
}

fn check(stream: &[u8], len: usize, padded: usize) {
    assert!(len <= padded && padded - len < 4 && padded.is_multiple_of(4));
    assert!(padded <= MAX_FRAME && padded <= stream.len());
    match kind(stream[0]) {
        Kind::ChannelData => {
            let (_, payload) = channel_data::parse(&stream[..len]).expect("it is whole");
            assert_eq!(channel_data::HEADER + payload, len);
        }
        Kind::Stun => {
            assert_eq!(len, padded);
            let _ = Message::parse(&stream[..len]);
        }
        Kind::Other => panic!("neither is a frame"),
    }
}

/// As [`cut`], of a stream that comes in `step` bytes at a time.
fn in_pieces(stream: &[u8], step: usize) -> (Vec<(usize, usize)>, bool) {
    let mut frames = Vec::new();
    let mut buffered = Vec::new();
    for piece in stream.chunks(step) {
        buffered.extend_from_slice(piece);
        loop {
            match frame::next(&buffered) {
                Frame::Whole { len, padded } => {
                    frames.push((len, padded));
                    buffered.drain(..padded);
                }
                Frame::Partial => break,
                Frame::Broken => return (frames, true),
            }
        }
    }
    (frames, false)
}
