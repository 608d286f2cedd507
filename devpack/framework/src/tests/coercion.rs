//! What exported methods make of their arguments.

use crate::chain::Chain;
use crate::item::Item;

#[neo_framework::contract(name = "Types", standards = ["NEP-17"], permissions = "*", source = "here")]
mod types {
    use crate::prelude::*;

    #[derive(Clone, Item)]
    pub struct Record {
        pub id: Int,
        pub owner: Option<Hash160>,
        pub name: Text,
    }

    #[method(safe)]
    pub fn take_int(value: Int) -> Int {
        value
    }

    #[method(safe)]
    pub fn take_bool(value: bool) -> bool {
        value
    }

    #[method(safe)]
    pub fn take_bytes(value: Bytes) -> Bytes {
        value
    }

    #[method(safe)]
    pub fn take_hash(the_hash: Hash160) -> Hash160 {
        the_hash
    }

    #[method(safe)]
    pub fn take_option(value: Option<Hash160>) -> bool {
        value.is_some()
    }

    #[method(safe)]
    pub fn take_array(value: Array<Any>) -> Int {
        value.len()
    }

    #[method(safe)]
    pub fn take_any(value: Any) -> Any {
        value
    }

    #[method(safe, name = "record")]
    pub fn make_record(name: Text) -> Record {
        Record {
            id: int(3),
            owner: None,
            name,
        }
    }

    #[method(safe)]
    pub fn pair() -> (Int, bool) {
        (int(1), true)
    }

    #[method]
    pub fn over(_a: Int) -> Int {
        int(1)
    }

    #[method(name = "over")]
    pub fn over_two(_a: Int, _b: Int) -> Int {
        int(2)
    }

    pub fn not_exported() {}
}

fn call(method: &str, args: Vec<Item>) -> Result<Item, String> {
    let chain = Chain::new();
    let hash = chain.deploy(&[], types::CONTRACT, Item::Null).hash;
    let outcome = chain.invoke(&[], &hash, method, args);
    outcome
        .exception
        .map_or_else(|| Ok(outcome.stack[0].clone()), Err)
}

#[track_caller]
fn check(method: &str, argument: Item, expected: Item) {
    assert_eq!(call(method, vec![argument]), Ok(expected));
}

#[track_caller]
fn refused(method: &str, argument: Item, message: &str) {
    assert_eq!(call(method, vec![argument]), Err(message.to_string()));
}

#[test]
fn a_number_comes_from_integer_bytes_or_boolean() {
    check("takeInt", Item::integer(5), Item::integer(5));
    check("takeInt", Item::bytes(b"\xff"), Item::integer(-1));
    check("takeInt", Item::Boolean(true), Item::integer(1));
    refused("takeInt", Item::Null, "value: expected Integer, got Null");
    refused(
        "takeInt",
        Item::buffer(vec![1]),
        "value: expected Integer, got Buffer",
    );
    refused(
        "takeInt",
        Item::bytes(&[0; 33]),
        "value: expected Integer, got 33 bytes (at most 32)",
    );
}

#[test]
fn a_truth_value_comes_from_anything_but_long_bytes() {
    check("takeBool", Item::integer(2), Item::Boolean(true));
    check("takeBool", Item::Null, Item::Boolean(false));
    check("takeBool", Item::array(vec![]), Item::Boolean(true));
    refused(
        "takeBool",
        Item::bytes(&[0; 33]),
        "value: expected Boolean, got 33 bytes (at most 32)",
    );
}

#[test]
fn bytes_come_from_every_primitive() {
    check("takeBytes", Item::buffer(vec![1, 2]), Item::bytes(&[1, 2]));
    check("takeBytes", Item::integer(256), Item::bytes(&[0, 1]));
    check("takeBytes", Item::Boolean(false), Item::bytes(&[0]));
    refused(
        "takeBytes",
        Item::Null,
        "value: expected ByteString, got Null",
    );
    refused(
        "takeBytes",
        Item::array(vec![]),
        "value: expected ByteString, got Array",
    );
}

#[test]
fn a_hash_must_have_its_length() {
    check("takeHash", Item::bytes(&[1; 20]), Item::bytes(&[1; 20]));
    refused("takeHash", Item::bytes(&[1; 19]), "theHash: 20 bytes");
    refused("takeHash", Item::Null, "theHash: 20 bytes");
    refused("takeHash", Item::buffer(vec![1; 20]), "theHash: 20 bytes");
}

#[test]
fn null_is_none() {
    check("takeOption", Item::Null, Item::Boolean(false));
    check("takeOption", Item::bytes(&[1; 20]), Item::Boolean(true));
    refused("takeOption", Item::bytes(b""), "value: 20 bytes");
}

#[test]
fn an_array_may_be_a_struct() {
    check(
        "takeArray",
        Item::structure(vec![Item::Null]),
        Item::integer(1),
    );
    refused(
        "takeArray",
        Item::bytes(b"x"),
        "value: expected Array, got ByteString",
    );
    check("takeAny", Item::Null, Item::Null);
}

#[test]
fn results_are_structs_of_their_fields() {
    let record = Item::structure(vec![Item::integer(3), Item::Null, Item::text("n")]);
    check("record", Item::text("n"), record);
    assert_eq!(
        call("pair", vec![]),
        Ok(Item::structure(vec![Item::integer(1), Item::Boolean(true)]))
    );
}

#[test]
fn overloads_differ_by_argument_count() {
    assert_eq!(call("over", vec![Item::integer(0)]), Ok(Item::integer(1)));
    assert_eq!(
        call("over", vec![Item::integer(0), Item::integer(0)]),
        Ok(Item::integer(2))
    );
    assert_eq!(
        call("over", vec![]),
        Err("method not found: over/0".to_string())
    );
    assert_eq!(
        call("notExported", vec![]),
        Err("method not found: notExported/0".to_string())
    );
}

#[test]
fn the_contract_knows_its_manifest() {
    let record = types::CONTRACT.method("record", 1).unwrap();
    assert_eq!(
        (record.parameters, record.return_type, record.safe),
        (&[("name", "String")][..], "Array", true)
    );
    let option = types::CONTRACT.method("takeOption", 1).unwrap();
    assert_eq!(option.parameters, [("value", "Hash160")]);
    assert_eq!(types::CONTRACT.standards, ["NEP-17"]);
    assert_eq!(types::METHODS.len(), 11);
    types::not_exported();
}
