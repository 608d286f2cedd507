//! `.clone()`: nothing for immutable items, a real copy for collections, refused where a copy would not be deep enough.

use neo_opcode::Op;

use super::Function;
use crate::diagnostic::Loc;
use crate::types::Ty;

/// Copies of types nested deeper than this are refused; it also stops recursive types.
const MAX_COPY_DEPTH: usize = 8;

/// So many parts are copied one by one; above that the script would grow more than it saves.
const MAX_READ_PARTS: usize = 8;

impl Function<'_, '_> {
    /// Whether no operation of the language changes items of the type, so that sharing is copying.
    pub(super) fn is_immutable(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Array(_) | Ty::Map(_) | Ty::Struct(..) | Ty::Iterator => false,
            Ty::Option(t) => self.is_immutable(t),
            Ty::Tuple(parts) => parts.iter().all(|t| self.is_immutable(t)),
            _ => true,
        }
    }

    /// Replaces the top item, of type `ty`, by a copy.
    pub(super) fn copy(&mut self, ty: &Ty, at: Loc) {
        self.copy_at(ty, at, 0);
    }

    fn copy_at(&mut self, ty: &Ty, at: Loc, depth: usize) {
        if self.is_immutable(ty) {
            return;
        }
        if depth > MAX_COPY_DEPTH {
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
        if !self.copied_by_values(ty, 0) {
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
        if !self.copied_by_values(of, 0) {
            let help = "copy the elements one by one in a loop";
            self.error(
                at,
                format!("an array of `{of}` cannot be copied at once"),
                help,
            );
        }
    }

    fn copied_by_values(&self, ty: &Ty, depth: usize) -> bool {
        if self.is_immutable(ty) {
            return true;
        }
        match ty {
            _ if depth > MAX_COPY_DEPTH => false,
            Ty::Struct(id, _) => self
                .u
                .structs
                .get(id)
                .is_some_and(|f| f.iter().all(|t| self.copied_by_values(t, depth + 1))),
            Ty::Option(t) => self.copied_by_values(t, depth + 1),
            Ty::Tuple(parts) => parts.iter().all(|t| self.copied_by_values(t, depth + 1)),
            _ => false,
        }
    }
}
