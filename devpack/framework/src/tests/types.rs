//! Bytes, Array, Map, Any, iterators.

use proptest::prelude::*;

use crate::chain::{Chain, Outcome};
use crate::convert::IntoItem;
use crate::item::Item;
use crate::prelude::*;

/// Runs contract code by itself.
fn run<R: IntoItem>(code: impl FnOnce() -> R) -> Outcome {
    Chain::new().run_as(&[], &Hash160::zero(), code)
}

#[track_caller]
fn refused<R: IntoItem>(code: impl FnOnce() -> R) {
    let outcome = run(code);
    assert!(!outcome.is_halt(), "{outcome:?}");
}

#[test]
fn bytes_are_cut_and_joined_within_their_length() {
    let value = bytes(b"abcd");
    assert_eq!(value.slice(1, 2), bytes(b"bc"));
    assert_eq!(value.left(0), bytes(b""));
    assert_eq!(value.right(3), bytes(b"bcd"));
    assert_eq!(value.concat(&bytes(b"e")).len(), int(5));
    assert_eq!(bytes(b"\xff").at(0), int(255));
    refused(|| bytes(b"abcd").slice(3, 2));
    refused(|| bytes(b"abcd").right(5));
    refused(|| bytes(b"abcd").at(-1));
    refused(|| Bytes::from(vec![0; 131_070]).concat(&bytes(b"x")));
    refused(|| Bytes::from(vec![0; 33]).to_int());
}

#[test]
fn hashes_have_their_length_and_keys_their_prefix() {
    assert!(Hash160::from_bytes(Bytes::from([1; 20])).is_some());
    assert!(Hash160::from_bytes(Bytes::from([1; 21])).is_none());
    assert!(PublicKey::from_bytes(Bytes::from([2; 33])).is_some());
    assert!(PublicKey::from_bytes(Bytes::from([4; 33])).is_none());
    assert_eq!(hash160(&[0; 20]), Hash160::zero());
}

#[test]
fn an_array_faults_out_of_range() {
    let mut list = array![int(1), int(2)];
    list.push(int(3));
    list.remove(0);
    list.set(0, int(9));
    assert_eq!(
        (list.len(), list.get(0), list.get(1)),
        (int(2), int(9), int(3))
    );
    assert_eq!(list.pop(), int(3));
    refused(|| array![int(1)].get(1));
    refused(|| array![int(1)].remove(-1));
    refused(|| Array::<Int>::new().pop());
    refused(|| {
        let mut list = Array::new();
        while list.len() < 2049 {
            list.push(true);
        }
    });
}

#[test]
fn a_clone_of_an_array_is_a_copy_all_the_way_down() {
    let outer = array![array![int(1)]];
    let copy = outer.clone();
    let mut inner = copy.get(0);
    inner.push(int(2));
    assert_eq!((copy.get(0).len(), outer.get(0).len()), (int(1), int(1)));
    // What is taken out is the thing itself, and the clone had one of its own.
    let mut outer = outer;
    outer.pop().push(int(3));
    assert_eq!((copy.len(), outer.len()), (int(1), int(0)));
}

#[test]
fn an_any_shares_its_array() {
    let any = array![int(1)].into_any();
    let mut list = any.as_array();
    list.push(Any::from(2));
    assert_eq!(any.as_array().len(), int(2));
}

#[test]
fn the_type_of_a_key_is_part_of_it() {
    let mut map: Map<Bytes, Int> = Map::new();
    map.set(bytes(b"\x01"), int(5));
    assert_eq!(map.get(&bytes(b"\x01")), Some(int(5)));
    assert_eq!(map.get(&int(1).to_bytes()), Some(int(5)));
    refused(|| Map::<Bytes, Int>::new().has(&Bytes::from(vec![0; 65])));
}

#[test]
fn an_iterator_has_a_value_only_on_an_entry() {
    let iterator = Iterator::over(vec![Item::integer(4)]);
    let early = iterator.clone();
    refused(move || early.value());
    assert!(iterator.next());
    assert_eq!(iterator.value().as_int(), int(4));
    assert!(!iterator.next());
    assert!(!iterator.next());
    refused(move || iterator.value());
}

#[test]
fn numbers_and_digits_convert() {
    assert_eq!(std_lib::itoa(-12), text("-12"));
    assert_eq!(std_lib::atoi(&std_lib::itoa(Int::MIN)), Int::MIN);
    assert_eq!(std_lib::atoi(&text("+7")), int(7));
    refused(|| std_lib::atoi(&text("")));
    refused(|| std_lib::atoi(&text("1x")));
    refused(|| std_lib::atoi(&std_lib::itoa(Int::MAX).concat(&text("0"))));
}

#[test]
fn base64_has_padding() {
    assert_eq!(std_lib::base64_encode(&bytes(b"abcd")), text("YWJjZA=="));
    assert_eq!(std_lib::base64_decode(&text("YWJjZA==")), bytes(b"abcd"));
    refused(|| std_lib::base64_decode(&text("YWJjZA")));
    refused(|| std_lib::base64_decode(&text("YW=jZA==")));
}

proptest! {
    #[test]
    fn base64_comes_back(data in prop::collection::vec(any::<u8>(), 0..300)) {
        let data = Bytes::from(data);
        prop_assert_eq!(std_lib::base64_decode(&std_lib::base64_encode(&data)), data);
    }

    /// Against a plain list of entries, in which replacing keeps the place.
    #[test]
    fn a_map_keeps_the_order_of_insertion(steps in prop::collection::vec((0i64..8, prop::option::of(any::<i64>())), 0..40)) {
        let mut map: Map<Int, Int> = Map::new();
        let mut model: Vec<(i64, i64)> = Vec::new();
        for (key, value) in steps {
            let place = model.iter().position(|(present, _)| *present == key);
            match (value, place) {
                (Some(value), Some(place)) => model[place].1 = value,
                (Some(value), None) => model.push((key, value)),
                (None, Some(place)) => drop(model.remove(place)),
                (None, None) => {}
            }
            match value {
                Some(value) => map.set(int(key), int(value)),
                None => map.remove(&int(key)),
            }
        }
        prop_assert_eq!(map.len(), int(model.len() as i64));
        for (at, (key, value)) in model.iter().enumerate() {
            prop_assert_eq!(map.keys().get(at as i64), int(*key));
            prop_assert_eq!(map.values().get(at as i64), int(*value));
            prop_assert_eq!(map.get(&int(*key)), Some(int(*value)));
        }
    }
}
