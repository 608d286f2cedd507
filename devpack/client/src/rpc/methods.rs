//! The node's methods, one function each.

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use num_bigint::BigInt;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    ApplicationLog, Balance, BlockHeader, ContractState, FoundStorage, InvokeResult, RpcClient,
    RpcError, TransactionInfo, Transfers, Version, codes, types,
};
use crate::{
    ContractParam, Hash160, Hash256, Interop, ScriptBuilder, ScriptError, Signer, StackItem,
    Transaction, flags,
};

/// Values of one iterator that are read at most: the node keeps a session for a minute.
const MAX_ITERATOR_VALUES: usize = 100_000;
/// Values asked for in one call; nodes give 100 at most by default.
const ITERATOR_PAGE: usize = 100;

/// Why a method of a contract could not be tried.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvokeError {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error("cannot write the call: {0}")]
    Script(#[from] ScriptError),
}

impl RpcClient {
    /// The node and its network, asked anew.
    pub async fn get_version(&self) -> Result<Version, RpcError> {
        self.call("getversion", json!([])).await
    }

    /// Number of blocks; the newest one's index is one less.
    pub async fn get_block_count(&self) -> Result<u32, RpcError> {
        self.call("getblockcount", json!([])).await
    }

    pub async fn get_block_header(&self, index: u32) -> Result<BlockHeader, RpcError> {
        self.call("getblockheader", json!([index, true])).await
    }

    pub async fn get_block_header_by_hash(&self, hash: &Hash256) -> Result<BlockHeader, RpcError> {
        self.call("getblockheader", json!([hash, true])).await
    }

    /// A whole block as the node shows it.
    pub async fn get_block_json(&self, index: u32) -> Result<Value, RpcError> {
        self.call("getblock", json!([index, true])).await
    }

    /// Tries a method without changing anything. A FAULT is a result here: look at `state` and `exception`.
    pub async fn invoke_function(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
        signers: &[Signer],
    ) -> Result<InvokeResult, InvokeError> {
        let mut script = ScriptBuilder::new();
        script.call(contract, method, flags::ALL, params);
        Ok(self.invoke_script(&script.build()?, signers).await?)
    }

    /// Tries a script without changing anything.
    pub async fn invoke_script(
        &self,
        script: &[u8],
        signers: &[Signer],
    ) -> Result<InvokeResult, RpcError> {
        let signers: Vec<_> = signers.iter().map(Signer::to_json).collect();
        self.call("invokescript", json!([BASE64.encode(script), signers]))
            .await
    }

    /// Hands a signed transaction to the network. That it is accepted does not say that it will succeed.
    pub async fn send_raw_transaction(&self, tx: &Transaction) -> Result<Hash256, RpcError> {
        #[derive(Deserialize)]
        struct Sent {
            hash: Hash256,
        }
        let sent: Sent = self
            .call("sendrawtransaction", json!([BASE64.encode(tx.to_bytes())]))
            .await?;
        Ok(sent.hash)
    }

    /// The network fee in datoshi that a transaction with these verification scripts needs.
    pub async fn calculate_network_fee(&self, tx: &Transaction) -> Result<i64, RpcError> {
        #[derive(Deserialize)]
        struct Fee {
            #[serde(rename = "networkfee", deserialize_with = "types::datoshi")]
            network_fee: i64,
        }
        let fee: Fee = self
            .call("calculatenetworkfee", json!([BASE64.encode(tx.to_bytes())]))
            .await?;
        Ok(fee.network_fee)
    }

    /// What a transaction did; None until it is in a block.
    pub async fn get_application_log(
        &self,
        txid: &Hash256,
    ) -> Result<Option<ApplicationLog>, RpcError> {
        let unknown = [codes::UNKNOWN_TRANSACTION, codes::UNKNOWN_SCRIPT_CONTAINER];
        absent(
            self.call("getapplicationlog", json!([txid])).await,
            &unknown,
        )
    }

    /// A transaction in the chain or waiting; None when the node has not heard of it.
    pub async fn get_transaction(
        &self,
        txid: &Hash256,
    ) -> Result<Option<TransactionInfo>, RpcError> {
        absent(
            self.call("getrawtransaction", json!([txid, true])).await,
            &[codes::UNKNOWN_TRANSACTION],
        )
    }

    /// The block that holds a transaction; None until there is one.
    pub async fn get_transaction_height(&self, txid: &Hash256) -> Result<Option<u32>, RpcError> {
        absent(
            self.call("gettransactionheight", json!([txid])).await,
            &[codes::UNKNOWN_TRANSACTION],
        )
    }

    /// A deployed contract; None when there is none of this hash.
    pub async fn get_contract_state(
        &self,
        hash: &Hash160,
    ) -> Result<Option<ContractState>, RpcError> {
        absent(
            self.call("getcontractstate", json!([hash])).await,
            &[codes::UNKNOWN_CONTRACT],
        )
    }

    /// One stored value; None when the key is absent.
    pub async fn get_storage(
        &self,
        contract: &Hash160,
        key: &[u8],
    ) -> Result<Option<Vec<u8>>, RpcError> {
        #[derive(Deserialize)]
        struct Stored(#[serde(deserialize_with = "types::base64")] Vec<u8>);
        let answer = self
            .call("getstorage", json!([contract, BASE64.encode(key)]))
            .await;
        let stored: Option<Stored> = absent(answer, &[codes::UNKNOWN_STORAGE_ITEM])?;
        Ok(stored.map(|stored| stored.0))
    }

    /// A page of the stored entries whose keys start with `prefix`; `start` is 0, then the page's `next`.
    pub async fn find_storage(
        &self,
        contract: &Hash160,
        prefix: &[u8],
        start: u64,
    ) -> Result<FoundStorage, RpcError> {
        self.call(
            "findstorage",
            json!([contract, BASE64.encode(prefix), start]),
        )
        .await
    }

    /// What an account holds of every token.
    pub async fn get_nep17_balances(&self, account: &Hash160) -> Result<Vec<Balance>, RpcError> {
        #[derive(Deserialize)]
        struct Balances {
            #[serde(rename = "balance", default)]
            all: Vec<Balance>,
        }
        let balances: Balances = self
            .call("getnep17balances", json!([account.to_address()]))
            .await?;
        Ok(balances.all)
    }

    /// What an account sent and received between two times (milliseconds since 1970).
    pub async fn get_nep17_transfers(
        &self,
        account: &Hash160,
        from_ms: u64,
        to_ms: u64,
    ) -> Result<Transfers, RpcError> {
        self.call(
            "getnep17transfers",
            json!([account.to_address(), from_ms, to_ms]),
        )
        .await
    }

    /// One token's balance, from the token itself, in its smallest unit.
    pub async fn balance_of(
        &self,
        token: &Hash160,
        account: &Hash160,
    ) -> Result<BigInt, InvokeError> {
        let result = self
            .invoke_function(token, "balanceOf", &[(*account).into()], &[])
            .await?;
        let amount = result.stack.first().and_then(|item| item.as_integer().ok());
        amount.ok_or_else(|| {
            let reason = format!(
                "balanceOf of {token} gave no number: {:?} {:?}",
                result.exception, result.stack
            );
            RpcError::Answer {
                url: self.url().to_owned(),
                method: "invokescript".to_owned(),
                reason,
            }
            .into()
        })
    }

    /// The next `count` values of an iterator; fewer at its end.
    pub async fn traverse_iterator(
        &self,
        session: &str,
        id: &str,
        count: usize,
    ) -> Result<Vec<StackItem>, RpcError> {
        self.call("traverseiterator", json!([session, id, count]))
            .await
    }

    /// Frees what the node keeps for the iterators of an answer.
    pub async fn terminate_session(&self, session: &str) -> Result<bool, RpcError> {
        self.call("terminatesession", json!([session])).await
    }

    /// Every value of an iterator, with or without a session, at most 100,000.
    pub async fn read_iterator(
        &self,
        session: Option<&str>,
        iterator: &Interop,
    ) -> Result<Vec<StackItem>, RpcError> {
        let incomplete = |reason: &str| RpcError::Answer {
            url: self.url().to_owned(),
            method: "traverseiterator".to_owned(),
            reason: reason.to_owned(),
        };
        let (Some(session), Some(id)) = (session, iterator.id.as_deref()) else {
            if iterator.truncated || iterator.id.is_some() {
                return Err(incomplete(
                    "the node sent only the first values and keeps no session for the rest",
                ));
            }
            return Ok(iterator.values.clone());
        };
        let allowed = self.version().await?.rpc.max_iterator_items;
        let page_size = if allowed == 0 {
            ITERATOR_PAGE
        } else {
            ITERATOR_PAGE.min(allowed)
        };
        let mut values = Vec::new();
        loop {
            let page = self.traverse_iterator(session, id, page_size).await?;
            let last = page.len() < page_size;
            values.extend(page);
            if last {
                break;
            }
            if values.len() >= MAX_ITERATOR_VALUES {
                return Err(incomplete("more than 100,000 values"));
            }
        }
        // Only to be polite: the node forgets the session by itself.
        let _ = self.terminate_session(session).await;
        Ok(values)
    }
}

/// Turns "unknown" answers into None.
pub(super) fn absent<T>(
    answer: Result<T, RpcError>,
    unknown: &[i64],
) -> Result<Option<T>, RpcError> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.code().is_some_and(|code| unknown.contains(&code)) => Ok(None),
        Err(error) => Err(error),
    }
}
