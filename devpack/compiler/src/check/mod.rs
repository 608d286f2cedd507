//! From syntax to the typed tree: names resolved, types known, everything outside the subset refused.
//!
//! What rustc checks anyway (moves, borrows, visibility) is not checked again; what decides which instructions are
//! right is.

mod call;
mod data;
mod decl;
mod exhaustive;
mod expr;
mod generic;
mod infer;
mod loops;
mod macros;
mod ops;
mod pattern;

pub(crate) use decl::{ParamSig, Sig};
pub(crate) use infer::visit;

use quote::ToTokens;

use crate::diagnostic::Loc;
use crate::program::{Def, FnId, ModId, Program, loc, loc_of};
use crate::tree::{Body, Expr, Kind, Local, LocalId, LoopId, Stmt};
use crate::types::Ty;

/// The state of checking one function (or one constant's initialiser).
pub(crate) struct Checker<'p, 'a> {
    pub(super) p: &'p mut Program<'a>,
    pub(super) module: ModId,
    pub(super) file: usize,
    pub(super) self_ty: Option<Ty>,
    pub(super) locals: Vec<Local>,
    scopes: Vec<Vec<(String, LocalId)>>,
    pub(super) vars: Vec<Option<Ty>>,
    pub(super) result: Ty,
    pub(super) loops: Vec<OpenLoop>,
    next_loop: LoopId,
    /// Comparisons of types so far.
    pub(super) steps: usize,
    /// Whether the names of the pattern at hand are references.
    pub(super) by_ref: bool,
}

pub(super) struct OpenLoop {
    pub id: LoopId,
    pub label: Option<String>,
    pub broken: bool,
}

/// Checks one function. Errors go to the program; the body is to be used only if there are none.
pub(crate) fn function(p: &mut Program<'_>, id: FnId) -> Option<Body> {
    let sig = p.signature(id)?;
    let type_args = p.functions[id].type_args.clone();
    p.with_types(type_args, |p| body(p, id, &sig))
}

fn body(p: &mut Program<'_>, id: FnId, sig: &Sig) -> Option<Body> {
    let (module, self_ty, block, ast) = {
        let f = &p.functions[id];
        (f.module, f.self_ty.clone(), f.block.clone(), f.sig.clone())
    };
    let mut c = Checker::new(p, module, self_ty);
    c.result = sig.result.clone();
    let mut params = Vec::new();
    for (n, param) in sig.params.iter().enumerate() {
        let local = c.local(&param.name, param.ty.clone(), param.mutable);
        c.locals[local].param = Some(n);
        c.locals[local].by_ref = param.by_ref;
        params.push(local);
    }
    let place = loc_of(c.file, ast.ident.span());
    let mut body = c.block(&block);
    let end = block.stmts.last().map_or(place, |s| loc(c.file, s));
    body = c.coerce_at(body, &sig.result, end);
    let body = c.finish(body);
    let locals = c.finished_locals();
    Some(Body {
        locals,
        params,
        result: sig.result.clone(),
        body,
        loc: place,
    })
}

impl<'p, 'a> Checker<'p, 'a> {
    pub(super) fn new(p: &'p mut Program<'a>, module: ModId, self_ty: Option<Ty>) -> Self {
        let file = p.modules[module].file;
        Checker {
            p,
            module,
            file,
            self_ty,
            locals: Vec::new(),
            scopes: vec![Vec::new()],
            vars: Vec::new(),
            result: Ty::Unit,
            loops: Vec::new(),
            next_loop: 0,
            steps: 0,
            by_ref: false,
        }
    }

    pub(super) fn loc(&self, node: &impl ToTokens) -> Loc {
        loc(self.file, node)
    }

    /// Reports an error and gives an expression that causes no others.
    pub(super) fn fail(&mut self, at: Loc, message: impl Into<String>, help: &str) -> Expr {
        if help.is_empty() {
            self.p.error(at, message);
        } else {
            self.p.error_help(at, message, help);
        }
        Expr {
            kind: Kind::Unit,
            ty: Ty::Err,
            loc: at,
        }
    }

    pub(super) fn local(&mut self, name: &str, ty: Ty, mutable: bool) -> LocalId {
        self.locals.push(Local {
            name: name.to_owned(),
            ty,
            mutable,
            param: None,
            by_ref: false,
        });
        let id = self.locals.len() - 1;
        if let (Some(scope), false) = (self.scopes.last_mut(), name.is_empty()) {
            scope.push((name.to_owned(), id));
        }
        id
    }

    pub(super) fn find_local(&self, name: &str) -> Option<LocalId> {
        self.scopes
            .iter()
            .rev()
            .find_map(|s| s.iter().rev().find(|(n, _)| n == name))
            .map(|(_, id)| *id)
    }

    pub(super) fn scoped<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        self.scopes.push(Vec::new());
        let result = run(self);
        self.scopes.pop();
        result
    }

    /// Takes the names of the innermost scope away for a while.
    pub(super) fn hide_scope(&mut self) -> Vec<(String, LocalId)> {
        self.scopes
            .last_mut()
            .map(std::mem::take)
            .unwrap_or_default()
    }

    pub(super) fn unhide_scope(&mut self, names: Vec<(String, LocalId)>) {
        if let Some(scope) = self.scopes.last_mut() {
            *scope = names;
        }
    }

    pub(super) fn open_loop(&mut self, label: Option<&syn::Label>) -> LoopId {
        let id = self.next_loop;
        self.next_loop += 1;
        let label = label.map(|l| l.name.ident.to_string());
        self.loops.push(OpenLoop {
            id,
            label,
            broken: false,
        });
        id
    }

    /// What a path names, `Self` included.
    pub(super) fn resolve(&mut self, path: &syn::Path, types: bool) -> Option<Def> {
        let mut names: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        if path.leading_colon.is_some() {
            names.insert(0, "::".to_owned());
        }
        if names.first().is_some_and(|n| n == "Self") {
            let start = match &self.self_ty {
                Some(Ty::Struct(id, _)) => Def::Struct(*id),
                Some(Ty::Enum(id, _) | Ty::Data(id, _)) => Def::Enum(*id),
                _ => return None,
            };
            return self.p.walk(start, &names[1..], types, 0);
        }
        self.p.lookup_path(self.module, &names, types)
    }

    pub(super) fn block(&mut self, block: &syn::Block) -> Expr {
        let at = loc_of(self.file, block.brace_token.span.join());
        self.scoped(|c| {
            let mut stmts = Vec::new();
            let mut tail = None;
            let mut diverges = false;
            let kept: Vec<_> = block.stmts.iter().filter(is_enabled).collect();
            for (n, stmt) in kept.iter().enumerate() {
                let last = n + 1 == kept.len();
                match stmt {
                    syn::Stmt::Local(local) => stmts.extend(c.let_stmt(local)),
                    syn::Stmt::Item(item) => {
                        let at = c.loc(item);
                        c.fail(
                            at,
                            "items inside functions are not supported",
                            "move it to the module",
                        );
                    }
                    syn::Stmt::Expr(e, semi) => {
                        let e = c.expr(e);
                        diverges |= e.ty == Ty::Never;
                        if last && semi.is_none() {
                            tail = Some(Box::new(e));
                        } else {
                            stmts.push(Stmt::Expr(e));
                        }
                    }
                    syn::Stmt::Macro(m) => {
                        let e = c.macro_call(&m.mac);
                        diverges |= e.ty == Ty::Never;
                        if last && m.semi_token.is_none() {
                            tail = Some(Box::new(e));
                        } else {
                            stmts.push(Stmt::Expr(e));
                        }
                    }
                }
            }
            let ty = match &tail {
                Some(tail) if !(diverges && tail.ty == Ty::Unit) => tail.ty.clone(),
                _ if diverges => Ty::Never,
                _ => Ty::Unit,
            };
            Expr {
                kind: Kind::Block(stmts, tail),
                ty,
                loc: at,
            }
        })
    }

    fn let_stmt(&mut self, stmt: &syn::Local) -> Option<Stmt> {
        let at = self.loc(stmt);
        let (pat, ascribed) = match &stmt.pat {
            syn::Pat::Type(typed) => (
                &*typed.pat,
                Some(self.p.ty_of(self.module, self.self_ty.as_ref(), &typed.ty)),
            ),
            other => (other, None),
        };
        let Some(init) = &stmt.init else {
            self.fail(
                at,
                "a variable needs a value where it is declared",
                "write `let x = <value>;`",
            );
            self.pattern(pat, &Ty::Err);
            return None;
        };
        if matches!(&*init.expr, syn::Expr::Reference(_)) {
            let at = self.loc(&init.expr);
            self.fail(
                at,
                "a reference cannot be kept in a variable",
                "borrow where the function is called: `f(&x)`",
            );
        }
        let mut value = self.expr(&init.expr);
        let value_at = value.loc;
        value = match ascribed {
            Some(ty) => self.coerce_at(value, &ty, value_at),
            None => self.settle(value),
        };
        let ty = value.ty.clone();
        if matches!(ty, Ty::Small | Ty::Slice) {
            value = self.fail(
                value_at,
                "this is only meant as the subject of a `match`",
                "match on it directly",
            );
        }
        let otherwise = init.diverge.as_ref().map(|(_, block)| {
            let block = self.expr(block);
            if block.ty != Ty::Never && block.ty != Ty::Err {
                self.fail(
                    block.loc,
                    "the `else` block must leave: `return`, `break`, `continue` or `panic!`",
                    "",
                );
            }
            let temp = self.local("", ty.clone(), false);
            (block, temp)
        });
        let pattern = self.pattern(pat, &ty);
        if otherwise.is_none() && !pattern.always() && ty != Ty::Err {
            self.fail(
                at,
                "this pattern may not fit",
                "write `let … = … else { return … };` or use `match`",
            );
        }
        Some(Stmt::Let(pattern, value, otherwise.map(Box::new), at))
    }

    /// A value that goes into a variable or a field: literals must have become an `Int`.
    pub(super) fn settle(&mut self, value: Expr) -> Expr {
        match value.ty {
            Ty::Lit => {
                let help = "write `int(5)`; `i64` exists only as literals and constants";
                self.fail(value.loc, "a variable cannot hold a machine integer", help)
            }
            _ => value,
        }
    }
}

/// Whether rustc would keep the statement too: without this a `#[cfg(..)]` on it would be passed over in silence.
fn is_enabled(stmt: &&syn::Stmt) -> bool {
    let attrs: &[syn::Attribute] = match stmt {
        syn::Stmt::Local(local) => &local.attrs,
        syn::Stmt::Macro(call) => &call.attrs,
        syn::Stmt::Item(_) => &[],
        syn::Stmt::Expr(expr, _) => match expr {
            syn::Expr::Assign(e) => &e.attrs,
            syn::Expr::Block(e) => &e.attrs,
            syn::Expr::Call(e) => &e.attrs,
            syn::Expr::ForLoop(e) => &e.attrs,
            syn::Expr::If(e) => &e.attrs,
            syn::Expr::Loop(e) => &e.attrs,
            syn::Expr::Macro(e) => &e.attrs,
            syn::Expr::Match(e) => &e.attrs,
            syn::Expr::MethodCall(e) => &e.attrs,
            syn::Expr::Return(e) => &e.attrs,
            syn::Expr::While(e) => &e.attrs,
            _ => &[],
        },
    };
    crate::program::enabled(attrs)
}
