//! Runs scripts: the interpreter does what needs no chain, and stops at what does; that is done here.

use neo_framework::prelude::*;
use neo_framework::{eval, runtime, storage};
use phantasma_vm::core::item::{AUTHOR, author_of, is_author};
use phantasma_vm::core::{Visit, first_word, ops, run, take_result};

use crate::{boxes, content, entries, keys, purse, visit};

/// Runs the script of a stored item; its first items are those above `base`.
pub fn execute(item: &Bytes, base: Int, visit: &mut Visit) -> Any {
    let mut word = first_word(item);
    let mut pc = int(AUTHOR);
    loop {
        let stop = run(item, word, pc, base, visit);
        if stop == 0 {
            return take_result(base);
        }
        pc = eval::pop_int();
        word = eval::pop_int();
        instruct(stop, item, base, visit);
    }
}

/// Does one instruction.
fn instruct(op: Int, item: &Bytes, base: Int, visit: &mut Visit) {
    let this = visit.this;
    match op.small() {
        ops::STATE_MEMBER => eval::push(boxes::has_member(this, &visit.caller)),
        ops::BALANCE => {
            let id = eval::pop_int();
            eval::push(purse::balance_of(id));
        }
        ops::PAY => {
            let amount = eval::pop_int();
            visit::pay(amount, visit);
        }
        ops::TIME => {
            let last = storage::get_int(&keys::paid(this, &visit.caller));
            eval::push(runtime::time() / 1000 - last);
        }
        ops::COUNT => {
            let id = eval::pop_int();
            eval::push(entries::count(id));
        }
        ops::NAME => {
            let id = eval::pop_int();
            eval::push(boxes::name_of(id));
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
            if visit.verb != ops::STATE_INSPECT {
                keep(&kept_key(this, item, &name), &value);
                visit.tally += visit::CHANGE;
            }
        }
        ops::READ => {
            let name = eval::pop_bytes();
            let value = storage::get(&kept_key(this, item, &name));
            eval::push(value.unwrap_or(bytes(b"")));
        }
        ops::INCLUDE | ops::EXCLUDE => {
            let id = eval::pop_int();
            let allowed = is_author(&boxes::load(id), &author_of(item));
            if allowed && visit.verb != ops::STATE_INSPECT {
                boxes::set_member(id, &visit.caller, op == ops::INCLUDE);
                visit.tally += visit::CHANGE;
            }
            eval::push(allowed);
        }
        _ => visit_another(op, item, base, visit),
    }
}

/// Does an instruction that acts on another box.
fn visit_another(op: Int, item: &Bytes, base: Int, by: &mut Visit) {
    let author = author_of(item);
    let id = eval::pop_int();
    match op.small() {
        ops::PUSH | ops::REPLACE | ops::DELETE => {
            let given = if op == ops::DELETE {
                bytes(b"")
            } else {
                eval::pop_bytes()
            };
            let candidate = if op == ops::DELETE {
                bytes(b"")
            } else {
                entries::prepared(&given)
            };
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_WRITE), &candidate);
            let done = if op == ops::PUSH {
                visit::write(&given, &mut visit) >= 0
            } else {
                visit::revise(&given, &mut visit)
            };
            visit::leave(by, &visit, done && visit.verb == ops::STATE_WRITE);
            eval::push(done);
        }
        ops::PULL | ops::INSPECT => {
            let verb = if op == ops::PULL {
                int(ops::STATE_READ)
            } else {
                int(ops::STATE_INSPECT)
            };
            let mut visit = visit::enter_from(by, &author, id, verb, &bytes(b""));
            let answer = visit::ask(&mut visit);
            if answer == visit::REFUSED {
                eval::push(false);
            } else {
                let result = visit::pull(answer, &mut visit);
                if op == ops::PULL {
                    eval::push(result);
                } else {
                    eval::push(visit.left);
                }
            }
            visit::leave(by, &visit, false);
        }
        _ => {
            assert!(id < by.this, "CALL: the box is not older");
            let index = eval::pop_int();
            let inputs = eval::pop_int();
            let depth = eval::depth();
            assert!(
                inputs.within(0, (depth - base).min(int(entries::MAX_INPUTS)) + 1),
                "CALL: wrong number of inputs"
            );
            let mut visit = visit::enter_from(by, &author, id, int(ops::STATE_READ), &bytes(b""));
            let entry = entries::load(id, index);
            let answer = visit::ask(&mut visit);
            if answer == visit::REFUSED {
                drop_items(inputs);
                eval::push(false);
            } else {
                let result = visit::run(&entry, depth - inputs, &mut visit);
                eval::push(result);
            }
            visit::leave(by, &visit, false);
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

/// Where a script of this item keeps a value.
fn kept_key(id: Int, item: &Bytes, name: &Bytes) -> Bytes {
    assert!(name.len() <= keys::MAX_NAME, "script: key is over 38 bytes");
    keys::kept(id, &item.left(AUTHOR), name)
}

fn keep(key: &Bytes, value: &Bytes) {
    if value.is_empty() {
        storage::delete(key);
    } else {
        storage::put(key, value);
    }
}
