//! What the relay asks of the chain: does a box exist, and please write this message.
//!
//! Behind a small trait, so that sessions are tested without a node, with faults on demand.

use std::future::Future;
use std::pin::Pin;

use phantasma_sdk::contract::{ContractError, Phantasma};
use phantasma_sdk::neo::{Account, Hash160, RpcClient};
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
    /// The node, the network or the relay's account failed. The message may or may not be on the chain.
    #[error("{0}")]
    Unreachable(String),
}

/// Where a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Written {
    /// Script order.
    pub txid: Hash,
    /// The content's index in the box.
    pub index: u64,
}

/// The chain as the relay sees it.
pub trait Chain: Send + Sync + 'static {
    /// Whether a box exists. Boxes are never deleted, so a yes is for ever.
    fn box_exists(&self, box_id: u64) -> Answer<'_, bool>;

    /// Writes a message with its author's signature and waits until it is in a block.
    fn write<'a>(&'a self, message: &'a Message) -> Answer<'a, Written>;
}

/// The contract on a Neo N3 node; the relay's account pays for writes.
#[derive(Debug)]
pub struct NeoChain {
    contract: Phantasma,
    payer: Account,
}

impl NeoChain {
    pub fn new(rpc: RpcClient, contract: Hash160, payer: Account) -> Self {
        Self {
            contract: Phantasma::new(rpc, contract),
            payer,
        }
    }
}

impl Chain for NeoChain {
    fn box_exists(&self, box_id: u64) -> Answer<'_, bool> {
        Box::pin(async move {
            Ok(self
                .contract
                .box_info(box_id)
                .await
                .map_err(chain_error)?
                .is_some())
        })
    }

    fn write<'a>(&'a self, message: &'a Message) -> Answer<'a, Written> {
        Box::pin(async move {
            let (index, receipt) = self
                .contract
                .write_signed(&self.payer, message)
                .await
                .map_err(chain_error)?;
            Ok(Written {
                txid: receipt.txid.0,
                index,
            })
        })
    }
}

fn chain_error(error: ContractError) -> ChainError {
    match error.exception() {
        Some(exception) => ChainError::Fault(exception.to_owned()),
        None => ChainError::Unreachable(error.to_string()),
    }
}
