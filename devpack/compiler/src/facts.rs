//! What holds in the whole program: where bytes may stay a Buffer, and which functions touch the evaluation stack.
//!
//! `CAT` and its like give a Buffer. Turning it into a ByteString costs 8192 units, so it is done only where the
//! difference shows: comparison, map keys, what is stored in a collection, what leaves the contract. A variable that is
//! never used in such a place may hold a Buffer, and a function that only passes on such a value may return one.

use std::collections::{BTreeMap, HashSet};

use crate::program::FnId;
use crate::tree::{Body, Expr, Kind, LocalId, Over, Pattern, Stmt};

#[derive(Default)]
pub(crate) struct Facts {
    /// Variables that must hold a ByteString.
    exact: HashSet<(FnId, LocalId)>,
    /// Variables into which something else than a ByteString may be put.
    loose: HashSet<(FnId, LocalId)>,
    /// Functions whose result may be something else than a ByteString.
    loose_results: HashSet<FnId>,
    /// Functions that use the evaluation stack, directly or through calls.
    pub eval: HashSet<FnId>,
}

/// Works the facts out until nothing changes: sets only grow, so this ends.
pub(crate) fn facts(bodies: &BTreeMap<FnId, Body>) -> Facts {
    let mut f = Facts::default();
    loop {
        let before = (
            f.exact.len(),
            f.loose.len(),
            f.loose_results.len(),
            f.eval.len(),
        );
        for (id, body) in bodies {
            let mut scan = Scan {
                f: &mut f,
                bodies,
                id: *id,
            };
            scan.expr(&body.body, true);
            if f.gives_loose(*id, &body.body) {
                f.loose_results.insert(*id);
            }
        }
        if before
            == (
                f.exact.len(),
                f.loose.len(),
                f.loose_results.len(),
                f.eval.len(),
            )
        {
            return f;
        }
    }
}

impl Facts {
    /// Whether the variable must hold a ByteString.
    pub(crate) fn is_exact(&self, id: FnId, local: LocalId) -> bool {
        self.exact.contains(&(id, local)) || !self.loose.contains(&(id, local))
    }

    /// Whether storing into the variable needs a ByteString.
    pub(crate) fn wants_exact(&self, id: FnId, local: LocalId) -> bool {
        self.exact.contains(&(id, local))
    }

    pub(crate) fn loose_result(&self, id: FnId) -> bool {
        self.loose_results.contains(&id)
    }

    /// Whether the expression, when any form of bytes is welcome, may give something else than a ByteString.
    pub(crate) fn gives_loose(&self, id: FnId, e: &Expr) -> bool {
        match &e.kind {
            Kind::Local(local) => !self.is_exact(id, *local),
            Kind::Intrinsic(row, args) if row.special() == Some("same") => {
                self.gives_loose(id, &args[0])
            }
            Kind::Intrinsic(row, _) => row.raw,
            Kind::Call(f, _) => self.loose_result(*f),
            Kind::If(_, a, Some(b)) => self.gives_loose(id, a) || self.gives_loose(id, b),
            Kind::Match(m) => m.arms.iter().any(|arm| self.gives_loose(id, &arm.body)),
            Kind::Block(_, Some(tail)) => self.gives_loose(id, tail),
            Kind::Clone(inner) => self.gives_loose(id, inner),
            _ => false,
        }
    }
}

struct Scan<'a> {
    f: &'a mut Facts,
    bodies: &'a BTreeMap<FnId, Body>,
    id: FnId,
}

impl Scan<'_> {
    fn put_in_local(&mut self, local: LocalId, value: &Expr) {
        let tolerant = !self.f.wants_exact(self.id, local);
        self.expr(value, tolerant);
        if tolerant && self.f.gives_loose(self.id, value) {
            self.f.loose.insert((self.id, local));
        }
    }

    fn expr(&mut self, e: &Expr, tolerant: bool) {
        match &e.kind {
            Kind::Unit | Kind::Const(_) | Kind::Break(_) | Kind::Continue(_) | Kind::Panic(_) => {}
            Kind::Local(local) => {
                if !tolerant {
                    self.f.exact.insert((self.id, *local));
                }
            }
            Kind::Op(_, args)
            | Kind::Event(_, args)
            | Kind::Pack(_, args)
            | Kind::Generic(_, _, args) => {
                args.iter().for_each(|a| self.expr(a, false));
            }
            Kind::Intrinsic(row, args) => {
                if row.is_eval() {
                    self.f.eval.insert(self.id);
                }
                let same = row.special() == Some("same");
                for (arg, param) in args.iter().zip(&row.params) {
                    self.expr(arg, param.raw && (!same || tolerant));
                }
            }
            Kind::Call(f, args) => {
                if self.f.eval.contains(f) {
                    self.f.eval.insert(self.id);
                }
                let params = self
                    .bodies
                    .get(f)
                    .map(|b| b.params.clone())
                    .unwrap_or_default();
                for (arg, param) in args.iter().zip(params) {
                    let tolerant = !self.f.wants_exact(*f, param);
                    self.expr(arg, tolerant);
                    if tolerant && self.f.gives_loose(self.id, arg) {
                        self.f.loose.insert((*f, param));
                    }
                }
            }
            Kind::Struct(fields) => fields.iter().for_each(|(_, a)| self.expr(a, false)),
            Kind::And(a, b) | Kind::Or(a, b) | Kind::AssignField(a, _, b) => {
                self.expr(a, false);
                self.expr(b, false);
            }
            Kind::If(cond, then, other) => {
                self.expr(cond, false);
                self.expr(then, tolerant);
                if let Some(other) = other {
                    self.expr(other, tolerant);
                }
            }
            Kind::Let(_, a, _)
            | Kind::Try(a)
            | Kind::Assert(a, _)
            | Kind::Field(a, _)
            | Kind::Ok(a)
            | Kind::Err(a) => self.expr(a, false),
            Kind::Clone(a) => self.expr(a, tolerant),
            Kind::Assign(local, value) => self.put_in_local(*local, value),
            Kind::Match(m) => {
                self.expr(&m.scrutinee, false);
                for arm in &m.arms {
                    if let Some(guard) = &arm.guard {
                        self.expr(guard, false);
                    }
                    self.expr(&arm.body, tolerant);
                }
            }
            Kind::Block(stmts, tail) => {
                stmts.iter().for_each(|s| self.stmt(s));
                if let Some(tail) = tail {
                    self.expr(tail, tolerant);
                }
            }
            Kind::Loop(_, cond, body) => {
                if let Some(cond) = cond {
                    self.expr(cond, false);
                }
                self.expr(body, true);
            }
            Kind::For(_, each) => {
                match &each.over {
                    Over::Range(from, to, _) => {
                        self.expr(from, false);
                        self.expr(to, false);
                    }
                    Over::Elements(of) | Over::Entries(of) => self.expr(of, false),
                }
                self.expr(&each.body, true);
            }
            Kind::Return(value) => {
                if let Some(value) = value {
                    self.expr(value, true);
                    if self.f.gives_loose(self.id, value) {
                        self.f.loose_results.insert(self.id);
                    }
                }
            }
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        match stmt {
            Stmt::Expr(e) => self.expr(e, true),
            Stmt::Let(Pattern::Bind(local), value, None, _) => self.put_in_local(*local, value),
            Stmt::Let(_, value, otherwise, _) => {
                self.expr(value, false);
                if let Some(otherwise) = otherwise {
                    let block = &otherwise.0;
                    self.expr(block, true);
                }
            }
        }
    }
}
