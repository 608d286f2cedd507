//! The register of storage nodes. A node is an account; its number says how old it is, its reputation what it may do.

use neo_framework::prelude::*;
use neo_framework::{crypto, runtime, storage};

use crate::{keys, network, params, soul};

/// The answer of `nodeInfo`.
#[derive(Clone, Item)]
pub struct NodeRecord {
    /// Its account.
    pub account: Hash160,
    /// Its key: it also proves who it is in the storage network.
    pub public_key: PublicKey,
    /// Where it is reached.
    pub endpoints: Text,
    /// Its number, from 1, in the order of registration.
    pub number: Int,
    /// 0 to 1,000,000,000: millionths of a point.
    pub reputation: Int,
    /// Registered then, ms since 1970.
    pub registered: Int,
    /// 1 prover, 2 validator.
    pub role: Int,
}

/// A node was registered, or has other endpoints.
#[event(name = "NodeRegistered")]
pub fn emit_registered(account: Hash160, number: Int, endpoints: Text) {}

/// A node left.
#[event(name = "NodeLeft")]
pub fn emit_left(account: Hash160, number: Int) {}

/// A node has another reputation, and the network another average.
#[event(name = "Reputation")]
pub fn emit_reputation(account: Hash160, reputation: Int, average: Int) {}

/// Not registered.
pub const OBSERVER: i64 = 0;
/// Reputation at or below the average.
pub const PROVER: i64 = 1;
/// Reputation above the average.
pub const VALIDATOR: i64 = 2;

const KEY: i64 = 33;
const MAX_ENDPOINTS: i64 = 256;

// A standing's bits: reputation 32, number 32, time of registration 48, and a 1 on top that keeps its length.
const BITS_32: i64 = 0xFFFF_FFFF;
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;

/// Registers a node for a fee, or gives a registered one other endpoints for nothing; gives its number.
pub fn register(public_key: &PublicKey, endpoints: &Text) -> Int {
    let account = crypto::standard_account(public_key);
    assert!(
        runtime::check_witness(&account),
        "registerNode: no witness of the key's account"
    );
    assert!(
        endpoints.len().within(1, MAX_ENDPOINTS + 1),
        "registerNode: endpoints must be 1-256 bytes"
    );
    let before = standing(&account);
    let number = match before {
        Some(standing) => number_of(standing),
        None => add(&account),
    };
    let record = public_key.as_bytes().concat(&endpoints.as_bytes());
    storage::put(&keys::node(&account), &record);
    emit_registered(account, number, endpoints.clone());
    number
}

fn add(account: &Hash160) -> Int {
    soul::collect(account, params::node_fee());
    let all = network::load();
    let number = network::last_number(all) + 1;
    assert!(
        number < keys::NUMBER_LIMIT,
        "registerNode: no numbers are left"
    );
    network::save(
        network::average(all),
        network::count(all) + 1,
        number,
        network::changed(all),
    );
    storage::put(&keys::account(number), &account.as_bytes());
    save(account, int(network::START), number, runtime::time());
    number
}

/// Takes a node off the register. Its number still stands for its account where it waits for a reward.
pub fn leave(account: &Hash160) {
    assert!(
        runtime::check_witness(account),
        "leave: no witness of the node"
    );
    let standing = standing(account).expect("leave: not a registered node");
    storage::delete(&keys::node(account));
    storage::delete(&keys::standing(account));
    let all = network::load();
    network::save(
        network::average(all),
        network::count(all) - 1,
        network::last_number(all),
        network::changed(all),
    );
    emit_left(account.clone(), number_of(standing));
}

/// What is known of a node.
pub fn info(account: &Hash160) -> Option<NodeRecord> {
    let record = storage::get(&keys::node(account))?;
    let standing = standing(account)?;
    Some(NodeRecord {
        account: account.clone(),
        public_key: PublicKey::from_bytes(record.left(KEY)).unwrap(),
        endpoints: Text::from_bytes(record.right(record.len() - KEY)),
        number: number_of(standing),
        reputation: reputation_of(standing),
        registered: registered_at(standing),
        role: role(standing),
    })
}

/// All nodes: account and what is stored of it.
pub fn all() -> Iterator {
    storage::find(&keys::NODES, storage::REMOVE_PREFIX)
}

/// What an account may do.
pub fn role_of(account: &Hash160) -> Int {
    match standing(account) {
        Some(standing) => role(standing),
        None => int(OBSERVER),
    }
}

fn role(standing: Int) -> Int {
    if reputation_of(standing) > network::average(network::load()) {
        int(VALIDATOR)
    } else {
        int(PROVER)
    }
}

/// Reputation, number and time of registration of a node, as one number for the functions below.
pub fn standing(account: &Hash160) -> Option<Int> {
    let stored = storage::get(&keys::standing(account))?;
    Some(stored.to_int())
}

/// A standing's reputation.
pub fn reputation_of(standing: Int) -> Int {
    standing & BITS_32
}

/// A standing's number.
pub fn number_of(standing: Int) -> Int {
    (standing >> 32) & BITS_32
}

/// When the node was registered.
pub fn registered_at(standing: Int) -> Int {
    (standing >> 64) & BITS_48
}

/// Gives a node another reputation.
pub fn set_reputation(account: &Hash160, standing: Int, reputation: Int, average: Int) {
    save(
        account,
        reputation,
        number_of(standing),
        registered_at(standing),
    );
    emit_reputation(account.clone(), reputation, average);
}

fn save(account: &Hash160, reputation: Int, number: Int, registered: Int) {
    let standing = reputation + (number << 32) + (registered << 64) + (int(1) << 112);
    storage::put_int(&keys::standing(account), standing);
}

/// The account of a number that was given once.
pub fn account_of(number: Int) -> Hash160 {
    Hash160::from_bytes(storage::get(&keys::account(number)).unwrap()).unwrap()
}
