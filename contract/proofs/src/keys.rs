//! Every storage key, made here and nowhere else.
//!
//! A key is a tag byte of its own and then hashes or a number of fixed length. So two different things never share a
//! key.

use neo_framework::prelude::*;

/// Numbers of nodes stay below this: a queue has 31 bits for each.
pub const NUMBER_LIMIT: i64 = 2_147_483_648;

/// The contract that has the SOUL and the register of content.
pub const PHANTASMA: Bytes = bytes(b"\x01");
/// What things cost and how many a round takes.
pub const AMOUNTS: Bytes = bytes(b"\x02");
/// How long things take.
pub const TIMES: Bytes = bytes(b"\x03");
/// The average reputation, how many nodes there are, the last number, when reputation last changed.
pub const NETWORK: Bytes = bytes(b"\x04");
/// Validators that wait for the next round.
pub const VALIDATORS: Bytes = bytes(b"\x05");
/// Provers that wait for the next round.
pub const PROVERS: Bytes = bytes(b"\x06");
/// How many rounds were paid, the last one's time, the wait until the next.
pub const CLOCK: Bytes = bytes(b"\x07");
/// The closed round: its pot, its block and who closed it.
pub const CLOSED: Bytes = bytes(b"\x08");
/// Validators of the closed round.
pub const CLOSED_VALIDATORS: Bytes = bytes(b"\x09");
/// Provers of the closed round.
pub const CLOSED_PROVERS: Bytes = bytes(b"\x0A");
/// All nodes: the prefix of [`node`].
pub const NODES: Bytes = bytes(b"\x10");

/// A node's public key and endpoints.
pub fn node(account: &Hash160) -> Bytes {
    NODES.concat(&account.as_bytes())
}

/// A node's reputation, number and age.
pub fn standing(account: &Hash160) -> Bytes {
    bytes(b"\x11").concat(&account.as_bytes())
}

/// The account of a node's number; it stays when the node leaves.
pub fn account(number: Int) -> Bytes {
    (int(0x12) + (number << 8) + (int(1) << 40)).to_bytes()
}

/// The open proof of a pair.
pub fn proof(validator: &Hash160, prover: &Hash160) -> Bytes {
    bytes(b"\x20")
        .concat(&validator.as_bytes())
        .concat(&prover.as_bytes())
}

/// Who offers a content: the prefix of [`offer`].
pub fn offers(root: &Bytes) -> Bytes {
    bytes(b"\x21").concat(root)
}

/// That a prover offers a content.
pub fn offer(root: &Bytes, prover: &Hash160) -> Bytes {
    offers(root).concat(&prover.as_bytes())
}

/// How the proofs of a content went.
pub fn tally(root: &Bytes) -> Bytes {
    bytes(b"\x30").concat(root)
}
