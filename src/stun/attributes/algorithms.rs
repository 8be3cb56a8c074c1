//! PASSWORD-ALGORITHM and PASSWORD-ALGORITHMS: how a password becomes a key (RFC 8489 sections 14.11
//! and 14.12, registry in section 18.5).

use crate::stun::{Attribute, AttributeType, Cursor, Malformed, TransactionId};

/// One way to make a key of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PasswordAlgorithm<'a> {
    /// Which: [`Self::MD5`], [`Self::SHA256`] or one this library does not know.
    pub number: u16,
    /// Its parameters; the two known ones have none.
    pub parameters: &'a [u8],
}

impl<'a> PasswordAlgorithm<'a> {
    /// MD5 of "username:realm:password".
    pub const MD5: PasswordAlgorithm<'static> =
        PasswordAlgorithm { number: 0x0001, parameters: &[] };
    /// SHA-256 of "username:realm:password".
    pub const SHA256: PasswordAlgorithm<'static> =
        PasswordAlgorithm { number: 0x0002, parameters: &[] };

    /// The algorithm at the front of `bytes`, and what is behind it and its padding.
    fn split(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&[number_high, number_low, len_high, len_low], rest) = bytes.split_first_chunk()?;
        let len = usize::from(u16::from_be_bytes([len_high, len_low]));
        let parameters = rest.get(..len)?;
        // The padding of the last one may be counted as the attribute's own.
        let rest = rest.get(len.next_multiple_of(4)..).unwrap_or_default();
        Some((Self { number: u16::from_be_bytes([number_high, number_low]), parameters }, rest))
    }

    fn write(&self, out: &mut Cursor<'_>) {
        let Ok(len) = u16::try_from(self.parameters.len()) else { return out.refuse() };
        out.put_u16(self.number);
        out.put_u16(len);
        out.put(self.parameters);
        out.put(&[0; 3][..self.parameters.len().next_multiple_of(4) - self.parameters.len()]);
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithm<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHM;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        match Self::split(value) {
            Some((algorithm, [])) => Ok(algorithm),
            _ => Err(Malformed::ValueLength(Self::TYPE)),
        }
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        self.write(out);
    }
}

/// The algorithms a server accepts, the best first; a client sends them back unchanged, so that a
/// shortened list is noticed.
#[derive(Clone, Copy, Debug)]
pub struct PasswordAlgorithms<'a>(List<'a>);

#[derive(Clone, Copy, Debug)]
enum List<'a> {
    Wire(&'a [u8]),
    Algorithms(&'a [PasswordAlgorithm<'a>]),
}

impl<'a> PasswordAlgorithms<'a> {
    /// The list to write.
    pub const fn new(algorithms: &'a [PasswordAlgorithm<'a>]) -> Self {
        Self(List::Algorithms(algorithms))
    }

    /// The algorithms in the list, in its order.
    pub fn iter(&self) -> impl Iterator<Item = PasswordAlgorithm<'a>> + use<'a> {
        let (mut wire, algorithms) = match self.0 {
            List::Wire(wire) => (wire, &[][..]),
            List::Algorithms(algorithms) => (&[][..], algorithms),
        };
        let read = std::iter::from_fn(move || {
            let (algorithm, rest) = PasswordAlgorithm::split(wire)?;
            wire = rest;
            Some(algorithm)
        });
        read.chain(algorithms.iter().copied())
    }
}

impl PartialEq for PasswordAlgorithms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl<'a> Attribute<'a> for PasswordAlgorithms<'a> {
    const TYPE: AttributeType = AttributeType::PASSWORD_ALGORITHMS;

    fn decode(value: &'a [u8], _: &TransactionId) -> Result<Self, Malformed> {
        let mut rest = value;
        while !rest.is_empty() {
            (_, rest) = PasswordAlgorithm::split(rest).ok_or(Malformed::ValueLength(Self::TYPE))?;
        }
        Ok(Self(List::Wire(value)))
    }

    fn encode(&self, _: &TransactionId, out: &mut Cursor<'_>) {
        self.iter().for_each(|algorithm| algorithm.write(out));
    }
}
