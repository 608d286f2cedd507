//! A node's routing table as libp2p keeps it: buckets of 20 by the length of the common prefix.

/// Nodes of a bucket, and of an answer: libp2p's `K_VALUE`.
pub(super) const K: usize = 20;

/// A node that was not heard of for so long has no open connection (`IDLE_CONNECTION` of our control plane), and gives
/// way to a new one when its bucket is full.
const IDLE_MS: u64 = 60_000;

/// The first 64 bits of a node's or content's SHA-256. With thousands of nodes the rest never decides.
pub(super) type Id = u64;

#[derive(Clone, Copy, Debug)]
struct Entry {
    node: u32,
    id: Id,
    heard_ms: u64,
}

/// Known nodes of one node.
#[derive(Clone, Debug)]
pub(super) struct Table {
    me: Id,
    buckets: Vec<Vec<Entry>>,
}

impl Table {
    pub(super) fn new(me: Id) -> Self {
        Self {
            me,
            buckets: vec![Vec::new(); 64],
        }
    }

    fn bucket(&mut self, id: Id) -> Option<&mut Vec<Entry>> {
        let prefix = (self.me ^ id).leading_zeros() as usize;
        self.buckets.get_mut(prefix)
    }

    /// A node was in contact.
    pub(super) fn heard(&mut self, node: u32, id: Id, now_ms: u64) {
        let Some(bucket) = self.bucket(id) else {
            return;
        };
        let entry = Entry {
            node,
            id,
            heard_ms: now_ms,
        };
        if let Some(known) = bucket.iter_mut().find(|known| known.node == node) {
            known.heard_ms = now_ms;
        } else if bucket.len() < K {
            bucket.push(entry);
        } else if let Some(oldest) = bucket.iter_mut().min_by_key(|known| known.heard_ms)
            && oldest.heard_ms + IDLE_MS <= now_ms
        {
            *oldest = entry;
        }
    }

    /// A node could not be reached: libp2p drops the address, and with the last address the node.
    pub(super) fn failed(&mut self, node: u32, id: Id) {
        if let Some(bucket) = self.bucket(id) {
            bucket.retain(|known| known.node != node);
        }
    }

    /// The known nodes nearest to a target, at most [`K`], nearest first.
    pub(super) fn closest(&self, target: Id) -> Vec<(u32, Id)> {
        let mut all: Vec<(Id, u32, Id)> = self
            .buckets
            .iter()
            .flatten()
            .map(|entry| (entry.id ^ target, entry.node, entry.id))
            .collect();
        if all.len() > K {
            all.select_nth_unstable(K);
            all.truncate(K);
        }
        all.sort_unstable();
        all.into_iter().map(|(_, node, id)| (node, id)).collect()
    }

    /// Prefix lengths of the buckets that a bootstrap looks into: from the first that holds nothing nearer, outward.
    pub(super) fn far_buckets(&self) -> impl Iterator<Item = usize> {
        let nearest = self.buckets.iter().rposition(|bucket| !bucket.is_empty());
        0..nearest.unwrap_or(0)
    }
}
