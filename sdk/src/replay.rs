//! A past transaction run again, natively, step by step: from the state and time of its block, with its own signers,
//! arguments and random numbers; and whether it did the same.

mod random;

use neo_client::rpc::Execution;
use neo_client::{
    CallsError, ContractCall, Hash160, Hash256, Interop, Notification, RpcClient, RpcError,
    StackItem, Transaction, VmState, contract_calls,
};

use crate::emulator::{Emulator, EmulatorError, Outcome, Snapshot};

/// Random numbers that are prepared for a transaction: a script has at most 1024 instructions, and few ask for one.
const RANDOM_NUMBERS: u32 = 1024;

/// Why a transaction cannot be run again.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error(transparent)]
    Emulator(#[from] EmulatorError),
    #[error("the node has not heard of transaction {0}; is it the right chain?")]
    Unknown(Hash256),
    #[error("transaction {0} is in no block yet; try again in a moment")]
    Waiting(Hash256),
    #[error("transaction {txid} cannot be run again: {source}")]
    Script { txid: Hash256, source: CallsError },
    #[error("transaction {txid} does not call the contract {contract}")]
    NotOurs { txid: Hash256, contract: Hash160 },
}

/// A transaction on the chain and in the emulator.
#[derive(Clone, Debug)]
pub struct Replay {
    pub txid: Hash256,
    pub block_index: u32,
    /// What its script calls.
    pub calls: Vec<ContractCall>,
    /// What it did now.
    pub outcome: Outcome,
    /// What it did then.
    pub on_chain: Execution,
    /// In what the two differ; empty when they agree.
    pub differences: Vec<String>,
    /// What may have made it differ: earlier transactions of the block that could not be run first.
    pub notes: Vec<String>,
}

impl Replay {
    /// Whether the emulator did what the chain did.
    #[must_use]
    pub fn agrees(&self) -> bool {
        self.differences.is_empty()
    }
}

/// Runs a transaction of the contract again. The node must keep old states.
pub async fn replay(
    rpc: &RpcClient,
    contract: &Hash160,
    txid: &Hash256,
) -> Result<Replay, ReplayError> {
    let tx = rpc.get_raw_transaction(txid).await?;
    let tx = tx.ok_or(ReplayError::Unknown(*txid))?;
    let calls = contract_calls(&tx.script).map_err(|source| ReplayError::Script {
        txid: *txid,
        source,
    })?;
    if calls.iter().all(|call| call.contract != *contract) {
        let (txid, contract) = (*txid, *contract);
        return Err(ReplayError::NotOurs { txid, contract });
    }
    let height = rpc.get_transaction_height(txid).await?;
    let block_index = height.ok_or(ReplayError::Waiting(*txid))?;
    let snapshot = Snapshot::before_block(rpc, contract, block_index).await?;
    let nonce = rpc.get_block_nonce(block_index).await?;
    let before = earlier(rpc, contract, block_index, txid).await?;
    let on_chain = execution(rpc, txid).await?;

    let emulator = Emulator::from_snapshot(&snapshot);
    let run = |tx: &Transaction, calls: &[ContractCall]| {
        let numbers = random::numbers(&tx.hash(), nonce, snapshot.network);
        emulator.set_random_numbers(numbers.take(RANDOM_NUMBERS as usize));
        emulator.transaction(&tx.signers, calls)
    };
    let mut notes = before.left_out;
    for (tx, calls) in &before.transactions {
        match run(tx, calls) {
            Ok(outcome) if outcome.state == VmState::Halt => {}
            Ok(outcome) => notes.push(format!(
                "{} of the same block went through, but fails here: {}",
                tx.hash(),
                outcome.exception.unwrap_or_default()
            )),
            Err(error) => notes.push(format!("{} of the same block: {error}", tx.hash())),
        }
    }
    let outcome = run(&tx, &calls)?;
    let differences = compare(contract, &outcome, &on_chain);
    Ok(Replay {
        txid: *txid,
        block_index,
        calls,
        outcome,
        on_chain,
        differences,
        notes,
    })
}

/// What came before a transaction in its block.
#[derive(Default)]
struct Earlier {
    transactions: Vec<(Transaction, Vec<ContractCall>)>,
    left_out: Vec<String>,
}

/// The transactions of the block that called the contract before this one, and went through.
async fn earlier(
    rpc: &RpcClient,
    contract: &Hash160,
    block_index: u32,
    txid: &Hash256,
) -> Result<Earlier, ReplayError> {
    let mut found = Earlier::default();
    let all = rpc.get_block_transactions(block_index).await?;
    for before in all.iter().take_while(|hash| *hash != txid) {
        let Some(tx) = rpc.get_raw_transaction(before).await? else {
            continue;
        };
        // A script that names the contract nowhere may still reach it through another contract; its events tell.
        let log = execution(rpc, before).await?;
        let names = tx.script.windows(20).any(|part| part == contract.0);
        let told = log.notifications.iter().any(|n| n.contract == *contract);
        if log.state == VmState::Fault || !(names || told) {
            continue;
        }
        match contract_calls(&tx.script) {
            Ok(calls) if calls.iter().all(|call| call.contract == *contract) => {
                found.transactions.push((tx, calls));
            }
            Ok(_) => found.left_out.push(format!(
                "{before} of the same block calls other contracts too and was left out"
            )),
            Err(error) => found
                .left_out
                .push(format!("{before} of the same block was left out: {error}")),
        }
    }
    Ok(found)
}

/// What a transaction did on the chain.
async fn execution(rpc: &RpcClient, txid: &Hash256) -> Result<Execution, ReplayError> {
    let log = rpc.get_application_log(txid).await?;
    let log = log.ok_or(ReplayError::Waiting(*txid))?;
    let mut runs = log.executions.into_iter();
    let application = runs.find(|run| run.trigger == "Application");
    application.ok_or(ReplayError::Waiting(*txid))
}

/// In what the two outcomes differ.
fn compare(contract: &Hash160, here: &Outcome, chain: &Execution) -> Vec<String> {
    let mut found = Vec::new();
    let then = chain.exception.as_deref().unwrap_or_default();
    let now = here.exception.as_deref().unwrap_or_default();
    if here.state != chain.state {
        let now = if now.is_empty() { "" } else { now };
        found.push(format!(
            "ended with {:?} {then} on the chain, with {:?} {now} here",
            chain.state, here.state
        ));
        return found;
    }
    if here.state == VmState::Fault {
        // The contract's own refusals have the same words on both sides; NeoVM's own faults do not.
        let own = ["(ASSERTMSG)", "(ABORTMSG)"]
            .iter()
            .any(|op| then.contains(op));
        if own && !then.contains(now) {
            found.push(format!(
                "faulted with \"{then}\" on the chain, with \"{now}\" here"
            ));
        }
        return found;
    }
    let stack: Vec<_> = chain.stack.iter().cloned().map(without_session).collect();
    if here.stack != stack {
        found.push(format!(
            "left {} on the chain, {} here",
            list(&stack),
            list(&here.stack)
        ));
    }
    let ours = |n: &&Notification| n.contract == *contract;
    let then: Vec<_> = chain.notifications.iter().filter(ours).collect();
    let now: Vec<_> = here.notifications.iter().filter(ours).collect();
    if then.len() != now.len() {
        found.push(format!(
            "{} events on the chain, {} here",
            then.len(),
            now.len()
        ));
    }
    for (n, (then, now)) in then.iter().zip(&now).enumerate() {
        if then != now {
            found.push(format!(
                "event {n} was {} {} on the chain, is {} {} here",
                then.name,
                then.state.to_json(),
                now.name,
                now.state.to_json()
            ));
        }
    }
    found
}

/// Without what a native run cannot have: a session's name for an iterator.
fn without_session(item: StackItem) -> StackItem {
    match item {
        StackItem::Interop(_) => StackItem::Interop(Interop::default()),
        other => other,
    }
}

fn list(items: &[StackItem]) -> String {
    let texts: Vec<_> = items
        .iter()
        .map(|item| item.to_json().to_string())
        .collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests;
