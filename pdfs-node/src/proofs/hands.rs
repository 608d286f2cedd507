//! Sends calls, and finds out what became of them.

use phantasma_sdk::{
    neo::{
        Account, ActorError, Hash160, PendingTransaction, RpcClient, RpcError, TransactionBuilder,
        VmState, rpc::codes,
    },
    proofs::Proofs,
};
use phantasma_wire::proof::{Agent, Call};

use super::{
    Setup, WorkError,
    chunk::{self, NoChunk},
    journal::{Journal, Sent},
    look::Seen,
    metrics::ProofMetrics,
};
use crate::store::Store;

/// Why a call that is due cannot be put together.
#[derive(Debug, thiserror::Error)]
pub(super) enum Impossible {
    #[error(transparent)]
    Chunk(#[from] NoChunk),
    #[error(transparent)]
    Contract(#[from] phantasma_sdk::contract::ContractError),
    #[error("the challenge is gone")]
    Gone,
}

pub(super) struct Hands {
    rpc: RpcClient,
    proofs: Proofs,
    account: Account,
    journal: Journal,
}

impl Hands {
    pub(super) fn new(setup: &Setup, journal: Journal) -> Self {
        Self {
            rpc: setup.rpc.clone(),
            proofs: setup.proofs.clone(),
            account: setup.account.clone(),
            journal,
        }
    }

    /// The transaction of a call.
    pub(super) async fn build(
        &self,
        call: &Call,
        seen: &Seen,
        store: &Store,
    ) -> Result<TransactionBuilder, Impossible> {
        let (proofs, me) = (&self.proofs, &self.account);
        Ok(match call {
            Call::Show { validator } => {
                let open = seen.asked_by(validator).ok_or(Impossible::Gone)?;
                let drawn = open.drawn.ok_or(Impossible::Gone)?;
                let shown = chunk::read(store, &open.content, open.size, drawn.chunk).await?;
                proofs.show_proof_call(me, &Hash160(*validator), drawn.nonce, &shown)?
            }
            Call::Accept { validator, prover } => {
                proofs.accept_proof_call(me, &Hash160(*validator), &Hash160(*prover))?
            }
            Call::Fail { prover } => {
                proofs.fail_proof_call(me, &me.script_hash, &Hash160(*prover))?
            }
            Call::Retract { content } => proofs.retract_content_call(me, content)?,
            Call::Offer { content } => proofs.offer_content_call(me, content)?,
            Call::Start { prover, content } => {
                proofs.start_proof_call(me, &Hash160(*prover), content, None)?
            }
            Call::Obtain => proofs.obtain_rewards_call(me)?,
        })
    }

    /// Sends a call if the contract would take it and the price is right. It is on the disk before it is on its way.
    pub(super) async fn send(
        &mut self,
        agent: &mut Agent,
        metrics: &ProofMetrics,
        call: Call,
        builder: TransactionBuilder,
        now_ms: u64,
    ) -> Result<(), WorkError> {
        let tx = match builder.prepare(&self.rpc).await {
            Ok(tx) => tx,
            Err(ActorError::Rpc(error)) => return Err(error.into()),
            // A test run: nothing is spent.
            Err(error) => {
                tracing::debug!(?call, %error, "not now");
                metrics.count(&call, "refused");
                agent.failed(&call, now_ms);
                return Ok(());
            }
        };
        let sent = Sent { call, tx };
        let price = sent.price();
        if let Err(error) = agent.afford(&call, price, now_ms) {
            tracing::warn!(?call, %error, "left undone");
            metrics.count(&call, "too_dear");
            agent.failed(&call, now_ms);
            return Ok(());
        }
        agent.sending(call, price, now_ms);
        self.journal.sent.push(sent.clone());
        self.journal.save(agent.memory())?;
        match self.rpc.send_raw_transaction(&sent.tx).await {
            Ok(txid) => tracing::info!(?call, %txid, price, "sent"),
            Err(error) if is_refusal(&error) => {
                tracing::warn!(?call, %error, "the chain's node does not take it");
                metrics.count(&call, "not_taken");
                agent.unsent(&call, price, now_ms);
                self.journal.sent.retain(|other| other.call != call);
                self.journal.save(agent.memory())?;
            }
            // It may have arrived: as long as it is valid, it is looked for and sent again.
            Err(error) => tracing::warn!(?call, %error, "perhaps not sent"),
        }
        Ok(())
    }

    /// Looks for everything that is on its way.
    pub(super) async fn settle(
        &mut self,
        agent: &mut Agent,
        metrics: &ProofMetrics,
        now_ms: u64,
    ) -> Result<(), WorkError> {
        let mut ended = Vec::new();
        for sent in &self.journal.sent {
            let Some(outcome) = self.outcome(sent).await? else {
                continue;
            };
            let call = &sent.call;
            match outcome {
                Outcome::Done => {
                    tracing::info!(?call, "done");
                    agent.done(call);
                }
                Outcome::Fault(ref why) => {
                    tracing::warn!(?call, why, "failed in a block");
                    agent.failed(call, now_ms);
                }
                Outcome::Expired => {
                    tracing::warn!(?call, "came into no block");
                    agent.failed(call, now_ms);
                }
            }
            metrics.count(call, outcome.name());
            ended.push(*call);
        }
        if ended.is_empty() {
            return Ok(());
        }
        self.journal.sent.retain(|sent| !ended.contains(&sent.call));
        Ok(self.journal.save(agent.memory())?)
    }

    /// None while it may still come into a block.
    async fn outcome(&self, sent: &Sent) -> Result<Option<Outcome>, WorkError> {
        let tx = &sent.tx;
        let pending = PendingTransaction {
            txid: tx.hash(),
            valid_until_block: tx.valid_until_block,
            system_fee: tx.system_fee,
            network_fee: tx.network_fee,
            what: format!("{:?}", sent.call),
        };
        match pending.look(&self.rpc).await {
            Ok(Some(receipt)) => Ok(Some(match receipt.vm_state {
                VmState::Halt => Outcome::Done,
                VmState::Fault => Outcome::Fault(receipt.exception.unwrap_or_default()),
            })),
            Ok(None) => {
                let known = self.rpc.get_transaction(&pending.txid).await?;
                if known.is_none()
                    && let Err(error) = self.rpc.send_raw_transaction(tx).await
                {
                    tracing::debug!(call = ?sent.call, %error, "not sent again");
                }
                Ok(None)
            }
            Err(ActorError::Expired { .. }) => Ok(Some(Outcome::Expired)),
            Err(ActorError::Rpc(error)) => Err(error.into()),
            Err(other) => Err(WorkError::Contract(other.into())),
        }
    }
}

#[derive(Debug)]
enum Outcome {
    Done,
    Fault(String),
    Expired,
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Fault(_) => "fault",
            Self::Expired => "expired",
        }
    }
}

/// The node has looked at the transaction and does not pass it on; not when it has it already.
fn is_refusal(error: &RpcError) -> bool {
    let known = [codes::ALREADY_EXISTS, codes::ALREADY_IN_POOL];
    error.code().is_some_and(|code| !known.contains(&code)) && !error.is_transient()
}
