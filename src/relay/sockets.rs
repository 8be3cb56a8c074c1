//! The relay sockets of one shard, found by port and by slot without hashing.

use std::sync::atomic::AtomicU64;

use crate::net::RelayPort;

use super::socket::Socket;
use super::token::Token;

/// Ports of one address.
const PORTS: usize = 1 << 16;

/// No slot.
const NONE: u32 = 0;

/// All relay sockets of a shard.
#[derive(Debug, Default)]
pub(super) struct RelaySockets {
    slots: Vec<Slot>,
    free: Vec<u32>,
    /// For each relay address, once it is used: slot + 1 by port. 256 KiB, of which only the pages
    /// of ports that were open are ever touched.
    by_port: Vec<Option<Box<[u32]>>>,
}

/// A place for a socket. It has many lives; what was meant for one does not reach the next.
#[derive(Debug)]
struct Slot {
    life: u32,
    open: Option<RelaySocket>,
}

/// An open relay socket.
#[derive(Debug)]
pub(super) struct RelaySocket {
    /// Which.
    pub(super) port: RelayPort,
    /// The socket.
    pub(super) socket: Socket,
}

impl RelaySockets {
    /// Whether `port` is open here.
    pub(super) fn contains(&self, port: RelayPort) -> bool {
        self.slot_of(port).is_some()
    }

    /// The slot of `port`.
    pub(super) fn slot_of(&self, port: RelayPort) -> Option<u32> {
        let ports = self.by_port.get(usize::from(port.address))?.as_ref()?;
        ports[usize::from(port.port)].checked_sub(1)
    }

    /// Whether something waits to be sent from `port`.
    pub(super) fn has_pending(&mut self, port: RelayPort) -> bool {
        let relay = self.slot_of(port).and_then(|slot| self.at(slot));
        relay.is_some_and(|relay| !relay.socket.pending.is_empty())
    }

    /// The socket in `slot`.
    pub(super) fn at(&mut self, slot: u32) -> Option<&mut RelaySocket> {
        self.slots.get_mut(slot as usize)?.open.as_mut()
    }

    /// The socket in `slot`, if it still is in its `life`.
    pub(super) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut RelaySocket> {
        let slot = self.slots.get_mut(slot as usize)?;
        if slot.life == life { slot.open.as_mut() } else { None }
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(super) fn vacancy(&mut self) -> (u32, u32) {
        let slot = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        (slot, self.slots.get(slot as usize).map_or(0, |slot| slot.life))
    }

    /// Puts an open socket into the [`Self::vacancy`].
    pub(super) fn insert(&mut self, port: RelayPort, socket: Socket) {
        let (slot, life) = self.vacancy();
        self.free.pop();
        let open = Some(RelaySocket { port, socket });
        match self.slots.get_mut(slot as usize) {
            Some(vacant) => vacant.open = open,
            None => self.slots.push(Slot { life, open }),
        }
        let address = usize::from(port.address);
        if self.by_port.len() <= address {
            self.by_port.resize(address + 1, None);
        }
        let ports = self.by_port[address].get_or_insert_with(|| vec![NONE; PORTS].into());
        ports[usize::from(port.port)] = slot + 1;
    }

    /// Closes `port`. What the kernel had dropped on it is added to `kernel_drops`.
    pub(super) fn close(&mut self, port: RelayPort, kernel_drops: &AtomicU64) {
        let Some(index) = self.slot_of(port) else { return };
        let slot = &mut self.slots[index as usize];
        if let Some(mut closed) = slot.open.take() {
            closed.socket.note_last_drops(kernel_drops);
        }
        slot.life = Token::next_life(slot.life);
        self.free.push(index);
        if let Some(Some(ports)) = self.by_port.get_mut(usize::from(port.address)) {
            ports[usize::from(port.port)] = NONE;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::socket::Sharing;
    use super::*;

    fn socket() -> Socket {
        Socket::bind(([127, 0, 0, 1], 0).into(), Sharing::Exclusive).expect("a loopback socket")
    }

    const A: RelayPort = RelayPort { address: 0, port: 49_152 };
    const B: RelayPort = RelayPort { address: 3, port: 65_535 };

    #[test]
    fn a_socket_is_found_by_its_port_and_gone_after_closing() {
        let mut sockets = RelaySockets::default();
        sockets.insert(A, socket());
        sockets.insert(B, socket());
        let slot = sockets.slot_of(B).expect("it is open");
        assert_eq!(sockets.at(slot).expect("it is open").port, B);
        sockets.close(B, &AtomicU64::new(0));
        assert!(!sockets.contains(B));
        assert!(sockets.at(slot).is_none());
        assert!(sockets.contains(A));
    }

    #[test]
    fn an_event_for_a_closed_socket_does_not_reach_the_next_in_its_slot() {
        let mut sockets = RelaySockets::default();
        let (slot, life) = sockets.vacancy();
        sockets.insert(A, socket());
        assert!(sockets.alive(slot, life).is_some());
        sockets.close(A, &AtomicU64::new(0));
        let (again, _) = sockets.vacancy();
        assert_eq!(again, slot, "the slot is used again");
        sockets.insert(B, socket());
        assert!(sockets.alive(slot, life).is_none());
    }

    #[test]
    fn closing_what_is_not_open_changes_nothing() {
        let mut sockets = RelaySockets::default();
        sockets.close(A, &AtomicU64::new(0));
        sockets.insert(A, socket());
        assert!(sockets.contains(A));
    }
}
