//! The contract on Neo N3, typed: reads cost nothing, writes give their value and the receipt of their transaction.
//!
//! Amounts of SOUL are in its smallest unit (10⁻⁸); times are Unix milliseconds.

mod access;
mod events;
pub mod methods;
mod types;
mod upkeep;

use neo_client::{
    Account, Actor, ActorError, ContractParam, Hash160, InvokeError, ItemError, Manifest, Nef,
    PublicKey, Receipt, RpcClient, RpcError, Scopes, ScriptBuilder, Signer, StackItem,
    TransactionBuilder, VmState, flags,
};
use phantasma_wire::message::Message;

pub use events::ContractEvent;
pub use types::{
    BoxInfo, ContentInfo, ContentMode, ContentOrder, DeployParams, Priority, Settings,
};
pub(crate) use types::{fields, odd};

/// What the contract says of a box number that does not exist.
const NO_SUCH_BOX: &str = "no such box";

/// Why a call of the contract gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    #[error(transparent)]
    Rpc(#[from] RpcError),
    /// A write that was not sent, or failed.
    #[error(transparent)]
    Write(#[from] ActorError),
    #[error("{method} refuses: {exception}")]
    Fault {
        method: &'static str,
        exception: String,
    },
    #[error(
        "{method} of {contract} gave something unexpected: {source}; is it the right contract?"
    )]
    Answer {
        method: &'static str,
        contract: Hash160,
        source: ItemError,
    },
}

impl ContractError {
    /// The contract's own words, when it was the contract that refused.
    pub fn exception(&self) -> Option<&str> {
        match self {
            Self::Fault { exception, .. } => Some(exception),
            Self::Write(error) => error.exception(),
            Self::Invoke(_) | Self::Rpc(_) | Self::Answer { .. } => None,
        }
    }
}

/// One deployed contract, seen through one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Phantasma {
    rpc: RpcClient,
    hash: Hash160,
}

impl Phantasma {
    /// The contract with this hash.
    pub fn new(rpc: RpcClient, hash: Hash160) -> Self {
        Self { rpc, hash }
    }

    /// Puts a new contract on the chain.
    pub async fn deploy(
        rpc: RpcClient,
        account: &Account,
        nef: &Nef,
        manifest: &Manifest,
        params: &DeployParams,
    ) -> Result<(Self, Receipt), ContractError> {
        let (hash, receipt) = Actor::new(rpc.clone(), account.clone())
            .deploy(nef, manifest, params)
            .await?;
        Ok((Self::new(rpc, hash), receipt))
    }

    pub fn rpc(&self) -> &RpcClient {
        &self.rpc
    }

    pub fn hash(&self) -> Hash160 {
        self.hash
    }

    // Reads.

    /// SOUL of an account.
    pub async fn balance_of(&self, account: &Hash160) -> Result<u64, ContractError> {
        self.number("balanceOf", &[(*account).into()]).await
    }

    /// SOUL that exist.
    pub async fn total_supply(&self) -> Result<u64, ContractError> {
        self.number("totalSupply", &[]).await
    }

    /// What was fixed at deployment.
    pub async fn settings(&self) -> Result<Settings, ContractError> {
        let item = self.read("settings", &[], &[]).await?;
        Settings::from_item(&item).map_err(|source| self.odd("settings", source))
    }

    /// A box; None when there is none with this number.
    pub async fn box_info(&self, box_id: u64) -> Result<Option<BoxInfo>, ContractError> {
        match self.read("boxInfo", &[box_id.into()], &[]).await {
            Ok(item) => BoxInfo::from_item(&item)
                .map(Some)
                .map_err(|source| self.odd("boxInfo", source)),
            Err(ContractError::Fault { exception, .. }) if exception.contains(NO_SUCH_BOX) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The number of the box with this name.
    pub async fn find_box(&self, name: &str) -> Result<Option<u64>, ContractError> {
        let id = self.number("findBox", &[name.into()]).await?;
        Ok((id != 0).then_some(id))
    }

    /// The numbers of an account's boxes, oldest first.
    pub async fn boxes_of(&self, owner: &Hash160) -> Result<Vec<u64>, ContractError> {
        let method = "boxesOf";
        let (item, session) = self.run(method, &[(*owner).into()], &[]).await?;
        let iterator = item
            .as_iterator()
            .map_err(|source| self.odd(method, source))?;
        let values = self.rpc.read_iterator(session.as_deref(), iterator).await?;
        let numbers = values
            .iter()
            .map(StackItem::as_u64)
            .collect::<Result<_, _>>();
        numbers.map_err(|source| self.odd(method, source))
    }

    /// How many boxes there are; their numbers are 1 to this.
    pub async fn box_count(&self) -> Result<u64, ContractError> {
        self.number("boxCount", &[]).await
    }

    /// How many contents a box has.
    pub async fn content_count(&self, box_id: u64) -> Result<u64, ContractError> {
        self.number("contentCount", &[box_id.into()]).await
    }

    /// A content's script as it was written; `index` counts from 0.
    pub async fn content_at(&self, box_id: u64, index: u64) -> Result<Vec<u8>, ContractError> {
        let item = self
            .read("contentAt", &[box_id.into(), index.into()], &[])
            .await?;
        item.as_bytes()
            .map_err(|source| self.odd("contentAt", source))
    }

    /// Runs gate and content as `caller` without a transaction, and gives what the content leaves.
    /// `max_payment` bounds what the content may charge; nothing is paid here.
    pub async fn read_content_at(
        &self,
        caller: &Hash160,
        box_id: u64,
        index: u64,
        max_payment: u64,
    ) -> Result<StackItem, ContractError> {
        let params = [
            (*caller).into(),
            box_id.into(),
            index.into(),
            max_payment.into(),
        ];
        self.read("readContentAt", &params, &[Signer::new(*caller)])
            .await
    }

    /// The greatest sequence number that an author has used in a box, 0 at first.
    pub async fn last_sequence(
        &self,
        box_id: u64,
        author: &PublicKey,
    ) -> Result<u64, ContractError> {
        self.number("lastSequence", &[box_id.into(), (*author).into()])
            .await
    }

    /// What is known of stored content; None when it is not registered.
    pub async fn content_info(
        &self,
        root: &[u8; 32],
    ) -> Result<Option<ContentInfo>, ContractError> {
        let item = self
            .read("contentInfo", &[ContractParam::bytes(*root)], &[])
            .await?;
        if item.is_null() {
            return Ok(None);
        }
        ContentInfo::from_item(&item)
            .map(Some)
            .map_err(|source| self.odd("contentInfo", source))
    }

    // Writes.

    /// Sends SOUL.
    pub async fn transfer(
        &self,
        from: &Account,
        to: &Hash160,
        amount: u64,
    ) -> Result<Receipt, ContractError> {
        Ok(Actor::new(self.rpc.clone(), from.clone())
            .transfer(&self.hash, to, amount)
            .await?)
    }

    /// Makes a box that belongs to `owner`, and gives its number. Costs `settings().box_fee`.
    pub async fn create_box(
        &self,
        owner: &Account,
        name: &str,
        gate: &[u8],
    ) -> Result<(u64, Receipt), ContractError> {
        let key = owner.key.public_key();
        let params = [
            owner.script_hash.into(),
            name.into(),
            key.into(),
            gate.into(),
        ];
        self.write_number(owner, "createBox", &params).await
    }

    /// Writes a content script into a box, and gives its index.
    pub async fn write_content(
        &self,
        caller: &Account,
        box_id: u64,
        content: &[u8],
        max_payment: u64,
    ) -> Result<(u64, Receipt), ContractError> {
        let params = [
            caller.script_hash.into(),
            box_id.into(),
            content.into(),
            max_payment.into(),
        ];
        self.write_number(caller, "writeContent", &params).await
    }

    /// Submits a message that its author signed; `payer` pays the network. Gives the content's index.
    pub async fn write_signed(
        &self,
        payer: &Account,
        message: &Message,
    ) -> Result<(u64, Receipt), ContractError> {
        self.write_number(payer, "writeSigned", &signed_params(message))
            .await
    }

    /// One transaction that submits all these messages in this order; each leaves its index in the box. When one is
    /// refused, none is written. `payer`'s witness counts nowhere but for the fees.
    pub fn write_many<'a>(
        &self,
        payer: &Account,
        messages: impl IntoIterator<Item = &'a Message>,
    ) -> Result<TransactionBuilder, ContractError> {
        let mut script = ScriptBuilder::new();
        for message in messages {
            let params = signed_params(message);
            script.call(&self.hash, "writeSigned", flags::ALL, &params);
        }
        let script = script.build().map_err(ActorError::from)?;
        let signer = Signer::with_scopes(payer.script_hash, Scopes::NONE);
        Ok(TransactionBuilder::new(script).signer(signer, payer))
    }

    /// Registers stored content and pays for it.
    pub async fn create_content(
        &self,
        owner: &Account,
        order: &ContentOrder,
    ) -> Result<([u8; 32], Receipt), ContractError> {
        let receipt = self
            .call(owner, "createContent", &order.params(&owner.script_hash))?
            .run(&self.rpc)
            .await;
        let receipt = receipt.map_err(ContractError::Write)?;
        Ok((order.root, receipt))
    }

    /// Any method as a transaction of `account`, to be tried, extended by more signers, sent or run.
    pub fn call(
        &self,
        account: &Account,
        method: &str,
        params: &[ContractParam],
    ) -> Result<TransactionBuilder, ContractError> {
        Ok(Actor::new(self.rpc.clone(), account.clone()).build(&self.hash, method, params)?)
    }

    /// The events of ours in a receipt.
    pub fn events(&self, receipt: &Receipt) -> Vec<ContractEvent> {
        receipt
            .notifications
            .iter()
            .filter_map(|event| ContractEvent::parse(&self.hash, event))
            .collect()
    }

    // Below: one way for all.

    async fn write_number(
        &self,
        account: &Account,
        method: &'static str,
        params: &[ContractParam],
    ) -> Result<(u64, Receipt), ContractError> {
        debug_assert!(methods::fits(method, params), "{method} {params:?}");
        let receipt = self.call(account, method, params)?.run(&self.rpc).await?;
        let value = receipt
            .result()
            .as_u64()
            .map_err(|source| self.odd(method, source))?;
        Ok((value, receipt))
    }

    async fn number(
        &self,
        method: &'static str,
        params: &[ContractParam],
    ) -> Result<u64, ContractError> {
        self.read(method, params, &[])
            .await?
            .as_u64()
            .map_err(|source| self.odd(method, source))
    }

    async fn read(
        &self,
        method: &'static str,
        params: &[ContractParam],
        signers: &[Signer],
    ) -> Result<StackItem, ContractError> {
        Ok(self.run(method, params, signers).await?.0)
    }

    /// The result of a test run and the session of iterators in it.
    async fn run(
        &self,
        method: &'static str,
        params: &[ContractParam],
        signers: &[Signer],
    ) -> Result<(StackItem, Option<String>), ContractError> {
        debug_assert!(methods::fits(method, params), "{method} {params:?}");
        let result = self
            .rpc
            .invoke_function(&self.hash, method, params, signers)
            .await?;
        if result.state == VmState::Fault {
            let exception = result
                .exception
                .unwrap_or_else(|| "no reason given".to_owned());
            return Err(ContractError::Fault { method, exception });
        }
        let item = result.stack.into_iter().next().unwrap_or(StackItem::Null);
        Ok((item, result.session))
    }

    fn odd(&self, method: &'static str, source: ItemError) -> ContractError {
        ContractError::Answer {
            method,
            contract: self.hash,
            source,
        }
    }
}

/// Arguments of `writeSigned`.
fn signed_params(message: &Message) -> [ContractParam; 7] {
    let body = &message.body;
    [
        PublicKey(body.author).into(),
        body.box_id.into(),
        body.sequence.into(),
        body.time_ms.into(),
        body.class.to_byte().into(),
        ContractParam::bytes(body.payload.to_vec()),
        message.signature.into(),
    ]
}
