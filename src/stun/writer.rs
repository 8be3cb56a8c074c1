//! Writes one message into a caller's slice, attribute by attribute. Nothing is allocated, and what
//! does not fit is remembered until [`Writer::finish`].

use super::header::Header;
use super::{
    Attribute, AttributeType, Class, Cursor, HEADER, Method, Overflow, TransactionId, fingerprint,
    integrity,
};

/// A message being written.
///
/// The order is the caller's: first what the message says, then [`Self::integrity_sha1`],
/// [`Self::integrity_sha256`] and [`Self::fingerprint`]. A receiver ignores what is put behind these.
#[derive(Debug)]
pub struct Writer<'b> {
    out: Cursor<'b>,
    id: TransactionId,
}

impl<'b> Writer<'b> {
    /// Begins a message at the front of `buffer`. Only the low twelve bits of the method count.
    pub fn new(buffer: &'b mut [u8], class: Class, method: Method, id: TransactionId) -> Self {
        // A message never grows beyond what its 16-bit length can count.
        let bound = buffer.len().min(HEADER + MAX_ATTRIBUTES);
        let mut out = Cursor::new(&mut buffer[..bound]);
        out.put(&Header { class, method, len: 0, id }.encode());
        Self { out, id }
    }

    /// Appends an attribute, padded with zeros.
    pub fn put<'v, T: Attribute<'v>>(&mut self, attribute: &T) -> &mut Self {
        self.put_as(T::TYPE, attribute)
    }

    /// Appends an attribute under another number: where a draft had it that the client follows.
    pub fn put_as<'v, T: Attribute<'v>>(
        &mut self,
        kind: AttributeType,
        attribute: &T,
    ) -> &mut Self {
        let id = self.id;
        self.append(kind, |out| attribute.encode(&id, out))
    }

    /// Appends MESSAGE-INTEGRITY over everything so far (RFC 8489 section 14.5).
    pub fn integrity_sha1(&mut self, key: &[u8]) -> &mut Self {
        let mac = integrity::sha1(key, self.out.written());
        self.append(AttributeType::MESSAGE_INTEGRITY, |out| out.put(&mac))
    }

    /// Appends a whole MESSAGE-INTEGRITY-SHA256 over everything so far (RFC 8489 section 14.6).
    pub fn integrity_sha256(&mut self, key: &[u8]) -> &mut Self {
        let mac = integrity::sha256(key, self.out.written());
        self.append(AttributeType::MESSAGE_INTEGRITY_SHA256, |out| out.put(&mac))
    }

    /// Appends FINGERPRINT, which must be the last attribute (RFC 8489 section 14.7).
    pub fn fingerprint(&mut self) -> &mut Self {
        let crc = fingerprint::fingerprint(self.out.written());
        self.append(AttributeType::FINGERPRINT, |out| out.put_u32(crc))
    }

    /// Ends the message and says how many bytes it has.
    ///
    /// # Errors
    /// [`Overflow`] when something did not fit; what the buffer then holds is no message.
    pub fn finish(mut self) -> Result<usize, Overflow> {
        let len = self.out.len();
        let attributes = len.checked_sub(HEADER).and_then(|len| u16::try_from(len).ok());
        self.out.set_u16(2, attributes.ok_or(Overflow)?);
        if self.out.overflowed() { Err(Overflow) } else { Ok(len) }
    }

    /// Appends header, value and padding of an attribute.
    fn append(&mut self, kind: AttributeType, value: impl FnOnce(&mut Cursor<'_>)) -> &mut Self {
        self.out.put_u16(kind.0);
        self.out.put_u16(0);
        let start = self.out.len();
        value(&mut self.out);
        let len = self.out.len() - start;
        self.out.put(&[0; 3][..len.next_multiple_of(4) - len]);
        match u16::try_from(len) {
            Ok(len) if !self.out.overflowed() => self.out.set_u16(start - 2, len),
            _ => self.out.refuse(),
        }
        self
    }
}

/// The most bytes of attributes a message can count: the last multiple of four below 65,536.
const MAX_ATTRIBUTES: usize = 65_532;
