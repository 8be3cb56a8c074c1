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
        /// Which of the slot's lives, 31 bits.
        life: u32,
    },
}

/// The bit that tells relay sockets from the rest.
const RELAY: u64 = 1 << 63;
const WAKE: u64 = u32::MAX as u64;

impl Token {
    /// As 64 bits.
    pub(super) fn pack(self) -> u64 {
        match self {
            Self::Wake => WAKE,
            Self::Listener(index) => u64::from(index),
            Self::Relay { slot, life } => RELAY | u64::from(life) << 32 | u64::from(slot),
        }
    }

    /// From what [`Self::pack`] made.
    pub(super) fn unpack(bits: u64) -> Self {
        match bits {
            WAKE => Self::Wake,
            relay if relay & RELAY != 0 => {
                Self::Relay { slot: relay as u32, life: (relay >> 32) as u32 & Self::LAST_LIFE }
            }
            index => Self::Listener(index as u16),
        }
    }

    /// Lives are counted up to this and then from 0 again.
    pub(super) const LAST_LIFE: u32 = u32::MAX >> 1;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_token_survives_packing() {
        for token in [
            Token::Wake,
            Token::Listener(0),
            Token::Listener(u16::MAX),
            Token::Relay { slot: 0, life: 0 },
            Token::Relay { slot: u32::MAX, life: Token::LAST_LIFE },
        ] {
            assert_eq!(Token::unpack(token.pack()), token);
        }
    }
}
