//! Expressions and statements.

use neo_opcode::{Op, item_type};
use num_bigint::BigInt;

use super::Function;
use crate::intrinsics::{self, Intrinsic};
use crate::ir::Ins;
use crate::nef::Token;
use crate::tree::{Expr, Kind, LocalId, Pattern, Stmt, Value};
use crate::types::Ty;

impl Function<'_, '_> {
    /// Leaves the value of the expression on the stack (nothing for `()`). With `loose`, bytes may be in any form.
    pub(super) fn value(&mut self, e: &Expr, loose: bool) {
        let before = self.height;
        self.value_inner(e, loose);
        self.height = before + usize::from(e.ty.has_item());
    }

    fn value_inner(&mut self, e: &Expr, loose: bool) {
        let is_loose = match &e.kind {
            Kind::Unit => false,
            Kind::Const(value) => {
                self.constant(value);
                false
            }
            Kind::Local(id) => {
                self.load_local(*id);
                !self.u.facts.is_exact(self.id, *id)
            }
            Kind::Op(op, args) => {
                args.iter().for_each(|a| self.value(a, false));
                self.op(*op);
                false
            }
            Kind::And(a, b) => return self.short_circuit(a, b, false),
            Kind::Or(a, b) => return self.short_circuit(a, b, true),
            Kind::Let(..) => return self.short_circuit_let(e),
            Kind::Intrinsic(row, args) => self.intrinsic(row, args, e, loose),
            Kind::Call(id, args) => {
                if self.u.facts.eval.contains(id) && self.height > 0 {
                    let help = "bind the result first: `let r = f(…);`";
                    self.error(e.loc, "this function uses the evaluation stack while a value of this expression is on it", help);
                }
                let params = self
                    .u
                    .bodies
                    .get(id)
                    .map(|b| b.params.clone())
                    .unwrap_or_default();
                for (arg, param) in args.iter().zip(params) {
                    let loose = !self.u.facts.wants_exact(*id, param);
                    self.value(arg, loose);
                }
                let label = self.u.function_label(*id);
                self.ins.push(Ins::Call(label));
                self.u.facts.loose_result(*id)
            }
            // The checker has put a function in its place.
            Kind::Generic(..) => {
                return self.error(
                    e.loc,
                    "a generic function is called in a way that is not supported",
                    "",
                );
            }
            Kind::Event(id, args) => {
                self.pack(Op::PACK, args);
                let name = self.u.events.get(id).cloned().unwrap_or_default();
                self.ins.push(Ins::Data(name.into_bytes().into()));
                self.syscall("System.Runtime.Notify");
                false
            }
            Kind::If(cond, then, other) => {
                return self.if_value(cond, then, other.as_deref(), e, loose);
            }
            Kind::Match(m) => return self.match_value(m, e, loose),
            Kind::Block(stmts, tail) => {
                return self.slot_scope(|f| {
                    stmts.iter().for_each(|s| f.stmt(s));
                    if let Some(tail) = tail {
                        f.ins.push(Ins::Mark(tail.loc));
                        f.value(tail, loose);
                    }
                });
            }
            Kind::Loop(id, cond, body) => return self.loop_value(*id, cond.as_deref(), body),
            Kind::For(id, each) => return self.for_value(*id, each),
            Kind::Break(id) | Kind::Continue(id) => {
                let out = matches!(e.kind, Kind::Break(_));
                return self.leave(*id, out);
            }
            Kind::Return(value) => {
                let below = self.height;
                if let Some(value) = value {
                    let loose = !self.exported;
                    self.value(value, loose);
                }
                let drop = if self.height > below {
                    Op::NIP
                } else {
                    Op::DROP
                };
                (0..below).for_each(|_| self.op(drop));
                self.op(Op::RET);
                false
            }
            Kind::Try(value) => return self.try_value(value),
            Kind::Ok(inner) => return self.result_value(inner, &e.ty, true),
            Kind::Err(inner) => return self.result_value(inner, &e.ty, false),
            Kind::Assert(cond, message) => {
                self.value(cond, false);
                self.ins.push(Ins::Data(message.clone()));
                self.op(Op::ASSERTMSG);
                false
            }
            Kind::Panic(message) => {
                self.ins.push(Ins::Data(message.clone()));
                self.op(Op::ABORTMSG);
                false
            }
            Kind::Pack(op, parts) => {
                self.pack(*op, parts);
                false
            }
            Kind::Struct(fields) => {
                self.struct_value(fields);
                false
            }
            Kind::Field(base, n) => {
                if self.is_immutable(&e.ty) {
                    self.value_shared(without_copy(base));
                } else {
                    self.value(base, false);
                }
                self.int(*n);
                self.op(Op::PICKITEM);
                false
            }
            Kind::Clone(inner) => {
                if self.is_immutable(&inner.ty) {
                    return self.value(inner, loose);
                }
                self.value(inner, false);
                self.copy(&inner.ty, e.loc);
                false
            }
            Kind::Assign(id, value) => {
                let loose = !self.u.facts.wants_exact(self.id, *id);
                self.value(value, loose);
                if let (Some(place), true) = (self.places.get(id).copied(), value.ty.has_item()) {
                    self.store(place);
                }
                false
            }
            Kind::AssignField(base, n, value) => {
                // Rust works the value out first; SETITEM wants it on top.
                self.value(value, false);
                self.value(base, false);
                self.int(*n);
                self.op(Op::ROT);
                self.op(Op::SETITEM);
                false
            }
        };
        if is_loose && !loose {
            self.exact(e);
        }
    }

    /// Makes the top item, which may be any form of bytes, a ByteString.
    fn exact(&mut self, e: &Expr) {
        let done = self.u.label();
        // What comes straight out of CAT and its like is never one; a variable may be, and looking costs 6, CONVERT 8192.
        if !matches!(e.kind, Kind::Intrinsic(..)) {
            self.op(Op::DUP);
            self.is_type(item_type::BYTE_STRING);
            self.jump(Op::JMPIF, done);
        }
        self.ins
            .push(Ins::With(Op::CONVERT, vec![item_type::BYTE_STRING]));
        self.label_here(done);
    }

    fn number_of(&mut self, bytes: &Expr) {
        self.value(bytes, true);
        // ADD reads all forms but a Buffer.
        if self.u.facts.gives_loose(self.id, bytes) {
            let good = self.u.label();
            self.op(Op::DUP);
            self.is_type(item_type::BUFFER);
            self.jump(Op::JMPIFNOT, good);
            self.ins
                .push(Ins::With(Op::CONVERT, vec![item_type::INTEGER]));
            self.label_here(good);
        }
        self.int(0);
        self.op(Op::ADD);
    }

    fn load_local(&mut self, id: LocalId) {
        if let Some(place) = self.places.get(&id).copied() {
            self.load(place);
        }
    }

    fn constant(&mut self, value: &Value) {
        self.ins.push(match value {
            Value::Int(n) => Ins::Int(n.clone()),
            Value::Bool(true) => Ins::Op(Op::PUSHT),
            Value::Bool(false) => Ins::Op(Op::PUSHF),
            Value::Bytes(data) => Ins::Data(data.clone()),
            Value::Null => Ins::Op(Op::PUSHNULL),
        });
    }

    /// A value that is only looked at: a copy made by `get` would be thrown away.
    fn value_shared(&mut self, e: &Expr) {
        match &e.kind {
            Kind::Intrinsic(row, args) if row.special() == Some("get") => {
                args.iter().for_each(|a| self.value(a, false));
                self.op(Op::PICKITEM);
                self.height = self.height.saturating_sub(1);
            }
            _ => self.value(e, false),
        }
    }

    fn stmt(&mut self, stmt: &Stmt) {
        let before = self.height;
        match stmt {
            Stmt::Expr(e) => {
                self.ins.push(Ins::Mark(e.loc));
                self.value(e, true);
                if e.ty.has_item() {
                    self.op(Op::DROP);
                }
            }
            Stmt::Let(pattern, value, None, loc) => {
                self.ins.push(Ins::Mark(*loc));
                if let (
                    Pattern::Parts(None, patterns),
                    Kind::Pack(Op::PACKSTRUCT, parts),
                    Ty::Tuple(_),
                ) = (pattern, &value.kind, &value.ty)
                {
                    parts.iter().for_each(|p| self.value(p, false));
                    for n in (0..parts.len()).rev() {
                        let part = patterns.iter().find(|(m, _)| *m == n);
                        self.bind_top(part.map_or(&Pattern::Wild, |(_, p)| p));
                    }
                } else {
                    let loose = matches!(pattern, Pattern::Bind(id) if !self.u.facts.wants_exact(self.id, *id));
                    self.value(value, loose);
                    if value.ty.has_item() {
                        self.bind_top(pattern);
                    }
                }
            }
            Stmt::Let(pattern, value, Some(fallback), loc) => {
                let (otherwise, temp) = &**fallback;
                self.ins.push(Ins::Mark(*loc));
                self.value(value, false);
                let place = self.slot_for(*temp);
                self.store(place);
                self.height = before;
                let (fail, done) = (self.u.label(), self.u.label());
                self.test(pattern, place, fail);
                self.jump(Op::JMP, done);
                self.label_here(fail);
                self.value(otherwise, true);
                self.label_here(done);
            }
        }
        self.height = before;
    }

    /// Takes the top item into the names of a pattern that always fits.
    pub(super) fn bind_top(&mut self, pattern: &Pattern) {
        match pattern {
            Pattern::Bind(id) => {
                let place = self.slot_for(*id);
                self.store(place);
            }
            // UNPACK costs as much as 30 of these.
            Pattern::Parts(None, parts) => {
                let named: Vec<_> = parts.iter().filter(|(_, p)| p.binds()).collect();
                for (count, (n, part)) in named.iter().enumerate() {
                    if count + 1 < named.len() {
                        self.op(Op::DUP);
                    }
                    self.int(*n);
                    self.op(Op::PICKITEM);
                    self.height += 1;
                    self.bind_top(part);
                }
                if named.is_empty() {
                    self.op(Op::DROP);
                }
            }
            _ => self.op(Op::DROP),
        }
        self.height = self.height.saturating_sub(1);
    }

    /// Pushes the arguments; `reversed` wants the first on top. Side effects keep Rust's order.
    pub(super) fn arguments(&mut self, args: &[Expr], loose: &[bool], reversed: bool) {
        let flag = |n: usize| loose.get(n).copied().unwrap_or(false);
        if !reversed || args.len() < 2 {
            args.iter()
                .enumerate()
                .for_each(|(n, a)| self.value(a, flag(n)));
        } else if self.order_is_free(args) {
            args.iter()
                .enumerate()
                .rev()
                .for_each(|(n, a)| self.value(a, flag(n)));
        } else {
            args.iter()
                .enumerate()
                .for_each(|(n, a)| self.value(a, flag(n)));
            match args.len() {
                2 => self.op(Op::SWAP),
                3 => self.op(Op::REVERSE3),
                4 => self.op(Op::REVERSE4),
                n => {
                    self.int(n);
                    self.op(Op::REVERSEN);
                }
            }
        }
    }

    fn order_is_free(&self, args: &[Expr]) -> bool {
        args.iter().all(pure) || args.iter().filter(|a| !self.fixed(a)).count() <= 1
    }

    /// Whether nothing can change the value while other arguments are worked out.
    pub(super) fn fixed(&self, e: &Expr) -> bool {
        match &e.kind {
            Kind::Const(_) => true,
            Kind::Local(id) => !self.body.locals[*id].mutable && self.is_immutable(&e.ty),
            Kind::Clone(inner) => self.is_immutable(&e.ty) && self.fixed(inner),
            Kind::Intrinsic(row, args) if row.special() == Some("same") => {
                args.iter().all(|a| self.fixed(a))
            }
            _ => false,
        }
    }

    fn pack(&mut self, op: Op, parts: &[Expr]) {
        if parts.is_empty() {
            return self.op(Op::NEWARRAY0);
        }
        self.arguments(parts, &[], true);
        self.int(parts.len());
        self.op(op);
    }

    fn struct_value(&mut self, fields: &[(usize, Expr)]) {
        let ordered = fields.windows(2).all(|w| w[0].0 < w[1].0);
        let values: Vec<Expr> = fields.iter().map(|(_, e)| e.clone()).collect();
        if ordered {
            return self.pack(Op::PACKSTRUCT, &values);
        }
        let mut by_position: Vec<usize> = (0..fields.len()).collect();
        by_position.sort_by_key(|n| std::cmp::Reverse(fields[*n].0));
        if self.order_is_free(&values) {
            by_position
                .iter()
                .for_each(|n| self.value(&values[*n], false));
        } else {
            self.slot_scope(|f| {
                let places: Vec<_> = values
                    .iter()
                    .map(|v| {
                        let before = f.height;
                        f.value(v, false);
                        let place = f.new_slot();
                        f.store(place);
                        f.height = before;
                        place
                    })
                    .collect();
                by_position.iter().for_each(|n| f.load(places[*n]));
            });
        }
        self.int(fields.len());
        self.op(Op::PACKSTRUCT);
    }

    /// Emits a framework item; true when the result may not be a ByteString.
    fn intrinsic(&mut self, row: &'static Intrinsic, args: &[Expr], e: &Expr, loose: bool) -> bool {
        if row.is_eval() && self.height > 0 {
            let help = "make it a statement, or the whole value of a `let` or an assignment";
            self.error(
                e.loc,
                "the evaluation stack cannot be used while a value of this expression is on it",
                help,
            );
        }
        match row.special() {
            Some("same") => {
                self.value(&args[0], loose);
                return false;
            }
            Some("to_int") => {
                self.number_of(&args[0]);
                return false;
            }
            Some("unwrap_or") => {
                self.unwrap_or(&args[0], &args[1]);
                return false;
            }
            Some(name) if self.result_method(name, args) => return false,
            _ => {}
        }
        let flags: Vec<bool> = row.params.iter().map(|p| p.raw).collect();
        self.arguments(args, &flags, row.reversed);
        match row.special() {
            Some("unwrap") => {
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.op(Op::NOT);
                self.op(Op::ASSERT);
            }
            Some("expect") => {
                // The message is a literal, on the stack already.
                let message = self.ins.pop();
                self.op(Op::DUP);
                self.op(Op::ISNULL);
                self.op(Op::NOT);
                self.ins.extend(message);
                self.op(Op::ASSERTMSG);
            }
            Some("get") => {
                self.op(Op::PICKITEM);
                self.copy_element(&e.ty, e.loc);
            }
            Some("map_get") => {
                self.helper("map_get");
                self.copy_element(&e.ty, e.loc);
            }
            Some("map_values") => {
                if let Ty::Array(of) = &e.ty {
                    self.check_values(of, e.loc);
                }
                self.op(Op::VALUES);
            }
            _ => row.code.iter().for_each(|word| self.word(row, word)),
        }
        row.raw
    }

    fn word(&mut self, row: &'static Intrinsic, word: &'static str) {
        match word.split_once(':') {
            None => {
                if let Some(op) = Op::from_mnemonic(word) {
                    self.op(op);
                }
            }
            Some(("INT", n)) => self
                .ins
                .push(Ins::Int(n.parse::<BigInt>().unwrap_or_default())),
            Some(("SYS", name)) => self.syscall(name),
            Some(("HELPER", name)) => self.helper(name),
            Some(("NATIVE", rest)) => {
                let (contract, rest) = rest.split_once('.').unwrap_or((rest, ""));
                let (method, flags) = rest.split_once(':').unwrap_or((rest, "0"));
                let chained = row.code.len() > 1;
                let token = Token {
                    hash: intrinsics::native_hash(contract).unwrap_or_default(),
                    method: method.to_owned(),
                    params: if chained {
                        1
                    } else {
                        u16::try_from(row.params.len()).unwrap_or(u16::MAX)
                    },
                    result: row.result.has_item(),
                    flags: u8::from_str_radix(flags, 16).unwrap_or(0),
                };
                let at = self
                    .u
                    .tokens
                    .iter()
                    .position(|t| *t == token)
                    .unwrap_or_else(|| {
                        self.u.tokens.push(token);
                        self.u.tokens.len() - 1
                    });
                let at = u16::try_from(at).unwrap_or(u16::MAX);
                self.ins
                    .push(Ins::With(Op::CALLT, at.to_le_bytes().to_vec()));
            }
            Some((name, byte)) => {
                if let (Some(op), Ok(byte)) =
                    (Op::from_mnemonic(name), u8::from_str_radix(byte, 16))
                {
                    self.ins.push(Ins::With(op, vec![byte]));
                }
            }
        }
    }

    fn unwrap_or(&mut self, option: &Expr, other: &Expr) {
        let done = self.u.label();
        self.value(option, false);
        if self.fixed(other) {
            self.op(Op::DUP);
            self.op(Op::ISNULL);
            self.jump(Op::JMPIFNOT, done);
            self.op(Op::DROP);
            self.height -= 1;
            self.value(other, false);
        } else {
            let present = self.u.label();
            self.value(other, false);
            self.op(Op::OVER);
            self.op(Op::ISNULL);
            self.jump(Op::JMPIFNOT, present);
            self.op(Op::NIP);
            self.jump(Op::JMP, done);
            self.label_here(present);
            self.op(Op::DROP);
        }
        self.label_here(done);
    }
}

/// Whether the expression only reads.
fn pure(e: &Expr) -> bool {
    match &e.kind {
        Kind::Const(_) | Kind::Local(_) => true,
        Kind::Op(_, args) => args.iter().all(pure),
        Kind::Field(base, _) => pure(base),
        Kind::Clone(inner) => pure(inner),
        Kind::Intrinsic(row, args) => {
            let quiet = [
                "Int::",
                "Bytes::",
                "Text::",
                "Hash160::",
                "Hash256::",
                "PublicKey::",
                "Signature::",
                "Any::from",
            ];
            quiet.iter().any(|q| row.path.starts_with(q)) && args.iter().all(pure)
        }
        _ => false,
    }
}

/// The source of an explicit copy of which only one immutable part is wanted.
fn without_copy(e: &Expr) -> &Expr {
    match &e.kind {
        Kind::Clone(inner) => without_copy(inner),
        _ => e,
    }
}
