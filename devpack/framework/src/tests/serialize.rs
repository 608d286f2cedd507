//! NeoVM's binary format.

use proptest::prelude::*;

use crate::bytes::Bytes;
use crate::int::Int;
use crate::item::Item;
use crate::serialize::{SerializeError, deserialize, serialize};

#[track_caller]
fn check(item: &Item, expected: &[u8]) {
    assert_eq!(serialize(item).as_deref(), Ok(expected));
    assert_eq!(deserialize(expected).as_ref(), Ok(item));
}

#[test]
fn each_type_has_the_nodes_bytes() {
    check(&Item::Null, &[0x00]);
    check(&Item::Boolean(true), &[0x20, 1]);
    check(&Item::integer(0), &[0x21, 0]);
    check(&Item::integer(-1), &[0x21, 1, 0xff]);
    check(&Item::integer(128), &[0x21, 2, 0x80, 0x00]);
    check(&Item::bytes(b"ab"), &[0x28, 2, b'a', b'b']);
    check(&Item::buffer(vec![7]), &[0x30, 1, 7]);
    check(
        &Item::array(vec![Item::integer(1), Item::Null]),
        &[0x40, 2, 0x21, 1, 1, 0x00],
    );
    check(&Item::structure(vec![]), &[0x41, 0]);
    check(
        &Item::map(vec![(Item::bytes(b"k"), Item::integer(2))]),
        &[0x48, 1, 0x28, 1, b'k', 0x21, 1, 2],
    );
}

#[test]
fn lengths_are_neos_variable_integers() {
    let item = Item::bytes(&[9; 0xfd]);
    assert_eq!(serialize(&item).unwrap()[..4], [0x28, 0xfd, 0xfd, 0x00]);
    let item = Item::bytes(&[9; 0x1_0000]);
    assert_eq!(serialize(&item).unwrap()[..6], [0x28, 0xfe, 0, 0, 1, 0]);
}

#[test]
fn limits_hold_on_both_ways() {
    assert_eq!(
        serialize(&Item::bytes(&[0; 131_070])),
        Err(SerializeError::TooBig)
    );
    assert!(serialize(&Item::array(vec![Item::Null; 2047])).is_ok());
    assert_eq!(
        serialize(&Item::array(vec![Item::Null; 2048])),
        Err(SerializeError::TooManyItems)
    );
    assert_eq!(
        deserialize(&[0x40, 0xfd, 0x01, 0x08]),
        Err(SerializeError::Length(2049))
    );
    assert_eq!(deserialize(&[0x21, 33]), Err(SerializeError::Length(33)));
    assert_eq!(deserialize(&[0x28, 5, 1]), Err(SerializeError::Truncated));
    assert_eq!(
        deserialize(&[0x48, 1, 0x40, 0, 0]),
        Err(SerializeError::Key)
    );
    assert_eq!(deserialize(&[0x60]), Err(SerializeError::Type(0x60)));
}

#[test]
fn an_item_within_itself_has_no_bytes() {
    let item = Item::array(vec![]);
    let Item::Array(cells) = &item else {
        unreachable!()
    };
    cells.borrow_mut().push(item.clone());
    assert_eq!(serialize(&item), Err(SerializeError::Recursive));
    cells.borrow_mut().clear();
}

fn items() -> impl Strategy<Value = Item> {
    let number = prop::collection::vec(any::<u8>(), 0..=32)
        .prop_map(|b| Item::Integer(Int::from_le_bytes(&b).unwrap()));
    let bytes = || prop::collection::vec(any::<u8>(), 0..40);
    let leaf = prop_oneof![
        Just(Item::Null),
        any::<bool>().prop_map(Item::Boolean),
        number,
        bytes().prop_map(|b| Item::ByteString(Bytes::from(b))),
        bytes().prop_map(Item::buffer),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Item::array),
            prop::collection::vec(inner.clone(), 0..6).prop_map(Item::structure),
            prop::collection::btree_map(any::<i64>(), inner, 0..4).prop_map(|map| Item::map(
                map.into_iter()
                    .map(|(key, value)| (Item::integer(key), value))
                    .collect()
            )),
        ]
    })
}

proptest! {
    #[test]
    fn every_item_comes_back(item in items()) {
        let bytes = serialize(&item).unwrap();
        prop_assert_eq!(deserialize(&bytes), Ok(item));
    }

    #[test]
    fn damaged_bytes_give_an_item_or_an_error(item in items(), at in any::<prop::sample::Index>(), flip in 1u8.., cut in any::<prop::sample::Index>()) {
        let mut bytes = serialize(&item).unwrap();
        let place = at.index(bytes.len());
        bytes[place] ^= flip;
        bytes.truncate(cut.index(bytes.len() + 1));
        // Whatever decodes has bytes of its own, which decode to the same.
        if let Ok(decoded) = deserialize(&bytes) {
            prop_assert_eq!(deserialize(&serialize(&decoded).unwrap()), Ok(decoded));
        }
    }

    #[test]
    fn noise_gives_an_item_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = deserialize(&bytes);
    }
}
