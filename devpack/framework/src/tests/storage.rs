//! Storage: limits, iteration, rollback.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::chain::{Chain, Outcome};
use crate::convert::IntoItem;
use crate::item::Item;
use crate::prelude::*;
use crate::storage;

const CONTRACT: Hash160 = hash160(&[7; 20]);

fn run<R: IntoItem>(chain: &Chain, code: impl FnOnce() -> R) -> Outcome {
    chain.run_as(&[], &CONTRACT, code)
}

#[test]
fn keys_and_values_have_limits() {
    let chain = Chain::new();
    let put = |key: usize, value: usize| {
        run(&chain, || {
            storage::put(&Bytes::from(vec![1; key]), &Bytes::from(vec![2; value]))
        })
        .is_halt()
    };
    assert!(put(64, 65_535));
    assert!(!put(65, 1));
    assert!(!put(1, 65_536));
    assert!(put(0, 0));
}

#[test]
fn a_number_is_stored_in_its_minimal_bytes() {
    let chain = Chain::new();
    run(&chain, || {
        storage::put_int(&bytes(b"a"), 0);
        storage::put_int(&bytes(b"b"), 200);
        assert!(storage::get_int(&bytes(b"b")) == 200 && storage::get_int(&bytes(b"none")) == 0);
    })
    .result();
    let expected: BTreeMap<Vec<u8>, Vec<u8>> =
        [(b"a".to_vec(), vec![]), (b"b".to_vec(), vec![200, 0])]
            .into_iter()
            .collect();
    assert_eq!(chain.storage(&CONTRACT), expected);
}

fn find(chain: &Chain, prefix: &[u8], options: i64) -> Vec<Item> {
    let outcome = run(chain, || storage::find(&Bytes::from(prefix), options));
    match outcome.result() {
        Item::Iterator(iterator) => iterator.rest(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn find_goes_through_the_prefix_in_byte_order() {
    let chain = Chain::new();
    for (key, value) in [
        (b"a\xff", b"3"),
        (b"a\x01", b"1"),
        (b"a\x02", b"2"),
        (b"b\x00", b"4"),
    ] {
        chain.set_storage(&CONTRACT, key, Some(value));
    }
    let pair =
        |key: &[u8], value: &[u8]| Item::structure(vec![Item::bytes(key), Item::bytes(value)]);
    let all = [
        pair(b"a\x01", b"1"),
        pair(b"a\x02", b"2"),
        pair(b"a\xff", b"3"),
    ];
    assert_eq!(find(&chain, b"a", storage::NONE), all);
    let keys = [b"\x01", b"\x02", b"\xff"].map(|key| Item::bytes(key));
    assert_eq!(
        find(&chain, b"a", storage::KEYS_ONLY | storage::REMOVE_PREFIX),
        keys
    );
    let backwards = [b"3", b"2", b"1"].map(|value| Item::bytes(value));
    assert_eq!(
        find(&chain, b"a", storage::VALUES_ONLY | storage::BACKWARDS),
        backwards
    );
    assert_eq!(find(&chain, b"c", storage::NONE), []);
}

#[test]
fn find_reads_fields_of_serialized_values() {
    let chain = Chain::new();
    run(&chain, || {
        let record = array![Any::from(5), Any::from(text("x"))].into_any();
        storage::put(&bytes(b"k"), &std_lib::serialize(&record));
    })
    .result();
    let options = storage::VALUES_ONLY | storage::DESERIALIZE_VALUES | storage::PICK_FIELD1;
    assert_eq!(find(&chain, b"k", options), [Item::text("x")]);
}

#[test]
fn find_refuses_options_that_contradict_each_other() {
    let chain = Chain::new();
    for options in [
        storage::KEYS_ONLY | storage::VALUES_ONLY,
        storage::VALUES_ONLY | storage::REMOVE_PREFIX,
        storage::PICK_FIELD0,
        storage::DESERIALIZE_VALUES | storage::PICK_FIELD0 | storage::PICK_FIELD1,
        64,
        -1,
    ] {
        assert!(
            !run(&chain, || storage::find(&bytes(b""), options)).is_halt(),
            "{options}"
        );
    }
}

#[test]
fn an_iterator_does_not_see_later_writes() {
    let chain = Chain::new();
    chain.set_storage(&CONTRACT, b"a", Some(b"1"));
    let seen = run(&chain, || {
        let entries = storage::find(&bytes(b""), storage::KEYS_ONLY);
        storage::put(&bytes(b"b"), &bytes(b"2"));
        let mut count = int(0);
        while entries.next() {
            count += 1;
        }
        count
    });
    assert_eq!(seen.result(), Item::integer(1));
}

/// A transaction of writes and deletes, which may fault at its end.
#[derive(Clone, Debug)]
struct Transaction {
    steps: Vec<(u8, Option<u8>)>,
    ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Ending {
    Return,
    Fault,
    TestRun,
}

fn transactions() -> impl Strategy<Value = Vec<Transaction>> {
    let steps = prop::collection::vec((0u8..6, prop::option::of(any::<u8>())), 0..10);
    let ending = prop_oneof![
        Just(Ending::Return),
        Just(Ending::Fault),
        Just(Ending::TestRun)
    ];
    prop::collection::vec(
        (steps, ending).prop_map(|(steps, ending)| Transaction { steps, ending }),
        0..12,
    )
}

proptest! {
    #[test]
    fn a_fault_leaves_no_trace(transactions in transactions()) {
        let chain = Chain::new();
        let hash = chain.deploy(&[], writer::CONTRACT, Item::Null).hash;
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for Transaction { steps, ending } in transactions {
            let mut after = model.clone();
            let mut script = Vec::new();
            for (key, value) in steps {
                let value = match value {
                    Some(value) => {
                        after.insert(vec![key], vec![value]);
                        Item::bytes(&[value])
                    }
                    None => {
                        after.remove(&vec![key]);
                        Item::Null
                    }
                };
                script.push(Item::structure(vec![Item::bytes(&[key]), value]));
            }
            let args = vec![Item::array(script), Item::Boolean(ending == Ending::Fault)];
            let outcome = match ending {
                Ending::TestRun => chain.test_invoke(&[], &hash, "write", args),
                Ending::Return | Ending::Fault => chain.invoke(&[], &hash, "write", args),
            };
            prop_assert_eq!(outcome.is_halt(), ending != Ending::Fault);
            prop_assert_eq!(outcome.events.is_empty(), ending == Ending::Fault);
            if ending == Ending::Return {
                model = after;
            }
            prop_assert_eq!(&chain.storage(&hash), &model);
        }
    }
}

#[neo_framework::contract(name = "Writer")]
mod writer {
    use crate::prelude::*;

    #[event]
    fn wrote(count: Int) {}

    #[method]
    pub fn write(steps: Array<Any>, fails: bool) {
        let mut at = int(0);
        while at < steps.len() {
            let step = steps.get(at).as_array();
            let key = step.get(0).as_bytes();
            if step.get(1).is_null() {
                storage::delete(&key);
            } else {
                storage::put(&key, &step.get(1).as_bytes());
            }
            at += 1;
        }
        wrote(at);
        assert!(!fails, "as asked");
    }
}
