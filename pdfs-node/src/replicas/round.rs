//! One round: who is there, who holds what, what is to be sent to whom.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use futures_util::{StreamExt, future::join_all, stream};
use phantasma_sdk::pdfs::{Client, NodeAddress, PdfsError};
use phantasma_wire::{
    Hash, PublicKey,
    pdfs::BlockRange,
    replicas::{Action, BlockKey, Candidate, Watch, zone},
};

use super::{
    Setup,
    evict::Priorities,
    silent::Silent,
    surplus::Leaving,
    trust::{Shown, Trust, any, show},
};
use crate::{
    state::{self, State},
    store::{ContentRoot, StoreError},
};

/// Blocks that are watched: 50 GiB of bodies, some 100 MiB of memory.
const MAX_WATCHED: usize = 200_000;

/// Contents whose holders are looked for in one round.
const PAGE: usize = 32;

/// Known nodes that are asked for a content whose holders are looked for, beside those that the DHT names.
const MAX_NEIGHBOURS: usize = 16;

/// Questions to nodes at once.
const QUESTIONS: usize = 8;

/// Contents whose holders are looked for at once: while some nodes are dead, a look-up in the DHT takes seconds.
const LOOKS: usize = 8;

/// Nodes whose address is remembered here, beside those that are known anyway.
const MAX_ADDRESSES: usize = 4096;

/// INFO answers of one holder of one content that are read: 64 million blocks when they lie together.
const MAX_ANSWERS: usize = 64;

/// A node, the blocks of a content that it claims, and what it showed of them if it was its turn.
type Claim = (NodeAddress, BTreeSet<u32>, Option<Shown>);

pub(super) struct Worker {
    pub(super) setup: Setup,
    pub(super) client: Client,
    pub(super) state: Arc<State>,
    pub(super) watch: Watch,
    /// Where nodes are reached.
    pub(super) addresses: HashMap<PublicKey, NodeAddress>,
    /// How many blocks of a content were held when it was last looked at: while they grow, it is still being uploaded.
    pub(super) settling: HashMap<Hash, usize>,
    pub(super) leaving: Leaving,
    pub(super) priorities: Priorities,
    trust: Trust,
    silent: Silent,
    pub(super) after: Option<ContentRoot>,
    joined_ms: Option<u64>,
}

impl Worker {
    pub(super) fn new(setup: Setup, client: Client, state: Arc<State>) -> Self {
        let me = candidate(&state.me);
        Self {
            client,
            watch: Watch::new(me, setup.policy.clone()),
            trust: Trust::new(setup.policy.ask_every_ms),
            silent: Silent::new(setup.policy.ask_every_ms),
            setup,
            leaving: Leaving::new(),
            priorities: Priorities::new(),
            addresses: HashMap::new(),
            settling: HashMap::new(),
            after: None,
            joined_ms: None,
            state,
        }
    }

    /// This node was away: its own silence says nothing about the others.
    pub(super) fn woke(&mut self, now_ms: u64) {
        self.watch.woke(now_ms);
    }

    pub(super) async fn round(&mut self, now_ms: u64) -> Result<(), StoreError> {
        self.meet(now_ms).await;
        self.look(now_ms).await?;
        self.shed(now_ms);
        let honest = |node: &&NodeAddress| !self.trust.is_liar(&node.public_key, now_ms);
        let honest: Vec<_> = self.addresses.values().filter(honest).collect();
        let there = |node: &&&NodeAddress| !self.silent.is(&node.public_key);
        let there: Vec<_> = honest.iter().filter(there).copied().collect();
        // A copy sent to a dead node costs a round; but when nobody answers, all are tried.
        let candidates = if there.is_empty() { honest } else { there };
        let candidates: Vec<Candidate> = candidates.into_iter().map(candidate).collect();
        let actions = self.watch.tick(now_ms, &candidates);
        self.act(actions, now_ms).await;
        self.leave(now_ms).await?;
        self.make_room(now_ms).await?;
        let watched = self.watch.blocks().count();
        self.state.metrics.replicas.watched(watched);
        Ok(())
    }

    /// Learns of nodes that have come, from all that are known.
    async fn meet(&mut self, now_ms: u64) {
        let due = self
            .joined_ms
            .is_none_or(|at| now_ms >= at + self.setup.policy.ask_every_ms);
        if due {
            self.joined_ms = Some(now_ms);
            let (client, silent, me) = (&self.client, &self.silent, &self.state.me);
            let ask = |node: NodeAddress| async move {
                let answer = client.join(&node, Some(me.address.clone()));
                asked(silent, &node, answer).await
            };
            let answers = stream::iter(self.state.peers.known()).map(ask);
            let answers: Vec<_> = answers.buffer_unordered(QUESTIONS).collect().await;
            for node in answers.into_iter().flatten().flatten() {
                if node.public_key != self.state.me.public_key {
                    self.state.peers.learn(node);
                }
            }
        }
        for node in self.state.peers.known() {
            let new = !self.addresses.contains_key(&node.public_key);
            if new {
                self.watch.joined(&candidate(&node));
            }
            self.addresses.insert(node.public_key, node);
        }
    }

    /// Lets more nodes hold what many ask for, and tells those who answer requests where else it is.
    fn shed(&mut self, now_ms: u64) {
        let heat = &self.state.heat;
        for (key, extra) in heat.tick() {
            tracing::info!(
                root = hex::encode(key.root),
                block = key.block,
                extra,
                "load"
            );
            self.watch.shed(&key, extra);
        }
        let hot = heat.hot();
        self.state.metrics.replicas.hot(hot.len());
        for key in hot {
            let mut others = Vec::new();
            for other in self.watch.others(&key) {
                let Some(node) = self.addresses.get(&other.public_key) else {
                    continue;
                };
                let silent = self.silent.is(&other.public_key);
                if !silent && !self.trust.is_liar(&other.public_key, now_ms) {
                    others.push(node.clone());
                }
            }
            heat.set_others(key, others);
        }
    }

    /// Looks for the holders of the next page of contents.
    async fn look(&mut self, now_ms: u64) -> Result<(), StoreError> {
        let store = self.state.store.clone();
        let mut page = store.contents(self.after.as_ref(), PAGE)?;
        if page.is_empty() && self.after.is_some() {
            page = store.contents(None, PAGE)?;
        }
        // A short page was the last one.
        self.after = (page.len() == PAGE)
            .then(|| page.last().map(|last| last.root))
            .flatten();
        let mut settled = Vec::new();
        for content in page {
            // Contents end by the clock of the world, holders are watched by one that never jumps.
            if content.expiry_ms <= state::now_ms() {
                continue;
            }
            let held = store.held(&content.root, 0, MAX_WATCHED)?;
            let before = self.settling.insert(content.root.0, held.len());
            if before == Some(held.len()) {
                let held = held.iter().filter_map(|block| u32::try_from(*block).ok());
                settled.push((content.root.0, held.collect::<BTreeSet<u32>>()));
            }
        }
        let this = &*self;
        let ask = |(root, own): (Hash, BTreeSet<u32>)| async move {
            let claims = this.claims(&root, &own, now_ms).await;
            (root, own, claims)
        };
        let looked = stream::iter(settled).map(ask).buffer_unordered(LOOKS);
        let looked: Vec<_> = looked.collect().await;
        for (root, own, claims) in looked {
            let holders = self.believed(claims, now_ms);
            self.hold(&root, &own, &holders, now_ms);
        }
        Ok(())
    }

    fn hold(
        &mut self,
        root: &Hash,
        held: &BTreeSet<u32>,
        holders: &[(NodeAddress, BTreeSet<u32>)],
        now_ms: u64,
    ) {
        for (node, _) in holders {
            self.watch.heard(&node.public_key, now_ms);
        }
        let mut room = MAX_WATCHED.saturating_sub(self.watch.blocks().count());
        for block in held.iter().copied() {
            let key = BlockKey { root: *root, block };
            if !self.watch.holds(&key) {
                if room == 0 {
                    tracing::warn!(MAX_WATCHED, "more blocks are held than are watched");
                    return;
                }
                room -= 1;
            }
            let others = holders.iter().filter(|(_, blocks)| blocks.contains(&block));
            let others = others.map(|(node, _)| candidate(node)).collect();
            self.watch.hold(key, self.setup.wanted, others, now_ms);
        }
    }

    /// Nodes that hold blocks of a content by their own word, and what came of asking for one that is held here, too.
    async fn claims(&self, root: &Hash, own: &BTreeSet<u32>, now_ms: u64) -> Vec<Claim> {
        let mut nodes = self.state.holders(root).await;
        let known = self.addresses.values().take(MAX_NEIGHBOURS).cloned();
        nodes.extend(known);
        nodes.sort_by_key(|node| node.public_key);
        nodes.dedup_by_key(|node| node.public_key);
        nodes.retain(|node| !self.trust.is_liar(&node.public_key, now_ms));
        let ask = |node: NodeAddress| async move {
            let blocks = blocks_of(&self.client, &node, root);
            let blocks = asked(&self.silent, &node, blocks).await?;
            let common = blocks.intersection(own).copied().collect();
            let shown = self.doubt(&node, root, &common, now_ms).await;
            Some((node, blocks, shown))
        };
        let answers = stream::iter(nodes).map(ask).buffer_unordered(QUESTIONS);
        let answers: Vec<_> = answers.collect().await;
        answers.into_iter().flatten().collect()
    }

    /// Those who did not fail to show a block.
    fn believed(&mut self, claims: Vec<Claim>, now_ms: u64) -> Vec<(NodeAddress, BTreeSet<u32>)> {
        let mut holders = Vec::new();
        for (node, blocks, shown) in claims {
            // Whose turn it is and who does not show a block is no holder this time.
            let lies = shown.is_some_and(|shown| {
                self.note(&node.public_key, shown, now_ms) || shown != Shown::Right
            });
            if lies {
                continue;
            }
            if self.addresses.len() < MAX_ADDRESSES {
                self.addresses
                    .entry(node.public_key)
                    .or_insert_with(|| node.clone());
            }
            holders.push((node, blocks));
        }
        holders
    }

    /// When it is its turn, lets a node show one of the blocks that it claims and that are held here.
    async fn doubt(
        &self,
        node: &NodeAddress,
        root: &Hash,
        common: &BTreeSet<u32>,
        now_ms: u64,
    ) -> Option<Shown> {
        if !self.trust.is_due(&node.public_key, now_ms) {
            return None;
        }
        let block = any(common)?;
        let place = self.state.store.find(&ContentRoot(*root), u64::from(block));
        let id = place.ok().flatten()?.id.0;
        Some(show(&self.client, node, root, block, &id).await)
    }

    /// Takes note of what a node showed. A liar is no holder of anything any more; gives whether it is one.
    pub(super) fn note(&mut self, node: &PublicKey, shown: Shown, now_ms: u64) -> bool {
        let lies = self.trust.note(node, shown, now_ms);
        if lies {
            self.state.metrics.replicas.lied();
            tracing::warn!(node = hex::encode(node), "claims what it does not hold");
            self.watch.answered(node, &BTreeSet::new(), now_ms);
        }
        lies
    }

    async fn act(&mut self, actions: Vec<Action>, now_ms: u64) {
        let (mut copies, mut asks) = (Vec::new(), Vec::new());
        let mut told: HashMap<BlockKey, Vec<PublicKey>> = HashMap::new();
        for action in actions {
            match action {
                Action::Ask { node } => asks.push(node),
                Action::Copy { key, to } => copies.push((key, to)),
                // Everybody sees by INFO who holds what; but these are the holders that a drop relies on.
                Action::Tell { node, key, .. } => told.entry(key).or_default().push(node),
                Action::Drop { key } => {
                    let others = told.remove(&key).unwrap_or_default();
                    self.will_leave(key, others);
                }
            }
        }
        let this = &*self;
        let ask = |node: PublicKey| async move {
            let holds = this.ask(&node).await?;
            let shown = this.doubt_any(&node, &holds, now_ms).await;
            Some((node, holds, shown))
        };
        let answers = stream::iter(asks).map(ask).buffered(QUESTIONS);
        let answers: Vec<_> = answers.collect().await;
        for (node, holds, shown) in answers.into_iter().flatten() {
            self.watch.answered(&node, &holds, now_ms);
            let lies = shown.is_some_and(|shown| self.note(&node, shown, now_ms));
            if !lies && shown == Some(Shown::Not) {
                // It does not count this time; it may be honest.
                self.watch.answered(&node, &BTreeSet::new(), now_ms);
            }
        }
        let sent = copies.iter().map(|(key, to)| self.copy(key, to));
        let sent = join_all(sent).await;
        for ((key, to), outcome) in copies.iter().zip(sent) {
            let metrics = &self.state.metrics.replicas;
            match outcome {
                Sent::Done => {
                    metrics.copied("done");
                    self.watch.copied(key, to, now_ms);
                    tracing::info!(root = hex::encode(key.root), block = key.block, "copied");
                }
                Sent::Failed => {
                    metrics.copied("failed");
                    self.watch.copy_failed(key, to, now_ms);
                }
                Sent::NotHere => {
                    metrics.copied("not_here");
                    // Damaged or expired since.
                    self.watch.lost(key);
                    self.state.mend.notify_one();
                }
            }
        }
    }

    /// Asks a holder about everything that it should hold; None when it does not answer.
    async fn ask(&self, node: &PublicKey) -> Option<BTreeSet<BlockKey>> {
        let address = self.addresses.get(node)?;
        let of_node = |key: &&BlockKey| {
            let mut others = self.watch.others(key).iter();
            others.any(|other| other.public_key == *node)
        };
        let roots: BTreeSet<Hash> = self
            .watch
            .blocks()
            .filter(of_node)
            .map(|k| k.root)
            .collect();
        let mut holds = BTreeSet::new();
        for root in roots {
            let blocks = blocks_of(&self.client, address, &root).await;
            self.silent.note(node, blocks.is_ok());
            let blocks = blocks.ok()?;
            holds.extend(blocks.into_iter().map(|block| BlockKey { root, block }));
        }
        Some(holds)
    }

    /// As [`Self::doubt`], with any of all the blocks that a node claims.
    async fn doubt_any(
        &self,
        node: &PublicKey,
        holds: &BTreeSet<BlockKey>,
        now_ms: u64,
    ) -> Option<Shown> {
        let address = self.addresses.get(node)?;
        let roots: BTreeSet<Hash> = holds.iter().map(|key| key.root).collect();
        let at = rand::random_range(0..roots.len().max(1));
        let root = roots.into_iter().nth(at)?;
        let own = holds
            .iter()
            .filter(|key| key.root == root && self.watch.holds(key));
        let common = own.map(|key| key.block).collect();
        self.doubt(address, &root, &common, now_ms).await
    }

    async fn copy(&self, key: &BlockKey, to: &PublicKey) -> Sent {
        let Some(address) = self.addresses.get(to) else {
            return Sent::Failed;
        };
        let (store, root) = (&self.state.store, ContentRoot(key.root));
        let Ok(Some(place)) = store.find(&root, u64::from(key.block)) else {
            return Sent::NotHere;
        };
        let data = match store.get(place.id).await {
            Ok(Some(data)) => data,
            Ok(None) => return Sent::NotHere,
            Err(error) => {
                tracing::error!(%error, "a block cannot be copied");
                return Sent::NotHere;
            }
        };
        let sent = self
            .client
            .upload(address, &key.root, key.block, place.path, data);
        match sent.await {
            Ok(()) => Sent::Done,
            Err(error) => {
                tracing::warn!(%error, "a copy was not taken");
                self.silent.note(to, error.refusal().is_some());
                Sent::Failed
            }
        }
    }
}

/// What came of a copy.
enum Sent {
    Done,
    Failed,
    /// The block is no longer in this node's own store.
    NotHere,
}

/// What a node answers, unless it was silent a short while ago.
async fn asked<T>(
    silent: &Silent,
    node: &NodeAddress,
    answer: impl Future<Output = Result<T, PdfsError>>,
) -> Option<T> {
    if silent.is(&node.public_key) {
        return None;
    }
    let answer = answer.await;
    silent.note(&node.public_key, answer.is_ok());
    if let Err(error) = &answer {
        tracing::debug!(%error, "no answer");
    }
    answer.ok()
}

/// The blocks of a content that a node holds by its own word.
async fn blocks_of(
    client: &Client,
    node: &NodeAddress,
    root: &Hash,
) -> Result<BTreeSet<u32>, PdfsError> {
    let (mut blocks, mut from) = (BTreeSet::new(), 0);
    for _ in 0..MAX_ANSWERS {
        let answer = client.info(node, root, from).await?;
        for BlockRange { start, count } in &answer.ranges {
            // A liar cannot make this node remember more than it watches.
            let count = usize::try_from(*count).unwrap_or(usize::MAX);
            let room = MAX_WATCHED.saturating_sub(blocks.len());
            blocks.extend((*start..=u32::MAX).take(count.min(room)));
        }
        let next = answer
            .ranges
            .last()
            .and_then(|r| r.start.checked_add(r.count));
        match next {
            Some(next) if answer.more && next > from => from = next,
            Some(_) | None => break,
        }
    }
    Ok(blocks)
}

pub(super) fn candidate(node: &NodeAddress) -> Candidate {
    Candidate {
        public_key: node.public_key,
        zone: zone(&node.address),
    }
}
