//! What the relay asks of the chain: does a box exist, what does its gate look at, and please write these messages.
//!
//! Behind a small trait, so that sessions are tested without a node, with faults on demand.

use std::future::Future;
use std::pin::Pin;

use phantasma_sdk::contract::{ContractError, ContractEvent, Phantasma};
use phantasma_sdk::neo::{
    Account, ActorError, Event, Filter, Hash160, Hash256, Notification, PendingTransaction,
    Receipt, RpcClient, RpcError, Subscription, SubscriptionError, Transaction, TransactionBuilder,
    VmState,
};
use phantasma_wire::Hash;
use phantasma_wire::message::Message;

/// A future that a trait object can give.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, ChainError>> + Send + 'a>>;

/// Why the chain gave no answer, or a bad one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainError {
    /// The contract refused; its own words.
    #[error("{0}")]
    Fault(String),
    /// The node will not have it: fees, balance, form. Nothing is on its way.
    #[error("{0}")]
    Rejected(String),
    /// The node or the network failed. What was sent may or may not have arrived.
    #[error("{0}")]
    Unreachable(String),
}

/// A transaction that may come into a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    /// Script order.
    pub txid: Hash,
    /// The last block that may take it.
    pub valid_until: u32,
}

/// A transaction that the contract would take now, signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ready {
    pub sent: Sent,
    /// System fee and network fee, in datoshi (10⁻⁸ GAS).
    pub fees: i64,
    /// As the network takes it.
    pub bytes: Vec<u8>,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// In a block. The index in its box for each message or content, in order.
    Written(Vec<u64>),
    /// In a block, and the contract refused; its own words. Nothing was written, the fees are spent.
    Fault(String),
    /// In no block, and never will be.
    Expired,
}

/// What an event of the contract is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// One box.
    Box(u64),
    /// No box.
    Other,
    /// The node could not keep up: anything may have changed.
    Missed,
}

/// Events of the contract as they come into blocks.
pub trait Events: Send {
    /// Waits for the next. After an error no more come.
    fn next(&mut self) -> Answer<'_, Change>;
}

/// The chain as the relay sees it.
pub trait Chain: Send + Sync + 'static {
    /// Whether a box exists. Boxes are never deleted, so a yes is for ever.
    fn box_exists(&self, box_id: u64) -> Answer<'_, bool>;

    /// An entry of the contract's storage after the last block.
    fn stored<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>>;

    /// The contract's events from now on.
    fn watch(&self) -> Answer<'_, Box<dyn Events>>;

    /// Tries all these messages as one transaction, and signs it. [`ChainError::Fault`] when the contract would refuse
    /// any of them.
    fn prepare<'a>(&'a self, messages: &'a [Message]) -> Answer<'a, Ready>;

    /// Tries to write a content of the relay's own into a box, and signs the transaction.
    fn prepare_content<'a>(&'a self, box_id: u64, content: &'a [u8]) -> Answer<'a, Ready>;

    /// Hands a transaction to the network.
    fn send<'a>(&'a self, ready: &'a Ready) -> Answer<'a, ()>;

    /// What became of a transaction; None while that is open.
    fn look(&self, sent: Sent) -> Answer<'_, Option<Fate>>;
}

/// The contract on a Neo N3 node; the relay's account pays for writes.
#[derive(Debug)]
pub struct NeoChain {
    rpc: RpcClient,
    contract: Phantasma,
    payer: Account,
}

impl NeoChain {
    pub fn new(rpc: RpcClient, contract: Hash160, payer: Account) -> Self {
        Self {
            contract: Phantasma::new(rpc.clone(), contract),
            rpc,
            payer,
        }
    }
}

impl NeoChain {
    async fn ready(&self, call: TransactionBuilder) -> Result<Ready, ChainError> {
        let tx = call.prepare(&self.rpc).await.map_err(actor_error)?;
        Ok(Ready {
            sent: Sent {
                txid: tx.hash().0,
                valid_until: tx.valid_until_block,
            },
            fees: tx.system_fee.saturating_add(tx.network_fee),
            bytes: tx.to_bytes(),
        })
    }
}

impl Chain for NeoChain {
    fn box_exists(&self, box_id: u64) -> Answer<'_, bool> {
        Box::pin(async move {
            let info = self.contract.box_info(box_id).await;
            Ok(info.map_err(contract_error)?.is_some())
        })
    }

    fn stored<'a>(&'a self, key: &'a [u8]) -> Answer<'a, Option<Vec<u8>>> {
        Box::pin(async move {
            let stored = self.rpc.get_storage(&self.contract.hash(), key).await;
            stored.map_err(rpc_error)
        })
    }

    fn watch(&self) -> Answer<'_, Box<dyn Events>> {
        Box::pin(async move {
            let contract = self.contract.hash();
            let opened = Subscription::open(self.rpc.url(), &[Filter::contract(contract)]).await;
            let subscription = opened.map_err(subscription_error)?;
            let events: Box<dyn Events> = Box::new(NeoEvents {
                subscription,
                contract,
            });
            Ok(events)
        })
    }

    fn prepare<'a>(&'a self, messages: &'a [Message]) -> Answer<'a, Ready> {
        Box::pin(async move {
            let call = self.contract.write_many(&self.payer, messages);
            self.ready(call.map_err(contract_error)?).await
        })
    }

    fn prepare_content<'a>(&'a self, box_id: u64, content: &'a [u8]) -> Answer<'a, Ready> {
        Box::pin(async move {
            let params = [
                self.payer.script_hash.into(),
                box_id.into(),
                content.into(),
                0_u64.into(),
            ];
            let call = self.contract.call(&self.payer, "writeContent", &params);
            self.ready(call.map_err(contract_error)?).await
        })
    }

    fn send<'a>(&'a self, ready: &'a Ready) -> Answer<'a, ()> {
        Box::pin(async move {
            let tx = Transaction::from_bytes(&ready.bytes)
                .map_err(|error| ChainError::Rejected(error.to_string()))?;
            self.rpc
                .send_raw_transaction(&tx)
                .await
                .map_err(rpc_error)?;
            Ok(())
        })
    }

    fn look(&self, sent: Sent) -> Answer<'_, Option<Fate>> {
        Box::pin(async move {
            let pending = PendingTransaction {
                txid: Hash256(sent.txid),
                valid_until_block: sent.valid_until,
                // Of no use here: the fees are known from sending.
                system_fee: 0,
                network_fee: 0,
                what: "writeSigned".to_owned(),
            };
            match pending.look(&self.rpc).await {
                Ok(receipt) => receipt.map(fate).transpose(),
                Err(ActorError::Expired { .. }) => Ok(Some(Fate::Expired)),
                Err(error) => Err(actor_error(error)),
            }
        })
    }
}

/// The events of a node.
struct NeoEvents {
    subscription: Subscription,
    contract: Hash160,
}

impl Events for NeoEvents {
    fn next(&mut self) -> Answer<'_, Change> {
        Box::pin(async move {
            match self.subscription.next().await {
                Ok(Event::Notification { notification, .. }) => {
                    Ok(change(&self.contract, &notification))
                }
                Ok(Event::Missed) => Ok(Change::Missed),
                Ok(Event::Block(_) | Event::Execution(_)) => Ok(Change::Other),
                Err(error) => Err(subscription_error(error)),
            }
        })
    }
}

fn change(contract: &Hash160, notification: &Notification) -> Change {
    match ContractEvent::parse(contract, notification) {
        Some(
            ContractEvent::BoxCreated { box_id, .. }
            | ContractEvent::ContentWritten { box_id, .. }
            | ContractEvent::ContentRemoved { box_id, .. }
            | ContractEvent::GateReplaced { box_id }
            | ContractEvent::Membership { box_id, .. }
            | ContractEvent::BoxBalance { box_id, .. },
        ) => Change::Box(box_id),
        Some(ContractEvent::Transfer { .. } | ContractEvent::ContentCreated { .. }) | None => {
            Change::Other
        }
    }
}

fn subscription_error(error: SubscriptionError) -> ChainError {
    ChainError::Unreachable(error.to_string())
}

fn fate(receipt: Receipt) -> Result<Fate, ChainError> {
    let exception = || {
        receipt
            .exception
            .unwrap_or_else(|| "no reason given".into())
    };
    match receipt.vm_state {
        VmState::Fault => Ok(Fate::Fault(exception())),
        // The node shows the stack from the bottom: the first message's index comes first.
        VmState::Halt => {
            let indices = receipt.stack.iter().map(|item| item.as_u64());
            let indices = indices.collect::<Result<_, _>>();
            let indices = indices.map_err(|error| ChainError::Unreachable(error.to_string()))?;
            Ok(Fate::Written(indices))
        }
    }
}

fn contract_error(error: ContractError) -> ChainError {
    if let Some(exception) = error.exception() {
        return ChainError::Fault(exception.to_owned());
    }
    match error {
        ContractError::Write(error) => actor_error(error),
        ContractError::Rpc(error) => rpc_error(error),
        error => ChainError::Unreachable(error.to_string()),
    }
}

fn actor_error(error: ActorError) -> ChainError {
    if let Some(exception) = error.exception() {
        return ChainError::Fault(exception.to_owned());
    }
    match error {
        ActorError::Rpc(error) => rpc_error(error),
        error => ChainError::Rejected(error.to_string()),
    }
}

fn rpc_error(error: RpcError) -> ChainError {
    match error {
        RpcError::Node { .. } => ChainError::Rejected(error.to_string()),
        error => ChainError::Unreachable(error.to_string()),
    }
}
