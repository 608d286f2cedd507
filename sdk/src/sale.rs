//! The contract that sells SOUL, typed. It is bought with an ordinary transfer of NEO or GAS; [`Sale::buy`] makes one.
//!
//! Amounts of SOUL and GAS are in their smallest units (10⁻⁸), NEO is whole, times are Unix milliseconds.

mod events;
mod types;

use neo_client::{Account, Actor, ContractParam, GAS, Hash160, NEO, Receipt, RpcClient, StackItem};

use crate::contract::ContractError;
use crate::method::Remote;

pub use events::SaleEvent;
pub use types::{
    AccountInfo, DeployParams, Locked, Locks, Lockup, LockupInfo, Phase, Quote, SaleInfo, Settings,
    Tier,
};

/// What the contract exports, one row a method.
pub mod methods {
    use crate::method::Method;

    pub const WHITELIST: Method = Method::action("whitelist", &["Array", "Integer"], "Void");
    pub const ALLOT: Method = Method::action("allot", &["Array", "Array", "Integer"], "Void");
    pub const PAUSE: Method = Method::action("pause", &[], "Void");
    pub const RESUME: Method = Method::action("resume", &[], "Void");
    pub const POSTPONE: Method = Method::action("postpone", &["Integer"], "Void");
    pub const END: Method = Method::action("end", &[], "Void");
    pub const WITHDRAW: Method = Method::action("withdraw", &[], "Void");
    pub const UNLOCK_TOKENS: Method = Method::action("unlockTokens", &["Hash160"], "Integer");
    pub const PHASE: Method = Method::view("phase", &[], "Integer");
    pub const SALE_INFO: Method = Method::view("saleInfo", &[], "Array");
    pub const SETTINGS: Method = Method::view("settings", &[], "Array");
    pub const TIER_INFO: Method = Method::view("tierInfo", &["Integer"], "Array");
    pub const LOCKUP_INFO: Method = Method::view("lockupInfo", &["Integer"], "Array");
    pub const TIER_OF: Method = Method::view("tierOf", &["Hash160"], "Integer");
    pub const ACCOUNT_INFO: Method = Method::view("accountInfo", &["Hash160"], "Array");
    pub const REMAINING_OF: Method = Method::view("remainingOf", &["Hash160"], "Integer");
    pub const QUOTE: Method = Method::view("quote", &["Hash160", "Hash160", "Integer"], "Array");
    pub const LOCKED_OF: Method = Method::view("lockedOf", &["Hash160"], "Array");

    /// All of them. `_deploy` runs at deployment with [`DeployParams`](super::DeployParams); NeoToken and GasToken call
    /// `onNEP17Payment` when somebody [buys](super::Sale::buy).
    pub const ALL: [Method; 18] = [
        WHITELIST,
        ALLOT,
        PAUSE,
        RESUME,
        POSTPONE,
        END,
        WITHDRAW,
        UNLOCK_TOKENS,
        PHASE,
        SALE_INFO,
        SETTINGS,
        TIER_INFO,
        LOCKUP_INFO,
        TIER_OF,
        ACCOUNT_INFO,
        REMAINING_OF,
        QUOTE,
        LOCKED_OF,
    ];
}

/// What the sale takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Currency {
    Neo,
    Gas,
}

impl Currency {
    /// The token's contract.
    pub fn hash(self) -> Hash160 {
        match self {
            Self::Neo => NEO,
            Self::Gas => GAS,
        }
    }
}

/// One deployed sale, seen through one node. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Sale {
    remote: Remote,
}

impl Sale {
    /// The contract with this hash.
    pub fn new(rpc: RpcClient, hash: Hash160) -> Self {
        let remote = Remote { rpc, hash };
        Self { remote }
    }

    pub fn hash(&self) -> Hash160 {
        self.remote.hash
    }

    // Reads.

    pub async fn phase(&self) -> Result<Phase, ContractError> {
        self.remote
            .get(&methods::PHASE, &[], Phase::from_item)
            .await
    }

    /// Where the sale stands.
    pub async fn sale_info(&self) -> Result<SaleInfo, ContractError> {
        let parse = SaleInfo::from_item;
        self.remote.get(&methods::SALE_INFO, &[], parse).await
    }

    /// What was fixed at deployment.
    pub async fn settings(&self) -> Result<Settings, ContractError> {
        let parse = Settings::from_item;
        self.remote.get(&methods::SETTINGS, &[], parse).await
    }

    /// The terms of a tier, from 1.
    pub async fn tier_info(&self, tier: u64) -> Result<Tier, ContractError> {
        let params = [tier.into()];
        let parse = Tier::from_item;
        self.remote.get(&methods::TIER_INFO, &params, parse).await
    }

    /// The times of a lock-up, from 1, and what of its reserve was allotted.
    pub async fn lockup_info(&self, lockup: u64) -> Result<LockupInfo, ContractError> {
        let params = [lockup.into()];
        let parse = LockupInfo::from_item;
        self.remote.get(&methods::LOCKUP_INFO, &params, parse).await
    }

    /// The tier of an account, None if it is not on the whitelist.
    pub async fn tier_of(&self, account: &Hash160) -> Result<Option<u64>, ContractError> {
        let params = [(*account).into()];
        let parse = StackItem::as_u64;
        let tier = self.remote.get(&methods::TIER_OF, &params, parse).await?;
        Ok((tier != 0).then_some(tier))
    }

    pub async fn account_info(&self, account: &Hash160) -> Result<AccountInfo, ContractError> {
        let params = [(*account).into()];
        let parse = AccountInfo::from_item;
        self.remote
            .get(&methods::ACCOUNT_INFO, &params, parse)
            .await
    }

    /// SOUL without bonus that an account may still buy.
    pub async fn remaining_of(&self, account: &Hash160) -> Result<u64, ContractError> {
        let params = [(*account).into()];
        let parse = StackItem::as_u64;
        self.remote
            .get(&methods::REMAINING_OF, &params, parse)
            .await
    }

    /// What an account would get for so much, if nobody buys in between.
    pub async fn quote(
        &self,
        account: &Hash160,
        currency: Currency,
        amount: u64,
    ) -> Result<Quote, ContractError> {
        let params = [(*account).into(), currency.hash().into(), amount.into()];
        let parse = Quote::from_item;
        self.remote.get(&methods::QUOTE, &params, parse).await
    }

    /// What the sale keeps for an account.
    pub async fn locked_of(&self, address: &Hash160) -> Result<Locked, ContractError> {
        let params = [(*address).into()];
        let parse = Locked::from_item;
        self.remote.get(&methods::LOCKED_OF, &params, parse).await
    }

    // Writes.

    /// Sends NEO or GAS to the sale. What is over a cap comes back in the same transaction.
    pub async fn buy(
        &self,
        buyer: &Account,
        currency: Currency,
        amount: u64,
    ) -> Result<Receipt, ContractError> {
        Ok(Actor::new(self.remote.rpc.clone(), buyer.clone())
            .transfer(&currency.hash(), &self.hash(), amount)
            .await?)
    }

    /// Puts accounts on the whitelist under a tier, or takes them off it with None.
    pub async fn whitelist(
        &self,
        administrator: &Account,
        accounts: &[Hash160],
        tier: Option<u64>,
    ) -> Result<Receipt, ContractError> {
        let params = [hashes(accounts), tier.unwrap_or(0).into()];
        let method = &methods::WHITELIST;
        self.remote.write(administrator, method, &params).await
    }

    /// Mints SOUL out of a lock-up's reserve and locks it up for accounts.
    pub async fn allot(
        &self,
        administrator: &Account,
        shares: &[(Hash160, u64)],
        lockup: u64,
    ) -> Result<Receipt, ContractError> {
        let accounts: Vec<Hash160> = shares.iter().map(|(account, _)| *account).collect();
        let amounts = shares.iter().map(|(_, amount)| (*amount).into()).collect();
        let amounts = ContractParam::Array(amounts);
        let params = [hashes(&accounts), amounts, lockup.into()];
        let method = &methods::ALLOT;
        self.remote.write(administrator, method, &params).await
    }

    /// Refuses contributions until [`Self::resume`].
    pub async fn pause(&self, administrator: &Account) -> Result<Receipt, ContractError> {
        self.remote.write(administrator, &methods::PAUSE, &[]).await
    }

    pub async fn resume(&self, administrator: &Account) -> Result<Receipt, ContractError> {
        let method = &methods::RESUME;
        self.remote.write(administrator, method, &[]).await
    }

    /// Moves the end, and the opening if it has not come, later.
    pub async fn postpone(
        &self,
        administrator: &Account,
        delay_ms: u64,
    ) -> Result<Receipt, ContractError> {
        let params = [delay_ms.into()];
        let method = &methods::POSTPONE;
        self.remote.write(administrator, method, &params).await
    }

    /// Ends the sale for good.
    pub async fn end(&self, administrator: &Account) -> Result<Receipt, ContractError> {
        self.remote.write(administrator, &methods::END, &[]).await
    }

    /// Sends all NEO and GAS of the sale to its treasury; anybody may ask for it.
    pub async fn withdraw(&self, payer: &Account) -> Result<Receipt, ContractError> {
        self.remote.write(payer, &methods::WITHDRAW, &[]).await
    }

    /// Pays an account what is free of its locked SOUL, and gives how much; anybody may ask for it.
    pub async fn unlock_tokens(
        &self,
        payer: &Account,
        address: &Hash160,
    ) -> Result<(u64, Receipt), ContractError> {
        let method = &methods::UNLOCK_TOKENS;
        let receipt = self
            .remote
            .write(payer, method, &[(*address).into()])
            .await?;
        let paid = receipt.result().as_u64();
        let paid = paid.map_err(|source| self.remote.odd(method, source))?;
        Ok((paid, receipt))
    }

    /// The sale's events in a receipt.
    pub fn events(&self, receipt: &Receipt) -> Vec<SaleEvent> {
        let all = receipt.notifications.iter();
        all.filter_map(|event| SaleEvent::parse(&self.hash(), event))
            .collect()
    }
}

fn hashes(accounts: &[Hash160]) -> ContractParam {
    ContractParam::Array(accounts.iter().map(|account| (*account).into()).collect())
}
