//! Type variables: `None` and `Array::new()` get their element type from later use.

use super::Checker;
use crate::diagnostic::Loc;
use crate::tree::{Expr, Kind, Local, Over, Stmt};
use crate::types::Ty;

/// Types nest no deeper than this in real sources; it stops a type that would contain itself.
const MAX_TYPE_DEPTH: usize = 64;
/// Parts of one type: `let b = (a, a); let c = (b, b); …` grows quickly.
const MAX_TYPE_PARTS: usize = 1000;
/// Comparisons of types in one function.
const MAX_UNIFY_STEPS: usize = 1_000_000;

impl Checker<'_, '_> {
    pub(super) fn fresh(&mut self) -> Ty {
        self.vars.push(None);
        Ty::Var(self.vars.len() - 1)
    }

    /// The type with its head known, if that is known by now.
    pub(super) fn shallow(&self, ty: &Ty) -> Ty {
        let mut ty = ty.clone();
        while let Ty::Var(n) = ty {
            match self.vars.get(n).cloned().flatten() {
                Some(next) => ty = next,
                None => return Ty::Var(n),
            }
        }
        ty
    }

    /// The type with everything known filled in.
    pub(super) fn full(&self, ty: &Ty) -> Ty {
        let parts = std::cell::Cell::new(0);
        self.full_at(ty, 0, &parts)
    }

    /// What is too large becomes [`Ty::Err`], which is an error when the function is finished.
    fn full_at(&self, ty: &Ty, depth: usize, parts: &std::cell::Cell<usize>) -> Ty {
        parts.set(parts.get() + 1);
        if depth > MAX_TYPE_DEPTH || parts.get() > MAX_TYPE_PARTS {
            return Ty::Err;
        }
        let next = |t: &Ty| self.full_at(t, depth + 1, parts);
        match self.shallow(ty) {
            Ty::Option(t) => Ty::option(next(&t)),
            Ty::Array(t) => Ty::array(next(&t)),
            Ty::Map(kv) => Ty::Map((next(&kv.0), next(&kv.1)).into()),
            Ty::Result(te) => Ty::result(next(&te.0), next(&te.1)),
            Ty::Tuple(list) => Ty::Tuple(list.iter().map(next).collect()),
            plain => plain,
        }
    }

    /// Makes two types equal if that is possible.
    pub(super) fn unify(&mut self, a: &Ty, b: &Ty) -> bool {
        let (a, b) = (self.shallow(a), self.shallow(b));
        self.steps += 1;
        if self.steps > MAX_UNIFY_STEPS {
            return false;
        }
        match (&a, &b) {
            (Ty::Err, _) | (_, Ty::Err) => true,
            (Ty::Var(n), Ty::Var(m)) if n == m => true,
            (Ty::Var(n), other) | (other, Ty::Var(n)) => {
                if matches!(other, Ty::Lit | Ty::Never | Ty::Small | Ty::Slice)
                    || self.contains(other, *n, 0, &mut 0)
                {
                    return false;
                }
                self.vars[*n] = Some(other.clone());
                true
            }
            (Ty::Option(x), Ty::Option(y)) | (Ty::Array(x), Ty::Array(y)) => self.unify(x, y),
            (Ty::Result(x), Ty::Result(y)) => self.unify(&x.0, &y.0) && self.unify(&x.1, &y.1),
            (Ty::Map(x), Ty::Map(y)) => self.unify(&x.0, &y.0) && self.unify(&x.1, &y.1),
            (Ty::Tuple(x), Ty::Tuple(y)) if x.len() == y.len() => {
                let pairs: Vec<_> = x.iter().cloned().zip(y.iter().cloned()).collect();
                pairs.iter().all(|(x, y)| self.unify(x, y))
            }
            // Only types without parts are left to be equal.
            (Ty::Option(_) | Ty::Array(_) | Ty::Result(_) | Ty::Map(_) | Ty::Tuple(_), _) => false,
            _ => a == b,
        }
    }

    fn contains(&self, ty: &Ty, var: usize, depth: usize, parts: &mut usize) -> bool {
        *parts += 1;
        if depth > MAX_TYPE_DEPTH || *parts > MAX_TYPE_PARTS {
            return true;
        }
        let mut next = |t: &Ty| self.contains(t, var, depth + 1, parts);
        match self.shallow(ty) {
            Ty::Var(n) => n == var,
            Ty::Option(t) | Ty::Array(t) => next(&t),
            Ty::Map(kv) | Ty::Result(kv) => next(&kv.0) || next(&kv.1),
            Ty::Tuple(list) => list.iter().any(next),
            _ => false,
        }
    }

    /// The expression as a value of type `ty`, or an error at `at`.
    pub(super) fn coerce_at(&mut self, e: Expr, ty: &Ty, at: Loc) -> Expr {
        if matches!(e.ty, Ty::Never | Ty::Err) || *ty == Ty::Err || self.unify(&e.ty, ty) {
            return e;
        }
        let (found, wanted) = (self.full(&e.ty), self.full(ty));
        let help = match (&wanted, &found) {
            (Ty::Int | Ty::Var(_), Ty::Lit) => "write `int(5)`",
            (Ty::Any, _) => "write `Any::from(x)`",
            (Ty::Option(_), Ty::Unit) => "write `None` or `Some(x)`",
            (_, Ty::Unit) => "a trailing `;` drops the value",
            _ => "",
        };
        self.fail(at, format!("expected `{wanted}`, found `{found}`"), help)
    }

    /// Like [`Self::coerce_at`], and an `i64` literal or constant is a good `Int`.
    pub(super) fn coerce_number(&mut self, mut e: Expr, ty: &Ty) -> Expr {
        if e.ty == Ty::Lit && self.shallow(ty) == Ty::Int {
            e.ty = Ty::Int;
            return e;
        }
        let at = e.loc;
        self.coerce_at(e, ty, at)
    }

    /// Puts the final types into the tree; reports what is still unknown.
    pub(super) fn finish(&mut self, mut e: Expr) -> Expr {
        let mut doubts: Vec<(Loc, String)> = Vec::new();
        visit(&mut e, &mut |e| {
            e.ty = self.full(&e.ty);
            self.finish_patterns(e);
            if let Some(problem) = self.finish_call(e) {
                doubts.push((e.loc, problem));
            }
            if let Some(problem) = trouble(&e.ty) {
                doubts.push((e.loc, problem));
            }
        });
        doubts.sort_by_key(|(at, _)| (at.file, at.end_line - at.line, at.end_column));
        if let (Some((at, problem)), true) = (doubts.first(), self.p.errors.is_empty()) {
            self.p.error_help(
                *at,
                problem.clone(),
                "say the type: `let x: Array<Int> = …`",
            );
        }
        e
    }

    pub(super) fn finished_locals(&self) -> Vec<Local> {
        self.locals
            .iter()
            .map(|l| Local {
                ty: self.full(&l.ty),
                ..l.clone()
            })
            .collect()
    }
}

pub(super) fn trouble(ty: &Ty) -> Option<String> {
    match ty {
        Ty::Err => Some("this type is too large".to_owned()),
        Ty::Var(_) | Ty::Param(_) => Some("the type of this is not known".to_owned()),
        Ty::Result(te) => bad_result(&te.0, &te.1)
            .or_else(|| trouble(&te.0))
            .or_else(|| trouble(&te.1)),
        Ty::Option(t) if matches!(**t, Ty::Option(_) | Ty::Any | Ty::Unit | Ty::Result(_)) => {
            Some(format!(
                "`Option<{t}>` is not supported: its `None` and a null value are the same item"
            ))
        }
        Ty::Option(t) | Ty::Array(t) => trouble(t),
        Ty::Map(kv) => trouble(&kv.0).or_else(|| trouble(&kv.1)),
        Ty::Tuple(list) => list.iter().find_map(trouble),
        _ => None,
    }
}

/// Calls `f` on every expression, inner ones first.
pub(crate) fn visit(e: &mut Expr, f: &mut dyn FnMut(&mut Expr)) {
    match &mut e.kind {
        Kind::Unit
        | Kind::Const(_)
        | Kind::Local(_)
        | Kind::Break(_)
        | Kind::Continue(_)
        | Kind::Panic(_) => {}
        Kind::Op(_, args)
        | Kind::Intrinsic(_, args)
        | Kind::Call(_, args)
        | Kind::Generic(_, _, args)
        | Kind::Event(_, args)
        | Kind::Pack(_, args) => args.iter_mut().for_each(|a| visit(a, f)),
        Kind::Struct(fields) => fields.iter_mut().for_each(|(_, a)| visit(a, f)),
        Kind::And(a, b) | Kind::Or(a, b) | Kind::AssignField(a, _, b) => {
            visit(a, f);
            visit(b, f);
        }
        Kind::If(a, b, c) => {
            visit(a, f);
            visit(b, f);
            c.iter_mut().for_each(|c| visit(c, f));
        }
        Kind::Let(_, a, _)
        | Kind::Try(a)
        | Kind::Assert(a, _)
        | Kind::Field(a, _)
        | Kind::Clone(a)
        | Kind::Ok(a)
        | Kind::Err(a)
        | Kind::Assign(_, a) => visit(a, f),
        Kind::Match(m) => {
            visit(&mut m.scrutinee, f);
            for arm in &mut m.arms {
                arm.guard.iter_mut().for_each(|g| visit(g, f));
                visit(&mut arm.body, f);
            }
        }
        Kind::Block(stmts, tail) => {
            for stmt in stmts {
                match stmt {
                    Stmt::Expr(e) => visit(e, f),
                    Stmt::Let(_, e, otherwise, _) => {
                        visit(e, f);
                        otherwise.iter_mut().for_each(|b| visit(&mut b.0, f));
                    }
                }
            }
            tail.iter_mut().for_each(|t| visit(t, f));
        }
        Kind::Loop(_, cond, body) => {
            cond.iter_mut().for_each(|c| visit(c, f));
            visit(body, f);
        }
        Kind::For(_, each) => {
            match &mut each.over {
                Over::Range(from, to, _) => {
                    visit(from, f);
                    visit(to, f);
                }
                Over::Elements(of) | Over::Entries(of) => visit(of, f),
            }
            visit(&mut each.body, f);
        }
        Kind::Return(value) => value.iter_mut().for_each(|v| visit(v, f)),
    }
    f(e);
}

/// Why there is no such `Result`, if there is none.
pub(crate) fn bad_result(value: &Ty, error: &Ty) -> Option<String> {
    if matches!(value, Ty::Never | Ty::Lit)
        || matches!(
            error,
            Ty::Option(_) | Ty::Any | Ty::Unit | Ty::Never | Ty::Lit | Ty::Result(_)
        )
    {
        return Some(format!("`Result<{value}, {error}>` is not supported"));
    }
    None
}
