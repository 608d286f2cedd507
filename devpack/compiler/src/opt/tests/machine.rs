//! A small NeoVM for instructions without positions: enough to compare what a function does before and after a pass.

use std::collections::HashMap;

use neo_opcode::{Op, Syscall, item_type};
use num_bigint::{BigInt, Sign};

use crate::ir::{Code, Ins};

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Item {
    Null,
    Bool(bool),
    Int(BigInt),
    Bytes(Vec<u8>),
    Buffer(Vec<u8>),
}

/// What a run gives: the stack or the fault, and the system calls before that with what they were given.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Outcome {
    pub result: Result<Vec<Item>, String>,
    pub log: Vec<(String, Vec<Item>)>,
    /// Price units.
    pub gas: u64,
}

impl Outcome {
    /// All that may not change. After a fault nobody knows what was read.
    pub(super) fn seen(&self) -> Outcome {
        let mut out = self.clone();
        out.gas = 0;
        if out.result.is_err() {
            out.log
                .retain(|(call, _)| call != "System.Storage.Local.Get");
        }
        out
    }
}

type Fault<T> = Result<T, String>;

struct Frame {
    code: usize,
    at: usize,
    locals: Vec<Item>,
    args: Vec<Item>,
}

struct Machine<'a> {
    codes: &'a [Code],
    stack: Vec<Item>,
    log: Vec<(String, Vec<Item>)>,
    gas: u64,
}

/// Steps after which a run counts as endless.
const STEPS: usize = 20_000;

/// Runs the first function with these items on the stack, the last on top.
pub(super) fn run(codes: &[Code], stack: Vec<Item>) -> Outcome {
    let mut m = Machine {
        codes,
        stack,
        log: Vec::new(),
        gas: 0,
    };
    let result = m.go().map(|()| std::mem::take(&mut m.stack));
    Outcome {
        result,
        log: m.log,
        gas: m.gas,
    }
}

fn fault<T>() -> Fault<T> {
    Err("fault".to_owned())
}

fn int(item: &Item) -> Fault<BigInt> {
    match item {
        Item::Int(n) => Ok(n.clone()),
        Item::Bool(b) => Ok(BigInt::from(u8::from(*b))),
        Item::Bytes(b) if b.len() <= 32 => Ok(BigInt::from_signed_bytes_le(b)),
        _ => fault(),
    }
}

fn truth(item: &Item) -> Fault<bool> {
    match item {
        Item::Null => Ok(false),
        Item::Bool(b) => Ok(*b),
        Item::Int(n) => Ok(n.sign() != Sign::NoSign),
        Item::Bytes(b) if b.len() > 32 => fault(),
        Item::Bytes(b) => Ok(b.iter().any(|x| *x != 0)),
        Item::Buffer(_) => Ok(true),
    }
}

fn bytes(item: &Item) -> Fault<Vec<u8>> {
    match item {
        Item::Null => fault(),
        Item::Bool(b) => Ok(vec![u8::from(*b)]),
        Item::Int(n) if n.sign() == Sign::NoSign => Ok(Vec::new()),
        Item::Int(n) => Ok(n.to_signed_bytes_le()),
        Item::Bytes(b) | Item::Buffer(b) => Ok(b.clone()),
    }
}

impl Machine<'_> {
    fn pop(&mut self) -> Fault<Item> {
        self.stack.pop().ok_or_else(|| "fault".to_owned())
    }

    fn int(&mut self) -> Fault<BigInt> {
        int(&self.pop()?)
    }

    fn put(&mut self, n: BigInt) -> Fault<()> {
        if n.to_signed_bytes_le().len() > 32 {
            return fault();
        }
        self.stack.push(Item::Int(n));
        Ok(())
    }

    fn place(&self, below: usize) -> Fault<usize> {
        self.stack
            .len()
            .checked_sub(1 + below)
            .ok_or_else(|| "fault".to_owned())
    }

    fn enter(&mut self, code: usize) -> Fault<Frame> {
        let c = &self.codes[code];
        if c.locals + c.args > 0 {
            self.gas += 64;
        }
        let mut args = Vec::new();
        for _ in 0..c.args {
            args.push(self.pop()?);
        }
        Ok(Frame {
            code,
            at: 0,
            locals: vec![Item::Null; c.locals],
            args,
        })
    }

    fn go(&mut self) -> Fault<()> {
        // Jumps may lead into another function.
        let places: HashMap<usize, (usize, usize)> = self
            .codes
            .iter()
            .enumerate()
            .flat_map(|(n, c)| {
                super::super::flow::labels(&c.ins)
                    .into_iter()
                    .map(move |(label, at)| (label, (n, at)))
            })
            .collect();
        let mut frames = vec![self.enter(0)?];
        for _ in 0..STEPS {
            let Some(f) = frames.last_mut() else {
                return Ok(());
            };
            let ins = self.codes[f.code].ins[f.at].clone();
            f.at += 1;
            match &ins {
                Ins::Int(n) => {
                    self.gas += 1;
                    self.stack.push(Item::Int(n.clone()));
                }
                Ins::Data(d) => {
                    self.gas += 8;
                    self.stack.push(Item::Bytes(d.to_vec()));
                }
                Ins::LdLoc(n) => self.stack.push(f.locals[*n].clone()),
                Ins::LdArg(n) => self.stack.push(f.args[*n].clone()),
                Ins::StLoc(n) => f.locals[*n] = self.stack.pop().ok_or("fault")?,
                Ins::StArg(n) => f.args[*n] = self.stack.pop().ok_or("fault")?,
                Ins::Jump(op, label) => {
                    self.gas += 2;
                    let (code, at) = places[label];
                    if self.jumps(*op)?
                        && let Some(f) = frames.last_mut()
                    {
                        (f.code, f.at) = (code, at);
                    }
                }
                Ins::Call(label) => {
                    self.gas += 512;
                    let to = self.codes.iter().position(|c| c.label == *label);
                    let frame = self.enter(to.ok_or("no such function")?)?;
                    frames.push(frame);
                }
                Ins::Op(Op::RET) => {
                    frames.pop();
                }
                Ins::Op(op) => {
                    self.gas += u64::from(op.price());
                    self.op(*op)?;
                }
                Ins::With(op, operand) => {
                    self.gas += u64::from(op.price());
                    self.with(*op, operand)?;
                }
                Ins::Label(_) | Ins::Mark(_) | Ins::Inlined(..) | Ins::Also(_) => {}
            }
            if Slotted::is(&ins) {
                self.gas += 2;
            }
            if self.stack.len() > 2000 {
                return Err("stack".to_owned());
            }
        }
        Err("endless".to_owned())
    }

    fn jumps(&mut self, op: Op) -> Fault<bool> {
        Ok(match op {
            Op::JMP => true,
            Op::JMPIF => truth(&self.pop()?)?,
            Op::JMPIFNOT => !truth(&self.pop()?)?,
            _ => {
                let (b, a) = (self.int()?, self.int()?);
                match op {
                    Op::JMPEQ => a == b,
                    Op::JMPNE => a != b,
                    Op::JMPLT => a < b,
                    Op::JMPLE => a <= b,
                    Op::JMPGT => a > b,
                    _ => a >= b,
                }
            }
        })
    }

    fn with(&mut self, op: Op, operand: &[u8]) -> Fault<()> {
        match op {
            Op::SYSCALL => {
                let call = Syscall::by_id(operand.try_into().map_err(|_| "id")?).ok_or("call")?;
                let takes = usize::from(call.name != "System.Runtime.GetTime");
                let mut given = Vec::new();
                for _ in 0..takes {
                    let item = self.pop()?;
                    // Storage sees bytes alone, whatever they were pushed as, and faults at Null.
                    given.push(match call.name.starts_with("System.Storage.") {
                        true => Item::Bytes(bytes(&item)?),
                        false => item,
                    });
                }
                let number = self.log.len();
                self.log.push((call.name.to_owned(), given));
                match call.name {
                    "System.Runtime.Log" => {}
                    "System.Runtime.CheckWitness" => {
                        self.stack.push(Item::Bool(number.is_multiple_of(2)))
                    }
                    "System.Runtime.GetTime" => self.stack.push(Item::Int(BigInt::from(number))),
                    _ if number.is_multiple_of(3) => self.stack.push(Item::Null),
                    _ => self.stack.push(Item::Bytes(vec![number as u8])),
                }
            }
            Op::ISTYPE => {
                let item = self.pop()?;
                let byte = match item {
                    Item::Null => 0,
                    Item::Bool(_) => item_type::BOOLEAN,
                    Item::Int(_) => item_type::INTEGER,
                    Item::Bytes(_) => item_type::BYTE_STRING,
                    Item::Buffer(_) => item_type::BUFFER,
                };
                self.stack.push(Item::Bool(byte == operand[0]));
            }
            Op::CONVERT => {
                let item = self.pop()?;
                self.stack.push(match (operand[0], &item) {
                    (_, Item::Null) => Item::Null,
                    (item_type::BYTE_STRING, item) => Item::Bytes(bytes(item)?),
                    (item_type::INTEGER, Item::Buffer(b)) if b.len() <= 32 => {
                        Item::Int(BigInt::from_signed_bytes_le(b))
                    }
                    (item_type::INTEGER, item) => Item::Int(int(item)?),
                    _ => return fault(),
                });
            }
            _ => return Err(format!("{op:?} is not known here")),
        }
        Ok(())
    }

    fn op(&mut self, op: Op) -> Fault<()> {
        match op {
            Op::PUSHT => self.stack.push(Item::Bool(true)),
            Op::PUSHF => self.stack.push(Item::Bool(false)),
            Op::PUSHNULL => self.stack.push(Item::Null),
            Op::DROP => drop(self.pop()?),
            Op::DUP => self.stack.push(self.stack[self.place(0)?].clone()),
            Op::OVER => self.stack.push(self.stack[self.place(1)?].clone()),
            Op::PICK => {
                let below = usize::try_from(self.int()?).map_err(|_| "fault")?;
                self.stack.push(self.stack[self.place(below)?].clone());
            }
            Op::NIP => {
                let at = self.place(1)?;
                self.stack.remove(at);
            }
            Op::SWAP | Op::ROT => {
                let at = self.place(if op == Op::SWAP { 1 } else { 2 })?;
                let item = self.stack.remove(at);
                self.stack.push(item);
            }
            Op::TUCK => {
                let (top, at) = (self.stack[self.place(0)?].clone(), self.place(1)?);
                self.stack.insert(at, top);
            }
            Op::REVERSE3 => {
                let at = self.place(2)?;
                self.stack[at..].reverse();
            }
            Op::ISNULL => {
                let item = self.pop()?;
                self.stack.push(Item::Bool(item == Item::Null));
            }
            Op::NOT => {
                let item = truth(&self.pop()?)?;
                self.stack.push(Item::Bool(!item));
            }
            Op::NZ => {
                let n = self.int()?;
                self.stack.push(Item::Bool(n.sign() != Sign::NoSign));
            }
            Op::SIZE => {
                let length = bytes(&self.pop()?)?.len();
                self.stack.push(Item::Int(BigInt::from(length)));
            }
            Op::CAT => {
                let (b, mut a) = (bytes(&self.pop()?)?, bytes(&self.pop()?)?);
                a.extend(b);
                self.stack.push(Item::Buffer(a));
            }
            Op::ASSERT => {
                if !truth(&self.pop()?)? {
                    return fault();
                }
            }
            Op::ABORT => return fault(),
            Op::ASSERTMSG => {
                let message = self.pop()?;
                if !truth(&self.pop()?)? {
                    return Err(format!("says {message:?}"));
                }
            }
            Op::ABORTMSG => return Err(format!("says {:?}", self.pop()?)),
            Op::EQUAL | Op::NOTEQUAL => {
                let (b, a) = (self.pop()?, self.pop()?);
                self.stack.push(Item::Bool((a == b) == (op == Op::EQUAL)));
            }
            Op::INC | Op::DEC | Op::NEGATE | Op::ABS | Op::INVERT | Op::SIGN => {
                let n = self.int()?;
                self.put(match op {
                    Op::INC => n + 1,
                    Op::DEC => n - 1,
                    Op::NEGATE => -n,
                    Op::ABS => BigInt::from(n.magnitude().clone()),
                    Op::INVERT => !n,
                    _ => BigInt::from(match n.sign() {
                        Sign::Minus => -1,
                        Sign::NoSign => 0,
                        Sign::Plus => 1,
                    }),
                })?;
            }
            Op::LT | Op::LE | Op::GT | Op::GE => {
                let (b, a) = (self.pop()?, self.pop()?);
                let answer = if a == Item::Null || b == Item::Null {
                    false
                } else {
                    let (a, b) = (int(&a)?, int(&b)?);
                    match op {
                        Op::LT => a < b,
                        Op::LE => a <= b,
                        Op::GT => a > b,
                        _ => a >= b,
                    }
                };
                self.stack.push(Item::Bool(answer));
            }
            _ => return self.two(op),
        }
        Ok(())
    }

    fn two(&mut self, op: Op) -> Fault<()> {
        let (b, a) = (self.int()?, self.int()?);
        let shift = || u32::try_from(&b).ok().filter(|n| *n <= 256).ok_or("fault");
        let n = match op {
            Op::NUMEQUAL | Op::NUMNOTEQUAL => {
                self.stack
                    .push(Item::Bool((a == b) == (op == Op::NUMEQUAL)));
                return Ok(());
            }
            Op::ADD => a + b,
            Op::SUB => a - b,
            Op::MUL => a * b,
            Op::DIV | Op::MOD if b.sign() == Sign::NoSign => return fault(),
            Op::DIV => a / b,
            Op::MOD => a % b,
            Op::AND => a & b,
            Op::OR => a | b,
            Op::XOR => a ^ b,
            Op::SHL => a << shift()?,
            Op::SHR => a >> shift()?,
            Op::MIN => a.min(b),
            Op::MAX => a.max(b),
            _ => return Err(format!("{op:?} is not known here")),
        };
        self.put(n)
    }
}

struct Slotted;

impl Slotted {
    fn is(ins: &Ins) -> bool {
        matches!(
            ins,
            Ins::LdLoc(_) | Ins::LdArg(_) | Ins::StLoc(_) | Ins::StArg(_)
        )
    }
}
