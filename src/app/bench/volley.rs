//! What a flood is made of: datagrams of one size that leave together.

use std::io;

use super::identity::{Identity, REQUEST};
use super::junk;
use super::options::Plan;
use super::wrong;
use crate::stun::{Message, Method, RequestedTransport, TransactionId};

/// Marks the ids of our requests; behind it comes the number in the volley.
const MARK: [u8; 2] = [0x52, 0x48];
/// Where the id of a request is.
const ID: usize = 8;

/// Datagrams that leave together.
pub(super) struct Volley {
    /// All of them, one behind the other.
    pub(super) bytes: Vec<u8>,
    /// Of each.
    pub(super) message: usize,
    asks: bool,
}

impl Volley {
    /// Junk, another one for each `seed`.
    pub(super) fn junk(plan: &Plan, seed: u64) -> Self {
        let bytes = junk::datagrams(seed, plan.burst, plan.size);
        Self { bytes, message: plan.size, asks: false }
    }

    /// Binding requests.
    pub(super) fn bindings(plan: &Plan) -> io::Result<Self> {
        Self::requests(plan, &Identity::new(plan), Method::BINDING)
    }

    /// Allocate requests by `who`.
    pub(super) fn allocates(plan: &Plan, who: &Identity) -> io::Result<Self> {
        Self::requests(plan, who, Method::ALLOCATE)
    }

    fn requests(plan: &Plan, who: &Identity, method: Method) -> io::Result<Self> {
        let mut buffer = [0; REQUEST];
        let len = who.write(&mut buffer, method, TransactionId([0; 12]), |out| {
            if method == Method::ALLOCATE {
                out.put(&RequestedTransport(17));
            }
        });
        let len = len.ok_or_else(|| wrong("the request does not fit"))?;
        let mut bytes = buffer[..len].repeat(plan.burst);
        for (number, message) in bytes.chunks_mut(len).enumerate() {
            message[ID + 8..ID + 10].copy_from_slice(&MARK);
            message[ID + 10..ID + 12].copy_from_slice(&(number as u16).to_be_bytes());
        }
        Ok(Self { bytes, message: len, asks: true })
    }

    /// Writes the time into the id of every request. A signature is then wrong, as it was before.
    pub(super) fn stamp(&mut self, now: u64) {
        if self.asks {
            for message in self.bytes.chunks_mut(self.message) {
                message[ID..ID + 8].copy_from_slice(&now.to_be_bytes());
            }
        }
    }
}

/// When the request was sent that this answers, if it is one of ours.
pub(super) fn sent_at(answer: &Message<'_>) -> Option<u64> {
    let TransactionId(id) = answer.transaction_id();
    let (time, rest) = id.split_first_chunk()?;
    rest.starts_with(&MARK).then(|| u64::from_be_bytes(*time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::bench::options::tests::plan;

    #[test]
    fn every_request_of_a_volley_says_when_it_left_and_has_an_id_of_its_own() {
        let plan = plan("--load challenges --burst 3").expect("a plan");
        let mut volley = Volley::allocates(&plan, &Identity::new(&plan)).expect("a volley");
        volley.stamp(77);
        let ids: std::collections::BTreeSet<_> = volley
            .bytes
            .chunks(volley.message)
            .map(|bytes| {
                let message = Message::parse(bytes).expect("a request");
                assert_eq!((message.method(), sent_at(&message)), (Method::ALLOCATE, Some(77)));
                message.transaction_id()
            })
            .collect();
        assert_eq!(ids.len(), 3);
    }

    #[test]
    fn junk_carries_no_time() {
        let plan = plan("--load junk --size 40 --burst 2").expect("a plan");
        let mut volley = Volley::junk(&plan, 1);
        let before = volley.bytes.clone();
        volley.stamp(77);
        assert_eq!(volley.bytes, before);
    }
}
