//! `Result`: a Struct of 0 and the value or 1 and the error. Without a value (`Result<(), E>`) it is the error or Null, which
//! costs nothing to make.

use neo_opcode::Op;

use super::Function;
use crate::ir::Label;
use crate::tree::{Expr, Kind};
use crate::types::Ty;

impl Function<'_, '_> {
    pub(super) fn result_value(&mut self, inner: &Expr, ty: &Ty, ok: bool) {
        self.value(inner, false);
        match (ty.is_bare_result(), ok) {
            (true, true) => self.op(Op::PUSHNULL),
            (true, false) => {}
            (false, _) => self.wrap(ok),
        }
    }

    /// (x) -> Struct of 0 or 1 and x.
    fn wrap(&mut self, ok: bool) {
        self.int(usize::from(!ok));
        self.int(2);
        self.op(Op::PACKSTRUCT);
    }

    /// (result) -> its item 1.
    fn unwrapped(&mut self) {
        self.int(1);
        self.op(Op::PICKITEM);
    }

    /// (result) -> goes on, or jumps if it is an error; the result stays.
    fn jump_if_error(&mut self, ty: &Ty, error: Label) {
        self.op(Op::DUP);
        if ty.is_bare_result() {
            self.op(Op::ISNULL);
            self.jump(Op::JMPIFNOT, error);
        } else {
            self.int(0);
            self.op(Op::PICKITEM);
            self.jump(Op::JMPIF, error);
        }
    }

    /// Returns the top item with nothing of the function's own below it.
    fn return_over(&mut self, below: usize) {
        (0..below).for_each(|_| self.op(Op::NIP));
        self.op(Op::RET);
    }

    pub(super) fn try_value(&mut self, value: &Expr) {
        let below = self.height;
        let done = self.u.label();
        let bare = self.body.result.is_bare_result();
        // `option.ok_or(e)?` needs no Result in between.
        if let Kind::Intrinsic(row, args) = &value.kind
            && row.special() == Some("ok_or")
            && self.fixed(&args[1])
        {
            self.value(&args[0], false);
            self.op(Op::DUP);
            self.op(Op::ISNULL);
            self.jump(Op::JMPIFNOT, done);
            self.op(Op::DROP);
            self.height = below;
            self.value(&args[1], false);
            if !bare {
                self.wrap(false);
            }
            self.return_over(below);
            return self.label_here(done);
        }
        self.value(value, false);
        match &value.ty {
            Ty::Result(_) if value.ty.is_bare_result() => {
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, done);
                if !bare {
                    self.wrap(false);
                }
                self.return_over(below);
                self.label_here(done);
                self.op(Op::DROP);
            }
            Ty::Result(_) => {
                self.op(Op::DUP);
                self.int(0);
                self.op(Op::PICKITEM);
                self.jump(Op::JMPIFNOT, done);
                if bare {
                    self.unwrapped();
                }
                self.return_over(below);
                self.label_here(done);
                self.unwrapped();
            }
            _ => {
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIFNOT, done);
                self.return_over(below);
                self.label_here(done);
            }
        }
    }

    /// The methods of `Result`, and `Option::ok_or`; false if it is none of them.
    pub(super) fn result_method(&mut self, name: &str, args: &[Expr]) -> bool {
        let Some(first) = args.first() else {
            return false;
        };
        let bare = first.ty.is_bare_result();
        let (other, done) = (self.u.label(), self.u.label());
        match name {
            "is_ok" | "is_err" => {
                self.value(first, false);
                if bare {
                    self.op(Op::ISNULL);
                } else {
                    self.int(0);
                    self.op(Op::PICKITEM);
                }
                if (name == "is_ok") != bare {
                    self.op(Op::NOT);
                } else if !bare {
                    self.op(Op::NZ);
                }
            }
            "result_unwrap" => {
                self.value(first, false);
                if bare {
                    self.op(Op::ISNULL);
                    self.op(Op::ASSERT);
                } else {
                    self.op(Op::DUP);
                    self.int(0);
                    self.op(Op::PICKITEM);
                    self.op(Op::NOT);
                    self.op(Op::ASSERT);
                    self.unwrapped();
                }
            }
            "result_expect" => {
                args.iter().for_each(|a| self.value(a, false));
                // The message is a literal, on the stack already.
                let message = self.ins.pop();
                if bare {
                    self.op(Op::ISNULL);
                } else {
                    self.op(Op::DUP);
                    self.int(0);
                    self.op(Op::PICKITEM);
                    self.op(Op::NOT);
                }
                self.ins.extend(message);
                self.op(Op::ASSERTMSG);
                if !bare {
                    self.unwrapped();
                }
            }
            "result_unwrap_or" => {
                args.iter().for_each(|a| self.value(a, false));
                if bare {
                    self.op(Op::DROP);
                } else {
                    self.op(Op::OVER);
                    self.int(0);
                    self.op(Op::PICKITEM);
                    self.jump(Op::JMPIF, other);
                    self.op(Op::DROP);
                    self.unwrapped();
                    self.jump(Op::JMP, done);
                    self.label_here(other);
                    self.op(Op::NIP);
                    self.label_here(done);
                }
            }
            "result_ok" => {
                self.value(first, false);
                self.jump_if_error(&first.ty, other);
                self.unwrapped();
                self.jump(Op::JMP, done);
                self.label_here(other);
                self.op(Op::DROP);
                self.op(Op::PUSHNULL);
                self.label_here(done);
            }
            "ok_or" => {
                args.iter().for_each(|a| self.value(a, false));
                self.op(Op::OVER);
                self.op(Op::ISNULL);
                self.jump(Op::JMPIF, other);
                self.op(Op::DROP);
                self.wrap(true);
                self.jump(Op::JMP, done);
                self.label_here(other);
                self.op(Op::NIP);
                self.wrap(false);
                self.label_here(done);
            }
            _ => return false,
        }
        true
    }
}
