//! Bounds of scripts whose cost can be told by looking at them.

#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::collections::BTreeMap;

use phantasma_vm::assemble;
use phantasma_vm::bound::{
    Bound, BoundError, BoxFacts, Boxes, Call, Fees, Lookup, Method, Missing, NoBoxes, PartName,
    Target, call_bound,
};

const OWNER: [u8; 20] = [1; 20];
const STRANGER: [u8; 20] = [2; 20];

/// Boxes with a gate and contents each.
#[derive(Default)]
struct Town(BTreeMap<u64, (&'static str, Vec<&'static str>)>);

impl Boxes for Town {
    fn facts(&self, id: u64) -> Lookup<BoxFacts> {
        match self.0.get(&id) {
            Some((gate, contents)) => Lookup::Found(BoxFacts {
                owner: OWNER,
                gate: assemble(gate).unwrap(),
                contents: contents.len() as u64,
            }),
            None => Lookup::Absent,
        }
    }

    fn content(&self, id: u64, index: u64) -> Lookup<Vec<u8>> {
        let all = self.0.get(&id).map(|(_, contents)| contents);
        let content = all.and_then(|all| all.get(usize::try_from(index).unwrap()));
        content.map_or(Lookup::Absent, |text| {
            Lookup::Found(assemble(text).unwrap())
        })
    }
}

fn reading(gate: &str, content: &str) -> Call {
    Call {
        target: Target {
            id: Some(5),
            owner: Some(OWNER),
            gate: assemble(gate).unwrap(),
            contents: Some(1),
        },
        method: Method::ReadAt {
            content: Some(assemble(content).unwrap()),
        },
        max_payment: 100_000_000_000,
        ..Call::default()
    }
}

fn bound(call: &Call, boxes: &dyn Boxes) -> Bound {
    call_bound(call, &Fees::default(), boxes).unwrap()
}

fn gate_steps(gate: &str) -> u64 {
    let bound = bound(&reading(gate, "PUSH true"), &NoBoxes);
    bound.total.steps - 1
}

#[test]
fn of_two_ways_the_longer_one_counts() {
    assert_eq!(
        gate_steps("STATE member\nJMPIFNOT no\nOK\nno: PUSH 1\nPUSH 2\nADD"),
        5
    );
}

#[test]
fn a_way_that_the_verb_rules_out_does_not_count() {
    assert_eq!(
        gate_steps("STATE write\nJMPIFNOT no\nPUSH 1\nDROP\nOK\nno: OK"),
        3
    );
}

#[test]
fn a_payment_of_a_known_amount_is_known() {
    let paid = "PUSH 5_00000000\nPAY\nOK";
    assert_eq!(bound(&reading(paid, "OK"), &NoBoxes).total.soul, 5_00000000);
    let smaller = "PUSH 9\nCOUNT\nPUSH 7\nMIN\nPAY\nOK";
    assert_eq!(bound(&reading(smaller, "OK"), &NoBoxes).total.soul, 7);
    let twice = "PUSH 5_00000000\nDUP\nPAY\nPAY\nOK";
    assert_eq!(
        bound(&reading(twice, "OK"), &NoBoxes).total.soul,
        10_00000000
    );
}

#[test]
fn max_payment_bounds_what_is_not_known() {
    let call = reading("TIME\nPAY\nOK", "OK");
    assert_eq!(
        bound(&call, &NoBoxes).total.soul,
        u128::from(call.max_payment)
    );
}

#[test]
fn the_owner_does_not_pay_where_only_strangers_do() {
    let gate = "STATE own\nJMPIFNOT pay\nOK\npay: PUSH 3\nPAY\nOK";
    let by = |caller| Call {
        caller: Some(caller),
        ..reading(gate, "OK")
    };
    assert_eq!(bound(&by(OWNER), &NoBoxes).total.soul, 0);
    assert_eq!(bound(&by(STRANGER), &NoBoxes).total.soul, 3);
}

#[test]
fn longer_values_take_more_storage() {
    let bytes = |gate: &str| bound(&reading(gate, "OK"), &NoBoxes).total.bytes;
    let short = bytes("PUSH \"value\"\nPUSH \"key\"\nWRITE\nOK");
    let long = bytes("PUSH \"a longer value\"\nPUSH \"key\"\nWRITE\nOK");
    assert_eq!(long - short, 9);
    assert_eq!(bytes("PUSH \"\"\nPUSH \"key\"\nWRITE\nOK"), 0);
}

#[test]
fn a_known_box_is_walked_into() {
    let mut town = Town::default();
    town.0
        .insert(3, ("PUSH 2\nPAY\nOK", vec!["PUSH 1\nPUSH 2\nADD"]));
    let call = reading("PUSH 0\nPUSH 0\nPUSH 3\nCALL\nDROP\nOK", "OK");
    let found = bound(&call, &town);
    assert!(!found.wide);
    assert_eq!(found.total.nested, 2);
    // Its charges are its visitor's box's.
    assert_eq!((found.total.soul, found.total.box_soul), (0, 2));
    assert_eq!(found.total.steps, 6 + 1 + 3 + 3);
}

#[test]
fn a_box_that_nobody_looked_up_is_asked_for() {
    let found = bound(&reading("PUSH 3\nPULL\nDROP\nOK", "OK"), &NoBoxes);
    assert!(found.wide);
    assert!(found.missing.contains(&Missing::Box(3)));
}

#[test]
fn a_box_that_only_the_run_knows_is_bounded_by_the_contracts_limits() {
    let found = bound(&reading("TIME\nPULL\nDROP\nOK", "OK"), &Town::default());
    assert!(found.wide && found.missing.is_empty());
    assert_eq!(found.total.nested, 64);
    assert!(found.parts.iter().any(|part| part.name == PartName::Limits));
}

#[test]
fn a_content_that_a_script_changes_before_is_not_the_one_that_is_known() {
    let mut town = Town::default();
    town.0.insert(3, ("OK", vec!["PUSH 1"]));
    let once = bound(&reading("PUSH 3\nPULL\nDROP\nOK", "OK"), &town);
    assert!(!once.wide);
    let changed = "PUSHDATA 0x08\nPUSH 3\nPUSH\nDROP\nPUSH 3\nPULL\nDROP\nOK";
    assert!(bound(&reading(changed, "OK"), &town).wide);
}

#[test]
fn boxes_that_act_on_each_other_end_at_the_contracts_depth() {
    let mut town = Town::default();
    town.0
        .insert(3, ("PUSH 3\nINSPECT\nPUSH 3\nINSPECT\nOK", vec!["PUSH 1"]));
    let found = bound(&reading("PUSH 3\nINSPECT\nOK", "OK"), &town);
    assert!(!found.wide);
    assert_eq!(found.total.nested, 64);
}

#[test]
fn the_dearest_way_names_its_turns() {
    let gate = "STATE member\nJMPIFNOT pay\nOK\npay: PUSH 3\nPAY\nOK";
    let way = bound(&reading(gate, "OK"), &NoBoxes).gate_way;
    assert_eq!(way.turns.len(), 1);
    assert!(way.turns[0].jumps);
}

#[test]
fn fees_are_what_the_node_says() {
    let call = reading("OK", "OK");
    let cheap = Fees {
        unit_pico: 10_000,
        byte_datoshi: 1,
    };
    let found = call_bound(&call, &cheap, &NoBoxes).unwrap().total;
    assert_eq!(found.gas_datoshi(), u128::from(found.units + found.bytes));
}

#[test]
fn a_script_that_the_contract_refuses_has_no_bound() {
    let call = Call {
        target: Target {
            gate: vec![0xFF, 0xFF],
            ..Target::default()
        },
        ..Call::default()
    };
    let found = call_bound(&call, &Fees::default(), &NoBoxes);
    assert!(matches!(found, Err(BoundError::Gate(_))));
}

#[test]
fn any_valid_script_has_a_bound() {
    // As many branches as fit: the ways are 2^340, the walk is one.
    let branch = [0xEA, 8, 0x26, 2];
    let mut gate: Vec<u8> = std::iter::repeat_n(branch, 500).flatten().collect();
    gate.push(0x08);
    let call = Call {
        target: Target {
            gate,
            ..Target::default()
        },
        ..Call::default()
    };
    assert_eq!(bound(&call, &NoBoxes).total.steps, 1001);
}
