//! Expressions.

use neo_opcode::Op;
use num_bigint::BigInt;
use syn::spanned::Spanned;

use super::Checker;
use crate::diagnostic::Loc;
use crate::intrinsics::{self, Constant};
use crate::program::{Def, loc_of};
use crate::tree::{Expr, Kind, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn expr(&mut self, e: &syn::Expr) -> Expr {
        let at = self.loc(e);
        let make = |kind, ty| Expr { kind, ty, loc: at };
        match e {
            syn::Expr::Paren(p) => self.expr(&p.expr),
            syn::Expr::Group(g) => self.expr(&g.expr),
            syn::Expr::Lit(l) => self.literal(&l.lit, at),
            syn::Expr::Path(p) if p.qself.is_none() => self.path(&p.path, at),
            syn::Expr::Unary(u) => self.unary(u, at),
            syn::Expr::Binary(b) => self.binary(b, at),
            syn::Expr::Assign(a) => self.assign(a, at),
            syn::Expr::Call(c) => self.call(c, at),
            syn::Expr::MethodCall(c) => self.method_call(c, at),
            syn::Expr::Field(f) => self.field(f, at),
            syn::Expr::If(i) => self.if_expr(i, at),
            syn::Expr::Match(m) => self.match_expr(m, at),
            syn::Expr::Let(l) => self.let_cond(l, at),
            syn::Expr::Block(b) if b.label.is_none() => self.block(&b.block),
            syn::Expr::Loop(l) => self.loop_expr(l.label.as_ref(), None, &l.body, at),
            syn::Expr::While(w) => self.loop_expr(w.label.as_ref(), Some(&w.cond), &w.body, at),
            syn::Expr::ForLoop(f) => self.for_expr(f, at),
            syn::Expr::Break(b) => {
                if let Some(value) = &b.expr {
                    let at = self.loc(value);
                    return self.fail(
                        at,
                        "`break` with a value is not supported",
                        "assign to a variable before the loop",
                    );
                }
                self.leave_loop(b.label.as_ref(), at, true)
            }
            syn::Expr::Continue(c) => self.leave_loop(c.label.as_ref(), at, false),
            syn::Expr::Return(r) => {
                let result = self.result.clone();
                let value = r.expr.as_ref().map(|v| {
                    let v = self.expr(v);
                    let place = v.loc;
                    Box::new(self.coerce_at(v, &result, place))
                });
                if value.is_none() && result != Ty::Unit {
                    return self.fail(at, format!("`return` needs a value of type `{result}`"), "");
                }
                make(Kind::Return(value), Ty::Never)
            }
            syn::Expr::Reference(r) => self.expr(&r.expr),
            syn::Expr::Struct(s) => self.struct_literal(s, at),
            syn::Expr::Tuple(t) if t.elems.is_empty() => make(Kind::Unit, Ty::Unit),
            syn::Expr::Tuple(t) if t.elems.len() == 1 => {
                self.fail(at, "a tuple needs two or more values", "")
            }
            syn::Expr::Tuple(t) => {
                let parts: Vec<_> = t
                    .elems
                    .iter()
                    .map(|e| {
                        let e = self.expr(e);
                        self.settle(e)
                    })
                    .collect();
                let ty = Ty::Tuple(parts.iter().map(|p| p.ty.clone()).collect());
                make(Kind::Pack(Op::PACKSTRUCT, parts), ty)
            }
            syn::Expr::Macro(m) => self.macro_call(&m.mac),
            syn::Expr::Try(t) => {
                let value = self.expr(&t.expr);
                self.try_expr(value, at)
            }
            syn::Expr::Cast(c) => self.cast(c, at),
            other => {
                let (message, help) = unsupported(other);
                self.fail(at, message, help)
            }
        }
    }

    fn literal(&mut self, lit: &syn::Lit, at: Loc) -> Expr {
        match lit {
            syn::Lit::Int(n) => match n.base10_digits().parse::<BigInt>() {
                Ok(_) if !matches!(n.suffix(), "" | "i64" | "i128") => {
                    let message = format!(
                        "machine integers such as `{}` do not exist on NeoVM",
                        n.suffix()
                    );
                    self.fail(at, message, "leave the suffix away")
                }
                // 2^63 itself may stand after a minus; rustc refuses it elsewhere.
                Ok(value) if value > BigInt::from(1) << 63u32 => self.fail(
                    at,
                    "this number does not fit an `i64`",
                    "compute it: `(int(1) << 100) - 1`",
                ),
                Ok(value) => Expr {
                    kind: Kind::Const(Value::Int(value)),
                    ty: Ty::Lit,
                    loc: at,
                },
                Err(_) => self.fail(at, "this number cannot be read", ""),
            },
            syn::Lit::Bool(b) => Expr {
                kind: Kind::Const(Value::Bool(b.value)),
                ty: Ty::Bool,
                loc: at,
            },
            syn::Lit::Str(_) => self.fail(
                at,
                "a string literal is not a value by itself",
                "write `text(\"…\")`",
            ),
            syn::Lit::ByteStr(_) => self.fail(
                at,
                "a byte string literal is not a value by itself",
                "write `bytes(b\"…\")`",
            ),
            syn::Lit::Byte(_) => self.fail(
                at,
                "byte literals are not supported",
                "write the number: `int(0x61)`",
            ),
            syn::Lit::Char(_) => self.fail(
                at,
                "`char` is not supported",
                "write the number: `int(0x61)`",
            ),
            syn::Lit::Float(_) => self.fail(
                at,
                "there are no fractions on NeoVM",
                "use an `Int` in a smaller unit",
            ),
            _ => self.fail(at, "this literal is not supported", ""),
        }
    }

    fn path(&mut self, path: &syn::Path, at: Loc) -> Expr {
        if let Some(name) = path.get_ident() {
            let name = name.to_string();
            if let Some(id) = self.find_local(&name) {
                let ty = self.locals[id].ty.clone();
                return Expr {
                    kind: Kind::Local(id),
                    ty,
                    loc: at,
                };
            }
        }
        match self.resolve(path, false) {
            Some(Def::Const(id)) => match self.p.constant_value(id) {
                Some((ty, value)) => Expr {
                    kind: Kind::Const(value),
                    ty,
                    loc: at,
                },
                None => Expr {
                    kind: Kind::Unit,
                    ty: Ty::Err,
                    loc: at,
                },
            },
            Some(Def::Variant(id, n)) if matches!(self.p.enum_ty(id), Ty::Data(..)) => {
                self.bare_variant(id, n, at)
            }
            Some(Def::Variant(id, n)) => {
                let number = self.p.enum_values(id).get(n).copied().unwrap_or_default();
                let ty = Ty::Enum(id, self.p.enums[id].name.clone());
                Expr {
                    kind: Kind::Const(Value::Int(number.into())),
                    ty,
                    loc: at,
                }
            }
            Some(Def::Framework(name)) => match intrinsics::constant(&name) {
                Some(constant) => framework_constant(constant, at),
                None if name == "None" => self.none(at),
                None => self.fail(
                    at,
                    format!("`{name}` is a function"),
                    "call it: functions are not values here",
                ),
            },
            Some(Def::Fn(_)) => self.fail(
                at,
                "functions are not values here",
                "call it, or `match` on an enum",
            ),
            None if path.is_ident("None") => self.none(at),
            _ => {
                let name = quote::ToTokens::to_token_stream(path)
                    .to_string()
                    .replace(' ', "");
                self.fail(at, format!("cannot find the value `{name}`"), "")
            }
        }
    }

    fn none(&mut self, at: Loc) -> Expr {
        let inner = self.fresh();
        Expr {
            kind: Kind::Const(Value::Null),
            ty: Ty::option(inner),
            loc: at,
        }
    }

    fn field(&mut self, f: &syn::ExprField, at: Loc) -> Expr {
        let base = self.expr(&f.base);
        match (self.shallow(&base.ty), &f.member) {
            (Ty::Err, _) => base,
            (Ty::Struct(id, name), syn::Member::Named(field)) => {
                let fields = self.p.fields(id);
                match fields.iter().position(|(n, _)| field == n) {
                    Some(n) => Expr {
                        ty: fields[n].1.clone(),
                        kind: Kind::Field(Box::new(base), n),
                        loc: at,
                    },
                    None => {
                        let at = loc_of(self.file, field.span());
                        self.fail(at, format!("`{name}` has no field `{field}`"), "")
                    }
                }
            }
            (Ty::Tuple(parts), syn::Member::Unnamed(n)) => match parts.get(n.index as usize) {
                Some(ty) => Expr {
                    ty: ty.clone(),
                    kind: Kind::Field(Box::new(base), n.index as usize),
                    loc: at,
                },
                None => self.fail(at, format!("the tuple has only {} values", parts.len()), ""),
            },
            (other, _) => {
                let other = self.full(&other);
                self.fail(at, format!("`{other}` has no fields"), "")
            }
        }
    }

    fn if_expr(&mut self, i: &syn::ExprIf, at: Loc) -> Expr {
        self.scoped(|c| {
            let cond = c.condition(&i.cond);
            let then = c.block(&i.then_branch);
            let Some((_, other)) = &i.else_branch else {
                let place = then.loc;
                let then = c.coerce_at(then, &Ty::Unit, place);
                return Expr {
                    kind: Kind::If(Box::new(cond), Box::new(then), None),
                    ty: Ty::Unit,
                    loc: at,
                };
            };
            // Names bound by the condition are not seen in the else branch.
            let hidden = c.hide_scope();
            let other = c.expr(other);
            c.unhide_scope(hidden);
            let ty = c.join(&then, &other);
            Expr {
                kind: Kind::If(Box::new(cond), Box::new(then), Some(Box::new(other))),
                ty,
                loc: at,
            }
        })
    }

    /// The common type of two branches.
    pub(super) fn join(&mut self, a: &Expr, b: &Expr) -> Ty {
        match (&a.ty, &b.ty) {
            (Ty::Never, other) | (other, Ty::Never) => other.clone(),
            (Ty::Err, other) | (other, Ty::Err) => other.clone(),
            (x, y) if self.unify(x, y) => x.clone(),
            (x, y) => {
                let (x, y) = (self.full(x), self.full(y));
                self.fail(b.loc, format!("the branches differ: `{x}` and `{y}`"), "");
                Ty::Err
            }
        }
    }

    pub(super) fn condition(&mut self, e: &syn::Expr) -> Expr {
        let cond = self.expr(e);
        let at = cond.loc;
        self.coerce_at(cond, &Ty::Bool, at)
    }

    fn struct_literal(&mut self, s: &syn::ExprStruct, at: Loc) -> Expr {
        let def = if s.path.is_ident("Self") {
            match &self.self_ty {
                Some(Ty::Struct(id, _)) => Some(Def::Struct(*id)),
                _ => None,
            }
        } else {
            self.resolve(&s.path, true)
        };
        let id = match def {
            Some(Def::Struct(id)) => id,
            Some(Def::Variant(id, n)) => return self.variant_literal(id, n, s, at),
            _ => {
                let at = self.loc(&s.path);
                return self.fail(at, "this is not a struct of the contract", "");
            }
        };
        if let Some(rest) = &s.rest {
            let at = self.loc(rest);
            return self.fail(
                at,
                "`..` in a struct literal is not supported",
                "write all fields",
            );
        }
        let declared = self.p.fields(id);
        let name = self.p.structs[id].name.clone();
        let Some(fields) = self.given_fields(s, &declared, &name, at) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        if declared.is_empty() {
            return self.fail(at, "a struct without fields is not supported", "");
        }
        Expr {
            kind: Kind::Struct(fields),
            ty: Ty::Struct(id, name),
            loc: at,
        }
    }

    fn cast(&mut self, c: &syn::ExprCast, at: Loc) -> Expr {
        let value = self.expr(&c.expr);
        let ty = self.p.ty_of(self.module, self.self_ty.as_ref(), &c.ty);
        match (&value.ty, ty) {
            (Ty::Err, _) | (_, Ty::Err) => Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            },
            (Ty::Enum(..), Ty::Lit) => Expr {
                ty: Ty::Lit,
                loc: at,
                ..value
            },
            _ => self.fail(
                at,
                "`as` is only for enums: `int(e as i64)`",
                "integers need no casts: all are `Int`",
            ),
        }
    }
}

fn framework_constant(constant: &Constant, at: Loc) -> Expr {
    let (value, ty) = match constant {
        Constant::Lit(n) => (Value::Int((*n).into()), Ty::Lit),
        Constant::Int(n) => (Value::Int((*n).into()), Ty::Int),
        Constant::Power(exponent, plus, negative) => {
            let n = (BigInt::from(1) << *exponent) + *plus;
            (Value::Int(if *negative { -n } else { n }), Ty::Int)
        }
        Constant::Native(name) => (
            Value::Bytes(
                intrinsics::native_hash(name)
                    .unwrap_or_default()
                    .as_slice()
                    .into(),
            ),
            Ty::Hash160,
        ),
    };
    Expr {
        kind: Kind::Const(value),
        ty,
        loc: at,
    }
}

fn unsupported(e: &syn::Expr) -> (&'static str, &'static str) {
    match e {
        syn::Expr::Closure(_) => ("closures are not supported", "write a function"),
        syn::Expr::Async(_) | syn::Expr::Await(_) => ("`async` is not supported", ""),
        syn::Expr::Unsafe(_) => ("`unsafe` is not supported", ""),
        syn::Expr::Index(_) => (
            "indexing with `[]` is not supported",
            "use `.get(i)`, `.set(i, v)` or `.at(i)`",
        ),
        syn::Expr::Array(_) | syn::Expr::Repeat(_) => {
            ("array literals are not supported", "use `array![a, b]`")
        }
        syn::Expr::Range(_) => (
            "ranges are only supported in patterns and `for`",
            "compare, or use `within(a, b)`",
        ),
        syn::Expr::Block(_) => (
            "labelled blocks are not supported",
            "use a function with an early `return`",
        ),
        _ => ("this expression is not part of the contract language", ""),
    }
}

/// The text of a string literal, if the expression is one.
pub(super) fn string_literal(e: &syn::Expr) -> Option<String> {
    match e {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::Str(s),
            ..
        }) => Some(s.value()),
        syn::Expr::Reference(r) => string_literal(&r.expr),
        syn::Expr::Paren(p) => string_literal(&p.expr),
        _ => None,
    }
}

/// The bytes of a byte string literal, if the expression is one.
pub(super) fn byte_literal(e: &syn::Expr) -> Option<Vec<u8>> {
    match e {
        syn::Expr::Lit(syn::ExprLit {
            lit: syn::Lit::ByteStr(s),
            ..
        }) => Some(s.value()),
        syn::Expr::Reference(r) => byte_literal(&r.expr),
        syn::Expr::Paren(p) => byte_literal(&p.expr),
        _ => None,
    }
}

/// Where an expression's syntax is, for callers that only have the node.
pub(super) fn span_of(e: &syn::Expr) -> proc_macro2::Span {
    e.span()
}
