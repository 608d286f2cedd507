//! A small double of the contract around the contract's own interpreter: what a gate does with an access.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, dead_code)]

use std::cell::RefCell;
use std::rc::Rc;

use neo_framework::chain::{Account, Chain, Item};
use neo_framework::{Bytes, Hash160, eval, int};
use phantasma_vm::core::item::AUTHOR;
use phantasma_vm::core::{Visit, first_word, ops, run, take_result};
use phantasma_vm::{AccountBytes, validate};

pub(crate) const THIS: i64 = 7;
pub(crate) const SOUL: u64 = 100_000_000;
pub(crate) const DAY: u64 = 86_400;
pub(crate) const NOW: u64 = 1_800_000_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Write,
    Read,
    Inspect,
}

/// Who asks, when, and what the chain knows of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    pub(crate) verb: Verb,
    pub(crate) owner: bool,
    pub(crate) member: bool,
    pub(crate) caller: AccountBytes,
    pub(crate) time: u64,
    /// Seconds since the last payment.
    pub(crate) paid_ago: u64,
}

/// What an access did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Done {
    pub(crate) paid: Vec<u64>,
    pub(crate) included: bool,
}

pub(crate) fn stranger() -> Facts {
    Facts {
        verb: Verb::Read,
        owner: false,
        member: false,
        caller: account(9),
        time: NOW,
        paid_ago: NOW,
    }
}

pub(crate) fn account(n: u8) -> AccountBytes {
    [n; 20]
}

/// Runs a gate: what was done if it lets in.
pub(crate) fn enter(script: &[u8], facts: &Facts) -> Option<Done> {
    validate(script).unwrap();
    let chain = Chain::new();
    chain.set_time(int(facts.time as i64 * 1000));
    let caller = Hash160::from_bytes(Bytes::from(&facts.caller[..])).unwrap();
    let owner = if facts.owner {
        caller.clone()
    } else {
        Account::named("owner").hash
    };
    let verb = int(match facts.verb {
        Verb::Write => ops::STATE_WRITE,
        Verb::Read => ops::STATE_READ,
        Verb::Inspect => ops::STATE_INSPECT,
    });
    let item = owner.as_bytes().concat(&Bytes::from(script));
    let none = Bytes::from([]);
    let visit = Visit::from_outside(&caller, int(THIS), &item, verb, &none, int(0));
    let done = Rc::new(RefCell::new(Done::default()));
    let outcome = chain.run_as(&[], &Hash160::zero(), || {
        let base = eval::depth();
        let (mut word, mut pc) = (first_word(&item), int(AUTHOR));
        loop {
            let stop = run(&item, word, pc, base, &visit).to_i64().unwrap();
            if stop == 0 {
                break;
            }
            pc = eval::pop_int();
            word = eval::pop_int();
            let mut done = done.borrow_mut();
            match stop {
                ops::STATE_MEMBER => eval::push(facts.member || done.included),
                ops::TIME if done.paid.is_empty() => eval::push(int(facts.paid_ago as i64)),
                ops::TIME => eval::push(int(0)),
                ops::PAY => done.paid.push(eval::pop_int().to_i64().unwrap() as u64),
                ops::INCLUDE => {
                    done.included |= eval::pop_int() == THIS;
                    eval::push(true);
                }
                other => panic!("{other}"),
            }
        }
        take_result(base).as_bool()
    });
    assert!(outcome.is_halt(), "{:?}", outcome.exception);
    let lets_in = outcome.result() == Item::Boolean(true);
    lets_in.then(|| done.take())
}
