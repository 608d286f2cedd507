//! Which blocks are read through the system's cache.
//!
//! Reading past it costs less than half as much, and what is read once does not push out what is read often. So a block
//! is first read past it; one read in [`ONE_IN`] notes the block, and from then on it is read through the cache. What is
//! asked for again and again gets there soon, a whole content that is read once hardly does.

use std::{
    collections::{HashSet, VecDeque},
    sync::{Mutex, PoisonError},
};

use super::types::BlockId;

const ONE_IN: u8 = 16;

/// Blocks noted, the oldest given up first: 4 GiB of bodies, 1 MiB of memory.
const MAX_NOTED: usize = 16_384;

#[derive(Debug, Default)]
pub(super) struct Often {
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    ids: HashSet<BlockId>,
    order: VecDeque<BlockId>,
}

impl Often {
    /// Whether this read of the block goes through the cache.
    pub(super) fn through_cache(&self, id: &BlockId) -> bool {
        self.decide(id, rand::random())
    }

    fn decide(&self, id: &BlockId, draw: u8) -> bool {
        let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
        if noted.ids.contains(id) {
            return true;
        }
        if !draw.is_multiple_of(ONE_IN) {
            return false;
        }
        if noted.order.len() >= MAX_NOTED
            && let Some(oldest) = noted.order.pop_front()
        {
            noted.ids.remove(&oldest);
        }
        noted.ids.insert(*id);
        noted.order.push_back(*id);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> BlockId {
        let mut id = [0; 32];
        id[..8].copy_from_slice(&n.to_le_bytes());
        BlockId(id)
    }

    #[test]
    fn a_block_that_was_noted_stays_until_many_others_were() {
        let often = Often::default();
        assert!(!often.decide(&id(0), 1), "a read that notes nothing");
        assert!(often.decide(&id(0), 2 * ONE_IN));
        for n in 0..MAX_NOTED {
            assert!(often.decide(&id(0), 1), "after {n} others");
            often.decide(&id(n + 1), 0);
        }
        assert!(!often.decide(&id(0), 1), "the oldest gave way");
        let noted = often.noted.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!((noted.ids.len(), noted.order.len()), (MAX_NOTED, MAX_NOTED));
    }
}
