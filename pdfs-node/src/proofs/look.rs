//! What chain and store say, as the agent wants to see it.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use phantasma_sdk::{
    neo::{Hash160, RpcClient},
    proofs::{OpenProof, Proofs, RewardInfo, Settings},
};
use phantasma_wire::{
    Hash,
    merkle::Shape,
    proof::{Account, Challenge, Held, Prover, Round, Standing, View},
};

use super::{Setup, WorkError};
use crate::{
    state::State,
    store::{Content, ContentRoot, StoreError},
};

/// Contents looked at in one round; with [`MAX_PROVERS`] some forty questions to the chain's node at most.
const PAGE: usize = 4;

/// Other nodes of one content that are looked at.
const MAX_PROVERS: usize = 8;

/// Challenges of this node that are looked at, in both roles together.
const MAX_CHALLENGES: usize = 64;

/// That a content is whole is counted again after this: a gigabyte is 4,096 looks into the index.
const WHOLE_FOR: Duration = Duration::from_secs(300);

/// The same when it was not: blocks may be arriving.
const PART_FOR: Duration = Duration::from_secs(5);

/// Counts that are remembered, 60 bytes each.
const MAX_COUNTS: usize = 10_000;

/// What was seen in one round.
pub(super) struct Seen {
    pub(super) view: View,
    /// Challenges by their pairs, validator first.
    open: HashMap<(Account, Account), OpenProof>,
    me: Account,
}

impl Seen {
    /// The challenge of this node by a validator.
    pub(super) fn asked_by(&self, validator: &Account) -> Option<&OpenProof> {
        self.open.get(&(*validator, self.me))
    }
}

pub(super) struct Look {
    rpc: RpcClient,
    proofs: Proofs,
    me: Hash160,
    state: Arc<State>,
    rules: Settings,
    /// The last content of the page before.
    after: Option<ContentRoot>,
    counts: HashMap<ContentRoot, (bool, Instant, u64)>,
}

impl Look {
    pub(super) fn new(setup: &Setup, state: Arc<State>, rules: Settings) -> Self {
        Self {
            rpc: setup.rpc.clone(),
            proofs: setup.proofs.clone(),
            me: setup.account.script_hash,
            state,
            rules,
            after: None,
            counts: HashMap::new(),
        }
    }

    /// Index and time of the last block.
    pub(super) async fn last_block(&self) -> Result<(u32, u64), WorkError> {
        let count = self.rpc.get_block_count().await?;
        let header = self.rpc.get_block_header(count.saturating_sub(1)).await?;
        Ok((header.index, header.time_ms))
    }

    pub(super) async fn look(&mut self) -> Result<Seen, WorkError> {
        let (index, now_ms) = self.last_block().await?;
        let mut seen = Seen {
            view: View {
                now_ms,
                standing: None,
                open: Vec::new(),
                contents: Vec::new(),
                round: Round::default(),
                random: rand::random(),
            },
            open: HashMap::new(),
            me: self.me.0,
        };
        let Some(info) = self.proofs.node_info(&self.me).await? else {
            return Ok(seen);
        };
        seen.view.standing = Some(Standing {
            number: info.number,
            reputation: info.reputation,
            average: self.proofs.average_reputation().await?,
        });
        let pairs = self.proofs.open_pairs(&self.me).await?;
        for (validator, prover) in pairs.into_iter().take(MAX_CHALLENGES) {
            // Ended meanwhile, if there is none.
            if let Some(open) = self.proofs.open_proof(&validator, &prover).await? {
                seen.view.open.push(challenge(&validator, &prover, &open));
                seen.open.insert((validator.0, prover.0), open);
            }
        }
        seen.view.contents = self.contents().await?;
        seen.view.round = self.round(self.proofs.reward_info().await?, index);
        Ok(seen)
    }

    fn round(&self, info: RewardInfo, index: u32) -> Round {
        Round {
            next_ms: info.next_ms,
            minimum: usize::try_from(self.rules.minimum).unwrap_or(usize::MAX),
            pot: info.pot,
            validators: info.validators,
            provers: info.provers,
            closed: info.draw.map(|draw| draw <= u64::from(index)),
            closed_validators: info.closed_validators,
            closed_provers: info.closed_provers,
        }
    }

    /// The next page of the store's contents; after the last one the first again.
    async fn contents(&mut self) -> Result<Vec<Held>, WorkError> {
        let store = self.state.store.clone();
        let mut page = store.contents(self.after.as_ref(), PAGE)?;
        if page.is_empty() && self.after.is_some() {
            page = store.contents(None, PAGE)?;
        }
        self.after = page.last().map(|last| last.root);
        let mut reputations = HashMap::new();
        let mut contents = Vec::new();
        for content in &page {
            contents.push(self.held(content, &mut reputations).await?);
        }
        Ok(contents)
    }

    async fn held(
        &mut self,
        content: &Content,
        reputations: &mut HashMap<Hash160, Option<u64>>,
    ) -> Result<Held, WorkError> {
        let root: Hash = content.root.0;
        let offers = self.proofs.offers_of(&root).await?;
        let mut provers = Vec::new();
        for account in offers.iter().filter(|a| **a != self.me).take(MAX_PROVERS) {
            let reputation = match reputations.get(account) {
                Some(known) => *known,
                None => {
                    let info = self.proofs.node_info(account).await?;
                    let reputation = info.map(|info| info.reputation);
                    reputations.insert(*account, reputation);
                    reputation
                }
            };
            provers.extend(reputation.map(|reputation| Prover {
                account: account.0,
                reputation,
            }));
        }
        // What is noted in the store is what was true at the upload; it may have been renewed since.
        let paid = self.state.chain.content(&root).await;
        let expiry_ms = match paid {
            Ok(paid) => paid.map_or(0, |paid| paid.expiry_ms),
            Err(_) => content.expiry_ms,
        };
        Ok(Held {
            content: root,
            whole: self.is_whole(content).await?,
            expiry_ms,
            offered: offers.contains(&self.me),
            provers,
        })
    }

    async fn is_whole(&mut self, content: &Content) -> Result<bool, WorkError> {
        // A block that was found damaged since makes the count void.
        let damaged = self.state.store.stats().damaged;
        if let Some((whole, since, then)) = self.counts.get(&content.root) {
            let limit = if *whole { WHOLE_FOR } else { PART_FOR };
            if since.elapsed() < limit && *then == damaged {
                return Ok(*whole);
            }
        }
        let (store, root) = (self.state.store.clone(), content.root);
        let blocks = Shape::new(content.size).map_or(u64::MAX, Shape::block_count);
        let limit = usize::try_from(blocks).unwrap_or(usize::MAX);
        let counting = tokio::task::spawn_blocking(move || store.held(&root, 0, limit));
        let held = counting.await.map_err(|_| StoreError::Closed)??;
        let whole = held.len() as u64 == blocks;
        if self.counts.len() >= MAX_COUNTS {
            self.counts.clear();
        }
        self.counts.insert(root, (whole, Instant::now(), damaged));
        Ok(whole)
    }
}

fn challenge(validator: &Hash160, prover: &Hash160, open: &OpenProof) -> Challenge {
    Challenge {
        validator: validator.0,
        prover: prover.0,
        started_ms: open.started_ms,
        shown: open.shown,
        drawn: open.drawn.is_some(),
    }
}
