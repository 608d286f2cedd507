//! Rounds of rewards. One call closes a round, a later one draws its winners and pays: with the nonce of a block that did
//! not exist when the round was closed, and with the account that closed it. So nobody can try, and nobody can choose
//! who calls.

use neo_framework::prelude::*;
use neo_framework::{ledger, runtime, storage};

use crate::{keys, nodes, params, proofs, queue, soul, twister};

/// The answer of `rewardInfo`. Numbers are those of nodes.
#[derive(Clone, Item)]
pub struct RoundRecord {
    /// Rounds that were paid.
    pub rounds: Int,
    /// The next round can be closed from then on, ms since 1970.
    pub next: Int,
    /// Validators that wait for it.
    pub validators: Array<Int>,
    /// Provers that wait for it.
    pub provers: Array<Int>,
    /// What it would share out if it were closed now; of a closed round what it will.
    pub pot: Int,
    /// The block whose nonce draws the closed round's winners, 0 if no round is closed.
    pub draw: Int,
    /// Validators of the closed round.
    pub closed_validators: Array<Int>,
    /// Provers of the closed round.
    pub closed_provers: Array<Int>,
}

/// A round is closed; the block of that index draws its winners.
#[event(name = "RoundClosed")]
pub fn emit_closed(round: Int, invoker: Hash160, pot: Int, draw: Int) {}

/// A round's winners got half of its pot each.
#[event(name = "RewardsPaid")]
pub fn emit_paid(round: Int, validator: Hash160, prover: Hash160, amount: Int) {}

// The clock's bits: rounds 32, time of the last one 48, wait 48, and a 1 on top that keeps its length.
// A closed round: number of 17 bytes (block 32, pot 96, and a 1 on top), then who closed it.
const BITS_32: i64 = 0xFFFF_FFFF;
const BITS_48: i64 = 0xFFFF_FFFF_FFFF;
const NUMBERS: i64 = 17;
const ACCOUNT: i64 = 20;

/// The state at deployment: the first wait starts with it.
pub fn begin(wait: Int) {
    save_clock(int(0), runtime::time(), wait);
}

/// Closes a round if none is closed, and pays it if its block is there; true when it paid.
pub fn obtain(invoker: &Hash160) -> bool {
    assert!(
        runtime::check_witness(invoker),
        "obtainRewards: no witness of the invoker"
    );
    match storage::get(&keys::CLOSED) {
        Some(closed) => pay(&closed),
        None => {
            close(invoker);
            false
        }
    }
}

fn close(invoker: &Hash160) {
    let validators = storage::get_int(&keys::VALIDATORS);
    let provers = storage::get_int(&keys::PROVERS);
    let minimum = params::minimum();
    assert!(
        queue::len(validators) >= minimum && queue::len(provers) >= minimum,
        "obtainRewards: too few validators or provers wait"
    );
    let clock = storage::get_int(&keys::CLOCK);
    assert!(
        runtime::time() >= next(clock),
        "obtainRewards: the wait is not over"
    );
    let pot = pot();
    assert!(pot > 0, "obtainRewards: the pool is empty");
    storage::delete(&keys::VALIDATORS);
    storage::delete(&keys::PROVERS);
    storage::put_int(&keys::CLOSED_VALIDATORS, validators);
    storage::put_int(&keys::CLOSED_PROVERS, provers);
    draw_later(invoker, pot, (clock & BITS_32) + 1);
}

/// The block that holds this call is one above the last, and the next one draws.
fn draw_later(invoker: &Hash160, pot: Int, round: Int) {
    let draw = ledger::current_index() + 2;
    let numbers = draw + (pot << 32) + (int(1) << 128);
    storage::put(
        &keys::CLOSED,
        &numbers.to_bytes().concat(&invoker.as_bytes()),
    );
    emit_closed(round, invoker.clone(), pot, draw);
}

fn pay(closed: &Bytes) -> bool {
    let numbers = closed.left(NUMBERS).to_int();
    let invoker = closed.right(ACCOUNT);
    let draw = numbers & BITS_32;
    let pot = pot_of(numbers);
    let clock = storage::get_int(&keys::CLOCK);
    let round = (clock & BITS_32) + 1;
    let nonce = match proofs::nonce_of(draw) {
        Some(nonce) => nonce,
        None => {
            // Nobody came while the chain still knew the block: another one draws.
            assert!(
                ledger::current_index() > draw,
                "obtainRewards: the winners are not drawn yet"
            );
            draw_later(&Hash160::from_bytes(invoker).unwrap(), pot, round);
            return false;
        }
    };
    let validators = storage::get_int(&keys::CLOSED_VALIDATORS);
    let provers = storage::get_int(&keys::CLOSED_PROVERS);
    let (first, second) = twister::pair(proofs::drawn(nonce, &invoker) & BITS_32, int(0));
    let validator = nodes::account_of(queue::at(validators, first % queue::len(validators)));
    let prover = nodes::account_of(queue::at(provers, second % queue::len(provers)));
    storage::delete(&keys::CLOSED);
    storage::delete(&keys::CLOSED_VALIDATORS);
    storage::delete(&keys::CLOSED_PROVERS);
    let wait = (clock >> 80) & BITS_48;
    let longer = (wait + wait / 8).min(params::wait_cap(params::times()));
    save_clock(round, runtime::time(), longer);
    let half = pot / 2;
    soul::reward(&validator, half);
    soul::reward(&prover, half);
    emit_paid(round, validator, prover, half);
    true
}

/// An even part of the pool.
fn pot() -> Int {
    soul::pool() * params::pot_share() / 200 * 2
}

fn pot_of(numbers: Int) -> Int {
    (numbers >> 32) & ((int(1) << 96) - 1)
}

/// What is known of rounds.
pub fn info() -> RoundRecord {
    let clock = storage::get_int(&keys::CLOCK);
    let mut draw = int(0);
    let mut pot = pot();
    if let Some(closed) = storage::get(&keys::CLOSED) {
        let numbers = closed.left(NUMBERS).to_int();
        draw = numbers & BITS_32;
        pot = pot_of(numbers);
    }
    RoundRecord {
        rounds: clock & BITS_32,
        next: next(clock),
        validators: queue::list(storage::get_int(&keys::VALIDATORS)),
        provers: queue::list(storage::get_int(&keys::PROVERS)),
        pot,
        draw,
        closed_validators: queue::list(storage::get_int(&keys::CLOSED_VALIDATORS)),
        closed_provers: queue::list(storage::get_int(&keys::CLOSED_PROVERS)),
    }
}

fn next(clock: Int) -> Int {
    ((clock >> 32) & BITS_48) + ((clock >> 80) & BITS_48)
}

fn save_clock(rounds: Int, time: Int, wait: Int) {
    let clock = rounds + (time << 32) + (wait << 80) + (int(1) << 128);
    storage::put_int(&keys::CLOCK, clock);
}
