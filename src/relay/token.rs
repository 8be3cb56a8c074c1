//! What `epoll` gives back with a ready socket: which one, and which life of its slot.

/// Whose readiness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// Another thread rang.
    Wake,
    /// The listener at this index.
    Listener(u16),
    /// The relay socket in `slot`, if that still is in its `life`: an event may have been fetched
    /// before the socket was closed and the slot given to another.
    Relay {
        /// Index into the shard's relay sockets.
        slot: u32,
        /// Which of the slot's lives.
        life: u32,
    },
    /// The client's connection in `slot`, in its `life`.
    Stream {
        /// Index into the shard's connections.
        slot: u32,
        /// Which of the slot's lives.
        life: u32,
    },
    /// The listening relay in `slot`, in its `life`.
    TcpRelay {
        /// Index into the shard's TCP relays.
        slot: u32,
        /// Which of the slot's lives.
        life: u32,
    },
    /// The connection to a peer in `slot`, in its `life`.
    Peer {
        /// Index into the shard's connections to peers.
        slot: u32,
        /// Which of the slot's lives.
        life: u32,
    },
}

/// The top three bits tell the kinds apart; the life has the 29 below.
const KIND: u32 = 61;
const SINGLE: u64 = 0;
const RELAY: u64 = 1;
const STREAM: u64 = 2;
const TCP_RELAY: u64 = 3;
const PEER: u64 = 4;
const WAKE: u64 = u32::MAX as u64;

impl Token {
    /// As 64 bits.
    pub(super) fn pack(self) -> u64 {
        match self {
            Self::Wake => WAKE,
            Self::Listener(index) => u64::from(index),
            Self::Relay { slot, life } => in_slot(RELAY, slot, life),
            Self::Stream { slot, life } => in_slot(STREAM, slot, life),
            Self::TcpRelay { slot, life } => in_slot(TCP_RELAY, slot, life),
            Self::Peer { slot, life } => in_slot(PEER, slot, life),
        }
    }

    /// From what [`Self::pack`] made.
    pub(super) fn unpack(bits: u64) -> Self {
        let (slot, life) = (bits as u32, (bits >> 32) as u32 & Self::LAST_LIFE);
        match bits >> KIND {
            RELAY => Self::Relay { slot, life },
            STREAM => Self::Stream { slot, life },
            TCP_RELAY => Self::TcpRelay { slot, life },
            PEER => Self::Peer { slot, life },
            _ if bits == WAKE => Self::Wake,
            _ => Self::Listener(bits as u16),
        }
    }

    /// Lives are counted up to this and then from 0 again.
    pub(super) const LAST_LIFE: u32 = (1 << (KIND - 32)) - 1;

    /// The life of a slot after `life`.
    pub(super) fn next_life(life: u32) -> u32 {
        if life >= Self::LAST_LIFE { 0 } else { life + 1 }
    }
}

fn in_slot(kind: u64, slot: u32, life: u32) -> u64 {
    debug_assert!(kind != SINGLE && life <= Token::LAST_LIFE);
    kind << KIND | u64::from(life) << 32 | u64::from(slot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_survives_packing() {
        let last = (u32::MAX, Token::LAST_LIFE);
        for (slot, life) in [(0, 0), (1, 7), last] {
            for token in [
                Token::Relay { slot, life },
                Token::Stream { slot, life },
                Token::TcpRelay { slot, life },
                Token::Peer { slot, life },
            ] {
                assert_eq!(Token::unpack(token.pack()), token);
            }
        }
        for token in [Token::Wake, Token::Listener(0), Token::Listener(u16::MAX)] {
            assert_eq!(Token::unpack(token.pack()), token);
        }
    }

    #[test]
    fn lives_begin_again_after_the_last() {
        assert_eq!(Token::next_life(0), 1);
        assert_eq!(Token::next_life(Token::LAST_LIFE), 0);
    }
}
