//! The contract of storage nodes, proofs and rewards, typed.
//!
//! Amounts are in the smallest unit of SOUL (10⁻⁸), reputations in millionths of a point, times are Unix milliseconds.

mod agent;
mod events;
mod types;

use neo_client::{
    Account, ContractParam, Hash160, PublicKey, Receipt, RpcClient, StackItem, TransactionBuilder,
};

use crate::contract::ContractError;
use crate::method::Remote;

pub use events::ProofsEvent;
pub use types::{
    ContentProofs, DeployParams, Drawn, NodeEntry, NodeInfo, OpenProof, RewardInfo, Role, Settings,
    ShownChunk,
};

/// What the contract exports, one row a method.
pub mod methods {
    use crate::method::Method;

    pub const SETTINGS: Method = Method::view("settings", &[], "Array");
    pub const REGISTER_NODE: Method =
        Method::action("registerNode", &["PublicKey", "String"], "Integer");
    pub const LEAVE: Method = Method::action("leave", &["Hash160"], "Void");
    pub const NODE_INFO: Method = Method::view("nodeInfo", &["Hash160"], "Array");
    pub const NODES: Method = Method::view("nodes", &[], "InteropInterface");
    pub const NODE_COUNT: Method = Method::view("nodeCount", &[], "Integer");
    pub const AVERAGE_REPUTATION: Method = Method::view("averageReputation", &[], "Integer");
    pub const ROLE_OF: Method = Method::view("roleOf", &["Hash160"], "Integer");
    pub const QUOTE_REGISTER_NODE: Method =
        Method::view("quoteRegisterNode", &["Hash160"], "Integer");
    pub const QUOTE_START_PROOF: Method = Method::view("quoteStartProof", &[], "Integer");
    pub const OFFER_CONTENT: Method =
        Method::action("offerContent", &["Hash160", "ByteArray"], "Void");
    pub const RETRACT_CONTENT: Method =
        Method::action("retractContent", &["Hash160", "ByteArray"], "Void");
    pub const OFFERS_OF: Method = Method::view("offersOf", &["ByteArray"], "InteropInterface");
    pub const START_PROOF: Method = Method::action(
        "startProof",
        &["Hash160", "Hash160", "ByteArray", "Integer"],
        "Void",
    );
    pub const SHOW_PROOF: Method = Method::action(
        "showProof",
        &["Hash160", "Hash160", "Integer", "ByteArray", "Array"],
        "Void",
    );
    pub const ACCEPT_PROOF: Method = Method::action("acceptProof", &["Hash160", "Hash160"], "Void");
    pub const FAIL_PROOF: Method = Method::action("failProof", &["Hash160", "Hash160"], "Void");
    pub const OPEN_PROOF: Method = Method::view("openProof", &["Hash160", "Hash160"], "Array");
    pub const CONTENT_PROOFS: Method = Method::view("contentProofs", &["ByteArray"], "Array");
    pub const OBTAIN_REWARDS: Method = Method::action("obtainRewards", &["Hash160"], "Boolean");
    pub const REWARD_INFO: Method = Method::view("rewardInfo", &[], "Array");

    /// All of them; `_deploy` runs at deployment with [`DeployParams`](super::DeployParams).
    pub const ALL: [Method; 21] = [
        SETTINGS,
        REGISTER_NODE,
        LEAVE,
        NODE_INFO,
        NODES,
        NODE_COUNT,
        AVERAGE_REPUTATION,
        ROLE_OF,
        QUOTE_REGISTER_NODE,
        QUOTE_START_PROOF,
        OFFER_CONTENT,
        RETRACT_CONTENT,
        OFFERS_OF,
        START_PROOF,
        SHOW_PROOF,
        ACCEPT_PROOF,
        FAIL_PROOF,
        OPEN_PROOF,
        CONTENT_PROOFS,
        OBTAIN_REWARDS,
        REWARD_INFO,
    ];
}

/// Over the test run's price, where other calls of the same block may change what this one does.
const MARGIN_PERCENT: u32 = 40;

/// One deployed contract of proofs, seen through one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Proofs {
    remote: Remote,
}

impl Proofs {
    /// The contract with this hash.
    pub fn new(rpc: RpcClient, hash: Hash160) -> Self {
        let remote = Remote { rpc, hash };
        Self { remote }
    }

    pub fn hash(&self) -> Hash160 {
        self.remote.hash
    }

    // Reads.

    /// What was fixed at deployment.
    pub async fn settings(&self) -> Result<Settings, ContractError> {
        let parse = Settings::from_item;
        self.remote.get(&methods::SETTINGS, &[], parse).await
    }

    /// What is known of a node; None when it is not registered.
    pub async fn node_info(&self, account: &Hash160) -> Result<Option<NodeInfo>, ContractError> {
        let params = [(*account).into()];
        let parse = NodeInfo::from_item;
        self.remote.find(&methods::NODE_INFO, &params, parse).await
    }

    /// All registered nodes.
    pub async fn nodes(&self) -> Result<Vec<NodeEntry>, ContractError> {
        let parse = NodeEntry::from_item;
        self.remote.list(&methods::NODES, &[], parse).await
    }

    /// How many nodes are registered.
    pub async fn node_count(&self) -> Result<u64, ContractError> {
        self.number(&methods::NODE_COUNT, &[]).await
    }

    /// Millionths of a point.
    pub async fn average_reputation(&self) -> Result<u64, ContractError> {
        self.number(&methods::AVERAGE_REPUTATION, &[]).await
    }

    pub async fn role_of(&self, account: &Hash160) -> Result<Role, ContractError> {
        let params = [(*account).into()];
        let parse = Role::from_item;
        self.remote.get(&methods::ROLE_OF, &params, parse).await
    }

    /// SOUL that registering would cost this account.
    pub async fn quote_register_node(&self, account: &Hash160) -> Result<u64, ContractError> {
        let params = [(*account).into()];
        self.number(&methods::QUOTE_REGISTER_NODE, &params).await
    }

    /// SOUL that asking for a proof costs.
    pub async fn quote_start_proof(&self) -> Result<u64, ContractError> {
        self.number(&methods::QUOTE_START_PROOF, &[]).await
    }

    /// The accounts that offer a content.
    pub async fn offers_of(&self, content: &[u8; 32]) -> Result<Vec<Hash160>, ContractError> {
        let params = [ContractParam::bytes(*content)];
        let parse = StackItem::as_hash160;
        self.remote.list(&methods::OFFERS_OF, &params, parse).await
    }

    /// A pair's challenge, None when it has none.
    pub async fn open_proof(
        &self,
        validator: &Hash160,
        prover: &Hash160,
    ) -> Result<Option<OpenProof>, ContractError> {
        let params = [(*validator).into(), (*prover).into()];
        let parse = OpenProof::from_item;
        self.remote.find(&methods::OPEN_PROOF, &params, parse).await
    }

    /// How the proofs of a content went.
    pub async fn content_proofs(&self, content: &[u8; 32]) -> Result<ContentProofs, ContractError> {
        let params = [ContractParam::bytes(*content)];
        let (method, parse) = (&methods::CONTENT_PROOFS, ContentProofs::from_item);
        self.remote.get(method, &params, parse).await
    }

    pub async fn reward_info(&self) -> Result<RewardInfo, ContractError> {
        let parse = RewardInfo::from_item;
        self.remote.get(&methods::REWARD_INFO, &[], parse).await
    }

    // Writes.

    /// Registers the account as a storage node, or gives it other endpoints; gives its number. Costs
    /// [`Self::quote_register_node`].
    pub async fn register_node(
        &self,
        node: &Account,
        endpoints: &str,
    ) -> Result<(u64, Receipt), ContractError> {
        let method = &methods::REGISTER_NODE;
        let key: PublicKey = node.key.public_key();
        let params = [key.into(), endpoints.into()];
        let receipt = self.remote.write(node, method, &params).await?;
        let number = receipt.result().as_u64();
        let number = number.map_err(|source| self.remote.odd(method, source))?;
        Ok((number, receipt))
    }

    /// Takes the account off the register.
    pub async fn leave(&self, node: &Account) -> Result<Receipt, ContractError> {
        let params = [node.script_hash.into()];
        self.remote.write(node, &methods::LEAVE, &params).await
    }

    /// Promises to show any chunk of a content.
    pub async fn offer_content(
        &self,
        prover: &Account,
        content: &[u8; 32],
    ) -> Result<Receipt, ContractError> {
        let params = [prover.script_hash.into(), ContractParam::bytes(*content)];
        let method = &methods::OFFER_CONTENT;
        self.remote.write(prover, method, &params).await
    }

    /// Takes that back; open challenges stay.
    pub async fn retract_content(
        &self,
        prover: &Account,
        content: &[u8; 32],
    ) -> Result<Receipt, ContractError> {
        let params = [prover.script_hash.into(), ContractParam::bytes(*content)];
        let method = &methods::RETRACT_CONTENT;
        self.remote.write(prover, method, &params).await
    }

    /// Asks for a proof of a content, or with `block` of 256 KiB of it. Costs [`Self::quote_start_proof`].
    pub async fn start_proof(
        &self,
        validator: &Account,
        prover: &Hash160,
        content: &[u8; 32],
        block: Option<u32>,
    ) -> Result<Receipt, ContractError> {
        self.start_proof_call(validator, prover, content, block)?
            .run(&self.remote.rpc)
            .await
            .map_err(ContractError::Write)
    }

    /// The transaction of [`Self::start_proof`], for whoever sends several at a time.
    pub fn start_proof_call(
        &self,
        validator: &Account,
        prover: &Hash160,
        content: &[u8; 32],
        block: Option<u32>,
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [
            validator.script_hash.into(),
            (*prover).into(),
            ContractParam::bytes(*content),
            block.map_or(-1, i64::from).into(),
        ];
        self.roomy(validator, &methods::START_PROOF, &params)
    }

    /// Shows the chunk that was drawn.
    pub async fn show_proof(
        &self,
        prover: &Account,
        validator: &Hash160,
        nonce: u64,
        shown: &ShownChunk,
    ) -> Result<Receipt, ContractError> {
        self.show_proof_call(prover, validator, nonce, shown)?
            .run(&self.remote.rpc)
            .await
            .map_err(ContractError::Write)
    }

    /// The transaction of [`Self::show_proof`].
    pub fn show_proof_call(
        &self,
        prover: &Account,
        validator: &Hash160,
        nonce: u64,
        shown: &ShownChunk,
    ) -> Result<TransactionBuilder, ContractError> {
        let path = shown.path.iter().map(|hash| ContractParam::bytes(*hash));
        let params = [
            prover.script_hash.into(),
            (*validator).into(),
            nonce.into(),
            ContractParam::bytes(shown.chunk.clone()),
            ContractParam::Array(path.collect()),
        ];
        self.roomy(prover, &methods::SHOW_PROOF, &params)
    }

    /// Ends a proof that was shown; anybody may.
    pub async fn accept_proof(
        &self,
        payer: &Account,
        validator: &Hash160,
        prover: &Hash160,
    ) -> Result<Receipt, ContractError> {
        self.accept_proof_call(payer, validator, prover)?
            .run(&self.remote.rpc)
            .await
            .map_err(ContractError::Write)
    }

    /// The transaction of [`Self::accept_proof`].
    pub fn accept_proof_call(
        &self,
        payer: &Account,
        validator: &Hash160,
        prover: &Hash160,
    ) -> Result<TransactionBuilder, ContractError> {
        let params = [(*validator).into(), (*prover).into()];
        self.roomy(payer, &methods::ACCEPT_PROOF, &params)
    }

    /// Ends a proof that was not shown in time; anybody may.
    pub async fn fail_proof(
        &self,
        payer: &Account,
        validator: &Hash160,
        prover: &Hash160,
    ) -> Result<Receipt, ContractError> {
        let params = [(*validator).into(), (*prover).into()];
        let call = self.roomy(payer, &methods::FAIL_PROOF, &params)?;
        Ok(call.run(&self.remote.rpc).await?)
    }

    /// Closes a round of rewards, or pays the closed one; true when it paid.
    pub async fn obtain_rewards(
        &self,
        invoker: &Account,
    ) -> Result<(bool, Receipt), ContractError> {
        let method = &methods::OBTAIN_REWARDS;
        let params = [invoker.script_hash.into()];
        let call = self.roomy(invoker, method, &params)?;
        let receipt = call.run(&self.remote.rpc).await?;
        let paid = receipt.result().as_bool();
        let paid = paid.map_err(|source| self.remote.odd(method, source))?;
        Ok((paid, receipt))
    }

    /// The contract's events in a receipt.
    pub fn events(&self, receipt: &Receipt) -> Vec<ProofsEvent> {
        let all = receipt.notifications.iter();
        all.filter_map(|event| ProofsEvent::parse(&self.hash(), event))
            .collect()
    }

    async fn number(
        &self,
        method: &crate::method::Method,
        params: &[ContractParam],
    ) -> Result<u64, ContractError> {
        self.remote.get(method, params, StackItem::as_u64).await
    }

    /// A call whose price may change before it is in a block: others lengthen the queues and tallies that it writes.
    fn roomy(
        &self,
        account: &Account,
        method: &crate::method::Method,
        params: &[ContractParam],
    ) -> Result<TransactionBuilder, ContractError> {
        let call = self.remote.call(account, method, params)?;
        Ok(call.fee_margin_percent(MARGIN_PERCENT))
    }
}
