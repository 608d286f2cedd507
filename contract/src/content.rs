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

/// Content is registered and paid for, anew or for longer.
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
    charge(owner, quote(size, mode, priority, periods), max_payment);
    register(owner, root, size, mode, priority, periods);
}

/// What `create` charges; faults if a number is out of range.
pub fn quote(size: Int, mode: Int, priority: Int, periods: Int) -> Int {
    assert!(
        mode.within(0, 2) && priority.within(0, 3) && periods.within(1, MAX_PERIODS + 1),
        "content: mode is 0-1, priority 0-2, periods 1-1200"
    );
    fee(size, mode, priority, periods)
}

/// Keeps content for more periods, for whoever pays. What is paid ahead never passes the most periods of one payment.
pub fn renew(payer: &Hash160, root: &Bytes, periods: Int, max_payment: Int) {
    let entry = registered(root);
    let old = paid(&entry);
    let expiry = expiry_of(old) + periods * PERIOD;
    assert!(
        expiry - runtime::time() <= MAX_PERIODS * PERIOD,
        "renewContent: over 1200 periods ahead"
    );
    let price = quote(old & LOW_48_BITS, mode_of(old), priority_of(old), periods);
    charge(payer, price, max_payment);
    store(&owner_in(&entry), root, old + ((periods * PERIOD) << 64));
}

/// Puts another root and size in place of a writable content's, until the same time. More blocks are paid for the
/// started periods that are left; fewer give nothing back.
pub fn update(owner: &Hash160, root: &Bytes, new_root: &Bytes, size: Int, max_payment: Int) {
    let entry = registered(root);
    let old = paid(&entry);
    assert!(
        mode_of(old) == 1 && owner_in(&entry) == *owner,
        "updateContent: read-only, or not yours"
    );
    assert_free(new_root);
    let old_size = old & LOW_48_BITS;
    let left = (expiry_of(old) - runtime::time() + PERIOD - 1) / PERIOD;
    let price =
        fee(size, int(1), priority_of(old), left) - fee(old_size, int(1), priority_of(old), left);
    charge(owner, price.max(int(0)), max_payment);
    storage::delete(&keys::content(root));
    store(owner, new_root, old - old_size + size);
}

/// Takes what content costs from an account that has signed.
fn charge(payer: &Hash160, price: Int, max_payment: Int) {
    token::assert_signed(payer);
    assert!(price <= max_payment, "the fee is above maxPayment");
    token::charge(payer, price);
}

/// Writes down content that is paid.
pub fn register(owner: &Hash160, root: &Bytes, size: Int, mode: Int, priority: Int, periods: Int) {
    assert_free(root);
    let now = runtime::time();
    let expiry = now + periods * PERIOD;
    let numbers =
        size + (mode << 48) + (priority << 56) + (expiry << 64) + (now << 112) + (int(1) << 160);
    store(owner, root, numbers);
}

fn assert_free(root: &Bytes) {
    assert!(live(root).is_none(), "content: registered already");
}

fn store(owner: &Hash160, root: &Bytes, numbers: Int) {
    let value = numbers.to_bytes().concat(&owner.as_bytes());
    storage::put(&keys::content(root), &value);
    emit_content_created(
        root.clone(),
        owner.clone(),
        numbers & LOW_48_BITS,
        expiry_of(numbers),
    );
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
    let numbers = numbers_of(&stored(root)?);
    if has_expired(numbers) {
        return None;
    }
    Some(numbers)
}

fn has_expired(numbers: Int) -> bool {
    expiry_of(numbers) <= runtime::time()
}

/// What is stored of a content that must be there.
fn registered(root: &Bytes) -> Bytes {
    stored(root).expect("not registered, or expired")
}

/// The numbers of a stored content that must not have expired.
fn paid(entry: &Bytes) -> Int {
    let numbers = numbers_of(entry);
    assert!(!has_expired(numbers), "not registered, or expired");
    numbers
}

/// What is stored of a content; faults if the root is not 32 bytes.
fn stored(root: &Bytes) -> Option<Bytes> {
    assert!(root.len() == 32, "root must be 32 bytes");
    storage::get(&keys::content(root))
}

fn numbers_of(stored: &Bytes) -> Int {
    stored.left(NUMBERS).to_int()
}

fn owner_in(stored: &Bytes) -> Hash160 {
    Hash160::from_bytes(stored.slice(NUMBERS, 20)).unwrap()
}

/// What is known of a content; faults if the root is not 32 bytes.
pub fn info(root: &Bytes) -> Option<ContentRecord> {
    let stored = stored(root)?;
    let numbers = numbers_of(&stored);
    Some(ContentRecord {
        root: root.clone(),
        size: numbers & LOW_48_BITS,
        owner: owner_in(&stored),
        mode: mode_of(numbers),
        priority: priority_of(numbers),
        expiry: expiry_of(numbers),
        created: (numbers >> 112) & LOW_48_BITS,
    })
}

fn mode_of(numbers: Int) -> Int {
    (numbers >> 48) & 255
}

fn priority_of(numbers: Int) -> Int {
    (numbers >> 56) & 255
}

fn expiry_of(numbers: Int) -> Int {
    (numbers >> 64) & LOW_48_BITS
}

/// Started blocks × periods × base fee × (priority + 1) × (mode + 1); faults if the size is out of range.
pub fn fee(size: Int, mode: Int, priority: Int, periods: Int) -> Int {
    assert!(size.within(1, MAX_SIZE + 1), "size must be 1 byte to 1 TiB");
    (size + BLOCK - 1) / BLOCK * periods * params::content_base_fee() * (priority + 1) * (mode + 1)
}
