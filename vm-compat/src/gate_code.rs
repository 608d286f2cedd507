//! Makes the script of a [`Gate`].
//!
//! A condition without a charge is one straight stretch that leaves a Boolean. A charge comes last, behind jumps that
//! end the script as soon as the outcome is known.

use crate::build::{ScriptBuilder, push_int_le};
use crate::gates::{Gate, GateError};

const BOOLAND: u8 = 0xAB;
const BOOLOR: u8 = 0xAC;
const DUP: u8 = 0x4A;
const EQUAL: u8 = 0x97;
const FAIL: u8 = 0xE9;
const GE: u8 = 0xB8;
const GT: u8 = 0xB7;
const INCLUDE: u8 = 0xF8;
const LE: u8 = 0xB6;
const LT: u8 = 0xB5;
const NOT: u8 = 0xAA;
const OK: u8 = 0xE8;
const OVER: u8 = 0x4B;
const PUSHDATA1: u8 = 0x0C;
const PUSHF: u8 = 0x09;
const PUSHT: u8 = 0x08;
const RET: u8 = 0x40;
const STATE: u8 = 0xEA;
const SWAP: u8 = 0x50;
const TIME: u8 = 0xEE;
const WITHIN: u8 = 0xBB;

const STATE_WRITE: u8 = 0;
const STATE_OWN: u8 = 3;
const STATE_THIS: u8 = 4;
const STATE_TIMESTAMP: u8 = 6;
const STATE_MEMBER: u8 = 8;
const STATE_CALLER: u8 = 9;

/// A gate without `Not`, constants inside, or lists of one.
#[derive(Clone, Debug)]
enum Node {
    Const(bool),
    /// A gate that is no combination; negated if true.
    Leaf(Gate, bool),
    /// All (true) or any (false) of at least two.
    Join(bool, Vec<Node>),
}

/// How much it takes to know a node; what takes less is asked first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Cheap,
    Lookup,
    Charge,
}

/// Code that leaves a Boolean, as instructions.
type Code = Vec<Vec<u8>>;

pub(crate) fn compile(gate: &Gate) -> Result<Vec<u8>, GateError> {
    let node = normal(gate, false)?;
    let inline = tail(ScriptBuilder::new(), &node, None).build();
    // One refusal at the end that several jumps share may be shorter than one at each.
    let shared = tail(ScriptBuilder::new(), &node, Some("refused"))
        .label("refused")
        .code(vec![FAIL])
        .build();
    Ok(match (inline, shared) {
        (Ok(inline), Ok(shared)) if shared.len() < inline.len() => shared,
        (Err(_), Ok(shared)) => shared,
        (inline, _) => inline?,
    })
}

fn normal(gate: &Gate, negated: bool) -> Result<Node, GateError> {
    Ok(match gate {
        Gate::Free => Node::Const(!negated),
        Gate::Nobody => Node::Const(negated),
        Gate::Accounts(list) if list.is_empty() => Node::Const(negated),
        Gate::Between(from, until) if from >= until => {
            return Err(GateError::EmptyWindow(*from, *until));
        }
        Gate::Not(inner) if inner.charges() => return Err(GateError::NegatedCharge),
        Gate::Not(inner) => normal(inner, !negated)?,
        Gate::Reading => Node::Leaf(Gate::Writing, !negated),
        Gate::All(parts) => join(!negated, parts, negated)?,
        Gate::Any(parts) => join(negated, parts, negated)?,
        leaf => Node::Leaf(leaf.clone(), negated),
    })
}

fn join(all: bool, parts: &[Gate], negated: bool) -> Result<Node, GateError> {
    let mut flat = Vec::new();
    for part in parts {
        match normal(part, negated)? {
            Node::Join(kind, inner) if kind == all => flat.extend(inner),
            Node::Const(value) if value == all => {}
            node => flat.push(node),
        }
    }
    if flat.iter().any(|node| matches!(node, Node::Const(_))) {
        return Ok(Node::Const(!all));
    }
    if all
        && flat
            .iter()
            .filter(|node| rank(node) == Rank::Charge)
            .count()
            > 1
    {
        return Err(GateError::TwoCharges);
    }
    flat.sort_by_key(rank);
    if !all {
        // What charges without a condition is the last way in.
        let certain = |node: &Node| matches!(node, Node::Leaf(gate, _) if gate.charges());
        let ways = flat
            .iter()
            .position(certain)
            .map_or(flat.len(), |at| at + 1);
        flat.truncate(ways);
    }
    Ok(match (flat.len(), flat.pop()) {
        (1, Some(only)) => only,
        (_, Some(last)) => {
            flat.push(last);
            Node::Join(all, flat)
        }
        (_, None) => Node::Const(all),
    })
}

fn rank(node: &Node) -> Rank {
    match node {
        Node::Leaf(gate, _) if gate.charges() => Rank::Charge,
        Node::Leaf(Gate::Members, _) => Rank::Lookup,
        Node::Const(_) | Node::Leaf(..) => Rank::Cheap,
        Node::Join(_, parts) => parts.iter().map(rank).max().unwrap_or(Rank::Cheap),
    }
}

/// Code that ends the script with true if the node holds. If it does not: goes to `next`, or, when that is none and the
/// script ends here, refuses.
fn tail(b: ScriptBuilder, node: &Node, next: Option<&str>) -> ScriptBuilder {
    if let Node::Join(all, parts) = node {
        let stages = stages(*all, parts);
        if stages.len() > 1 {
            return chain(b, *all, &stages, next);
        }
    }
    let done = |b: ScriptBuilder| match next {
        Some(_) => b.code(vec![RET]),
        None => b,
    };
    match node {
        Node::Leaf(Gate::Pay(price), _) => b.pay(*price).code(vec![OK]),
        Node::Leaf(Gate::PayOnce(price), _) => {
            let b = or_stop(b, state(STATE_MEMBER), OK).pay(*price);
            // INCLUDE leaves true: the gate's author owns the box.
            done(b.code(vec![STATE, STATE_THIS]).code(vec![INCLUDE]))
        }
        Node::Leaf(Gate::Subscription { price, period }, _) => {
            let paid = vec![vec![TIME], number(*period), vec![LT]];
            or_stop(b, paid, OK).pay(*price).code(vec![OK])
        }
        condition => {
            let [holds, _] = value(condition);
            match next {
                None => append(b, holds),
                Some(next) => append(b, holds).jump_if_not(next).code(vec![OK]),
            }
        }
    }
}

/// The parts in the order in which they are asked, those of one rank that do not charge together.
fn stages(all: bool, parts: &[Node]) -> Vec<Node> {
    let mut stages = Vec::new();
    for wanted in [Rank::Cheap, Rank::Lookup] {
        let same: Vec<Node> = parts
            .iter()
            .filter(|p| rank(p) == wanted)
            .cloned()
            .collect();
        match same.as_slice() {
            [] => {}
            [only] => stages.push(only.clone()),
            _ => stages.push(Node::Join(all, same)),
        }
    }
    stages.extend(parts.iter().filter(|p| rank(p) == Rank::Charge).cloned());
    stages
}

fn chain(mut b: ScriptBuilder, all: bool, stages: &[Node], next: Option<&str>) -> ScriptBuilder {
    let Some((last, before)) = stages.split_last() else {
        return b;
    };
    for stage in before {
        if rank(stage) == Rank::Charge {
            // Only of several ways in can there be one that charges before the last.
            let other = b.fresh("other");
            b = tail(b, stage, Some(&other)).label(&other);
            continue;
        }
        let [holds, fails] = value(stage);
        b = match (all, next) {
            (false, _) => or_stop(b, holds, OK),
            (true, None) => or_stop(b, fails, FAIL),
            (true, Some(next)) => append(b, holds).jump_if_not(next),
        };
    }
    tail(b, last, next)
}

/// Ends the script with `end` if the condition is true.
fn or_stop(b: ScriptBuilder, condition: Code, end: u8) -> ScriptBuilder {
    append(b, condition).when(|b| b.code(vec![end]))
}

fn append(b: ScriptBuilder, code: Code) -> ScriptBuilder {
    code.into_iter().fold(b, ScriptBuilder::code)
}

/// The shortest code for a node that does not charge, and for its opposite.
fn value(node: &Node) -> [Code; 2] {
    match node {
        Node::Const(value) => {
            let push = |value: bool| vec![vec![if value { PUSHT } else { PUSHF }]];
            [push(*value), push(!*value)]
        }
        Node::Leaf(gate, negated) => {
            let [holds, fails] = leaf(gate);
            if *negated {
                [fails, holds]
            } else {
                [holds, fails]
            }
        }
        Node::Join(all, parts) => {
            let mut parts = parts.iter().map(value);
            let first = parts.next().unwrap_or_default();
            parts.fold(first, |left, right| joined(*all, &left, &right))
        }
    }
}

/// Comparing Booleans as 0 and 1 joins a condition with the opposite of another in one instruction.
fn joined(all: bool, left: &[Code; 2], right: &[Code; 2]) -> [Code; 2] {
    // For "or": which side is given as its opposite, and what then gives the result or its opposite.
    let (same, opposite) = if all { (1, 0) } else { (0, 1) };
    // With a, b standing for the sides and A, B for their opposites (for "and" all of them turned round):
    let forms = [
        (same, 0, 0, BOOLOR),      // a or b
        (same, 0, 1, GE),          // a >= B
        (same, 1, 0, LE),          // A <= b
        (opposite, 0, 1, LT),      // a < B: neither
        (opposite, 1, 0, GT),      // A > b: neither
        (opposite, 1, 1, BOOLAND), // A and B: neither
    ];
    let mut best: [Option<Code>; 2] = [None, None];
    for (result, a, b, op) in forms {
        let (a, b) = if all { (1 - a, 1 - b) } else { (a, b) };
        let (Some(a), Some(b)) = (left.get(a), right.get(b)) else {
            continue;
        };
        let code: Code = a.iter().chain(b).cloned().chain([vec![op]]).collect();
        if let Some(slot) = best.get_mut(result) {
            shorter(slot, code);
        }
    }
    for (from, to) in [(0, 1), (1, 0)] {
        let negated = best.get(from).cloned().flatten().map(not);
        if let (Some(slot), Some(code)) = (best.get_mut(to), negated) {
            shorter(slot, code);
        }
    }
    best.map(Option::unwrap_or_default)
}

fn shorter(slot: &mut Option<Code>, code: Code) {
    let size = |code: &Code| code.iter().map(Vec::len).sum::<usize>();
    if slot.as_ref().is_none_or(|old| size(&code) < size(old)) {
        *slot = Some(code);
    }
}

/// A condition's code and its opposite's.
fn leaf(gate: &Gate) -> [Code; 2] {
    let compare = |t: u64, op| vec![vec![STATE, STATE_TIMESTAMP], number(t), vec![op]];
    let plain = match gate {
        Gate::From(t) => return [compare(*t, GE), compare(*t, LT)],
        Gate::Until(t) => return [compare(*t, LT), compare(*t, GE)],
        Gate::Between(from, until) => {
            let mut code = compare(*from, WITHIN);
            code.insert(2, number(*until));
            code
        }
        Gate::Owner => state(STATE_OWN),
        Gate::Writing => state(STATE_WRITE),
        Gate::Members => state(STATE_MEMBER),
        Gate::Accounts(list) => caller_is_one_of(list),
        // All others are turned into these, or charge.
        _ => vec![vec![PUSHF]],
    };
    let opposite = not(plain.clone());
    [plain, opposite]
}

fn caller_is_one_of(list: &[[u8; 20]]) -> Code {
    let mut code = state(STATE_CALLER);
    for (at, account) in list.iter().enumerate() {
        let first = at == 0;
        let last = at + 1 == list.len();
        // The caller stays below what is known so far, until the last one takes it.
        match (first, last) {
            (true, true) => {}
            (true, false) => code.push(vec![DUP]),
            (false, false) => code.push(vec![OVER]),
            (false, true) => code.push(vec![SWAP]),
        }
        let mut push = vec![PUSHDATA1, 20];
        push.extend(account);
        code.extend([push, vec![EQUAL]]);
        if !first {
            code.push(vec![BOOLOR]);
        }
    }
    code
}

fn state(which: u8) -> Code {
    vec![vec![STATE, which]]
}

fn number(value: u64) -> Vec<u8> {
    let mut push = Vec::new();
    push_int_le(&mut push, &i128::from(value).to_le_bytes());
    push
}

fn not(mut code: Code) -> Code {
    code.push(vec![NOT]);
    code
}
