//! Enums with values and `Result`: building them, `?`.

use neo_opcode::Op;

use super::Checker;
use crate::diagnostic::Loc;
use crate::program::{Shape, loc_of};
use crate::tree::{Expr, Kind, Pattern, Stmt, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    /// The item that says which variant a value is.
    fn tag(&self, n: usize, at: Loc) -> Expr {
        Expr {
            kind: Kind::Const(Value::Int(n.into())),
            ty: Ty::Int,
            loc: at,
        }
    }

    /// `Order::Cancel`.
    pub(super) fn bare_variant(&mut self, id: usize, n: usize, at: Loc) -> Expr {
        let variants = self.p.variants(id);
        match variants.get(n) {
            Some(v) if v.shape != Shape::Bare => {
                let help = match v.shape {
                    Shape::Named => format!("write `{} {{ … }}`", v.name),
                    _ => format!("write `{}(…)`", v.name),
                };
                self.fail(at, format!("`{}` carries values", v.name), &help)
            }
            _ => Expr {
                kind: Kind::Pack(Op::PACKSTRUCT, vec![self.tag(n, at)]),
                ty: self.p.enum_ty(id),
                loc: at,
            },
        }
    }

    /// `Order::Buy(price)`.
    pub(super) fn variant_call(
        &mut self,
        id: usize,
        n: usize,
        args: &[&syn::Expr],
        at: Loc,
    ) -> Expr {
        let ty = self.p.enum_ty(id);
        let variant = match ty {
            Ty::Data(..) => self.p.variants(id).get(n).cloned(),
            _ => None,
        };
        let Some(variant) = variant.filter(|v| v.shape == Shape::Tuple) else {
            return self.fail(at, "this variant is not written with `(…)`", "");
        };
        if variant.fields.len() != args.len() {
            let message = format!(
                "`{}` carries {} values, {} are given",
                variant.name,
                variant.fields.len(),
                args.len()
            );
            return self.fail(at, message, "");
        }
        let mut parts = vec![self.tag(n, at)];
        for (arg, (_, ty)) in args.iter().zip(&variant.fields) {
            let value = self.expr(arg);
            let place = value.loc;
            parts.push(self.coerce_at(value, ty, place));
        }
        Expr {
            kind: Kind::Pack(Op::PACKSTRUCT, parts),
            ty,
            loc: at,
        }
    }

    /// `Order::Sell { amount, to }`.
    pub(super) fn variant_literal(
        &mut self,
        id: usize,
        n: usize,
        s: &syn::ExprStruct,
        at: Loc,
    ) -> Expr {
        let ty = self.p.enum_ty(id);
        let variant = match ty {
            Ty::Data(..) => self.p.variants(id).get(n).cloned(),
            _ => None,
        };
        let Some(variant) = variant.filter(|v| v.shape == Shape::Named && s.rest.is_none()) else {
            return self.fail(at, "this variant is not written with `{ … }`", "");
        };
        let Some(given) = self.given_fields(s, &variant.fields, &variant.name, at) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        let mut fields = vec![(0, self.tag(n, at))];
        fields.extend(given.into_iter().map(|(m, e)| (m + 1, e)));
        Expr {
            kind: Kind::Struct(fields),
            ty,
            loc: at,
        }
    }

    /// The fields of a literal as written, with their declared positions.
    pub(super) fn given_fields(
        &mut self,
        s: &syn::ExprStruct,
        declared: &[(String, Ty)],
        name: &str,
        at: Loc,
    ) -> Option<Vec<(usize, Expr)>> {
        let mut fields = Vec::new();
        for field in &s.fields {
            let syn::Member::Named(member) = &field.member else {
                continue;
            };
            let place = loc_of(self.file, member.span());
            let Some(n) = declared.iter().position(|(f, _)| member == f) else {
                self.fail(place, format!("`{name}` has no field `{member}`"), "");
                continue;
            };
            let value = self.expr(&field.expr);
            let place = value.loc;
            fields.push((n, self.coerce_at(value, &declared[n].1, place)));
        }
        for (n, (field, _)) in declared.iter().enumerate() {
            if fields.iter().filter(|(m, _)| *m == n).count() != 1 {
                self.fail(at, format!("the field `{field}` must be given once"), "");
                return None;
            }
        }
        Some(fields)
    }

    /// `Ok(x)` and `Err(e)`.
    pub(super) fn result_value(&mut self, ok: bool, args: &[&syn::Expr], at: Loc) -> Expr {
        let [inner] = args else {
            return self.fail(at, "`Ok` and `Err` take one value", "");
        };
        let value = self.expr(inner);
        let value = self.settle(value);
        let other = self.fresh();
        let ty = if ok {
            Ty::result(value.ty.clone(), other)
        } else {
            Ty::result(other, value.ty.clone())
        };
        let value = Box::new(value);
        Expr {
            kind: if ok {
                Kind::Ok(value)
            } else {
                Kind::Err(value)
            },
            ty,
            loc: at,
        }
    }

    pub(super) fn try_expr(&mut self, value: Expr, at: Loc) -> Expr {
        let ty = self.shallow(&value.ty);
        if ty == Ty::Err {
            return value;
        }
        let result = self.result.clone();
        let inner = self.fresh();
        let wanted = match (&ty, &result) {
            (Ty::Option(_), Ty::Option(_)) => Ty::option(inner.clone()),
            (Ty::Result(_), Ty::Result(te)) => Ty::result(inner.clone(), te.1.clone()),
            (Ty::Option(_), _) => {
                let help = match result {
                    Ty::Result(_) => "make an error of `None`: `x.ok_or(e)?`",
                    _ => "use `expect(\"…\")`",
                };
                let message =
                    "`?` on an `Option` is only possible in a function that returns an `Option`";
                return self.fail(at, message, help);
            }
            (Ty::Result(_), _) => {
                let message =
                    "`?` on a `Result` is only possible in a function that returns a `Result`";
                return self.fail(at, message, "use `expect(\"…\")`");
            }
            _ => {
                let ty = self.full(&ty);
                let message = format!("`?` needs an `Option` or a `Result`, this is `{ty}`");
                return self.fail(at, message, "");
            }
        };
        if !self.unify(&value.ty, &wanted) {
            let (ty, wanted) = (self.full(&ty), self.full(&result));
            let message =
                format!("`?` cannot pass the error of a `{ty}` on as that of a `{wanted}`");
            return self.fail(at, message, "errors are not converted: use `match`");
        }
        Expr {
            kind: Kind::Try(Box::new(value)),
            ty: inner,
            loc: at,
        }
    }

    /// `Ok` and `Err` in patterns become what the `Result`'s item is made of.
    pub(super) fn finish_patterns(&self, e: &mut Expr) {
        match &mut e.kind {
            Kind::Let(pattern, _, _) => self.finish_pattern(pattern),
            Kind::Match(m) => m
                .arms
                .iter_mut()
                .for_each(|arm| self.finish_pattern(&mut arm.pattern)),
            Kind::For(_, each) => self.finish_pattern(&mut each.pattern),
            Kind::Block(stmts, _) => {
                for stmt in stmts {
                    if let Stmt::Let(pattern, ..) = stmt {
                        self.finish_pattern(pattern);
                    }
                }
            }
            _ => {}
        }
    }

    fn finish_pattern(&self, pattern: &mut Pattern) {
        let (ok, inner, value) = match pattern {
            Pattern::Some(inner) => return self.finish_pattern(inner),
            Pattern::Or(list) => return list.iter_mut().for_each(|p| self.finish_pattern(p)),
            Pattern::Parts(_, parts) => {
                return parts.iter_mut().for_each(|(_, p)| self.finish_pattern(p));
            }
            Pattern::Ok(inner, value) => (true, inner, value),
            Pattern::Err(inner, value) => (false, inner, value),
            _ => return,
        };
        self.finish_pattern(inner);
        let bare = self.full(value) == Ty::Unit;
        let inner = std::mem::replace(&mut **inner, Pattern::Wild);
        *pattern = match (bare, ok) {
            (true, true) => Pattern::None,
            (true, false) => Pattern::Some(Box::new(inner)),
            (false, _) => Pattern::Parts(Some(usize::from(!ok)), vec![(1, inner)]),
        };
    }
}
