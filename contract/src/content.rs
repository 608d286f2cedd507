//! The registry of stored content: who pays for which bytes, and until when.
//!
//! A content's id is its Merkle root, so 32 bytes here check every block and chunk that a storage node serves.

use neo_framework::prelude::*;
use neo_framework::{runtime, storage};

use crate::{keys, params, token};

/// The answer of `contentInfo`.
#[derive(Clone, Item)]
pub struct ContentRecord {
    /// RFC 6962 root over the chunks of the ciphertext, 32 bytes.
    pub root: Bytes,
    /// Bytes.
    pub size: Int,
    /// Who registered it.
    pub owner: Hash160,
    /// 0 read-only, 1 writable.
    pub mode: Int,
    /// 0 low, 1 normal, 2 high.
    pub priority: Int,
    /// Paid until then, ms since 1970.
    pub expiry: Int,
    /// Registered then, ms since 1970.
    pub created: Int,
}

/// Content was registered and paid for.
#[event(name = "ContentCreated")]
pub fn emit_content_created(root: Bytes, owner: Hash160, size: Int, expiry: Int) {}

/// A block of content in bytes.
pub const BLOCK: i64 = 262_144;
/// Longest content, 1 TiB.
const MAX_SIZE: i64 = 1_099_511_627_776;
/// A period, 30 days in ms.
const PERIOD: i64 = 2_592_000_000;
/// Most periods paid at once, about 98 years.
const MAX_PERIODS: i64 = 1200;

// Stored: one number of 21 bytes, then the owner. The number's bits: size 48, mode 8, priority 8, expiry 48,
// created 48, and a 1 on top that keeps its length.
const NUMBERS: i64 = 21;
const LOW_48_BITS: i64 = 0xFFFF_FFFF_FFFF;

/// Registers content, paid by its owner. A root may be registered again once it has expired.
pub fn create(
    owner: &Hash160,
    root: &Bytes,
    size: Int,
    mode: Int,
    priority: Int,
    periods: Int,
    max_payment: Int,
) {
    assert!(
        runtime::check_witness(owner),
        "createContent: no witness of the owner"
    );
    assert!(mode.within(0, 2), "createContent: mode must be 0 or 1");
    assert!(priority.within(0, 3), "createContent: priority must be 0-2");
    assert!(
        periods.within(1, MAX_PERIODS + 1),
        "createContent: periods must be 1-1200"
    );
    let fee = fee(size, mode, priority, periods);
    assert!(
        fee <= max_payment,
        "createContent: the fee is above maxPayment"
    );
    token::charge(owner, fee);
    register(owner, root, size, mode, priority, periods);
}

/// Writes down content that is paid.
pub fn register(owner: &Hash160, root: &Bytes, size: Int, mode: Int, priority: Int, periods: Int) {
    let now = runtime::time();
    assert!(
        live(root).is_none(),
        "createContent: this content is registered already"
    );
    let expiry = now + periods * PERIOD;
    let numbers =
        size + (mode << 48) + (priority << 56) + (expiry << 64) + (now << 112) + (int(1) << 160);
    storage::put(
        &keys::content(root),
        &numbers.to_bytes().concat(&owner.as_bytes()),
    );
    emit_content_created(root.clone(), owner.clone(), size, expiry);
}

/// Bytes of a content that is paid for now, 0 of any other.
pub fn size_of(root: &Bytes) -> Int {
    match live(root) {
        Some(numbers) => numbers & LOW_48_BITS,
        None => int(0),
    }
}

/// The numbers of a content that has not expired; faults if the root is not 32 bytes.
fn live(root: &Bytes) -> Option<Int> {
    assert!(root.len() == 32, "root must be 32 bytes");
    let stored = storage::get(&keys::content(root))?;
    let numbers = stored.left(NUMBERS).to_int();
    if (numbers >> 64) & LOW_48_BITS <= runtime::time() {
        return None;
    }
    Some(numbers)
}

/// What is known of a content; faults if the root is not 32 bytes.
pub fn info(root: &Bytes) -> Option<ContentRecord> {
    assert!(root.len() == 32, "root must be 32 bytes");
    let stored = storage::get(&keys::content(root))?;
    let numbers = stored.left(NUMBERS).to_int();
    Some(ContentRecord {
        root: root.clone(),
        size: numbers & LOW_48_BITS,
        owner: Hash160::from_bytes(stored.slice(NUMBERS, 20)).unwrap(),
        mode: (numbers >> 48) & 255,
        priority: (numbers >> 56) & 255,
        expiry: (numbers >> 64) & LOW_48_BITS,
        created: (numbers >> 112) & LOW_48_BITS,
    })
}

/// Started blocks × periods × base fee × (priority + 1) × (mode + 1); faults if the size is out of range.
pub fn fee(size: Int, mode: Int, priority: Int, periods: Int) -> Int {
    assert!(size.within(1, MAX_SIZE + 1), "size must be 1 byte to 1 TiB");
    (size + BLOCK - 1) / BLOCK * periods * params::content_base_fee() * (priority + 1) * (mode + 1)
}
