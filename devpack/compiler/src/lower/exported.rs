//! What an exported method does first: it takes each argument as the type that it declares, or faults.

use neo_opcode::{Op, item_type};

use super::{Function, Place};
use crate::ir::Ins;
use crate::types::Ty;

impl Function<'_, '_> {
    pub(super) fn prologue(&mut self) {
        for local in self.body.params.clone() {
            let info = self.body.locals[local].clone();
            let Some(place) = self.places.get(&local).copied() else {
                continue;
            };
            self.take(&info.name, &info.ty, place);
        }
    }

    fn take(&mut self, name: &str, ty: &Ty, place: Place) {
        match ty {
            Ty::Any => {}
            Ty::Int => {
                // ADD takes Integer, Boolean and ByteString of up to 32 bytes, and nothing else.
                self.load(place);
                self.int(0);
                self.op(Op::ADD);
                self.store(place);
            }
            Ty::Bool => {
                self.load(place);
                self.op(Op::NOT);
                self.op(Op::NOT);
                self.store(place);
            }
            Ty::Bytes | Ty::Text => {
                let good = self.u.label();
                self.load(place);
                self.is_type(item_type::BYTE_STRING);
                self.jump(Op::JMPIF, good);
                // Rare, so it is no longer than it must be. CONVERT would let Null through.
                self.load(place);
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.op(Op::NOT);
                self.op(Op::ASSERT);
                self.ins
                    .push(Ins::With(Op::CONVERT, vec![item_type::BYTE_STRING]));
                self.store(place);
                self.label_here(good);
            }
            Ty::Hash160 => self.take_bytes(name, 20, place),
            Ty::Hash256 => self.take_bytes(name, 32, place),
            Ty::PublicKey => self.take_bytes(name, 33, place),
            Ty::Signature => self.take_bytes(name, 64, place),
            Ty::Option(inner) => {
                let absent = self.u.label();
                self.load(place);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, absent);
                self.take(name, inner, place);
                self.label_here(absent);
            }
            Ty::Array(_) => {
                self.load(place);
                self.helper("as_array");
                self.store(place);
            }
            // The others are refused where exported methods are collected.
            _ => {}
        }
    }

    /// A ByteString of this length, or a fault that names the parameter.
    fn take_bytes(&mut self, name: &str, length: usize, place: Place) {
        let (good, bad) = (self.u.label(), self.u.label());
        self.load(place);
        self.is_type(item_type::BYTE_STRING);
        self.jump(Op::JMPIFNOT, bad);
        self.load(place);
        self.op(Op::SIZE);
        self.int(length);
        self.jump(Op::JMPEQ, good);
        self.label_here(bad);
        // Two parts, so that the second is written once for all parameters.
        let shown = crate::manifest::camel_case(name);
        self.ins.push(Ins::Data(shown.into_bytes().into()));
        let wanted = format!(": {length} bytes");
        self.ins.push(Ins::Data(wanted.into_bytes().into()));
        self.op(Op::CAT);
        self.op(Op::ABORTMSG);
        self.label_here(good);
    }
}

/// Whether a type can be a parameter of an exported method.
pub(crate) fn can_be_parameter(ty: &Ty) -> bool {
    match ty {
        Ty::Array(of) => **of == Ty::Any,
        Ty::Option(inner) => can_be_parameter(inner),
        Ty::Any | Ty::Int | Ty::Bool => true,
        other => other.is_bytes() && *other != Ty::Slice,
    }
}
