//! An in-memory chain for native tests: contracts, accounts, storage with
//! rollback, events, clock, GAS and NEO.
//!
//! It does not meter gas, does not run NeoVM code and keeps no blocks. One
//! chain belongs to one thread.

mod accounts;
pub(crate) mod current;
mod events;
pub(crate) mod invoke;
mod journal;
mod natives;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

pub use accounts::{Account, Scope, Signer};
pub use current::CallFlags;
pub use events::{Event, Outcome, VmState};
pub use journal::Entries;

use crate::convert::IntoItem;
use crate::crypto;
use crate::hash::{Hash160, Hash256};
use crate::info::ContractInfo;
use crate::int::{Int, int};
pub use crate::item::Item;
use crate::{gas_token, management, neo_token};
use current::State;
use invoke::Effects;

/// What `runtime::gas_left` starts from: 20 GAS, the most a mainnet block allows.
pub(crate) const DEFAULT_GAS: Int = int(20_0000_0000);
/// The first block's time, in milliseconds (2026-01-01).
const FIRST_TIME_MS: i64 = 1_767_225_600_000;
/// The network magic of a private network.
const PRIVATE_NETWORK: u32 = 56753;

/// A chain. Clones are the same chain.
#[derive(Clone)]
pub struct Chain(Rc<RefCell<State>>);

/// The result of [`Chain::deploy`].
#[derive(Clone, Debug)]
pub struct Deployment {
    /// The new contract.
    pub hash: Hash160,
    /// What `_deploy` did; after a fault there is no contract.
    pub outcome: Outcome,
}

impl Default for Chain {
    fn default() -> Chain {
        Chain::new()
    }
}

impl Chain {
    /// A chain without contracts and balances.
    #[must_use]
    pub fn new() -> Chain {
        Chain(Rc::new(RefCell::new(State {
            contracts: BTreeMap::new(),
            storage: journal::Storage::default(),
            block_index: int(1),
            time_ms: int(FIRST_TIME_MS),
            network: PRIVATE_NETWORK,
            seed: 0,
            transactions: 0,
            frames: Vec::new(),
            signers: Vec::new(),
            events: Vec::new(),
            logs: Vec::new(),
            gas_left: DEFAULT_GAS,
            calls: BTreeMap::new(),
            randoms: 0,
            given_randoms: Vec::new(),
            given_nonces: BTreeMap::new(),
        })))
    }

    /// The account of that name; the same name gives the same key.
    #[must_use]
    pub fn account(&self, name: &str) -> Account {
        Account::named(name)
    }

    /// Puts a contract at a hash without calling `_deploy`.
    pub fn register(&self, hash: &Hash160, contract: ContractInfo) {
        self.0.borrow_mut().contracts.insert(hash.clone(), contract);
    }

    /// Deploys a contract as ContractManagement does: registers it and calls
    /// `_deploy(data, false)`, if it has that.
    pub fn deploy(
        &self,
        signers: &[Signer],
        contract: ContractInfo,
        data: impl IntoItem,
    ) -> Deployment {
        let hash = contract_hash(signers, contract.name);
        let data = data.into_item();
        if self.0.borrow().contracts.contains_key(&hash) {
            let outcome = invoke::execute(&self.0, signers, Effects::Undo, || {
                crate::fault::fault(format_args!("contract already exists: {}", contract.name))
            });
            return Deployment { hash, outcome };
        }
        self.register(&hash, contract);
        let outcome = invoke::execute(&self.0, signers, Effects::Keep, || {
            invoke::in_frame(&management::HASH, None, CallFlags::ALL, || {
                if contract.method("_deploy", 2).is_none() {
                    return Item::Null;
                }
                invoke::callback(&hash, "_deploy", vec![data, Item::Boolean(false)])
            })
        });
        if !outcome.is_halt() {
            self.0.borrow_mut().contracts.remove(&hash);
        }
        Deployment { hash, outcome }
    }

    /// Sends a transaction that calls one method with all flags. A fault
    /// undoes everything.
    pub fn invoke(
        &self,
        signers: &[Signer],
        contract: &Hash160,
        method: &str,
        args: Vec<Item>,
    ) -> Outcome {
        invoke::execute(&self.0, signers, Effects::Keep, || {
            invoke::call(contract, method, CallFlags::ALL, args)
        })
    }

    /// Like [`Chain::invoke`], but a HALT is undone too: a node's test run.
    pub fn test_invoke(
        &self,
        signers: &[Signer],
        contract: &Hash160,
        method: &str,
        args: Vec<Item>,
    ) -> Outcome {
        invoke::execute(&self.0, signers, Effects::Undo, || {
            invoke::call(contract, method, CallFlags::ALL, args)
        })
    }

    /// Runs native code as if it were a method of `contract` called by the
    /// entry script, to test a part of a contract by itself.
    pub fn run_as<R: IntoItem>(
        &self,
        signers: &[Signer],
        contract: &Hash160,
        code: impl FnOnce() -> R,
    ) -> Outcome {
        let info = self.0.borrow().contracts.get(contract).copied();
        invoke::execute(&self.0, signers, Effects::Keep, || {
            invoke::in_frame(contract, info, CallFlags::ALL, || code().into_item())
        })
    }

    /// Sends a transaction whose entry script is native code; it calls
    /// contracts through `contracts::call`, as often as it wants.
    pub fn run_script<R: IntoItem>(
        &self,
        signers: &[Signer],
        script: impl FnOnce() -> R,
    ) -> Outcome {
        invoke::execute(&self.0, signers, Effects::Keep, || script().into_item())
    }

    /// A contract's storage.
    #[must_use]
    pub fn storage(&self, contract: &Hash160) -> Entries {
        self.0.borrow().storage.entries(contract)
    }

    /// Keys of a contract that the last invocation looked for and did not find, in byte order: what to load when only
    /// a part of a real chain's storage is here.
    #[must_use]
    pub fn absent_reads(&self, contract: &Hash160) -> Vec<Vec<u8>> {
        self.0.borrow().storage.absent(contract)
    }

    /// Writes an entry of a contract's storage, or removes it.
    pub fn set_storage(&self, contract: &Hash160, key: &[u8], value: Option<&[u8]>) {
        let mut state = self.0.borrow_mut();
        state.storage.set(contract, key, value.map(<[u8]>::to_vec));
        state.storage.commit();
    }

    /// Gives an account GAS, in datoshi, out of nothing.
    pub fn set_gas(&self, account: &Hash160, datoshi: impl Into<Int>) {
        self.set_balance(&gas_token::HASH, account, datoshi.into());
    }

    /// Gives an account NEO out of nothing.
    pub fn set_neo(&self, account: &Hash160, amount: impl Into<Int>) {
        self.set_balance(&neo_token::HASH, account, amount.into());
    }

    fn set_balance(&self, token: &Hash160, account: &Hash160, amount: Int) {
        let mut state = self.0.borrow_mut();
        natives::set_balance(&mut state, token, account, amount);
        state.storage.commit();
    }

    /// GAS of an account, in datoshi.
    #[must_use]
    pub fn gas_of(&self, account: &Hash160) -> Int {
        natives::balance(&self.0.borrow(), &gas_token::HASH, account)
    }

    /// NEO of an account.
    #[must_use]
    pub fn neo_of(&self, account: &Hash160) -> Int {
        natives::balance(&self.0.borrow(), &neo_token::HASH, account)
    }

    /// Time of the block being built, in milliseconds.
    #[must_use]
    pub fn time(&self) -> Int {
        self.0.borrow().time_ms
    }

    /// Sets the time of the block being built, in milliseconds.
    pub fn set_time(&self, time_ms: impl Into<Int>) {
        self.0.borrow_mut().time_ms = time_ms.into();
    }

    /// Moves the clock on and makes one more block.
    pub fn advance(&self, milliseconds: impl Into<Int>) {
        let mut state = self.0.borrow_mut();
        state.time_ms += milliseconds.into();
        state.block_index += 1;
    }

    /// Height of the last block.
    #[must_use]
    pub fn block_index(&self) -> Int {
        self.0.borrow().block_index
    }

    /// Sets the height of the last block.
    pub fn set_block_index(&self, index: impl Into<Int>) {
        self.0.borrow_mut().block_index = index.into();
    }

    /// The network's magic number.
    #[must_use]
    pub fn network(&self) -> u32 {
        self.0.borrow().network
    }

    /// Sets the network's magic number.
    pub fn set_network(&self, magic: u32) {
        self.0.borrow_mut().network = magic;
    }

    /// Sets what random numbers and transaction hashes follow from.
    pub fn set_seed(&self, seed: u64) {
        self.0.borrow_mut().seed = seed;
    }

    /// Sets the first random numbers of every invocation from now on, as a
    /// node made them for a past transaction.
    pub fn set_random_numbers(&self, numbers: Vec<Int>) {
        self.0.borrow_mut().given_randoms = numbers;
    }

    /// Sets the consensus nonce of a block, as a real chain had it; others follow from the seed.
    pub fn set_block_nonce(&self, index: impl Into<Int>, nonce: Int) {
        let mut state = self.0.borrow_mut();
        state.given_nonces.insert(index.into(), nonce);
    }

    /// Hash of the transaction that the next invocation will be.
    #[must_use]
    pub fn next_transaction_hash(&self) -> Hash256 {
        let mut state = self.0.borrow_mut();
        state.transactions += 1;
        let hash = state.transaction_hash();
        state.transactions -= 1;
        hash
    }

    /// What `crypto::check_sig` will check in the next invocation: the network
    /// magic and the transaction hash.
    #[must_use]
    pub fn next_sign_data(&self) -> Vec<u8> {
        let hash = self.next_transaction_hash();
        [
            self.network().to_le_bytes().as_slice(),
            hash.as_bytes().as_slice(),
        ]
        .concat()
    }
}

/// Neo's formula for the hash of a contract, with the NEF checksum 0: hash160
/// of `ABORT, PUSHDATA1 sender, PUSH0, PUSHDATA1 name`.
fn contract_hash(signers: &[Signer], name: &str) -> Hash160 {
    let sender = signers
        .first()
        .map_or_else(Hash160::zero, |signer| signer.account.clone());
    let mut script = vec![0x38, 0x0c, 20];
    script.extend_from_slice(sender.as_bytes().as_slice());
    script.extend_from_slice(&[0x10, 0x0c, name.len() as u8]);
    script.extend_from_slice(name.as_bytes());
    crypto::hash160_of(&script)
}
