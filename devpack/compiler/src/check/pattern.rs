//! Patterns, `match`, `if let`.

use num_bigint::BigInt;

use super::Checker;
use crate::diagnostic::Loc;
use crate::program::{Def, Shape, loc_of};
use crate::tree::{Arm, Expr, Kind, Match, Pattern, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn match_expr(&mut self, m: &syn::ExprMatch, at: Loc) -> Expr {
        let scrutinee = self.expr(&m.expr);
        let by_ref = self.is_reference(&m.expr, &scrutinee);
        let ty = self.shallow(&scrutinee.ty);
        let temp = self.scoped(|c| c.local("", ty.clone(), false));
        let mut arms: Vec<Arm> = Vec::new();
        let mut result: Option<Expr> = None;
        let mut joined = Ty::Never;
        for arm in &m.arms {
            if !crate::program::enabled(&arm.attrs) {
                continue;
            }
            let (pat, guard) = match &arm.pat {
                syn::Pat::Guard(g) => (&*g.pat, Some(&*g.guard)),
                other => (other, None),
            };
            let arm = self.scoped(|c| {
                let pattern = c.pattern_of(pat, &ty, by_ref);
                let guard = guard.map(|g| c.condition(g));
                let body = c.expr(&arm.body);
                Arm {
                    pattern,
                    guard,
                    body,
                }
            });
            joined = match &result {
                Some(before) => self.join(before, &arm.body),
                None => arm.body.ty.clone(),
            };
            let mut shown = arm.body.clone();
            shown.kind = Kind::Unit;
            shown.ty = joined.clone();
            result = Some(shown);
            arms.push(arm);
        }
        let unguarded: Vec<&Pattern> = arms
            .iter()
            .filter(|a| a.guard.is_none())
            .map(|a| &a.pattern)
            .collect();
        if ty != Ty::Err && !self.exhaustive(&ty, &unguarded) {
            let place = self.place_of(&m.expr);
            return self.fail(place, "the arms do not cover every value", "add a `_` arm");
        }
        Expr {
            kind: Kind::Match(Box::new(Match {
                scrutinee,
                temp,
                arms,
            })),
            ty: joined,
            loc: at,
        }
    }

    pub(super) fn let_cond(&mut self, l: &syn::ExprLet, at: Loc) -> Expr {
        let value = self.expr(&l.expr);
        let by_ref = self.is_reference(&l.expr, &value);
        let ty = self.shallow(&value.ty);
        let temp = self.local("", ty.clone(), false);
        let pattern = self.pattern_of(&l.pat, &ty, by_ref);
        Expr {
            kind: Kind::Let(Box::new(pattern), Box::new(value), temp),
            ty: Ty::Bool,
            loc: at,
        }
    }

    /// Whether Rust makes references of the names in a pattern for that value.
    fn is_reference(&self, written: &syn::Expr, e: &Expr) -> bool {
        match written {
            syn::Expr::Reference(_) => true,
            syn::Expr::Paren(p) => self.is_reference(&p.expr, e),
            _ => matches!(&e.kind, Kind::Local(id) if self.locals[*id].by_ref),
        }
    }

    fn pattern_of(&mut self, pat: &syn::Pat, ty: &Ty, by_ref: bool) -> Pattern {
        let before = std::mem::replace(&mut self.by_ref, by_ref);
        let pattern = self.pattern(pat, ty);
        self.by_ref = before;
        pattern
    }

    pub(super) fn pattern(&mut self, pat: &syn::Pat, ty: &Ty) -> Pattern {
        let at = self.loc(pat);
        let ty = &self.shallow(ty);
        match pat {
            syn::Pat::Wild(_) => Pattern::Wild,
            syn::Pat::Paren(p) => self.pattern(&p.pat, ty),
            syn::Pat::Ident(name) if name.by_ref.is_none() && name.subpat.is_none() => {
                if name.ident == "None" && matches!(ty, Ty::Option(_)) {
                    return Pattern::None;
                }
                let path = syn::Path::from(name.ident.clone());
                if let Some(Def::Const(_) | Def::Variant(..)) = self.resolve(&path, false) {
                    return self.value_pattern(&path, ty, at);
                }
                if matches!(ty, Ty::Small | Ty::Slice) {
                    self.fail(
                        at,
                        "a pattern cannot give a name to this",
                        "use the variable that is matched on",
                    );
                }
                let id = self.local(
                    &name.ident.to_string(),
                    ty.clone(),
                    name.mutability.is_some(),
                );
                self.locals[id].by_ref = self.by_ref;
                Pattern::Bind(id)
            }
            syn::Pat::Path(p) => self.value_pattern(&p.path, ty, at),
            syn::Pat::Lit(l) => self.literal_pattern(&l.lit, ty, at),
            syn::Pat::Range(r) => {
                let low = r.start.as_ref().and_then(|e| self.range_end(e));
                let mut high = r.end.as_ref().and_then(|e| self.range_end(e));
                if let (syn::RangeLimits::HalfOpen(_), Some(n)) = (&r.limits, &high) {
                    high = Some(n - 1);
                }
                if !matches!(ty, Ty::Small | Ty::Lit | Ty::Err) {
                    self.fail(
                        at,
                        "a range pattern needs `.small()` on the value",
                        "write `match x.small() { … }`",
                    );
                }
                saturate(low, high)
            }
            syn::Pat::Or(or) => {
                let parts: Vec<_> = or.cases.iter().map(|p| self.pattern(p, ty)).collect();
                if parts.iter().any(Pattern::binds) {
                    self.fail(
                        at,
                        "names in `|` patterns are not supported",
                        "write two arms",
                    );
                }
                Pattern::Or(parts)
            }
            syn::Pat::TupleStruct(t) if t.path.is_ident("Some") && t.elems.len() == 1 => {
                let inner = self.fresh();
                if !self.unify(ty, &Ty::option(inner.clone())) {
                    let ty = self.full(ty);
                    self.fail(
                        at,
                        format!("expected a pattern for `{ty}`, found `Some(…)`"),
                        "",
                    );
                    return Pattern::Wild;
                }
                match t.elems.first() {
                    Some(p) => Pattern::Some(Box::new(self.pattern(p, &inner))),
                    None => Pattern::Wild,
                }
            }
            syn::Pat::TupleStruct(t)
                if (t.path.is_ident("Ok") || t.path.is_ident("Err")) && t.elems.len() == 1 =>
            {
                let (value, error) = (self.fresh(), self.fresh());
                let ok = t.path.is_ident("Ok");
                if !self.unify(ty, &Ty::result(value.clone(), error.clone())) {
                    let ty = self.full(ty);
                    let message =
                        format!("expected a pattern for `{ty}`, found one for a `Result`");
                    self.fail(at, message, "");
                    return Pattern::Wild;
                }
                let inner = if ok { value.clone() } else { error };
                let inner = match t.elems.first() {
                    Some(p) => Box::new(self.pattern(p, &inner)),
                    None => Box::new(Pattern::Wild),
                };
                if ok {
                    Pattern::Ok(inner, value)
                } else {
                    Pattern::Err(inner, value)
                }
            }
            syn::Pat::TupleStruct(t) => self.variant_pattern(t, ty, at),
            syn::Pat::Struct(s) => self.struct_pattern(s, ty, at),
            syn::Pat::Tuple(t) if t.elems.is_empty() && matches!(ty, Ty::Unit) => Pattern::Wild,
            syn::Pat::Tuple(t) => {
                let parts: Vec<Ty> = match ty {
                    Ty::Tuple(parts) => parts.to_vec(),
                    Ty::Err => t.elems.iter().map(|_| Ty::Err).collect(),
                    other => {
                        let other = self.full(other);
                        self.fail(at, format!("expected a pattern for `{other}`"), "");
                        return Pattern::Wild;
                    }
                };
                Pattern::Parts(None, self.parts(&t.elems, &parts, 0, at))
            }
            syn::Pat::Guard(_) => {
                self.fail(at, "a guard is only possible on a whole arm", "");
                Pattern::Wild
            }
            syn::Pat::Reference(_) => {
                self.fail(
                    at,
                    "reference patterns are not supported",
                    "leave the `&` away",
                );
                Pattern::Wild
            }
            _ => {
                self.fail(
                    at,
                    "this pattern is not supported",
                    "use names, `_`, literals, constants, `Some`, `None`, enums or tuples",
                );
                Pattern::Wild
            }
        }
    }

    /// Patterns for items in order; `..` stands for all that are not named. `offset` items come before.
    fn parts<'s>(
        &mut self,
        elems: impl IntoIterator<Item = &'s syn::Pat, IntoIter: DoubleEndedIterator>,
        types: &[Ty],
        offset: usize,
        at: Loc,
    ) -> Vec<(usize, Pattern)> {
        let elems: Vec<&syn::Pat> = elems.into_iter().collect();
        let rest = elems.iter().position(|p| matches!(p, syn::Pat::Rest(_)));
        let given = elems.len() - usize::from(rest.is_some());
        if given > types.len() || (rest.is_none() && given != types.len()) {
            let message = format!("the pattern has {given} parts, the value {}", types.len());
            self.fail(at, message, "write `..` for the others");
            return Vec::new();
        }
        let mut out = Vec::new();
        for (n, pat) in elems.iter().enumerate() {
            let n = match rest {
                Some(at) if n == at => continue,
                Some(at) if n > at => n + types.len() - elems.len(),
                _ => n,
            };
            if let Some(ty) = types.get(n) {
                out.push((n + offset, self.pattern(pat, ty)));
            }
        }
        out
    }

    /// The variant that a path in a pattern names, with the item that tells it from the others.
    fn variant(
        &mut self,
        path: &syn::Path,
        ty: &Ty,
        shape: Shape,
        at: Loc,
    ) -> Option<(Option<usize>, crate::program::Variant)> {
        let Some(Def::Variant(id, n)) = self.resolve(path, true) else {
            self.fail(
                at,
                "this pattern is not supported",
                "use names, `_`, literals, constants, `Some`, `None`, `Ok`, `Err`, enums, structs or tuples",
            );
            return None;
        };
        let own = self.p.enum_ty(id);
        if !self.unify(ty, &own) {
            let ty = self.full(ty);
            self.fail(
                at,
                format!("a pattern of type `{own}` does not fit `{ty}`"),
                "",
            );
            return None;
        }
        let variants = match own {
            Ty::Data(..) => self.p.variants(id),
            _ => [].into(),
        };
        let Some(variant) = variants.get(n).filter(|v| v.shape == shape) else {
            self.fail(at, "the variant is not written like this", "");
            return None;
        };
        Some(((variants.len() > 1).then_some(n), variant.clone()))
    }

    fn variant_pattern(&mut self, t: &syn::PatTupleStruct, ty: &Ty, at: Loc) -> Pattern {
        let Some((tag, variant)) = self.variant(&t.path, ty, Shape::Tuple, at) else {
            return Pattern::Wild;
        };
        let types: Vec<Ty> = variant.fields.into_iter().map(|(_, ty)| ty).collect();
        Pattern::Parts(tag, self.parts(&t.elems, &types, 1, at))
    }

    fn struct_pattern(&mut self, s: &syn::PatStruct, ty: &Ty, at: Loc) -> Pattern {
        let def = self.resolve(&s.path, true);
        let own = match (&def, &self.self_ty) {
            (Some(Def::Struct(id)), _) => Some(*id),
            (None, Some(Ty::Struct(id, _))) if s.path.is_ident("Self") => Some(*id),
            _ => None,
        };
        let (tag, fields, offset) = match own {
            Some(id) => {
                let own = Ty::Struct(id, self.p.structs[id].name.clone());
                if !self.unify(ty, &own) {
                    let ty = self.full(ty);
                    self.fail(
                        at,
                        format!("a pattern of type `{own}` does not fit `{ty}`"),
                        "",
                    );
                    return Pattern::Wild;
                }
                (None, self.p.fields(id).to_vec(), 0)
            }
            None => match self.variant(&s.path, ty, Shape::Named, at) {
                Some((tag, variant)) => (tag, variant.fields, 1),
                None => return Pattern::Wild,
            },
        };
        let mut parts = Vec::new();
        for field in &s.fields {
            let syn::Member::Named(member) = &field.member else {
                self.fail(at, "a field has a name", "");
                continue;
            };
            match fields.iter().position(|(name, _)| member == name) {
                Some(n) => parts.push((n + offset, self.pattern(&field.pat, &fields[n].1))),
                None => {
                    let place = loc_of(self.file, member.span());
                    self.fail(place, format!("there is no field `{member}`"), "");
                }
            }
        }
        if s.rest.is_none() && parts.len() < fields.len() {
            self.fail(
                at,
                "the pattern does not name all fields",
                "write `..` for the others",
            );
        }
        Pattern::Parts(tag, parts)
    }

    fn value_pattern(&mut self, path: &syn::Path, ty: &Ty, at: Loc) -> Pattern {
        if let Some(Def::Variant(id, _)) = self.resolve(path, false)
            && matches!(self.p.enum_ty(id), Ty::Data(..))
        {
            return match self.variant(path, ty, Shape::Bare, at) {
                Some((tag, _)) => Pattern::Parts(tag, Vec::new()),
                None => Pattern::Wild,
            };
        }
        let e = self.expr(&syn::Expr::Path(syn::ExprPath {
            attrs: Vec::new(),
            qself: None,
            path: path.clone(),
        }));
        let Kind::Const(value) = e.kind else {
            if e.ty != Ty::Err {
                self.fail(
                    at,
                    "this pattern is not supported",
                    "use a constant or an enum's variant",
                );
            }
            return Pattern::Wild;
        };
        let fits = match (&e.ty, ty) {
            (_, Ty::Err) | (Ty::Lit, Ty::Small | Ty::Lit) => true,
            (Ty::Bytes, Ty::Bytes) | (Ty::Text, Ty::Text) => false,
            (a, b) => self.unify(a, b),
        };
        if !fits {
            let (e, ty) = (self.full(&e.ty), self.full(ty));
            let help = if ty == Ty::Int {
                "write `match x.small() { … }`"
            } else {
                ""
            };
            self.fail(
                at,
                format!("a pattern of type `{e}` does not fit `{ty}`"),
                help,
            );
            return Pattern::Wild;
        }
        match value {
            Value::Int(n) if matches!(ty, Ty::Small | Ty::Lit) => {
                saturate(Some(n.clone()), Some(n))
            }
            Value::Int(n) => Pattern::Range(Some(n.clone()), Some(n)),
            Value::Bool(b) => Pattern::Bool(b),
            Value::Bytes(data) => Pattern::Bytes(data),
            Value::Null => Pattern::None,
        }
    }

    fn literal_pattern(&mut self, lit: &syn::Lit, ty: &Ty, at: Loc) -> Pattern {
        match (lit, ty) {
            (syn::Lit::Int(n), Ty::Small | Ty::Lit) => match n.base10_digits().parse::<BigInt>() {
                Ok(n) => saturate(Some(n.clone()), Some(n)),
                Err(_) => Pattern::Wild,
            },
            (syn::Lit::Int(_), Ty::Int) => {
                self.fail(
                    at,
                    "an `Int` cannot be matched with a literal",
                    "write `match x.small() { … }`",
                );
                Pattern::Wild
            }
            (syn::Lit::Bool(b), Ty::Bool) => Pattern::Bool(b.value),
            (syn::Lit::ByteStr(s), Ty::Slice) => Pattern::Bytes(s.value().into()),
            (syn::Lit::ByteStr(_), Ty::Bytes) => {
                self.fail(
                    at,
                    "`Bytes` cannot be matched with a literal",
                    "write `match x.as_slice() { … }`",
                );
                Pattern::Wild
            }
            (_, Ty::Err) => Pattern::Wild,
            _ => {
                let ty = self.full(ty);
                self.fail(at, format!("this literal does not fit `{ty}`"), "");
                Pattern::Wild
            }
        }
    }

    fn range_end(&mut self, e: &syn::Expr) -> Option<BigInt> {
        let e = self.expr(e);
        match (e.kind, e.ty) {
            (Kind::Const(Value::Int(n)), Ty::Lit) => Some(n),
            (_, Ty::Err) => None,
            _ => {
                self.fail(e.loc, "a range ends in literals or `i64` constants", "");
                None
            }
        }
    }
}

/// `.small()` saturates at the ends of `i64`, so a pattern that reaches an end has no end.
fn saturate(low: Option<BigInt>, high: Option<BigInt>) -> Pattern {
    let low = low.filter(|n| *n > BigInt::from(i64::MIN));
    let high = high.filter(|n| *n < BigInt::from(i64::MAX));
    Pattern::Range(low, high)
}
