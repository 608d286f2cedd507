//! Which blocks of a content nodes say they hold, so that none is sent twice.

use std::collections::HashMap;

use futures_util::future::join_all;
use phantasma_wire::{
    Hash, PublicKey,
    merkle::Shape,
    pdfs::{BlockRange, NodeAddress},
};

use super::ContentError;
use crate::pdfs::Client;

/// For each node one bit a block: 25 KiB for 50 GiB.
#[derive(Debug, Default)]
pub(super) struct Held {
    blocks: u64,
    by_node: HashMap<PublicKey, Vec<u64>>,
}

impl Held {
    /// Asks all nodes at once. One that does not answer holds nothing, as far as we know.
    pub(super) async fn ask(
        client: &Client,
        nodes: &[NodeAddress],
        root: &Hash,
        blocks: u64,
    ) -> Self {
        let each = |node: &NodeAddress| {
            let node = node.clone();
            async move {
                let mut bits = vec![0; usize::try_from(blocks.div_ceil(64)).unwrap_or(0)];
                let mut from = 0;
                while u64::from(from) < blocks {
                    match client.info(&node, root, from).await {
                        Ok(holding) => {
                            mark(&mut bits, &holding.ranges);
                            match next(&holding.ranges) {
                                Some(after) if holding.more && after > from => from = after,
                                _ => break,
                            }
                        }
                        Err(error) => {
                            tracing::debug!(%error, "a node does not say what it holds");
                            break;
                        }
                    }
                }
                (node.public_key, bits)
            }
        };
        Self {
            blocks,
            by_node: join_all(nodes.iter().map(each)).await.into_iter().collect(),
        }
    }

    pub(super) fn has(&self, node: &PublicKey, block: u64) -> bool {
        let (word, bit) = (
            usize::try_from(block / 64).unwrap_or(usize::MAX),
            block % 64,
        );
        let bits = self.by_node.get(node).and_then(|bits| bits.get(word));
        block < self.blocks && bits.is_some_and(|bits| (bits >> bit) & 1 == 1)
    }
}

/// Where the blocks of a content are, as the nodes that were asked say. What they say is not proved: a proof on the chain
/// is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Blocks of the content.
    pub blocks: u64,
    /// Blocks that at least one node holds.
    pub stored: u64,
    /// Holders of the block that has the fewest.
    pub fewest: u64,
    /// Each node that was asked, with the blocks that it holds.
    pub nodes: Vec<(NodeAddress, u64)>,
}

/// Asks nodes what they hold of a content of `size` bytes.
///
/// # Errors
/// A size that no content has.
pub async fn spread(
    client: &Client,
    nodes: &[NodeAddress],
    root: &Hash,
    size: u64,
) -> Result<Spread, ContentError> {
    let blocks = Shape::new(size)?.block_count();
    let held = Held::ask(client, nodes, root, blocks).await;
    let (mut stored, mut fewest) = (0, u64::MAX);
    for block in 0..blocks {
        let holders = nodes.iter();
        let holders = holders.filter(|node| held.has(&node.public_key, block));
        let holders = holders.count() as u64;
        stored += u64::from(holders > 0);
        fewest = fewest.min(holders);
    }
    let count = |node: &NodeAddress| {
        let all = 0..blocks;
        let held = all.filter(|block| held.has(&node.public_key, *block));
        (node.clone(), held.count() as u64)
    };
    Ok(Spread {
        blocks,
        stored,
        fewest,
        nodes: nodes.iter().map(count).collect(),
    })
}

/// Sets the bits of these ranges; what lies past the end is nothing.
fn mark(bits: &mut [u64], ranges: &[BlockRange]) {
    let end = bits.len() as u64 * 64;
    for range in ranges {
        let start = u64::from(range.start);
        for block in start..(start + u64::from(range.count)).min(end) {
            let word = usize::try_from(block / 64).unwrap_or(usize::MAX);
            if let Some(bits) = bits.get_mut(word) {
                *bits |= 1 << (block % 64);
            }
        }
    }
}

fn next(ranges: &[BlockRange]) -> Option<u32> {
    ranges.last()?.start.checked_add(ranges.last()?.count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_become_bits_and_nonsense_costs_nothing() {
        let range = |start, count| BlockRange { start, count };
        let mut bits = vec![0; 2];
        mark(
            &mut bits,
            &[
                range(0, 2),
                range(63, 2),
                range(127, u32::MAX),
                range(u32::MAX, 1),
            ],
        );
        let held = Held {
            blocks: 127,
            by_node: [([1; 33], bits)].into(),
        };
        let found: Vec<_> = (0..200)
            .filter(|block| held.has(&[1; 33], *block))
            .collect();
        assert_eq!(found, [0, 1, 63, 64]);
        assert!(!held.has(&[2; 33], 0));
        assert_eq!(next(&[range(u32::MAX, 1)]), None);
    }
}
