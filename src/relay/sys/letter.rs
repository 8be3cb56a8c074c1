//! A datagram that waits to be sent, and which of them can leave as one train.
//!
//! With `UDP_SEGMENT` the kernel takes many datagrams as one: it walks its whole output path once and cuts
//! the train where the network card (or the receiver) wants single ones.

use crate::relay::content::Content;

use super::control::SendControl;
use super::name::Name;

/// The most datagrams the kernel takes as one train (`UDP_MAX_SEGMENTS` of kernels before 6.9).
pub(super) const MAX_SEGMENTS: usize = 64;

/// The most bytes of a train: what a UDP header can say, for IPv6 and its headers too.
const MAX_TRAIN: usize = 65_000;

/// One datagram that waits to be sent: ranges of the shard's buffers, and where it goes.
#[derive(Clone, Debug)]
pub(in crate::relay) struct Letter {
    /// To whom.
    pub(in crate::relay) to: Name,
    /// From which address and with which traffic class.
    pub(in crate::relay) control: SendControl,
    /// Where its bytes lie.
    pub(in crate::relay) content: Content,
    /// With the IPv4 don't-fragment bit.
    pub(in crate::relay) dont_fragment: bool,
}

impl Letter {
    /// Bytes of the datagram.
    pub(super) fn len(&self) -> usize {
        self.content.len()
    }

    /// Its pieces in `memory`, in order; those of no bytes are left out.
    pub(super) fn pieces<'m>(&self, memory: &'m [u8]) -> impl Iterator<Item = &'m [u8]> {
        self.content.pieces(memory).into_iter().filter(|piece| !piece.is_empty())
    }

    /// Whether it lies in one piece.
    pub(super) fn is_whole(&self) -> bool {
        self.content.front.is_empty() && self.content.pad == 0
    }

    fn goes_with(&self, other: &Self) -> bool {
        self.to == other.to && self.control.bytes() == other.control.bytes()
    }
}

/// How many of `order`, from the first on, leave as one train: to one receiver, from one address, all of
/// one size but for the last, which may be shorter. At least one.
pub(super) fn train(letters: &[Letter], order: &[u16], largest: usize) -> usize {
    let Some((first, rest)) = order.split_first() else { return 0 };
    let first = &letters[usize::from(*first)];
    let size = first.len();
    if size == 0 || size > largest {
        return 1;
    }
    let most = MAX_SEGMENTS.min(MAX_TRAIN / size).max(1);
    let mut count = 1;
    for at in rest.iter().take(most - 1) {
        let next = &letters[usize::from(*at)];
        let len = next.len();
        if len == 0 || len > size || !first.goes_with(next) {
            break;
        }
        count += 1;
        if len < size {
            break;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn letter(len: usize, port: u16) -> Letter {
        let to = SocketAddr::from(([127, 0, 0, 1], port));
        let control = SendControl::new(None, 0, true);
        Letter { to: Name::from(to), control, content: Content::at(0, len), dont_fragment: false }
    }

    fn trains(letters: &[Letter], largest: usize) -> Vec<usize> {
        let order: Vec<u16> = (0..letters.len() as u16).collect();
        let (mut at, mut trains) = (0, Vec::new());
        while at < order.len() {
            let count = train(letters, &order[at..], largest);
            trains.push(count);
            at += count;
        }
        trains
    }

    #[test]
    fn equal_letters_to_one_receiver_are_one_train_with_a_shorter_end() {
        let letters = [100, 100, 100, 40, 100].map(|len| letter(len, 9));
        assert_eq!(trains(&letters, usize::MAX), [4, 1]);
    }

    #[test]
    fn a_longer_letter_or_another_receiver_begins_a_train() {
        let letters = [letter(100, 9), letter(101, 9), letter(101, 7), letter(101, 7)];
        assert_eq!(trains(&letters, usize::MAX), [1, 1, 2]);
    }

    #[test]
    fn another_traffic_class_begins_a_train() {
        let mut letters = [100, 100, 100].map(|len| letter(len, 9));
        letters[1].control = SendControl::new(None, 0xB8, true);
        assert_eq!(trains(&letters, usize::MAX), [1, 1, 1]);
    }

    #[test]
    fn an_empty_letter_goes_alone() {
        let letters = [0, 0, 10, 0].map(|len| letter(len, 9));
        assert_eq!(trains(&letters, usize::MAX), [1, 1, 1, 1]);
    }

    #[test]
    fn a_train_is_bounded_in_letters_and_in_bytes() {
        let letters = vec![letter(10, 9); 100];
        assert_eq!(trains(&letters, usize::MAX), [64, 36]);
        let letters = vec![letter(20_000, 9); 7];
        assert_eq!(trains(&letters, usize::MAX), [3, 3, 1]);
    }

    #[test]
    fn what_is_larger_than_the_kernel_takes_goes_alone() {
        let letters = [1500, 1500, 1200, 1200].map(|len| letter(len, 9));
        assert_eq!(trains(&letters, 1400), [1, 1, 2]);
        assert_eq!(trains(&letters, 0), [1, 1, 1, 1], "switched off");
    }

    #[test]
    fn the_pieces_of_a_letter_are_its_bytes() {
        let memory: Vec<u8> = (0..=9).collect();
        let content = Content { front: 8..10, bytes: 0..5, pad: 3 };
        let letter = Letter { content, ..letter(5, 9) };
        let bytes: Vec<u8> = letter.pieces(&memory).flatten().copied().collect();
        assert_eq!(bytes, [8, 9, 0, 1, 2, 3, 4, 0, 0, 0]);
        assert_eq!(letter.len(), bytes.len());
    }
}
