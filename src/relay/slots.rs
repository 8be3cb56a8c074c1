//! Places for sockets, each with many lives: what was meant for one does not reach the next.

use super::token::Token;

/// Things found by a small number, which `epoll` gives back together with the life of its slot.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
}

#[derive(Debug)]
struct Slot<T> {
    life: u32,
    here: Option<T>,
}

impl<T> Default for Slots<T> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slots<T> {
    /// What is in `slot`.
    pub(super) fn at(&mut self, slot: u32) -> Option<&mut T> {
        self.slots.get_mut(slot as usize)?.here.as_mut()
    }

    /// What is in `slot`, if it still is in its `life`.
    pub(super) fn alive(&mut self, slot: u32, life: u32) -> Option<&mut T> {
        let slot = self.slots.get_mut(slot as usize)?;
        if slot.life == life { slot.here.as_mut() } else { None }
    }

    /// The life of `slot`.
    pub(super) fn life(&self, slot: u32) -> u32 {
        self.slots.get(slot as usize).map_or(0, |slot| slot.life)
    }

    /// The slot the next [`Self::insert`] takes, and the life it will have.
    pub(super) fn vacancy(&self) -> (u32, u32) {
        let slot = self.free.last().copied().unwrap_or(self.slots.len() as u32);
        (slot, self.life(slot))
    }

    /// Puts something into the [`Self::vacancy`]; says which it was.
    pub(super) fn insert(&mut self, it: T) -> u32 {
        let (slot, life) = self.vacancy();
        self.free.pop();
        let here = Some(it);
        match self.slots.get_mut(slot as usize) {
            Some(vacant) => vacant.here = here,
            None => self.slots.push(Slot { life, here }),
        }
        slot
    }

    /// Takes out what is in `slot`.
    pub(super) fn remove(&mut self, slot: u32) -> Option<T> {
        let place = self.slots.get_mut(slot as usize)?;
        let it = place.here.take()?;
        place.life = Token::next_life(place.life);
        self.free.push(slot);
        Some(it)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_meant_for_one_life_does_not_reach_the_next() {
        let mut slots = Slots::default();
        let (slot, life) = slots.vacancy();
        assert_eq!(slots.insert('a'), slot);
        assert_eq!(slots.alive(slot, life), Some(&mut 'a'));
        assert_eq!(slots.remove(slot), Some('a'));
        assert_eq!(slots.remove(slot), None);
        assert_eq!(slots.insert('b'), slot, "the slot is used again");
        assert_eq!(slots.alive(slot, life), None);
        assert_eq!(slots.at(slot), Some(&mut 'b'));
        assert_eq!(slots.alive(slot, slots.life(slot)), Some(&mut 'b'));
    }
}
