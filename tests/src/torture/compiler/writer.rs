//! State of the generator: what is in scope, and the lines written so far.

use super::program::{Function, Hold, Ty, Var};
use crate::torture::random::Random;

/// Writes one program.
pub(super) struct Writer {
    pub(super) random: Random,
    /// Begins every name outside of functions, so that programs can share a module.
    pub(super) prefix: String,
    /// Names and types of the fields.
    pub(super) structs: Vec<Vec<(String, Ty)>>,
    /// Of the enum.
    pub(super) variants: usize,
    pub(super) functions: Vec<Function>,
    pub(super) lines: Vec<String>,
    pub(super) statements: Vec<(usize, usize)>,
    vars: Vec<Var>,
    /// Moved away: their names mean nothing any more.
    moved: Vec<usize>,
    /// Not to be used now: they are borrowed.
    pub(super) hidden: Vec<String>,
    /// Not to be assigned now.
    pub(super) pinned: Vec<String>,
    block: usize,
    blocks: usize,
    names: usize,
    /// Labels of the loops around.
    pub(super) loops: Vec<String>,
    /// What the function being written gives; `None` is nothing.
    pub(super) result: Option<Ty>,
    /// The function being written gives a list of everything, and `result` is `None`.
    pub(super) lists_everything: bool,
    /// How deep in blocks that are operands: only numbers and flags are assigned there.
    pub(super) inside: usize,
}

impl Writer {
    pub(super) fn new(random: Random, index: usize) -> Self {
        Self {
            random,
            prefix: format!("p{index}"),
            structs: Vec::new(),
            variants: 3,
            functions: Vec::new(),
            lines: Vec::new(),
            statements: Vec::new(),
            vars: Vec::new(),
            moved: Vec::new(),
            hidden: Vec::new(),
            pinned: Vec::new(),
            block: 0,
            blocks: 0,
            names: 0,
            loops: Vec::new(),
            result: None,
            inside: 0,
            lists_everything: false,
        }
    }

    pub(super) fn line(&mut self, text: impl Into<String>) {
        self.lines.push(text.into());
    }

    /// Writes a statement that a smaller program may do without.
    pub(super) fn statement(&mut self, write: impl FnOnce(&mut Self)) {
        let start = self.lines.len();
        write(self);
        self.statements.push((start, self.lines.len()));
    }

    /// A block of its own: what it declares ends with it.
    pub(super) fn scope<R>(&mut self, write: impl FnOnce(&mut Self) -> R) -> R {
        let (outer, count) = (self.block, self.vars.len());
        self.blocks += 1;
        self.block = self.blocks;
        let result = write(self);
        self.vars.truncate(count);
        self.moved.retain(|at| *at < count);
        self.block = outer;
        result
    }

    /// Forgets all variables: a new function begins.
    pub(super) fn fresh_function(&mut self, result: Option<Ty>) {
        self.vars.clear();
        self.moved.clear();
        self.loops.clear();
        self.result = result;
        self.lists_everything = false;
    }

    pub(super) fn name(&mut self, start: &str) -> String {
        self.names += 1;
        format!("{start}{}", self.names)
    }

    pub(super) fn declare(&mut self, name: &str, ty: Ty, mutable: bool, hold: Hold) {
        let block = self.block;
        let name = name.to_owned();
        self.vars.push(Var {
            name,
            ty,
            mutable,
            hold,
            block,
        });
    }

    /// What a name means here, latest last.
    pub(super) fn visible(&self) -> Vec<Var> {
        let alive = |(at, var): &(usize, &Var)| {
            let shadowed = self.vars[at + 1..]
                .iter()
                .any(|later| later.name == var.name);
            !shadowed && !self.moved.contains(at) && !self.hidden.contains(&var.name)
        };
        let all = self.vars.iter().enumerate().filter(alive);
        all.map(|(_, var)| var.clone()).collect()
    }

    /// One variable that meets the condition.
    pub(super) fn some_var(&mut self, good: impl Fn(&Var) -> bool) -> Option<Var> {
        let list: Vec<Var> = self.visible().into_iter().filter(|v| good(v)).collect();
        (!list.is_empty()).then(|| self.random.pick(&list))
    }

    /// A variable of this block that can be given away, which happens.
    pub(super) fn take_movable(&mut self) -> Option<Var> {
        let block = self.block;
        let var = self.some_var(|v| v.block == block && v.hold == Hold::Own && !v.ty.is_copy())?;
        let at = self.vars.iter().rposition(|v| v.name == var.name)?;
        self.moved.push(at);
        Some(var)
    }

    pub(super) fn type_name(&self, ty: &Ty) -> String {
        match ty {
            Ty::Int => "Int".into(),
            Ty::Bool => "bool".into(),
            Ty::Bytes => "Bytes".into(),
            Ty::Text => "Text".into(),
            Ty::Enum => format!("E{}", self.prefix),
            Ty::Struct(at) => format!("S{}x{at}", self.prefix),
            Ty::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.type_name(part)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Array(of) => format!("Array<{}>", self.type_name(of)),
            Ty::Map(k, v) => format!("Map<{}, {}>", self.type_name(k), self.type_name(v)),
            Ty::Option(of) => format!("Option<{}>", self.type_name(of)),
        }
    }

    /// A type that can be an element, a field or a part.
    pub(super) fn plain_type(&mut self) -> Ty {
        match self
            .random
            .weighted(&[6, 2, 4, 2, usize::from(!self.structs.is_empty()) * 3])
        {
            0 => Ty::Int,
            1 => Ty::Bool,
            2 => Ty::Bytes,
            3 => Ty::Text,
            _ => Ty::Struct(0),
        }
    }

    /// A type of a variable, parameter or result.
    pub(super) fn any_type(&mut self) -> Ty {
        match self.random.weighted(&[14, 2, 1, 2, 3, 3]) {
            0 => self.plain_type(),
            1 => Ty::Enum,
            2 => Ty::Struct(self.random.below(self.structs.len())),
            3 => Ty::Tuple(vec![self.plain_type(), self.plain_type()]),
            4 => Ty::array(self.plain_type()),
            _ => Ty::option(self.plain_type()),
        }
    }

    pub(super) fn map_type(&mut self) -> Ty {
        let key = [Ty::Int, Ty::Bytes, Ty::Bool, Ty::Text];
        let value = [Ty::Int, Ty::Bytes, Ty::Struct(0)];
        Ty::map(self.random.pick(&key), self.random.pick(&value))
    }
}

/// A path as a value: what Rust does not copy is cloned.
pub(super) fn used(path: &str, ty: &Ty) -> String {
    if ty.is_copy() {
        path.to_owned()
    } else {
        format!("{path}.clone()")
    }
}

/// Rust's comparisons borrow both sides, so a variable on the left is copied first where the right may assign to it.
pub(super) fn compared(left: &str, op: &str, right: &str) -> String {
    if right.contains("({ ") {
        format!("({{ {left} }} {op} {right})")
    } else {
        format!("({left} {op} {right})")
    }
}
