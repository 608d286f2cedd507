//! Short byte strings that are only read as bytes are pushed as the numbers whose bytes they are: `PUSH1` in place of
//! `PUSHDATA1 0x01`, 1 unit in place of 8.

use neo_opcode::{Op, Syscall};
use num_bigint::BigInt;

use super::effect::Calls;
use super::look::size;
use super::reads::{Use, reads};
use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code, calls: &Calls) -> bool {
    let mut changed = false;
    for at in 0..code.ins.len() {
        if let Some(number) = number(&code.ins[at])
            && reads(code, calls, at + 1, true, &bytes)
        {
            code.ins[at] = number;
            changed = true;
        }
    }
    changed
}

/// The number that NeoVM writes with the same bytes, if it is pushed by fewer or as many.
fn number(ins: &Ins) -> Option<Ins> {
    let Ins::Data(data) = ins else { return None };
    let number = BigInt::from_signed_bytes_le(data);
    // Zero has no bytes.
    let same = !data.is_empty() && number.to_signed_bytes_le() == **data && **data != [0];
    let new = Ins::Int(number);
    let shorter = size(std::slice::from_ref(&new)) <= size(std::slice::from_ref(ins));
    (same && shorter && data.len() <= 8).then_some(new)
}

/// What reads an item as bytes, whether it is an Integer or a ByteString.
fn bytes(ins: &Ins, _: Option<&Ins>, _: u32) -> Use {
    match ins {
        Ins::Op(Op::CAT | Op::SIZE) => Use::Same,
        Ins::With(Op::SYSCALL, id) => {
            let call = id.as_slice().try_into().ok().and_then(Syscall::by_id);
            match call.map(|call| call.name) {
                Some(
                    "System.Storage.Local.Get"
                    | "System.Storage.Local.Put"
                    | "System.Storage.Local.Delete"
                    | "System.Storage.Local.Find",
                ) => Use::Same,
                _ => Use::Other,
            }
        }
        _ => Use::Other,
    }
}
