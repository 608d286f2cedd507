//! Scripts with what a node made of them, run again by [`super`]'s opcodes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fmt::Write as _;

use super::*;
use crate::chain::Chain;
use crate::hash::Hash160;

/// Scripts and stacks; the file's first line says whose.
const CORPUS: &str = include_str!("neovm.txt");

#[test]
fn opcodes_do_what_the_node_does() {
    let chain = Chain::new();
    let mut count = 0;
    for line in CORPUS.lines().filter(|line| !line.starts_with('#')) {
        let (script, expected) = line.split_once(' ').unwrap();
        let outcome = chain.run_as(&[], &Hash160::zero(), || {
            run(&decode_hex(script));
            Item::array(take_all())
        });
        let stack = match outcome.stack.first() {
            Some(Item::Array(items)) => items
                .borrow()
                .iter()
                .fold(String::new(), |text, item| text + &show(item) + ","),
            _ => "fault".to_string(),
        };
        // A fault must be the opcode's, not this test's ignorance.
        let unknown = outcome
            .exception
            .as_deref()
            .is_some_and(|text| text.starts_with("unknown "));
        assert!(!unknown, "{script}: {:?}", outcome.exception);
        assert_eq!(stack, expected, "{script}: {:?}", outcome.exception);
        count += 1;
    }
    assert_eq!(count, 750);
}

fn decode_hex(digits: &str) -> Vec<u8> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap())
        .collect()
}

/// The pushes of the corpus; every other opcode is one function.
fn run(mut script: &[u8]) {
    while let Some((opcode, rest)) = script.split_first() {
        script = rest;
        match opcode {
            0x00 => push_item(Item::Integer(
                Int::from_le_bytes(take(&mut script, 1)).unwrap(),
            )),
            0x05 => push_item(Item::Integer(
                Int::from_le_bytes(take(&mut script, 32)).unwrap(),
            )),
            0x08 | 0x09 => push_item(Item::Boolean(*opcode == 0x08)),
            0x0b => push_null(),
            0x0c => {
                let length = usize::from(take(&mut script, 1)[0]);
                push_item(Item::bytes(take(&mut script, length)));
            }
            0x10..=0x20 => push(i64::from(opcode - 0x10)),
            0xd9 | 0xdb => typed(*opcode, take(&mut script, 1)[0])(),
            other => plain(*other)(),
        }
    }
}

fn take<'a>(script: &mut &'a [u8], count: usize) -> &'a [u8] {
    let (taken, rest) = script.split_at(count);
    *script = rest;
    taken
}

fn typed(opcode: u8, kind: u8) -> fn() {
    match (opcode, kind) {
        (0xd9, 0x20) => is_bool,
        (0xd9, 0x21) => is_int,
        (0xd9, 0x28) => is_bytes,
        (0xd9, 0x30) => is_buffer,
        (0xd9, 0x40) => is_array,
        (0xd9, 0x41) => is_struct,
        (0xd9, 0x48) => is_map,
        (0xdb, 0x20) => convert_bool,
        (0xdb, 0x21) => convert_int,
        (0xdb, 0x28) => convert_bytes,
        (0xdb, 0x30) => convert_buffer,
        (0xdb, 0x40) => convert_array,
        (0xdb, 0x41) => convert_struct,
        _ => panic!("unknown type {kind:#04x}"),
    }
}

fn plain(opcode: u8) -> fn() {
    match opcode {
        0x45 => drop,
        0x46 => nip,
        0x48 => xdrop,
        0x4a => dup,
        0x4b => over,
        0x4d => pick,
        0x4e => tuck,
        0x50 => swap,
        0x51 => rot,
        0x52 => roll,
        0x53 => reverse3,
        0x54 => reverse4,
        0x55 => reversen,
        0x88 => newbuffer,
        0x89 => memcpy,
        0x8b => cat,
        0x8c => substr,
        0x8d => left,
        0x8e => right,
        0x90 => invert,
        0x91 => and,
        0x92 => or,
        0x93 => xor,
        0x97 => equal,
        0x98 => not_equal,
        0x99 => sign,
        0x9a => abs,
        0x9b => negate,
        0x9c => inc,
        0x9d => dec,
        0x9e => add,
        0x9f => sub,
        0xa0 => mul,
        0xa1 => div,
        0xa2 => modulo,
        0xa3 => pow,
        0xa4 => sqrt,
        0xa8 => shl,
        0xa9 => shr,
        0xaa => not,
        0xab => booland,
        0xac => boolor,
        0xb1 => nz,
        0xb3 => numequal,
        0xb4 => numnotequal,
        0xb5 => lt,
        0xb6 => le,
        0xb7 => gt,
        0xb8 => ge,
        0xb9 => min,
        0xba => max,
        0xbb => within,
        0xbf => packstruct,
        0xc0 => pack,
        0xc1 => unpack,
        0xc2 => newarray0,
        0xc8 => newmap,
        0xca => size,
        0xcb => haskey,
        0xcc => keys,
        0xcd => values,
        0xce => pickitem,
        0xcf => append,
        0xd0 => setitem,
        0xd1 => reverseitems,
        0xd2 => remove,
        0xd3 => clearitems,
        0xd4 => popitem,
        0xd8 => is_null,
        other => panic!("unknown opcode {other:#04x}"),
    }
}

/// The corpus's notation of an item.
fn show(item: &Item) -> String {
    let hex = |bytes: &[u8]| {
        bytes.iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
    };
    let list = |items: &[Item]| {
        items
            .iter()
            .fold(String::new(), |text, item| text + &show(item) + ",")
    };
    match item {
        Item::Null => "null".to_string(),
        Item::Boolean(value) => format!("bool:{value}"),
        Item::Integer(value) => format!("int:{value}"),
        Item::ByteString(bytes) => format!("bytes:{}", hex(bytes.as_slice())),
        Item::Buffer(buffer) => format!("buffer:{}", hex(&buffer.borrow())),
        Item::Array(cells) => format!("array[{}]", list(&cells.borrow())),
        Item::Struct(cells) => format!("struct[{}]", list(&cells.borrow())),
        Item::Map(entries) => {
            let entries = entries.borrow();
            let text = entries.iter().fold(String::new(), |text, (key, value)| {
                text + &show(key) + "=" + &show(value) + ","
            });
            format!("map[{text}]")
        }
        Item::Iterator(_) => "iterator".to_string(),
    }
}
