//! Expressions of a wanted type.

use super::program::{Function, Hold, Ty, Var};
use super::writer::{Writer, compared, used};

/// Literals that meet the borders of the encodings of a push, of a shift and of an index.
const NUMBERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "7",
    "8",
    "16",
    "17",
    "-1",
    "-2",
    "-7",
    "127",
    "128",
    "-128",
    "-129",
    "255",
    "256",
    "257",
    "1000",
    "32767",
    "32768",
    "65536",
    "2147483648",
    "9223372036854775807",
    "-9223372036854775807",
];
const BYTES: &[&str] = &[
    "",
    "a",
    "ab",
    "abc",
    "\\x00",
    "\\xff",
    "\\x01\\x00",
    "hello",
    "\\x80",
    "0123456789abcdef",
];
const TEXTS: &[&str] = &["", "a", "neo", "soul", "12", "-5", "a longer text"];

impl Writer {
    /// An expression; the greater `depth`, the longer it may get. It is closed: it can be an operand.
    pub(super) fn expr(&mut self, ty: &Ty, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(ty);
        }
        let depth = depth - 1;
        // What gives any type at all.
        match self.random.below(24) {
            0 => return self.choice(ty, depth),
            1 => return self.matched(ty, depth),
            2 => return self.block_operand(ty, depth),
            3 if let Some(call) = self.call_of(ty, depth) => return call,
            4 if let Some(call) = self.call_of(ty, depth) => return call,
            5 if matches!(self.result, Some(Ty::Option(_)))
                && !matches!(ty, Ty::Option(_) | Ty::Map(..)) =>
            {
                let wanted = Ty::option(ty.clone());
                if let Some(call) = self.call_of(&wanted, depth) {
                    return format!("{call}?");
                }
                if let Some(var) = self.some_var(|v| v.ty == wanted) {
                    return format!("{}?", used(&var.name, &wanted));
                }
            }
            6 if let Some(text) = self.taken_out(ty, depth) => return text,
            7 if let Some(text) = self.taken_out(ty, depth) => return text,
            _ => {}
        }
        match ty {
            Ty::Int => self.int(depth),
            Ty::Bool => self.condition(depth),
            Ty::Bytes => self.bytes(depth),
            Ty::Text => self.text(depth),
            Ty::Option(of) => match self.random.below(4) {
                0 => "None".to_owned(),
                1 => self.leaf(ty),
                _ => format!("Some({})", self.expr(of, depth)),
            },
            Ty::Struct(at) => self.structure(*at, depth),
            Ty::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.expr(part, depth)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Array(of) => {
                let count = 1 + self.random.below(3);
                let items: Vec<_> = (0..count).map(|_| self.expr(of, depth)).collect();
                format!("array![{}]", items.join(", "))
            }
            Ty::Enum | Ty::Map(..) => self.leaf(ty),
        }
    }

    /// A variable, a field, or a literal.
    pub(super) fn leaf(&mut self, ty: &Ty) -> String {
        // A map cannot be copied.
        if matches!(ty, Ty::Map(..)) {
            return self.literal(ty);
        }
        if !self.random.one_in(4)
            && let Some(var) = self.some_var(|v| v.ty == *ty)
        {
            return used(&var.name, ty);
        }
        if self.random.one_in(2)
            && let Some(path) = self.field_of(ty)
        {
            return used(&path, ty);
        }
        self.literal(ty)
    }

    /// A path to a field of this type.
    pub(super) fn field_of(&mut self, ty: &Ty) -> Option<String> {
        let mut paths = Vec::new();
        for var in self.visible() {
            match &var.ty {
                Ty::Struct(at) => {
                    for (field, kind) in &self.structs[*at] {
                        if kind == ty {
                            paths.push(format!("{}.{field}", var.name));
                        }
                        if let Ty::Struct(inner) = kind {
                            let found = self.structs[*inner].iter().filter(|(_, k)| k == ty);
                            paths.extend(found.map(|(f, _)| format!("{}.{field}.{f}", var.name)));
                        }
                    }
                }
                Ty::Tuple(parts) => {
                    let found = parts.iter().enumerate().filter(|(_, part)| *part == ty);
                    paths.extend(found.map(|(at, _)| format!("{}.{at}", var.name)));
                }
                _ => {}
            }
        }
        (!paths.is_empty()).then(|| self.random.pick(&paths))
    }

    fn literal(&mut self, ty: &Ty) -> String {
        match ty {
            Ty::Int => match self.random.below(40) {
                0 => "Int::MAX".to_owned(),
                1 => "Int::MIN".to_owned(),
                2..=4 => format!("C{}", self.prefix),
                5..=7 => format!("int(K{})", self.prefix),
                _ => format!("int({})", self.random.pick(NUMBERS)),
            },
            Ty::Bool => if self.random.one_in(2) {
                "true"
            } else {
                "false"
            }
            .to_owned(),
            Ty::Bytes => format!("bytes(b\"{}\")", self.random.pick(BYTES)),
            Ty::Text => format!("text(\"{}\")", self.random.pick(TEXTS)),
            Ty::Enum => format!(
                "{}::V{}",
                self.type_name(ty),
                self.random.below(self.variants)
            ),
            Ty::Struct(at) => self.structure(*at, 0),
            Ty::Tuple(parts) => {
                let parts: Vec<_> = parts.iter().map(|part| self.leaf(part)).collect();
                format!("({})", parts.join(", "))
            }
            Ty::Array(of) => format!("array![{}]", self.leaf(of)),
            Ty::Option(of) => format!("Some({})", self.leaf(of)),
            Ty::Map(..) => "Map::new()".to_owned(),
        }
    }

    fn structure(&mut self, at: usize, depth: usize) -> String {
        let mut fields = self.structs[at].clone();
        // The order in which fields are written is the order in which they are computed.
        if self.random.one_in(2) {
            fields.reverse();
        }
        let written: Vec<_> = fields
            .iter()
            .map(|(name, ty)| format!("{name}: {}", self.expr(ty, depth)))
            .collect();
        format!(
            "{} {{ {} }}",
            self.type_name(&Ty::Struct(at)),
            written.join(", ")
        )
    }

    /// The right side of an operator: a literal can stand there bare.
    fn right(&mut self, depth: usize) -> String {
        if self.random.one_in(3) {
            return self.random.pick(&NUMBERS[..24]).to_owned();
        }
        self.expr(&Ty::Int, depth)
    }

    fn int(&mut self, depth: usize) -> String {
        let a = self.expr(&Ty::Int, depth);
        match self.random.below(26) {
            0..=3 => format!("({a} + {})", self.right(depth)),
            4..=6 => format!("({a} - {})", self.right(depth)),
            7 | 8 => format!("({a} % 1000 * {})", self.right(depth)),
            9 if self.random.one_in(3) => format!("({a} * {})", self.right(depth)),
            9 if self.random.one_in(2) => {
                let op = self.random.pick(&["/", "%"]);
                format!("({a} {op} {})", self.right(depth))
            }
            10 => {
                let (op, by) = (self.random.pick(&["/", "%"]), self.expr(&Ty::Int, depth));
                format!("({a} {op} (({by} & 15) + 1))")
            }
            11 if self.random.one_in(4) => {
                let (op, by) = (self.random.pick(&["<<", ">>"]), self.right(depth));
                format!("({a} {op} {by})")
            }
            11 | 12 => {
                let (op, by) = (
                    self.random.pick(&["<<", ">>", ">>"]),
                    self.expr(&Ty::Int, depth),
                );
                format!("({a} {op} ({by} & 15))")
            }
            13 | 14 => {
                let op = self.random.pick(&["&", "|", "^"]);
                format!("({a} {op} {})", self.right(depth))
            }
            15 => format!("(-{a})"),
            16 => format!("(!{a})"),
            17 => {
                let op = self.random.pick(&["abs", "sign"]);
                format!("{a}.{op}()")
            }
            18 => {
                let op = self.random.pick(&["min", "max"]);
                format!("{a}.{op}({})", self.right(depth))
            }
            19 => match self.random.below(3) {
                0 => format!("({a} % 100).abs().sqrt()"),
                1 => format!("({a} % 100).pow({})", self.random.below(4)),
                _ => format!("{a}.sign().pow({})", self.right(depth)),
            },
            20 => {
                let left = self.random.pick(&["2", "100", "65536", "0"]);
                let op = self.random.pick(&["+", "*"]);
                format!("({left} {op} {a})")
            }
            21 => format!("{}.len()", self.bytes(depth)),
            22 => match self.some_var(|v| v.ty == Ty::Enum) {
                Some(var) if var.hold == Hold::Own => format!("int({} as i64)", var.name),
                _ => format!("({a} / 3)"),
            },
            23 => format!("storage::get_int(&{})", self.key(depth)),
            24 => {
                let of = self.bytes(depth);
                format!("{of}.concat(&{}).to_int()", self.leaf(&Ty::Bytes))
            }
            _ => a,
        }
    }

    pub(super) fn condition(&mut self, depth: usize) -> String {
        match self.random.below(16) {
            0..=5 => {
                let op = self.random.pick(&["<", "<=", ">", ">=", "==", "!="]);
                let left = self.expr(&Ty::Int, depth);
                compared(&left, op, &self.right(depth))
            }
            6 => {
                let op = self.random.pick(&["==", "!="]);
                let ty = self.random.pick(&[Ty::Bytes, Ty::Text, Ty::Bool, Ty::Enum]);
                let left = self.expr(&ty, depth);
                compared(&left, op, &self.expr(&ty, depth))
            }
            7 => {
                let op = self.random.pick(&["==", "!="]);
                let ty = Ty::option(self.random.pick(&[Ty::Int, Ty::Bytes, Ty::Bool]));
                // Neither side may be a bare `None`: the type would stay open.
                let left = self.call_of(&ty, depth).unwrap_or_else(|| self.leaf(&ty));
                format!("({left} {op} {})", self.leaf(&ty))
            }
            8 | 9 => {
                let op = self.random.pick(&["&&", "||"]);
                format!(
                    "({} {op} {})",
                    self.condition(depth.min(2) / 2),
                    self.expr(&Ty::Bool, depth)
                )
            }
            10 => {
                let op = self.random.pick(&["&", "|", "^"]);
                format!(
                    "({} {op} {})",
                    self.expr(&Ty::Bool, depth),
                    self.expr(&Ty::Bool, depth)
                )
            }
            11 => format!("(!{})", self.expr(&Ty::Bool, depth)),
            12 => {
                let (low, high) = (self.right(depth), self.right(depth));
                format!("{}.within({low}, {high})", self.expr(&Ty::Int, depth))
            }
            13 => match self.some_var(|v| matches!(v.ty, Ty::Option(_))) {
                Some(var) => {
                    let op = self.random.pick(&["is_some", "is_none"]);
                    format!("{}.{op}()", var.name)
                }
                None => self.leaf(&Ty::Bool),
            },
            14 => match self.some_var(|v| matches!(v.ty, Ty::Map(..) | Ty::Array(_) | Ty::Bytes)) {
                Some(Var {
                    name,
                    ty: Ty::Map(key, _),
                    ..
                }) if self.random.one_in(2) => {
                    format!("{name}.has(&{})", self.expr(&key, depth))
                }
                Some(var) => format!("{}.is_empty()", var.name),
                None => self.leaf(&Ty::Bool),
            },
            _ => self.leaf(&Ty::Bool),
        }
    }

    pub(super) fn bytes(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.leaf(&Ty::Bytes);
        }
        let depth = depth - 1;
        match self.random.below(10) {
            0..=2 => {
                let left = self.expr(&Ty::Bytes, depth);
                format!("{left}.concat(&{})", self.expr(&Ty::Bytes, depth))
            }
            3 | 4 => format!("{}.to_bytes()", self.expr(&Ty::Int, depth)),
            5 => self.cut(&Ty::Bytes, depth),
            6 => format!("{}.as_bytes()", self.expr(&Ty::Text, depth)),
            7 => {
                let key = self.key(depth);
                format!("storage::get(&{key}).unwrap_or({})", self.leaf(&Ty::Bytes))
            }
            _ => self.leaf(&Ty::Bytes),
        }
    }

    fn text(&mut self, depth: usize) -> String {
        match self.random.below(8) {
            0 | 1 => {
                let left = self.expr(&Ty::Text, depth);
                format!("{left}.concat(&{})", self.expr(&Ty::Text, depth))
            }
            2 => self.cut(&Ty::Text, depth),
            3 => format!("std_lib::itoa({})", self.expr(&Ty::Int, depth)),
            4 => format!("Text::from_bytes({})", self.expr(&Ty::Bytes, depth)),
            _ => self.leaf(&Ty::Text),
        }
    }

    /// A part, mostly one that is there.
    fn cut(&mut self, ty: &Ty, depth: usize) -> String {
        let whole = self.leaf(ty);
        let count = self.expr(&Ty::Int, depth);
        let count = if self.random.one_in(12) {
            count
        } else {
            format!("({count} & 7).min({whole}.len())")
        };
        match self.random.below(3) {
            0 => format!("{whole}.left({count})"),
            1 => format!("{whole}.right({count})"),
            _ => format!("{whole}.slice(0, {count})"),
        }
    }

    /// A storage key: few, so that they meet again.
    pub(super) fn key(&mut self, depth: usize) -> String {
        let start = self.random.pick(&["a", "b"]);
        if self.random.one_in(2) {
            return format!("bytes(b\"{start}\")");
        }
        let of = self.expr(&Ty::Int, depth.min(1));
        format!("bytes(b\"{start}\").concat(&({of} & 3).to_bytes())")
    }

    /// An element, a value of a map, what an option holds, a byte.
    fn taken_out(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let var = self.some_var(|v| match &v.ty {
            Ty::Array(of) | Ty::Map(_, of) | Ty::Option(of) => **of == *ty,
            Ty::Bytes | Ty::Text => *ty == Ty::Int,
            _ => false,
        })?;
        let name = &var.name;
        let guarded = !self.random.one_in(16);
        let otherwise = self.leaf(ty);
        Some(match &var.ty {
            Ty::Map(key, _) => {
                let key = self.expr(key, depth);
                format!("{name}.get(&{key}).unwrap_or({otherwise})")
            }
            Ty::Option(_) if guarded => format!("{}.unwrap_or({otherwise})", used(name, &var.ty)),
            Ty::Option(_) => format!("{}.unwrap()", used(name, &var.ty)),
            list => {
                let get = if matches!(list, Ty::Array(_)) {
                    "get"
                } else {
                    "at"
                };
                let at = self.expr(&Ty::Int, depth);
                if !guarded {
                    return Some(format!("{name}.{get}({at} & 3)"));
                }
                let got = format!("{name}.{get}(({at} & 255) % {name}.len())");
                format!("(if {name}.is_empty() {{ {otherwise} }} else {{ {got} }})")
            }
        })
    }

    fn choice(&mut self, ty: &Ty, depth: usize) -> String {
        if self.random.one_in(3)
            && let Some(var) = self.some_var(|v| matches!(v.ty, Ty::Option(_)))
            && let Ty::Option(of) = var.ty.clone()
        {
            let held = self.name("o");
            let then = self.scope(|w| {
                w.declare(&held, *of, false, Hold::Own);
                w.expr(ty, depth)
            });
            let value = used(&var.name, &var.ty);
            return format!(
                "(if let Some({held}) = {value} {{ {then} }} else {{ {} }})",
                self.expr(ty, depth)
            );
        }
        let condition = self.condition(depth);
        format!(
            "(if {condition} {{ {} }} else {{ {} }})",
            self.expr(ty, depth),
            self.expr(ty, depth)
        )
    }

    fn matched(&mut self, ty: &Ty, depth: usize) -> String {
        let (subject, patterns) = self.subject(depth);
        let mut arms = Vec::new();
        let mut assigns = false;
        for pattern in patterns {
            let guard = if pattern != "_" && self.random.one_in(6) {
                format!(" if {}", self.condition(depth.min(1)))
            } else {
                String::new()
            };
            assigns |= guard.contains("({ ");
            arms.push(format!("{pattern}{guard} => {}", self.expr(ty, depth)));
            if !guard.is_empty() {
                arms.push(format!("{pattern} => {}", self.expr(ty, depth)));
            }
        }
        // What a guard may assign to cannot be lent to the match: a copy is. A slice is of a temporary already.
        let subject = if assigns && !subject.ends_with(".as_slice()") {
            format!("({{ {subject} }})")
        } else {
            subject
        };
        let arms = arms.join(", ");
        format!("(match {subject} {{ {arms} }})")
    }

    /// Something to match on, with patterns that leave nothing out.
    pub(super) fn subject(&mut self, depth: usize) -> (String, Vec<String>) {
        let texts = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        match self.random.below(6) {
            0 => {
                let of = self.expr(&Ty::Bytes, depth);
                let patterns = texts(&["b\"\"", "b\"a\" | b\"ab\"", "b\"hello\"", "_"]);
                (format!("{of}.as_slice()"), patterns)
            }
            1 => (self.condition(depth), texts(&["true", "false"])),
            2 => {
                let name = self.type_name(&Ty::Enum);
                let patterns = if self.random.one_in(2) {
                    (0..self.variants)
                        .map(|at| format!("{name}::V{at}"))
                        .collect()
                } else {
                    vec![format!("{name}::V1 | {name}::V0"), "_".to_owned()]
                };
                (self.expr(&Ty::Enum, depth), patterns)
            }
            3 => {
                let of = self.expr(&Ty::Int, depth);
                let all = texts(&["0", "1", "2", "3", "4 | 5", "6..=9", "-5..=-1", "100", "_"]);
                (format!("{of}.small()"), all)
            }
            4 => {
                let constant = format!("C{}", self.prefix);
                (self.expr(&Ty::Int, depth), vec![constant, "_".to_owned()])
            }
            _ => {
                let of = self.expr(&Ty::Int, depth);
                let some = texts(&["0", "-1 | 1", "2..=20", "..0", "_"]);
                (format!("{of}.small()"), some)
            }
        }
    }

    /// `{ statements; value }` as an operand.
    fn block_operand(&mut self, ty: &Ty, depth: usize) -> String {
        self.inside += 1;
        let text = self.scope(|w| {
            let mut parts = Vec::new();
            for _ in 0..1 + w.random.below(2) {
                parts.push(w.small_statement(depth));
            }
            format!("{{ {} {} }}", parts.join(" "), w.expr(ty, depth))
        });
        self.inside -= 1;
        format!("({text})")
    }

    /// A call that gives this type and changes nothing by reference.
    fn call_of(&mut self, ty: &Ty, depth: usize) -> Option<String> {
        let list: Vec<Function> = self
            .functions
            .iter()
            .filter(|f| f.result.as_ref() == Some(ty))
            .filter(|f| f.params.iter().all(|p| p.hold != Hold::RefMut))
            .cloned()
            .collect();
        if list.is_empty() {
            return None;
        }
        let function = self.random.pick(&list);
        self.call(&function, depth)
    }

    /// A call with new arguments; none if nothing can be passed by `&mut`.
    pub(super) fn call(&mut self, function: &Function, depth: usize) -> Option<String> {
        let hidden = self.hidden.len();
        let mut arguments = Vec::new();
        // Those by `&mut` first: the others must not touch what is borrowed.
        for param in &function.params {
            let mut text = None;
            if param.hold == Hold::RefMut {
                let may = |v: &Var| v.hold == Hold::RefMut || v.hold == Hold::Own && v.mutable;
                let Some(var) = self.some_var(|v| v.ty == param.ty && may(v)) else {
                    self.hidden.truncate(hidden);
                    return None;
                };
                self.hidden.push(var.name.clone());
                let own = var.hold == Hold::Own;
                text = Some(if own {
                    format!("&mut {}", var.name)
                } else {
                    var.name
                });
            }
            arguments.push(text);
        }
        let mut written = Vec::new();
        for (at, (param, done)) in function.params.iter().zip(arguments).enumerate() {
            written.push(match done {
                Some(text) => text,
                None if at == 0 && function.recursive => {
                    format!("({} & 3)", self.expr(&Ty::Int, depth.min(1)))
                }
                None if param.hold == Hold::Ref => self.reference(&param.ty, depth),
                None => self.expr(&param.ty, depth),
            });
        }
        self.hidden.truncate(hidden);
        Some(format!("{}({})", function.name, written.join(", ")))
    }

    /// `&` of a variable or of a new value.
    fn reference(&mut self, ty: &Ty, depth: usize) -> String {
        if !self.random.one_in(4)
            && let Some(var) = self.some_var(|v| v.ty == *ty)
        {
            return match var.hold {
                Hold::Own => format!("&{}", var.name),
                _ => var.name,
            };
        }
        format!("&{}", self.expr(ty, depth))
    }
}
