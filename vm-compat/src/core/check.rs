//! The checker that the contract runs over every script before it stores it. It accepts what `validate` accepts.

use neo_framework::prelude::*;

use super::ops;

/// Longest script in bytes.
const MAX_BYTES: i64 = 65_515;
/// Most instructions in a script.
const MAX_INSTRUCTIONS: i64 = 1024;
/// A block of stored content in bytes.
const BLOCK_BYTES: i64 = 262_144;
/// In the arity string: no instruction.
const UNKNOWN: i64 = 255;
/// Depth of code that nothing reaches: deeper than any stack.
const UNREACHED: i64 = 1_048_576;

/// Faults, with the reason as message, unless the script can run safely: known instructions, whole operands, jumps
/// only forward and only to instructions, and never too few items on the stack.
pub fn check(script: &Bytes) {
    let len = script.len();
    assert!(len.within(1, MAX_BYTES + 1), "script: empty or too long");
    // Target of a jump -> the least depth with which a jump arrives there.
    let mut pending: Map<Int, Int> = Map::new();
    let arities = ops::ARITY;
    let mut depth = int(0);
    let mut count = int(0);
    let mut pc = int(0);
    while pc < len {
        count += 1;
        assert!(count <= MAX_INSTRUCTIONS, "script: too many instructions");
        if let Some(least) = pending.get(&pc) {
            pending.remove(&pc);
            depth = depth.min(least);
        }
        let op = script.at(pc);
        let arity = arities.at(op);
        assert!(arity != UNKNOWN, "script: unknown instruction");
        let next = next_instruction(script, op, pc, len);
        assert!(next <= len, "script: truncated operand");
        depth -= arity >> 4;
        assert!(depth >= 0, "script: stack underflow");
        depth += arity & 15;
        match op.small() {
            ops::JMP | ops::JMPIFNOT => {
                let offset = script.at(pc + 1);
                assert!(offset.within(1, 128), "script: backward jump");
                let target = pc + offset;
                let least = pending.get(&target).unwrap_or(depth);
                pending.set(target, depth.min(least));
                if op == ops::JMP {
                    depth = int(UNREACHED);
                }
            }
            ops::THROW | ops::RET | ops::OK | ops::FAIL => depth = int(UNREACHED),
            ops::STATE => {
                let state = script.at(pc + 1);
                assert!(state <= ops::STATE_CONTENT, "script: unknown state");
            }
            // What is reached shows that it was there.
            ops::PICK => depth = depth.max(int(2)),
            ops::ROLL => depth = depth.max(int(1)),
            // How many inputs it takes is known when it runs; its result is there.
            ops::CALL => depth = int(1),
            ops::ALLOC => assert!(pc == 0, "script: ALLOC is not the first instruction"),
            _ => {}
        }
        pc = next;
    }
    assert!(
        pending.is_empty(),
        "script: jump into an instruction or past the end"
    );
}

/// Where the instruction after the one at `pc` starts; past the end if its operand is cut.
fn next_instruction(script: &Bytes, op: Int, pc: Int, len: Int) -> Int {
    match op.small() {
        ops::PUSHINT8..=ops::PUSHINT256 => pc + 1 + (int(1) << op),
        ops::PUSHDATA1 => {
            if pc + 2 > len {
                return len + 1;
            }
            pc + 2 + script.at(pc + 1)
        }
        ops::PUSHDATA2 => {
            if pc + 3 > len {
                return len + 1;
            }
            pc + 3 + script.at(pc + 1) + script.at(pc + 2) * 256
        }
        ops::JMP | ops::JMPIFNOT | ops::STATE => pc + 2,
        ops::LINK => pc + 33,
        ops::ELNK => {
            if pc + 2 > len {
                return len + 1;
            }
            let size = script.at(pc + 1);
            assert!(size > 0, "script: empty operand");
            pc + 2 + size
        }
        ops::ALLOC => {
            if pc + 9 > len {
                return len + 1;
            }
            let mut size = int(0);
            let mut at = pc + 9;
            while at > pc + 1 {
                at -= 1;
                size = size * 256 + script.at(at);
            }
            assert!(size > 0, "script: empty operand");
            pc + 9 + (size + BLOCK_BYTES - 1) / BLOCK_BYTES * 32
        }
        _ => pc + 1,
    }
}
