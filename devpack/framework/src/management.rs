//! The native contract ContractManagement.

use crate::chain::current::{self, CallFlags};
use crate::hash::{Hash160, hash160};

/// The contract, in script order.
pub const HASH: Hash160 =
    hash160(b"\xfd\xa3\xfa\x43\x46\xea\x53\x2a\x25\x8f\xc4\x97\xdd\xad\xdb\x64\x37\xc9\xfd\xff");

/// Whether there is a contract of that hash.
#[must_use]
#[track_caller]
pub fn is_contract(hash: &Hash160) -> bool {
    use crate::{crypto, gas_token, ledger, neo_token, std_lib};
    let natives = [
        HASH,
        gas_token::HASH,
        neo_token::HASH,
        std_lib::HASH,
        crypto::HASH,
        ledger::HASH,
    ];
    current::with(CallFlags::READ_ONLY, |state| {
        natives.contains(hash) || state.contracts.contains_key(hash)
    })
}
