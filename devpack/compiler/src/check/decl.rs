//! Declarations: types as written, signatures, fields, enum values, constants.

use std::sync::Arc;

use super::Checker;
use crate::program::{ConstState, Def, FnId, ModId, Program, Shape, Variant, loc, loc_of};
use crate::tree::{Kind, Value};
use crate::types::Ty;

/// Constants that depend on constants: deeper than this is no source that someone wrote.
const MAX_CONSTANT_DEPTH: usize = 32;

/// A parameter.
#[derive(Clone, Debug)]
pub(crate) struct ParamSig {
    pub name: String,
    pub ty: Ty,
    pub by_ref: bool,
    pub mutable: bool,
}

/// A function's signature.
#[derive(Clone, Debug)]
pub(crate) struct Sig {
    pub params: Vec<ParamSig>,
    pub result: Ty,
}

impl Program<'_> {
    /// The type that a type expression means in a module.
    pub(crate) fn ty_of(&mut self, module: ModId, self_ty: Option<&Ty>, ty: &syn::Type) -> Ty {
        let at = loc(self.modules[module].file, ty);
        match ty {
            syn::Type::Paren(p) => self.ty_of(module, self_ty, &p.elem),
            syn::Type::Group(g) => self.ty_of(module, self_ty, &g.elem),
            syn::Type::Never(_) => Ty::Never,
            syn::Type::Tuple(t) if t.elems.is_empty() => Ty::Unit,
            syn::Type::Tuple(t) if t.elems.len() > 1 => Ty::Tuple(
                t.elems
                    .iter()
                    .map(|t| self.ty_of(module, self_ty, t))
                    .collect(),
            ),
            syn::Type::Path(path) if path.qself.is_none() => {
                self.path_ty(module, self_ty, &path.path)
            }
            syn::Type::Reference(_) => {
                self.error_help(
                    at,
                    "references are only for parameters",
                    "return or store the value itself",
                );
                Ty::Err
            }
            _ => {
                self.error(at, "this kind of type is not part of the contract language");
                Ty::Err
            }
        }
    }

    fn path_ty(&mut self, module: ModId, self_ty: Option<&Ty>, path: &syn::Path) -> Ty {
        let at = loc(self.modules[module].file, path);
        let Some(last) = path.segments.last() else {
            return Ty::Err;
        };
        let name = last.ident.to_string();
        if let (Some(ty), true) = (self_ty, path.is_ident("Self")) {
            return ty.clone();
        }
        if let Some(ty) = self.type_parameter(path) {
            return ty;
        }
        let names: Vec<_> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        let def = self.lookup_path(module, &names, true);
        let args: Vec<&syn::Type> = match &last.arguments {
            syn::PathArguments::AngleBracketed(list) => list
                .args
                .iter()
                .filter_map(|a| {
                    if let syn::GenericArgument::Type(t) = a {
                        Some(t)
                    } else {
                        None
                    }
                })
                .collect(),
            _ => Vec::new(),
        };
        let generic = match &def {
            Some(Def::Framework(path)) => Some(path.clone()),
            None if name == "Option" || name == "Result" => Some(name.clone()),
            _ => None,
        };
        match (generic.as_deref(), args.as_slice()) {
            (Some("Option"), [t]) => {
                let inner = self.ty_of(module, self_ty, t);
                if matches!(inner, Ty::Option(_) | Ty::Any | Ty::Unit | Ty::Result(_)) {
                    let message = format!("`Option<{inner}>` is not supported");
                    self.error_help(
                        at,
                        message,
                        "`None` and a null value are the same item; use `Any` and `is_null()`",
                    );
                    return Ty::Err;
                }
                return Ty::option(inner);
            }
            (Some("Result"), [t, e]) => {
                let value = self.ty_of(module, self_ty, t);
                let error = self.ty_of(module, self_ty, e);
                if let Some(problem) = super::infer::bad_result(&value, &error) {
                    self.error_help(at, problem, "use an enum as the error");
                    return Ty::Err;
                }
                return Ty::result(value, error);
            }
            (Some("Array"), [t]) => return Ty::array(self.ty_of(module, self_ty, t)),
            (Some("Map"), [k, v]) => {
                let key = self.ty_of(module, self_ty, k);
                if !(matches!(key, Ty::Int | Ty::Bool | Ty::Err | Ty::Var(_)) || key.is_bytes()) {
                    self.error_help(
                        at,
                        format!("`{key}` cannot be a map's key"),
                        "use Int, bool, Bytes, Text or a hash",
                    );
                    return Ty::Err;
                }
                return Ty::Map((key, self.ty_of(module, self_ty, v)).into());
            }
            _ => {}
        }
        if !args.is_empty() {
            self.error(at, format!("`{name}` takes no type arguments of this form"));
            return Ty::Err;
        }
        match def {
            Some(Def::Struct(id)) => Ty::Struct(id, self.structs[id].name.clone()),
            Some(Def::Enum(id)) => self.enum_ty(id),
            Some(Def::Framework(path)) => match Ty::by_name(&path) {
                Some(ty) => ty,
                None => {
                    self.error(at, format!("`{path}` is not a type here"));
                    Ty::Err
                }
            },
            Some(Def::Unsupported(what)) => {
                self.error(at, format!("{what} is not part of the contract language"));
                Ty::Err
            }
            _ => self.unknown_type(at, &name),
        }
    }

    fn unknown_type(&mut self, at: crate::diagnostic::Loc, name: &str) -> Ty {
        match name {
            "i64" => return Ty::Lit,
            "bool" => return Ty::Bool,
            "u8" | "u16" | "u32" | "u64" | "u128" | "usize" | "i8" | "i16" | "i32" | "i128"
            | "isize" => {
                self.error_help(
                    at,
                    format!("machine integers such as `{name}` do not exist on NeoVM"),
                    "use `Int`",
                );
            }
            "f32" | "f64" => self.error_help(
                at,
                "there are no fractions on NeoVM",
                "use an `Int` in a smaller unit",
            ),
            "String" | "str" => {
                self.error_help(at, format!("`{name}` is not supported"), "use `Text`")
            }
            "Vec" => self.error_help(
                at,
                "`Vec` is not supported",
                "use `Array<T>`, or `Bytes` for bytes",
            ),
            "Box" | "Rc" | "Arc" | "RefCell" => {
                self.error_help(
                    at,
                    format!("`{name}` is not supported"),
                    "own the value directly",
                );
            }
            "HashMap" | "BTreeMap" => {
                self.error_help(at, format!("`{name}` is not supported"), "use `Map<K, V>`")
            }
            "Result" => self.error_help(
                at,
                "a `Result` needs its two types",
                "write `Result<Int, Error>`",
            ),
            "char" => self.error_help(
                at,
                "`char` is not supported",
                "use an `Int` from `Bytes::at`",
            ),
            _ => self.error(at, format!("cannot find the type `{name}`")),
        }
        Ty::Err
    }

    /// A function's signature; `None` after reporting that it is not supported.
    pub(crate) fn signature(&mut self, id: FnId) -> Option<Arc<Sig>> {
        if let Some(known) = self.sigs.get(&id) {
            return known.clone();
        }
        let before = self.errors.len();
        let type_args = self.functions[id].type_args.clone();
        let sig = self.with_types(type_args, |p| p.read_signature(id));
        let sig = (self.errors.len() == before).then(|| Arc::new(sig));
        self.sigs.insert(id, sig.clone());
        sig
    }

    pub(super) fn read_signature(&mut self, id: FnId) -> Sig {
        let (module, self_ty, ast) = {
            let f = &self.functions[id];
            (f.module, f.self_ty.clone(), f.sig.clone())
        };
        let file = self.modules[module].file;
        if ast.asyncness.is_some() || ast.abi.is_some() || ast.variadic.is_some() {
            self.error(
                loc(file, &*ast),
                "`async` and `extern` functions are not supported",
            );
        }
        if let Some(param) = ast
            .generics
            .params
            .iter()
            .find(|p| matches!(p, syn::GenericParam::Const(_)))
        {
            self.error_help(
                loc(file, param),
                "constant parameters are not supported",
                "pass it as an argument",
            );
        }
        let mut params = Vec::new();
        for input in &ast.inputs {
            match input {
                syn::FnArg::Receiver(r) => {
                    let at = loc(file, r);
                    let ty = self_ty.clone().unwrap_or(Ty::Err);
                    let (by_ref, exclusive) = match &r.kind {
                        syn::ReceiverKind::Value => (false, false),
                        syn::ReceiverKind::Reference(_, _, m) => (true, m.is_some()),
                        _ => {
                            self.error(at, "this receiver is not supported");
                            (false, false)
                        }
                    };
                    if exclusive && !matches!(ty, Ty::Struct(..) | Ty::Err) {
                        self.refuse_mut(at, &ty);
                    }
                    let mutable = r.mutability.is_some();
                    params.push(ParamSig {
                        name: "self".to_owned(),
                        ty,
                        by_ref,
                        mutable,
                    });
                }
                syn::FnArg::Typed(p) => {
                    let (inner, by_ref, exclusive) = match &*p.ty {
                        syn::Type::Reference(r) => (&*r.elem, true, r.mutability.is_some()),
                        other => (other, false, false),
                    };
                    let at = loc(file, &p.ty);
                    let ty = self.ty_of(module, self_ty.as_ref(), inner);
                    if ty == Ty::Lit {
                        self.error_help(at, "a parameter cannot be a machine integer", "use `Int`");
                    }
                    if exclusive
                        && !matches!(ty, Ty::Array(_) | Ty::Map(_) | Ty::Struct(..) | Ty::Err)
                    {
                        self.refuse_mut(at, &ty);
                    }
                    match &*p.pat {
                        syn::Pat::Ident(name) if name.subpat.is_none() && name.by_ref.is_none() => {
                            let mutable = name.mutability.is_some();
                            params.push(ParamSig {
                                name: name.ident.to_string(),
                                ty,
                                by_ref,
                                mutable,
                            });
                        }
                        syn::Pat::Wild(_) => {
                            params.push(ParamSig {
                                name: String::new(),
                                ty,
                                by_ref,
                                mutable: false,
                            });
                        }
                        other => {
                            let at = loc(file, other);
                            self.error_help(
                                at,
                                "a parameter must be a name",
                                "take it apart with `let` in the body",
                            );
                        }
                    }
                }
            }
        }
        let result = match &ast.output {
            syn::ReturnType::Default => Ty::Unit,
            syn::ReturnType::Type(_, ty) => self.ty_of(module, self_ty.as_ref(), ty),
        };
        if result == Ty::Lit {
            self.error_help(
                loc(file, &ast.output),
                "a function cannot return a machine integer",
                "return `Int`",
            );
        }
        Sig { params, result }
    }

    fn refuse_mut(&mut self, at: crate::diagnostic::Loc, ty: &Ty) {
        let message = format!("`&mut {ty}` is not supported: the item is a value, not a place");
        self.error_help(at, message, "return the new value instead");
    }

    /// A struct's fields in order.
    pub(crate) fn fields(&mut self, id: usize) -> Arc<[(String, Ty)]> {
        if let Some(fields) = &self.structs[id].fields {
            return fields.clone();
        }
        self.structs[id].fields = Some(Arc::new([]));
        self.with_types(std::rc::Rc::new([]), |p| p.read_fields(id))
    }

    fn read_fields(&mut self, id: usize) -> Arc<[(String, Ty)]> {
        let (module, item) = (self.structs[id].module, self.structs[id].item.clone());
        let file = self.modules[module].file;
        for attr in item.attrs.iter().filter(|a| a.path().is_ident("derive")) {
            let text = quote::ToTokens::to_token_stream(attr).to_string();
            if text
                .split(|c: char| !c.is_alphanumeric())
                .any(|w| w == "Copy")
            {
                let help = "derive `Clone` and say `.clone()` where a copy is meant";
                self.error_help(
                    loc(file, attr),
                    "a struct cannot be `Copy`: its item is shared by reference",
                    help,
                );
            }
        }
        if !item.generics.params.is_empty() {
            self.error(
                loc(file, &item.generics),
                "generic structs are not supported",
            );
        }
        let mut fields = Vec::new();
        for field in &item.fields {
            match &field.ident {
                Some(name) => {
                    let ty = self.ty_of(module, None, &field.ty);
                    if ty == Ty::Lit {
                        self.error_help(
                            loc(file, &field.ty),
                            "a field cannot be a machine integer",
                            "use `Int`",
                        );
                    }
                    fields.push((name.to_string(), ty));
                }
                None => {
                    let at = loc_of(file, item.ident.span());
                    self.error_help(
                        at,
                        "tuple structs are not supported",
                        "give the fields names",
                    );
                    break;
                }
            }
        }
        let fields: Arc<[_]> = fields.into();
        self.structs[id].fields = Some(fields.clone());
        fields
    }

    /// The numbers of an enum's variants.
    pub(crate) fn enum_values(&mut self, id: usize) -> Arc<[i64]> {
        if let Some(values) = &self.enums[id].values {
            return values.clone();
        }
        // One that leads back here finds no values; rustc refuses it.
        self.enums[id].values = Some([].into());
        if self.open_constants >= MAX_CONSTANT_DEPTH {
            let module = self.enums[id].module;
            let at = loc_of(self.modules[module].file, self.enums[id].item.ident.span());
            self.error(at, "too many constants depend on each other");
            return [].into();
        }
        self.open_constants += 1;
        let (module, item) = (self.enums[id].module, self.enums[id].item.clone());
        let mut values = Vec::new();
        let mut next = 0i64;
        for variant in &item.variants {
            if let Some((_, e)) = &variant.discriminant {
                let mut c = Checker::new(self, module, None);
                let e = c.expr(e);
                match e.kind {
                    Kind::Const(Value::Int(n)) if e.ty == Ty::Lit => {
                        next = i64::try_from(n).unwrap_or_default()
                    }
                    _ => self.error(e.loc, "the value of a variant must be an integer constant"),
                }
            }
            values.push(next);
            next = next.wrapping_add(1);
        }
        self.open_constants -= 1;
        let values: Arc<[i64]> = values.into();
        self.enums[id].values = Some(values.clone());
        values
    }

    /// The type of an enum: with values in its variants, or a number.
    pub(crate) fn enum_ty(&self, id: usize) -> Ty {
        let decl = &self.enums[id];
        if decl.item.variants.iter().any(|v| !v.fields.is_empty()) {
            Ty::Data(id, decl.name.clone())
        } else {
            Ty::Enum(id, decl.name.clone())
        }
    }

    /// The variants of an enum with values.
    pub(crate) fn variants(&mut self, id: usize) -> Arc<[Variant]> {
        if let Some(variants) = &self.enums[id].variants {
            return variants.clone();
        }
        self.enums[id].variants = Some(Arc::new([]));
        self.with_types(std::rc::Rc::new([]), |p| p.read_variants(id))
    }

    fn read_variants(&mut self, id: usize) -> Arc<[Variant]> {
        let (module, item) = (self.enums[id].module, self.enums[id].item.clone());
        let self_ty = self.enum_ty(id);
        let file = self.modules[module].file;
        if !item.generics.params.is_empty() {
            self.error(loc(file, &item.generics), "generic enums are not supported");
        }
        let mut variants = Vec::new();
        for variant in &item.variants {
            if variant.discriminant.is_some() {
                self.error_help(
                    loc(file, variant),
                    "a variant of an enum with values has no number of its own",
                    "leave the number away",
                );
            }
            let shape = match &variant.fields {
                syn::Fields::Unit => Shape::Bare,
                syn::Fields::Unnamed(_) => Shape::Tuple,
                syn::Fields::Named(_) => Shape::Named,
            };
            let mut fields = Vec::new();
            for field in &variant.fields {
                let ty = self.ty_of(module, Some(&self_ty), &field.ty);
                if matches!(ty, Ty::Lit | Ty::Unit | Ty::Never) {
                    self.error_help(
                        loc(file, &field.ty),
                        format!("a variant cannot carry a `{ty}`"),
                        "use `Int`",
                    );
                }
                let name = field.ident.as_ref().map(ToString::to_string);
                fields.push((name.unwrap_or_default(), ty));
            }
            variants.push(Variant {
                name: variant.ident.to_string(),
                shape,
                fields,
            });
        }
        let variants: Arc<[Variant]> = variants.into();
        self.enums[id].variants = Some(variants.clone());
        variants
    }

    /// The type and value of a constant; `None` after reporting why not.
    pub(crate) fn constant_value(&mut self, id: usize) -> Option<(Ty, Value)> {
        match self.consts[id].value.clone() {
            ConstState::Known(ty, value) => return Some((ty, value)),
            ConstState::Failed => return None,
            ConstState::Busy => {
                let at = loc(
                    self.modules[self.consts[id].module].file,
                    &*self.consts[id].expr,
                );
                self.error(at, "this constant depends on itself");
                return None;
            }
            ConstState::Unknown => self.consts[id].value = ConstState::Busy,
        }
        if self.open_constants >= MAX_CONSTANT_DEPTH {
            let at = loc(
                self.modules[self.consts[id].module].file,
                &*self.consts[id].expr,
            );
            self.error(at, "too many constants depend on each other");
            self.consts[id].value = ConstState::Failed;
            return None;
        }
        self.open_constants += 1;
        self.with_types(std::rc::Rc::new([]), |p| p.work_out(id))
    }

    fn work_out(&mut self, id: usize) -> Option<(Ty, Value)> {
        let (module, self_ty) = (self.consts[id].module, self.consts[id].self_ty.clone());
        let (ty, expr) = (self.consts[id].ty.clone(), self.consts[id].expr.clone());
        let before = self.errors.len();
        let ty = self.ty_of(module, self_ty.as_ref(), &ty);
        let mut c = Checker::new(self, module, self_ty);
        let e = c.expr(&expr);
        let at = e.loc;
        let e = c.coerce_at(e, &ty, at);
        self.open_constants -= 1;
        let state = match e.kind {
            Kind::Const(value) if self.errors.len() == before => ConstState::Known(ty, value),
            _ => {
                if self.errors.len() == before {
                    let help = "use int(..), bytes(b\"..\"), text(\"..\"), literals and arithmetic on them";
                    self.error_help(
                        at,
                        "this is not a constant that the compiler can work out",
                        help,
                    );
                }
                ConstState::Failed
            }
        };
        self.consts[id].value = state.clone();
        match state {
            ConstState::Known(ty, value) => Some((ty, value)),
            _ => None,
        }
    }
}
