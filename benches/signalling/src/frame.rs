//! Frames of a WebSocket (RFC 6455 section 5.2) as a client writes and reads them.

/// A fixed mask: it is there because the protocol wants one, and nobody here is fooled by a proxy.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

pub const TEXT: u8 = 1;
pub const PING: u8 = 9;
pub const PONG: u8 = 10;

/// Appends one whole frame.
pub fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..=125 => out.push(0x80 | short as u8),
        middle @ 126..=0xffff => {
            out.push(0x80 | 126);
            out.extend_from_slice(&(middle as u16).to_be_bytes());
        }
        long => {
            out.push(0x80 | 127);
            out.extend_from_slice(&(long as u64).to_be_bytes());
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// The first frame in `bytes`: opcode, payload, and where the next one begins; none while it is not whole.
pub fn read(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let (&first, &second) = (bytes.first()?, bytes.get(1)?);
    let (length, head) = match second & 0x7f {
        126 => (u16::from_be_bytes(bytes.get(2..4)?.try_into().ok()?).into(), 4),
        127 => (u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?) as usize, 10_usize),
        short => (short as usize, 2),
    };
    let end = length.checked_add(head)?;
    Some((first & 0x0f, bytes.get(head..end)?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        for length in [0_usize, 125, 126, 70_000] {
            let mut frame = vec![0x80 | TEXT];
            match length {
                0..=125 => frame.push(length as u8),
                126..=0xffff => {
                    frame.push(126);
                    frame.extend((length as u16).to_be_bytes());
                }
                _ => {
                    frame.push(127);
                    frame.extend((length as u64).to_be_bytes());
                }
            }
            frame.extend(std::iter::repeat_n(b'x', length));
            assert!(read(&frame[..frame.len() - 1]).is_none());
            frame.push(b'?');
            let (opcode, payload, end) = read(&frame).expect("whole");
            assert_eq!((opcode, payload.len(), end), (TEXT, length, frame.len() - 1));
        }
    }

    #[test]
    fn what_is_written_is_masked_and_has_its_length() {
        let mut out = Vec::new();
        write(&mut out, PONG, b"abcdef");
        assert_eq!(out[..6], [0x80 | PONG, 0x86, MASK[0], MASK[1], MASK[2], MASK[3]]);
        let payload: Vec<u8> =
            out[6..].iter().zip(MASK.iter().cycle()).map(|(a, b)| a ^ b).collect();
        assert_eq!(payload, b"abcdef");
    }
}
