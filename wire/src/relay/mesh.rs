//! How messages of a box pass between the relays that serve it: each relay gets each message about once, over a tree that
//! grows by itself out of the links there are (Leitão, Pereira, Rodrigues: Epidemic Broadcast Trees, 2007).
//!
//! A new link is *eager*: it carries whole messages. Whoever gets a message that it has already makes the link *lazy*,
//! and over lazy links only ids go. Who hears an id and gets no message for a while grafts: the link becomes eager again
//! and brings the message. So in a quiet network each relay gets one copy, and when a relay dies the others find another way.
//!
//! A [`Mesh`] is one relay's part for one box. Not here: links, clocks, signatures. The caller checks a message before
//! [`Mesh::pushed`] and tells of bad ones with [`Mesh::bad`].

use std::collections::{BTreeMap, VecDeque};

use super::Seen;
use crate::Hash;

/// Bounds and times of a mesh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MeshPolicy {
    /// Links at most.
    pub max_links: usize,
    /// After an id was heard, the message is waited for so long before it is asked for.
    pub graft_after_ms: u64,
    /// Ids that are remembered, 64 bytes each.
    pub max_seen: usize,
    /// Messages that are kept for whoever grafts; the caller keeps as many.
    pub max_kept: usize,
    /// Ids that were heard of and whose messages are waited for.
    pub max_missing: usize,
    /// A link whose score falls below is cut. A bad message costs 10, a new good one brings 1, up to 20.
    pub cut_below: i32,
}

impl Default for MeshPolicy {
    fn default() -> Self {
        Self {
            max_links: 16,
            graft_after_ms: 500,
            max_seen: 65_536,
            max_kept: 1_024,
            max_missing: 4_096,
            cut_below: -20,
        }
    }
}

/// What the caller shall do. Links are numbered by the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeshAction {
    /// Hand the message to this relay's own subscribers.
    Deliver { id: Hash },
    /// Send the whole message.
    Push { link: u64, id: Hash },
    /// Send the id.
    Have { link: u64, id: Hash },
    /// Ask for a message, and for all later ones.
    Graft { link: u64, id: Hash },
    /// Ask for ids only from now on.
    Prune { link: u64 },
    /// Close the link: too much of what came over it was bad.
    Cut { link: u64 },
}

/// One relay's part of the tree of a box.
#[derive(Debug)]
pub struct Mesh {
    policy: MeshPolicy,
    links: BTreeMap<u64, Link>,
    seen: Seen,
    kept: VecDeque<Hash>,
    missing: BTreeMap<Hash, Missing>,
}

#[derive(Debug)]
struct Link {
    eager: bool,
    score: Score,
}

/// What somebody's messages were worth so far. A new good one brings 1, up to 20; a bad one costs 10.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Score(i32);

impl Score {
    pub fn good(&mut self) {
        self.0 = (self.0 + 1).min(BEST_SCORE);
    }

    /// Whether that was one too many: the score is below `cut_below` now.
    pub fn bad(&mut self, cut_below: i32) -> bool {
        self.0 = self.0.saturating_sub(BAD);
        self.0 < cut_below
    }

    pub fn value(self) -> i32 {
        self.0
    }
}

#[derive(Debug)]
struct Missing {
    /// Links over which the id came, the next one to ask first.
    from: VecDeque<u64>,
    due_ms: u64,
}

const BAD: i32 = 10;
const BEST_SCORE: i32 = 20;

impl Mesh {
    pub fn new(policy: MeshPolicy) -> Self {
        Self {
            seen: Seen::new(policy.max_seen),
            policy,
            links: BTreeMap::new(),
            kept: VecDeque::new(),
            missing: BTreeMap::new(),
        }
    }

    /// A link to another relay of the box. False when there are enough; then it is to be closed.
    pub fn link_up(&mut self, link: u64) -> bool {
        if self.links.len() >= self.policy.max_links && !self.links.contains_key(&link) {
            return false;
        }
        self.links.insert(
            link,
            Link {
                eager: true,
                score: Score::default(),
            },
        );
        true
    }

    pub fn link_down(&mut self, link: u64) {
        self.links.remove(&link);
        for missing in self.missing.values_mut() {
            missing.from.retain(|from| *from != link);
        }
        // Who was reached over it might be reached over nothing else: the lazy links find out by their ids.
    }

    pub fn links(&self) -> usize {
        self.links.len()
    }

    /// Links that carry whole messages.
    pub fn eager_links(&self) -> usize {
        self.links.values().filter(|link| link.eager).count()
    }

    /// Whether whole messages go over this link.
    pub fn is_eager(&self, link: u64) -> bool {
        self.links.get(&link).is_some_and(|link| link.eager)
    }

    /// A message of an own client, checked.
    pub fn publish(&mut self, id: Hash) -> Vec<MeshAction> {
        if !self.seen.insert(id) {
            return Vec::new();
        }
        self.missing.remove(&id);
        self.spread(id, None)
    }

    /// A checked message that came over a link.
    pub fn pushed(&mut self, from: u64, id: Hash) -> Vec<MeshAction> {
        if !self.seen.insert(id) {
            return match self.links.get_mut(&from) {
                Some(link) if link.eager => {
                    link.eager = false;
                    vec![MeshAction::Prune { link: from }]
                }
                Some(_) | None => Vec::new(),
            };
        }
        self.missing.remove(&id);
        if let Some(link) = self.links.get_mut(&from) {
            link.eager = true;
            link.score.good();
        }
        self.spread(id, Some(from))
    }

    /// Another relay has a message.
    pub fn have(&mut self, from: u64, id: Hash, now_ms: u64) {
        if self.seen.contains(&id) || !self.links.contains_key(&from) {
            return;
        }
        if let Some(missing) = self.missing.get_mut(&id) {
            if missing.from.len() < self.policy.max_links && !missing.from.contains(&from) {
                missing.from.push_back(from);
            }
        } else if self.missing.len() < self.policy.max_missing {
            let missing = Missing {
                from: VecDeque::from([from]),
                due_ms: now_ms + self.policy.graft_after_ms,
            };
            self.missing.insert(id, missing);
        }
    }

    /// Another relay wants a message, and all later ones.
    pub fn graft(&mut self, from: u64, id: Hash) -> Option<MeshAction> {
        self.links.get_mut(&from)?.eager = true;
        let kept = self.kept.contains(&id);
        kept.then_some(MeshAction::Push { link: from, id })
    }

    /// Another relay wants ids only.
    pub fn prune(&mut self, from: u64) {
        if let Some(link) = self.links.get_mut(&from) {
            link.eager = false;
        }
    }

    /// What came over a link was forged, for another chain, or too much.
    pub fn bad(&mut self, from: u64) -> Option<MeshAction> {
        let link = self.links.get_mut(&from)?;
        if !link.score.bad(self.policy.cut_below) {
            return None;
        }
        self.link_down(from);
        Some(MeshAction::Cut { link: from })
    }

    /// When [`Mesh::tick`] has something to do next.
    pub fn due_ms(&self) -> Option<u64> {
        self.missing.values().map(|missing| missing.due_ms).min()
    }

    /// Grafts what was waited for long enough: one link after another, until the message comes.
    pub fn tick(&mut self, now_ms: u64) -> Vec<MeshAction> {
        let mut actions = Vec::new();
        let (links, wait) = (&mut self.links, self.policy.graft_after_ms);
        self.missing.retain(|id, missing| {
            if missing.due_ms > now_ms {
                return true;
            }
            let Some(next) = missing.from.pop_front() else {
                return false;
            };
            if let Some(link) = links.get_mut(&next) {
                link.eager = true;
                actions.push(MeshAction::Graft {
                    link: next,
                    id: *id,
                });
            }
            missing.due_ms = now_ms + wait;
            true
        });
        actions
    }

    fn spread(&mut self, id: Hash, from: Option<u64>) -> Vec<MeshAction> {
        self.kept.push_back(id);
        if self.kept.len() > self.policy.max_kept {
            self.kept.pop_front();
        }
        let mut actions = vec![MeshAction::Deliver { id }];
        let others = self.links.iter().filter(|(link, _)| Some(**link) != from);
        actions.extend(others.map(|(&link, state)| match state.eager {
            true => MeshAction::Push { link, id },
            false => MeshAction::Have { link, id },
        }));
        actions
    }
}
