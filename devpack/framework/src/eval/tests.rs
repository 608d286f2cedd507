#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;

use super::*;
use crate::bytes::bytes;
use crate::chain::{Chain, VmState};
use crate::hash::Hash160;

/// Runs opcodes on a stack; the whole stack after, or the fault.
fn run(before: &[Item], code: impl FnOnce()) -> Result<Vec<Item>, String> {
    let chain = Chain::new();
    let outcome = chain.run_as(&[], &Hash160::zero(), || {
        before.iter().for_each(|item| push_item(item.clone()));
        code();
        Item::array(take_all())
    });
    match (outcome.state, outcome.exception) {
        (VmState::Halt, _) => match &outcome.stack[0] {
            Item::Array(cells) => Ok(cells.borrow().clone()),
            other => panic!("{other:?}"),
        },
        (VmState::Fault, message) => Err(message.unwrap()),
    }
}

#[track_caller]
fn check(before: &[Item], code: impl FnOnce(), after: &[Item]) {
    assert_eq!(run(before, code).as_deref(), Ok(after));
}

#[track_caller]
fn refused(before: &[Item], code: impl FnOnce()) {
    let result = run(before, code);
    assert!(result.is_err(), "{result:?}");
}

fn n(value: i64) -> Item {
    Item::integer(value)
}

#[test]
fn arithmetic_takes_every_form_of_a_number() {
    check(&[n(2), Item::bytes(b"\x03")], add, &[n(5)]);
    check(&[Item::Boolean(true), n(2)], sub, &[n(-1)]);
    check(&[Item::bytes(b""), n(7)], add, &[n(7)]);
    check(&[n(-7), n(2)], modulo, &[n(-1)]);
    refused(&[Item::Null, n(1)], add);
    refused(&[Item::buffer(vec![1]), n(1)], add);
    refused(&[Item::bytes(&[1; 33]), n(1)], add);
    refused(&[n(1), n(0)], div);
    refused(&[n(1)], add);
}

#[test]
fn comparing_with_null_is_false_but_counting_it_is_a_fault() {
    check(&[Item::Null, n(1)], lt, &[Item::Boolean(false)]);
    check(&[n(1), Item::Null], ge, &[Item::Boolean(false)]);
    refused(&[Item::Null, n(1)], numequal);
}

#[test]
fn equal_is_by_type_and_value() {
    let same = |a: Item, b: Item, expected| check(&[a, b], equal, &[Item::Boolean(expected)]);
    same(n(1), n(1), true);
    same(n(1), Item::Boolean(true), false);
    same(n(1), Item::bytes(b"\x01"), false);
    same(Item::Null, Item::Null, true);
    same(Item::bytes(b"ab"), Item::bytes(b"ab"), true);
    same(Item::buffer(vec![1]), Item::buffer(vec![1]), false);
    same(Item::array(vec![]), Item::array(vec![]), false);
    let array = Item::array(vec![]);
    same(array.clone(), array, true);
    let nested = || Item::structure(vec![n(1), Item::structure(vec![Item::bytes(b"x")])]);
    same(nested(), nested(), true);
    same(nested(), Item::structure(vec![n(1)]), false);
    same(Item::bytes(&[7; 65_536]), Item::bytes(&[7; 65_536]), true);
    refused(&[Item::bytes(&[7; 65_537]), n(1)], equal);
}

#[test]
fn parts_of_bytes_are_buffers() {
    check(
        &[Item::bytes(b"ab"), n(0x63)],
        cat,
        &[Item::buffer(b"abc".to_vec())],
    );
    check(
        &[Item::bytes(b"abcd"), n(1), n(2)],
        substr,
        &[Item::buffer(b"bc".to_vec())],
    );
    check(
        &[Item::bytes(b"abcd"), n(1)],
        left,
        &[Item::buffer(b"a".to_vec())],
    );
    check(
        &[Item::bytes(b"abcd"), n(3)],
        right,
        &[Item::buffer(b"bcd".to_vec())],
    );
    check(
        &[Item::bytes(b"abcd"), n(4), n(0)],
        substr,
        &[Item::buffer(vec![])],
    );
    refused(&[Item::bytes(b"abcd"), n(3), n(2)], substr);
    refused(&[Item::bytes(b"abcd"), n(-1)], left);
    refused(&[Item::bytes(b"abcd"), n(5)], right);
    refused(&[Item::bytes(&[0; 131_070]), Item::bytes(b"x")], cat);
}

#[test]
fn truth_values_follow_the_table() {
    let truth = |item: Item, expected: bool| check(&[item], not, &[Item::Boolean(!expected)]);
    truth(Item::Null, false);
    truth(Item::bytes(b"\0\0"), false);
    truth(Item::bytes(b"\0\x01"), true);
    truth(Item::buffer(vec![]), true);
    truth(Item::array(vec![]), true);
    refused(&[Item::bytes(&[1; 33])], not);
}

#[test]
fn conversions_follow_the_table() {
    check(&[Item::Null], convert_int, &[Item::Null]);
    check(&[Item::buffer(vec![5])], convert_int, &[n(5)]);
    check(&[n(300)], convert_bytes, &[Item::bytes(b"\x2c\x01")]);
    check(
        &[Item::Boolean(false)],
        convert_bytes,
        &[Item::bytes(b"\0")],
    );
    check(
        &[Item::array(vec![n(1)])],
        convert_struct,
        &[Item::structure(vec![n(1)])],
    );
    check(&[Item::map(vec![])], convert_bool, &[Item::Boolean(true)]);
    refused(&[Item::array(vec![])], convert_bytes);
    refused(&[Item::buffer(vec![0; 33])], convert_int);
    refused(&[Item::map(vec![])], convert_array);
}

#[test]
fn items_move_as_their_opcodes_say() {
    let abc = [n(1), n(2), n(3)];
    check(&abc, rot, &[n(2), n(3), n(1)]);
    check(&abc, reverse3, &[n(3), n(2), n(1)]);
    check(&abc, tuck, &[n(1), n(3), n(2), n(3)]);
    check(&abc, nip, &[n(1), n(3)]);
    check(&abc, over, &[n(1), n(2), n(3), n(2)]);
    check(&abc, swap, &[n(1), n(3), n(2)]);
    check(&[n(1), n(2), n(3), n(2)], pick, &[n(1), n(2), n(3), n(1)]);
    check(&[n(1), n(2), n(3), n(2)], roll, &[n(2), n(3), n(1)]);
    check(&[n(1), n(2), n(3), n(1)], xdrop, &[n(1), n(3)]);
    check(&[n(1), n(2), n(3), n(2)], reversen, &[n(1), n(3), n(2)]);
    refused(&[n(1), n(2), n(2)], pick);
    refused(&[n(1), n(-1)], roll);
    refused(&[n(1)], swap);
    refused(&[], drop);
}

#[test]
fn picking_from_a_compound_or_from_bytes() {
    check(&[Item::array(vec![n(7), n(8)]), n(1)], pickitem, &[n(8)]);
    check(&[Item::bytes(b"\xff"), n(0)], pickitem, &[n(255)]);
    check(&[n(0x0102), n(1)], pickitem, &[n(1)]);
    let map = Item::map(vec![(n(1), n(10)), (Item::bytes(b"\x01"), n(20))]);
    check(&[map.clone(), Item::bytes(b"\x01")], pickitem, &[n(20)]);
    refused(&[map, Item::Boolean(true)], pickitem);
    refused(&[Item::array(vec![n(7)]), n(1)], pickitem);
    refused(&[Item::array(vec![n(7)]), n(-1)], pickitem);
}

#[test]
fn packing_and_unpacking_are_inverse() {
    check(&[n(1), n(2), n(2)], pack, &[Item::array(vec![n(2), n(1)])]);
    check(
        &[Item::array(vec![n(2), n(1)])],
        unpack,
        &[n(1), n(2), n(2)],
    );
    refused(&[n(1), n(2)], pack);
}

#[test]
fn a_struct_is_copied_where_it_is_stored() {
    let inner = Item::structure(vec![n(1)]);
    let array = Item::array(vec![]);
    run(&[array.clone(), inner.clone()], append).unwrap();
    run(&[inner, n(0), n(9)], setitem).unwrap();
    assert_eq!(array, Item::array(vec![Item::structure(vec![n(1)])]));
}

#[test]
fn a_buffer_takes_signed_and_unsigned_bytes() {
    let buffer = Item::buffer(vec![0, 0]);
    run(&[buffer.clone(), n(0), n(-128)], setitem).unwrap();
    run(&[buffer.clone(), n(1), n(255)], setitem).unwrap();
    assert_eq!(buffer, Item::buffer(vec![0x80, 0xff]));
    refused(&[buffer, n(0), n(256)], setitem);
}

#[test]
fn memcpy_reads_a_number_as_its_bytes() {
    let buffer = Item::buffer(vec![0; 4]);
    run(&[buffer.clone(), n(1), n(0x0201), n(0), n(2)], memcpy).unwrap();
    assert_eq!(buffer, Item::buffer(vec![0, 1, 2, 0]));
    refused(&[buffer, n(3), n(0x0201), n(0), n(2)], memcpy);
}

#[test]
fn the_stack_holds_2048_items() {
    let many = vec![n(0); 2047];
    assert_eq!(run(&many, || push(1)).unwrap().len(), 2048);
    refused(&many, || {
        push(1);
        push(1);
    });
}

#[test]
fn a_method_must_leave_the_stack_empty() {
    let outcome = Chain::new().run_as(&[], &Hash160::zero(), || push(bytes(b"left")));
    assert_eq!(
        outcome.fault(),
        "the method left 1 items on the evaluation stack"
    );
}

proptest! {
    /// Whatever lies on the stack, an opcode ends in a result or a fault, and
    /// the thread can go on.
    #[test]
    fn no_opcode_breaks_the_stack(values in prop::collection::vec(-3i64..40, 0..5), which in 0usize..12) {
        let code: [fn(); 12] =
            [add, div, shl, pick, roll, xdrop, substr, cat, pack, pickitem, within, reversen];
        let before: Vec<Item> = values.iter().copied().map(Item::integer).collect();
        let _ = run(&before, code[which]);
        prop_assert_eq!(run(&[n(1), n(2)], add), Ok(vec![n(3)]));
    }
}

#[test]
fn an_index_that_no_item_can_have_is_a_fault() {
    let array = Item::array(vec![n(1)]);
    check(&[array.clone(), n(0)], haskey, &[Item::Boolean(true)]);
    check(
        &[array.clone(), n(131_069)],
        haskey,
        &[Item::Boolean(false)],
    );
    refused(&[array.clone(), n(131_070)], haskey);
    refused(&[array, n(-1)], haskey);
}
