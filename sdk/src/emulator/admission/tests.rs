#![allow(clippy::unwrap_used, clippy::panic)]

use neo_client::{ContractParam, Signer, VmState};
use phantasma_vm::{Gate, assemble, data_script};

use super::super::tests::emulator;
use super::super::{Emulator, account};
use super::*;

/// A box of "owner" with a gate, on a chain where "guest" has SOUL.
fn boxed(gate: Vec<u8>) -> Emulator {
    let emulator = emulator();
    let owner = account("owner");
    let create = [
        owner.hash.into(),
        "letters".into(),
        owner.public_key.into(),
        ContractParam::bytes(gate),
    ];
    done(&emulator, "owner", "createBox", &create);
    let guest = account("guest").hash;
    let transfer = [
        owner.hash.into(),
        guest.into(),
        100_0000_0000_u64.into(),
        ContractParam::Any,
    ];
    done(&emulator, "owner", "transfer", &transfer);
    emulator
}

fn done(emulator: &Emulator, who: &str, method: &str, params: &[ContractParam]) {
    let signer = Signer::new(account(who).hash);
    let outcome = emulator.call(&[signer], method, params).unwrap();
    assert_eq!(outcome.state, VmState::Halt, "{:?}", outcome.exception);
}

/// What the box says, with each entry that is asked for taken from the whole chain; and how many were.
fn asked(emulator: &Emulator, who: &str, content: &[u8]) -> (Admission, usize) {
    let write = Write {
        contract: emulator.contract(),
        network: emulator.chain().network(),
        box_id: 1,
        author: account(who).hash,
        content,
        time_ms: emulator.chain().time().to_i64().unwrap() as u64,
    };
    let all = emulator.chain().storage(&emulator.native);
    let mut facts = Facts::default();
    loop {
        match admission(&facts, &write) {
            Asked::Answer(answer) => return (answer, facts.len()),
            Asked::Missing(missing) => {
                for key in missing {
                    let value = all.get(&key).cloned();
                    facts.know(key, value);
                }
            }
        }
    }
}

fn says(emulator: &Emulator, who: &str) -> Admission {
    asked(emulator, who, b"hello").0
}

fn write_paid(emulator: &Emulator, who: &str, price: u64) {
    let content = data_script(b"paid").unwrap();
    let params = [
        account(who).hash.into(),
        1.into(),
        ContractParam::bytes(content),
        price.into(),
    ];
    done(emulator, who, "writeContent", &params);
}

fn refused(reason: &str) -> Admission {
    Admission::Refused {
        reason: reason.to_owned(),
    }
}

#[test]
fn a_list_lets_in_who_is_on_it_and_needs_no_more_than_the_gate() {
    let guest = account("guest").hash.0;
    let emulator = boxed(Gate::allow_list(vec![guest]).script().unwrap());
    assert_eq!(asked(&emulator, "guest", b"hello"), (Admission::Free, 1));
    assert_eq!(says(&emulator, "stranger"), refused("the gate refuses"));
    assert_eq!(says(&emulator, "owner"), Admission::Free);
}

#[test]
fn a_price_is_told_and_each_write_costs_it() {
    let emulator = boxed(Gate::priced_write(3_0000_0000).script().unwrap());
    let price = Admission::Priced {
        price: 3_0000_0000,
        lasting: false,
    };
    assert_eq!(says(&emulator, "guest"), price);
    // Who has no SOUL is told the same.
    assert_eq!(says(&emulator, "stranger"), price);
    write_paid(&emulator, "guest", 3_0000_0000);
    assert_eq!(says(&emulator, "guest"), price);
    assert_eq!(says(&emulator, "owner"), Admission::Free);
}

#[test]
fn who_has_paid_once_writes_for_nothing() {
    let emulator = boxed(Gate::pay_once(5_0000_0000).script().unwrap());
    let price = Admission::Priced {
        price: 5_0000_0000,
        lasting: true,
    };
    assert_eq!(says(&emulator, "guest"), price);
    write_paid(&emulator, "guest", 5_0000_0000);
    assert_eq!(says(&emulator, "guest"), Admission::Free);
    assert_eq!(says(&emulator, "stranger"), price);
}

#[test]
fn a_subscription_ends() {
    let emulator = boxed(Gate::subscription(2_0000_0000, 3600).script().unwrap());
    let price = Admission::Priced {
        price: 2_0000_0000,
        lasting: true,
    };
    assert_eq!(says(&emulator, "guest"), price);
    write_paid(&emulator, "guest", 2_0000_0000);
    assert_eq!(says(&emulator, "guest"), Admission::Free);
    emulator.chain().advance(3_601_000);
    assert_eq!(says(&emulator, "guest"), price);
}

#[test]
fn a_gate_that_faults_refuses_with_the_words_of_the_fault() {
    let emulator = boxed(assemble("PUSH 1\nTHROW").unwrap());
    let Admission::Refused { reason } = says(&emulator, "owner") else {
        panic!("should be refused");
    };
    assert!(reason.contains("thrown"), "{reason}");
}

#[test]
fn a_gate_may_judge_the_content_and_other_boxes() {
    // At most 10 bytes of script, and not more than one content in this box.
    let gate = "STATE content\nSIZE\nPUSH 10\nLE\nSTATE this\nCOUNT\nPUSH 1\nLE\nBOOLAND";
    let emulator = boxed(assemble(gate).unwrap());
    assert_eq!(says(&emulator, "owner"), Admission::Free);
    let long = asked(&emulator, "owner", b"much longer than that").0;
    assert_eq!(long, refused("the gate refuses"));
    write_paid(&emulator, "owner", 0);
    write_paid(&emulator, "owner", 0);
    assert_eq!(says(&emulator, "owner"), refused("the gate refuses"));
}

#[test]
fn a_box_that_is_not_there_says_so() {
    let emulator = emulator();
    assert_eq!(says(&emulator, "owner"), refused("no such box"));
}

#[test]
fn answers_hold_as_long_as_what_the_gate_looks_at() {
    let hold = |gate: Vec<u8>| {
        let mut facts = Facts::default();
        facts.know(box_key(7), Some([&[0; 20], &gate[..]].concat()));
        facts.hold(7)
    };
    let ready = |gate: Gate| hold(gate.script().unwrap());
    assert_eq!(ready(Gate::Free), Holds::ForAll);
    assert_eq!(ready(Gate::members()), Holds::ForAuthor);
    assert_eq!(ready(Gate::pay_once(5)), Holds::ForAuthor);
    assert_eq!(ready(Gate::priced_write(5)), Holds::ForAuthor);
    assert_eq!(ready(Gate::subscription(5, 60)), Holds::Now);
    assert_eq!(ready(Gate::time_window(5, 60)), Holds::Now);
    assert_eq!(hold(assemble("STATE content\nSIZE").unwrap()), Holds::Now);
    assert_eq!(hold(assemble("PUSH 3\nCOUNT").unwrap()), Holds::Now);
}

#[test]
fn a_price_is_told_with_how_to_pay_it() {
    let priced = |price, lasting| Admission::Priced { price, lasting }.to_string();
    let once = priced(2_5000_0000, true);
    assert!(once.contains("2.5 SOUL") && once.contains("maxPayment 250000000"));
    assert!(once.contains("after which messages pass"), "{once}");
    assert!(priced(10_0000_0000, false).contains("10 SOUL for each content"));
}

#[test]
fn facts_know_their_size() {
    let mut facts = Facts::default();
    facts.know(vec![1, 2], Some(vec![0; 10]));
    facts.know(vec![1], None);
    assert_eq!((facts.len(), facts.bytes()), (2, 13));
    facts.know(vec![1, 2], Some(vec![0; 4]));
    assert_eq!((facts.len(), facts.bytes()), (2, 7));
}
