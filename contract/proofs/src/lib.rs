//! The contract of storage nodes: who they are, proofs that content is there, and rewards for them.
//!
//! Ordinary Rust in the subset that `neoc` compiles to NeoVM; rustc builds the same source over `neo_framework`'s
//! in-memory chain. It holds no SOUL: fees and rewards are the other contract's to move, which trusts this one's hash.
//! All exported methods stand in [`methods`]; a failed check is a fault with a message, and the whole transaction is
//! undone.

// In a contract a panic is a fault: the way to refuse.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod keys;
pub mod merkle;
pub mod network;
pub mod nodes;
pub mod params;
pub mod proofs;
pub mod queue;
pub mod rounds;
pub mod soul;
pub mod tally;
pub mod twister;

use neo_framework::contract;

/// What the contract exports, under the names and types of its manifest.
#[contract(name = "PhantasmaProofs", permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;

    use crate::nodes::NodeRecord;
    use crate::params::Settings;
    use crate::proofs::ProofRecord;
    use crate::rounds::RoundRecord;
    use crate::tally::TallyRecord;
    use crate::{network, nodes, params, proofs, rounds, tally};

    /// Runs once; `data` is [phantasma, nodeFee, validationFee, potShare, minimum, wait, waitCap, minAge, quiet,
    /// deadline].
    #[method(name = "_deploy")]
    pub fn deploy(data: Any, update: bool) {
        params::deploy(data, update);
    }

    /// What was fixed at deployment.
    #[method(safe)]
    pub fn settings() -> Settings {
        params::settings()
    }

    /// Registers a node, or gives a registered one other endpoints; gives its number.
    #[method]
    pub fn register_node(public_key: PublicKey, endpoints: Text) -> Int {
        nodes::register(&public_key, &endpoints)
    }

    /// Takes a node off the register.
    #[method]
    pub fn leave(account: Hash160) {
        nodes::leave(&account);
    }

    /// What is known of a node, or null.
    #[method(safe)]
    pub fn node_info(account: Hash160) -> Option<NodeRecord> {
        nodes::info(&account)
    }

    /// All nodes: account, and public key and endpoints in one.
    #[method(safe)]
    pub fn nodes() -> Iterator {
        nodes::all()
    }

    /// How many nodes are registered.
    #[method(safe)]
    pub fn node_count() -> Int {
        network::count(network::load())
    }

    /// The average reputation, in millionths of a point.
    #[method(safe)]
    pub fn average_reputation() -> Int {
        network::average(network::load())
    }

    /// 0 observer, 1 prover, 2 validator.
    #[method(safe)]
    pub fn role_of(account: Hash160) -> Int {
        nodes::role_of(&account)
    }

    /// What `registerNode` would cost this account.
    #[method(safe)]
    pub fn quote_register_node(account: Hash160) -> Int {
        match nodes::standing(&account) {
            Some(_) => int(0),
            None => params::node_fee(),
        }
    }

    /// What `startProof` costs the validator.
    #[method(safe)]
    pub fn quote_start_proof() -> Int {
        params::validation_fee()
    }

    /// A prover promises to show any chunk of a content.
    #[method]
    pub fn offer_content(prover: Hash160, content: Bytes) {
        proofs::offer(&prover, &content);
    }

    /// Takes that back.
    #[method]
    pub fn retract_content(prover: Hash160, content: Bytes) {
        proofs::retract(&prover, &content);
    }

    /// The accounts that offer a content.
    #[method(safe)]
    pub fn offers_of(content: Bytes) -> Iterator {
        proofs::offers(&content)
    }

    /// A validator asks for a proof; `block` is -1 for the whole content.
    #[method]
    pub fn start_proof(validator: Hash160, prover: Hash160, content: Bytes, block: Int) {
        proofs::start(&validator, &prover, &content, block);
    }

    /// A prover shows the chunk that was drawn, with its path to the content's root.
    #[method]
    pub fn show_proof(
        prover: Hash160,
        validator: Hash160,
        nonce: Int,
        chunk: Bytes,
        path: Array<Any>,
    ) {
        proofs::show(&prover, &validator, nonce, &chunk, &path);
    }

    /// Ends a proof that was shown.
    #[method]
    pub fn accept_proof(validator: Hash160, prover: Hash160) {
        proofs::accept(&validator, &prover);
    }

    /// Ends a proof that was not shown in time.
    #[method]
    pub fn fail_proof(validator: Hash160, prover: Hash160) {
        proofs::fail(&validator, &prover);
    }

    /// What is known of a pair's open proof, or null.
    #[method(safe)]
    pub fn open_proof(validator: Hash160, prover: Hash160) -> Option<ProofRecord> {
        proofs::info(&validator, &prover)
    }

    /// How the proofs of a content went.
    #[method(safe)]
    pub fn content_proofs(content: Bytes) -> TallyRecord {
        tally::info(&content)
    }

    /// Closes a round of rewards, or pays the closed one; true when it paid.
    #[method]
    pub fn obtain_rewards(invoker: Hash160) -> bool {
        rounds::obtain(&invoker)
    }

    /// What is known of rounds.
    #[method(safe)]
    pub fn reward_info() -> RoundRecord {
        rounds::info()
    }
}
