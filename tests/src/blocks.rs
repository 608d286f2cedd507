//! Blocks that a test makes itself, with the validator's key that every private net has: so it chooses their time, their
//! nonce and their transactions.
//!
//! A block's time must only be later than the one before. The node's own consensus goes on from there: as long as the
//! machine's clock is behind, each block that it makes is one millisecond later than the last.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use neo_client::rpc::BlockHeader;
use neo_client::{Account, Hash160, Hash256, PrivateKey, RpcError, Transaction};
use phantasma::net::{NETWORK_MAGIC, validator};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::TestNet;

/// Consensus may make a block of the same number first. It makes one in a block time, and a try takes some milliseconds.
const ATTEMPTS: u32 = 50;

/// What a block holds besides what follows from its place.
#[derive(Clone, Debug, Default)]
pub struct OwnBlock {
    /// Milliseconds since 1970; later than the last block's.
    pub time_ms: u64,
    /// Random numbers in the block follow from it.
    pub nonce: u64,
    /// In the order in which they run.
    pub transactions: Vec<Transaction>,
}

impl TestNet {
    /// The account of the committee, which is also that of the validators: it has all NEO and GAS at first.
    pub fn committee(&self) -> Account {
        let key = PrivateKey::from_wif(validator::WIF).expect("the validator's key");
        let public = key.public_key();
        Account::multisig(key, 1, &[public]).expect("one of one key")
    }

    /// The last block.
    pub async fn last_block(&self) -> BlockHeader {
        let count = self.rpc().get_block_count().await.expect("a block count");
        let header = self.rpc().get_block_header(count - 1).await;
        header.expect("the last block")
    }

    /// Moves the chain's clock: what is called from now on sees at least this time, in milliseconds since 1970. Nothing
    /// happens when it is so late already.
    pub async fn travel_to(&self, unix_ms: u64) {
        for _ in 0..ATTEMPTS {
            let last = self.last_block().await;
            if last.time_ms >= unix_ms {
                return;
            }
            let block = OwnBlock {
                time_ms: unix_ms,
                ..OwnBlock::default()
            };
            if self.add_block_after(&last, &block).await.is_ok() {
                return;
            }
        }
        panic!("no block of {unix_ms} ms in {ATTEMPTS} attempts: consensus is always quicker");
    }

    /// Hands in a block that follows `last`; its number. The error is the node's, also when another block came first.
    pub async fn add_block_after(
        &self,
        last: &BlockHeader,
        block: &OwnBlock,
    ) -> Result<u32, RpcError> {
        let validators = self.committee();
        let index = last.index + 1;
        let bytes = signed(&validators, last, index, block);
        let _: Value = self
            .rpc()
            .call("submitblock", json!([BASE64.encode(bytes)]))
            .await?;
        Ok(index)
    }
}

/// A whole block as it is sent.
fn signed(validators: &Account, last: &BlockHeader, index: u32, block: &OwnBlock) -> Vec<u8> {
    let hashes = block.transactions.iter().map(Transaction::hash).collect();
    let mut out = header(&validators.script_hash, last, index, block, hashes);
    let mut signed = NETWORK_MAGIC.to_le_bytes().to_vec();
    signed.extend(Sha256::digest(&out));
    let signature = validators.key.sign(&signed);
    // One witness: PUSHDATA1 of 64 bytes, and the script of one of one key.
    out.push(1);
    out.extend([66, 0x0C, 64]);
    out.extend(signature);
    let script = validators.verification_script();
    out.push(u8::try_from(script.len()).expect("a short script"));
    out.extend(script);
    put_count(&mut out, block.transactions.len());
    for transaction in &block.transactions {
        out.extend(transaction.to_bytes());
    }
    out
}

/// What the validators sign (neo-go `block.Header`): the state's root is no part of it on our nets.
fn header(
    validators: &Hash160,
    last: &BlockHeader,
    index: u32,
    block: &OwnBlock,
    transactions: Vec<Hash256>,
) -> Vec<u8> {
    let mut out = 0u32.to_le_bytes().to_vec();
    out.extend(last.hash.0);
    out.extend(merkle_root(transactions));
    out.extend(block.time_ms.to_le_bytes());
    out.extend(block.nonce.to_le_bytes());
    out.extend(index.to_le_bytes());
    // Who proposed it: the only validator there is.
    out.push(0);
    out.extend(validators.0);
    out
}

/// Neo's tree: two rounds of SHA-256 over two hashes, a last one without a neighbour twice; zeros over nothing.
fn merkle_root(hashes: Vec<Hash256>) -> [u8; 32] {
    let mut level: Vec<[u8; 32]> = hashes.into_iter().map(|hash| hash.0).collect();
    while level.len() > 1 {
        let pair = |two: &[[u8; 32]]| {
            let inner = Sha256::new()
                .chain_update(two[0])
                .chain_update(two[two.len() - 1])
                .finalize();
            Sha256::digest(inner).into()
        };
        level = level.chunks(2).map(pair).collect();
    }
    level.first().copied().unwrap_or_default()
}

/// A count as Neo writes it; a block holds at most 65,535 transactions.
fn put_count(out: &mut Vec<u8>, count: usize) {
    match u8::try_from(count) {
        Ok(short) if short < 0xFD => out.push(short),
        _ => {
            out.push(0xFD);
            out.extend(u16::try_from(count).expect("a block's count").to_le_bytes());
        }
    }
}
