//! Which kept messages this relay has, and who brought them, however old they are: what another relay's log brings again
//! after months must be recognised, when [`crate::dedup`] has long forgotten it.

use std::collections::{HashMap, VecDeque};

use phantasma_wire::Hash;

/// The kept messages by the first 64 bits of their ids: about 50 bytes each. Whoever wanted to keep a message out by one
/// with the same bits would have to try 2^64 of them before it is kept here.
#[derive(Debug, Default)]
pub(super) struct Known {
    entries: HashMap<u64, Entry>,
    /// In the order of positions, for forgetting.
    order: VecDeque<(u64, u64)>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    /// The link that brought it; 0 for an own client or an earlier run.
    link: u64,
    /// In the log; otherwise on its way there.
    stored: bool,
}

impl Known {
    /// A message from a link goes to the log. False when it is there, or on its way, already.
    pub(super) fn take(&mut self, id: &Hash, link: u64) -> bool {
        let entry = Entry {
            link,
            stored: false,
        };
        let key = bits(id);
        if self.entries.contains_key(&key) {
            return false;
        }
        self.entries.insert(key, entry);
        true
    }

    /// It is in the log; the link that brought it, or 0.
    pub(super) fn stored(&mut self, id: &Hash, position: u64) -> u64 {
        let key = bits(id);
        let entry = self.entries.entry(key).or_insert(Entry {
            link: 0,
            stored: false,
        });
        if !entry.stored {
            entry.stored = true;
            self.order.push_back((position, key));
        }
        entry.link
    }

    /// The log did not take it.
    pub(super) fn refused(&mut self, id: &Hash) {
        let key = bits(id);
        if self.entries.get(&key).is_some_and(|entry| !entry.stored) {
            self.entries.remove(&key);
        }
    }

    pub(super) fn is_stored(&self, id: &Hash) -> bool {
        self.entries
            .get(&bits(id))
            .is_some_and(|entry| entry.stored)
    }

    /// Whether this link brought it.
    pub(super) fn came_over(&self, id: &Hash, link: u64) -> bool {
        self.entries
            .get(&bits(id))
            .is_some_and(|entry| entry.link == link)
    }

    /// Forgets what the log no longer has.
    pub(super) fn forget_before(&mut self, oldest: u64) {
        while let Some((position, key)) = self.order.front()
            && *position < oldest
        {
            self.entries.remove(key);
            self.order.pop_front();
        }
    }
}

fn bits(id: &Hash) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = *id;
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_taken_once_until_the_log_has_forgotten_it() {
        let mut known = Known::default();
        assert!(known.take(&[1; 32], 5) && !known.take(&[1; 32], 6));
        assert!(!known.is_stored(&[1; 32]) && known.came_over(&[1; 32], 5));
        known.refused(&[1; 32]);
        assert!(known.take(&[1; 32], 6));
        assert_eq!(
            (known.stored(&[1; 32], 10), known.stored(&[2; 32], 11)),
            (6, 0)
        );
        known.refused(&[1; 32]);
        known.forget_before(11);
        assert!(!known.is_stored(&[1; 32]) && known.is_stored(&[2; 32]));
        assert!(known.take(&[1; 32], 7) && !known.take(&[2; 32], 7));
    }
}
