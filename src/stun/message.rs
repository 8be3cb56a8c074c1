//! A received message: a view on bytes that has been walked once from end to end.
//!
//! Attributes behind the first MESSAGE-INTEGRITY or MESSAGE-INTEGRITY-SHA256 prove nothing and are
//! not seen at all; only FINGERPRINT and, behind MESSAGE-INTEGRITY, MESSAGE-INTEGRITY-SHA256 count
//! there (RFC 8489 sections 14.5 to 14.7).

use std::fmt;
use std::ops::Range;

use super::header::Header;
use super::{
    Attribute, AttributeType, Class, HEADER, Malformed, Method, TransactionId, fingerprint,
    integrity,
};

/// A well-formed STUN message, borrowed from the bytes it came in.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    header: Header,
    /// Where the attributes end that count.
    counted: usize,
    sha1: Option<Span>,
    sha256: Option<Span>,
    fingerprint: bool,
}

/// Where an attribute lies in the message.
#[derive(Clone, Copy)]
struct Span {
    kind: AttributeType,
    /// Where its header begins.
    start: usize,
    /// Bytes of its value.
    len: usize,
}

impl Span {
    const fn value(self) -> Range<usize> {
        self.start + 4..self.start + 4 + self.len
    }

    /// Where the next attribute begins, which is always a multiple of four.
    const fn next(self) -> usize {
        self.start + 4 + self.len.next_multiple_of(4)
    }
}

impl<'a> Message<'a> {
    /// Checks that `bytes` are exactly one message and walks its attributes once; allocates nothing.
    ///
    /// # Errors
    /// When the header, the bounds of an attribute, the length of an integrity attribute or a
    /// FINGERPRINT is wrong. What the values mean is checked when they are asked for.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let header = Header::decode(bytes)?;
        if usize::from(header.len) != bytes.len() - HEADER || !header.len.is_multiple_of(4) {
            return Err(Malformed::MessageLength);
        }
        let counted = bytes.len();
        let mut message =
            Self { bytes, header, counted, sha1: None, sha256: None, fingerprint: false };
        let mut at = HEADER;
        while at < bytes.len() {
            let span = span_at(bytes, at)?;
            message.note(span)?;
            at = span.next();
        }
        Ok(message)
    }

    /// Takes in the next attribute of the walk.
    fn note(&mut self, span: Span) -> Result<(), Malformed> {
        if self.fingerprint {
            return Err(Malformed::FingerprintNotLast);
        }
        match span.kind {
            AttributeType::FINGERPRINT => {
                if self.bytes[span.value()]
                    != fingerprint::fingerprint(&self.bytes[..span.start]).to_be_bytes()
                {
                    return Err(Malformed::Fingerprint);
                }
                self.fingerprint = true;
            }
            AttributeType::MESSAGE_INTEGRITY if self.sha1.is_none() && self.sha256.is_none() => {
                if span.len != integrity::SHA1_LEN {
                    return Err(Malformed::ValueLength(span.kind));
                }
                self.sha1 = Some(span);
            }
            AttributeType::MESSAGE_INTEGRITY_SHA256 if self.sha256.is_none() => {
                if !integrity::is_sha256_len(span.len) {
                    return Err(Malformed::ValueLength(span.kind));
                }
                self.sha256 = Some(span);
            }
            _ => return Ok(()),
        }
        self.counted = self.counted.min(span.start);
        Ok(())
    }

    /// How many bytes it has, header included.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Request, indication, success or error.
    pub fn class(&self) -> Class {
        self.header.class
    }

    /// What it is about.
    pub fn method(&self) -> Method {
        self.header.method
    }

    /// The id that binds answer and request.
    pub fn transaction_id(&self) -> TransactionId {
        self.header.id
    }

    /// Whether it carries a FINGERPRINT, which then is right: an answer should carry one as well.
    pub fn has_fingerprint(&self) -> bool {
        self.fingerprint
    }

    /// Whether it carries a MESSAGE-INTEGRITY, right or wrong.
    pub fn has_integrity(&self) -> bool {
        self.sha1.is_some()
    }

    /// Whether it carries a MESSAGE-INTEGRITY-SHA256, right or wrong.
    pub fn has_integrity_sha256(&self) -> bool {
        self.sha256.is_some()
    }

    /// The attributes that count, in their order, with their values: those before the first integrity
    /// attribute, without FINGERPRINT.
    pub fn attributes(&self) -> impl Iterator<Item = (AttributeType, &'a [u8])> + use<'a> {
        let bytes = self.bytes;
        self.spans().map(move |span| (span.kind, &bytes[span.value()]))
    }

    /// As [`Self::attributes`], but where in the message's bytes the values lie: for one walk where many
    /// attributes are asked for, and because a relay strips a Send indication down to its DATA with this.
    pub fn ranges(&self) -> impl Iterator<Item = (AttributeType, Range<usize>)> + use<'a> {
        self.spans().map(|span| (span.kind, span.value()))
    }

    /// What an attribute says whose value is one of [`Self::ranges`].
    ///
    /// # Errors
    /// When it makes no sense.
    pub fn value<T: Attribute<'a>>(&self, range: Range<usize>) -> Result<T, Malformed> {
        T::decode(self.bytes.get(range).unwrap_or_default(), &self.header.id)
    }

    /// The first attribute of this kind (RFC 8489 section 14: a repeated one may be ignored).
    ///
    /// # Errors
    /// When it is there and makes no sense.
    pub fn get<T: Attribute<'a>>(&self) -> Result<Option<T>, Malformed> {
        self.all().next().transpose()
    }

    /// All attributes of this kind.
    pub fn all<T: Attribute<'a>>(&self) -> impl Iterator<Item = Result<T, Malformed>> + use<'a, T> {
        let id = self.header.id;
        self.attributes()
            .filter(|(kind, _)| *kind == T::TYPE || Some(*kind) == T::OLD_TYPE)
            .map(move |(_, value)| T::decode(value, &id))
    }

    /// Whether an attribute of this very number is there and counts; also for the integrity
    /// attributes and FINGERPRINT.
    pub fn has(&self, kind: AttributeType) -> bool {
        match kind {
            AttributeType::FINGERPRINT => self.fingerprint,
            AttributeType::MESSAGE_INTEGRITY => self.has_integrity(),
            AttributeType::MESSAGE_INTEGRITY_SHA256 => self.has_integrity_sha256(),
            _ => self.spans().any(|span| span.kind == kind),
        }
    }

    /// Where in the message's bytes the value of the first attribute of this number lies: a relay
    /// strips a Send indication down to its DATA with this.
    pub fn range_of(&self, kind: AttributeType) -> Option<Range<usize>> {
        self.spans().find(|span| span.kind == kind).map(Span::value)
    }

    /// Attributes that must be understood and that this library does not know at all: reasons for a
    /// 420. As often as they are there, so the caller bounds how many it names.
    pub fn unknown_required(&self) -> impl Iterator<Item = AttributeType> + use<'a> {
        self.spans()
            .map(|span| span.kind)
            .filter(|kind| kind.is_comprehension_required() && !kind.is_known())
    }

    /// Whether MESSAGE-INTEGRITY is there and made with `key`; in constant time.
    pub fn verify_sha1(&self, key: &[u8]) -> bool {
        self.sha1.is_some_and(|span| {
            integrity::verify_sha1(key, &self.bytes[..span.start], &self.bytes[span.value()])
        })
    }

    /// Whether MESSAGE-INTEGRITY-SHA256 is there, whole or truncated to no less than 16 bytes, and
    /// made with `key`; in constant time.
    pub fn verify_sha256(&self, key: &[u8]) -> bool {
        self.sha256.is_some_and(|span| {
            integrity::verify_sha256(key, &self.bytes[..span.start], &self.bytes[span.value()])
        })
    }

    /// The attributes that count. Their bounds hold since [`Self::parse`].
    fn spans(&self) -> impl Iterator<Item = Span> + use<'a> {
        let bytes = &self.bytes[..self.counted];
        let mut at = HEADER;
        std::iter::from_fn(move || {
            let span = span_at(bytes, at).ok()?;
            at = span.next();
            Some(span)
        })
    }
}

/// The attribute whose header is at `start`, which lies in `bytes` together with its padding.
fn span_at(bytes: &[u8], start: usize) -> Result<Span, Malformed> {
    let header = bytes.get(start..).and_then(<[u8]>::first_chunk::<4>);
    let [type_high, type_low, len_high, len_low] = *header.ok_or(Malformed::MessageLength)?;
    let kind = AttributeType(u16::from_be_bytes([type_high, type_low]));
    let len = usize::from(u16::from_be_bytes([len_high, len_low]));
    let span = Span { kind, start, len };
    if span.next() > bytes.len() { Err(Malformed::Truncated(kind)) } else { Ok(span) }
}

impl fmt::Debug for Message<'_> {
    /// The header and the numbers of the attributes; no values, which may be private.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("class", &self.header.class)
            .field("method", &self.header.method)
            .field("id", &self.header.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
