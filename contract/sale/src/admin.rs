//! What the administrator may do, and only until the sale has ended.

use neo_framework::prelude::*;
use neo_framework::runtime;

use crate::state::Phase;
use crate::{accounts, keys, lockups, params, state, tiers, tokens};

/// An account is on the whitelist under a tier, or off it with tier 0.
#[event(name = "Whitelisted")]
pub fn emit_whitelisted(account: Hash160, tier: Int) {}

/// The sale was paused, resumed, put off or ended: its phase and times now.
#[event(name = "SaleChanged")]
pub fn emit_sale_changed(phase: Phase, opening: Int, end: Int) {}

/// Puts accounts on the whitelist, or takes them off it.
pub fn whitelist(accounts: &Array<Any>, tier: Int) {
    authorise();
    let mut lockup = int(0);
    if tier != 0 {
        lockup = tiers::lockup(tiers::load(tier));
    }
    for account in accounts {
        let account = account.as_hash160();
        let record = accounts::load(&account);
        if lockup != 0 {
            accounts::assert_same_lockup(record, lockup);
        }
        accounts::save(&account, accounts::with_tier(record, tier));
        emit_whitelisted(account, tier);
    }
}

/// Locks SOUL of a lock-up's reserve up for accounts.
pub fn allot(accounts: &Array<Any>, amounts: &Array<Any>, lockup: Int) {
    authorise();
    assert!(
        accounts.len() == amounts.len(),
        "allot: as many amounts as accounts"
    );
    let left = lockups::reserve_left(lockup);
    let mut total = int(0);
    for i in range(int(0), accounts.len()) {
        let account = accounts.get(i).as_hash160();
        let amount = amounts.get(i).as_int();
        assert!(
            amount.within(1, params::AMOUNT_LIMIT),
            "allot: amount out of range"
        );
        total += amount;
        let record = accounts::load(&account);
        accounts::save(&account, accounts::with_locked(record, amount, lockup));
        lockups::emit_locked(account, amount, lockup);
    }
    assert!(total <= left, "allot: above the lock-up's reserve");
    lockups::add_allotted(lockup, total);
    tokens::mint(&runtime::executing_script_hash(), total);
}

/// Refuses contributions until `resume`.
pub fn pause() {
    state::set_paused(authorise(), int(1));
    tell();
}

/// Takes contributions again.
pub fn resume() {
    state::set_paused(authorise(), int(0));
    tell();
}

/// Moves the end, and the opening if it has not come, later.
pub fn postpone(delay: Int) {
    let state = authorise();
    assert!(
        delay > 0 && state::end(state) + delay <= params::latest_end(),
        "postpone: only later, and not past latestEnd"
    );
    state::delay(state, delay);
    tell();
}

/// Ends the sale.
pub fn end() {
    state::finish(authorise());
    tell();
}

/// The state, if the administrator has signed and the sale goes on.
fn authorise() -> Int {
    assert!(
        runtime::check_witness(&params::hash(&keys::ADMINISTRATOR)),
        "only for the administrator"
    );
    let state = state::load();
    assert!(runtime::time() < state::end(state), "sale: has ended");
    state
}

fn tell() {
    let state = state::load();
    emit_sale_changed(
        state::phase(state),
        state::opening(state),
        state::end(state),
    );
}
