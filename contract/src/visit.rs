//! One access to a box: who asks for what, and who pays.
//!
//! A visit runs the box's gate and, unless it writes, a content. An instruction in them that acts on another box makes a
//! visit of its own, as the author of the script that has it.

use neo_framework::prelude::*;
use neo_framework::{eval, runtime, storage};
use phantasma_vm::core::item::is_author;
use phantasma_vm::core::{Visit, ops};

use crate::{boxes, content, entries, keys, params, purse, script, token};

// A visit's tally: scripts that ran inside of others in the lowest bits, changes of the state above. A structure of its
// own, which all visits of a call share, would cost 2048 units; so a visit starts with the tally of the one that it is
// inside of, and gives it back at its end. What a caller's account pays is not counted: nobody looks for it, as a gate
// that refuses the outermost visit faults in any case, and a payment changes no content.

/// One more change of the state.
pub const CHANGE: i64 = 128;
/// Scripts that may run inside of others in one call: they stay below [`CHANGE`].
const MAX_RUNS: i64 = 64;

/// Answers of a gate.
pub const REFUSED: i64 = 0;
/// The gate agrees, and lets a content be taken off.
pub const TAKE: i64 = 2;

const MAX_DEPTH: i64 = 8;

/// A visit from outside, by a caller who pays up to `left`; `by_signer` says that they must have signed the transaction.
pub fn enter(
    caller: &Hash160,
    id: Int,
    verb: Int,
    candidate: &Bytes,
    left: Int,
    by_signer: bool,
) -> Visit {
    if by_signer {
        assert!(runtime::check_witness(caller), "no witness of the caller");
        assert!(left >= 0, "negative maxPayment");
    }
    Visit::from_outside(caller, id, &boxes::load(id), verb, candidate, left)
}

/// A visit by a script of `by`, whose `author` it acts as; the visited box's charges go to the box that the script is in.
/// Its gate is counted as run.
pub fn enter_from(by: &Visit, author: &Hash160, id: Int, verb: Int, candidate: &Bytes) -> Visit {
    assert!(by.depth < MAX_DEPTH, "script: nested too deep");
    Visit {
        // Whatever is done while the cost is asked for, only asks.
        verb: if by.verb == ops::STATE_INSPECT {
            int(ops::STATE_INSPECT)
        } else {
            verb
        },
        this: id,
        entry: by.entry,
        gate: boxes::load(id),
        caller: author.clone(),
        candidate: candidate.clone(),
        payer: by.this,
        left: int(0),
        depth: by.depth + 1,
        tally: one_run_more(by.tally),
    }
}

/// A tally with one more script that ran inside of another.
fn one_run_more(tally: Int) -> Int {
    assert!(tally % CHANGE < MAX_RUNS, "script: too many nested runs");
    tally + 1
}

/// Ends a visit by a script of `by`.
pub fn leave(by: &mut Visit, visit: &Visit, changed: bool) {
    by.tally = if changed {
        visit.tally + CHANGE
    } else {
        visit.tally
    };
}

/// What the gate says: [`REFUSED`], 1 or [`TAKE`]. One that changed something before it refused faults.
pub fn ask(visit: &mut Visit) -> Int {
    let before = visit.tally;
    let item = visit.gate.clone();
    let base = eval::depth();
    let answer = script::execute(&item, base, visit);
    if answer.is_int() && answer.as_int() == TAKE {
        return int(TAKE);
    }
    if answer.as_bool() {
        return int(1);
    }
    assert!(
        same_state(before, visit.tally),
        "the gate refuses what it has changed"
    );
    int(REFUSED)
}

/// Faults unless the gate agrees; then gives its answer.
pub fn pass(visit: &mut Visit) -> Int {
    let answer = ask(visit);
    assert!(answer != REFUSED, "the gate refuses");
    answer
}

/// Writes the candidate behind the gate: its index, or -1 if the gate refuses, from outside a fault. `given` is the
/// script as it came, which may have storage to pay for.
pub fn write(given: &Bytes, visit: &mut Visit) -> Int {
    let answer = ask(visit);
    if answer == REFUSED {
        assert!(visit.depth > 0, "the gate refuses");
        return int(-1);
    }
    if given.at(0) == ops::ALLOC {
        allocate(given, visit);
    }
    let id = visit.this;
    let index = entries::height(id);
    if visit.verb == ops::STATE_WRITE {
        entries::set_height(id, index + 1);
        entries::put(id, index, &visit.caller, &visit.candidate);
    }
    index
}

/// Runs a content of the visited box.
pub fn run(item: &Bytes, base: Int, visit: &mut Visit) -> Any {
    if visit.depth > 0 {
        visit.tally = one_run_more(visit.tally);
    }
    script::execute(item, base, visit)
}

/// Runs a content behind the gate, which has given `answer`; takes it off, if both let it, when it is the latest.
pub fn pull(answer: Int, visit: &mut Visit) -> Any {
    let id = visit.this;
    let index = entries::height(id) - 1;
    let entry = entries::load(id, index);
    let before = visit.tally;
    let base = eval::depth();
    let result = run(&entry, base, visit);
    if visit.verb == ops::STATE_READ
        && (!result.is_bool() || result.as_bool())
        && (answer == TAKE || is_author(&visit.gate, &visit.caller))
    {
        assert_latest(id, index, &entry, same_state(before, visit.tally));
        entries::remove(id, index);
        if visit.depth > 0 {
            visit.tally += CHANGE;
        }
    }
    result
}

/// Puts the candidate in place of the latest content, or removes that when `given` is empty. Allowed to the box's owner
/// and to the content's author, if the gate agrees.
pub fn revise(given: &Bytes, visit: &mut Visit) -> bool {
    let id = visit.this;
    let index = entries::height(id) - 1;
    if index < 0 {
        return not_run(visit);
    }
    let entry = entries::load(id, index);
    if !is_author(&entry, &visit.caller) && !is_author(&visit.gate, &visit.caller) {
        return not_run(visit);
    }
    let before = visit.tally;
    let answer = ask(visit);
    if answer == REFUSED {
        return false;
    }
    if visit.verb == ops::STATE_INSPECT {
        return true;
    }
    assert_latest(id, index, &entry, same_state(before, visit.tally));
    if given.is_empty() {
        entries::remove(id, index);
    } else {
        if given.at(0) == ops::ALLOC {
            allocate(given, visit);
        }
        entries::put(id, index, &visit.caller, &visit.candidate);
    }
    true
}

/// False, when a visit ends before its gate, which `enter_from` has counted, was run.
fn not_run(visit: &mut Visit) -> bool {
    if visit.depth > 0 {
        visit.tally -= 1;
    }
    false
}

/// Whether no script has changed the state between two tallies.
fn same_state(before: Int, after: Int) -> bool {
    before / CHANGE == after / CHANGE
}

/// Faults if a script has changed which content is the latest, so that nothing is removed twice or by mistake.
fn assert_latest(id: Int, index: Int, entry: &Bytes, unchanged: bool) {
    if !unchanged {
        assert!(
            entries::height(id) == index + 1 && entries::load(id, index) == *entry,
            "the content changed meanwhile"
        );
    }
}

/// Moves `amount` from the payer to the box, less the pool's share.
pub fn pay(amount: Int, visit: &mut Visit) {
    if take(amount, visit) {
        let this = visit.this;
        purse::credit(this, amount - amount * params::pool_share() / 100);
        storage::put_int(&keys::paid(this, &visit.caller), runtime::time() / 1000);
    }
}

/// Pays and registers the storage that a written script, which starts with `ALLOC`, asks for.
fn allocate(given: &Bytes, visit: &mut Visit) {
    let size = entries::allocated_size(given);
    let fee = content::fee(size, int(0), int(1), int(12));
    take(fee, visit);
    if visit.verb == ops::STATE_WRITE {
        let root = visit.candidate.slice(1, 32);
        content::register(&visit.caller, &root, size, int(0), int(1), int(12));
    }
}

/// Takes an amount from the payer: false if there was nothing to take, or it was only asked.
fn take(amount: Int, visit: &mut Visit) -> bool {
    assert!(amount >= 0, "PAY: negative amount");
    if visit.verb == ops::STATE_INSPECT {
        visit.left += amount;
        return false;
    }
    if amount == 0 {
        return false;
    }
    if visit.payer == 0 {
        assert!(amount <= visit.left, "PAY: above maxPayment");
        visit.left -= amount;
        token::charge(&visit.caller, amount);
    } else {
        // A box's SOUL is its owner's: a stranger's content in it must not spend it.
        assert!(
            is_author(&boxes::load(visit.payer), &visit.caller),
            "PAY: the box does not belong to the author"
        );
        purse::debit(visit.payer, amount);
        visit.tally += CHANGE;
    }
    true
}
