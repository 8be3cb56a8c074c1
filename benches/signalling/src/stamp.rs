//! What a payload says about itself: who sent it, to whom, and when. Readable in any server's JSON.

const MARK: &[u8] = b"bench:";
const EVERYBODY: usize = 0xff_ffff;
const DIGITS: usize = 6 + 6 + 16;

/// A message under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp {
    pub from: usize,
    /// None is everybody else in the room.
    pub to: Option<usize>,
    /// Nanoseconds since the generator's start.
    pub at: u64,
}

impl Stamp {
    pub fn text(&self) -> String {
        format!("bench:{:06x}{:06x}{:016x}", self.from, self.to.unwrap_or(EVERYBODY), self.at)
    }

    /// The stamp in a text, if there is one.
    pub fn find(text: &[u8]) -> Option<Self> {
        let at = text.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
        let digits = std::str::from_utf8(text.get(at..at + DIGITS)?).ok()?;
        let number = |range| u64::from_str_radix(digits.get(range)?, 16).ok();
        let to = number(6..12)? as usize;
        let from = number(0..6)? as usize;
        Some(Self { from, to: (to != EVERYBODY).then_some(to), at: number(12..28)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_found_in_any_text() {
        for to in [None, Some(9999)] {
            let stamp = Stamp { from: 17, to, at: 1_234_567_890_123 };
            let text = format!(r#"{{"sdp":"v=0 {} and more"}}"#, stamp.text());
            assert_eq!(Stamp::find(text.as_bytes()), Some(stamp));
        }
        assert_eq!(Stamp::find(b"bench:00"), None);
    }
}
