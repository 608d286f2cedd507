//! What single passes make of small pieces.

use neo_opcode::{Op, Syscall, item_type};
use num_bigint::BigInt;

use super::super::{Pass, Passes, optimise};
use super::machine::{Item, run};
use crate::diagnostic::Loc;
use crate::ir::{Code, Ins};
use crate::types::Ty;

fn code(label: usize, args: usize, locals: usize, ins: Vec<Ins>) -> Code {
    Code {
        name: format!("f{label}"),
        label,
        ins,
        locals,
        args,
        params: Vec::new(),
        variables: Vec::new(),
        result: Ty::Int,
        loc: None,
    }
}

fn int(n: i64) -> Ins {
    Ins::Int(BigInt::from(n))
}

fn data(bytes: &[u8]) -> Ins {
    Ins::Data(bytes.into())
}

fn op(op: Op) -> Ins {
    Ins::Op(op)
}

fn mark(line: usize) -> Ins {
    Ins::Mark(Loc {
        line,
        ..Loc::default()
    })
}

fn syscall(name: &str) -> Ins {
    Ins::With(Op::SYSCALL, Syscall::by_name(name).unwrap().id.to_vec())
}

/// The functions after some passes, all of them exported.
fn after(mut codes: Vec<Code>, passes: &[Pass]) -> Vec<Code> {
    let exports = codes.len();
    let passes = passes
        .iter()
        .fold(Passes::none(), |all, pass| all.with(*pass));
    optimise(&mut codes, exports, &[], passes);
    codes
}

fn one(args: usize, ins: Vec<Ins>, passes: &[Pass]) -> Code {
    after(vec![code(0, args, 0, ins)], passes).remove(0)
}

#[test]
fn a_conversion_goes_only_where_every_reader_converts() {
    let adds = vec![
        Ins::LdArg(0),
        int(0),
        op(Op::ADD),
        int(8),
        op(Op::SHL),
        op(Op::RET),
    ];
    let new = one(1, adds, &[Pass::Coerce]);
    assert_eq!(new.ins, [Ins::LdArg(0), int(8), op(Op::SHL), op(Op::RET)]);
    // What is returned, compared as it is, or read only after something can be seen, stays converted.
    let shown = syscall("System.Runtime.Log");
    for rest in [
        vec![op(Op::RET)],
        vec![Ins::LdArg(0), op(Op::EQUAL), op(Op::RET)],
        vec![Ins::LdArg(0), op(Op::LT), op(Op::RET)],
        vec![int(0), op(Op::SHL), op(Op::RET)],
        vec![data(b"a"), shown, op(Op::INC), op(Op::RET)],
        vec![op(Op::DUP), op(Op::INC), op(Op::DROP), op(Op::RET)],
    ] {
        let mut ins = vec![Ins::LdArg(0), int(0), op(Op::ADD)];
        ins.extend(rest);
        assert_eq!(one(1, ins.clone(), &[Pass::Coerce]).ins, ins);
    }
    // A loop may never reach its reader.
    let looped = vec![
        Ins::LdArg(0),
        int(0),
        op(Op::ADD),
        Ins::StLoc(0),
        Ins::Label(1),
        op(Op::PUSHT),
        Ins::Jump(Op::JMPIF, 1),
        Ins::LdLoc(0),
        op(Op::INC),
        op(Op::RET),
    ];
    let kept = after(vec![code(0, 1, 1, looped.clone())], &[Pass::Coerce]);
    assert_eq!(kept[0].ins, looped);
}

#[test]
fn a_key_is_a_number_where_it_is_only_read_as_bytes() {
    let get = || syscall("System.Storage.Local.Get");
    for (bytes, number) in [
        (&[1][..], Some(1)),
        (&[0xFB], Some(-5)),
        (&[0x00, 0x01], Some(256)),
        // These are not the bytes of any number, or of one that takes more room.
        (&[0], None),
        (&[], None),
        (&[1, 0], None),
        (&[0xFF, 0xFF], None),
        (&[1, 2, 3, 4, 5], None),
    ] {
        let new = one(0, vec![data(bytes), get(), op(Op::RET)], &[Pass::Numbers]);
        let wanted = number.map_or_else(|| data(bytes), int);
        assert_eq!(new.ins[0], wanted, "{bytes:?}");
    }
    let seen = vec![data(&[1]), op(Op::RET)];
    assert_eq!(one(0, seen.clone(), &[Pass::Numbers]).ins, seen);
}

#[test]
fn an_argument_stays_on_the_stack_and_is_dropped_where_it_is_not_needed() {
    // if CheckWitness(a) { a } else { 0 }
    let ins = vec![
        Ins::LdArg(0),
        syscall("System.Runtime.CheckWitness"),
        Ins::Jump(Op::JMPIFNOT, 1),
        Ins::LdArg(0),
        op(Op::RET),
        Ins::Label(1),
        int(0),
        op(Op::RET),
    ];
    let new = one(1, ins, &[Pass::Stay]);
    assert_eq!((new.args, new.locals), (0, 0));
    let wanted = [
        op(Op::DUP),
        syscall("System.Runtime.CheckWitness"),
        Ins::Jump(Op::JMPIFNOT, 1),
        op(Op::RET),
        Ins::Label(1),
        op(Op::DROP),
        int(0),
        op(Op::RET),
    ];
    assert_eq!(new.ins, wanted);
}

#[test]
fn what_is_left_before_a_fault_may_not_lie_above_what_the_fault_reads() {
    // Two items below, of which the aborting way reads one: the local must not stay above it.
    let ins = vec![
        data(b"message"),
        Ins::LdArg(0),
        Ins::StLoc(0),
        Ins::LdArg(0),
        Ins::Jump(Op::JMPIF, 1),
        op(Op::ABORTMSG),
        Ins::Label(1),
        Ins::LdLoc(0),
        op(Op::RET),
    ];
    let plain = vec![code(0, 1, 1, ins)];
    let new = after(plain.clone(), &[Pass::Stay]);
    for n in [0, 1] {
        let stack = vec![Item::Int(BigInt::from(n))];
        let (before, now) = (run(&plain, stack.clone()), run(&new, stack));
        assert_eq!(before.seen(), now.seen(), "{:?}", new[0].ins);
    }
}

/// A function that asserts with a message, then returns a number.
fn asserting(label: usize, line: usize, message: &[u8], result: i64) -> Code {
    let ins = vec![
        mark(line),
        Ins::LdArg(0),
        Ins::Jump(Op::JMPIF, 100 + label),
        data(message),
        op(Op::ABORTMSG),
        Ins::Label(100 + label),
        int(result),
        op(Op::RET),
    ];
    code(label, 1, 0, ins)
}

#[test]
fn equal_messages_are_written_once_and_tell_of_both_places() {
    let codes = vec![
        asserting(0, 3, b"no such box", 1),
        asserting(1, 7, b"no such box", 2),
    ];
    let new = after(codes, &[Pass::Tails]);
    let all: Vec<&Ins> = new.iter().flat_map(|c| &c.ins).collect();
    let aborts = all.iter().filter(|i| ***i == op(Op::ABORTMSG)).count();
    assert_eq!(aborts, 1);
    let others: Vec<(usize, &str)> = all
        .iter()
        .filter_map(|i| match i {
            Ins::Also(origin) => Some((origin.loc.line, origin.function.as_str())),
            _ => None,
        })
        .collect();
    let kept_first = new[0].ins.contains(&op(Op::ABORTMSG));
    assert_eq!(others, if kept_first { [(7, "f1")] } else { [(3, "f0")] });
    // The jump around the message now leads to the other one.
    let gone = &new[usize::from(kept_first)];
    assert!(
        gone.ins
            .iter()
            .any(|i| matches!(i, Ins::Jump(Op::JMPIFNOT, _)))
    );

    let codes = vec![
        asserting(0, 3, b"no such box", 1),
        asserting(1, 7, b"no witness", 2),
    ];
    let aborts = after(codes, &[Pass::Tails])
        .iter()
        .flat_map(|c| &c.ins)
        .filter(|i| **i == op(Op::ABORTMSG))
        .count();
    assert_eq!(aborts, 2);
}

#[test]
fn an_end_with_branches_of_its_own_is_written_once() {
    let reading = |label: usize, key: i64| {
        let present = 100 + label;
        let ins = vec![
            int(key),
            syscall("System.Storage.Local.Get"),
            op(Op::DUP),
            Ins::Jump(Op::JMPIF, present),
            op(Op::DROP),
            int(0),
            op(Op::RET),
            Ins::Label(present),
            Ins::With(Op::CONVERT, vec![item_type::INTEGER]),
            op(Op::RET),
        ];
        code(label, 0, 0, ins)
    };
    let new = after(vec![reading(0, 1), reading(1, 2)], &[Pass::Tails]);
    let short = new.iter().map(|c| c.ins.len()).min();
    // The key and a jump.
    assert_eq!(short, Some(2), "{new:?}");
}
