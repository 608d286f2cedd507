//! The contract that sells SOUL for NEO and GAS, and keeps what is locked up until its day.
//!
//! Ordinary Rust in the subset that `neoc` compiles to NeoVM; rustc builds the same source over `neo_framework`'s
//! in-memory chain. SOUL itself is the other contract's, which lets this one's hash mint and nothing more. What is
//! locked lies on this contract's own account. All exported methods stand in [`methods`]; a failed check is a fault
//! with a message, and the whole transaction is undone.

// In a contract a panic is a fault: the way to refuse.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod accounts;
pub mod admin;
pub mod keys;
pub mod lockups;
pub mod offer;
pub mod params;
pub mod state;
pub mod tiers;
pub mod tokens;

use neo_framework::contract;

/// What the contract exports, under the names and types of its manifest.
#[contract(name = "PhantasmaSale", permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;

    use crate::accounts::AccountRecord;
    use crate::lockups::{LockedRecord, LockupRecord};
    use crate::offer::Quote;
    use crate::params::Settings;
    use crate::state::{Phase, SaleRecord};
    use crate::tiers::TierRecord;
    use crate::{accounts, admin, lockups, offer, params, state, tiers};

    /// Runs once; `data` is [phantasma, administrator, treasury, hardCap, opening, end, latestEnd, tiers, lockups], a
    /// tier is [rateNeo, rateGas, bonus, cap, lockup, locks], a lock-up is [cliff, step, steps, reserve].
    #[method(name = "_deploy")]
    pub fn deploy(data: Any, update: bool) {
        params::deploy(data, update);
    }

    /// Sells SOUL for the NEO or GAS that has just arrived.
    #[method(name = "onNEP17Payment")]
    pub fn on_payment(from: Option<Hash160>, amount: Int, data: Any) {
        offer::pay(from, amount, data);
    }

    /// Sends all NEO and GAS of the sale to the treasury; anybody may ask for it.
    #[method]
    pub fn withdraw() {
        offer::withdraw();
    }

    /// Pays out what an account has waited long enough for; anybody may ask for it. Gives the amount.
    #[method]
    pub fn unlock_tokens(address: Hash160) -> Int {
        lockups::unlock(&address)
    }

    /// Puts accounts on the whitelist under a tier, or takes them off it with tier 0; only for the administrator.
    #[method]
    pub fn whitelist(accounts: Array<Any>, tier: Int) {
        admin::whitelist(&accounts, tier);
    }

    /// Mints SOUL out of a lock-up's reserve and locks it up for these accounts; only for the administrator.
    #[method]
    pub fn allot(accounts: Array<Any>, amounts: Array<Any>, lockup: Int) {
        admin::allot(&accounts, &amounts, lockup);
    }

    /// Refuses contributions until `resume`; only for the administrator.
    #[method]
    pub fn pause() {
        admin::pause();
    }

    /// Takes contributions again; only for the administrator.
    #[method]
    pub fn resume() {
        admin::resume();
    }

    /// Moves the end, and the opening if it has not come, later by so many ms; only for the administrator.
    #[method]
    pub fn postpone(delay: Int) {
        admin::postpone(delay);
    }

    /// Ends the sale now and for good; only for the administrator.
    #[method]
    pub fn end() {
        admin::end();
    }

    /// 0 upcoming, 1 open, 2 paused, 3 ended.
    #[method(safe)]
    pub fn phase() -> Phase {
        state::phase(state::load())
    }

    /// Where the sale stands.
    #[method(safe)]
    pub fn sale_info() -> SaleRecord {
        state::info()
    }

    /// What was fixed at deployment.
    #[method(safe)]
    pub fn settings() -> Settings {
        params::settings()
    }

    /// The terms of a tier.
    #[method(safe)]
    pub fn tier_info(tier: Int) -> TierRecord {
        tiers::info(tier)
    }

    /// The times of a lock-up.
    #[method(safe)]
    pub fn lockup_info(lockup: Int) -> LockupRecord {
        lockups::info(lockup)
    }

    /// An account's tier, 0 if it is not on the whitelist.
    #[method(safe)]
    pub fn tier_of(account: Hash160) -> Int {
        accounts::tier(accounts::load(&account))
    }

    /// What the sale knows of an account.
    #[method(safe)]
    pub fn account_info(account: Hash160) -> AccountRecord {
        accounts::info(&account)
    }

    /// Smallest units of SOUL, without bonus, that an account may still buy.
    #[method(safe)]
    pub fn remaining_of(account: Hash160) -> Int {
        offer::remaining(&account)
    }

    /// What an account would get for so much NEO or GAS, by the caps as they are now.
    #[method(safe)]
    pub fn quote(account: Hash160, token: Hash160, amount: Int) -> Quote {
        offer::quote(&account, &token, amount)
    }

    /// What the sale keeps for an account, and the next date.
    #[method(safe)]
    pub fn locked_of(address: Hash160) -> LockedRecord {
        lockups::locked(&address)
    }
}
