//! What a contribution buys.

use neo_framework::prelude::*;
use neo_framework::{gas_token, neo_token, runtime};

use crate::{accounts, keys, lockups, params, state, tiers, tokens};

/// The answer of `quote`: NEO and GAS in their smallest units, SOUL in its.
#[derive(Clone, Item)]
pub struct Quote {
    /// NEO or GAS that is kept.
    pub accepted: Int,
    /// NEO or GAS that goes back, because a cap is reached.
    pub refund: Int,
    /// SOUL for it.
    pub base: Int,
    /// SOUL on top.
    pub bonus: Int,
    /// The part of both that is locked up.
    pub locked: Int,
}

/// SOUL was sold.
#[event(name = "Sold")]
pub fn emit_sold(
    account: Hash160,
    token: Hash160,
    accepted: Int,
    refund: Int,
    base: Int,
    bonus: Int,
) {
}

/// One GAS in its smallest unit.
const GAS: i64 = 100_000_000;

/// Takes NEO or GAS that has just arrived. What GasToken mints to the sale, because NEO lies on its account, comes from
/// nobody and is raised like the rest.
pub fn pay(from: Option<Hash160>, amount: Int, _data: Any) {
    let token = runtime::calling_script_hash();
    assert!(
        token == gas_token::HASH || token == neo_token::HASH,
        "only NEO and GAS buy SOUL"
    );
    if let Some(from) = from {
        sell(&from, &token, amount);
    }
}

/// The refund is last: its receiver may be a contract, which is called and may contribute again.
fn sell(from: &Hash160, token: &Hash160, amount: Int) {
    let state = state::load();
    state::assert_open(state);
    let record = accounts::load(from);
    let terms = terms_of(record);
    let quote = reckon(state, record, terms, token, amount);
    assert!(
        quote.base > 0,
        "nothing to buy: a cap is reached, or too little was sent"
    );
    let total = quote.base + quote.bonus;
    state::add_sold(state, total);
    let mut changed = accounts::with_bought(record, quote.base);
    if quote.locked > 0 {
        let lockup = tiers::lockup(terms);
        changed = accounts::with_locked(changed, quote.locked, lockup);
        lockups::emit_locked(from.clone(), quote.locked, lockup);
    }
    accounts::save(from, changed);
    tokens::mint(from, total - quote.locked);
    tokens::mint(&runtime::executing_script_hash(), quote.locked);
    emit_sold(
        from.clone(),
        token.clone(),
        quote.accepted,
        quote.refund,
        quote.base,
        quote.bonus,
    );
    tokens::send(token, from, quote.refund);
}

/// What an account would get for so much NEO or GAS; faults if it is not on the whitelist.
pub fn quote(account: &Hash160, token: &Hash160, amount: Int) -> Quote {
    assert!(
        *token == gas_token::HASH || *token == neo_token::HASH,
        "only NEO and GAS buy SOUL"
    );
    assert!(amount >= 0, "quote: amount is negative");
    let record = accounts::load(account);
    reckon(state::load(), record, terms_of(record), token, amount)
}

/// What an account may still buy, without bonus; 0 if it is not on the whitelist.
pub fn remaining(account: &Hash160) -> Int {
    let record = accounts::load(account);
    if accounts::tier(record) == 0 {
        return int(0);
    }
    room(state::load(), record, terms_of(record))
}

fn terms_of(record: Int) -> Int {
    let tier = accounts::tier(record);
    assert!(tier != 0, "not on the whitelist");
    tiers::load(tier)
}

/// Under both caps: the account's, and the hard cap, which counts the bonus.
fn room(state: Int, record: Int, terms: Int) -> Int {
    let own = (tiers::cap(terms) - accounts::bought(record)).max(int(0));
    let hard = (state::hard_cap(state) - state::sold(state)) * 100 / (tiers::bonus(terms) + 100);
    own.min(hard)
}

/// All roundings are down: nobody gets SOUL that the rate does not give, and no cap is passed.
fn reckon(state: Int, record: Int, terms: Int, token: &Hash160, amount: Int) -> Quote {
    let mut rate = tiers::rate_gas(terms);
    let mut unit = int(GAS);
    if *token == neo_token::HASH {
        rate = tiers::rate_neo(terms);
        unit = int(1);
    }
    assert!(rate > 0, "this tier does not take this token");
    let accepted = amount.min(room(state, record, terms) * unit / rate);
    let base = accepted * rate / unit;
    let bonus = base * tiers::bonus(terms) / 100;
    Quote {
        accepted,
        refund: amount - accepted,
        base,
        bonus,
        locked: tiers::locked_part(terms, base, bonus),
    }
}

/// Sends all NEO and GAS to the treasury. NEO first: moving it brings the sale the GAS that it has earned.
pub fn withdraw() {
    let own = runtime::executing_script_hash();
    let treasury = params::hash(&keys::TREASURY);
    tokens::send(&neo_token::HASH, &treasury, neo_token::balance_of(&own));
    tokens::send(&gas_token::HASH, &treasury, gas_token::balance_of(&own));
}
