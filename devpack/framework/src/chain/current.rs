//! The state of a chain and the running invocation, which the functions of
//! `storage`, `runtime` and the others reach through a thread-local.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use sha2::{Digest, Sha256};

use super::accounts::Signer;
use super::events::Event;
use super::journal::Storage;
use crate::crypto;
use crate::fault::fault;
use crate::hash::{Hash160, Hash256};
use crate::info::ContractInfo;
use crate::int::Int;
use crate::item::Item;
use crate::runtime::MAX_EVENTS;

/// What a frame may do (a set of bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallFlags(u8);

/// How many blocks back the ledger looks (MainNet's `MaxTraceableBlocks`, about a year).
const MAX_TRACEABLE_BLOCKS: i64 = 2_102_400;

/// No permission needed.
pub(crate) const NONE: CallFlags = CallFlags(0);

impl CallFlags {
    /// Read storage and other contracts.
    pub const READ_STATES: CallFlags = CallFlags(1);
    /// Write storage.
    pub const WRITE_STATES: CallFlags = CallFlags(2);
    /// Call contracts.
    pub const ALLOW_CALL: CallFlags = CallFlags(4);
    /// Emit events and logs.
    pub const ALLOW_NOTIFY: CallFlags = CallFlags(8);
    /// Read and call.
    pub const READ_ONLY: CallFlags = CallFlags(5);
    /// Everything.
    pub const ALL: CallFlags = CallFlags(15);

    pub(crate) fn from_bits(bits: i64) -> Option<CallFlags> {
        u8::try_from(bits)
            .ok()
            .filter(|bits| bits & !CallFlags::ALL.0 == 0)
            .map(CallFlags)
    }

    pub(crate) fn contain(self, needed: CallFlags) -> bool {
        self.0 & needed.0 == needed.0
    }

    pub(crate) fn and(self, other: CallFlags) -> CallFlags {
        CallFlags(self.0 & other.0)
    }
}

/// One contract call in progress.
pub(crate) struct Frame {
    pub(crate) contract: Hash160,
    pub(crate) caller: Hash160,
    pub(crate) flags: CallFlags,
    pub(crate) called_by_entry: bool,
    /// What the contract may call, if it is a deployed one.
    pub(crate) info: Option<ContractInfo>,
}

/// A chain and, while one runs, its invocation.
pub(crate) struct State {
    pub(crate) contracts: BTreeMap<Hash160, ContractInfo>,
    pub(crate) storage: Storage,
    pub(crate) block_index: Int,
    pub(crate) time_ms: Int,
    pub(crate) network: u32,
    pub(crate) seed: u64,
    /// Invocations so far; makes transaction hashes and random numbers differ.
    pub(crate) transactions: u64,
    // Of the running invocation:
    pub(crate) frames: Vec<Frame>,
    pub(crate) signers: Vec<Signer>,
    pub(crate) events: Vec<Event>,
    pub(crate) logs: Vec<(Hash160, String)>,
    pub(crate) gas_left: Int,
    pub(crate) calls: BTreeMap<Hash160, i64>,
    pub(crate) randoms: u64,
    /// The first random numbers of each invocation, when they are known.
    pub(crate) given_randoms: Vec<Int>,
    /// Nonces of blocks, where they are known.
    pub(crate) given_nonces: BTreeMap<Int, Int>,
}

thread_local! {
    static CURRENT: RefCell<Option<Rc<RefCell<State>>>> = const { RefCell::new(None) };
}

/// Makes a chain current and gives back the one that was.
pub(crate) fn replace(state: Option<Rc<RefCell<State>>>) -> Option<Rc<RefCell<State>>> {
    CURRENT.with(|current| current.replace(state))
}

/// Runs `action` on the current chain if the running frame has the flags;
/// outside of an invocation a fault. `action` must not run contract code.
#[track_caller]
pub(crate) fn with<R>(needed: CallFlags, action: impl FnOnce(&mut State) -> R) -> R {
    let Some(chain) = CURRENT.with(|current| current.borrow().clone()) else {
        fault(
            "no invocation is running: call contract code through Chain::invoke or Chain::run_as",
        );
    };
    let mut state = chain.borrow_mut();
    let flags = state.frame().flags;
    if !flags.contain(needed) {
        drop(state);
        fault(format_args!(
            "missing call flags: need {:#06b}, have {:#06b}",
            needed.0, flags.0
        ));
    }
    action(&mut state)
}

/// Faults unless a native contract may be called here; outside of an
/// invocation, where pure functions may be tried alone, it may.
#[track_caller]
pub(crate) fn require_call() {
    if CURRENT.with(|current| current.borrow().is_some()) {
        with(CallFlags::READ_ONLY, |_| ());
    }
}

impl State {
    #[track_caller]
    pub(crate) fn frame(&self) -> &Frame {
        match self.frames.last() {
            Some(frame) => frame,
            None => fault("no invocation is running"),
        }
    }

    pub(crate) fn entry_hash(&self) -> Hash160 {
        self.frames
            .first()
            .map_or_else(Hash160::zero, |frame| frame.contract.clone())
    }

    /// `System.Runtime.CheckWitness`.
    pub(crate) fn check_witness(&self, account: &Hash160) -> bool {
        let frame = self.frame();
        if frame.caller == *account && *account != Hash160::zero() {
            return true;
        }
        self.signers
            .iter()
            .find(|signer| signer.account == *account)
            .is_some_and(|signer| signer.reaches(&frame.contract, frame.called_by_entry))
    }

    #[track_caller]
    pub(crate) fn notify(&mut self, name: &str, args: &Item) {
        if self.events.len() >= MAX_EVENTS {
            fault(format_args!("more than {MAX_EVENTS} notifications"));
        }
        let args = match args.deep_copy() {
            Item::Array(cells) => cells.take(),
            _ => Vec::new(),
        };
        let contract = self.frame().contract.clone();
        self.events.push(Event {
            contract,
            name: name.to_string(),
            args,
        });
    }

    pub(crate) fn calls_of(&self, contract: &Hash160) -> i64 {
        self.calls.get(contract).copied().unwrap_or(1)
    }

    pub(crate) fn count_call(&mut self, contract: &Hash160) {
        *self.calls.entry(contract.clone()).or_insert(0) += 1;
    }

    pub(crate) fn transaction_hash(&self) -> Hash256 {
        let mut digest = Sha256::new();
        digest.update(b"transaction");
        digest.update(self.network.to_le_bytes());
        digest.update(self.seed.to_le_bytes());
        digest.update(self.transactions.to_le_bytes());
        Hash256::unchecked(digest.finalize().into())
    }

    pub(crate) fn block_hash(&self) -> Hash256 {
        self.hash_of_block(self.block_index)
    }

    fn hash_of_block(&self, index: Int) -> Hash256 {
        let mut digest = Sha256::new();
        digest.update(b"block");
        digest.update(self.network.to_le_bytes());
        digest.update(index.to_minimal_bytes());
        Hash256::unchecked(digest.finalize().into())
    }

    /// `LedgerContract.getBlock`, Null as `None`.
    pub(crate) fn block(&self, index: Int) -> Option<Item> {
        if index < 0 || index > self.block_index || index + MAX_TRACEABLE_BLOCKS < self.block_index
        {
            return None;
        }
        let hash = |hash: Hash256| Item::ByteString(hash.as_bytes());
        let nothing = || hash(Hash256::zero());
        Some(Item::array(vec![
            hash(self.hash_of_block(index)),
            Item::integer(0),
            hash(self.hash_of_block(index - 1)),
            nothing(),
            Item::Integer(self.time_ms),
            Item::Integer(self.nonce_of_block(index)),
            Item::Integer(index),
            Item::integer(0),
            Item::ByteString(Hash160::zero().as_bytes()),
            Item::integer(0),
        ]))
    }

    fn nonce_of_block(&self, index: Int) -> Int {
        if let Some(nonce) = self.given_nonces.get(&index) {
            return *nonce;
        }
        let mut digest = Sha256::new();
        digest.update(b"nonce");
        digest.update(self.seed.to_le_bytes());
        digest.update(index.to_minimal_bytes());
        let mut positive = [0; 9];
        positive[..8].copy_from_slice(&digest.finalize()[..8]);
        Int::from_le_bytes(&positive).unwrap_or_default()
    }

    /// The hash that stands for the entry script's.
    pub(crate) fn next_entry_hash(&self) -> Hash160 {
        crypto::hash160_of(self.transaction_hash().as_bytes().as_slice())
    }

    pub(crate) fn next_random(&mut self) -> Int {
        let given = usize::try_from(self.randoms).ok();
        self.randoms += 1;
        if let Some(number) = given.and_then(|at| self.given_randoms.get(at)) {
            return *number;
        }
        let mut digest = Sha256::new();
        digest.update(self.seed.to_le_bytes());
        digest.update(self.transactions.to_le_bytes());
        digest.update(self.randoms.to_le_bytes());
        let mut positive = [0; 17];
        positive[..16].copy_from_slice(&digest.finalize()[..16]);
        Int::from_le_bytes(&positive).unwrap_or_default()
    }
}
