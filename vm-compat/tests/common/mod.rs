//! Scripts to test with.
#![allow(dead_code, clippy::unwrap_used)]

use neo_framework::chain::{Chain, Outcome};
use neo_framework::{Bytes, Hash160, int};
use phantasma_vm::core::{Visit, check, ops, run_alone};
use phantasma_vm::{BLOCK_BYTES, Flow, ID_BYTES, Instr, Operand, STATES, TABLE, validate};
use proptest::prelude::*;

/// Runs a script as the contract does, with something of the contract's own below it on the stack.
pub(crate) fn run_script(script: &[u8]) -> Outcome {
    let chain = Chain::new();
    let (owner, caller) = (chain.account("owner").hash, chain.account("caller").hash);
    let item = owner.as_bytes().concat(&Bytes::from(script));
    let (read, none) = (int(ops::STATE_READ), Bytes::from([]));
    let mut visit = Visit::from_outside(&caller, int(7), &item, read, &none, int(0));
    visit.entry = int(5);
    chain.run_as(&[], &Hash160::zero(), || run_alone(&item, &visit))
}

/// Whether the contract's own checker accepts a script.
pub(crate) fn checked_by_contract(script: &[u8]) -> bool {
    let script = Bytes::from(script);
    let outcome = Chain::new().run_as(&[], &Hash160::zero(), || check(&script));
    if let Some(message) = &outcome.exception {
        assert!(message.starts_with("script: "), "{message}");
    }
    outcome.is_halt()
}

/// Any instruction with any operand; jumps may go anywhere.
pub(crate) fn instruction() -> impl Strategy<Value = Vec<u8>> {
    prop::sample::select(TABLE).prop_flat_map(encoded)
}

fn encoded(row: Instr) -> BoxedStrategy<Vec<u8>> {
    let with = move |operand: Vec<u8>| [vec![row.byte], operand].concat();
    match row.operand {
        Operand::None => Just(vec![row.byte]).boxed(),
        Operand::Int(size) => prop::collection::vec(any::<u8>(), size)
            .prop_map(with)
            .boxed(),
        Operand::Data(size) => prop::collection::vec(any::<u8>(), 0..5)
            .prop_map(move |data| with([&data.len().to_le_bytes()[..size], &data].concat()))
            .boxed(),
        Operand::Offset => (0..12u8).prop_map(move |offset| with(vec![offset])).boxed(),
        Operand::Id => prop::collection::vec(any::<u8>(), ID_BYTES)
            .prop_map(with)
            .boxed(),
        Operand::Locator => prop::collection::vec(any::<u8>(), 1..5)
            .prop_map(move |data| with([&[data.len() as u8][..], &data].concat()))
            .boxed(),
        Operand::Blocks => (1..3 * BLOCK_BYTES, prop::collection::vec(any::<u8>(), 96))
            .prop_map(move |(size, ids)| {
                let ids = &ids[..32 * size.div_ceil(BLOCK_BYTES) as usize];
                with([&size.to_le_bytes()[..], ids].concat())
            })
            .boxed(),
        Operand::State => prop::sample::select(STATES)
            .prop_map(move |state| with(vec![state.0]))
            .boxed(),
    }
}

/// Valid scripts: random instructions of which those are kept that leave the script valid.
pub(crate) fn scripts() -> impl Strategy<Value = Vec<u8>> {
    let push = prop::sample::select(
        TABLE
            .iter()
            .filter(|r| r.pops == 0 && r.flow == Flow::Next)
            .copied()
            .collect::<Vec<_>>(),
    )
    .prop_flat_map(encoded);
    let one = prop_oneof![1 => push, 1 => instruction()];
    prop::collection::vec(one, 1..40).prop_map(|parts| {
        let mut script = vec![0x11];
        for part in parts {
            let mut longer = [script.clone(), part].concat();
            // A jump that is still open is pointed at the instruction after its successor, or left out.
            if validate(&longer).is_err() {
                longer.extend([0x11, 0x11]);
            }
            if validate(&longer).is_ok() {
                script = longer;
            }
        }
        script
    })
}
