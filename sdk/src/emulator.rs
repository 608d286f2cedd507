//! The contract natively, over an in-memory chain: a new one, or the state of a real one.
//!
//! What it does is what the compiled contract does (a test runs both side by side), and all that gates and contents did
//! is recorded for the debugger. Not here: gas, blocks, and other contracts than ours and the native tokens.
//!
//! ```
//! use phantasma_sdk::contract::DeployParams;
//! use phantasma_sdk::emulator::{Emulator, EmulatorError, account};
//! use phantasma_sdk::neo::Signer;
//!
//! fn balance(params: &DeployParams) -> Result<String, EmulatorError> {
//!     let emulator = Emulator::new(params)?;
//!     let owner = account("owner").hash;
//!     let outcome = emulator.call(&[Signer::new(owner)], "balanceOf", &[owner.into()])?;
//!     Ok(outcome.result().to_json().to_string())
//! }
//! ```

pub mod admission;
mod boxes;
mod items;
mod snapshot;

use neo_client::{
    ContractCall, ContractParam, Hash160, Notification, PublicKey, Scopes, Signer, StackItem, Then,
    VmState, flags,
};
use neo_framework::chain::{self, Chain, Item};
use neo_framework::{Any, Array, Bytes, Int, Text, contracts, int};
use phantasma_contract::methods;
use phantasma_vm::debug::{Debugger, End};
use phantasma_vm::trace::{self, Recording};

use crate::contract::DeployParams;

pub use items::to_stack_item;
pub use snapshot::{MAX_ENTRIES, Snapshot};

/// What the emulator cannot do.
#[derive(Debug, thiserror::Error)]
pub enum EmulatorError {
    #[error(transparent)]
    Rpc(#[from] neo_client::RpcError),
    #[error("the contract cannot be deployed with these parameters: {0}")]
    Deploy(String),
    #[error("the transaction calls {method} of {contract}, which is not emulated")]
    OtherContract { contract: Hash160, method: String },
    #[error("a signer of scope {0} is not emulated")]
    Scope(Scopes),
    #[error("there is no contract {0}; is it the right chain?")]
    NoContract(Hash160),
    #[error("the chain has no block {index} yet; it has {count}")]
    NoBlock { index: u32, count: u32 },
}

/// A contract that runs natively.
pub struct Emulator {
    chain: Chain,
    contract: Hash160,
    native: neo_framework::Hash160,
}

/// What a transaction did, and what its scripts did step by step.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub state: VmState,
    /// Of a FAULT.
    pub exception: Option<String>,
    /// Results of the calls whose results are kept; empty after a FAULT.
    pub stack: Vec<StackItem>,
    /// Empty after a FAULT.
    pub notifications: Vec<Notification>,
    pub recording: Recording,
    /// The block's time that the scripts saw.
    pub time_ms: i64,
    last: Item,
}

impl Outcome {
    /// The result of the last call; Null after a FAULT.
    #[must_use]
    pub fn result(&self) -> StackItem {
        self.stack.last().cloned().unwrap_or(StackItem::Null)
    }

    /// A debugger at the first step.
    #[must_use]
    pub fn debugger(&self) -> Debugger {
        let end = match &self.exception {
            Some(message) => End::Fault(message.clone()),
            None => End::Halt(self.last.clone()),
        };
        Debugger::new(self.recording.clone(), end).at_time(self.time_ms)
    }
}

/// An account of emulated chains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EmulatedAccount {
    pub hash: Hash160,
    pub public_key: PublicKey,
}

/// The account whose key follows from a name.
#[must_use]
pub fn account(name: &str) -> EmulatedAccount {
    let account = chain::Account::named(name);
    EmulatedAccount {
        hash: Hash160(account.hash.to_array()),
        public_key: PublicKey(account.public_key.to_array()),
    }
}

impl Emulator {
    /// A new chain with the contract.
    pub fn new(params: &DeployParams) -> Result<Emulator, EmulatorError> {
        let chain = Chain::new();
        let signer = chain::Signer::called_by_entry(&native_hash(&params.owner));
        let data = items::from_param(&ContractParam::from(params));
        let deployed = chain.deploy(&[signer], methods::CONTRACT, data);
        if let Some(exception) = deployed.outcome.exception {
            return Err(EmulatorError::Deploy(exception));
        }
        Ok(Emulator {
            chain,
            contract: Hash160(deployed.hash.to_array()),
            native: deployed.hash,
        })
    }

    /// A chain that goes on from the state of another one.
    #[must_use]
    pub fn from_snapshot(snapshot: &Snapshot) -> Emulator {
        let chain = Chain::new();
        let native = native_hash(&snapshot.contract);
        chain.register(&native, methods::CONTRACT);
        chain.set_network(snapshot.network);
        chain.set_block_index(i64::from(snapshot.block_index));
        chain.set_time(int(i64::try_from(snapshot.time_ms).unwrap_or(i64::MAX)));
        for entry in &snapshot.entries {
            chain.set_storage(&native, &entry.key, Some(&entry.value));
        }
        Emulator {
            chain,
            contract: snapshot.contract,
            native,
        }
    }

    /// The contract's hash on this chain.
    #[must_use]
    pub fn contract(&self) -> Hash160 {
        self.contract
    }

    /// The chain below: clock, storage, GAS.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// Sends a transaction that calls one method of the contract.
    pub fn call(
        &self,
        signers: &[Signer],
        method: &str,
        params: &[ContractParam],
    ) -> Result<Outcome, EmulatorError> {
        let call = ContractCall {
            contract: self.contract,
            method: method.to_owned(),
            call_flags: flags::ALL,
            params: params.to_vec(),
            then: Then::Keep,
        };
        self.transaction(signers, &[call])
    }

    /// Sends a transaction that makes these calls of the contract; all of them stay, or none.
    pub fn transaction(
        &self,
        signers: &[Signer],
        calls: &[ContractCall],
    ) -> Result<Outcome, EmulatorError> {
        if let Some(other) = calls.iter().find(|call| call.contract != self.contract) {
            return Err(EmulatorError::OtherContract {
                contract: other.contract,
                method: other.method.clone(),
            });
        }
        let signers: Vec<_> = signers
            .iter()
            .map(native_signer)
            .collect::<Result<_, _>>()?;
        let (outcome, recording) =
            trace::record(|| self.chain.run_script(&signers, || self.script(calls)));
        Ok(self.outcome(outcome, recording))
    }

    /// What the transaction's script does; its kept results.
    fn script(&self, calls: &[ContractCall]) -> Item {
        let mut kept = Vec::new();
        for call in calls {
            let args = call.params.iter().map(items::from_param).collect();
            let result = self.call_native(&call.method, call.call_flags, args);
            match call.then {
                Then::Keep => kept.push(result),
                Then::Drop => {}
                Then::Assert => {
                    if !matches!(result.to_boolean(), Ok(true)) {
                        neo_framework::fault("ASSERT is executed with false result.");
                    }
                }
            }
        }
        Item::array(kept)
    }

    fn call_native(&self, method: &str, call_flags: u8, args: Vec<Item>) -> Item {
        let mut list: Array<Any> = Array::new();
        for arg in args {
            list.push(Any::of(arg));
        }
        let method = Text::from_bytes(Bytes::from(method.as_bytes()));
        let call_flags = i64::from(call_flags);
        contracts::call(&self.native, &method, call_flags, list).into_raw()
    }

    fn outcome(&self, outcome: chain::Outcome, recording: Recording) -> Outcome {
        let results = match outcome.stack.first() {
            Some(Item::Array(results)) => results.borrow().clone(),
            _ => Vec::new(),
        };
        let notifications = outcome.events.iter().map(|event| Notification {
            contract: Hash160(event.contract.to_array()),
            name: event.name.clone(),
            state: StackItem::Array(event.args.iter().map(to_stack_item).collect()),
        });
        Outcome {
            state: match outcome.state {
                chain::VmState::Halt => VmState::Halt,
                chain::VmState::Fault => VmState::Fault,
            },
            exception: outcome.exception,
            stack: results.iter().map(to_stack_item).collect(),
            notifications: notifications.collect(),
            recording,
            time_ms: self.chain.time().to_i64().unwrap_or_default(),
            last: results.last().cloned().unwrap_or(Item::Null),
        }
    }

    /// Gives everything that the contract keeps for one account to another: balance, boxes, all. So an account of which
    /// only the address is known can own a box, although `createBox` wants the public key.
    pub fn rename(&self, from: &Hash160, to: &Hash160) {
        for (key, value) in self.chain.storage(&self.native) {
            let (new_key, new_value) = (replaced(&key, from, to), replaced(&value, from, to));
            if new_key != key {
                self.chain.set_storage(&self.native, &key, None);
            }
            if new_key != key || new_value != value {
                self.chain
                    .set_storage(&self.native, &new_key, Some(&new_value));
            }
        }
    }

    /// Makes boxes free on this chain.
    pub fn waive_box_fee(&self) {
        let key = phantasma_contract::keys::BOX_FEE;
        self.chain.set_storage(&self.native, key.as_slice(), None);
    }

    /// Sets the random numbers that scripts get.
    pub(crate) fn set_random_numbers(&self, numbers: impl IntoIterator<Item = u128>) {
        let numbers = numbers.into_iter().map(|number| {
            let mut bytes = [0; 17];
            bytes[..16].copy_from_slice(&number.to_le_bytes());
            Int::from_le_bytes(&bytes).unwrap_or_default()
        });
        self.chain.set_random_numbers(numbers.collect());
    }
}

/// The bytes with each place where one account stands taken by the other.
fn replaced(bytes: &[u8], from: &Hash160, to: &Hash160) -> Vec<u8> {
    let mut out = bytes.to_vec();
    let mut at = 0;
    while let Some(part) = out.get_mut(at..at + from.0.len()) {
        if *part == from.0 {
            part.copy_from_slice(&to.0);
            at += from.0.len();
        } else {
            at += 1;
        }
    }
    out
}

fn native_hash(hash: &Hash160) -> neo_framework::Hash160 {
    let bytes = Bytes::from(hash.0.as_slice());
    neo_framework::Hash160::from_bytes(bytes).unwrap_or_else(neo_framework::Hash160::zero)
}

fn native_signer(signer: &Signer) -> Result<chain::Signer, EmulatorError> {
    let contracts = || signer.allowed_contracts.iter().map(native_hash).collect();
    let custom = Scopes::CUSTOM_CONTRACTS;
    let scope = match signer.scopes {
        Scopes::NONE => chain::Scope::None,
        Scopes::GLOBAL => chain::Scope::Global,
        Scopes::CALLED_BY_ENTRY => chain::Scope::CalledByEntry,
        scopes if scopes == custom => chain::Scope::CustomContracts(contracts()),
        scopes if scopes == custom.with(Scopes::CALLED_BY_ENTRY) => {
            chain::Scope::EntryAndContracts(contracts())
        }
        scopes => return Err(EmulatorError::Scope(scopes)),
    };
    Ok(chain::Signer {
        account: native_hash(&signer.account),
        scope,
    })
}

#[cfg(test)]
pub(crate) mod tests;
