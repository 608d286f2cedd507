//! Which blocks are asked for more than a node should serve alone.

use std::collections::{BTreeMap, BTreeSet};

use super::BlockKey;

/// When a block is hot, and what is done then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadPolicy {
    /// Requests are counted in windows of this length.
    pub window_ms: u64,
    /// Requests for one block in a window that a node serves itself: 500 in 10 s are 12.5 MiB/s.
    pub hot: u32,
    /// Nodes that a hot block goes to beyond those that it should have, at most.
    pub max_extra: usize,
    /// A block stays hot for so many windows after the last hot one.
    pub cool_windows: u64,
    /// Blocks that are counted at once. The most asked for are always among them.
    pub max_tracked: usize,
}

impl Default for LoadPolicy {
    fn default() -> Self {
        Self {
            window_ms: 10_000,
            hot: 500,
            max_extra: 8,
            cool_windows: 30,
            max_tracked: 1024,
        }
    }
}

/// What to do with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Serve,
    /// Name the other holders instead of sending the block.
    Redirect,
}

/// Counts requests in bounded memory (the summary of Misra and Gries: a block that gets more than one in `max_tracked`
/// of all requests is never missed, and no count is too high).
#[derive(Debug)]
pub struct Load {
    policy: LoadPolicy,
    window: u64,
    counts: BTreeMap<BlockKey, u32>,
    /// Hot blocks: more nodes that shall hold them, and the last window in which they were hot.
    hot: BTreeMap<BlockKey, (usize, u64)>,
    /// Hot blocks that [`Load::tick`] has not told of.
    changed: BTreeSet<BlockKey>,
}

impl Load {
    pub fn new(policy: LoadPolicy) -> Self {
        Self {
            policy,
            window: 0,
            counts: BTreeMap::new(),
            hot: BTreeMap::new(),
            changed: BTreeSet::new(),
        }
    }

    /// Counts a request. Beyond `hot` in a window it is to be redirected, so that a flood at one block leaves the node free
    /// for all others; without another holder there is nobody to redirect to.
    pub fn asked(&mut self, key: &BlockKey, others: usize, now_ms: u64) -> Answer {
        self.turn(now_ms);
        let room = self.counts.len() < self.policy.max_tracked;
        let count = if room || self.counts.contains_key(key) {
            let count = self.counts.entry(*key).or_insert(0);
            *count = count.saturating_add(1);
            *count
        } else {
            self.counts.retain(|_, count| {
                *count -= 1;
                *count > 0
            });
            0
        };
        if count > self.policy.hot {
            self.heat(key);
        }
        if count > self.policy.hot && others > 0 {
            Answer::Redirect
        } else {
            Answer::Serve
        }
    }

    /// Blocks whose number of extra holders changes, and to how many: one more for each window in which a block is hot,
    /// none when it has cooled. For [`super::Watch::shed`].
    pub fn tick(&mut self, now_ms: u64) -> Vec<(BlockKey, usize)> {
        self.turn(now_ms);
        let mut result: Vec<_> = std::mem::take(&mut self.changed)
            .into_iter()
            .filter_map(|key| self.hot.get(&key).map(|(extra, _)| (key, *extra)))
            .collect();
        let (window, cool) = (self.window, self.policy.cool_windows);
        self.hot.retain(|key, (_, last)| {
            let stays = window < last.saturating_add(cool);
            if !stays {
                result.push((*key, 0));
            }
            stays
        });
        result
    }

    /// Once a window.
    fn heat(&mut self, key: &BlockKey) {
        if !self.hot.contains_key(key) && self.hot.len() >= self.policy.max_tracked {
            return;
        }
        let (extra, last) = self.hot.entry(*key).or_insert((0, u64::MAX));
        if *last == self.window {
            return;
        }
        *last = self.window;
        if *extra < self.policy.max_extra {
            *extra += 1;
            self.changed.insert(*key);
        }
    }

    fn turn(&mut self, now_ms: u64) {
        let window = now_ms / self.policy.window_ms.max(1);
        if window != self.window {
            self.window = window;
            self.counts.clear();
        }
    }
}
