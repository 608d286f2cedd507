//! One access to a box: who asks for what, and who pays.
//!
//! A visit runs the box's gate and, unless it writes, a content. An instruction in them that acts on another box makes a
//! visit of its own, as the author of the script that has it.

use neo_framework::prelude::*;
use neo_framework::{runtime, storage};
use phantasma_vm::core::{Context, ops};

use crate::{boxes, content, entries, keys, params, purse, script, token};

/// One access to a box.
pub struct Visit {
    /// What the scripts can know; `context.record` is the whole stored box.
    pub context: Context,
    /// The script that is being written, empty when none is.
    pub candidate: Bytes,
    /// The box that pays, 0 for the caller's account.
    pub payer: Int,
    /// The most that the caller's account still pays.
    pub left: Int,
    /// What would have been paid, when the verb is inspect.
    pub asked: Int,
    /// How many visits this one is inside of.
    pub depth: Int,
}

/// What all visits of one call share.
pub struct Tally {
    /// Scripts that ran inside of others.
    pub runs: Int,
    /// Changes of the state.
    pub changes: Int,
}

/// Answers of a gate.
pub const REFUSED: i64 = 0;
/// The gate agrees, and lets a content be taken off.
pub const TAKE: i64 = 2;

const MAX_DEPTH: i64 = 8;

/// A visit from outside, by a caller who has agreed to pay up to `left`.
pub fn enter(caller: &Hash160, id: Int, verb: Int, candidate: &Bytes, left: Int) -> Visit {
    Visit {
        context: Context {
            verb,
            this: id,
            entry: id,
            record: boxes::load(id),
            caller: caller.clone(),
        },
        candidate: candidate.clone(),
        payer: int(0),
        left,
        asked: int(0),
        depth: int(0),
    }
}

/// A visit by a script of `by`, whose `author` it acts as; the visited box's charges go to the box that the script is in.
pub fn enter_from(by: &Visit, author: &Hash160, id: Int, verb: Int, candidate: &Bytes) -> Visit {
    assert!(by.depth < MAX_DEPTH, "script: nested too deep");
    // Whatever is done while the cost is asked for, only asks.
    let verb = if by.context.verb == ops::STATE_INSPECT {
        int(ops::STATE_INSPECT)
    } else {
        verb
    };
    Visit {
        context: Context {
            verb,
            this: id,
            entry: by.context.entry,
            record: boxes::load(id),
            caller: author.clone(),
        },
        candidate: candidate.clone(),
        payer: by.context.this,
        left: int(0),
        asked: int(0),
        depth: by.depth + 1,
    }
}

/// Who asks must have signed, and bounds what is charged.
pub fn authorize(caller: &Hash160, max_payment: Int) {
    assert!(runtime::check_witness(caller), "no witness of the caller");
    assert!(max_payment >= 0, "negative maxPayment");
}

/// A new call's tally.
pub fn tally() -> Tally {
    Tally {
        runs: int(0),
        changes: int(0),
    }
}

/// What the gate says: [`REFUSED`], 1 or [`TAKE`]. One that changed something before it refused faults.
pub fn ask(visit: &mut Visit, tally: &mut Tally) -> Int {
    let changes = tally.changes;
    let record = visit.context.record.clone();
    let answer = script::execute(&boxes::gate_of(&record), &record, visit, tally);
    if answer.is_int() && answer.as_int() == TAKE {
        return int(TAKE);
    }
    if answer.as_bool() {
        return int(1);
    }
    assert!(
        tally.changes == changes,
        "the gate refuses what it has changed"
    );
    int(REFUSED)
}

/// Faults unless the gate agrees; then gives its answer.
pub fn pass(visit: &mut Visit, tally: &mut Tally) -> Int {
    let answer = ask(visit, tally);
    assert!(answer != REFUSED, "the gate refuses");
    answer
}

/// Writes the candidate behind the gate: its index, or -1 if the gate refuses. `given` is the script as it came, which
/// may have storage to pay for.
pub fn write(given: &Bytes, visit: &mut Visit, tally: &mut Tally) -> Int {
    let answer = ask(visit, tally);
    if answer == REFUSED {
        return int(-1);
    }
    allocate(given, visit, tally);
    let id = visit.context.this;
    let index = entries::height(id);
    if visit.context.verb == ops::STATE_WRITE {
        if visit.depth > 0 {
            tally.changes += 1;
        }
        entries::set_height(id, index + 1);
        entries::put(id, index, &visit.context.caller, &visit.candidate);
    }
    index
}

/// Runs a content behind the gate, which has given `answer`; takes it off, if both let it, when it is the latest.
pub fn pull(answer: Int, visit: &mut Visit, tally: &mut Tally) -> Any {
    let id = visit.context.this;
    let index = entries::height(id) - 1;
    let entry = entries::load(id, index);
    let changes = tally.changes;
    let result = script::execute(&entries::script_of(&entry), &entry, visit, tally);
    if visit.context.verb == ops::STATE_READ
        && (!result.is_bool() || result.as_bool())
        && (answer == TAKE || visit.context.caller == boxes::owner_of(&visit.context.record))
    {
        assert_latest(id, index, &entry, tally.changes == changes);
        entries::remove(id, index);
        tally.changes += 1;
    }
    result
}

/// Puts the candidate in place of the latest content, or removes that when `given` is empty. Allowed to the box's owner
/// and to the content's author, if the gate agrees.
pub fn revise(given: &Bytes, visit: &mut Visit, tally: &mut Tally) -> bool {
    let id = visit.context.this;
    let index = entries::height(id) - 1;
    if index < 0 {
        return false;
    }
    let entry = entries::load(id, index);
    if visit.context.caller != entries::author_of(&entry)
        && visit.context.caller != boxes::owner_of(&visit.context.record)
    {
        return false;
    }
    let changes = tally.changes;
    let answer = ask(visit, tally);
    if answer == REFUSED {
        return false;
    }
    if visit.context.verb == ops::STATE_INSPECT {
        return true;
    }
    assert_latest(id, index, &entry, tally.changes == changes);
    if given.is_empty() {
        entries::remove(id, index);
    } else {
        allocate(given, visit, tally);
        entries::put(id, index, &visit.context.caller, &visit.candidate);
    }
    tally.changes += 1;
    true
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
pub fn pay(amount: Int, visit: &mut Visit, tally: &mut Tally) {
    if take(amount, visit, tally) {
        let this = visit.context.this;
        purse::credit(this, amount - amount * params::pool_share() / 100);
        storage::put_int(
            &keys::paid(this, &visit.context.caller),
            runtime::time() / 1000,
        );
    }
}

/// Pays and registers the storage that a written script asks for with `ALLOC`.
fn allocate(given: &Bytes, visit: &mut Visit, tally: &mut Tally) {
    if given.at(0) != ops::ALLOC {
        return;
    }
    let size = entries::allocated_size(given);
    let fee = content::fee(size, int(0), int(1), int(12));
    take(fee, visit, tally);
    if visit.context.verb == ops::STATE_WRITE {
        let root = visit.candidate.slice(1, 32);
        content::register(&visit.context.caller, &root, size, int(0), int(1), int(12));
        tally.changes += 1;
    }
}

/// Takes an amount from the payer: false if there was nothing to take, or it was only asked.
fn take(amount: Int, visit: &mut Visit, tally: &mut Tally) -> bool {
    assert!(amount >= 0, "PAY: negative amount");
    if visit.context.verb == ops::STATE_INSPECT {
        visit.asked += amount;
        return false;
    }
    if amount == 0 {
        return false;
    }
    if visit.payer == 0 {
        assert!(amount <= visit.left, "PAY: above maxPayment");
        visit.left -= amount;
        token::charge(&visit.context.caller, amount);
    } else {
        // A box's SOUL is its owner's: a stranger's content in it must not spend it.
        assert!(
            boxes::owner_of(&boxes::load(visit.payer)) == visit.context.caller,
            "PAY: the box does not belong to the author"
        );
        purse::debit(visit.payer, amount);
    }
    tally.changes += 1;
    true
}
