//! Load shedding: a block that too many ask for is handed to more nodes, and those who ask are sent there.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use phantasma_sdk::pdfs::NodeAddress;
use phantasma_wire::{
    PublicKey,
    replicas::{Answer, BlockKey, Load, LoadPolicy},
};

/// Askers remembered in one window of the load: some 10 MiB.
const MAX_TOLD: usize = 65_536;

/// What is asked for, and where else it is.
pub(crate) struct Heat {
    begun: Instant,
    window_ms: u64,
    inner: Mutex<Inner>,
}

struct Inner {
    load: Load,
    hot: BTreeSet<BlockKey>,
    /// Other holders of hot blocks; without them nobody is sent away.
    others: HashMap<BlockKey, Vec<NodeAddress>>,
    /// Who was sent away in this window, and has got the block since.
    told: HashMap<(BlockKey, PublicKey), bool>,
    window: u64,
    /// Of those for whom there is no room in `told` every second one gets the block.
    turn: bool,
}

impl Heat {
    pub(crate) fn new(policy: LoadPolicy) -> Self {
        Self {
            begun: Instant::now(),
            window_ms: policy.window_ms.max(1),
            inner: Mutex::new(Inner {
                load: Load::new(policy),
                hot: BTreeSet::new(),
                others: HashMap::new(),
                told: HashMap::new(),
                window: 0,
                turn: false,
            }),
        }
    }

    /// Counts a request for a block that is here. When it is too many, gives where to send the asker instead. Who comes
    /// back gets the block once in each window: it may be that the others are as busy, and a read works while one is up.
    pub(crate) fn asked(&self, peer: &PublicKey, key: &BlockKey) -> Option<Vec<NodeAddress>> {
        let now_ms = self.now_ms();
        let mut inner = self.inner();
        let window = now_ms / self.window_ms;
        if inner.window != window {
            inner.window = window;
            inner.told.clear();
        }
        let others = inner.others.get(key).map_or(0, Vec::len);
        match inner.load.asked(key, others, now_ms) {
            Answer::Serve => return None,
            Answer::Redirect => {}
        }
        let room = inner.told.len() < MAX_TOLD;
        let serve = match inner.told.get_mut(&(*key, *peer)) {
            Some(served) => !std::mem::replace(served, true),
            None if room => {
                inner.told.insert((*key, *peer), false);
                false
            }
            None => {
                inner.turn = !inner.turn;
                inner.turn
            }
        };
        match serve {
            true => None,
            false => inner.others.get(key).cloned(),
        }
    }

    /// Blocks whose number of extra holders changes, and to how many.
    pub(crate) fn tick(&self) -> Vec<(BlockKey, usize)> {
        let now_ms = self.now_ms();
        let mut inner = self.inner();
        let changes = inner.load.tick(now_ms);
        for (key, extra) in &changes {
            if *extra > 0 {
                inner.hot.insert(*key);
            } else {
                inner.hot.remove(key);
                inner.others.remove(key);
            }
        }
        changes
    }

    /// Blocks that many ask for, or did a short while ago.
    pub(crate) fn hot(&self) -> Vec<BlockKey> {
        self.inner().hot.iter().copied().collect()
    }

    /// Where else a hot block is.
    pub(crate) fn set_others(&self, key: BlockKey, others: Vec<NodeAddress>) {
        let mut inner = self.inner();
        if inner.hot.contains(&key) {
            inner.others.insert(key, others);
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: BlockKey = BlockKey {
        root: [1; 32],
        block: 7,
    };

    fn node(n: u8) -> NodeAddress {
        NodeAddress {
            public_key: [n; 33],
            address: format!("host:{n}"),
        }
    }

    fn hot() -> Heat {
        let heat = Heat::new(LoadPolicy {
            // One window for the whole test.
            window_ms: 1 << 40,
            hot: 10,
            ..LoadPolicy::default()
        });
        for _ in 0..11 {
            assert_eq!(heat.asked(&[9; 33], &KEY), None);
        }
        heat
    }

    #[test]
    fn nobody_is_sent_away_without_another_holder() {
        let heat = hot();
        assert_eq!(heat.asked(&[9; 33], &KEY), None);
        heat.set_others(KEY, vec![node(3)]);
        assert_eq!(heat.asked(&[9; 33], &KEY), None, "it is not known as hot");
        assert_eq!(heat.tick(), [(KEY, 1)]);
        heat.set_others(KEY, vec![node(3)]);
        assert_eq!(heat.asked(&[9; 33], &KEY), Some(vec![node(3)]));
    }

    #[test]
    fn who_comes_back_gets_the_block_once() {
        let heat = hot();
        heat.tick();
        heat.set_others(KEY, vec![node(3)]);
        for peer in [4, 5] {
            let peer = [peer; 33];
            let sent = [(); 4].map(|()| heat.asked(&peer, &KEY).is_some());
            assert_eq!(sent, [true, false, true, true]);
        }
    }

    #[test]
    fn more_askers_than_are_remembered_still_get_every_second_block() {
        let heat = hot();
        heat.tick();
        heat.set_others(KEY, vec![node(3)]);
        let mut peer = [0; 33];
        for n in 0..MAX_TOLD as u32 {
            peer[..4].copy_from_slice(&n.to_le_bytes());
            assert!(heat.asked(&peer, &KEY).is_some());
        }
        let sent = [10, 11, 12, 13].map(|n| heat.asked(&[n; 33], &KEY).is_some());
        assert_eq!(sent.iter().filter(|sent| **sent).count(), 2);
    }
}
