//! A content of up to 1 TiB that is the same chunk over and over, but for the last one: its tree has one hash a level
//! beside those above the last leaf, so root and paths of any size cost nothing. Written on its own, by the recursive
//! definition of RFC 6962.

use sha2::{Digest, Sha256};

pub(crate) type Hash = [u8; 32];

pub(crate) struct Content {
    pub(crate) size: u64,
    /// Roots of 2^k equal chunks.
    full: Vec<Hash>,
}

pub(crate) fn leaf(chunk: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([0])
        .chain_update(chunk)
        .finalize()
        .into()
}

pub(crate) fn node(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([1])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

impl Content {
    pub(crate) fn new(size: u64) -> Content {
        let mut full = vec![leaf(&[7; 1024])];
        for _ in 0..31 {
            let last = *full.last().unwrap();
            full.push(node(&last, &last));
        }
        Content { size, full }
    }

    pub(crate) fn chunks(&self) -> u64 {
        self.size.div_ceil(1024)
    }

    pub(crate) fn chunk(&self, index: u64) -> Vec<u8> {
        if index + 1 < self.chunks() {
            return vec![7; 1024];
        }
        vec![9; (self.size - index * 1024) as usize]
    }

    pub(crate) fn root(&self) -> Hash {
        self.subtree(0, self.chunks())
    }

    fn subtree(&self, from: u64, count: u64) -> Hash {
        if count == 1 {
            return leaf(&self.chunk(from));
        }
        if count.is_power_of_two() && from + count < self.chunks() {
            return self.full[count.trailing_zeros() as usize];
        }
        let left = count.next_power_of_two() / 2;
        node(
            &self.subtree(from, left),
            &self.subtree(from + left, count - left),
        )
    }

    /// The path from a leaf up.
    pub(crate) fn path(&self, index: u64) -> Vec<Hash> {
        let (mut from, mut count) = (0, self.chunks());
        let mut down = Vec::new();
        while count > 1 {
            let left = count.next_power_of_two() / 2;
            if index < from + left {
                down.push(self.subtree(from + left, count - left));
                count = left;
            } else {
                down.push(self.subtree(from, left));
                from += left;
                count -= left;
            }
        }
        down.reverse();
        down
    }
}
