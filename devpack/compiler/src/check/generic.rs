//! Generic functions: one function for each list of types that it is called with.

use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::call::last_is;
use super::{Checker, Sig};
use crate::diagnostic::Loc;
use crate::program::{FnDecl, FnId, Program};
use crate::tree::{Expr, Kind};
use crate::types::Ty;

/// More functions than this are made only by one that calls itself with ever larger types.
const MAX_INSTANCES: usize = 500;

impl Program<'_> {
    /// Runs with other type parameters in reach.
    pub(crate) fn with_types<R>(
        &mut self,
        types: Rc<[(String, Ty)]>,
        run: impl FnOnce(&mut Self) -> R,
    ) -> R {
        let before = std::mem::replace(&mut self.type_params, types);
        let result = run(self);
        self.type_params = before;
        result
    }

    /// What a path stands for, if it is a type parameter.
    pub(super) fn type_parameter(&self, path: &syn::Path) -> Option<Ty> {
        let name = path.get_ident()?;
        let found = self.type_params.iter().find(|(n, _)| name == n);
        found.map(|(_, ty)| ty.clone())
    }

    /// Names of the type parameters that a function still waits for.
    pub(crate) fn open_types(&self, id: FnId) -> Vec<String> {
        let f = &self.functions[id];
        if !f.type_args.is_empty() {
            return Vec::new();
        }
        f.sig
            .generics
            .type_params()
            .map(|p| p.ident.to_string())
            .collect()
    }

    /// The function for those types; `None` after an error.
    fn instance(&mut self, id: FnId, types: Vec<Ty>, at: Loc) -> Option<FnId> {
        let names = self.open_types(id);
        let count = self.instances.len();
        let next = self.functions.len();
        match self.instances.entry((id, types)) {
            Entry::Occupied(known) => Some(*known.get()),
            Entry::Vacant(_) if count >= MAX_INSTANCES => {
                self.error(at, "this function is needed for too many types");
                None
            }
            Entry::Vacant(slot) => {
                let types = slot.key().1.clone();
                slot.insert(next);
                let shown: Vec<String> = types.iter().map(ToString::to_string).collect();
                let f = &self.functions[id];
                let made = FnDecl {
                    name: format!("{}<{}>", f.name, shown.join(", ")),
                    module: f.module,
                    self_ty: f.self_ty.clone(),
                    type_args: names.into_iter().zip(types).collect(),
                    sig: f.sig.clone(),
                    block: f.block.clone(),
                    attrs: f.attrs.clone(),
                };
                self.functions.push(made);
                Some(next)
            }
        }
    }
}

impl Checker<'_, '_> {
    /// A call of a generic function; for which types is known when the caller is finished.
    pub(super) fn generic_call(
        &mut self,
        id: FnId,
        names: &[String],
        written: Option<&syn::AngleBracketedGenericArguments>,
        args: Vec<Expr>,
        at: Loc,
    ) -> Expr {
        let attrs = &self.p.functions[id].attrs;
        if attrs.iter().any(|a| last_is(a.path(), "event")) {
            return self.fail(at, "an event cannot be generic", "take `Any`");
        }
        let types: Vec<Ty> = names.iter().map(|_| self.fresh()).collect();
        for (arg, ty) in written.into_iter().flat_map(|w| &w.args).zip(&types) {
            if let syn::GenericArgument::Type(t) = arg
                && !matches!(t, syn::Type::Infer(_))
            {
                let given = self.p.ty_of(self.module, self.self_ty.as_ref(), t);
                if !self.unify(ty, &given) {
                    self.fail(at, format!("`{given}` cannot be a type argument"), "");
                }
            }
        }
        let scope: Rc<[(String, Ty)]> = names.iter().cloned().zip(types.iter().cloned()).collect();
        let before = self.p.errors.len();
        let sig: Sig = self.p.with_types(scope, |p| p.read_signature(id));
        if self.p.errors.len() > before {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        }
        let Some(values) = self.fitting(&sig, args, at) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        Expr {
            kind: Kind::Generic(id, types, values),
            ty: sig.result,
            loc: at,
        }
    }

    /// Puts the function for the types found into a call.
    pub(super) fn finish_call(&mut self, e: &mut Expr) -> Option<String> {
        let Kind::Generic(id, types, _) = &e.kind else {
            return None;
        };
        let types: Vec<Ty> = types.iter().map(|t| self.full(t)).collect();
        if let Some(problem) = types.iter().find_map(super::infer::trouble) {
            return Some(problem);
        }
        if types
            .iter()
            .any(|t| matches!(t, Ty::Unit | Ty::Never | Ty::Lit | Ty::Small | Ty::Slice))
        {
            return Some("a generic function is called with a type that has no item".to_owned());
        }
        let made = self.p.instance(*id, types, e.loc);
        let old = std::mem::replace(&mut e.kind, Kind::Unit);
        if let (Some(id), Kind::Generic(_, _, args)) = (made, old) {
            e.kind = Kind::Call(id, args);
        }
        None
    }
}
