//! The checker that the contract runs over every script before it stores it. It accepts what `validate` accepts.

use neo_framework::prelude::*;

use super::ops;

/// Longest script in bytes.
const MAX_BYTES: i64 = 65_515;
/// Most instructions in a script.
const MAX_INSTRUCTIONS: i64 = 1024;
/// A block of stored content in bytes.
const BLOCK_BYTES: i64 = 262_144;
/// The byte that the arity string does not have.
const LAST: i64 = 255;
/// In the arity string: no instruction.
const UNKNOWN: i64 = 255;
/// Depth of code that nothing reaches: deeper than any stack.
const UNREACHED: i64 = 1_048_576;

/// Faults, with the reason as message, unless the script can run safely: known instructions, whole operands, jumps
/// only forward and only to instructions, and never too few items on the stack.
pub fn check(script: &Bytes) {
    let len = script.len();
    assert!(len.within(1, MAX_BYTES + 1), "script: empty or too long");
    let arities = ops::ARITY;
    // Target of a jump -> the least depth with which a jump arrives there.
    let mut pending: Map<Int, Int> = Map::new();
    let mut depth = int(0);
    let mut count = int(0);
    let mut pc = int(0);
    // Conditions that hold are tested with `if`: it is a quarter of the price of `assert!`, and this runs for every
    // instruction that is written.
    while pc < len {
        count += 1;
        if !pending.is_empty() && pending.has(&pc) {
            depth = depth.min(pending.get(&pc).unwrap_or(depth));
            pending.remove(&pc);
        }
        let op = script.at(pc);
        let arity = if op == LAST {
            int(ops::ARITY_LAST)
        } else {
            arities.at(op)
        };
        if arity == UNKNOWN {
            panic!("script: unknown instruction");
        }
        depth -= arity >> 4;
        if depth < 0 {
            panic!("script: stack underflow");
        }
        depth += arity & 15;
        let mut next = pc + 1;
        match op.small() {
            ops::PUSHINT8..=ops::PUSHINT256 => next += int(1) << op,
            ops::PUSHDATA1 | ops::ELNK => {
                if next >= len {
                    truncated();
                }
                let size = script.at(next);
                if size == 0 && op == ops::ELNK {
                    empty();
                }
                next += size + 1;
            }
            ops::PUSHDATA2 => {
                if next + 1 >= len {
                    truncated();
                }
                next += script.at(next) + script.at(next + 1) * 256 + 2;
            }
            ops::JMP | ops::JMPIFNOT => {
                if next >= len {
                    truncated();
                }
                let offset = script.at(next);
                assert!(offset.within(1, 128), "script: backward jump");
                let target = pc + offset;
                let least = pending.get(&target).unwrap_or(depth);
                pending.set(target, depth.min(least));
                if op == ops::JMP {
                    depth = int(UNREACHED);
                }
                next += 1;
            }
            ops::THROW | ops::RET | ops::OK | ops::FAIL => depth = int(UNREACHED),
            ops::STATE => {
                if next >= len {
                    truncated();
                }
                let state = script.at(next);
                assert!(state <= ops::STATE_CONTENT, "script: unknown state");
                next += 1;
            }
            // What is reached shows that it was there.
            ops::PICK => depth = depth.max(int(2)),
            ops::ROLL => depth = depth.max(int(1)),
            // How many inputs it takes is known when it runs; its result is there.
            ops::CALL => depth = int(1),
            ops::LINK => next += 32,
            ops::ALLOC => {
                assert!(pc == 0, "script: ALLOC is not the first instruction");
                next = after_alloc(script, len);
            }
            _ => {}
        }
        pc = next;
    }
    if pc > len {
        truncated();
    }
    assert!(count <= MAX_INSTRUCTIONS, "script: too many instructions");
    assert!(
        pending.is_empty(),
        "script: jump into an instruction or past the end"
    );
}

/// Where the instruction after an `ALLOC` at byte 0 starts; past the end if its ids are cut.
fn after_alloc(script: &Bytes, len: Int) -> Int {
    if len < 9 {
        truncated();
    }
    let mut size = int(0);
    let mut at = int(9);
    while at > 1 {
        at -= 1;
        size = size * 256 + script.at(at);
    }
    if size == 0 {
        empty();
    }
    (size + BLOCK_BYTES - 1) / BLOCK_BYTES * 32 + 9
}

fn truncated() {
    panic!("script: truncated operand");
}

fn empty() {
    panic!("script: empty operand");
}
