//! A window on a buffer the driver owns, with headroom in front and tail behind, so that a header
//! can be put before a payload (or taken off) without moving a byte of it.

/// Bytes the driver leaves free before a received packet: a Data indication's header with an IPv6
/// peer address (20 + 24 + 4) fits.
pub const HEADROOM: usize = 64;

/// Bytes the driver leaves free behind a received packet: padding of ChannelData and of DATA.
pub const TAILROOM: usize = 64;

/// The smallest buffer a driver may hand in: any answer of the core fits.
pub const MIN_BUFFER: usize = 2048;

/// One packet in the driver's buffer.
#[derive(Debug)]
pub struct Packet<'a> {
    buffer: &'a mut [u8],
    start: usize,
    end: usize,
}

impl<'a> Packet<'a> {
    /// A window of `len` bytes that begins at `start` in `buffer`.
    ///
    /// # Panics
    /// When the window does not lie in the buffer: a bug of the driver.
    pub fn new(buffer: &'a mut [u8], start: usize, len: usize) -> Self {
        let end = start + len;
        assert!(end <= buffer.len(), "the packet's window lies in its buffer");
        Self { buffer, start, end }
    }

    /// An empty window to write an answer into.
    pub fn empty(buffer: &'a mut [u8]) -> Self {
        let start = HEADROOM.min(buffer.len());
        Self::new(buffer, start, 0)
    }

    /// What is in the window.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// What is in the window, to change in place.
    pub fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.buffer[self.start..self.end]
    }

    /// Where the window begins in the buffer.
    pub fn start(&self) -> usize {
        self.start
    }

    /// How many bytes the window holds.
    pub fn len(&self) -> usize {
        self.end - self.start
    }

    /// Whether the window holds nothing.
    pub fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// Takes `count` bytes off the front. `None` (and no change) when there are not that many.
    #[must_use]
    pub fn strip_front(&mut self, count: usize) -> Option<()> {
        (count <= self.len()).then(|| self.start += count)
    }

    /// Shortens the window to `len` bytes; longer windows only.
    pub fn truncate(&mut self, len: usize) {
        self.end = self.end.min(self.start + len);
    }

    /// Makes room for `count` bytes in front and gives them out to be written. `None` when the
    /// headroom is used up.
    #[must_use]
    pub fn grow_front(&mut self, count: usize) -> Option<&mut [u8]> {
        self.start = self.start.checked_sub(count)?;
        Some(&mut self.buffer[self.start..self.start + count])
    }

    /// Appends `count` zero bytes. `None` when the tail is used up.
    #[must_use]
    pub fn pad(&mut self, count: usize) -> Option<()> {
        let end = self.end.checked_add(count).filter(|end| *end <= self.buffer.len())?;
        self.buffer[self.end..end].fill(0);
        self.end = end;
        Some(())
    }

    /// Throws the content away and lets `write` fill the buffer anew; it returns how many bytes it
    /// wrote at the front of what it was given.
    pub fn rewrite<E>(
        &mut self,
        write: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<(), E> {
        self.start = HEADROOM.min(self.buffer.len());
        self.end = self.start;
        let written = write(&mut self.buffer[self.start..])?;
        self.end = (self.start + written).min(self.buffer.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_goes_in_front_without_moving_the_payload() {
        let mut buffer = [7u8; 128];
        let mut packet = Packet::new(&mut buffer, HEADROOM, 3);
        packet.grow_front(4).expect("headroom").copy_from_slice(&[1, 2, 3, 4]);
        packet.pad(1).expect("tail");
        assert_eq!(packet.bytes(), [1, 2, 3, 4, 7, 7, 7, 0]);
        packet.strip_front(4).expect("four bytes");
        assert_eq!(packet.bytes(), [7, 7, 7, 0]);
    }

    #[test]
    fn a_window_never_leaves_its_buffer() {
        let mut buffer = [0u8; 8];
        let mut packet = Packet::new(&mut buffer, 2, 4);
        assert!(packet.grow_front(3).is_none());
        assert!(packet.pad(3).is_none());
        assert!(packet.strip_front(5).is_none());
        assert_eq!(packet.len(), 4);
    }
}
