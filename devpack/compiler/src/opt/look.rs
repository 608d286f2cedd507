//! What passes ask about instructions.

use neo_opcode::Op;
use num_bigint::BigInt;

use crate::ir::Ins;

/// Whether control never goes on to the next instruction.
pub(super) fn ends(ins: &Ins) -> bool {
    matches!(
        ins,
        Ins::Jump(Op::JMP, _) | Ins::Op(Op::RET | Op::ABORT | Op::ABORTMSG | Op::THROW)
    )
}

/// Whether it is this number.
pub(super) fn is_int(ins: &Ins, n: i64) -> bool {
    matches!(ins, Ins::Int(x) if *x == BigInt::from(n))
}

/// Whether it only pushes.
pub(super) fn pushes(ins: &Ins) -> bool {
    matches!(
        ins,
        Ins::Int(_)
            | Ins::Data(_)
            | Ins::LdLoc(_)
            | Ins::LdArg(_)
            | Ins::Op(Op::PUSHT | Op::PUSHF | Op::PUSHNULL)
    )
}

/// The position of the next instruction or label from `at` on.
pub(super) fn next(ins: &[Ins], at: usize) -> Option<usize> {
    (at..ins.len()).find(|n| !ins[*n].is_mark())
}

/// About how many bytes the instructions take.
pub(super) fn size(ins: &[Ins]) -> usize {
    ins.iter().map(crate::emit::size).sum()
}
