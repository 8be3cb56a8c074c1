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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stun::{
        Data, ErrorCode, Icmp, Message, Nonce, PasswordAlgorithm, Realm, Software,
        UnknownAttributes, Username,
    };

    const ID: TransactionId = TransactionId([1; 12]);

    fn write(buffer: &mut [u8], fill: impl FnOnce(&mut Writer<'_>)) -> Result<usize, Overflow> {
        let mut writer = Writer::new(buffer, Class::Error, Method::REFRESH, ID);
        fill(&mut writer);
        writer.finish()
    }

    #[test]
    fn padding_is_zero_whatever_the_buffer_held() {
        for len in 1..=8 {
            let mut buffer = [0xFF; 64];
            let text = &"abcdefgh"[..len];
            let end = write(&mut buffer, |out| {
                out.put(&Software(text));
            });
            let end = end.expect("it fits");
            assert_eq!(end % 4, 0);
            assert!(buffer[HEADER + 4 + len..end].iter().all(|byte| *byte == 0));
            assert!(buffer[end..].iter().all(|byte| *byte == 0xFF), "nothing behind is touched");
        }
    }

    #[test]
    fn a_buffer_of_any_size_is_filled_or_refused() {
        let whole = |out: &mut Writer<'_>| {
            out.put(&ErrorCode { code: 401, reason: "Unauthorized" })
                .put(&Realm("example.org"))
                .put(&Nonce(b"nonce"))
                .integrity_sha1(b"key")
                .integrity_sha256(b"key")
                .fingerprint();
        };
        let needed = write(&mut [0; 256], whole).expect("it fits");
        for size in 0..needed {
            assert_eq!(write(&mut vec![0; size], whole), Err(Overflow), "{size} bytes");
        }
        assert_eq!(write(&mut vec![0; needed], whole), Ok(needed));
    }

    #[test]
    fn what_did_not_fit_is_not_forgotten() {
        // The second attribute would fit where the first did not.
        let written = write(&mut [0; 48], |out| {
            out.put(&Data(&[1; 100])).put(&Software("x"));
        });
        assert_eq!(written, Err(Overflow));
    }

    #[test]
    fn a_message_ends_where_its_length_cannot_count() {
        let mut buffer = vec![0; 70_000];
        let fits = write(&mut buffer, |out| {
            out.put(&Data(&vec![1; 65_528]));
        });
        assert_eq!(fits, Ok(HEADER + 65_532));
        assert!(Message::parse(&buffer[..HEADER + 65_532]).is_ok());
        let too_long = write(&mut buffer, |out| {
            out.put(&Data(&vec![1; 65_529]));
        });
        assert_eq!(too_long, Err(Overflow));
        let twice = write(&mut buffer, |out| {
            out.put(&Data(&vec![1; 65_528])).put(&Data(&[]));
        });
        assert_eq!(twice, Err(Overflow));
    }

    #[test]
    fn values_beyond_their_bounds_are_not_written() {
        let long = "x".repeat(764);
        let mut buffer = [0; 2048];
        let mut refused =
            |fill: &dyn Fn(&mut Writer<'_>)| write(&mut buffer, |out| fill(out)) == Err(Overflow);
        assert!(refused(&|out| _ = out.put(&Username(&long[..509]))));
        assert!(!refused(&|out| _ = out.put(&Username(&long[..508]))));
        assert!(refused(&|out| _ = out.put(&Realm(&long))));
        assert!(!refused(&|out| _ = out.put(&Realm(&long[..763]))));
        assert!(refused(&|out| _ = out.put(&Nonce(long.as_bytes()))));
        assert!(refused(&|out| _ = out.put(&ErrorCode { code: 299, reason: "" })));
        assert!(refused(&|out| _ = out.put(&ErrorCode { code: 700, reason: "" })));
        assert!(refused(&|out| _ = out.put(&ErrorCode { code: 65_535, reason: "" })));
        assert!(refused(&|out| _ = out.put(&ErrorCode { code: 400, reason: &long })));
        assert!(refused(&|out| _ = out.put(&Icmp { kind: 128, code: 0, data: 0 })));
        assert!(!refused(&|out| _ = out.put(&Icmp { kind: 127, code: 255, data: 0 })));
    }

    #[test]
    fn lists_are_written_in_their_order() {
        let mut buffer = [0xFF; 64];
        let kinds = [AttributeType(0x7FFF), AttributeType(0x0010), AttributeType(0x0001)];
        let odd = PasswordAlgorithm { number: 9, parameters: b"abcde" };
        let end = write(&mut buffer, |out| {
            out.put(&UnknownAttributes::new(&kinds)).put(&odd);
        });
        let end = end.expect("it fits");
        assert_eq!(
            buffer[HEADER..end],
            [
                0x00, 0x0A, 0x00, 0x06, 0x7F, 0xFF, 0x00, 0x10, 0x00, 0x01, 0, 0, //
                0x00, 0x1D, 0x00, 0x0C, 0, 9, 0, 5, b'a', b'b', b'c', b'd', b'e', 0, 0, 0,
            ]
        );
    }
}
