//! What a contract knows of its invocation (`System.Runtime.*`).

use crate::bytes::Text;
use crate::chain::current::{self, CallFlags, NONE};
use crate::fault::{fault, ok_or_fault};
use crate::hash::{Hash160, Hash256};
use crate::int::{Int, int};
use crate::item::Item;
use crate::serialize;

/// Longest event name in bytes.
pub const MAX_EVENT_NAME_BYTES: usize = 32;
/// Longest serialized arguments of an event.
pub const MAX_EVENT_BYTES: usize = 1024;
/// Most events of one transaction.
pub const MAX_EVENTS: usize = 512;
/// Longest log message in bytes.
pub const MAX_LOG_BYTES: usize = 1024;

/// `trigger()` while a witness is verified.
pub const VERIFICATION: i64 = 0x20;
/// `trigger()` in a transaction.
pub const APPLICATION: i64 = 0x40;

/// Whether the account agreed: it is the calling contract, or it signed with a
/// scope that reaches this contract.
#[must_use]
#[track_caller]
pub fn check_witness(account: &Hash160) -> bool {
    current::with(NONE, |state| state.check_witness(account))
}

/// Time of the block being built, in milliseconds since 1970.
#[must_use]
#[track_caller]
pub fn time() -> Int {
    current::with(CallFlags::READ_STATES, |state| state.time_ms)
}

/// Who called this contract; the entry script if nobody else did.
#[must_use]
#[track_caller]
pub fn calling_script_hash() -> Hash160 {
    current::with(NONE, |state| state.frame().caller.clone())
}

/// This contract.
#[must_use]
#[track_caller]
pub fn executing_script_hash() -> Hash160 {
    current::with(NONE, |state| state.frame().contract.clone())
}

/// The transaction's script.
#[must_use]
#[track_caller]
pub fn entry_script_hash() -> Hash160 {
    current::with(NONE, |state| state.entry_hash())
}

/// Why code runs: [`APPLICATION`] or [`VERIFICATION`].
#[must_use]
pub fn trigger() -> Int {
    int(APPLICATION)
}

/// How often this contract was called in this transaction so far, from 1.
#[must_use]
#[track_caller]
pub fn invocation_counter() -> Int {
    current::with(NONE, |state| {
        let contract = state.frame().contract.clone();
        int(state.calls_of(&contract))
    })
}

/// The network's magic number.
#[must_use]
#[track_caller]
pub fn network() -> Int {
    current::with(NONE, |state| int(i64::from(state.network)))
}

/// Gas left, in datoshi. The native chain does not meter: only
/// [`burn_gas`] lowers it.
#[must_use]
#[track_caller]
pub fn gas_left() -> Int {
    current::with(NONE, |state| state.gas_left)
}

/// A random number of 128 bits; natively a fixed sequence of the chain's seed.
#[must_use]
#[track_caller]
pub fn random() -> Int {
    current::with(NONE, |state| state.next_random())
}

/// Writes a log line of at most 1024 bytes.
#[track_caller]
pub fn log(message: &Text) {
    if message.as_slice().len() > MAX_LOG_BYTES {
        fault(format_args!(
            "log message of {} bytes is above {MAX_LOG_BYTES}",
            message.len()
        ));
    }
    if std::str::from_utf8(message.as_slice()).is_err() {
        fault("log message is not UTF-8");
    }
    current::with(CallFlags::ALLOW_NOTIFY, |state| {
        let contract = state.frame().contract.clone();
        state.logs.push((contract, message.to_string()));
    });
}

/// Burns gas, in datoshi; not positive or more than is left is a fault.
#[track_caller]
pub fn burn_gas(datoshi: impl Into<Int>) {
    let datoshi = datoshi.into();
    if datoshi <= 0 {
        fault("GAS must be positive");
    }
    let left = current::with(NONE, |state| {
        state.gas_left -= datoshi;
        state.gas_left
    });
    if left < 0 {
        fault("insufficient amount of gas");
    }
}

/// Hash of the transaction.
#[must_use]
#[track_caller]
pub fn transaction_hash() -> Hash256 {
    current::with(NONE, |state| state.transaction_hash())
}

/// The first signer of the transaction, who pays for it.
#[must_use]
#[track_caller]
pub fn transaction_sender() -> Hash160 {
    current::with(NONE, |state| match state.signers.first() {
        Some(signer) => signer.account.clone(),
        None => Hash160::zero(),
    })
}

/// The version byte of addresses (53).
#[must_use]
pub fn address_version() -> Int {
    int(53)
}

/// Emits an event; contracts use functions with `#[event]`.
#[track_caller]
pub fn notify(name: &str, args: Vec<Item>) {
    if name.len() > MAX_EVENT_NAME_BYTES {
        fault(format_args!(
            "event name of {} bytes is above {MAX_EVENT_NAME_BYTES}",
            name.len()
        ));
    }
    let args = Item::array(args);
    let size = ok_or_fault(serialize::serialize(&args)).len();
    if size > MAX_EVENT_BYTES {
        fault(format_args!(
            "notification of {size} bytes is above {MAX_EVENT_BYTES}"
        ));
    }
    current::with(CallFlags::ALLOW_NOTIFY, |state| state.notify(name, &args));
}
