//! The contract module: exported methods and their attributes.

use crate::check::{ParamSig, Sig};
use crate::diagnostic::Loc;
use crate::lower::exported::can_be_parameter;
use crate::manifest::{Header, camel_case};
use crate::program::{FnId, ModId, Program, loc, loc_of};
use crate::types::Ty;

/// An exported method.
pub(crate) struct Export {
    pub id: FnId,
    pub name: String,
    pub safe: bool,
}

/// Finds the module with `#[contract]` below the root and reads its attributes.
pub(crate) fn contract(p: &mut Program<'_>, root: ModId) -> Option<(Header, Vec<Export>)> {
    let found: Vec<ModId> = (0..p.modules.len())
        .filter(|m| {
            p.modules[*m].root == root && p.modules[*m].attrs.iter().any(|a| is(a, "contract"))
        })
        .collect();
    let [module] = found[..] else {
        if p.errors.is_empty() {
            let at = Loc {
                file: p.modules[root].file,
                line: 1,
                end_line: 1,
                ..Loc::default()
            };
            let help = "mark one inline module of the crate's root: `#[contract(name = \"…\")] pub mod methods { … }`";
            p.error_help(
                at,
                format!("{} modules are marked as the contract", found.len()),
                help,
            );
        }
        return None;
    };
    let attrs = p.modules[module].attrs.clone();
    let file = p.modules[module].file;
    let mut header = Header {
        name: String::new(),
        ..Header::default()
    };
    for attr in attrs.iter().filter(|a| is(a, "contract")) {
        read_header(p, file, attr, &mut header);
    }
    if header.name.is_empty() {
        let at = p.modules[module].loc;
        p.error_help(
            at,
            "the contract has no name",
            "write `#[contract(name = \"…\")]`",
        );
    }
    let mut exports: Vec<Export> = Vec::new();
    for id in p.modules[module].functions.clone() {
        let attrs = p.functions[id].attrs.clone();
        let Some(attr) = attrs.iter().find(|a| is(a, "method")) else {
            continue;
        };
        if let Some(export) = export(p, file, id, attr) {
            exports.push(export);
        }
    }
    let mut seen: Vec<(String, usize)> = Vec::new();
    for e in &exports {
        let count = p.functions[e.id].sig.inputs.len();
        if seen.contains(&(e.name.clone(), count)) {
            let at = loc_of(file, p.functions[e.id].sig.ident.span());
            let help = "methods of one name must differ in the number of parameters";
            p.error_help(
                at,
                format!("`{}` with {count} parameters is exported twice", e.name),
                help,
            );
        }
        seen.push((e.name.clone(), count));
    }
    if exports.is_empty() && p.errors.is_empty() {
        let at = p.modules[module].loc;
        p.error_help(
            at,
            "the contract exports nothing",
            "mark functions with `#[method]` or `#[method(safe)]`",
        );
    }
    Some((header, exports))
}

fn read_header(p: &mut Program<'_>, file: usize, attr: &syn::Attribute, header: &mut Header) {
    let result = attr.parse_nested_meta(|meta| {
        if meta.path.is_ident("standards") {
            let list: syn::ExprArray = meta.value()?.parse()?;
            for e in &list.elems {
                match e {
                    syn::Expr::Lit(syn::ExprLit {
                        lit: syn::Lit::Str(s),
                        ..
                    }) => header.standards.push(s.value()),
                    other => return Err(syn::Error::new_spanned(other, "a standard is a string")),
                }
            }
            return Ok(());
        }
        let text: syn::LitStr = meta.value()?.parse()?;
        if meta.path.is_ident("name") {
            header.name = text.value();
        } else if meta.path.is_ident("source") {
            header.source = text.value();
        } else if meta.path.is_ident("permissions") && text.value() == "*" {
            header.permissions = true;
        } else if meta.path.is_ident("permissions") {
            return Err(syn::Error::new_spanned(
                text,
                "permissions are \"*\" or left out",
            ));
        } else {
            return Err(meta.error("`contract` knows name, standards, permissions and source"));
        }
        Ok(())
    });
    if let Err(error) = result {
        p.error(loc_of(file, error.span()), error.to_string());
    }
}

fn export(p: &mut Program<'_>, file: usize, id: FnId, attr: &syn::Attribute) -> Option<Export> {
    let mut name = camel_case(&p.functions[id].name);
    let mut safe = false;
    if !matches!(attr.meta, syn::Meta::Path(_)) {
        let result = attr.parse_nested_meta(|meta| {
            if meta.path.is_ident("safe") {
                safe = true;
            } else if meta.path.is_ident("name") {
                name = meta.value()?.parse::<syn::LitStr>()?.value();
            } else {
                return Err(meta.error("`method` knows safe and name"));
            }
            Ok(())
        });
        if let Err(error) = result {
            p.error(loc_of(file, error.span()), error.to_string());
        }
    }
    let ast = p.functions[id].sig.clone();
    if !ast.generics.params.is_empty() {
        p.error_help(
            loc(file, &ast.generics),
            "an exported method cannot be generic",
            "take `Any`, or export one method a type",
        );
        return None;
    }
    let sig = p.signature(id)?;
    for (param, input) in sig.params.iter().zip(&ast.inputs) {
        let at = loc(file, input);
        if param.by_ref {
            p.error_help(
                at,
                "an exported method takes its parameters by value",
                "leave the `&` away",
            );
        }
        if !can_be_parameter(&param.ty) && param.ty != Ty::Err {
            let help = "take an `Int` for an enum, `Array<Any>` for a list, `Any` for anything, and convert";
            p.error_help(
                at,
                format!("`{}` cannot be a parameter of an exported method", param.ty),
                help,
            );
        }
    }
    if matches!(sig.result, Ty::Never) {
        p.error(loc(file, &ast.output), "an exported method must return");
    }
    Some(Export { id, name, safe })
}

/// Name and parameters of an event, from its function.
pub(crate) fn event(p: &mut Program<'_>, id: FnId) -> Option<(String, Vec<(String, Ty)>)> {
    let sig: std::sync::Arc<Sig> = p.signature(id)?;
    let (module, attrs) = (p.functions[id].module, p.functions[id].attrs.clone());
    let file = p.modules[module].file;
    let attr = attrs.iter().find(|a| is(a, "event"))?;
    let mut name = String::new();
    let result = attr.parse_nested_meta(|meta| {
        if !meta.path.is_ident("name") {
            return Err(meta.error("`event` knows name"));
        }
        name = meta.value()?.parse::<syn::LitStr>()?.value();
        Ok(())
    });
    if let Err(error) = result {
        p.error(loc_of(file, error.span()), error.to_string());
    }
    let at = loc_of(file, p.functions[id].sig.ident.span());
    if name.is_empty() || name.len() > 32 {
        p.error_help(
            at,
            "an event's name has 1 to 32 bytes",
            "write `#[event(name = \"…\")]`",
        );
    }
    if sig.result != Ty::Unit || !p.functions[id].block.stmts.is_empty() {
        p.error_help(
            at,
            "an event is a function with an empty body and no result",
            "the attribute fills it in",
        );
    }
    let params = sig
        .params
        .iter()
        .map(|ParamSig { name, ty, .. }| (camel_case(name), ty.clone()))
        .collect();
    Some((name, params))
}

fn is(attr: &syn::Attribute, name: &str) -> bool {
    attr.path().segments.last().is_some_and(|s| s.ident == name)
}
