//! neoc compiles a subset of Rust to NeoVM.
//!
//! The same source is accepted by rustc (against `neo-framework`, which runs it natively) and by this compiler, which
//! gives the NEF file, the manifest and the debug information of a Neo N3 contract. What the subset does not have is an
//! error with its place and a hint; see `docs/contract-rust.md`.
//!
//! The library is pure: sources come through [`Sources`], results are values. Stages: `program`/`names` (modules and
//! what names mean, read as paths lead there) → `check` (typed `tree`) → `facts` (what holds in the whole program) →
//! `lower` (`ir`) → `opt` → `emit`, `nef`, `manifest`, `debuginfo`.
//!
//! ```
//! use std::collections::BTreeMap;
//! let source = r#"
//! #[contract(name = "Answer")]
//! pub mod methods {
//!     use neo_framework::prelude::*;
//!     #[method(safe)]
//!     pub fn answer() -> Int { int(6) * 7 }
//! }"#;
//! let files = BTreeMap::from([("lib.rs".to_owned(), source.to_owned())]);
//! let contract = neoc::compile(&files, "lib.rs", &[]).map_err(|e| e.to_string())?;
//! assert_eq!(contract.script, [0x00, 42, 0x40]); // PUSHINT8 42, RET
//! # Ok::<(), String>(())
//! ```

mod check;
mod contract;
mod debuginfo;
mod diagnostic;
mod dump;
mod emit;
mod facts;
pub mod fault;
mod intrinsics;
mod ir;
mod lower;
mod manifest;
mod names;
mod nef;
mod nesting;
mod opt;
mod program;
mod source;
mod tree;
mod types;

use std::collections::{BTreeMap, HashMap};

pub use diagnostic::{Diagnostic, Errors, Loc, SourceFile};
pub use nef::{Token, nef};
pub use opt::{Pass, Passes};
pub use source::Sources;

use manifest::{Event, Method, camel_case};
use program::{FnId, Program, loc_of};
use tree::{Body, Kind};

/// A compiled contract.
#[derive(Clone, Debug)]
pub struct Contract {
    /// The contract's name.
    pub name: String,
    /// The NEF file.
    pub nef: Vec<u8>,
    /// The manifest, JSON without spaces.
    pub manifest: String,
    /// Debug information, JSON after NEP-19.
    pub debug: String,
    /// The script alone.
    pub script: Vec<u8>,
    /// Instructions with positions, by function.
    pub listing: String,
    /// The same with source lines.
    pub listing_with_source: String,
}

/// How to compile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The optimisations that run: all, unless said otherwise.
    pub passes: Passes,
}

/// Compiles the crate whose root file is `root`; `externs` are other crates by name and root file.
///
/// # Errors
/// Everything that is wrong, with places in the sources.
pub fn compile(
    sources: &dyn Sources,
    root: &str,
    externs: &[(String, String)],
) -> Result<Contract, Errors> {
    compile_with(sources, root, externs, &Options::default())
}

/// [`compile`] with a choice of optimisations.
///
/// # Errors
/// Everything that is wrong, with places in the sources.
pub fn compile_with(
    sources: &dyn Sources,
    root: &str,
    externs: &[(String, String)],
    options: &Options,
) -> Result<Contract, Errors> {
    let mut p = Program::new(sources, externs);
    match build(&mut p, root, options) {
        Some(contract) if p.errors.is_empty() => Ok(contract),
        _ => {
            let mut list = p.errors;
            list.sort();
            list.dedup();
            Err(Errors {
                list,
                files: p.files,
            })
        }
    }
}

fn build(p: &mut Program<'_>, root: &str, options: &Options) -> Option<Contract> {
    let root = p.load_root(root);
    let (header, exports) = contract::contract(p, root)?;
    let (bodies, events) = check_all(p, exports.iter().map(|e| e.id).collect());
    if !p.errors.is_empty() {
        return None;
    }
    let facts = facts::facts(&bodies);
    let mut unit = lower::Unit::new(&bodies, &facts);
    unit.names = bodies.keys().map(|id| (*id, full_name(p, *id))).collect();
    unit.events = events.iter().map(|(id, e)| (*id, e.name.clone())).collect();
    unit.structs = p
        .structs
        .iter()
        .enumerate()
        .map(|(id, s)| {
            (
                id,
                s.fields
                    .iter()
                    .flat_map(|f| f.iter().map(|(_, ty)| ty.clone()))
                    .collect(),
            )
        })
        .collect();
    unit.enums = p
        .enums
        .iter()
        .enumerate()
        .filter_map(|(id, e)| {
            let variants = e.variants.as_ref()?.iter().map(|v| {
                let fields = v.fields.iter().map(|(_, ty)| ty.clone());
                std::iter::once(types::Ty::Int).chain(fields).collect()
            });
            Some((id, variants.collect()))
        })
        .collect();
    unit.find_immutable_enums();
    let mut codes = Vec::new();
    for export in &exports {
        let mut code = unit.exported(export.id);
        code.name = export.name.clone();
        codes.push(code);
    }
    codes.extend(unit.rest());
    let (tokens, errors) = (
        std::mem::take(&mut unit.tokens),
        std::mem::take(&mut unit.errors),
    );
    p.errors.extend(errors);
    opt::optimise(&mut codes, exports.len(), &tokens, options.passes);
    for code in &codes {
        if code.locals > emit::MAX_SLOTS || code.args > emit::MAX_SLOTS {
            let at = code.loc.unwrap_or_default();
            p.error_help(
                at,
                "this function has more than 255 variables at once",
                "split it",
            );
        }
    }
    let script = emit::emit(&codes, &opt::order(&codes, options.passes));
    let methods: Vec<Method> = exports
        .iter()
        .zip(&script.ranges)
        .filter_map(|(e, range)| {
            let sig = p.signature(e.id)?;
            let params = sig
                .params
                .iter()
                .map(|p| (camel_case(&p.name), p.ty.clone()))
                .collect();
            Some(Method {
                name: e.name.clone(),
                params,
                result: sig.result.clone(),
                offset: range.start,
                safe: e.safe,
            })
        })
        .collect();
    let events: Vec<Event> = events.into_values().collect();
    Some(Contract {
        nef: nef::nef(&script.bytes, &tokens, &header.source),
        manifest: manifest::manifest(&header, &methods, &events),
        debug: debuginfo::debug_info(&script, &codes, &events, &p.files),
        listing: dump::dump(&script, &codes, &p.files, false),
        listing_with_source: dump::dump(&script, &codes, &p.files, true),
        script: script.bytes,
        name: header.name,
    })
}

/// Checks everything that can be reached from the exported methods.
fn check_all(
    p: &mut Program<'_>,
    roots: Vec<FnId>,
) -> (BTreeMap<FnId, Body>, BTreeMap<FnId, Event>) {
    let mut bodies = BTreeMap::new();
    let mut events = BTreeMap::new();
    let mut seen: HashMap<FnId, ()> = HashMap::new();
    let mut open = roots;
    while let Some(id) = open.pop() {
        if seen.insert(id, ()).is_some() {
            continue;
        }
        let Some(mut body) = check::function(p, id) else {
            continue;
        };
        let mut found = Vec::new();
        check::visit(&mut body.body, &mut |e| match &e.kind {
            Kind::Call(f, _) => open.push(*f),
            Kind::Event(f, _) => found.push(*f),
            _ => {}
        });
        for f in found {
            if let std::collections::btree_map::Entry::Vacant(slot) = events.entry(f)
                && let Some((name, params)) = contract::event(p, f)
            {
                slot.insert(Event { name, params });
            }
        }
        bodies.insert(id, body);
    }
    let names: Vec<(FnId, String)> = events
        .iter()
        .map(|(id, e): (&FnId, &Event)| (*id, e.name.clone()))
        .collect();
    for (n, (id, name)) in names.iter().enumerate() {
        if names[..n].iter().any(|(_, other)| other == name) {
            let f = &p.functions[*id];
            let at = loc_of(p.modules[f.module].file, f.sig.ident.span());
            p.error(at, format!("the event `{name}` is declared twice"));
        }
    }
    (bodies, events)
}

fn full_name(p: &Program<'_>, id: FnId) -> String {
    let f = &p.functions[id];
    let mut parts = vec![f.name.clone()];
    if let Some(ty) = &f.self_ty {
        parts.push(ty.to_string());
    }
    let mut module = Some(f.module);
    while let Some(m) = module {
        if !p.modules[m].name.is_empty() {
            parts.push(p.modules[m].name.clone());
        }
        module = p.modules[m].parent;
    }
    parts.reverse();
    parts.join("::")
}
