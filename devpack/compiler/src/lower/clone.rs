//! `.clone()`: nothing for immutable items, a real copy for collections, refused where a copy would not be deep enough.

use neo_opcode::Op;

use super::Function;
use crate::diagnostic::Loc;
use crate::types::Ty;

/// Copies of types nested deeper than this are refused; it also stops recursive types.
const MAX_COPY_DEPTH: usize = 8;

/// More than a script has room for: a function that is longer is wrong anyway.
const MAX_INSTRUCTIONS: usize = 131_072;
/// Types looked at to answer for one.
const MAX_COPY_STEPS: usize = 10_000;
/// So many parts are copied one by one; above that the script would grow more than it saves.
const MAX_READ_PARTS: usize = 8;

impl Function<'_, '_> {
    pub(super) fn is_immutable(&self, ty: &Ty) -> bool {
        self.u.unchanging(ty)
    }

    /// Replaces the top item, of type `ty`, by a copy.
    pub(super) fn copy(&mut self, ty: &Ty, at: Loc) {
        self.copy_at(ty, at, 0);
    }

    fn copy_at(&mut self, ty: &Ty, at: Loc, depth: usize) {
        if self.is_immutable(ty) {
            return;
        }
        if depth > MAX_COPY_DEPTH || self.ins.len() > MAX_INSTRUCTIONS {
            return self.error(at, format!("`{ty}` is nested too deeply to be copied"), "");
        }
        match ty {
            // What came in as an `Any` may be a Struct and stays one.
            Ty::Array(of) if **of == Ty::Any => self.helper("copy_array"),
            Ty::Array(of) if self.is_immutable(of) => {
                self.op(Op::UNPACK);
                self.op(Op::PACK);
            }
            Ty::Array(of) => {
                self.check_values(of, at);
                self.op(Op::VALUES);
            }
            Ty::Struct(id, _) => {
                let fields = self.u.structs.get(id).cloned().unwrap_or_default();
                self.copy_parts(&fields, at, depth);
            }
            Ty::Tuple(parts) => self.copy_parts(parts, at, depth),
            Ty::Data(id, _) => {
                let variants = self.u.enums.get(id).cloned().unwrap_or_default();
                self.copy_variant(&variants, at, depth);
            }
            Ty::Result(te) if !ty.is_bare_result() => {
                let variants = [vec![Ty::Int, te.0.clone()], vec![Ty::Int, te.1.clone()]];
                self.copy_variant(&variants, at, depth);
            }
            Ty::Result(te) => {
                let done = self.u.label();
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, done);
                self.copy_at(&te.1, at, depth + 1);
                self.label_here(done);
            }
            Ty::Option(inner) => {
                let done = self.u.label();
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, done);
                self.copy_at(inner, at, depth + 1);
                self.label_here(done);
            }
            Ty::Iterator => {
                self.error(at, "an `Iterator` cannot be copied", "pass it by reference")
            }
            _ => self.error(
                at,
                format!("`{ty}` cannot be copied"),
                "build a new one from its parts",
            ),
        }
    }

    /// Of variants only those with something to copy are copied.
    fn copy_variant(&mut self, variants: &[Vec<Ty>], at: Loc, depth: usize) {
        let done = self.u.label();
        for (tag, items) in variants.iter().enumerate() {
            if items.iter().all(|t| self.is_immutable(t)) {
                continue;
            }
            let next = self.u.label();
            self.op(Op::DUP);
            self.int(0);
            self.op(Op::PICKITEM);
            self.int(tag);
            self.jump(Op::JMPNE, next);
            self.copy_parts(items, at, depth + 1);
            self.jump(Op::JMP, done);
            self.label_here(next);
        }
        self.label_here(done);
    }

    fn copy_parts(&mut self, parts: &[Ty], at: Loc, depth: usize) {
        // UNPACK costs as much as 30 reads.
        if parts.len() > MAX_READ_PARTS && parts.iter().all(|t| self.is_immutable(t)) {
            self.op(Op::UNPACK);
            return self.op(Op::PACKSTRUCT);
        }
        for (n, part) in parts.iter().enumerate().rev() {
            self.op(Op::DUP);
            self.int(n);
            self.op(Op::PICKITEM);
            self.copy_at(part, at, depth + 1);
            self.op(Op::SWAP);
        }
        self.op(Op::DROP);
        self.int(parts.len());
        self.op(Op::PACKSTRUCT);
    }

    /// Replaces an element that was read by a copy, which is what the framework's `get` gives.
    pub(super) fn copy_element(&mut self, ty: &Ty, at: Loc) {
        if !self.copied_by_values(ty, 0, &mut 0) {
            let help = "take it out with `pop`, or keep the collections apart";
            return self.error(
                at,
                format!("reading a `{ty}` out of a collection is not supported"),
                help,
            );
        }
        self.copy(ty, at);
    }

    /// VALUES copies Structs, and Structs in them, but shares everything else.
    pub(super) fn check_values(&mut self, of: &Ty, at: Loc) {
        if !self.copied_by_values(of, 0, &mut 0) {
            let help = "copy the elements one by one in a loop";
            self.error(
                at,
                format!("an array of `{of}` cannot be copied at once"),
                help,
            );
        }
    }

    fn copied_by_values(&self, ty: &Ty, depth: usize, steps: &mut usize) -> bool {
        *steps += 1;
        if self.is_immutable(ty) {
            return true;
        }
        if depth > MAX_COPY_DEPTH || *steps > MAX_COPY_STEPS {
            return false;
        }
        let mut next = |t: &Ty| self.copied_by_values(t, depth + 1, steps);
        match ty {
            Ty::Struct(id, _) => match self.u.structs.get(id) {
                Some(fields) => fields.iter().all(next),
                None => false,
            },
            Ty::Option(t) => next(t),
            Ty::Result(te) => next(&te.0) && next(&te.1),
            Ty::Data(id, _) => match self.u.enums.get(id) {
                Some(variants) => variants.iter().flatten().all(next),
                None => false,
            },
            Ty::Tuple(parts) => parts.iter().all(next),
            _ => false,
        }
    }
}
