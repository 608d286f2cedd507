//! Operators and assignment.

use neo_opcode::Op;
use num_bigint::{BigInt, Sign};
use syn::BinOp;

use super::Checker;
use crate::diagnostic::Loc;
use crate::tree::{Expr, Kind, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn unary(&mut self, u: &syn::ExprUnary, at: Loc) -> Expr {
        if let syn::UnOp::Deref(_) = u.op {
            let inner = self.expr(&u.expr);
            return match &inner.kind {
                Kind::Local(id) if self.locals[*id].by_ref => Expr { loc: at, ..inner },
                _ if inner.ty == Ty::Err => inner,
                _ => self.fail(
                    at,
                    "only a parameter that is a reference can be dereferenced",
                    "",
                ),
            };
        }
        let inner = self.expr(&u.expr);
        let ty = self.shallow(&inner.ty);
        match (u.op, &ty) {
            (_, Ty::Err) => inner,
            (syn::UnOp::Neg(_), Ty::Int | Ty::Lit) => match &inner.kind {
                Kind::Const(Value::Int(n)) if in_range(&-n.clone()) => Expr {
                    kind: Kind::Const(Value::Int(-n.clone())),
                    ty,
                    loc: at,
                },
                // Rust's would wrap or stop at the end of `i64`.
                _ if ty == Ty::Lit => self.fail(
                    at,
                    "machine integers cannot be computed with",
                    "make it an `Int`: `-int(x)`",
                ),
                _ => Expr {
                    kind: Kind::Op(Op::NEGATE, vec![inner]),
                    ty,
                    loc: at,
                },
            },
            (syn::UnOp::Not(_), Ty::Bool) => match inner.kind {
                Kind::Const(Value::Bool(b)) => Expr {
                    kind: Kind::Const(Value::Bool(!b)),
                    ty,
                    loc: at,
                },
                _ => Expr {
                    kind: Kind::Op(Op::NOT, vec![inner]),
                    ty,
                    loc: at,
                },
            },
            (syn::UnOp::Not(_), Ty::Int) => Expr {
                kind: Kind::Op(Op::INVERT, vec![inner]),
                ty,
                loc: at,
            },
            _ => {
                let ty = self.full(&ty);
                self.fail(at, format!("this operator does not apply to `{ty}`"), "")
            }
        }
    }

    pub(super) fn binary(&mut self, b: &syn::ExprBinary, at: Loc) -> Expr {
        if let Some(op) = compound(&b.op) {
            return self.compound(b, op, at);
        }
        let left = self.expr(&b.left);
        let right = self.expr(&b.right);
        self.operate(&b.op, left, right, at)
    }

    fn operate(&mut self, op: &BinOp, left: Expr, right: Expr, at: Loc) -> Expr {
        let (l, r) = (self.shallow(&left.ty), self.shallow(&right.ty));
        if l == Ty::Err || r == Ty::Err {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        }
        let make = |kind, ty| Expr { kind, ty, loc: at };
        if matches!(op, BinOp::And(_) | BinOp::Or(_)) {
            let (a, b) = (left.loc, right.loc);
            let left = Box::new(self.coerce_at(left, &Ty::Bool, a));
            let right = Box::new(self.coerce_at(right, &Ty::Bool, b));
            return match op {
                BinOp::And(_) => make(Kind::And(left, right), Ty::Bool),
                _ => make(Kind::Or(left, right), Ty::Bool),
            };
        }
        if matches!(op, BinOp::Eq(_) | BinOp::Ne(_)) {
            return self.equality(op, left, right, at);
        }
        let numbers = matches!((&l, &r), (Ty::Int | Ty::Lit, Ty::Int | Ty::Lit));
        if let (Some(code), true) = (comparison(op), numbers) {
            return make(Kind::Op(code, vec![left, right]), Ty::Bool);
        }
        if l == Ty::Bool && r == Ty::Bool {
            let code = match op {
                BinOp::BitAnd(_) => Some(Op::BOOLAND),
                BinOp::BitOr(_) => Some(Op::BOOLOR),
                BinOp::BitXor(_) => Some(Op::NUMNOTEQUAL),
                _ => None,
            };
            if let Some(code) = code {
                return make(Kind::Op(code, vec![left, right]), Ty::Bool);
            }
        }
        let Some(code) = arithmetic(op) else {
            let (l, r) = (self.full(&l), self.full(&r));
            return self.fail(
                at,
                format!("this operator does not apply to `{l}` and `{r}`"),
                "",
            );
        };
        if !numbers {
            let (l, r) = (self.full(&l), self.full(&r));
            let help = if l.is_bytes() {
                "join bytes with `.concat(&other)`"
            } else {
                ""
            };
            return self.fail(
                at,
                format!("this operator does not apply to `{l}` and `{r}`"),
                help,
            );
        }
        let ty = if l == Ty::Lit && r == Ty::Lit {
            Ty::Lit
        } else {
            Ty::Int
        };
        if let (Kind::Const(Value::Int(a)), Kind::Const(Value::Int(b))) = (&left.kind, &right.kind)
            && let Some(value) = fold(code, a, b)
            && (ty == Ty::Int || i64::try_from(&value).is_ok())
        {
            return make(Kind::Const(Value::Int(value)), ty);
        }
        if ty == Ty::Lit {
            return self.fail(
                at,
                "machine integers cannot be computed with",
                "make one side an `Int`: `int(X) + 1`",
            );
        }
        make(Kind::Op(code, vec![left, right]), ty)
    }

    fn equality(&mut self, op: &BinOp, left: Expr, right: Expr, at: Loc) -> Expr {
        let (l, r) = (self.shallow(&left.ty), self.shallow(&right.ty));
        let equal = matches!(op, BinOp::Eq(_));
        let same =
            matches!((&l, &r), (Ty::Int, Ty::Lit) | (Ty::Lit, Ty::Int)) || self.unify(&l, &r);
        if !same {
            let (l, r) = (self.full(&l), self.full(&r));
            return self.fail(at, format!("cannot compare `{l}` with `{r}`"), "");
        }
        let ty = self.full(&l);
        let number = ty.is_number() || ty == Ty::Bool;
        let code = match (&ty, equal) {
            _ if number && equal => Op::NUMEQUAL,
            _ if number => Op::NUMNOTEQUAL,
            (Ty::Option(t), true) if self.plain(t) => Op::EQUAL,
            (Ty::Option(t), false) if self.plain(t) => Op::NOTEQUAL,
            (t, true) if t.is_bytes() => Op::EQUAL,
            (t, false) if t.is_bytes() => Op::NOTEQUAL,
            _ => {
                let help =
                    "compare the parts; an `Any` by what it holds, an `Option` by `is_none()`";
                return self.fail(at, format!("`==` on `{ty}` is not supported"), help);
            }
        };
        Expr {
            kind: Kind::Op(code, vec![left, right]),
            ty: Ty::Bool,
            loc: at,
        }
    }

    /// Whether EQUAL compares values of the type by value.
    fn plain(&self, ty: &Ty) -> bool {
        matches!(ty, Ty::Int | Ty::Bool | Ty::Enum(..)) || ty.is_bytes()
    }

    pub(super) fn assign(&mut self, a: &syn::ExprAssign, at: Loc) -> Expr {
        if let syn::Expr::Infer(_) = &*a.left {
            let value = self.expr(&a.right);
            return Expr {
                kind: Kind::Block(vec![crate::tree::Stmt::Expr(value)], None),
                ty: Ty::Unit,
                loc: at,
            };
        }
        let place = self.place(&a.left);
        let value = self.expr(&a.right);
        self.store(place, value, at)
    }

    fn compound(&mut self, b: &syn::ExprBinary, op: BinOp, at: Loc) -> Expr {
        let place = self.place(&b.left);
        let right = self.expr(&b.right);
        if place.ty == Ty::Err {
            return place;
        }
        // On `bool`, a primitive, Rust reads the place after it has worked out the right side, which may change it.
        // The three operators of `bool` give the same either way round.
        let value = if self.shallow(&place.ty) == Ty::Bool {
            self.operate(&op, right, place.clone(), at)
        } else {
            self.operate(&op, place.clone(), right, at)
        };
        self.store(place, value, at)
    }

    /// The left side of an assignment: a variable, or a field of a field of … of a variable.
    fn place(&mut self, e: &syn::Expr) -> Expr {
        let at = self.loc(e);
        if let syn::Expr::Unary(syn::ExprUnary {
            op: syn::UnOp::Deref(_),
            ..
        }) = e
        {
            return self.fail(
                at,
                "assigning through a reference is not supported",
                "assign to its fields, or return the new value",
            );
        }
        if let syn::Expr::Index(_) = e {
            return self.fail(
                at,
                "indexing with `[]` is not supported",
                "use `.set(i, v)`",
            );
        }
        if let syn::Expr::Tuple(_) = e {
            return self.fail(
                at,
                "assigning to several places at once is not supported",
                "assign one after the other",
            );
        }
        let place = self.expr(e);
        let mut base = &place;
        let mut tuple = false;
        while let Kind::Field(inner, _) = &base.kind {
            tuple |= matches!(self.shallow(&inner.ty), Ty::Tuple(_)) && std::ptr::eq(base, &place);
            base = inner;
        }
        if tuple {
            return self.fail(
                at,
                "a part of a tuple cannot be assigned",
                "build a new tuple, or use a struct",
            );
        }
        match &base.kind {
            Kind::Local(id) if std::ptr::eq(base, &place) => {
                let local = &self.locals[*id];
                if local.by_ref {
                    return self.fail(
                        at,
                        "a reference parameter cannot be replaced",
                        "assign to its fields",
                    );
                }
                if !local.mutable {
                    let message = format!("`{}` is not mutable", local.name);
                    return self.fail(at, message, "declare it with `let mut`");
                }
                place
            }
            Kind::Local(_) => place,
            _ if place.ty == Ty::Err => place,
            _ => self.fail(
                at,
                "this cannot be assigned to",
                "assign to a variable or to a field of one",
            ),
        }
    }

    fn store(&mut self, place: Expr, value: Expr, at: Loc) -> Expr {
        if place.ty == Ty::Err || value.ty == Ty::Err {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        }
        let value_at = value.loc;
        let value = self.coerce_at(value, &place.ty, value_at);
        let kind = match place.kind {
            Kind::Local(id) => Kind::Assign(id, Box::new(value)),
            Kind::Field(base, n) => Kind::AssignField(base, n, Box::new(value)),
            _ => Kind::Unit,
        };
        Expr {
            kind,
            ty: Ty::Unit,
            loc: at,
        }
    }
}

/// Whether NeoVM has the number.
pub(super) fn in_range(n: &BigInt) -> bool {
    let limit = BigInt::from(1) << 255u32;
    if n.sign() == Sign::Minus {
        -n <= limit
    } else {
        *n < limit
    }
}

fn fold(op: Op, a: &BigInt, b: &BigInt) -> Option<BigInt> {
    let zero = BigInt::from(0);
    let value = match op {
        Op::ADD => a + b,
        Op::SUB => a - b,
        Op::MUL => a * b,
        // Both truncate toward zero, as NeoVM does.
        Op::DIV if *b != zero => a / b,
        Op::MOD if *b != zero => a % b,
        Op::AND => a & b,
        Op::OR => a | b,
        Op::XOR => a ^ b,
        Op::SHL => a << u32::try_from(b).ok().filter(|n| *n <= 256)?,
        Op::SHR => a >> u32::try_from(b).ok().filter(|n| *n <= 256)?,
        _ => return None,
    };
    in_range(&value).then_some(value)
}

fn comparison(op: &BinOp) -> Option<Op> {
    Some(match op {
        BinOp::Lt(_) => Op::LT,
        BinOp::Le(_) => Op::LE,
        BinOp::Gt(_) => Op::GT,
        BinOp::Ge(_) => Op::GE,
        _ => return None,
    })
}

fn arithmetic(op: &BinOp) -> Option<Op> {
    Some(match op {
        BinOp::Add(_) => Op::ADD,
        BinOp::Sub(_) => Op::SUB,
        BinOp::Mul(_) => Op::MUL,
        BinOp::Div(_) => Op::DIV,
        BinOp::Rem(_) => Op::MOD,
        BinOp::BitAnd(_) => Op::AND,
        BinOp::BitOr(_) => Op::OR,
        BinOp::BitXor(_) => Op::XOR,
        BinOp::Shl(_) => Op::SHL,
        BinOp::Shr(_) => Op::SHR,
        _ => return None,
    })
}

/// The plain operator of `+=` and its like.
fn compound(op: &BinOp) -> Option<BinOp> {
    Some(match op {
        BinOp::AddAssign(t) => BinOp::Add(syn::Token![+](t.spans[0])),
        BinOp::SubAssign(t) => BinOp::Sub(syn::Token![-](t.spans[0])),
        BinOp::MulAssign(t) => BinOp::Mul(syn::Token![*](t.spans[0])),
        BinOp::DivAssign(t) => BinOp::Div(syn::Token![/](t.spans[0])),
        BinOp::RemAssign(t) => BinOp::Rem(syn::Token![%](t.spans[0])),
        BinOp::BitAndAssign(t) => BinOp::BitAnd(syn::Token![&](t.spans[0])),
        BinOp::BitOrAssign(t) => BinOp::BitOr(syn::Token![|](t.spans[0])),
        BinOp::BitXorAssign(t) => BinOp::BitXor(syn::Token![^](t.spans[0])),
        BinOp::ShlAssign(t) => BinOp::Shl(syn::Token![<<]([t.spans[0], t.spans[1]])),
        BinOp::ShrAssign(t) => BinOp::Shr(syn::Token![>>]([t.spans[0], t.spans[1]])),
        _ => return None,
    })
}
