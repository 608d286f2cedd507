//! The two native tokens, as far as contracts see them: NEP-17 with the
//! payment callback. Balances are entries of the token's own storage.

use super::current::{self, CallFlags, NONE, State};
use super::invoke;
use crate::convert::{FromItem, expect_item};
use crate::fault::fault;
use crate::gas_token;
use crate::hash::Hash160;
use crate::int::{Int, int};
use crate::item::Item;
use crate::neo_token;

/// Prefix of an account's balance in the token's storage.
const BALANCE: u8 = 20;
/// Supply of NEO; never changes.
const NEO_SUPPLY: i64 = 100_000_000;

pub(crate) fn is_token(contract: &Hash160) -> bool {
    *contract == gas_token::HASH || *contract == neo_token::HASH
}

/// Only `transfer` is not safe.
pub(crate) fn flags_of(method: &str, flags: CallFlags) -> CallFlags {
    if method == "transfer" {
        flags
    } else {
        flags.and(CallFlags::READ_ONLY)
    }
}

/// The node's dispatch of the native tokens.
#[track_caller]
pub(crate) fn token(contract: &Hash160, method: &str, args: Vec<Item>) -> Item {
    let is_gas = *contract == gas_token::HASH;
    match (method, args.as_slice()) {
        ("symbol", []) => Item::text(if is_gas { "GAS" } else { "NEO" }),
        ("decimals", []) => Item::integer(if is_gas { 8 } else { 0 }),
        ("totalSupply", []) if is_gas => {
            Item::Integer(current::with(CallFlags::READ_STATES, |state| {
                total(state, contract)
            }))
        }
        ("totalSupply", []) => Item::integer(NEO_SUPPLY),
        ("balanceOf", [account]) => {
            let account = hash(account);
            Item::Integer(current::with(CallFlags::READ_STATES, |state| {
                balance(state, contract, &account)
            }))
        }
        ("transfer", [from, to, amount, data]) => {
            let amount: Int = expect_item(amount.clone());
            Item::Boolean(transfer(
                contract,
                &hash(from),
                &hash(to),
                amount,
                data.clone(),
            ))
        }
        _ => fault(format_args!("method not found: {method}/{}", args.len())),
    }
}

#[track_caller]
fn hash(item: &Item) -> Hash160 {
    crate::fault::ok_or_fault(Hash160::from_item(item.clone()))
}

#[track_caller]
fn transfer(token: &Hash160, from: &Hash160, to: &Hash160, amount: Int, data: Item) -> bool {
    // The native method asks for all flags.
    let done = current::with(CallFlags::ALL, |state| {
        if amount < 0 || !state.check_witness(from) {
            return false;
        }
        let available = balance(state, token, from);
        if available < amount {
            return false;
        }
        if from != to && amount != 0 {
            set_balance(state, token, from, available - amount);
            let received = balance(state, token, to) + amount;
            set_balance(state, token, to, received);
        }
        let addresses = [from, to].map(|account| Item::ByteString(account.as_bytes()));
        let [from, to] = addresses;
        state.notify(
            "Transfer",
            &Item::array(vec![from, to, Item::Integer(amount)]),
        );
        true
    });
    if done && current::with(NONE, |state| state.contracts.contains_key(to)) {
        let from = Item::ByteString(from.as_bytes());
        invoke::callback(
            to,
            "onNEP17Payment",
            vec![from, Item::Integer(amount), data],
        );
    }
    done
}

pub(crate) fn balance(state: &State, token: &Hash160, account: &Hash160) -> Int {
    let bytes = state
        .storage
        .get(token, &balance_key(account))
        .unwrap_or_default();
    Int::from_le_bytes(bytes).unwrap_or_default()
}

pub(crate) fn set_balance(state: &mut State, token: &Hash160, account: &Hash160, amount: Int) {
    let value = (amount != 0).then(|| amount.to_minimal_bytes());
    state.storage.set(token, &balance_key(account), value);
}

fn total(state: &State, token: &Hash160) -> Int {
    let entries = state.storage.entries(token);
    entries
        .values()
        .filter_map(|bytes| Int::from_le_bytes(bytes))
        .fold(int(0), |sum, amount| sum + amount)
}

fn balance_key(account: &Hash160) -> Vec<u8> {
    let mut key = vec![BALANCE];
    key.extend_from_slice(account.as_bytes().as_slice());
    key
}
