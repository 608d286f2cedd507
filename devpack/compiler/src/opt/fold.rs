//! Constants worked out beforehand. Where NeoVM would fault (division by zero, overflow) the instructions stay.

use neo_opcode::Op;
use num_bigint::{BigInt, Sign};

use crate::ir::{Code, Ins};

pub(super) fn run(code: &mut Code) -> bool {
    let mut out: Vec<Ins> = Vec::with_capacity(code.ins.len());
    let mut changed = false;
    for ins in code.ins.drain(..) {
        out.push(ins);
        while step(&mut out) {
            changed = true;
        }
    }
    code.ins = out;
    changed
}

/// Works out the operation at the end of the list.
fn step(out: &mut Vec<Ins>) -> bool {
    if out.last().is_none_or(Ins::is_mark) {
        return false;
    }
    let mut solid = (0..out.len()).rev().filter(|n| !out[*n].is_mark());
    let (Some(last), one, two) = (solid.next(), solid.next(), solid.next()) else {
        return false;
    };
    let Some(one) = one else { return false };
    if let Some(new) = unary(&out[one], &out[last]) {
        out.remove(last);
        out.remove(one);
        out.extend(new);
        return true;
    }
    if let Some(two) = two
        && let (Ins::Int(a), Ins::Int(b)) = (&out[two], &out[one])
        && let Some(new) = binary(a, b, &out[last])
    {
        out.remove(last);
        out.remove(one);
        out.remove(two);
        out.extend(new);
        return true;
    }
    false
}

fn boolean(value: bool) -> Ins {
    Ins::Op(if value { Op::PUSHT } else { Op::PUSHF })
}

/// NeoVM's integers have 32 bytes.
fn number(n: BigInt) -> Option<Ins> {
    (n.to_signed_bytes_le().len() <= 32).then_some(Ins::Int(n))
}

/// Whether a constant is true.
fn truth(ins: &Ins) -> Option<bool> {
    match ins {
        Ins::Op(Op::PUSHT) => Some(true),
        Ins::Op(Op::PUSHF | Op::PUSHNULL) => Some(false),
        Ins::Int(n) => Some(n.sign() != Sign::NoSign),
        _ => None,
    }
}

fn unary(a: &Ins, last: &Ins) -> Option<Vec<Ins>> {
    if let (Some(value), Ins::Jump(jump @ (Op::JMPIF | Op::JMPIFNOT), label)) = (truth(a), last) {
        let jumps = value == (*jump == Op::JMPIF);
        return Some(if jumps {
            vec![Ins::Jump(Op::JMP, *label)]
        } else {
            Vec::new()
        });
    }
    if truth(a) == Some(true) && *last == Ins::Op(Op::ASSERT) {
        return Some(Vec::new());
    }
    let one = match (a, last) {
        (a, Ins::Op(Op::NOT)) => boolean(!truth(a)?),
        (a, Ins::Op(Op::ISNULL)) => match a {
            Ins::Op(Op::PUSHNULL) => boolean(true),
            Ins::Op(Op::PUSHT | Op::PUSHF) | Ins::Int(_) | Ins::Data(_) => boolean(false),
            _ => return None,
        },
        (Ins::Data(data), Ins::Op(Op::SIZE)) => Ins::Int(BigInt::from(data.len())),
        (Ins::Int(n), Ins::Op(op)) => match op {
            Op::INC => number(n + 1)?,
            Op::DEC => number(n - 1)?,
            Op::NEGATE => number(-n)?,
            Op::ABS => number(BigInt::from(n.magnitude().clone()))?,
            Op::INVERT => number(!n)?,
            Op::NZ => boolean(n.sign() != Sign::NoSign),
            Op::SIGN => Ins::Int(match n.sign() {
                Sign::Minus => BigInt::from(-1),
                Sign::NoSign => BigInt::ZERO,
                Sign::Plus => BigInt::from(1),
            }),
            _ => return None,
        },
        _ => return None,
    };
    Some(vec![one])
}

fn binary(a: &BigInt, b: &BigInt, last: &Ins) -> Option<Vec<Ins>> {
    let zero = b.sign() == Sign::NoSign;
    let op = match last {
        Ins::Op(op) => *op,
        Ins::Jump(op, label) => {
            let jumps = match op {
                Op::JMPEQ => a == b,
                Op::JMPNE => a != b,
                Op::JMPLT => a < b,
                Op::JMPLE => a <= b,
                Op::JMPGT => a > b,
                Op::JMPGE => a >= b,
                _ => return None,
            };
            return Some(if jumps {
                vec![Ins::Jump(Op::JMP, *label)]
            } else {
                Vec::new()
            });
        }
        _ => return None,
    };
    let shift = || u32::try_from(b).ok().filter(|n| (1..=256).contains(n));
    Some(vec![match op {
        Op::ADD => number(a + b)?,
        Op::SUB => number(a - b)?,
        Op::MUL => number(a * b)?,
        // Both round toward zero, as NeoVM does.
        Op::DIV if !zero => number(a / b)?,
        Op::MOD if !zero => number(a % b)?,
        Op::AND => number(a & b)?,
        Op::OR => number(a | b)?,
        Op::XOR => number(a ^ b)?,
        Op::SHL => number(a << shift()?)?,
        Op::SHR => number(a >> shift()?)?,
        Op::MIN => Ins::Int(a.min(b).clone()),
        Op::MAX => Ins::Int(a.max(b).clone()),
        Op::NUMEQUAL | Op::EQUAL => boolean(a == b),
        Op::NUMNOTEQUAL | Op::NOTEQUAL => boolean(a != b),
        Op::LT => boolean(a < b),
        Op::LE => boolean(a <= b),
        Op::GT => boolean(a > b),
        Op::GE => boolean(a >= b),
        _ => return None,
    }])
}
