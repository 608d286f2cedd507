//! The program as declared: crates, modules, items. Modules are read when a path first leads into them.

use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use proc_macro2::Span;
use quote::ToTokens;
use syn::spanned::Spanned;

use crate::diagnostic::{Diagnostic, Loc, SourceFile};
use crate::nesting::too_deep;
use crate::source::{Sources, join, parent};
use crate::tree::Value;
use crate::types::Ty;

pub(crate) type ModId = usize;
pub(crate) type FnId = usize;

/// Characters of an error's message.
const MAX_MESSAGE: usize = 200;

/// What a name can mean.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Def {
    Module(ModId),
    Struct(usize),
    Enum(usize),
    Variant(usize, usize),
    Fn(FnId),
    Const(usize),
    /// An item of the framework by its path below the crate, such as `storage::get`; empty is the crate.
    Framework(String),
    /// An item that the subset does not have; the text says what it is.
    Unsupported(&'static str),
}

impl Def {
    /// Whether the item lives among types and modules rather than values.
    fn is_type(&self) -> bool {
        matches!(
            self,
            Def::Module(_) | Def::Struct(_) | Def::Enum(_) | Def::Unsupported(_)
        )
    }
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    pub parent: Option<ModId>,
    pub root: ModId,
    pub file: usize,
    /// Folder of files of child modules.
    dir: String,
    /// Files to try, while not read.
    pending: Option<Vec<String>>,
    pub types: HashMap<String, Def>,
    pub values: HashMap<String, Def>,
    /// Imported names: path and whether it is below the crate root of an old-style path.
    pub uses: Vec<(String, Vec<String>)>,
    pub globs: Vec<Vec<String>>,
    pub loc: Loc,
    pub attrs: Rc<[syn::Attribute]>,
    pub name: String,
    /// Functions in source order, for exported methods.
    pub functions: Vec<FnId>,
}

#[derive(Debug)]
pub(crate) struct FnDecl {
    pub name: String,
    pub module: ModId,
    pub self_ty: Option<Ty>,
    /// Of a generic function made for certain types: what its parameters stand for.
    pub type_args: Rc<[(String, Ty)]>,
    pub sig: Rc<syn::Signature>,
    pub block: Rc<syn::Block>,
    pub attrs: Rc<[syn::Attribute]>,
}

#[derive(Debug)]
pub(crate) struct StructDecl {
    pub name: Arc<str>,
    pub module: ModId,
    pub item: Rc<syn::ItemStruct>,
    pub fields: Option<Arc<[(String, Ty)]>>,
    pub assoc: HashMap<String, Def>,
}

#[derive(Debug)]
pub(crate) struct EnumDecl {
    pub name: Arc<str>,
    pub module: ModId,
    pub item: Rc<syn::ItemEnum>,
    pub values: Option<Arc<[i64]>>,
    /// Fields of each variant, names being empty where they have none.
    pub variants: Option<Arc<[Variant]>>,
    pub assoc: HashMap<String, Def>,
}

/// A variant of an enum with values.
#[derive(Debug, Clone)]
pub(crate) struct Variant {
    pub name: String,
    pub shape: Shape,
    pub fields: Vec<(String, Ty)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Shape {
    Bare,
    Tuple,
    Named,
}

#[derive(Debug)]
pub(crate) struct ConstDecl {
    pub module: ModId,
    pub self_ty: Option<Ty>,
    pub ty: Rc<syn::Type>,
    pub expr: Rc<syn::Expr>,
    pub value: ConstState,
}

#[derive(Debug, Clone)]
pub(crate) enum ConstState {
    Unknown,
    Busy,
    Known(Ty, Value),
    Failed,
}

/// Everything read so far, and all errors.
pub(crate) struct Program<'a> {
    sources: &'a dyn Sources,
    pub files: Vec<SourceFile>,
    pub modules: Vec<Module>,
    /// Other crates by name: root file, and root module once read.
    crates: HashMap<String, (String, Option<ModId>)>,
    pub functions: Vec<FnDecl>,
    pub structs: Vec<StructDecl>,
    pub enums: Vec<EnumDecl>,
    pub consts: Vec<ConstDecl>,
    pub errors: Vec<Diagnostic>,
    /// Names looked up for the path at hand.
    pub steps: usize,
    /// Constants being worked out, each for the one before.
    pub open_constants: usize,
    /// What the type parameters in reach stand for.
    pub type_params: Rc<[(String, Ty)]>,
    /// Generic functions made for certain types.
    pub instances: HashMap<(FnId, Vec<Ty>), FnId>,
    /// Signatures read so far; `None` is one with an error.
    pub sigs: HashMap<FnId, Option<Arc<crate::check::Sig>>>,
}

impl<'a> Program<'a> {
    pub(crate) fn new(sources: &'a dyn Sources, externs: &[(String, String)]) -> Self {
        Program {
            sources,
            files: Vec::new(),
            modules: Vec::new(),
            crates: externs
                .iter()
                .map(|(name, path)| (name.clone(), (path.clone(), None)))
                .collect(),
            functions: Vec::new(),
            structs: Vec::new(),
            enums: Vec::new(),
            consts: Vec::new(),
            errors: Vec::new(),
            steps: 0,
            type_params: Rc::new([]),
            instances: HashMap::new(),
            open_constants: 0,
            sigs: HashMap::new(),
        }
    }

    pub(crate) fn error(&mut self, loc: Loc, message: impl Into<String>) {
        self.errors.push(Diagnostic {
            loc,
            message: shortened(message.into()),
            help: None,
        });
    }

    pub(crate) fn error_help(
        &mut self,
        loc: Loc,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(Diagnostic {
            loc,
            message: shortened(message.into()),
            help: Some(help.into()),
        });
    }

    /// Reads a crate's root module.
    pub(crate) fn load_root(&mut self, path: &str) -> ModId {
        let id = self.modules.len();
        self.modules.push(Module {
            root: id,
            dir: parent(path).to_owned(),
            pending: Some(vec![path.to_owned()]),
            attrs: Rc::new([]),
            ..Module::default()
        });
        self.ensure_loaded(id);
        id
    }

    /// The root of another crate, read when first asked for.
    pub(crate) fn extern_crate(&mut self, name: &str) -> Option<ModId> {
        let (path, root) = self.crates.get(name)?.clone();
        if root.is_some() {
            return root;
        }
        let id = self.load_root(&path);
        self.crates.insert(name.to_owned(), (path, Some(id)));
        Some(id)
    }

    /// Reads the file of a module if that has not happened.
    pub(crate) fn ensure_loaded(&mut self, id: ModId) {
        let Some(candidates) = self.modules[id].pending.take() else {
            return;
        };
        let found = candidates
            .iter()
            .find_map(|path| Some((path.clone(), self.sources.read(path)?)));
        let Some((path, text)) = found else {
            let loc = self.modules[id].loc;
            return self.error(loc, format!("there is no file {}", candidates.join(" or ")));
        };
        let file = self.files.len();
        self.modules[id].file = file;
        self.files.push(SourceFile {
            path,
            text: text.clone(),
        });
        let tokens: Result<proc_macro2::TokenStream, _> = text.parse();
        if let Some(span) = tokens.ok().and_then(too_deep) {
            let help = "split it: give parts of it names, or functions of their own";
            return self.error_help(loc_of(file, span), "this is nested too deeply", help);
        }
        match syn::parse_file(&text) {
            Ok(tree) => self.fill(id, &tree.items),
            Err(error) => {
                let loc = loc_of(file, error.span());
                self.error(loc, format!("syntax error: {error}"));
            }
        }
    }

    fn fill(&mut self, id: ModId, items: &[syn::Item]) {
        let file = self.modules[id].file;
        let mut impls = Vec::new();
        for item in items {
            if !enabled(attrs_of(item)) {
                continue;
            }
            match item {
                syn::Item::Fn(f) => {
                    let decl = self.function(id, None, &f.sig, &f.block, &f.attrs);
                    self.modules[id].functions.push(decl);
                    self.define(id, &f.sig.ident, Def::Fn(decl));
                }
                syn::Item::Struct(s) => {
                    let decl = StructDecl {
                        name: s.ident.to_string().into(),
                        module: id,
                        item: Rc::new(s.clone()),
                        fields: None,
                        assoc: HashMap::new(),
                    };
                    self.structs.push(decl);
                    self.define(id, &s.ident, Def::Struct(self.structs.len() - 1));
                }
                syn::Item::Enum(e) => {
                    let decl = EnumDecl {
                        name: e.ident.to_string().into(),
                        module: id,
                        item: Rc::new(e.clone()),
                        values: None,
                        variants: None,
                        assoc: HashMap::new(),
                    };
                    self.enums.push(decl);
                    self.define(id, &e.ident, Def::Enum(self.enums.len() - 1));
                }
                syn::Item::Const(c) => {
                    let decl = self.constant(id, None, &c.ty, &c.expr);
                    self.define(id, &c.ident, decl);
                }
                syn::Item::Mod(m) => self.child(id, m),
                syn::Item::Use(u) => {
                    let mut prefix = Vec::new();
                    if u.leading_colon.is_some() {
                        prefix.push("::".to_owned());
                    }
                    self.import(id, prefix, &u.tree);
                }
                syn::Item::Impl(block) if block.trait_.is_none() => impls.push(block),
                syn::Item::Trait(t) => self.define(id, &t.ident, Def::Unsupported("a trait")),
                syn::Item::Type(t) => self.define(id, &t.ident, Def::Unsupported("a type alias")),
                syn::Item::Static(s) => self.define(id, &s.ident, Def::Unsupported("a static")),
                syn::Item::Union(u) => self.define(id, &u.ident, Def::Unsupported("a union")),
                syn::Item::ExternCrate(e) if self.crates.contains_key(&e.ident.to_string()) => {}
                // Trait implementations and macro definitions are out of reach of any path that the subset has.
                syn::Item::Impl(_) | syn::Item::Macro(_) | syn::Item::ExternCrate(_) => {}
                other => {
                    let loc = loc_of(file, other.span());
                    self.error(
                        loc,
                        "this kind of item is not part of the contract language",
                    );
                }
            }
        }
        for block in impls {
            self.implement(id, block);
        }
    }

    fn define(&mut self, id: ModId, name: &syn::Ident, def: Def) {
        let loc = loc_of(self.modules[id].file, name.span());
        let module = &mut self.modules[id];
        let map = if def.is_type() {
            &mut module.types
        } else {
            &mut module.values
        };
        if map.insert(name.to_string(), def).is_some() {
            self.error(
                loc,
                format!("the name `{name}` is defined twice in this module"),
            );
        }
    }

    fn function(
        &mut self,
        module: ModId,
        self_ty: Option<Ty>,
        sig: &syn::Signature,
        block: &syn::Block,
        attrs: &[syn::Attribute],
    ) -> FnId {
        self.functions.push(FnDecl {
            name: sig.ident.to_string(),
            module,
            self_ty,
            type_args: Rc::new([]),
            sig: Rc::new(sig.clone()),
            block: Rc::new(block.clone()),
            attrs: attrs.to_vec().into(),
        });
        self.functions.len() - 1
    }

    fn constant(
        &mut self,
        module: ModId,
        self_ty: Option<Ty>,
        ty: &syn::Type,
        expr: &syn::Expr,
    ) -> Def {
        self.consts.push(ConstDecl {
            module,
            self_ty,
            ty: Rc::new(ty.clone()),
            expr: Rc::new(expr.clone()),
            value: ConstState::Unknown,
        });
        Def::Const(self.consts.len() - 1)
    }

    fn child(&mut self, parent: ModId, item: &syn::ItemMod) {
        let id = self.modules.len();
        let name = item.ident.to_string();
        let dir = join(&self.modules[parent].dir, &name);
        let pending = item
            .content
            .is_none()
            .then(|| vec![format!("{dir}.rs"), format!("{dir}/mod.rs")]);
        self.modules.push(Module {
            parent: Some(parent),
            root: self.modules[parent].root,
            file: self.modules[parent].file,
            dir,
            pending,
            loc: loc_of(self.modules[parent].file, item.ident.span()),
            attrs: item.attrs.clone().into(),
            name,
            ..Module::default()
        });
        self.define(parent, &item.ident, Def::Module(id));
        if let Some((_, items)) = &item.content {
            self.fill(id, items);
        }
    }

    fn import(&mut self, id: ModId, prefix: Vec<String>, tree: &syn::UseTree) {
        let with = |name: &syn::Ident| {
            let mut path = prefix.clone();
            path.push(name.to_string());
            path
        };
        match tree {
            syn::UseTree::Path(path) => self.import(id, with(&path.ident), &path.tree),
            syn::UseTree::Name(name) if name.ident == "self" => {
                if let Some(last) = prefix.last().cloned() {
                    self.modules[id].uses.push((last, prefix));
                }
            }
            syn::UseTree::Name(name) => self.modules[id]
                .uses
                .push((name.ident.to_string(), with(&name.ident))),
            syn::UseTree::Rename(r) if r.ident == "self" => {
                self.modules[id].uses.push((r.rename.to_string(), prefix));
            }
            syn::UseTree::Rename(r) => self.modules[id]
                .uses
                .push((r.rename.to_string(), with(&r.ident))),
            syn::UseTree::Glob(_) => self.modules[id].globs.push(prefix),
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.import(id, prefix.clone(), tree);
                }
            }
        }
    }

    fn implement(&mut self, id: ModId, block: &syn::ItemImpl) {
        let file = self.modules[id].file;
        let loc = loc_of(file, block.self_ty.span());
        let def = match &*block.self_ty {
            syn::Type::Path(path) if path.qself.is_none() => {
                let names: Vec<_> = path
                    .path
                    .segments
                    .iter()
                    .map(|s| s.ident.to_string())
                    .collect();
                self.lookup_path(id, &names, true)
            }
            _ => None,
        };
        let (ty, is_struct, at) = match def {
            Some(Def::Struct(at)) => (Ty::Struct(at, self.structs[at].name.clone()), true, at),
            Some(Def::Enum(at)) => (self.enum_ty(at), false, at),
            _ => {
                return self.error(
                    loc,
                    "methods can only be given to a struct or enum of the contract",
                );
            }
        };
        for item in &block.items {
            let (name, def) = match item {
                syn::ImplItem::Fn(f) if enabled(&f.attrs) => {
                    let decl = self.function(id, Some(ty.clone()), &f.sig, &f.block, &f.attrs);
                    (f.sig.ident.to_string(), Def::Fn(decl))
                }
                syn::ImplItem::Const(c) if enabled(&c.attrs) => (
                    c.ident.to_string(),
                    self.constant(id, Some(ty.clone()), &c.ty, &c.expr),
                ),
                _ => continue,
            };
            let assoc = if is_struct {
                &mut self.structs[at].assoc
            } else {
                &mut self.enums[at].assoc
            };
            assoc.insert(name, def);
        }
    }
}

/// Types in a message can be long.
fn shortened(message: String) -> String {
    match message.char_indices().nth(MAX_MESSAGE) {
        Some((end, _)) => format!("{}…", &message[..end]),
        None => message,
    }
}

/// The place of a span in a file.
pub(crate) fn loc_of(file: usize, span: Span) -> Loc {
    let (start, end) = (span.start(), span.end());
    Loc {
        file,
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
    }
}

/// The place of a piece of syntax.
pub(crate) fn loc(file: usize, node: &impl ToTokens) -> Loc {
    loc_of(file, node.span())
}

fn attrs_of(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(i) => &i.attrs,
        syn::Item::Enum(i) => &i.attrs,
        syn::Item::ExternCrate(i) => &i.attrs,
        syn::Item::Fn(i) => &i.attrs,
        syn::Item::Impl(i) => &i.attrs,
        syn::Item::Macro(i) => &i.attrs,
        syn::Item::Mod(i) => &i.attrs,
        syn::Item::Static(i) => &i.attrs,
        syn::Item::Struct(i) => &i.attrs,
        syn::Item::Trait(i) => &i.attrs,
        syn::Item::Type(i) => &i.attrs,
        syn::Item::Use(i) => &i.attrs,
        _ => &[],
    }
}

/// Whether all `cfg` attributes hold: `neo` is the only thing that is set.
pub(crate) fn enabled(attrs: &[syn::Attribute]) -> bool {
    attrs
        .iter()
        .filter(|a| a.path().is_ident("cfg"))
        .all(|a| a.parse_args::<syn::Meta>().is_ok_and(|m| holds(&m)))
}

fn holds(meta: &syn::Meta) -> bool {
    type List = syn::punctuated::Punctuated<syn::Meta, syn::Token![,]>;
    match meta {
        syn::Meta::Path(path) => path.is_ident("neo"),
        syn::Meta::NameValue(_) => false,
        syn::Meta::List(list) => {
            let Ok(inner) = list.parse_args_with(List::parse_terminated) else {
                return false;
            };
            if list.path.is_ident("not") {
                !inner.iter().all(holds)
            } else if list.path.is_ident("any") {
                inner.iter().any(holds)
            } else {
                list.path.is_ident("all") && inner.iter().all(holds)
            }
        }
    }
}
