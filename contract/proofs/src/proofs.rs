//! Proofs that content is there: a validator asks, the chain draws a chunk, the prover shows it, the contract checks it.
//!
//! The chunk follows from the nonce of the block after the one that holds `startProof`, so nobody knows it while the
//! challenge can still be taken back, and from the pair, so that challenges of one block are drawn apart. It is drawn
//! over the whole content; only then do challenges say something about all of it, whoever works together. A validator
//! may name a block instead, to show that this one is lost: such a proof can only fail somebody, not earn anything.

use neo_framework::prelude::*;
use neo_framework::{crypto, ledger, runtime, storage};

use crate::{keys, merkle, network, nodes, params, queue, soul, tally};

/// The answer of `openProof`.
#[derive(Clone, Item)]
pub struct ProofRecord {
    /// The content's root.
    pub content: Bytes,
    /// Bytes of the content.
    pub size: Int,
    /// The block of the content that the validator named, -1 for all of it.
    pub block: Int,
    /// When it was asked for, ms since 1970.
    pub started: Int,
    /// Whether it was shown.
    pub shown: bool,
    /// The block of the chain whose nonce draws.
    pub draw: Int,
    /// Its nonce, -1 before there is one.
    pub nonce: Int,
    /// The chunk to show, counted over the whole content, -1 before it is drawn.
    pub chunk: Int,
}

/// A prover offers a content, or no longer.
#[event(name = "ContentOffered")]
pub fn emit_offered(prover: Hash160, content: Bytes, offered: bool) {}

/// A validator asked for a proof; the block of that index of the chain draws the chunk.
#[event(name = "ProofStarted")]
pub fn emit_started(validator: Hash160, prover: Hash160, content: Bytes, block: Int, draw: Int) {}

/// A prover has shown the chunk.
#[event(name = "ProofShown")]
pub fn emit_shown(validator: Hash160, prover: Hash160, content: Bytes, chunk: Int) {}

/// A proof is accepted.
#[event(name = "ProofAccepted")]
pub fn emit_accepted(validator: Hash160, prover: Hash160, content: Bytes) {}

/// A proof was not shown in time.
#[event(name = "ProofFailed")]
pub fn emit_failed(validator: Hash160, prover: Hash160, content: Bytes) {}

// A stored proof: root 32, then a number of 21 bytes. Its bits: block of the chain 32, time 48, size 48, named block
// and one more 24, loosened rule 1, shown 1, 6 that are 0, and a 1 on top that keeps its length.
const ROOT: i64 = 32;
const NUMBERS: i64 = 21;
const BITS_24: i64 = 0xFF_FFFF;
const BITS_32: i64 = 0xFFFF_FFFF;
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;
const LOOSE: i64 = 152;
const SHOWN: i64 = 153;

/// A prover promises to show any chunk of a content; without that nobody can ask it to.
pub fn offer(prover: &Hash160, content: &Bytes) {
    check_offer(prover, content);
    assert!(
        nodes::standing(prover).is_some(),
        "offerContent: not a registered node"
    );
    storage::put_int(&keys::offer(content, prover), 1);
    emit_offered(prover.clone(), content.clone(), true);
}

/// Takes an offer back. Proofs that are open stay so.
pub fn retract(prover: &Hash160, content: &Bytes) {
    check_offer(prover, content);
    storage::delete(&keys::offer(content, prover));
    emit_offered(prover.clone(), content.clone(), false);
}

fn check_offer(prover: &Hash160, content: &Bytes) {
    assert!(content.len() == 32, "content must be 32 bytes");
    assert!(runtime::check_witness(prover), "no witness of the prover");
}

/// The accounts that offer a content.
pub fn offers(content: &Bytes) -> Iterator {
    assert!(content.len() == 32, "content must be 32 bytes");
    storage::find(
        &keys::offers(content),
        storage::KEYS_ONLY | storage::REMOVE_PREFIX,
    )
}

/// Asks for a proof, paid by the validator.
pub fn start(validator: &Hash160, prover: &Hash160, content: &Bytes, block: Int) {
    assert!(
        runtime::check_witness(validator),
        "startProof: no witness of the validator"
    );
    assert!(content.len() == 32, "content must be 32 bytes");
    assert!(
        validator != prover,
        "startProof: validator and prover are the same"
    );
    let key = keys::proof(validator, prover);
    assert!(
        storage::get(&key).is_none(),
        "startProof: this pair has an open proof"
    );
    assert!(
        storage::get(&keys::offer(content, prover)).is_some(),
        "startProof: the prover does not offer this content"
    );
    let now = runtime::time();
    let loose = check_roles(validator, prover, now);
    let size = soul::size_of(content, now);
    assert!(
        size > 0,
        "startProof: this content is not registered, or has expired"
    );
    let blocks = (merkle::chunks(size) + (merkle::CHUNKS_PER_BLOCK - 1)) / merkle::CHUNKS_PER_BLOCK;
    assert!(
        block.within(-1, blocks),
        "startProof: the content has no such block"
    );
    soul::collect(validator, params::validation_fee());
    // The block that holds this call is one above the last, and the next one draws.
    let draw = ledger::current_index() + 2;
    let numbers = draw
        + (now << 32)
        + (size << 80)
        + ((block + 1) << 128)
        + (loose << LOOSE)
        + (int(1) << 160);
    storage::put(&key, &content.concat(&numbers.to_bytes()));
    if block < 0 {
        tally::started(content);
    }
    emit_started(
        validator.clone(),
        prover.clone(),
        content.clone(),
        block,
        draw,
    );
}

/// Faults unless the pair has these roles; 1 if only by the loosened rule: when no proof has ended for a while, as at
/// the very start, it is enough that the validator's reputation is not below the prover's.
fn check_roles(validator: &Hash160, prover: &Hash160, now: Int) -> Int {
    let first = nodes::standing(validator).expect("startProof: the validator is not registered");
    let second = nodes::standing(prover).expect("startProof: the prover is not registered");
    let first = nodes::reputation_of(first);
    let second = nodes::reputation_of(second);
    let all = network::load();
    let average = network::average(all);
    if first > average && second <= average {
        return int(0);
    }
    assert!(
        now >= network::changed(all) + params::quiet(params::times()) && first >= second,
        "startProof: these two do not have the roles for it"
    );
    int(1)
}

/// Shows the chunk that was drawn.
pub fn show(prover: &Hash160, validator: &Hash160, nonce: Int, chunk: &Bytes, path: &Array<Any>) {
    assert!(
        runtime::check_witness(prover),
        "showProof: no witness of the prover"
    );
    let key = keys::proof(validator, prover);
    let stored = load(&key);
    let root = stored.left(ROOT);
    let numbers = stored.right(NUMBERS).to_int();
    assert!(
        (numbers >> SHOWN) & 1 == 0,
        "showProof: it was shown already"
    );
    assert!(!is_over(numbers), "showProof: the time for it is over");
    let drawn = nonce_of(numbers & BITS_32).expect("showProof: the chunk is not drawn yet");
    assert!(
        drawn == nonce,
        "showProof: this is not the nonce of the block that draws"
    );
    let size = (numbers >> 80) & BITS_48;
    let index = index_of(numbers, nonce, validator, prover);
    merkle::check(&root, size, index, chunk, path);
    let shown = numbers + (int(1) << SHOWN);
    storage::put(&key, &root.concat(&shown.to_bytes()));
    if (numbers >> 128) & BITS_24 == 0 {
        tally::shown(&root);
    }
    emit_shown(validator.clone(), prover.clone(), root, index);
}

/// Ends a proof that was shown: both gain reputation and wait for the next round. Anybody may call it.
pub fn accept(validator: &Hash160, prover: &Hash160) {
    let key = keys::proof(validator, prover);
    let stored = load(&key);
    let numbers = stored.right(NUMBERS).to_int();
    assert!((numbers >> SHOWN) & 1 == 1, "acceptProof: it was not shown");
    storage::delete(&key);
    if (numbers >> 128) & BITS_24 == 0 {
        let loose = (numbers >> LOOSE) & 1 == 1;
        succeed(validator, prover, loose);
    }
    emit_accepted(validator.clone(), prover.clone(), stored.left(ROOT));
}

/// Queues as the average stood before this proof, then reputations: first the prover's, then the validator's. A node
/// that has left is passed over.
fn succeed(validator: &Hash160, prover: &Hash160, loose: bool) {
    let now = runtime::time();
    let all = network::load();
    let before = network::average(all);
    let count = network::count(all);
    let oldest = now - params::min_age(params::times());
    let mut average = before;
    if let Some(standing) = nodes::standing(prover) {
        let reputation = nodes::reputation_of(standing);
        if loose || reputation <= before {
            enqueue(&keys::PROVERS, standing, oldest);
        }
        let raised = network::raised(reputation);
        average = network::moved(average, raised, count);
        nodes::set_reputation(prover, standing, raised, average);
    }
    if let Some(standing) = nodes::standing(validator) {
        let reputation = nodes::reputation_of(standing);
        if loose || reputation > before {
            enqueue(&keys::VALIDATORS, standing, oldest);
        }
        let raised = network::raised(reputation);
        average = network::moved(average, raised, count);
        nodes::set_reputation(validator, standing, raised, average);
    }
    network::save(average, count, network::last_number(all), now);
}

fn enqueue(key: &Bytes, standing: Int, oldest: Int) {
    if nodes::registered_at(standing) <= oldest {
        storage::put_int(
            key,
            queue::with(storage::get_int(key), nodes::number_of(standing)),
        );
    }
}

/// Ends a proof that was not shown in time: the prover loses reputation. Anybody may call it.
pub fn fail(validator: &Hash160, prover: &Hash160) {
    let key = keys::proof(validator, prover);
    let stored = load(&key);
    let root = stored.left(ROOT);
    let numbers = stored.right(NUMBERS).to_int();
    assert!((numbers >> SHOWN) & 1 == 0, "failProof: it was shown");
    assert!(
        is_over(numbers),
        "failProof: there is still time to show it"
    );
    storage::delete(&key);
    if (numbers >> 128) & BITS_24 == 0 {
        tally::failed(&root);
    }
    if let Some(standing) = nodes::standing(prover) {
        let all = network::load();
        let count = network::count(all);
        let reputation = network::lowered(nodes::reputation_of(standing));
        let average = network::moved(network::average(all), reputation, count);
        nodes::set_reputation(prover, standing, reputation, average);
        network::save(average, count, network::last_number(all), runtime::time());
    }
    emit_failed(validator.clone(), prover.clone(), root);
}

/// What is known of the open proof of a pair.
pub fn info(validator: &Hash160, prover: &Hash160) -> Option<ProofRecord> {
    let stored = storage::get(&keys::proof(validator, prover))?;
    let numbers = stored.right(NUMBERS).to_int();
    let draw = numbers & BITS_32;
    let mut nonce = int(-1);
    let mut chunk = int(-1);
    if let Some(drawn) = nonce_of(draw) {
        nonce = drawn;
        chunk = index_of(numbers, drawn, validator, prover);
    }
    Some(ProofRecord {
        content: stored.left(ROOT),
        size: (numbers >> 80) & BITS_48,
        block: ((numbers >> 128) & BITS_24) - 1,
        started: (numbers >> 32) & BITS_48,
        shown: (numbers >> SHOWN) & 1 == 1,
        draw,
        nonce,
        chunk,
    })
}

fn load(key: &Bytes) -> Bytes {
    storage::get(key).expect("this pair has no open proof")
}

fn is_over(numbers: Int) -> bool {
    runtime::time() >= ((numbers >> 32) & BITS_48) + params::deadline(params::times())
}

/// The nonce of a block of the chain, if that is there.
pub fn nonce_of(index: Int) -> Option<Int> {
    let block = ledger::block(index)?;
    Some(block.get(ledger::NONCE).as_int())
}

/// SHA-256 of a nonce, as 8 bytes, and what follows it; as a number.
pub fn drawn(nonce: Int, what: &Bytes) -> Int {
    let eight = (nonce + (int(1) << 64)).to_bytes().left(8);
    crypto::sha256(&eight.concat(what)).to_int()
}

/// The chunk that a nonce draws for a pair, counted over the whole content.
fn index_of(numbers: Int, nonce: Int, validator: &Hash160, prover: &Hash160) -> Int {
    let chunks = merkle::chunks((numbers >> 80) & BITS_48);
    let named = (numbers >> 128) & BITS_24;
    let pair = validator.as_bytes().concat(&prover.as_bytes());
    let random = drawn(nonce, &pair) & ((int(1) << 64) - 1);
    if named == 0 {
        return random % chunks;
    }
    let first = (named - 1) * merkle::CHUNKS_PER_BLOCK;
    first + random % (chunks - first).min(merkle::CHUNKS_PER_BLOCK)
}
