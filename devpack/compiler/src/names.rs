//! What a path means in a module.

use crate::intrinsics;
use crate::program::{Def, ModId, Program};

/// Imports that lead to imports: deeper than this is a cycle.
const MAX_IMPORT_DEPTH: usize = 32;
/// Names looked up for one path: only imports that lead to each other in many ways need more.
const MAX_STEPS: usize = 4096;

impl Program<'_> {
    /// The item that a path names, seen from `module`. `types` chooses among types and modules, else among values.
    pub(crate) fn lookup_path(
        &mut self,
        module: ModId,
        path: &[String],
        types: bool,
    ) -> Option<Def> {
        self.steps = 0;
        self.path_at(module, path, types, 0)
    }

    fn path_at(
        &mut self,
        module: ModId,
        path: &[String],
        types: bool,
        depth: usize,
    ) -> Option<Def> {
        if depth > MAX_IMPORT_DEPTH {
            return None;
        }
        let (first, rest) = path.split_first()?;
        if first == "::" {
            let (name, rest) = rest.split_first()?;
            let start = self.crate_named(name)?;
            return self.walk(start, rest, types, depth);
        }
        let start = match first.as_str() {
            "crate" => Some(Def::Module(self.modules[module].root)),
            "self" => Some(Def::Module(module)),
            "super" => self.modules[module].parent.map(Def::Module),
            name => self
                .name_at(module, name, types || !rest.is_empty(), depth)
                .or_else(|| self.crate_named(name)),
        }?;
        self.walk(start, rest, types, depth)
    }

    fn crate_named(&mut self, name: &str) -> Option<Def> {
        match name {
            "neo_framework" => Some(Def::Framework(String::new())),
            name => self.extern_crate(name).map(Def::Module),
        }
    }

    pub(crate) fn walk(
        &mut self,
        start: Def,
        rest: &[String],
        types: bool,
        depth: usize,
    ) -> Option<Def> {
        let mut here = start;
        for (n, name) in rest.iter().enumerate() {
            let last = n + 1 == rest.len();
            here = match here {
                Def::Module(id) if name == "super" => Def::Module(self.modules[id].parent?),
                Def::Module(id) => {
                    self.ensure_loaded(id);
                    self.name_at(id, name, types || !last, depth + 1)?
                }
                Def::Struct(id) => self.structs[id].assoc.get(name)?.clone(),
                Def::Enum(id) => match self.enums[id]
                    .item
                    .variants
                    .iter()
                    .position(|v| v.ident == name)
                {
                    Some(variant) => Def::Variant(id, variant),
                    None => self.enums[id].assoc.get(name)?.clone(),
                },
                Def::Framework(path) => Def::Framework(intrinsics::child(&path, name)?),
                Def::Variant(..) | Def::Fn(_) | Def::Const(_) | Def::Unsupported(_) => return None,
            };
        }
        Some(here)
    }

    /// A name inside a module: its own items first, then named imports, then glob imports.
    fn name_at(&mut self, module: ModId, name: &str, types: bool, depth: usize) -> Option<Def> {
        self.steps += 1;
        if depth > MAX_IMPORT_DEPTH || self.steps > MAX_STEPS {
            return None;
        }
        let own = if types {
            &self.modules[module].types
        } else {
            &self.modules[module].values
        };
        if let Some(def) = own.get(name) {
            return Some(def.clone());
        }
        let paths: Vec<_> = self.modules[module]
            .uses
            .iter()
            .filter(|(n, _)| n == name)
            .map(|(_, p)| p.clone())
            .collect();
        for path in paths {
            // `use a::a;` must not find itself.
            if path.len() == 1 && path[0] == name {
                if let Some(found) = self.crate_named(name) {
                    return Some(found);
                }
                continue;
            }
            if let Some(found) = self.path_at(module, &path, types, depth + 1) {
                return Some(found);
            }
        }
        for path in self.modules[module].globs.clone() {
            let Some(start) = self.path_at(module, &path, true, depth + 1) else {
                continue;
            };
            if start == Def::Module(module) {
                continue;
            }
            if let Some(found) = self.walk(start, &[name.to_owned()], types, depth + 1) {
                return Some(found);
            }
        }
        None
    }
}
