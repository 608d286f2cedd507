//! Which subsets of a group hold everybody but the revoked: the subset difference method of Naor, Naor and Lotspiech
//! (Revocation and Tracing Schemes for Stateless Receivers, CRYPTO 2001).
//!
//! The members are the leaves of a full binary tree. Its nodes are numbered as in a heap: the root is 1, the children of
//! `n` are `2n` and `2n + 1`, and member `m` of a tree of height `h` is node `2^h + m`. The subset (i, j), where j lies
//! below i, is every leaf below i that is not below j.

/// The tallest tree: 16,777,216 members.
pub const MAX_HEIGHT: u8 = 24;

/// The most members that a header leaves out. With more it is cheaper to give the group new keys.
pub const MAX_REVOKED: usize = 65_536;

/// A cover of the others has at most 2r - 1 subsets for r revoked.
pub const MAX_ENTRIES: usize = 2 * MAX_REVOKED - 1;

/// Why there is no cover.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CoverError {
    #[error("a tree of height {height}; heights are 1 to {MAX_HEIGHT}")]
    Height { height: u8 },
    #[error("member {member} is not below {members}, the number of places of the group")]
    NoSuchMember { member: u32, members: u32 },
    #[error(
        "{revoked} members are revoked, at most {MAX_REVOKED} can be: give the group new keys without them"
    )]
    TooManyRevoked { revoked: usize },
}

/// Every leaf below `top` and not below `excluded`; or, once, everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Subset {
    excluded: u32,
    up: u8,
}

impl Subset {
    /// The whole tree, for a group without revoked members.
    pub const EVERYONE: Self = Self { excluded: 1, up: 0 };

    /// What is below the node `up` levels above `excluded`, without what is below `excluded`. None when there is no such
    /// pair of nodes in a tree of this height.
    pub fn new(height: u8, excluded: u32, up: u8) -> Option<Self> {
        let subset = Self { excluded, up };
        if subset == Self::EVERYONE {
            return Some(subset);
        }
        let depth = depth(excluded)?;
        (depth <= height && (1..=depth).contains(&up)).then_some(subset)
    }

    /// The node whose leaves are left out; 1 when none is.
    pub fn excluded(self) -> u32 {
        self.excluded
    }

    /// How many levels the top is above the excluded node; 0 for everyone.
    pub fn up(self) -> u8 {
        self.up
    }

    /// The node whose leaves are in the subset.
    pub fn top(self) -> u32 {
        self.excluded >> self.up
    }

    /// Whether a member of a tree of this height is in the subset.
    pub fn contains(self, height: u8, member: u32) -> bool {
        let Some(leaf) = leaf(height, member) else {
            return false;
        };
        self == Self::EVERYONE || (is_below(leaf, self.top()) && !is_below(leaf, self.excluded))
    }
}

/// The node of a member. None when the tree has no such place.
pub fn leaf(height: u8, member: u32) -> Option<u32> {
    let members = 1_u32.checked_shl(u32::from(height))?;
    (member < members).then_some(members + member)
}

/// Levels below the root; the root has 0. None for node 0, which is none.
pub fn depth(node: u32) -> Option<u8> {
    // At most 31, so it fits.
    node.checked_ilog2().map(|depth| depth as u8)
}

/// Whether `node` is `ancestor` or lies below it.
pub fn is_below(node: u32, ancestor: u32) -> bool {
    match (depth(node), depth(ancestor)) {
        (Some(below), Some(above)) => below >= above && node >> (below - above) == ancestor,
        _ => false,
    }
}

/// Disjoint subsets that hold every place but the revoked ones, ordered by the excluded node: at most 2r - 1 for r
/// revoked, one for none, none for all. Takes time and memory for `r * height` nodes, whatever the group's size.
///
/// # Errors
/// A height or a place that does not exist; more than [`MAX_REVOKED`] revoked.
pub fn cover(height: u8, revoked: &[u32]) -> Result<Vec<Subset>, CoverError> {
    if !(1..=MAX_HEIGHT).contains(&height) {
        return Err(CoverError::Height { height });
    }
    let mut leaves = revoked
        .iter()
        .map(|&member| {
            leaf(height, member).ok_or(CoverError::NoSuchMember {
                member,
                members: 1 << height,
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    leaves.sort_unstable();
    leaves.dedup();
    if leaves.is_empty() {
        return Ok(vec![Subset::EVERYONE]);
    }
    if leaves.len() > MAX_REVOKED {
        return Err(CoverError::TooManyRevoked {
            revoked: leaves.len(),
        });
    }
    let mut subsets = Vec::with_capacity(2 * leaves.len() - 1);
    let excluded = below(height, 1, &leaves, &mut subsets);
    push(1, excluded, &mut subsets);
    subsets.sort_unstable();
    Ok(subsets)
}

/// Covers what is below `node` save what is below the returned node, whose leaves are either revoked or covered. `leaves`
/// are the revoked ones below `node`, at least one, in order. The recursion is as deep as the tree is high.
fn below(height: u8, node: u32, leaves: &[u32], subsets: &mut Vec<Subset>) -> u32 {
    let Some(levels) = depth(node).and_then(|depth| height.checked_sub(depth + 1)) else {
        return node;
    };
    // The first leaf of the right child.
    let middle = (2 * node + 1) << levels;
    let (left, right) = leaves.split_at(leaves.partition_point(|&leaf| leaf < middle));
    match (left.is_empty(), right.is_empty()) {
        (false, true) => below(height, 2 * node, left, subsets),
        (true, _) => below(height, 2 * node + 1, right, subsets),
        (false, false) => {
            for (child, leaves) in [(2 * node, left), (2 * node + 1, right)] {
                let excluded = below(height, child, leaves, subsets);
                push(child, excluded, subsets);
            }
            node
        }
    }
}

/// The subset (top, excluded), unless it is empty.
fn push(top: u32, excluded: u32, subsets: &mut Vec<Subset>) {
    if let (Some(above), Some(below)) = (depth(top), depth(excluded))
        && let Some(up @ 1..) = below.checked_sub(above)
    {
        subsets.push(Subset { excluded, up });
    }
}
