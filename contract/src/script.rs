//! Runs scripts: the interpreter does what needs no chain, and stops at what does; that is done here.

use neo_framework::prelude::*;
use neo_framework::{eval, runtime, storage};
use phantasma_vm::core::{first_word, ops, run, take_result};

use crate::visit::{self, Tally, Visit};
use crate::{boxes, content, entries, keys, purse};

/// Scripts that may run inside of others in one call.
const MAX_RUNS: i64 = 64;

/// Runs a script. `source` is the stored item that it came from; its first 20 bytes are the script's author.
pub fn execute(script: &Bytes, source: &Bytes, visit: &mut Visit, tally: &mut Tally) -> Any {
    let base = eval::depth();
    execute_on(script, source, base, visit, tally)
}

/// Runs a script whose first items are those above `base`.
pub fn execute_on(
    script: &Bytes,
    source: &Bytes,
    base: Int,
    visit: &mut Visit,
    tally: &mut Tally,
) -> Any {
    if visit.depth > 0 {
        tally.runs += 1;
        assert!(tally.runs <= MAX_RUNS, "script: too many nested runs");
    }
    #[cfg(not(neo))]
    phantasma_vm::trace::begins(&entries::author_of(source));
    let mut word = first_word(script);
    let mut pc = int(0);
    loop {
        let stop = run(script, word, pc, base, &visit.context);
        if stop == 0 {
            return take_result(base);
        }
        pc = eval::pop_int();
        word = eval::pop_int();
        instruct(stop, source, base, visit, tally);
    }
}

/// Does one instruction.
fn instruct(op: Int, source: &Bytes, base: Int, visit: &mut Visit, tally: &mut Tally) {
    let this = visit.context.this;
    match op.small() {
        ops::STATE_MEMBER => eval::push(boxes::has_member(this, &visit.context.caller)),
        ops::STATE_CONTENT => eval::push(visit.candidate.clone()),
        ops::BALANCE => {
            let id = eval::pop_int();
            eval::push(purse::balance_of(id));
        }
        ops::PAY => {
            let amount = eval::pop_int();
            visit::pay(amount, visit, tally);
        }
        ops::TIME => {
            let last = storage::get_int(&keys::paid(this, &visit.context.caller));
            eval::push(runtime::time() / 1000 - last);
        }
        ops::COUNT => {
            let id = eval::pop_int();
            eval::push(entries::count(id));
        }
        ops::NAME => {
            let id = eval::pop_int();
            eval::push(boxes::name_of(&boxes::load(id)));
        }
        ops::FIND => {
            let name = eval::pop_bytes();
            eval::push(boxes::find(&Text::from_bytes(name)));
        }
        ops::CSIZE => {
            let root = eval::pop_bytes();
            eval::push(content::size_of(&root));
        }
        ops::WRITE => {
            let name = eval::pop_bytes();
            let value = eval::pop_bytes();
            if visit.context.verb != ops::STATE_INSPECT {
                keep(&kept_key(this, source, &name), &value);
                tally.changes += 1;
            }
        }
        ops::READ => {
            let name = eval::pop_bytes();
            let value = storage::get(&kept_key(this, source, &name));
            eval::push(value.unwrap_or(bytes(b"")));
        }
        ops::INCLUDE | ops::EXCLUDE => {
            let id = eval::pop_int();
            let allowed = entries::author_of(source) == boxes::owner_of(&boxes::load(id));
            if allowed && visit.context.verb != ops::STATE_INSPECT {
                boxes::set_member(id, &visit.context.caller, op == ops::INCLUDE);
                tally.changes += 1;
            }
            eval::push(allowed);
        }
        _ => visit_another(op, source, base, visit, tally),
    }
}

/// Does an instruction that acts on another box.
fn visit_another(op: Int, source: &Bytes, base: Int, by: &mut Visit, tally: &mut Tally) {
    let author = entries::author_of(source);
    let id = eval::pop_int();
    match op.small() {
        ops::PUSH | ops::REPLACE => {
            let given = eval::pop_bytes();
            let candidate = entries::prepared(&given);
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_WRITE), &candidate);
            if op == ops::PUSH {
                let index = visit::write(&given, &mut visit, tally);
                eval::push(index >= 0);
            } else {
                let done = visit::revise(&given, &mut visit, tally);
                eval::push(done);
            }
        }
        ops::DELETE => {
            let none = bytes(b"");
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_WRITE), &none);
            let done = visit::revise(&none, &mut visit, tally);
            eval::push(done);
        }
        ops::PULL => {
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_READ), &bytes(b""));
            let answer = visit::ask(&mut visit, tally);
            if answer == visit::REFUSED {
                eval::push(false);
            } else {
                let result = visit::pull(answer, &mut visit, tally);
                eval::push(result);
            }
        }
        ops::INSPECT => {
            let mut visit =
                visit::enter_from(by, &author, id, int(ops::STATE_INSPECT), &bytes(b""));
            let answer = visit::ask(&mut visit, tally);
            if answer == visit::REFUSED {
                eval::push(false);
            } else {
                visit::pull(answer, &mut visit, tally);
                eval::push(visit.asked);
            }
        }
        _ => {
            assert!(id < by.context.this, "CALL: the box is not older");
            let index = eval::pop_int();
            let inputs = eval::pop_int();
            let depth = eval::depth();
            assert!(
                inputs.within(0, (depth - base).min(int(entries::MAX_INPUTS)) + 1),
                "CALL: wrong number of inputs"
            );
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_READ), &bytes(b""));
            let entry = entries::load(id, index);
            let answer = visit::ask(&mut visit, tally);
            let script = entries::script_of(&entry);
            if answer == visit::REFUSED {
                drop_items(inputs);
                eval::push(false);
            } else {
                let result = execute_on(&script, &entry, depth - inputs, &mut visit, tally);
                eval::push(result);
            }
        }
    }
}

/// Drops the top items of the stack.
fn drop_items(count: Int) {
    let mut left = count;
    while left > 0 {
        eval::drop();
        left -= 1;
    }
}

/// Where a script of this source keeps a value.
fn kept_key(id: Int, source: &Bytes, name: &Bytes) -> Bytes {
    assert!(name.len() <= keys::MAX_NAME, "script: key is over 38 bytes");
    keys::kept(id, &entries::author_of(source), name)
}

fn keep(key: &Bytes, value: &Bytes) {
    if value.is_empty() {
        storage::delete(key);
    } else {
        storage::put(key, value);
    }
}
