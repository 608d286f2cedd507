//! The program on the chain: the SOUL token, boxes with their gates and contents, and the registry of stored content.
//!
//! Ordinary Rust in the subset that `neoc` compiles to NeoVM; rustc builds the same source over `neo_framework`'s
//! in-memory chain. All exported methods stand in [`methods`]; each only names what its module does. A failed check is
//! a fault with a message: the whole transaction is undone.

// In a contract a panic is a fault: the way to refuse.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

pub mod boxes;
pub mod content;
pub mod entries;
pub mod keys;
pub mod params;
pub mod purse;
pub mod script;
pub mod token;
pub mod visit;

use neo_framework::contract;

/// What the contract exports, under the names and types of its manifest.
#[contract(name = "Phantasma", standards = ["NEP-17"], permissions = "*")]
pub mod methods {
    use neo_framework::prelude::*;

    use crate::boxes::BoxRecord;
    use crate::content::ContentRecord;
    use crate::params::Settings;
    use crate::{boxes, content, entries, params, purse, token};

    /// The token's name.
    #[method(safe)]
    pub fn name() -> Text {
        text("Phantasma")
    }

    /// The token's symbol.
    #[method(safe)]
    pub fn symbol() -> Text {
        text("SOUL")
    }

    /// Decimals of the token.
    #[method(safe)]
    pub fn decimals() -> Int {
        int(8)
    }

    /// Smallest units of SOUL that exist.
    #[method(safe)]
    pub fn total_supply() -> Int {
        token::total_supply()
    }

    /// Smallest units of SOUL that an account has.
    #[method(safe)]
    pub fn balance_of(account: Hash160) -> Int {
        token::balance_of(&account)
    }

    /// NEP-17: moves SOUL; false without the sender's witness or enough balance.
    #[method]
    pub fn transfer(from: Hash160, to: Hash160, amount: Int, data: Any) -> bool {
        token::transfer(&from, &to, amount, data)
    }

    /// NEP-5: as `transfer` with null as data.
    #[method(name = "transfer")]
    pub fn transfer_nep5(from: Hash160, to: Hash160, amount: Int) -> bool {
        token::transfer(&from, &to, amount, Any::null())
    }

    /// Creates SOUL; only for the contract of the sale.
    #[method]
    pub fn mint(to: Hash160, amount: Int) {
        token::mint(&to, amount);
    }

    /// Burns SOUL of an account that has signed; `target` says where it is to be had again.
    #[method]
    pub fn swap_out(from: Hash160, amount: Int, target: Bytes) {
        token::swap_out(&from, amount, &target);
    }

    /// Takes SOUL from a payer for a target and the pool; only for the contract of the proofs.
    #[method]
    pub fn collect(payer: Hash160, target: Option<Hash160>, amount: Int) {
        token::collect(&payer, target, amount);
    }

    /// Pays SOUL out of the pool; only for the contract of the proofs.
    #[method]
    pub fn reward(to: Hash160, amount: Int) {
        token::reward(&to, amount);
    }

    /// Smallest units of SOUL in the pool.
    #[method(safe)]
    pub fn pool_balance() -> Int {
        token::pool()
    }

    /// What was fixed at deployment.
    #[method(safe)]
    pub fn settings() -> Settings {
        params::settings()
    }

    /// Runs once; `data` is [owner, initialSupply, boxFee, contentBaseFee, poolShare, maxSupply, sale, proofs].
    #[method(name = "_deploy")]
    pub fn deploy(data: Any, update: bool) {
        params::deploy(data, update);
    }

    /// Makes a box and gives its number.
    #[method]
    pub fn create_box(owner: Hash160, name: Text, public_key: PublicKey, gate: Bytes) -> Int {
        boxes::create(&owner, &name, &public_key, &gate)
    }

    /// What is known of a box.
    #[method(safe)]
    pub fn box_info(box_id: Int) -> BoxRecord {
        boxes::info(box_id)
    }

    /// The number of the box with that name, 0 if there is none.
    #[method(safe)]
    pub fn find_box(name: Text) -> Int {
        boxes::find(&name)
    }

    /// The numbers of an account's boxes, oldest first.
    #[method(safe)]
    pub fn boxes_of(owner: Hash160) -> Iterator {
        boxes::of(&owner)
    }

    /// How many boxes there are; the last one's number.
    #[method(safe)]
    pub fn box_count() -> Int {
        boxes::count()
    }

    /// Writes a content if the gate agrees, and gives its index.
    #[method]
    pub fn write_content(caller: Hash160, box_id: Int, content: Bytes, max_payment: Int) -> Int {
        entries::write(&caller, box_id, &content, max_payment)
    }

    /// Writes a content that its author has signed; anybody may submit it, once.
    #[method]
    pub fn write_signed(
        author: PublicKey,
        box_id: Int,
        sequence: Int,
        time: Int,
        class: Int,
        payload: Bytes,
        signature: Signature,
    ) -> Int {
        entries::write_signed(&author, box_id, sequence, time, class, &payload, &signature)
    }

    /// The greatest sequence number that an author has used in a box, 0 at first.
    #[method(safe)]
    pub fn last_sequence(box_id: Int, author: PublicKey) -> Int {
        entries::last_sequence(box_id, &author)
    }

    /// Runs the gate and then the content, and gives what the content leaves.
    #[method]
    pub fn read_content_at(caller: Hash160, box_id: Int, index: Int, max_payment: Int) -> Any {
        entries::read_at(&caller, box_id, index, max_payment)
    }

    /// A content's script as it was written.
    #[method(safe)]
    pub fn content_at(box_id: Int, index: Int) -> Bytes {
        entries::script_at(box_id, index)
    }

    /// How many contents a box has.
    #[method(safe)]
    pub fn content_count(box_id: Int) -> Int {
        entries::count(box_id)
    }

    /// Gives a box another gate; only its owner can.
    #[method]
    pub fn replace_gate(box_id: Int, gate: Bytes) {
        boxes::replace_gate(box_id, &gate);
    }

    /// Runs the gate and the latest content, gives what that leaves, and takes it off if both let it.
    #[method]
    pub fn read_content(caller: Hash160, box_id: Int, max_payment: Int) -> Any {
        entries::pull(&caller, box_id, max_payment)
    }

    /// What `readContent` would charge the caller.
    #[method(safe)]
    pub fn inspect_content(caller: Hash160, box_id: Int) -> Int {
        entries::inspect(&caller, box_id)
    }

    /// Deletes the latest content: its author can, and the box's owner, if the gate agrees.
    #[method]
    pub fn delete_content(caller: Hash160, box_id: Int) {
        entries::delete(&caller, box_id);
    }

    /// Puts a content in place of the latest one, as `deleteContent`.
    #[method]
    pub fn replace_content(caller: Hash160, box_id: Int, content: Bytes, max_payment: Int) {
        entries::replace(&caller, box_id, &content, max_payment);
    }

    /// As `readContentAt`, with inputs for the content.
    #[method]
    pub fn call_content(
        caller: Hash160,
        box_id: Int,
        index: Int,
        inputs: Array<Any>,
        max_payment: Int,
    ) -> Any {
        entries::call(&caller, box_id, index, &inputs, max_payment)
    }

    /// Puts an account on a box's include list; only the box's owner can.
    #[method]
    pub fn include(box_id: Int, account: Hash160) {
        boxes::change_list(box_id, &account, true);
    }

    /// Takes an account off a box's include list.
    #[method]
    pub fn exclude(box_id: Int, account: Hash160) {
        boxes::change_list(box_id, &account, false);
    }

    /// Whether an account is on a box's include list.
    #[method(safe)]
    pub fn is_member(box_id: Int, account: Hash160) -> bool {
        boxes::is_member(box_id, &account)
    }

    /// Smallest units of SOUL that a box holds.
    #[method(safe)]
    pub fn box_balance(box_id: Int) -> Int {
        purse::balance_of(box_id)
    }

    /// Gives the owner of a box SOUL that it holds.
    #[method]
    pub fn withdraw(box_id: Int, amount: Int) {
        purse::withdraw(box_id, amount);
    }

    /// Registers and pays for stored content; gives its root.
    #[method]
    pub fn create_content(
        owner: Hash160,
        root: Bytes,
        size: Int,
        mode: Int,
        priority: Int,
        periods: Int,
        max_payment: Int,
    ) -> Bytes {
        content::create(&owner, &root, size, mode, priority, periods, max_payment);
        root
    }

    /// Keeps a content that has not expired for more periods; anybody may pay for it.
    #[method]
    pub fn renew_content(payer: Hash160, root: Bytes, periods: Int, max_payment: Int) {
        content::renew(&payer, &root, periods, max_payment);
    }

    /// Puts other bytes in the place of a writable content, until the same time.
    #[method]
    pub fn update_content(
        owner: Hash160,
        root: Bytes,
        new_root: Bytes,
        size: Int,
        max_payment: Int,
    ) {
        content::update(&owner, &root, &new_root, size, max_payment);
    }

    /// What content costs.
    #[method(safe)]
    pub fn content_quote(size: Int, mode: Int, priority: Int, periods: Int) -> Int {
        content::quote(size, mode, priority, periods)
    }

    /// What is known of stored content, or null.
    #[method(safe)]
    pub fn content_info(root: Bytes) -> Option<ContentRecord> {
        content::info(&root)
    }
}
