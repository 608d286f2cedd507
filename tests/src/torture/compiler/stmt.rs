//! Statements.

use super::generate::FUEL;
use super::program::{Hold, Ty, Var};
use super::writer::{Writer, used};

/// Loops inside of each other.
const MAX_LOOPS: usize = 2;
/// Rounds of a loop at most.
const MAX_ROUNDS: usize = 4;

impl Writer {
    /// So many statements in the block that is open.
    pub(super) fn statements(&mut self, count: usize, depth: usize) {
        for _ in 0..count {
            self.statement(|w| w.one(depth));
        }
    }

    fn one(&mut self, depth: usize) {
        match self.random.below(40) {
            0..=9 => self.declaration(),
            10..=14 => {
                let text = self.small_statement(2);
                self.line(text);
            }
            15..=18 => self.change_field(),
            19..=22 => self.change_collection(),
            23..=25 => self.call_statement(),
            26 | 27 => self.storage(),
            28..=30 if depth > 0 => self.branch(depth - 1),
            31..=33 if depth > 0 && self.loops.len() < MAX_LOOPS => self.looping(depth - 1),
            34 if depth > 0 => self.matching(depth - 1),
            35 => self.leave(),
            36 => self.destructure(),
            37 => {
                if self.random.one_in(4) {
                    let condition = self.condition(2);
                    self.line(format!("assert!({condition}, \"refused\");"));
                } else {
                    let of = self.expr(&Ty::Int, 1);
                    self.line(format!("assert!({of} != 7, \"seven\");"));
                }
            }
            38 => self.let_else(),
            _ => self.move_away(),
        }
    }

    fn declaration(&mut self) {
        if self.random.one_in(8) {
            let ty = self.map_type();
            let name = self.name("m");
            self.line(format!(
                "let mut {name}: {} = Map::new();",
                self.type_name(&ty)
            ));
            self.declare(&name, ty, true, Hold::Own);
            return;
        }
        let ty = self.any_type();
        let value = match ty {
            Ty::Array(_) if self.random.one_in(3) => "Array::new()".to_owned(),
            _ => self.expr(&ty, 3),
        };
        self.let_be(&ty, &value);
    }

    /// `let`, sometimes with a name that is in use.
    fn let_be(&mut self, ty: &Ty, value: &str) {
        let mutable = !self.random.one_in(3);
        let shadows = self
            .random
            .one_in(10)
            .then(|| self.some_var(|v| v.name != FUEL));
        let name = match shadows.flatten() {
            Some(var) => var.name,
            None => self.name("v"),
        };
        let is_open = matches!(ty, Ty::Option(_) | Ty::Array(_));
        let annotation = if is_open || self.random.one_in(3) {
            format!(": {}", self.type_name(ty))
        } else {
            String::new()
        };
        let word = if mutable { "mut " } else { "" };
        self.line(format!("let {word}{name}{annotation} = {value};"));
        self.declare(&name, ty.clone(), mutable, Hold::Own);
    }

    /// An assignment, on one line: also inside of operands, where nothing is assigned that could be borrowed.
    pub(super) fn small_statement(&mut self, depth: usize) -> String {
        let simple = self.inside > 0;
        let pinned = self.pinned.clone();
        let good = |v: &Var| {
            v.mutable
                && v.hold == Hold::Own
                && !pinned.contains(&v.name)
                && !matches!(v.ty, Ty::Map(..))
                && (!simple || matches!(v.ty, Ty::Int | Ty::Bool))
        };
        let Some(var) = self.some_var(good) else {
            return if self.inside > 0 || self.loops.is_empty() {
                format!("let _ = {};", self.expr(&Ty::Int, depth))
            } else {
                format!("if {} {{ break; }}", self.condition(depth))
            };
        };
        if self.inside > 0 && self.random.one_in(10) {
            // Leaves the middle of an expression.
            let condition = self.condition(0);
            if let Some(label) = self.loops.last().cloned() {
                let word = self.random.pick(&["break", "continue"]);
                return format!("if {condition} {{ {word} {label}; }}");
            }
            return format!("if {condition} {{ {} }}", self.return_text(0));
        }
        let name = var.name;
        self.pinned.push(name.clone());
        let text = match var.ty {
            Ty::Int if self.random.one_in(2) => {
                let op = self
                    .random
                    .pick(&["+", "-", "*", "&", "|", "^", "%", "/", ">>"]);
                let value = match op {
                    "/" | "%" | ">>" => format!("(({} & 7) + 1)", self.expr(&Ty::Int, depth)),
                    _ => self.expr(&Ty::Int, depth),
                };
                format!("{name} {op}= {value};")
            }
            Ty::Bool if self.random.one_in(2) => {
                let op = self.random.pick(&["&", "|", "^"]);
                format!("{name} {op}= {};", self.expr(&Ty::Bool, depth))
            }
            ty => {
                self.pinned.pop();
                let value = self.expr(&ty, depth);
                self.pinned.push(name.clone());
                format!("{name} = {value};")
            }
        };
        self.pinned.pop();
        text
    }

    fn change_field(&mut self) {
        let may = |v: &Var| {
            matches!(v.ty, Ty::Struct(_))
                && (v.hold == Hold::RefMut || v.hold == Hold::Own && v.mutable)
        };
        let Some(var) = self.some_var(may) else {
            return self.declaration();
        };
        let Ty::Struct(at) = var.ty else { return };
        let (mut field, mut ty) = self.random.pick(&self.structs[at].clone());
        if let Ty::Struct(inner) = ty
            && !self.random.one_in(3)
        {
            let (name, kind) = self.random.pick(&self.structs[inner].clone());
            field = format!("{field}.{name}");
            ty = kind;
        }
        let path = format!("{}.{field}", var.name);
        let value = self.expr(&ty, 2);
        let op = match ty {
            Ty::Int if self.random.one_in(2) => self.random.pick(&["+=", "-=", "^="]),
            Ty::Bool if self.random.one_in(2) => self.random.pick(&["&=", "|=", "^="]),
            _ => "=",
        };
        self.line(format!("{path} {op} {value};"));
    }

    fn change_collection(&mut self) {
        let may = |v: &Var| {
            matches!(v.ty, Ty::Array(_) | Ty::Map(..))
                && (v.hold == Hold::RefMut || v.hold == Hold::Own && v.mutable)
        };
        let Some(var) = self.some_var(may) else {
            return self.declaration();
        };
        let name = var.name;
        match var.ty {
            Ty::Array(of) => match self.random.below(8) {
                0..=3 => {
                    let value = self.expr(&of, 2);
                    self.line(format!("{name}.push({value});"));
                }
                4 | 5 => {
                    // The value first: natively the index borrows the list only then.
                    let (at, value) = (self.expr(&Ty::Int, 1), self.expr(&of, 2));
                    let at = format!("({at} & 255) % {name}.len()");
                    self.line(format!(
                        "if !{name}.is_empty() {{ {name}.set({at}, {value}); }}"
                    ));
                }
                6 => self.line(format!(
                    "if {name}.len() > 1 {{ {name}.remove({name}.len() - 2); }}"
                )),
                _ if self.random.one_in(4) => self.line(format!("{name}.clear();")),
                _ => {
                    let taken = self.name("v");
                    let otherwise = self.leaf_without(&of, &name);
                    self.line(format!(
                        "let {taken} = if {name}.is_empty() {{ {otherwise} }} else {{ {name}.pop() }};"
                    ));
                    self.declare(&taken, *of, false, Hold::Own);
                }
            },
            Ty::Map(key, value) => {
                let key = self.expr(&key, 1);
                if self.random.one_in(4) {
                    self.line(format!("{name}.remove(&{key});"));
                } else {
                    let value = self.expr(&value, 2);
                    self.line(format!("{name}.set({key}, {value});"));
                }
            }
            _ => {}
        }
    }

    fn leaf_without(&mut self, ty: &Ty, name: &str) -> String {
        self.hidden.push(name.to_owned());
        let text = self.leaf(ty);
        self.hidden.pop();
        text
    }

    fn call_statement(&mut self) {
        if self.functions.is_empty() {
            return self.declaration();
        }
        let function = self.random.pick(&self.functions.clone());
        let Some(call) = self.call(&function, 2) else {
            return self.declaration();
        };
        match &function.result {
            Some(ty) => self.let_be(ty, &call),
            None => self.line(format!("{call};")),
        }
    }

    fn storage(&mut self) {
        let key = self.key(1);
        match self.random.below(6) {
            0 | 1 => {
                let value = self.leaf(&Ty::Bytes);
                self.line(format!("storage::put(&{key}, &{value});"));
            }
            2 => {
                let value = self.expr(&Ty::Int, 1);
                self.line(format!("storage::put_int(&{key}, {value});"));
            }
            3 => self.line(format!("storage::delete(&{key});")),
            4 => {
                let value = self.random.pick(&["1", "-1", "1000"]);
                self.line(format!(
                    "storage::put_int(&{key}, storage::get_int(&{key}) + {value});"
                ));
            }
            _ => {
                let (list, it) = (self.name("v"), self.name("it"));
                let (of, take, ty) = self.random.pick(&[
                    ("storage::KEYS_ONLY", "as_bytes", Ty::Bytes),
                    ("storage::VALUES_ONLY", "as_bytes", Ty::Bytes),
                    (
                        "storage::KEYS_ONLY | storage::REMOVE_PREFIX",
                        "as_bytes",
                        Ty::Bytes,
                    ),
                    (
                        "storage::VALUES_ONLY | storage::BACKWARDS",
                        "as_bytes",
                        Ty::Bytes,
                    ),
                ]);
                let kind = self.type_name(&ty);
                self.line(format!("let mut {list}: Array<{kind}> = Array::new();"));
                self.line(format!("let {it} = storage::find(&bytes(b\"a\"), {of});"));
                self.line(format!(
                    "while {it}.next() {{ {list}.push({it}.value().{take}()); }}"
                ));
                self.declare(&list, Ty::array(ty), true, Hold::Own);
            }
        }
    }

    fn branch(&mut self, depth: usize) {
        let count = 1 + self.random.below(3);
        let option = self.some_var(|v| matches!(v.ty, Ty::Option(_)));
        if let Some(Var { name, ty, .. }) = option
            && let Ty::Option(of) = &ty
            && self.random.one_in(2)
        {
            let held = self.name("o");
            let value = used(&name, &ty);
            let mutable = self.random.one_in(2);
            let word = if mutable { "mut " } else { "" };
            let more = if self.random.one_in(3) {
                format!(" && {}", self.condition(1))
            } else {
                String::new()
            };
            self.line(format!("if let Some({word}{held}) = {value}{more} {{"));
            self.scope(|w| {
                w.declare(&held, (**of).clone(), mutable, Hold::Own);
                w.statements(count, depth);
            });
        } else {
            let condition = self.condition(2);
            self.line(format!("if {condition} {{"));
            self.scope(|w| w.statements(count, depth));
        }
        if self.random.one_in(3) {
            let condition = self.condition(1);
            self.line(format!("}} else if {condition} {{"));
            self.scope(|w| w.statements(1, depth));
        }
        if self.random.one_in(2) {
            self.line("} else {");
            self.scope(|w| w.statements(count, depth));
        }
        self.line("}");
    }

    fn looping(&mut self, depth: usize) {
        let (counter, label) = (self.name("i"), format!("'{}", self.name("l")));
        let rounds = 1 + self.random.below(MAX_ROUNDS);
        let count = 1 + self.random.below(3);
        self.line(format!("let mut {counter} = int(0);"));
        let mut held = None;
        match self.random.below(5) {
            0 => {
                self.line(format!("{label}: loop {{ {counter} += 1;"));
                self.line(format!("if {counter} > {rounds} {{ break; }}"));
            }
            1 => {
                let condition = self.condition(2);
                self.line(format!(
                    "{label}: while {counter} < {rounds} && {condition} {{ {counter} += 1;"
                ));
            }
            2 => {
                let of = self.plain_type();
                let wanted = Ty::option(of.clone());
                if let Some(value) = self.option_source(&wanted) {
                    let name = self.name("o");
                    self.line(format!(
                        "{label}: while let Some({name}) = {value} {{ {counter} += 1;"
                    ));
                    self.line(format!("if {counter} > {rounds} {{ break; }}"));
                    held = Some((name, of));
                } else {
                    self.line(format!(
                        "{label}: while {counter} < {rounds} {{ {counter} += 1;"
                    ));
                }
            }
            _ => self.line(format!(
                "{label}: while {counter} < {rounds} {{ {counter} += 1;"
            )),
        }
        self.loops.push(label);
        self.scope(|w| {
            w.declare(&counter, Ty::Int, false, Hold::Own);
            if let Some((name, of)) = held {
                w.declare(&name, of, false, Hold::Own);
            }
            w.statements(count, depth);
        });
        self.loops.pop();
        self.line("}");
    }

    /// Something of this type that is not a bare `None`.
    fn option_source(&mut self, ty: &Ty) -> Option<String> {
        let var = self.some_var(|v| v.ty == *ty)?;
        Some(used(&var.name, ty))
    }

    fn matching(&mut self, depth: usize) {
        let (subject, patterns) = self.subject(2);
        self.line(format!("match {subject} {{"));
        for pattern in patterns {
            self.line(format!("{pattern} => {{"));
            self.scope(|w| {
                let count = w.random.below(3);
                w.statements(count, depth);
            });
            self.line("}");
        }
        self.line("}");
    }

    /// Out of the loop or the function, on a condition.
    fn leave(&mut self) {
        let condition = self.condition(2);
        if let Some(label) = (!self.loops.is_empty()).then(|| self.random.pick(&self.loops.clone()))
        {
            let word = self.random.pick(&["break", "continue"]);
            let label = if self.random.one_in(2) {
                label
            } else {
                String::new()
            };
            return self.line(format!("if {condition} {{ {word} {label}; }}"));
        }
        let text = self.return_text(2);
        self.line(format!("if {condition} {{ {text} }}"));
    }

    pub(super) fn return_text(&mut self, depth: usize) -> String {
        match self.result.clone() {
            None if self.lists_everything => {
                format!("return array![Any::from({})];", self.expr(&Ty::Int, depth))
            }
            None => "return;".to_owned(),
            Some(ty) => {
                let value = self.expr(&ty, depth);
                format!("return {value};")
            }
        }
    }

    fn destructure(&mut self) {
        let (a, b) = (self.plain_type(), self.plain_type());
        let (first, second) = (self.name("v"), self.name("v"));
        let ty = Ty::Tuple(vec![a.clone(), b.clone()]);
        let value = self.expr(&ty, 2);
        self.line(format!("let ({first}, {second}) = {value};"));
        self.declare(&first, a, false, Hold::Own);
        self.declare(&second, b, false, Hold::Own);
    }

    fn let_else(&mut self) {
        let of = self.plain_type();
        let Some(value) = self.option_source(&Ty::option(of.clone())) else {
            return self.declaration();
        };
        let leave = match self.loops.last() {
            Some(label) if self.random.one_in(2) => format!("continue {label};"),
            _ => self.return_text(1),
        };
        let name = self.name("v");
        self.line(format!("let Some({name}) = {value} else {{ {leave} }};"));
        self.declare(&name, of, false, Hold::Own);
    }

    /// `let b = a;` where `a` is used up.
    fn move_away(&mut self) {
        match self.take_movable() {
            Some(var) => self.let_be(&var.ty.clone(), &var.name),
            None => self.declaration(),
        }
    }
}
