//! Changes the chain: test run, fees, signatures, sending, waiting.

use std::time::Duration;

use num_bigint::BigInt;

use crate::{
    Account, Attribute, CONTRACT_MANAGEMENT, ContractParam, Hash160, Hash256, InvokeResult,
    Manifest, Nef, Notification, POLICY, RpcClient, RpcError, ScriptBuilder, ScriptError,
    SignError, Signer, StackItem, Transaction, VmState, account, contract_hash, flags,
    manifest::ManifestError, rpc::ApplicationLog,
};

/// How long a transaction may wait for a block before it is void. Neo's own limit is a day.
const VALID_FOR: Duration = Duration::from_secs(120);
/// On a net with slow blocks: still so many.
const MIN_VALID_BLOCKS: u32 = 10;
/// Blocks after the last valid one until a missing transaction counts as void: nodes may lag by one.
const EXPIRY_SLACK: u32 = 1;
/// Between two looks for a transaction: a tenth of a block's time, within these.
const POLL: (Duration, Duration) = (Duration::from_millis(20), Duration::from_millis(1000));
/// Failures of the node in a row while waiting, after which waiting ends.
const MAX_POLL_FAILURES: u32 = 10;
/// Added to the test run's price: state may change until the transaction runs, and a shortage would lose it all.
const FEE_MARGIN_PERCENT: i64 = 5;

/// What a node says of a test run that took more than it allows.
const TEST_LIMIT: &str = "GAS limit exceeded";
/// What a deployment may take beyond its bytes, in datoshi: the deploying script and a small `_deploy`.
const DEPLOY_RUN: i64 = 5000_0000;
/// Datoshi a byte, unless the committee has changed it.
const USUAL_STORAGE_PRICE: i64 = 10_0000;

/// What a transaction did. Fees in datoshi (10⁻⁸ GAS).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    pub txid: Hash256,
    pub vm_state: VmState,
    /// Always None in a successful answer.
    pub exception: Option<String>,
    /// What running it took; the system fee was paid.
    pub gas_consumed: i64,
    pub system_fee: i64,
    pub network_fee: i64,
    pub block_index: u32,
    pub stack: Vec<StackItem>,
    pub notifications: Vec<Notification>,
}

impl Receipt {
    /// The method's result; Null when there is none.
    pub fn result(&self) -> &StackItem {
        self.stack.first().unwrap_or(&StackItem::Null)
    }

    /// The first event of this name that `contract` sent.
    pub fn event(&self, contract: &Hash160, name: &str) -> Option<&Notification> {
        self.notifications
            .iter()
            .find(|event| event.contract == *contract && event.name == name)
    }
}

/// Why a transaction did not come to be, or failed.
#[derive(Debug, thiserror::Error)]
pub enum ActorError {
    #[error(transparent)]
    Rpc(#[from] RpcError),
    #[error("cannot write the script: {0}")]
    Script(#[from] ScriptError),
    #[error("cannot sign: {0}")]
    Sign(#[from] SignError),
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    #[error("a transaction needs at least one signer, who pays")]
    NoSigner,
    #[error(
        "{what} would fail, so it was not sent: {exception} (test run took {gas_consumed} datoshi)"
    )]
    TestFault {
        what: String,
        exception: String,
        gas_consumed: i64,
    },
    #[error(
        "{what} failed in block {block_index}: {exception} (transaction {txid}, the fees are spent)"
    )]
    Fault {
        what: String,
        exception: String,
        txid: Hash256,
        block_index: u32,
        receipt: Box<Receipt>,
    },
    #[error(
        "transaction {txid} came into no block until {valid_until_block}: it is void, send it again"
    )]
    Expired {
        txid: Hash256,
        valid_until_block: u32,
    },
    #[error("{what} gave {result} instead of true")]
    Refused { what: String, result: String },
}

impl ActorError {
    /// The contract's own words when it refused, in the test run or on the chain.
    pub fn exception(&self) -> Option<&str> {
        match self {
            Self::TestFault { exception, .. } | Self::Fault { exception, .. } => Some(exception),
            Self::Rpc(_)
            | Self::Script(_)
            | Self::Sign(_)
            | Self::Manifest(_)
            | Self::NoSigner
            | Self::Expired { .. }
            | Self::Refused { .. } => None,
        }
    }
}

/// A transaction on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PendingTransaction {
    pub txid: Hash256,
    pub valid_until_block: u32,
    pub system_fee: i64,
    pub network_fee: i64,
    /// For messages: which method of which contract.
    pub what: String,
}

/// Puts a transaction together: a script, signers with their accounts, attributes.
#[derive(Clone, Debug)]
pub struct TransactionBuilder {
    script: Vec<u8>,
    what: String,
    signers: Vec<Signer>,
    accounts: Vec<Account>,
    attributes: Vec<Attribute>,
    margin_percent: i64,
    extra_network_fee: i64,
    known_fee: Option<i64>,
}

impl TransactionBuilder {
    pub fn new(script: Vec<u8>) -> Self {
        Self {
            script,
            what: "the script".to_owned(),
            signers: Vec::new(),
            accounts: Vec::new(),
            attributes: Vec::new(),
            margin_percent: FEE_MARGIN_PERCENT,
            extra_network_fee: 0,
            known_fee: None,
        }
    }

    /// A call of one method.
    pub fn call(
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<Self, ScriptError> {
        let mut script = ScriptBuilder::new();
        script.call(contract, method, flags::ALL, params);
        Ok(Self {
            what: format!("{method} of {contract}"),
            ..Self::new(script.build()?)
        })
    }

    /// Adds a signer; the first pays. `account` holds the key for it.
    pub fn signer(mut self, signer: Signer, account: &Account) -> Self {
        self.signers.push(signer);
        self.accounts.push(account.clone());
        self
    }

    /// Adds a key for a multisig signer that is there already.
    pub fn co_signer(mut self, account: &Account) -> Self {
        self.accounts.push(account.clone());
        self
    }

    pub fn attribute(mut self, attribute: Attribute) -> Self {
        self.attributes.push(attribute);
        self
    }

    /// Percent added to the test run's price, 5 unless told.
    pub fn fee_margin_percent(mut self, percent: u32) -> Self {
        self.margin_percent = i64::from(percent);
        self
    }

    /// Datoshi over the needed network fee: nodes prefer who pays more.
    pub fn extra_network_fee(mut self, datoshi: u32) -> Self {
        self.extra_network_fee = i64::from(datoshi);
        self
    }

    /// The system fee in datoshi for a call that is dearer than what the node lets a test run take.
    pub fn known_fee(mut self, datoshi: i64) -> Self {
        self.known_fee = Some(datoshi);
        self
    }

    /// Runs the script without sending anything.
    pub async fn test_run(&self, rpc: &RpcClient) -> Result<InvokeResult, ActorError> {
        let result = rpc.invoke_script(&self.script, &self.signers).await?;
        match result.state {
            VmState::Halt => Ok(result),
            VmState::Fault => Err(ActorError::TestFault {
                what: self.what.clone(),
                exception: result
                    .exception
                    .unwrap_or_else(|| "no reason given".to_owned()),
                gas_consumed: result.gas_consumed,
            }),
        }
    }

    /// Test run, fees, signatures: a transaction ready to be sent.
    pub async fn prepare(&self, rpc: &RpcClient) -> Result<Transaction, ActorError> {
        if self.signers.is_empty() {
            return Err(ActorError::NoSigner);
        }
        let system_fee = self.system_fee(rpc).await?;
        let version = rpc.version().await?;
        let mut tx = Transaction {
            nonce: nonce(),
            system_fee,
            valid_until_block: rpc
                .get_block_count()
                .await?
                .saturating_add(valid_blocks(version)),
            signers: self.signers.clone(),
            attributes: self.attributes.clone(),
            script: self.script.clone(),
            ..Transaction::default()
        };
        tx.witnesses = account::unsigned_witnesses(&tx, &self.accounts)?;
        tx.network_fee = rpc
            .calculate_network_fee(&tx)
            .await?
            .saturating_add(self.extra_network_fee);
        account::sign(&mut tx, version.network(), &self.accounts)?;
        Ok(tx)
    }

    async fn system_fee(&self, rpc: &RpcClient) -> Result<i64, ActorError> {
        match (self.test_run(rpc).await, self.known_fee) {
            (Ok(run), _) => Ok(run
                .gas_consumed
                .saturating_add(run.gas_consumed.saturating_mul(self.margin_percent) / 100)),
            (Err(ActorError::TestFault { exception, .. }), Some(fee))
                if exception.contains(TEST_LIMIT) =>
            {
                Ok(fee)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Prepares and sends.
    pub async fn send(&self, rpc: &RpcClient) -> Result<PendingTransaction, ActorError> {
        let tx = self.prepare(rpc).await?;
        let txid = rpc.send_raw_transaction(&tx).await?;
        tracing::debug!(%txid, what = self.what, "sent");
        Ok(PendingTransaction {
            txid,
            valid_until_block: tx.valid_until_block,
            system_fee: tx.system_fee,
            network_fee: tx.network_fee,
            what: self.what.clone(),
        })
    }

    /// Prepares, sends and waits until it is in a block. A FAULT is an error.
    pub async fn run(&self, rpc: &RpcClient) -> Result<Receipt, ActorError> {
        self.send(rpc).await?.wait(rpc).await
    }
}

impl PendingTransaction {
    /// Waits until it is in a block, or void. A FAULT is an error.
    pub async fn wait(&self, rpc: &RpcClient) -> Result<Receipt, ActorError> {
        let block_time = Duration::from_millis(rpc.version().await?.protocol.ms_per_block);
        let pause = (block_time / 10).clamp(POLL.0, POLL.1);
        let mut failures = 0;
        loop {
            match self.look(rpc).await {
                Ok(Some(receipt)) => return self.judge(receipt),
                Ok(None) => failures = 0,
                Err(ActorError::Rpc(error))
                    if error.is_transient() && failures < MAX_POLL_FAILURES =>
                {
                    failures += 1;
                    tracing::warn!(txid = %self.txid, %error, "asking again");
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// The receipt whatever the outcome, None while there is none, an error once there never will be one.
    pub async fn look(&self, rpc: &RpcClient) -> Result<Option<Receipt>, ActorError> {
        // Height first: what is in the chain at that height is seen by the second question.
        let height = rpc.get_block_count().await?;
        match rpc.get_application_log(&self.txid).await? {
            Some(log) => self.receipt(rpc, log).await,
            None if height > self.valid_until_block.saturating_add(1 + EXPIRY_SLACK) => {
                Err(ActorError::Expired {
                    txid: self.txid,
                    valid_until_block: self.valid_until_block,
                })
            }
            None => Ok(None),
        }
    }

    async fn receipt(
        &self,
        rpc: &RpcClient,
        log: ApplicationLog,
    ) -> Result<Option<Receipt>, ActorError> {
        let Some(block_index) = rpc.get_transaction_height(&self.txid).await? else {
            return Ok(None);
        };
        let Some(run) = log.executions.into_iter().next() else {
            let reason = format!("the log of {} holds no execution", self.txid);
            let method = "getapplicationlog".to_owned();
            return Err(RpcError::Answer {
                url: rpc.url().to_owned(),
                method,
                reason,
            }
            .into());
        };
        Ok(Some(Receipt {
            txid: self.txid,
            vm_state: run.state,
            exception: run.exception,
            gas_consumed: run.gas_consumed,
            system_fee: self.system_fee,
            network_fee: self.network_fee,
            block_index,
            stack: run.stack,
            notifications: run.notifications,
        }))
    }

    fn judge(&self, receipt: Receipt) -> Result<Receipt, ActorError> {
        match receipt.vm_state {
            VmState::Halt => Ok(receipt),
            VmState::Fault => Err(ActorError::Fault {
                what: self.what.clone(),
                exception: receipt
                    .exception
                    .clone()
                    .unwrap_or_else(|| "no reason given".to_owned()),
                txid: receipt.txid,
                block_index: receipt.block_index,
                receipt: Box::new(receipt),
            }),
        }
    }
}

/// One account acting on one network.
#[derive(Clone, Debug)]
pub struct Actor {
    rpc: RpcClient,
    account: Account,
    signer: Signer,
}

impl Actor {
    /// Signs with `account`, whose witness counts in the called contract only.
    pub fn new(rpc: RpcClient, account: impl Into<Account>) -> Self {
        let account = account.into();
        let signer = Signer::new(account.script_hash);
        Self {
            rpc,
            account,
            signer,
        }
    }

    /// With another scope of the witness. The signer's account stays ours.
    pub fn with_signer(mut self, signer: Signer) -> Self {
        self.signer = Signer {
            account: self.account.script_hash,
            ..signer
        };
        self
    }

    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    pub fn account(&self) -> &Account {
        &self.account
    }

    /// A transaction of ours to which more signers can be added.
    pub fn build(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<TransactionBuilder, ActorError> {
        Ok(TransactionBuilder::call(contract, method, params)?
            .signer(self.signer.clone(), &self.account))
    }

    /// Runs a method as our account, without sending anything.
    pub async fn test(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<InvokeResult, ActorError> {
        self.build(contract, method, params)?
            .test_run(&self.rpc)
            .await
    }

    /// Calls a method and waits until it is in a block. A FAULT, tried or real, is an error with its exception.
    pub async fn invoke(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<Receipt, ActorError> {
        self.build(contract, method, params)?.run(&self.rpc).await
    }

    /// Calls a method without waiting for its block.
    pub async fn send(
        &self,
        contract: &Hash160,
        method: &str,
        params: &[ContractParam],
    ) -> Result<PendingTransaction, ActorError> {
        self.build(contract, method, params)?.send(&self.rpc).await
    }

    /// Runs any script and waits.
    pub async fn run_script(&self, script: Vec<u8>) -> Result<Receipt, ActorError> {
        TransactionBuilder::new(script)
            .signer(self.signer.clone(), &self.account)
            .run(&self.rpc)
            .await
    }

    /// Sends NEP-17 tokens, `amount` in the smallest unit. A token that answers false is an error.
    pub async fn transfer(
        &self,
        token: &Hash160,
        to: &Hash160,
        amount: impl Into<BigInt>,
    ) -> Result<Receipt, ActorError> {
        let params = [
            self.account.script_hash.into(),
            (*to).into(),
            amount.into().into(),
            ContractParam::Any,
        ];
        let mut script = ScriptBuilder::new();
        // Asserted, so that a refusal shows in the test run and costs nothing.
        script
            .call(token, "transfer", flags::ALL, &params)
            .op(neo_opcode::Op::ASSERT);
        let mut builder =
            TransactionBuilder::new(script.build()?).signer(self.signer.clone(), &self.account);
        builder.what = format!("transfer of {token} (false: too little balance or no permission)");
        builder.run(&self.rpc).await
    }

    /// What the chain asks for a byte of storage, in datoshi.
    async fn storage_price(&self) -> Result<i64, ActorError> {
        let result = self.test(&POLICY, "getStoragePrice", &[]).await?;
        let price = result.stack.first().and_then(|item| item.as_u64().ok());
        Ok(price
            .and_then(|price| i64::try_from(price).ok())
            .unwrap_or(USUAL_STORAGE_PRICE))
    }

    /// Deploys a contract and gives its hash. `data` is what its `_deploy` receives.
    pub async fn deploy(
        &self,
        nef: &Nef,
        manifest: &Manifest,
        data: impl Into<ContractParam>,
    ) -> Result<(Hash160, Receipt), ActorError> {
        let hash = contract_hash(&self.account.script_hash, nef.checksum(), &manifest.name);
        let params = [
            ContractParam::bytes(nef.to_bytes()),
            manifest.to_json()?.into(),
            data.into(),
        ];
        let mut builder = self.build(&CONTRACT_MANAGEMENT, "deploy", &params)?;
        builder.what = format!("deploy of {} as {hash}", manifest.name);
        let bytes = params.iter().map(|param| match param {
            ContractParam::ByteArray(data) => data.len(),
            ContractParam::String(text) => text.len(),
            _ => 0,
        });
        let bytes = i64::try_from(bytes.sum::<usize>()).unwrap_or(i64::MAX);
        let price = self.storage_price().await?;
        // The price of a deployment depends on nothing but its bytes; near 20 GAS a margin would pass the block's limit.
        let builder = builder
            .fee_margin_percent(0)
            .known_fee(bytes.saturating_mul(price).saturating_add(DEPLOY_RUN));
        let receipt = builder.run(&self.rpc).await?;
        Ok((hash, receipt))
    }
}

/// Blocks that a transaction stays valid.
fn valid_blocks(version: &crate::rpc::Version) -> u32 {
    let protocol = &version.protocol;
    let blocks = VALID_FOR.as_millis() / u128::from(protocol.ms_per_block.max(1));
    let blocks = u32::try_from(blocks)
        .unwrap_or(u32::MAX)
        .max(MIN_VALID_BLOCKS);
    match protocol.max_valid_until_block_increment {
        0 => blocks,
        max => blocks.min(max),
    }
}

fn nonce() -> u32 {
    let mut bytes = [0; 4];
    // A repeated nonce only makes the node refuse an equal transaction.
    let _ = aws_lc_rs::rand::fill(&mut bytes);
    u32::from_le_bytes(bytes)
}
