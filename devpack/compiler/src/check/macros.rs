//! The three macros of the subset.

use neo_opcode::Op;
use syn::Token;
use syn::punctuated::Punctuated;

use super::Checker;
use super::expr::string_literal;
use crate::diagnostic::Loc;
use crate::tree::{Expr, Kind};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn macro_call(&mut self, mac: &syn::Macro) -> Expr {
        let at = self.loc(mac);
        let name = mac
            .path
            .segments
            .last()
            .map(|s| s.ident.to_string())
            .unwrap_or_default();
        if !matches!(name.as_str(), "assert" | "panic" | "array") {
            let help = match name.as_str() {
                "assert_eq" | "assert_ne" => "write `assert!(a == b, \"…\")`",
                "format" | "print" | "println" => {
                    "there is no formatting on the chain; `runtime::log` writes a text"
                }
                "vec" => "use `array![…]`",
                "todo" | "unimplemented" | "unreachable" => "write `panic!(\"…\")`",
                "matches" => "use `match` or `if let`",
                _ => "`assert!`, `panic!` and `array!` are the macros of the contract language",
            };
            return self.fail(at, format!("the macro `{name}!` is not supported"), help);
        }
        let args = match mac.parse_body_with(Punctuated::<syn::Expr, Token![,]>::parse_terminated) {
            Ok(args) => args,
            Err(error) => {
                let at = crate::program::loc_of(self.file, error.span());
                return self.fail(at, format!("syntax error: {error}"), "");
            }
        };
        let args: Vec<_> = args.into_iter().collect();
        match (name.as_str(), args.as_slice()) {
            ("assert", [cond, message]) => {
                let cond = self.condition(cond);
                match self.message(message) {
                    Some(text) => Expr {
                        kind: Kind::Assert(Box::new(cond), text.into_bytes().into()),
                        ty: Ty::Unit,
                        loc: at,
                    },
                    None => Expr {
                        kind: Kind::Unit,
                        ty: Ty::Err,
                        loc: at,
                    },
                }
            }
            ("assert", _) => self.fail(
                at,
                "`assert!` takes a condition and a message",
                "write `assert!(x > 0, \"…\")`",
            ),
            ("panic", [message]) => match self.message(message) {
                Some(text) => Expr {
                    kind: Kind::Panic(text.into_bytes().into()),
                    ty: Ty::Never,
                    loc: at,
                },
                None => Expr {
                    kind: Kind::Unit,
                    ty: Ty::Never,
                    loc: at,
                },
            },
            ("panic", _) => self.fail(at, "`panic!` takes a message", "write `panic!(\"…\")`"),
            (_, elements) => self.array(elements, at),
        }
    }

    fn array(&mut self, elements: &[syn::Expr], at: Loc) -> Expr {
        let inner = self.fresh();
        let mut values = Vec::new();
        for e in elements {
            let e = self.expr(e);
            let e = self.settle(e);
            let place = e.loc;
            values.push(self.coerce_at(e, &inner, place));
        }
        Expr {
            kind: Kind::Pack(Op::PACK, values),
            ty: Ty::array(inner),
            loc: at,
        }
    }

    /// A fault's message: a literal without formatting.
    fn message(&mut self, e: &syn::Expr) -> Option<String> {
        let at = self.place_of(e);
        match string_literal(e) {
            Some(text) if text.contains(['{', '}']) => {
                self.fail(at, "a message cannot be formatted", "leave the braces away");
                None
            }
            Some(text) => Some(text),
            None => {
                self.fail(at, "the message must be a string literal", "");
                None
            }
        }
    }
}
