//! A place to write to, one value after another, that remembers when something did not fit.

/// Writes into a caller's slice. What does not fit is not written at all, and nothing after it either.
#[derive(Debug)]
pub struct Cursor<'b> {
    buffer: &'b mut [u8],
    len: usize,
    overflow: bool,
}

impl<'b> Cursor<'b> {
    pub(super) fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, len: 0, overflow: false }
    }

    /// Appends `bytes`.
    pub fn put(&mut self, bytes: &[u8]) {
        if self.overflow {
            return;
        }
        match self.buffer.get_mut(self.len..).and_then(|rest| rest.get_mut(..bytes.len())) {
            Some(place) => {
                place.copy_from_slice(bytes);
                self.len += bytes.len();
            }
            None => self.overflow = true,
        }
    }

    /// Appends one byte.
    pub fn put_u8(&mut self, value: u8) {
        self.put(&[value]);
    }

    /// Appends two bytes, the high one first.
    pub fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    /// Appends four bytes, the highest first.
    pub fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// Gives up: the value breaks the bounds of its attribute. The message will not be finished.
    pub fn refuse(&mut self) {
        self.overflow = true;
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn overflowed(&self) -> bool {
        self.overflow
    }

    /// What has been written so far.
    pub(super) fn written(&self) -> &[u8] {
        &self.buffer[..self.len]
    }

    /// Writes over two bytes that have been written before.
    pub(super) fn set_u16(&mut self, at: usize, value: u16) {
        let place = self.buffer[..self.len].get_mut(at..).and_then(<[u8]>::first_chunk_mut::<2>);
        match place {
            Some(place) => *place = value.to_be_bytes(),
            None => self.overflow = true,
        }
    }
}
