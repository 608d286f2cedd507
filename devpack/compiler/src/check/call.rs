//! Calls: functions of the contract, events, framework intrinsics.

use std::collections::HashMap;
use std::sync::Arc;

use super::Checker;
use super::expr::{byte_literal, span_of, string_literal};
use crate::diagnostic::Loc;
use crate::intrinsics::{self, Intrinsic};
use crate::program::{Def, FnId, loc_of};
use crate::tree::{Expr, Kind, Value};
use crate::types::Ty;

impl Checker<'_, '_> {
    pub(super) fn call(&mut self, c: &syn::ExprCall, at: Loc) -> Expr {
        let syn::Expr::Path(path) = &*c.func else {
            return self.fail(at, "only named functions can be called", "");
        };
        let args: Vec<&syn::Expr> = c.args.iter().collect();
        let def = self.resolve(&path.path, false);
        match def {
            Some(Def::Fn(id)) => {
                let values = args.iter().map(|a| self.expr(a)).collect();
                let names = self.p.open_types(id);
                if !names.is_empty() {
                    let written = path.path.segments.last().and_then(|s| match &s.arguments {
                        syn::PathArguments::AngleBracketed(list) => Some(list),
                        _ => None,
                    });
                    return self.generic_call(id, &names, written, values, at);
                }
                self.call_function(id, values, at)
            }
            Some(Def::Framework(name)) => self.framework_call(&name, &path.path, &args, at),
            Some(Def::Variant(id, n)) => self.variant_call(id, n, &args, at),
            None if path.path.is_ident("Some") => {
                self.framework_call("Some", &path.path, &args, at)
            }
            None if path.path.is_ident("Ok") || path.path.is_ident("Err") => {
                self.result_value(path.path.is_ident("Ok"), &args, at)
            }
            _ => {
                let name = quote::ToTokens::to_token_stream(&path.path)
                    .to_string()
                    .replace(' ', "");
                let place = self.loc(&path.path);
                self.fail(place, format!("cannot find the function `{name}`"), "")
            }
        }
    }

    fn call_function(&mut self, id: FnId, args: Vec<Expr>, at: Loc) -> Expr {
        let Some(sig) = self.p.signature(id) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        let Some(values) = self.fitting(&sig, args, at) else {
            return Expr {
                kind: Kind::Unit,
                ty: Ty::Err,
                loc: at,
            };
        };
        let event = self.p.functions[id]
            .attrs
            .iter()
            .any(|a| last_is(a.path(), "event"));
        let kind = if event {
            Kind::Event(id, values)
        } else {
            Kind::Call(id, values)
        };
        Expr {
            kind,
            ty: sig.result.clone(),
            loc: at,
        }
    }

    /// The arguments as a signature wants them.
    pub(super) fn fitting(
        &mut self,
        sig: &super::Sig,
        args: Vec<Expr>,
        at: Loc,
    ) -> Option<Vec<Expr>> {
        if sig.params.len() != args.len() {
            let message = format!(
                "this function takes {} arguments, {} are given",
                sig.params.len(),
                args.len()
            );
            self.fail(at, message, "");
            return None;
        }
        let mut values = Vec::new();
        for (value, param) in args.into_iter().zip(&sig.params) {
            let place = value.loc;
            values.push(self.coerce_at(value, &param.ty, place));
        }
        Some(values)
    }

    fn framework_call(
        &mut self,
        name: &str,
        path: &syn::Path,
        args: &[&syn::Expr],
        at: Loc,
    ) -> Expr {
        let constant = |value, ty| Expr {
            kind: Kind::Const(value),
            ty,
            loc: at,
        };
        match (name, args) {
            ("Some", [inner]) => {
                let value = self.expr(inner);
                let value = self.settle(value);
                if matches!(
                    self.shallow(&value.ty),
                    Ty::Option(_) | Ty::Any | Ty::Unit | Ty::Result(_)
                ) {
                    let ty = self.full(&value.ty);
                    return self.fail(
                        at,
                        format!("`Option<{ty}>` is not supported"),
                        "use `Any` and `is_null()`",
                    );
                }
                // `Some(x)` is the item of `x` itself.
                Expr {
                    ty: Ty::option(value.ty.clone()),
                    loc: at,
                    ..value
                }
            }
            ("int", [n]) => {
                let n = self.expr(n);
                match n.ty {
                    Ty::Lit => Expr {
                        ty: Ty::Int,
                        loc: at,
                        ..n
                    },
                    Ty::Err => n,
                    _ => self.fail(
                        n.loc,
                        "`int` takes a literal, a constant or an enum `as i64`",
                        "an `Int` needs nothing",
                    ),
                }
            }
            ("bytes", [e]) => match byte_literal(e) {
                Some(data) => constant(Value::Bytes(data.into()), Ty::Bytes),
                None => self.fail(
                    at,
                    "`bytes` takes a byte string literal",
                    "write `bytes(b\"…\")`",
                ),
            },
            ("text", [e]) => match string_literal(e) {
                Some(data) => constant(Value::Bytes(data.into_bytes().into()), Ty::Text),
                None => self.fail(at, "`text` takes a string literal", "write `text(\"…\")`"),
            },
            ("hash160", [e]) => match byte_literal(e) {
                Some(data) if data.len() == 20 => constant(Value::Bytes(data.into()), Ty::Hash160),
                _ => self.fail(
                    at,
                    "`hash160` takes a byte string literal of 20 bytes",
                    "write `hash160(b\"…\")`",
                ),
            },
            ("hash256", [e]) => match byte_literal(e) {
                Some(data) if data.len() == 32 => constant(Value::Bytes(data.into()), Ty::Hash256),
                _ => self.fail(
                    at,
                    "`hash256` takes a byte string literal of 32 bytes",
                    "write `hash256(b\"…\")`",
                ),
            },
            ("Hash160::zero", []) => {
                constant(Value::Bytes([0u8; 20].as_slice().into()), Ty::Hash160)
            }
            ("Hash256::zero", []) => {
                constant(Value::Bytes([0u8; 32].as_slice().into()), Ty::Hash256)
            }
            ("range" | "range_inclusive", _) => self.fail(
                at,
                "a range is not a value here",
                "use it in `for i in range(a, b) { … }`",
            ),
            _ => match intrinsics::find(name) {
                Some(row) => {
                    let values = args.iter().map(|a| self.expr(a)).collect();
                    let e = self.intrinsic(row, values, at);
                    self.with_type_arguments(e, path)
                }
                None => {
                    let place = self.loc(path);
                    self.fail(
                        place,
                        format!("`{name}` is not a function of the framework with these arguments"),
                        "",
                    )
                }
            },
        }
    }

    /// `Array::<Int>::new()`: the written arguments are those of the result.
    fn with_type_arguments(&mut self, e: Expr, path: &syn::Path) -> Expr {
        let mut written = Vec::new();
        for segment in &path.segments {
            if let syn::PathArguments::AngleBracketed(list) = &segment.arguments {
                for arg in &list.args {
                    if let syn::GenericArgument::Type(t) = arg {
                        written.push(self.p.ty_of(self.module, self.self_ty.as_ref(), t));
                    }
                }
            }
        }
        let wanted = match (&e.ty, written.as_slice()) {
            (_, []) => return e,
            (Ty::Array(_), [t]) => Ty::array(t.clone()),
            (Ty::Map(_), [k, v]) => Ty::Map((k.clone(), v.clone()).into()),
            _ => return self.fail(e.loc, "type arguments are not supported here", ""),
        };
        let at = e.loc;
        self.coerce_at(e, &wanted, at)
    }

    pub(super) fn method_call(&mut self, c: &syn::ExprMethodCall, at: Loc) -> Expr {
        let receiver = self.expr(&c.receiver);
        let ty = self.shallow(&receiver.ty);
        let name = c.method.to_string();
        let place = loc_of(self.file, c.method.span());
        if let Some(fish) = &c.turbofish {
            let at = self.loc(fish);
            return self.fail(at, "type arguments are not supported here", "");
        }
        match &ty {
            Ty::Err => return receiver,
            Ty::Var(_) => {
                let help = "declare the variable with its type: `let x: Array<Int> = …`";
                return self.fail(at, "the type of the receiver is not known yet", help);
            }
            _ => {}
        }
        if name == "clone" && c.args.is_empty() {
            return Expr {
                kind: Kind::Clone(Box::new(receiver)),
                ty,
                loc: at,
            };
        }
        if name == "into_any"
            && c.args.is_empty()
            && let Some(row) = intrinsics::find("Any::from")
        {
            return self.intrinsic(row, vec![receiver], at);
        }
        let assoc = match &ty {
            Ty::Struct(id, _) => self.p.structs[*id].assoc.get(&name).cloned(),
            Ty::Enum(id, _) | Ty::Data(id, _) => self.p.enums[*id].assoc.get(&name).cloned(),
            _ => None,
        };
        if let Some(Def::Fn(id)) = assoc {
            let method = self.p.functions[id].sig.receiver().is_some();
            if !method {
                return self.fail(
                    place,
                    format!("`{name}` has no `self`"),
                    "call it as `Type::name(…)`",
                );
            }
            let mut args = vec![receiver];
            args.extend(c.args.iter().map(|a| self.expr(a)));
            let names = self.p.open_types(id);
            if !names.is_empty() {
                return self.generic_call(id, &names, None, args, at);
            }
            return self.call_function(id, args, at);
        }
        let Some(row) =
            intrinsics::find(&format!("{}::{name}", ty.head())).filter(|r| !r.params.is_empty())
        else {
            let shown = self.full(&ty);
            let help = hint(&ty, &name);
            return self.fail(
                place,
                format!("`{shown}` has no method `{name}` here"),
                help,
            );
        };
        let mut args = vec![receiver];
        if row.path.ends_with("::expect") {
            let message = c.args.first().and_then(string_literal);
            let Some(message) = message.filter(|_| c.args.len() == 1) else {
                return self.fail(at, "`expect` takes a string literal", "");
            };
            let value = Value::Bytes(message.into_bytes().into());
            args.push(Expr {
                kind: Kind::Const(value),
                ty: Ty::Text,
                loc: at,
            });
        } else {
            args.extend(c.args.iter().map(|a| self.expr(a)));
        }
        self.intrinsic(row, args, at)
    }

    pub(super) fn intrinsic(&mut self, row: &'static Intrinsic, args: Vec<Expr>, at: Loc) -> Expr {
        if row.params.len() != args.len() {
            let message = format!(
                "`{}` takes {} arguments, {} are given",
                row.path,
                row.params.len(),
                args.len()
            );
            return self.fail(at, message, "");
        }
        let mut known = HashMap::new();
        let mut values = Vec::new();
        for (arg, param) in args.into_iter().zip(&row.params) {
            if param.any {
                values.push(self.anything(arg));
                continue;
            }
            let ty = self.instantiate(&param.ty, &mut known);
            values.push(self.coerce_number(arg, &ty));
        }
        let ty = self.instantiate(&row.result, &mut known);
        Expr {
            kind: Kind::Intrinsic(row, values),
            ty,
            loc: at,
        }
    }

    /// A value that becomes an `Any`: whatever is an item.
    fn anything(&mut self, mut e: Expr) -> Expr {
        match self.shallow(&e.ty) {
            Ty::Lit => {
                e.ty = Ty::Int;
                e
            }
            Ty::Unit | Ty::Small | Ty::Slice => self.fail(e.loc, "this is not an item", ""),
            _ => e,
        }
    }

    fn instantiate(&mut self, ty: &Ty, known: &mut HashMap<char, Ty>) -> Ty {
        match ty {
            Ty::Param(c) => {
                if let Some(ty) = known.get(c) {
                    return ty.clone();
                }
                let fresh = self.fresh();
                known.insert(*c, fresh.clone());
                fresh
            }
            Ty::Option(t) => Ty::option(self.instantiate(t, known)),
            Ty::Array(t) => Ty::array(self.instantiate(t, known)),
            Ty::Result(te) => {
                let value = self.instantiate(&te.0, known);
                Ty::result(value, self.instantiate(&te.1, known))
            }
            Ty::Map(kv) => {
                let key = self.instantiate(&kv.0, known);
                Ty::Map(Arc::new((key, self.instantiate(&kv.1, known))))
            }
            plain => plain.clone(),
        }
    }

    /// The place of an expression that has not been checked.
    pub(super) fn place_of(&self, e: &syn::Expr) -> Loc {
        loc_of(self.file, span_of(e))
    }
}

/// Whether a path ends in `name`, however it was imported.
pub(crate) fn last_is(path: &syn::Path, name: &str) -> bool {
    path.segments.last().is_some_and(|s| s.ident == name)
}

fn hint(ty: &Ty, name: &str) -> &'static str {
    match (ty, name) {
        (_, "into") => "convert by name: `Any::from(x)`, `text.as_bytes()`",
        (_, "iter" | "into_iter" | "map" | "and_then" | "filter") => {
            "closures and iterator chains are not supported; write a loop or a `match`"
        }
        (_, "to_string" | "to_owned") => "use `Text`; `std_lib::itoa(n)` writes a number",
        (
            Ty::Option(_) | Ty::Result(_),
            "ok_or_else" | "unwrap_or_else" | "unwrap_or_default" | "map_err",
        ) => "use `match`, `ok_or(e)`, `unwrap_or(v)` or `expect(\"…\")`",
        _ => "",
    }
}
