//! The state of a real chain, as far as the contract sees it.

use neo_client::rpc::StorageEntry;
use neo_client::{Hash160, RpcClient};

use super::EmulatorError;

/// Entries of storage that are loaded at most: of a hundred bytes each they fill 100 MB.
pub const MAX_ENTRIES: usize = 1_000_000;

/// A contract's storage after a block, and the block that comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub contract: Hash160,
    /// The network's magic number.
    pub network: u32,
    /// The last block that is in the state.
    pub block_index: u32,
    /// Time of the next block.
    pub time_ms: u64,
    pub entries: Vec<StorageEntry>,
}

impl Snapshot {
    /// The state now; the next block's time as a node assumes it in test runs.
    pub async fn latest(rpc: &RpcClient, contract: &Hash160) -> Result<Snapshot, EmulatorError> {
        let count = rpc.get_block_count().await?;
        let index = count.saturating_sub(1);
        let version = rpc.version().await?;
        let last = rpc.get_block_header(index).await?;
        let time_ms = last.time_ms + version.protocol.ms_per_block;
        Self::after(rpc, contract, index, time_ms).await
    }

    /// The state in which a block's first transaction ran, with that block's time.
    pub async fn before_block(
        rpc: &RpcClient,
        contract: &Hash160,
        index: u32,
    ) -> Result<Snapshot, EmulatorError> {
        let count = rpc.get_block_count().await?;
        let Some(before) = index.checked_sub(1).filter(|_| index < count) else {
            return Err(EmulatorError::NoBlock { index, count });
        };
        let block = rpc.get_block_header(index).await?;
        Self::after(rpc, contract, before, block.time_ms).await
    }

    async fn after(
        rpc: &RpcClient,
        contract: &Hash160,
        block_index: u32,
        time_ms: u64,
    ) -> Result<Snapshot, EmulatorError> {
        if rpc.get_contract_state(contract).await?.is_none() {
            return Err(EmulatorError::NoContract(*contract));
        }
        let root = rpc.get_state_root(block_index).await?;
        let entries = rpc
            .read_storage_historic(&root, contract, MAX_ENTRIES)
            .await?;
        Ok(Snapshot {
            contract: *contract,
            network: rpc.version().await?.network(),
            block_index,
            time_ms,
            entries,
        })
    }
}
