//! A node whose consensus sleeps: only the test makes blocks. What is in them, when they are and what their nonces are is
//! then the same in each run, and a block takes some milliseconds.

use neo_client::rpc::{BlockHeader, Execution};
use neo_client::{
    Account, ContractParam, Hash160, PrivateKey, RpcClient, ScriptBuilder, Signer, Transaction,
    VmState, account, flags,
};
use phantasma::net::NETWORK_MAGIC;
use sha2::{Digest, Sha256};

use crate::{OwnBlock, PrivateNetConfig, TestNet};

/// Consensus makes a block of its own only when for so long there was no other. A test run sees a time that is later
/// than the last block by this.
pub const SLEEP_MS: u32 = 600_000;
/// The most that a transaction can pay for running, in datoshi: a block's limit.
const SYSTEM_FEE: i64 = 20_0000_0000;
/// Enough for the size and the signatures of any of our transactions.
const NETWORK_FEE: i64 = 1_0000_0000;
/// Transactions stay valid for so many blocks: fewer than the 144 of a day.
const VALID_BLOCKS: u32 = 100;

/// See the module.
#[derive(Debug)]
pub struct QuietNet {
    net: TestNet,
    rpc: RpcClient,
    committee: Account,
    last: BlockHeader,
    /// Makes otherwise equal transactions differ.
    sent: u32,
}

/// The account whose key is the hash of its name, as the native chain has it.
pub fn account_named(name: &str) -> Account {
    let key = PrivateKey::from_bytes(&Sha256::digest(name.as_bytes()).into());
    Account::new(key.expect("a hash is a key"))
}

/// A script that calls one method.
pub fn call_script(contract: &Hash160, method: &str, params: &[ContractParam]) -> Vec<u8> {
    let mut script = ScriptBuilder::new();
    script.call(contract, method, flags::ALL, params);
    script.build().expect("a short script")
}

impl QuietNet {
    /// A fresh chain; its first block is consensus's, now.
    pub async fn start() -> QuietNet {
        let config = PrivateNetConfig {
            block_time_ms: SLEEP_MS,
            ..PrivateNetConfig::default()
        };
        let net = TestNet::with(config).await;
        QuietNet {
            rpc: net.rpc(),
            committee: net.committee(),
            last: net.last_block().await,
            net,
            sent: 0,
        }
    }

    pub fn net(&self) -> &TestNet {
        &self.net
    }

    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    /// The last block.
    pub fn last(&self) -> &BlockHeader {
        &self.last
    }

    /// A signed transaction. The first of the accounts pays, or the committee's when `paid` is not set; every witness
    /// counts in the called contract.
    pub fn transaction(&mut self, script: Vec<u8>, by: &[&Account], paid: bool) -> Transaction {
        let fee_only = Signer::with_scopes(self.committee.script_hash, neo_client::Scopes::NONE);
        let committee = [&self.committee];
        let payer = if paid { &committee[..] } else { &[] };
        let accounts: Vec<Account> = payer.iter().chain(by).map(|a| (*a).clone()).collect();
        let mut signers = vec![fee_only];
        signers.truncate(payer.len());
        signers.extend(by.iter().map(|account| Signer::new(account.script_hash)));
        self.sent += 1;
        let mut tx = Transaction {
            nonce: self.sent,
            system_fee: SYSTEM_FEE,
            network_fee: NETWORK_FEE,
            valid_until_block: self.last.index + VALID_BLOCKS,
            signers,
            script,
            ..Transaction::default()
        };
        account::sign(&mut tx, NETWORK_MAGIC, &accounts).expect("all keys are here");
        tx
    }

    /// Makes a block; what each transaction did.
    pub async fn block(
        &mut self,
        time_ms: u64,
        nonce: u64,
        transactions: Vec<Transaction>,
    ) -> Vec<Execution> {
        let block = OwnBlock {
            time_ms,
            nonce,
            transactions,
        };
        let added = self.net.add_block_after(&self.last, &block).await;
        let index = added.unwrap_or_else(|e| panic!("block of {time_ms} ms: {e}"));
        let header = self.rpc.get_block_header(index).await;
        self.last = header.expect("the block that was added");
        let mut runs = Vec::with_capacity(block.transactions.len());
        for tx in &block.transactions {
            let log = self.rpc.get_application_log(&tx.hash()).await;
            let log = log.expect("a log").expect("a transaction in a block");
            runs.extend(log.executions.into_iter().take(1));
        }
        runs
    }

    /// A block, a second later, with a transaction for each script; all must go through.
    pub async fn run(&mut self, scripts: Vec<(Vec<u8>, Vec<&Account>)>) -> Vec<Execution> {
        let make = |(script, by): (Vec<u8>, Vec<&Account>)| self.transaction(script, &by, true);
        let transactions = scripts.into_iter().map(make).collect();
        let runs = self.block(self.last.time_ms + 1000, 0, transactions).await;
        for run in &runs {
            assert_eq!(run.state, VmState::Halt, "{:?}", run.exception);
        }
        runs
    }
}
