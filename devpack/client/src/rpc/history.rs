//! The chain as it was: transactions as they were sent, storage at an earlier height.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::Deserialize;
use serde_json::json;

use super::methods::absent;
use super::{FoundStorage, RpcClient, RpcError, StorageEntry, codes, types};
use crate::{Hash160, Hash256, Transaction};

impl RpcClient {
    /// A transaction as its sender wrote it; None when the node has not heard of it.
    pub async fn get_raw_transaction(
        &self,
        txid: &Hash256,
    ) -> Result<Option<Transaction>, RpcError> {
        #[derive(Deserialize)]
        struct Raw(#[serde(deserialize_with = "types::base64")] Vec<u8>);
        let method = "getrawtransaction";
        let answer = self.call(method, json!([txid, false])).await;
        let raw: Option<Raw> = absent(answer, &[codes::UNKNOWN_TRANSACTION])?;
        let Some(Raw(bytes)) = raw else {
            return Ok(None);
        };
        let read = Transaction::from_bytes(&bytes).map_err(|error| RpcError::Answer {
            url: self.url().to_owned(),
            method: method.to_owned(),
            reason: error.to_string(),
        });
        read.map(Some)
    }

    /// The transactions of a block, in their order.
    pub async fn get_block_transactions(&self, index: u32) -> Result<Vec<Hash256>, RpcError> {
        #[derive(Deserialize)]
        struct Block {
            #[serde(default)]
            tx: Vec<Listed>,
        }
        #[derive(Deserialize)]
        struct Listed {
            hash: Hash256,
        }
        let block: Block = self.call("getblock", json!([index, true])).await?;
        Ok(block.tx.into_iter().map(|listed| listed.hash).collect())
    }

    /// A block's nonce, from which random numbers in it follow.
    pub async fn get_block_nonce(&self, index: u32) -> Result<u64, RpcError> {
        #[derive(Deserialize)]
        struct Header {
            #[serde(default)]
            nonce: String,
        }
        let method = "getblockheader";
        let header: Header = self.call(method, json!([index, true])).await?;
        u64::from_str_radix(&header.nonce, 16).map_err(|error| RpcError::Answer {
            url: self.url().to_owned(),
            method: method.to_owned(),
            reason: format!("nonce \"{}\": {error}", header.nonce),
        })
    }

    /// The root of the state after a block, by which the historic calls name it.
    pub async fn get_state_root(&self, index: u32) -> Result<Hash256, RpcError> {
        #[derive(Deserialize)]
        struct State {
            #[serde(rename = "roothash")]
            root: Hash256,
        }
        let state: State = self.call("getstateroot", json!([index])).await?;
        Ok(state.root)
    }

    /// As [`RpcClient::get_storage`], in an earlier state. Nodes that keep only the latest state refuse.
    pub async fn get_storage_historic(
        &self,
        root: &Hash256,
        contract: &Hash160,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, RpcError> {
        #[derive(Deserialize)]
        struct Stored(#[serde(deserialize_with = "types::base64")] Vec<u8>);
        let params = json!([root, contract, BASE64.encode(key)]);
        let answer = self.call("getstoragehistoric", params).await;
        let stored: Option<Stored> = absent(answer, &[codes::UNKNOWN_STORAGE_ITEM])?;
        Ok(stored.map(|stored| stored.0))
    }

    /// As [`RpcClient::find_storage`], in an earlier state. Nodes that keep only the latest state refuse.
    pub async fn find_storage_historic(
        &self,
        root: &Hash256,
        contract: &Hash160,
        prefix: &[u8],
        start: u64,
    ) -> Result<FoundStorage, RpcError> {
        let params = json!([root, contract, BASE64.encode(prefix), start]);
        self.call("findstoragehistoric", params).await
    }

    /// All of a contract's storage in an earlier state, at most `limit` entries; more are an error.
    pub async fn read_storage_historic(
        &self,
        root: &Hash256,
        contract: &Hash160,
        limit: usize,
    ) -> Result<Vec<StorageEntry>, RpcError> {
        let mut all = Vec::new();
        let mut start = 0;
        loop {
            let page = self
                .find_storage_historic(root, contract, &[], start)
                .await?;
            let stuck = page.truncated && page.next <= start;
            all.extend(page.entries);
            if stuck || all.len() > limit {
                let reason = match stuck {
                    true => "a page of storage without a next one".to_owned(),
                    false => format!("{contract} stores more than {limit} entries"),
                };
                return Err(RpcError::Answer {
                    url: self.url().to_owned(),
                    method: "findstoragehistoric".to_owned(),
                    reason,
                });
            }
            if !page.truncated {
                return Ok(all);
            }
            start = page.next;
        }
    }
}
