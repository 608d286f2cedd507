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
                self.load(place);
                self.helper("as_bytes");
                self.store(place);
                self.label_here(good);
            }
            Ty::Hash160 | Ty::Hash256 | Ty::PublicKey | Ty::Signature => {
                let shown = crate::manifest::camel_case(name);
                let (good, bad) = (self.u.label(), self.u.label());
                // The usual case costs no call.
                self.load(place);
                self.is_type(item_type::BYTE_STRING);
                self.jump(Op::JMPIFNOT, bad);
                self.load(place);
                self.op(Op::SIZE);
                self.int(match ty {
                    Ty::Hash160 => 20,
                    Ty::Hash256 => 32,
                    Ty::PublicKey => 33,
                    _ => 64,
                });
                self.jump(Op::JMPEQ, good);
                self.label_here(bad);
                self.ins.push(Ins::Data(shown.into_bytes().into()));
                self.load(place);
                self.helper(match ty {
                    Ty::Hash160 => "param_20",
                    Ty::Hash256 => "param_32",
                    Ty::PublicKey => "param_33",
                    _ => "param_64",
                });
                self.store(place);
                self.label_here(good);
            }
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
