//! Holders are believed only as far as they show what they claim to hold: from time to time each is asked for a block.

use std::collections::{BTreeSet, HashMap};

use phantasma_sdk::pdfs::{Client, Fetched, NodeAddress, PdfsError};
use phantasma_wire::{Hash, PublicKey, merkle};

/// A holder shows a block each so many intervals of questions: at the usual 15 s a block of 256 KiB every two minutes.
const SHOW_EVERY: u64 = 8;

/// Who did not is no holder for so many intervals: ten minutes at the usual 15 s.
const LIAR_FOR: u64 = 40;

/// Nodes remembered. A liar that is forgotten is caught again.
const MAX_REMEMBERED: usize = 4096;

/// What holders have shown.
pub(super) struct Trust {
    ask_every_ms: u64,
    shown: HashMap<PublicKey, u64>,
    liars: HashMap<PublicKey, u64>,
}

/// What came of asking for a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// It gave the block.
    Right,
    /// It claims the block, and gave another one or none.
    Wrong,
    /// It says that it does not hold it, or sends on to others.
    Not,
    /// It said nothing.
    Silent,
}

impl Trust {
    pub(super) fn new(ask_every_ms: u64) -> Self {
        Self {
            ask_every_ms,
            shown: HashMap::new(),
            liars: HashMap::new(),
        }
    }

    /// Whether a node lied a short while ago.
    pub(super) fn is_liar(&self, node: &PublicKey, now_ms: u64) -> bool {
        self.liars.get(node).is_some_and(|until| now_ms < *until)
    }

    /// Whether a node is to show a block before its claims count.
    pub(super) fn is_due(&self, node: &PublicKey, now_ms: u64) -> bool {
        let until = |at: &u64| at.saturating_add(SHOW_EVERY * self.ask_every_ms);
        self.shown.get(node).is_none_or(|at| now_ms >= until(at))
    }

    /// Takes note of what a node showed. Gives whether it is a liar from now on.
    pub(super) fn note(&mut self, node: &PublicKey, shown: Shown, now_ms: u64) -> bool {
        match shown {
            Shown::Right => remember(&mut self.shown, node, now_ms),
            Shown::Wrong => {
                self.shown.remove(node);
                let until = now_ms.saturating_add(LIAR_FOR * self.ask_every_ms);
                remember(&mut self.liars, node, until);
                return true;
            }
            Shown::Not | Shown::Silent => {}
        }
        false
    }
}

fn remember(map: &mut HashMap<PublicKey, u64>, node: &PublicKey, at_ms: u64) {
    if map.len() >= MAX_REMEMBERED && !map.contains_key(node) {
        let oldest = map.iter().min_by_key(|(_, at)| **at).map(|(node, _)| *node);
        oldest.map(|oldest| map.remove(&oldest));
    }
    map.insert(*node, at_ms);
}

/// Asks a node for a block whose id is known.
pub(super) async fn show(
    client: &Client,
    node: &NodeAddress,
    root: &Hash,
    block: u32,
    id: &Hash,
) -> Shown {
    let shown = ask(client, node, root, block, id).await;
    shown.unwrap_or(Shown::Silent)
}

/// A node that sends on to others is asked once more: it may only have been busy. When it names nobody, and still claims
/// the block, it lies.
async fn ask(
    client: &Client,
    node: &NodeAddress,
    root: &Hash,
    block: u32,
    id: &Hash,
) -> Result<Shown, PdfsError> {
    let mut busy = false;
    for _ in 0..2 {
        match client.query(node, root, block).await? {
            Fetched::Block { data, .. } => {
                let right = merkle::block_id(&data).is_ok_and(|actual| actual == *id);
                return Ok(if right { Shown::Right } else { Shown::Wrong });
            }
            Fetched::Elsewhere(holders) => busy = !holders.is_empty(),
        }
    }
    if busy {
        return Ok(Shown::Not);
    }
    let claims = client.info(node, root, block).await?;
    let claimed = claims
        .ranges
        .first()
        .is_some_and(|range| range.start <= block && block - range.start < range.count);
    Ok(if claimed { Shown::Wrong } else { Shown::Not })
}

/// One of these blocks, another one each time.
pub(super) fn any(blocks: &BTreeSet<u32>) -> Option<u32> {
    let at = rand::random_range(0..blocks.len().max(1));
    blocks.iter().nth(at).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NODE: PublicKey = [2; 33];

    #[test]
    fn who_shows_is_left_alone_for_a_while_and_who_lies_is_no_holder_for_longer() {
        let mut trust = Trust::new(1000);
        assert!(trust.is_due(&NODE, 0));
        assert!(!trust.note(&NODE, Shown::Right, 0));
        assert!(!trust.is_due(&NODE, 7999) && trust.is_due(&NODE, 8000));
        assert!(!trust.note(&NODE, Shown::Not, 8000) && !trust.is_liar(&NODE, 8000));
        assert!(trust.note(&NODE, Shown::Wrong, 8000));
        assert!(trust.is_liar(&NODE, 47_999) && !trust.is_liar(&NODE, 48_000));
        assert!(
            trust.is_due(&NODE, 48_000),
            "it shows a block before it counts again"
        );
    }

    #[test]
    fn any_number_of_liars_takes_no_more_memory() {
        let mut trust = Trust::new(1);
        for n in 0..10_000_u32 {
            let mut node = NODE;
            node[..4].copy_from_slice(&n.to_le_bytes());
            trust.note(&node, Shown::Wrong, u64::from(n));
        }
        assert_eq!(trust.liars.len(), MAX_REMEMBERED);
    }
}
