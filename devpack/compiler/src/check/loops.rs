//! Loops.

use super::Checker;
use crate::diagnostic::Loc;
use crate::program::Def;
use crate::tree::{Expr, For, Kind, Over};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn loop_expr(
        &mut self,
        label: Option<&syn::Label>,
        cond: Option<&syn::Expr>,
        body: &syn::Block,
        at: Loc,
    ) -> Expr {
        let id = self.open_loop(label);
        self.scoped(|c| {
            let cond = cond.map(|cond| Box::new(c.condition(cond)));
            let body = c.block(body);
            let place = body.loc;
            let body = c.coerce_at(body, &Ty::Unit, place);
            let broken = c.loops.pop().is_some_and(|l| l.broken);
            let ty = if cond.is_none() && !broken {
                Ty::Never
            } else {
                Ty::Unit
            };
            Expr {
                kind: Kind::Loop(id, cond, Box::new(body)),
                ty,
                loc: at,
            }
        })
    }

    pub(super) fn leave_loop(&mut self, label: Option<&syn::Lifetime>, at: Loc, out: bool) -> Expr {
        let label = label.map(|l| l.ident.to_string());
        let found = self
            .loops
            .iter_mut()
            .rev()
            .find(|l| label.is_none() || l.label == label);
        match found {
            Some(open) => {
                open.broken |= out;
                let id = open.id;
                Expr {
                    kind: if out {
                        Kind::Break(id)
                    } else {
                        Kind::Continue(id)
                    },
                    ty: Ty::Never,
                    loc: at,
                }
            }
            None => self.fail(at, "there is no such loop around this", ""),
        }
    }

    pub(super) fn for_expr(&mut self, f: &syn::ExprForLoop, at: Loc) -> Expr {
        let Some((over, of)) = self.over(&f.expr) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        let id = self.open_loop(f.label.as_ref());
        self.scoped(|c| {
            let place = c.loc(&f.pat);
            let pattern = c.pattern(&f.pat, &of);
            if !pattern.always() {
                c.fail(
                    place,
                    "this pattern may not fit",
                    "take a name here and use `match` or `if let` in the body",
                );
            }
            let body = c.block(&f.body);
            let place = body.loc;
            let body = c.coerce_at(body, &Ty::Unit, place);
            c.loops.pop();
            let each = For {
                over,
                pattern,
                body,
            };
            Expr {
                kind: Kind::For(id, Box::new(each)),
                ty: Ty::Unit,
                loc: at,
            }
        })
    }

    /// What a `for` runs over and the type that its pattern gets; `None` after an error.
    fn over(&mut self, e: &syn::Expr) -> Option<(Over, Ty)> {
        match e {
            syn::Expr::Paren(p) => return self.over(&p.expr),
            syn::Expr::Group(g) => return self.over(&g.expr),
            syn::Expr::Range(r) => return self.literal_range(r),
            syn::Expr::Call(c) => {
                if let syn::Expr::Path(path) = &*c.func
                    && let Some(Def::Framework(name)) = self.resolve(&path.path, false)
                    && matches!(name.as_str(), "range" | "range_inclusive")
                {
                    return self.int_range(c, name == "range_inclusive");
                }
            }
            syn::Expr::MethodCall(c) if c.method == "iter" && c.args.is_empty() => {
                let list = self.expr(&c.receiver);
                return self.elements(list);
            }
            syn::Expr::Reference(r) if r.mutability.is_none() => {
                let list = self.expr(&r.expr);
                return self.elements(list);
            }
            _ => {}
        }
        let value = self.expr(e);
        match self.shallow(&value.ty) {
            Ty::Err => None,
            Ty::Iterator => Some((Over::Entries(value), Ty::Any)),
            Ty::Array(of) if matches!(&value.kind, Kind::Local(id) if self.locals[*id].by_ref) => {
                Some((Over::Elements(value), (*of).clone()))
            }
            Ty::Array(_) => {
                self.fail(
                    value.loc,
                    "`for` takes an array by reference",
                    "write `for x in &list`; each `x` is a copy",
                );
                None
            }
            other => {
                let other = self.full(&other);
                self.fail(
                    value.loc,
                    format!("`for` cannot run over `{other}`"),
                    "run over `range(a, b)`, `0..10`, `&list` or `storage::find(…)`",
                );
                None
            }
        }
    }

    fn elements(&mut self, list: Expr) -> Option<(Over, Ty)> {
        match self.shallow(&list.ty) {
            Ty::Err => None,
            Ty::Array(of) => Some((Over::Elements(list), (*of).clone())),
            other => {
                let help = match other {
                    Ty::Map(_) => "run over its keys: `for k in &map.keys()`",
                    Ty::Bytes | Ty::Text => {
                        "count: `for i in range(0, b.len())`, and read `b.at(i)`"
                    }
                    Ty::Iterator => "run over the iterator itself, without `&`",
                    _ => "",
                };
                let other = self.full(&other);
                self.fail(list.loc, format!("`for` cannot run over `&{other}`"), help);
                None
            }
        }
    }

    /// `range(a, b)`: numbers of NeoVM.
    fn int_range(&mut self, c: &syn::ExprCall, inclusive: bool) -> Option<(Over, Ty)> {
        let mut ends: Vec<Expr> = Vec::new();
        for arg in &c.args {
            let e = self.expr(arg);
            ends.push(self.coerce_number(e, &Ty::Int));
        }
        match <[Expr; 2]>::try_from(ends) {
            Ok([from, to]) => Some((Over::Range(from, to, inclusive), Ty::Int)),
            Err(ends) => {
                let place = self.loc(c);
                let message = format!("a range takes 2 arguments, {} are given", ends.len());
                self.fail(place, message, "");
                None
            }
        }
    }

    /// `a..b` between literals, constants or other such counters: an `i64`, which nothing computes with.
    fn literal_range(&mut self, r: &syn::ExprRange) -> Option<(Over, Ty)> {
        let place = self.loc(r);
        let inclusive = matches!(r.limits, syn::RangeLimits::Closed(_));
        let (Some(from), Some(to)) = (&r.start, &r.end) else {
            self.fail(place, "a range in `for` needs both ends", "");
            return None;
        };
        let (from, to) = (self.expr(from), self.expr(to));
        match (self.shallow(&from.ty), self.shallow(&to.ty)) {
            (Ty::Err, _) | (_, Ty::Err) => None,
            (Ty::Lit, Ty::Lit) => Some((Over::Range(from, to, inclusive), Ty::Lit)),
            (Ty::Int | Ty::Lit, Ty::Int | Ty::Lit) => {
                let help = if inclusive {
                    "write `range_inclusive(a, b)`"
                } else {
                    "write `range(a, b)`"
                };
                self.fail(
                    place,
                    "`..` counts only between literals and `i64` constants",
                    help,
                );
                None
            }
            (a, b) => {
                let (a, b) = (self.full(&a), self.full(&b));
                self.fail(place, format!("there is no range from `{a}` to `{b}`"), "");
                None
            }
        }
    }
}
