//! Proofs without anyone's help: this node asks others, shows its own chunks, and obtains its rewards.
//!
//! What is done when is decided by [`phantasma_wire::proof::Agent`]; here are its eyes and hands: `look` reads chain and
//! store, `chunk` finds what was drawn, `hands` sends transactions, `journal` keeps on disk what was sent.
//!
//! Not here: registering the node, which costs SOUL once and is its operator's to decide.

mod chunk;
pub mod config;
mod hands;
mod journal;
mod look;
mod metrics;

use std::{path::PathBuf, sync::Arc, time::Duration};

use phantasma_sdk::{
    neo::{Account, RpcClient, RpcError},
    proofs::Proofs,
};
use phantasma_wire::proof::{Agent, Policy};
use tokio_util::sync::CancellationToken;

use crate::{state::State, store::StoreError};
use hands::Hands;
use journal::{Journal, JournalError};
use look::Look;
pub(crate) use metrics::ProofMetrics;

/// Longest pause after failures of the chain's node in a row.
const MAX_PAUSE: Duration = Duration::from_secs(300);

/// What the agent works with.
#[derive(Clone, Debug)]
pub struct Setup {
    pub rpc: RpcClient,
    pub proofs: Proofs,
    /// Pays, and is registered as the storage node.
    pub account: Account,
    /// Its deadline is the contract's, whatever stands here.
    pub policy: Policy,
    /// Between two looks at the chain.
    pub every: Duration,
    /// What was sent, see `journal`.
    pub journal: PathBuf,
}

/// Why a round of work was broken off; the next one starts anew.
#[derive(Debug, thiserror::Error)]
enum WorkError {
    #[error(transparent)]
    Contract(#[from] phantasma_sdk::contract::ContractError),
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Journal(#[from] JournalError),
}

/// Works until stopped. An error ends a round, not the node.
pub(crate) async fn run(setup: Setup, state: Arc<State>, stop: CancellationToken) {
    let work = async {
        let mut pause = setup.every;
        let mut worker = None;
        loop {
            let worked = match &mut worker {
                Some(worker) => Worker::round(worker).await,
                None => Worker::begin(&setup, &state).await.map(|begun| {
                    worker = Some(begun);
                }),
            };
            pause = match worked {
                Ok(()) => setup.every,
                Err(error) => {
                    tracing::warn!(%error, "proofs wait");
                    state.metrics.proofs.failed_round();
                    // What is in memory may say more than the disk: start from what is durable.
                    if matches!(error, WorkError::Journal(_)) {
                        worker = None;
                    }
                    (pause * 2).min(MAX_PAUSE).max(setup.every)
                }
            };
            tokio::time::sleep(pause).await;
        }
    };
    tokio::select! {
        () = work => {}
        () = stop.cancelled() => {}
    }
}

struct Worker {
    agent: Agent,
    look: Look,
    hands: Hands,
    state: Arc<State>,
    registered: bool,
}

impl Worker {
    /// Asks the contract for its rules, and reads what the last run left on disk.
    async fn begin(setup: &Setup, state: &Arc<State>) -> Result<Self, WorkError> {
        let rules = setup.proofs.settings().await?;
        let policy = Policy {
            deadline_ms: rules.deadline_ms,
            // A short deadline leaves less room.
            margin_ms: setup.policy.margin_ms.min(rules.deadline_ms / 4),
            ..setup.policy.clone()
        };
        let journal = Journal::open(&setup.journal)?;
        let calls: Vec<_> = journal.calls().collect();
        let me = setup.account.script_hash.0;
        let agent = Agent::new(me, policy, journal.memory(), calls.iter().copied());
        tracing::info!(account = %setup.account.address, on_their_way = calls.len(), "proofs begin");
        Ok(Self {
            agent,
            look: Look::new(setup, state.clone(), rules),
            hands: Hands::new(setup, journal),
            state: state.clone(),
            registered: true,
        })
    }

    async fn round(&mut self) -> Result<(), WorkError> {
        let metrics = &self.state.metrics.proofs;
        let (_, now_ms) = self.look.last_block().await?;
        self.hands.settle(&mut self.agent, metrics, now_ms).await?;
        // Only now: what has just ended is in what is seen.
        let seen = self.look.look().await?;
        let now_ms = seen.view.now_ms;
        let registered = seen.view.standing.is_some();
        if self.registered && !registered {
            tracing::warn!("this account is not registered as a storage node: no proofs");
        }
        self.registered = registered;
        if let Some(standing) = &seen.view.standing {
            metrics.standing(standing);
        }
        for call in self.agent.decide(&seen.view) {
            let built = self.hands.build(&call, &seen, &self.state.store).await;
            match built {
                Ok(builder) => {
                    let agent = &mut self.agent;
                    self.hands
                        .send(agent, metrics, call, builder, now_ms)
                        .await?;
                }
                Err(why) => {
                    tracing::error!(?call, %why, "cannot be done");
                    metrics.count(&call, "impossible");
                    self.agent.failed(&call, now_ms);
                }
            }
        }
        metrics.spent(self.agent.memory().spent_today(now_ms));
        Ok(())
    }
}
