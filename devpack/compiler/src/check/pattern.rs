//! Patterns, `match`, `if let`.

use num_bigint::BigInt;

use super::Checker;
use super::infer::pattern_parts;
use crate::diagnostic::Loc;
use crate::program::Def;
use crate::tree::{Arm, Expr, Kind, Match, Pattern, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn match_expr(&mut self, m: &syn::ExprMatch, at: Loc) -> Expr {
        let scrutinee = self.expr(&m.expr);
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
                let pattern = c.pattern(pat, &ty);
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
        let ty = self.shallow(&value.ty);
        let temp = self.local("", ty.clone(), false);
        let pattern = self.pattern(&l.pat, &ty);
        Expr {
            kind: Kind::Let(Box::new(pattern), Box::new(value), temp),
            ty: Ty::Bool,
            loc: at,
        }
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
                Pattern::Bind(self.local(
                    &name.ident.to_string(),
                    ty.clone(),
                    name.mutability.is_some(),
                ))
            }
            syn::Pat::Path(p) => self.value_pattern(&p.path, ty, at),
            syn::Pat::Lit(l) => self.literal_pattern(&l.lit, ty, at),
            syn::Pat::Range(r) => {
                let low = r.start.as_ref().and_then(|e| self.range_end(e));
                let mut high = r.end.as_ref().and_then(|e| self.range_end(e));
                if let (syn::RangeLimits::HalfOpen(_), Some(n)) = (&r.limits, &high) {
                    high = Some(n - 1);
                }
                if !matches!(ty, Ty::Small | Ty::Err) {
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
            syn::Pat::Tuple(t) => self.tuple_pattern(t, ty, at),
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

    fn tuple_pattern(&mut self, t: &syn::PatTuple, ty: &Ty, at: Loc) -> Pattern {
        let parts: Vec<Ty> = match ty {
            Ty::Tuple(parts) if parts.len() == t.elems.len() => parts.to_vec(),
            Ty::Err => t.elems.iter().map(|_| Ty::Err).collect(),
            other => {
                let other = self.full(other);
                self.fail(at, format!("expected a pattern for `{other}`"), "");
                return Pattern::Wild;
            }
        };
        let parts: Vec<_> = t
            .elems
            .iter()
            .zip(&parts)
            .map(|(p, ty)| self.pattern(p, ty))
            .collect();
        if !parts.iter().all(Pattern::always) {
            self.fail(
                at,
                "a tuple pattern may only hold names and `_`",
                "match on the parts one after the other",
            );
        }
        Pattern::Tuple(parts)
    }

    fn value_pattern(&mut self, path: &syn::Path, ty: &Ty, at: Loc) -> Pattern {
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
            (_, Ty::Err) | (Ty::Lit, Ty::Small) => true,
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
            Value::Int(n) if *ty == Ty::Small => saturate(Some(n.clone()), Some(n)),
            Value::Int(n) => Pattern::Range(Some(n.clone()), Some(n)),
            Value::Bool(b) => Pattern::Bool(b),
            Value::Bytes(data) => Pattern::Bytes(data),
            Value::Null => Pattern::None,
        }
    }

    fn literal_pattern(&mut self, lit: &syn::Lit, ty: &Ty, at: Loc) -> Pattern {
        match (lit, ty) {
            (syn::Lit::Int(n), Ty::Small) => match n.base10_digits().parse::<BigInt>() {
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

    fn exhaustive(&self, ty: &Ty, patterns: &[&Pattern]) -> bool {
        if patterns.iter().any(|p| p.always()) {
            return true;
        }
        let mut flat: Vec<&Pattern> = Vec::new();
        for p in patterns {
            match p {
                Pattern::Or(_) => flat.extend(pattern_parts(p)),
                other => flat.push(other),
            }
        }
        match self.shallow(ty) {
            Ty::Bool => [true, false]
                .iter()
                .all(|b| flat.iter().any(|p| matches!(p, Pattern::Bool(x) if x == b))),
            Ty::Option(inner) => {
                let some: Vec<_> = flat
                    .iter()
                    .filter_map(|p| {
                        if let Pattern::Some(p) = p {
                            Some(&**p)
                        } else {
                            None
                        }
                    })
                    .collect();
                flat.iter().any(|p| matches!(p, Pattern::None)) && self.exhaustive(&inner, &some)
            }
            Ty::Enum(id, _) => {
                let values = self.p.enums[id].values.clone().unwrap_or_else(|| [].into());
                values.iter().all(|v| {
                    let v = BigInt::from(*v);
                    flat.iter().any(
                        |p| matches!(p, Pattern::Range(Some(a), Some(b)) if *a <= v && v <= *b),
                    )
                })
            }
            Ty::Small | Ty::Int => covers_all(&flat),
            _ => false,
        }
    }
}

/// `.small()` saturates at the ends of `i64`, so a pattern that reaches an end has no end.
fn saturate(low: Option<BigInt>, high: Option<BigInt>) -> Pattern {
    let low = low.filter(|n| *n > BigInt::from(i64::MIN));
    let high = high.filter(|n| *n < BigInt::from(i64::MAX));
    Pattern::Range(low, high)
}

fn covers_all(patterns: &[&Pattern]) -> bool {
    let mut ranges: Vec<(&Option<BigInt>, &Option<BigInt>)> = patterns
        .iter()
        .filter_map(|p| {
            if let Pattern::Range(a, b) = p {
                Some((a, b))
            } else {
                None
            }
        })
        .collect();
    ranges.sort();
    let Some(((None, first), rest)) = ranges.split_first() else {
        return false;
    };
    let mut reached = (*first).clone();
    for (low, high) in rest {
        let Some(end) = &reached else { return true };
        match low {
            Some(low) if *low > end + 1 => return false,
            _ => {}
        }
        reached = high.as_ref().map(|high| high.max(end).clone());
    }
    reached.is_none()
}
