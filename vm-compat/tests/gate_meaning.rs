//! Random gates: their scripts do, and their English means, what the gate is defined to be.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "common/door.rs"]
mod door;

use std::rc::Rc;

use door::*;
use phantasma_vm::*;
use proptest::prelude::*;

/// What the gate means, from its definition. What charges is asked last, and only one way in is taken.
fn meaning(gate: &Gate, facts: &Facts) -> Option<Done> {
    let free = |open: bool| open.then(Done::default);
    let charge = |price: u64, included: bool| {
        Some(Done {
            paid: vec![price],
            included,
        })
    };
    match gate {
        Gate::Free => free(true),
        Gate::Nobody => None,
        Gate::Owner => free(facts.owner),
        Gate::Members => free(facts.member),
        Gate::Accounts(list) => free(list.contains(&facts.caller)),
        Gate::Writing => free(facts.verb == Verb::Write),
        Gate::Reading => free(facts.verb != Verb::Write),
        Gate::From(t) => free(facts.time >= *t),
        Gate::Until(t) => free(facts.time < *t),
        Gate::Between(a, b) => free(*a <= facts.time && facts.time < *b),
        Gate::Pay(price) => charge(*price, false),
        Gate::PayOnce(_) if facts.member => free(true),
        Gate::PayOnce(price) => charge(*price, true),
        Gate::Subscription { period, .. } if facts.paid_ago < *period => free(true),
        Gate::Subscription { price, .. } => charge(*price, false),
        Gate::Not(inner) => free(meaning(inner, facts).is_none()),
        Gate::All(parts) => parts.iter().try_fold(Done::default(), |mut all, part| {
            let one = meaning(part, facts)?;
            all.paid.extend(one.paid);
            all.included |= one.included;
            Some(all)
        }),
        Gate::Any(parts) => {
            let ways = parts.iter().flat_map(ways_in);
            let (dear, cheap): (Vec<_>, Vec<_>) = ways.partition(|g| g.charges());
            cheap
                .into_iter()
                .chain(dear)
                .find_map(|part| meaning(part, facts))
        }
    }
}

/// A list in a list is one list, also behind conditions that are always true.
fn ways_in(gate: &Gate) -> Vec<&Gate> {
    match gate {
        Gate::Any(parts) => parts.iter().flat_map(ways_in).collect(),
        Gate::All(parts) => {
            let open: Vec<_> = parts.iter().filter(|g| constant(g) != Some(true)).collect();
            match open.as_slice() {
                [only] => ways_in(only),
                _ => vec![gate],
            }
        }
        _ => vec![gate],
    }
}

fn constant(gate: &Gate) -> Option<bool> {
    let decides = |parts: &[Gate], by: bool| {
        let all: Vec<_> = parts.iter().map(constant).collect();
        let known = all.iter().all(Option::is_some).then_some(!by);
        if all.contains(&Some(by)) {
            Some(by)
        } else {
            known
        }
    };
    match gate {
        Gate::Free => Some(true),
        Gate::Nobody => Some(false),
        Gate::Accounts(list) if list.is_empty() => Some(false),
        Gate::Not(inner) => constant(inner).map(|value| !value),
        Gate::All(parts) => decides(parts, false),
        Gate::Any(parts) => decides(parts, true),
        _ => None,
    }
}

#[test]
fn far_alternatives_are_reached_over_jumps_in_between() {
    let list = |from: u8| Gate::Accounts((from..from + 12).map(account).collect());
    let gate = Gate::Any(vec![
        list(20)
            & Gate::Writing
            & Gate::Any(vec![list(20) & Gate::Reading & Gate::Pay(1), Gate::Pay(2)]),
        Gate::Reading & Gate::Any(vec![list(40) & Gate::Pay(3), list(60) & Gate::Pay(4)]),
        Gate::Pay(5),
    ]);
    let script = gate.script().unwrap();
    assert!(script.len() > 1000);
    for caller in [21, 45, 70, 99] {
        for verb in [Verb::Read, Verb::Write] {
            let facts = Facts {
                caller: account(caller),
                verb,
                ..stranger()
            };
            assert_eq!(enter(&script, &facts), meaning(&gate, &facts), "{facts:?}");
        }
    }
}

fn facts() -> impl Strategy<Value = Facts> {
    let verb = prop::sample::select(vec![Verb::Write, Verb::Read, Verb::Inspect]);
    let time = prop_oneof![Just(NOW - 1), Just(NOW), Just(NOW + 1), Just(NOW + DAY)];
    let paid_ago = prop_oneof![Just(0), Just(DAY - 1), Just(DAY), Just(NOW)];
    (verb, any::<bool>(), any::<bool>(), 1..5u8, time, paid_ago).prop_map(
        |(verb, owner, member, caller, time, paid_ago)| Facts {
            verb,
            owner,
            member,
            caller: account(caller),
            time,
            paid_ago,
        },
    )
}

fn gates() -> impl Strategy<Value = Gate> {
    let price = prop_oneof![
        Just(0),
        Just(1),
        Just(16),
        Just(17),
        Just(5 * SOUL),
        Just(i64::MAX as u64)
    ];
    let moment = prop_oneof![Just(NOW), Just(NOW + 1), Just(0), Just(1 << 40)];
    let leaf = prop_oneof![
        1 => Just(Gate::Free),
        1 => Just(Gate::Nobody),
        4 => Just(Gate::Owner),
        3 => Just(Gate::Members),
        3 => Just(Gate::Reading),
        3 => Just(Gate::Writing),
        2 => prop::collection::vec((1..5u8).prop_map(account), 0..4).prop_map(Gate::Accounts),
        2 => moment.clone().prop_map(Gate::From),
        2 => moment.clone().prop_map(Gate::Until),
        1 => (moment, 1..DAY).prop_map(|(a, b)| Gate::Between(a, a + b)),
        3 => price.clone().prop_map(Gate::Pay),
        2 => price.clone().prop_map(Gate::PayOnce),
        2 => price.prop_map(|price| Gate::Subscription { price, period: DAY }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            2 => inner.clone().prop_map(|g| !g),
            4 => prop::collection::vec(inner.clone(), 0..4).prop_map(Gate::All),
            4 => prop::collection::vec(inner, 0..4).prop_map(Gate::Any),
        ]
    })
}

/// What the explained list says of an access.
fn told(explanation: &Explanation, facts: &Facts) -> Option<Done> {
    let answer = |value: &Rc<Value>| truth_of(value, facts);
    let effects = match &explanation.told {
        Told::Ways(ways) => {
            let verb = facts.verb as usize;
            let fits = |way: &&Way| {
                way.conditions
                    .iter()
                    .all(|(c, wanted)| answer(c) == *wanted)
            };
            let way = ways.iter().find(fits)?;
            assert!(way.verbs[verb], "{facts:?} {explanation}");
            way.effects.clone()
        }
        Told::Paths(paths) => {
            let fits = |path: &&Path| {
                path.conditions
                    .iter()
                    .all(|(c, wanted)| answer(c) == *wanted)
            };
            let taken: Vec<_> = paths.iter().filter(fits).collect();
            let [path] = taken.as_slice() else {
                panic!("{} ways fit", taken.len())
            };
            let Outcome::Gives(result) = &path.outcome else {
                return None;
            };
            if !answer(result) {
                return None;
            }
            path.effects.clone()
        }
        Told::Lines(_) => panic!("told line by line"),
    };
    let mut done = Done::default();
    for effect in effects {
        match effect.op {
            0xED => done
                .paid
                .push(u64::try_from(number_of(&effect.operands[0], facts)).unwrap()),
            0xF8 => done.included = true,
            other => panic!("{other:x}"),
        }
    }
    Some(done)
}

fn truth_of(value: &Rc<Value>, facts: &Facts) -> bool {
    match &**value {
        Value::Op(0x97, operands, _) => {
            assert_eq!(*operands[0], Value::State(9, 0));
            *operands[1] == Value::Bytes(facts.caller.to_vec())
        }
        Value::Op(0xF8, ..) => true,
        _ => number_of(value, facts) != 0,
    }
}

fn number_of(value: &Rc<Value>, facts: &Facts) -> i128 {
    let of = |at: usize, operands: &Vec<Rc<Value>>| number_of(&operands[at], facts);
    match &**value {
        Value::Bool(b) => i128::from(*b),
        Value::Int(bytes) => i128::from_le_bytes(bytes[..16].try_into().unwrap()),
        Value::State(0, _) => i128::from(facts.verb == Verb::Write),
        Value::State(3, _) => i128::from(facts.owner),
        Value::State(6, _) => i128::from(facts.time),
        Value::State(8, 0) => i128::from(facts.member),
        Value::Op(0xEE, _, 0) => i128::from(facts.paid_ago),
        Value::Op(0x97, ..) => i128::from(truth_of(value, facts)),
        Value::Op(0xAA, o, _) => i128::from(of(0, o) == 0),
        Value::Op(0xAB, o, _) => i128::from(of(0, o) != 0 && of(1, o) != 0),
        Value::Op(0xAC, o, _) => i128::from(of(0, o) != 0 || of(1, o) != 0),
        Value::Op(0xB5, o, _) => i128::from(of(0, o) < of(1, o)),
        Value::Op(0xB6, o, _) => i128::from(of(0, o) <= of(1, o)),
        Value::Op(0xB7, o, _) => i128::from(of(0, o) > of(1, o)),
        Value::Op(0xB8, o, _) => i128::from(of(0, o) >= of(1, o)),
        Value::Op(0xBB, o, _) => i128::from(of(1, o) <= of(0, o) && of(0, o) < of(2, o)),
        other => panic!("{other:?}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn gates_mean_what_they_say(gate in gates(), all in prop::collection::vec(facts(), 12)) {
        let script = match gate.script() {
            Ok(script) => script,
            Err(GateError::NegatedCharge | GateError::TwoCharges) => return Ok(()),
            Err(error) => panic!("{error}"),
        };
        let explanation = explain_gate(&script).unwrap();
        prop_assert!(!explanation.can_fail, "{}", explanation);
        for facts in all {
            let expected = meaning(&gate, &facts);
            prop_assert_eq!(&enter(&script, &facts), &expected, "{:?} {}", facts, disassemble(&script).unwrap());
            prop_assert_eq!(&told(&explanation, &facts), &expected, "{:?} {}", facts, explanation);
        }
    }
}
