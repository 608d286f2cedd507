//! How an invocation runs: entry script, frames, faults, rollback.

use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe};
use std::rc::Rc;
use std::sync::Once;

use super::current::{self, CallFlags, Frame, NONE, State};
use super::events::{Outcome, VmState};
use super::{Signer, natives};
use crate::convert::IntoItem;
use crate::eval;
use crate::fault::fault;
use crate::hash::Hash160;
use crate::info::ContractInfo;
use crate::item::Item;

/// Deepest chain of contract calls (`MaxInvocationStackSize` of NeoVM). Each
/// call takes native stack, so the native bound is lower.
const MAX_CALL_DEPTH: usize = 128;

/// Whether the effects of a HALT stay.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effects {
    Keep,
    Undo,
}

/// Runs `script` as the entry script of a transaction.
pub(crate) fn execute(
    chain: &Rc<RefCell<State>>,
    signers: &[Signer],
    effects: Effects,
    script: impl FnOnce() -> Item,
) -> Outcome {
    if !chain.borrow().frames.is_empty() {
        fault("an invocation is running: contract code cannot start another one");
    }
    begin(&mut chain.borrow_mut(), signers);
    let previous = current::replace(Some(Rc::clone(chain)));
    let outer_stack = eval::replace(Vec::new());
    let result = silently(|| panic::catch_unwind(AssertUnwindSafe(script)));
    eval::replace(outer_stack);
    current::replace(previous);
    let result = result.map_err(|payload| message_of(payload.as_ref()));
    end(&mut chain.borrow_mut(), effects, result)
}

fn begin(state: &mut State, signers: &[Signer]) {
    state.transactions += 1;
    state.signers = signers.to_vec();
    state.events.clear();
    state.logs.clear();
    state.calls.clear();
    state.storage.forget_absent();
    state.randoms = 0;
    state.gas_left = super::DEFAULT_GAS;
    let entry = Frame {
        contract: state.next_entry_hash(),
        caller: Hash160::zero(),
        flags: CallFlags::ALL,
        called_by_entry: true,
        info: None,
    };
    state.frames = vec![entry];
}

fn end(state: &mut State, effects: Effects, result: Result<Item, String>) -> Outcome {
    state.frames.clear();
    let logs = std::mem::take(&mut state.logs);
    let events = std::mem::take(&mut state.events);
    if result.is_ok() && effects == Effects::Keep {
        state.storage.commit();
    } else {
        state.storage.rollback();
    }
    match result {
        Ok(item) => Outcome {
            state: VmState::Halt,
            exception: None,
            stack: vec![item],
            events,
            logs,
        },
        Err(message) => Outcome {
            state: VmState::Fault,
            exception: Some(message),
            stack: Vec::new(),
            events: Vec::new(),
            logs,
        },
    }
}

/// `System.Contract.Call` of the running frame.
#[track_caller]
pub(crate) fn call(contract: &Hash160, method: &str, flags: CallFlags, args: Vec<Item>) -> Item {
    if method.starts_with('_') {
        fault(format_args!(
            "invalid method name (starts with '_'): {method}"
        ));
    }
    if natives::is_token(contract) {
        let flags = current::with(CallFlags::READ_ONLY, |state| state.frame().flags.and(flags));
        let frame_flags = natives::flags_of(method, flags);
        return in_frame(contract, None, frame_flags, || {
            natives::token(contract, method, args)
        });
    }
    let (info, flags) = current::with(CallFlags::READ_ONLY, |state| {
        checked(state, contract, method, flags, args.len())
    });
    in_frame(contract, Some(info), flags, || {
        (info.dispatch)(method, args)
    })
}

/// Finds the method and the flags it runs with, or faults as the node does.
#[track_caller]
fn checked(
    state: &State,
    contract: &Hash160,
    method: &str,
    flags: CallFlags,
    arguments: usize,
) -> (ContractInfo, CallFlags) {
    let Some(info) = state.contracts.get(contract).copied() else {
        fault(format_args!("called contract {contract:?} not found"));
    };
    let Some(found) = info.method(method, arguments) else {
        fault(format_args!("method not found: {method}/{arguments}"));
    };
    let caller = state.frame();
    let mut flags = flags.and(caller.flags);
    if found.safe {
        flags = flags.and(CallFlags::READ_ONLY);
    } else if caller.info.is_some_and(|info| !info.may_call_all) {
        fault(format_args!(
            "disallowed method call: {} has no permission to call {method}",
            contract_name(caller)
        ));
    }
    (info, flags)
}

fn contract_name(frame: &Frame) -> &'static str {
    frame.info.map_or("the contract", |info| info.name)
}

/// Calls a method of a contract on behalf of a native one: a callback.
#[track_caller]
pub(crate) fn callback(contract: &Hash160, method: &str, args: Vec<Item>) -> Item {
    let info = current::with(NONE, |state| state.contracts.get(contract).copied());
    let Some(info) = info else {
        fault(format_args!("called contract {contract:?} not found"))
    };
    if info.method(method, args.len()).is_none() {
        fault(format_args!("method not found: {method}/{}", args.len()));
    }
    in_frame(contract, Some(info), CallFlags::ALL, || {
        (info.dispatch)(method, args)
    })
}

/// Runs `code` as `contract` with an evaluation stack of its own.
#[track_caller]
pub(crate) fn in_frame<R: IntoItem>(
    contract: &Hash160,
    info: Option<ContractInfo>,
    flags: CallFlags,
    code: impl FnOnce() -> R,
) -> R {
    current::with(NONE, |state| {
        if state.frames.len() >= MAX_CALL_DEPTH {
            fault(format_args!(
                "invocation stack is too big: {MAX_CALL_DEPTH} calls"
            ));
        }
        state.count_call(contract);
        let caller = state.frame().contract.clone();
        let called_by_entry = state.frames.len() == 1;
        state.frames.push(Frame {
            contract: contract.clone(),
            caller,
            flags,
            called_by_entry,
            info,
        });
    });
    let callers_stack = eval::replace(Vec::new());
    let result = code();
    let left = eval::replace(callers_stack);
    current::with(NONE, |state| drop(state.frames.pop()));
    if !left.is_empty() {
        fault(format_args!(
            "the method left {} items on the evaluation stack",
            left.len()
        ));
    }
    result
}

/// The text of a panic.
fn message_of(payload: &(dyn std::any::Any + Send)) -> String {
    if let Some(message) = payload.downcast_ref::<String>() {
        message.clone()
    } else if let Some(message) = payload.downcast_ref::<&str>() {
        (*message).to_string()
    } else {
        "unknown fault".to_string()
    }
}

thread_local! {
    /// Invocations running on this thread: their panics are faults, not bugs.
    static RUNNING: Cell<usize> = const { Cell::new(0) };
}

/// Runs `code` without the panic hook's report on this thread.
fn silently<R>(code: impl FnOnce() -> R) -> R {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let report = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if RUNNING.with(Cell::get) == 0 {
                report(info);
            }
        }));
    });
    RUNNING.with(|running| running.set(running.get() + 1));
    let result = code();
    RUNNING.with(|running| running.set(running.get() - 1));
    result
}
