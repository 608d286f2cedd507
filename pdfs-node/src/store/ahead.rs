//! What is on its way to the disk and not yet in the index: a put has to know of it as if it were.

use std::collections::{HashSet, VecDeque};

use super::types::{BlockId, Content, ContentRoot, NewBlock};

/// Groups of records that are not yet committed, the one that is being made last.
#[derive(Default)]
pub(super) struct Ahead {
    groups: VecDeque<(u64, Known)>,
}

#[derive(Default)]
struct Known {
    ids: HashSet<BlockId>,
    members: HashSet<(ContentRoot, u64, BlockId)>,
    contents: HashSet<(ContentRoot, u64, u64)>,
}

impl Ahead {
    /// Notes a block, and with `body` that its body is written too, in group `number`.
    pub(super) fn note(&mut self, number: u64, block: &NewBlock, body: bool) {
        if self.groups.back().is_none_or(|(last, _)| *last != number) {
            self.groups.push_back((number, Known::default()));
        }
        let Some((_, known)) = self.groups.back_mut() else {
            return;
        };
        if body {
            known.ids.insert(block.id);
        }
        let Content {
            root,
            size,
            expiry_ms,
        } = block.content;
        known.members.insert((root, block.index, block.id));
        known.contents.insert((root, size, expiry_ms));
    }

    /// Forgets the groups up to `number`: the index has them.
    pub(super) fn committed(&mut self, number: u64) {
        while self.groups.front().is_some_and(|(n, _)| *n <= number) {
            self.groups.pop_front();
        }
    }

    /// Forgets all groups: they were committed, or failed.
    pub(super) fn clear(&mut self) {
        self.groups.clear();
    }

    pub(super) fn has_body(&self, id: &BlockId) -> bool {
        self.any(|known| known.ids.contains(id))
    }

    pub(super) fn has_member(&self, block: &NewBlock) -> bool {
        let member = (block.content.root, block.index, block.id);
        self.any(|known| known.members.contains(&member))
    }

    /// Whether this was noted of the content, size and expiry included.
    pub(super) fn has_content(&self, content: &Content) -> bool {
        let content = (content.root, content.size, content.expiry_ms);
        self.any(|known| known.contents.contains(&content))
    }

    fn any(&self, holds: impl Fn(&Known) -> bool) -> bool {
        self.groups.iter().any(|(_, known)| holds(known))
    }
}
