#![allow(clippy::unwrap_used)]

use phantasma_vm::assemble;
use phantasma_vm::debug::{Answer, Command};

use super::*;

/// A chain whose supply belongs to "owner".
pub(crate) fn emulator() -> Emulator {
    let params = DeployParams {
        owner: account("owner").hash,
        initial_supply: 100_000_000_000_000,
        box_fee: 1_0000_0000,
        content_base_fee: 100_0000,
        pool_share: 20,
        max_supply: 10_000_000_000_000_000,
        sale: neo_client::Hash160::ZERO,
        proofs: neo_client::Hash160::ZERO,
    };
    Emulator::new(&params).unwrap()
}

/// The owner makes a box with a gate that asks for the owner.
pub(crate) fn create_box(emulator: &Emulator, name: &str) -> Outcome {
    let owner = account("owner");
    let gate = assemble("STATE own").unwrap();
    let create = [
        owner.hash.into(),
        name.into(),
        owner.public_key.into(),
        ContractParam::bytes(gate),
    ];
    let signers = [Signer::new(owner.hash)];
    emulator.call(&signers, "createBox", &create).unwrap()
}

fn write(caller: Hash160) -> [ContractParam; 4] {
    let content = phantasma_vm::data_script(b"hello").unwrap();
    [
        caller.into(),
        1.into(),
        ContractParam::bytes(content),
        0.into(),
    ]
}

#[test]
fn a_call_is_made_and_its_gate_recorded() {
    let emulator = emulator();
    assert_eq!(create_box(&emulator, "news").result().as_u64().unwrap(), 1);
    let owner = account("owner").hash;
    let written = emulator
        .call(&[Signer::new(owner)], "writeContent", &write(owner))
        .unwrap();
    assert_eq!(written.state, VmState::Halt, "{:?}", written.exception);
    assert_eq!(written.notifications[0].name, "ContentWritten");
    let recording = &written.recording;
    assert_eq!((recording.runs.len(), recording.steps.len()), (1, 1));
    assert_eq!(recording.runs[0].left, Some(vec![Item::Boolean(true)]));
    let mut debugger = written.debugger();
    debugger.apply(&Command::Step);
    assert_eq!(debugger.render(Answer::Place), "end: HALT, result 0");
}

#[test]
fn a_refusal_changes_nothing_and_is_recorded_too() {
    let emulator = emulator();
    create_box(&emulator, "news");
    let before = emulator.chain().storage(&emulator.native);
    let stranger = account("stranger").hash;
    let refused = emulator
        .call(&[Signer::new(stranger)], "writeContent", &write(stranger))
        .unwrap();
    assert_eq!(refused.exception.as_deref(), Some("the gate refuses"));
    assert_eq!(refused.recording.steps.len(), 1);
    assert_eq!(emulator.chain().storage(&emulator.native), before);
}

#[test]
fn calls_of_one_transaction_stay_together() {
    let emulator = emulator();
    create_box(&emulator, "news");
    let owner = account("owner").hash;
    let call = |method: &str, params: &[ContractParam], then| ContractCall {
        contract: emulator.contract(),
        method: method.to_owned(),
        call_flags: flags::ALL,
        params: params.to_vec(),
        then,
    };
    let signers = [Signer::new(owner)];
    let write = call("writeContent", &write(owner), Then::Drop);
    let count = call("contentCount", &[1.into()], Then::Keep);
    let both = [write.clone(), write.clone(), count.clone()];
    let done = emulator.transaction(&signers, &both).unwrap();
    assert_eq!(done.stack, [StackItem::Integer(2.into())]);
    assert_eq!(done.recording.runs.len(), 2);
    // The index of the first content was 0, which is not true.
    let asserted = ContractCall {
        then: Then::Assert,
        ..call("contentCount", &[9.into()], Then::Keep)
    };
    let failed = emulator.transaction(&signers, &[write, asserted]).unwrap();
    assert_eq!(failed.state, VmState::Fault);
    let left = emulator.transaction(&signers, &[count]).unwrap();
    assert_eq!(left.stack, [StackItem::Integer(2.into())]);
    let mut other = call("symbol", &[], Then::Keep);
    other.contract = neo_client::GAS;
    assert!(matches!(
        emulator.transaction(&signers, &[other]),
        Err(EmulatorError::OtherContract { .. })
    ));
}

#[test]
fn a_renamed_account_owns_what_the_other_did() {
    let emulator = emulator();
    create_box(&emulator, "news");
    let (owner, other) = (account("owner").hash, Hash160([9; 20]));
    emulator.rename(&owner, &other);
    let balance = |of: Hash160| {
        let outcome = emulator.call(&[], "balanceOf", &[of.into()]).unwrap();
        outcome.result().as_u64().unwrap()
    };
    assert_eq!(balance(owner), 0);
    assert!(balance(other) > 0);
    let written = emulator
        .call(&[Signer::new(other)], "writeContent", &write(other))
        .unwrap();
    assert_eq!(written.state, VmState::Halt, "{:?}", written.exception);
}

#[test]
fn scopes_are_those_of_the_node() {
    let emulator = emulator();
    create_box(&emulator, "news");
    let owner = account("owner").hash;
    let with = |scopes, allowed: &[Hash160]| {
        let mut signer = Signer::with_scopes(owner, scopes);
        signer.allowed_contracts = allowed.to_vec();
        emulator.call(&[signer], "writeContent", &write(owner))
    };
    let state = |outcome: Result<Outcome, EmulatorError>| outcome.unwrap().state;
    assert_eq!(state(with(Scopes::NONE, &[])), VmState::Fault);
    assert_eq!(state(with(Scopes::GLOBAL, &[])), VmState::Halt);
    let custom = Scopes::CUSTOM_CONTRACTS;
    assert_eq!(state(with(custom, &[Hash160::ZERO])), VmState::Fault);
    assert_eq!(state(with(custom, &[emulator.contract()])), VmState::Halt);
    let groups = with(Scopes::CUSTOM_GROUPS, &[]);
    assert!(matches!(groups, Err(EmulatorError::Scope(_))));
}
