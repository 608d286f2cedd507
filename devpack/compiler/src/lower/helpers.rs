//! Functions that every contract may need: written once in the script, called where used.

use neo_opcode::{Op, Syscall, item_type};
use num_bigint::BigInt;

use super::Unit;
use crate::ir::{Code, Ins, Label};
use crate::types::Ty;

/// All helpers by name.
#[cfg(test)]
pub(crate) const HELPERS: [&str; 11] = [
    "as_array",
    "as_bytes",
    "as_hash_20",
    "as_hash_32",
    "as_hash_33",
    "as_hash_64",
    "copy_array",
    "get_int",
    "map_get",
    "of_length",
    "public_key",
];

pub(super) fn helper(u: &mut Unit<'_>, name: &'static str, label: Label) -> Code {
    let mut h = Build { u, ins: Vec::new() };
    match name {
        "as_array" => h.as_array(),
        "as_bytes" => h.as_bytes(),
        "as_hash_20" => h.as_hash(20),
        "as_hash_32" => h.as_hash(32),
        "as_hash_33" => h.as_hash(33),
        "as_hash_64" => h.as_hash(64),
        "copy_array" => h.copy_array(),
        "get_int" => h.get_int(),
        "map_get" => h.map_get(),
        "of_length" => h.of_length(),
        _ => h.public_key(),
    }
    let ins = h.ins;
    Code {
        name: format!("(helper) {name}"),
        label,
        ins,
        locals: 0,
        args: 0,
        params: Vec::new(),
        variables: Vec::new(),
        result: Ty::Any,
        loc: None,
    }
}

struct Build<'b, 'a> {
    u: &'b mut Unit<'a>,
    ins: Vec<Ins>,
}

impl Build<'_, '_> {
    fn ops(&mut self, ops: &[Op]) {
        self.ins.extend(ops.iter().map(|op| Ins::Op(*op)));
    }

    fn int(&mut self, n: i64) {
        self.ins.push(Ins::Int(BigInt::from(n)));
    }

    fn is_type(&mut self, byte: u8) {
        self.ins.push(Ins::With(Op::ISTYPE, vec![byte]));
    }

    /// (item) -> ByteString; faults on Null and on what has no bytes.
    fn as_bytes(&mut self) {
        let good = self.u.label();
        self.ops(&[Op::DUP]);
        self.is_type(item_type::BYTE_STRING);
        self.ins.push(Ins::Jump(Op::JMPIF, good));
        // CONVERT would let Null through.
        self.ops(&[Op::DUP, Op::ISNULL, Op::NOT, Op::ASSERT]);
        self.ins
            .push(Ins::With(Op::CONVERT, vec![item_type::BYTE_STRING]));
        self.ins.push(Ins::Label(good));
        self.ops(&[Op::RET]);
    }

    /// (Array or Struct) -> the same; faults on all else.
    fn as_array(&mut self) {
        let good = self.u.label();
        self.ops(&[Op::DUP]);
        self.is_type(item_type::ARRAY);
        self.ins.push(Ins::Jump(Op::JMPIF, good));
        self.ops(&[Op::DUP]);
        self.is_type(item_type::STRUCT);
        self.ops(&[Op::ASSERT]);
        self.ins.push(Ins::Label(good));
        self.ops(&[Op::RET]);
    }

    /// (Array or Struct) -> a new one of the same type with the same elements.
    fn copy_array(&mut self) {
        let structure = self.u.label();
        self.ops(&[Op::DUP]);
        self.is_type(item_type::STRUCT);
        self.ins.push(Ins::Jump(Op::JMPIF, structure));
        self.ops(&[Op::UNPACK, Op::PACK, Op::RET]);
        self.ins.push(Ins::Label(structure));
        self.ops(&[Op::UNPACK, Op::PACKSTRUCT, Op::RET]);
    }

    /// (item) -> ByteString of n bytes, or a fault: Null has no size.
    fn as_hash(&mut self, n: i64) {
        let good = self.u.label();
        self.ops(&[Op::DUP]);
        self.is_type(item_type::BYTE_STRING);
        self.ins.push(Ins::Jump(Op::JMPIF, good));
        self.ins
            .push(Ins::With(Op::CONVERT, vec![item_type::BYTE_STRING]));
        self.ins.push(Ins::Label(good));
        self.ops(&[Op::DUP, Op::SIZE]);
        self.int(n);
        self.ops(&[Op::NUMEQUAL, Op::ASSERT, Op::RET]);
    }

    /// (key) -> number stored there, 0 if none.
    fn get_int(&mut self) {
        let present = self.u.label();
        if let Some(call) = Syscall::by_name("System.Storage.Local.Get") {
            self.ins.push(Ins::With(Op::SYSCALL, call.id.to_vec()));
        }
        // Null and all zeros are false; what has no truth is no number either.
        self.ops(&[Op::DUP]);
        self.ins.push(Ins::Jump(Op::JMPIF, present));
        self.ops(&[Op::DROP, Op::PUSH0, Op::RET]);
        self.ins.push(Ins::Label(present));
        self.int(0);
        self.ops(&[Op::ADD, Op::RET]);
    }

    /// (map, key) -> value or Null.
    fn map_get(&mut self) {
        let absent = self.u.label();
        self.ops(&[Op::OVER, Op::OVER, Op::HASKEY]);
        self.ins.push(Ins::Jump(Op::JMPIFNOT, absent));
        self.ops(&[Op::PICKITEM, Op::RET]);
        self.ins.push(Ins::Label(absent));
        self.ops(&[Op::DROP, Op::DROP, Op::PUSHNULL, Op::RET]);
    }

    /// (bytes, n) -> the bytes if they are n, else Null.
    fn of_length(&mut self) {
        let good = self.u.label();
        self.ops(&[Op::OVER, Op::SIZE]);
        self.ins.push(Ins::Jump(Op::JMPEQ, good));
        self.ops(&[Op::DROP, Op::PUSHNULL]);
        self.ins.push(Ins::Label(good));
        self.ops(&[Op::RET]);
    }

    /// (bytes) -> the bytes if they look like a compressed key, else Null.
    fn public_key(&mut self) {
        let bad = self.u.label();
        self.ops(&[Op::DUP, Op::SIZE]);
        self.int(33);
        self.ins.push(Ins::Jump(Op::JMPNE, bad));
        self.ops(&[
            Op::DUP,
            Op::PUSH0,
            Op::PICKITEM,
            Op::PUSH2,
            Op::PUSH4,
            Op::WITHIN,
        ]);
        self.ins.push(Ins::Jump(Op::JMPIFNOT, bad));
        self.ops(&[Op::RET]);
        self.ins.push(Ins::Label(bad));
        self.ops(&[Op::DROP, Op::PUSHNULL, Op::RET]);
    }
}
