//! From the typed tree to instructions.
//!
//! `height` counts the compiler's own temporaries on the stack of the running function. Everything that leaves early
//! (`return`, `?`, `break`) drops them, and the `eval` functions are refused while there are any.

mod clone;
mod cond;
pub(crate) mod exported;
mod expr;
mod helpers;
mod loops;
mod matching;
mod results;

#[cfg(test)]
pub(crate) use helpers::HELPERS;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use neo_opcode::{Op, Syscall};
use num_bigint::BigInt;

use crate::diagnostic::{Diagnostic, Loc};
use crate::facts::Facts;
use crate::ir::{Code, Ins, Label, Variable};
use crate::nef::Token;
use crate::program::FnId;
use crate::tree::{Body, LocalId, LoopId};
use crate::types::Ty;

/// What the lowering of all functions shares.
pub(crate) struct Unit<'a> {
    pub bodies: &'a BTreeMap<FnId, Body>,
    pub facts: &'a Facts,
    pub names: HashMap<FnId, String>,
    /// Events by function: name on the chain.
    pub events: HashMap<FnId, String>,
    /// Field types by struct.
    pub structs: HashMap<usize, Vec<Ty>>,
    /// Items by variant of each enum with values, the one that tells the variant included.
    pub enums: HashMap<usize, Vec<Vec<Ty>>>,
    immutable_enums: BTreeSet<usize>,
    pub tokens: Vec<Token>,
    pub errors: Vec<Diagnostic>,
    next_label: Label,
    fn_labels: BTreeMap<FnId, Label>,
    helper_labels: BTreeMap<&'static str, Label>,
    /// Functions and helpers asked for and not lowered yet.
    wanted_fns: Vec<FnId>,
    wanted_helpers: BTreeSet<&'static str>,
}

impl<'a> Unit<'a> {
    pub(crate) fn new(bodies: &'a BTreeMap<FnId, Body>, facts: &'a Facts) -> Self {
        Unit {
            bodies,
            facts,
            names: HashMap::new(),
            events: HashMap::new(),
            structs: HashMap::new(),
            enums: HashMap::new(),
            immutable_enums: BTreeSet::new(),
            tokens: Vec::new(),
            errors: Vec::new(),
            next_label: 0,
            fn_labels: BTreeMap::new(),
            helper_labels: BTreeMap::new(),
            wanted_fns: Vec::new(),
            wanted_helpers: BTreeSet::new(),
        }
    }

    pub(crate) fn label(&mut self) -> Label {
        self.next_label += 1;
        self.next_label
    }

    /// Enums whose values nothing can change: all but those with something changeable in them.
    pub(crate) fn find_immutable_enums(&mut self) {
        self.immutable_enums = self.enums.keys().copied().collect();
        loop {
            let still: BTreeSet<usize> = self
                .immutable_enums
                .iter()
                .copied()
                .filter(|id| {
                    let mut items = self.enums.get(id).into_iter().flatten().flatten();
                    items.all(|ty| self.unchanging(ty))
                })
                .collect();
            if still.len() == self.immutable_enums.len() {
                return;
            }
            self.immutable_enums = still;
        }
    }

    /// Whether no operation of the language changes items of the type, so that sharing is copying.
    pub(super) fn unchanging(&self, ty: &Ty) -> bool {
        match ty {
            Ty::Array(_) | Ty::Map(_) | Ty::Struct(..) | Ty::Iterator => false,
            Ty::Option(t) => self.unchanging(t),
            Ty::Result(te) => self.unchanging(&te.0) && self.unchanging(&te.1),
            Ty::Data(id, _) => self.immutable_enums.contains(id),
            Ty::Tuple(parts) => parts.iter().all(|t| self.unchanging(t)),
            _ => true,
        }
    }

    fn function_label(&mut self, id: FnId) -> Label {
        if let Some(label) = self.fn_labels.get(&id) {
            return *label;
        }
        let label = self.label();
        self.fn_labels.insert(id, label);
        self.wanted_fns.push(id);
        label
    }

    fn helper_label(&mut self, name: &'static str) -> Label {
        if let Some(label) = self.helper_labels.get(name) {
            return *label;
        }
        let label = self.label();
        self.helper_labels.insert(name, label);
        self.wanted_helpers.insert(name);
        label
    }

    /// Lowers everything that the code so far calls.
    pub(crate) fn rest(&mut self) -> Vec<Code> {
        let mut out = Vec::new();
        loop {
            if let Some(id) = self.wanted_fns.first().copied() {
                self.wanted_fns.remove(0);
                let label = self.function_label(id);
                out.push(self.function(id, label, false));
            } else if let Some(name) = self.wanted_helpers.pop_first() {
                let label = self.helper_label(name);
                out.push(helpers::helper(self, name, label));
            } else {
                return out;
            }
        }
    }

    /// Lowers a function that is exported: arguments in the order of Neo, checked first.
    pub(crate) fn exported(&mut self, id: FnId) -> Code {
        let label = self.label();
        self.function(id, label, true)
    }

    fn function(&mut self, id: FnId, label: Label, exported: bool) -> Code {
        let bodies = self.bodies;
        let Some(body) = bodies.get(&id) else {
            return Code {
                name: String::new(),
                label,
                ins: Vec::new(),
                locals: 0,
                args: 0,
                params: Vec::new(),
                variables: Vec::new(),
                result: Ty::Unit,
                loc: None,
            };
        };
        let name = self.names.get(&id).cloned().unwrap_or_default();
        let mut f = Function {
            u: self,
            id,
            body,
            exported,
            ins: vec![Ins::Mark(body.loc)],
            height: 0,
            places: HashMap::new(),
            next_slot: 0,
            slots: 0,
            loops: Vec::new(),
            variables: Vec::new(),
            tags: Vec::new(),
        };
        let count = body.params.len();
        let mut params = Vec::new();
        for (n, local) in body.params.iter().enumerate() {
            // Internal callers push from left to right, which leaves the last argument on top.
            let slot = if exported { n } else { count - 1 - n };
            f.places.insert(*local, Place::Arg(slot));
            params.push(Variable {
                name: body.locals[*local].name.clone(),
                ty: body.locals[*local].ty.clone(),
                slot,
            });
        }
        if exported {
            f.prologue();
        }
        f.value(&body.body, !exported);
        f.ins.push(Ins::Op(Op::RET));
        let (ins, locals, variables) = (f.ins, f.slots, f.variables);
        Code {
            name,
            label,
            ins,
            locals,
            args: count,
            params,
            variables,
            result: body.result.clone(),
            loc: Some(body.loc),
        }
    }
}

/// Where a value is kept.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Place {
    Slot(usize),
    Arg(usize),
}

struct OpenLoop {
    id: LoopId,
    exit: Label,
    again: Label,
    height: usize,
}

/// The lowering of one function.
pub(crate) struct Function<'u, 'a> {
    u: &'u mut Unit<'a>,
    id: FnId,
    body: &'a Body,
    exported: bool,
    ins: Vec<Ins>,
    height: usize,
    places: HashMap<LocalId, Place>,
    next_slot: usize,
    slots: usize,
    loops: Vec<OpenLoop>,
    variables: Vec<Variable>,
    /// Places of values whose variant is kept in a place of its own for a while.
    tags: Vec<(Place, Place)>,
}

impl Function<'_, '_> {
    fn error(&mut self, loc: Loc, message: impl Into<String>, help: &str) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.u.errors.push(Diagnostic {
            loc,
            message: message.into(),
            help,
        });
    }

    fn op(&mut self, op: Op) {
        self.ins.push(Ins::Op(op));
    }

    fn int(&mut self, n: usize) {
        self.ins.push(Ins::Int(BigInt::from(n)));
    }

    fn jump(&mut self, op: Op, label: Label) {
        self.ins.push(Ins::Jump(op, label));
    }

    fn label_here(&mut self, label: Label) {
        self.ins.push(Ins::Label(label));
    }

    fn helper(&mut self, name: &'static str) {
        let label = self.u.helper_label(name);
        self.ins.push(Ins::Call(label));
    }

    fn is_type(&mut self, byte: u8) {
        self.ins.push(Ins::With(Op::ISTYPE, vec![byte]));
    }

    fn syscall(&mut self, name: &str) {
        if let Some(call) = Syscall::by_name(name) {
            self.ins.push(Ins::With(Op::SYSCALL, call.id.to_vec()));
        }
    }

    fn load(&mut self, place: Place) {
        self.ins.push(match place {
            Place::Slot(n) => Ins::LdLoc(n),
            Place::Arg(n) => Ins::LdArg(n),
        });
    }

    fn store(&mut self, place: Place) {
        self.ins.push(match place {
            Place::Slot(n) => Ins::StLoc(n),
            Place::Arg(n) => Ins::StArg(n),
        });
    }

    fn new_slot(&mut self) -> Place {
        let slot = self.next_slot;
        self.next_slot += 1;
        self.slots = self.slots.max(self.next_slot);
        Place::Slot(slot)
    }

    /// A slot for a variable, known to the debugger.
    fn slot_for(&mut self, local: LocalId) -> Place {
        let place = self.new_slot();
        let info = &self.body.locals[local];
        if let (Place::Slot(slot), false) = (place, info.name.is_empty()) {
            self.variables.push(Variable {
                name: info.name.clone(),
                ty: info.ty.clone(),
                slot,
            });
        }
        self.places.insert(local, place);
        place
    }

    /// Slots taken while `run` runs are free again after it.
    fn slot_scope<R>(&mut self, run: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.next_slot;
        let result = run(self);
        self.next_slot = before;
        result
    }
}
