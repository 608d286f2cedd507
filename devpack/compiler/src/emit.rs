//! From labels to bytes: every jump as short as it can be.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use neo_opcode::{Op, asm};

use crate::diagnostic::Loc;
use crate::ir::{Code, Ins, Label, Origin, Site};

/// A finished script.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub bytes: Vec<u8>,
    /// Where each function is, in the order given.
    pub ranges: Vec<Range<usize>>,
    /// Source places of positions, ascending.
    pub marks: Vec<(usize, Loc, Option<Arc<Site>>)>,
    /// Other places that an instruction comes from.
    pub also: Vec<(usize, Arc<Origin>)>,
}

/// Slots and arguments have one byte of number.
pub(crate) const MAX_SLOTS: usize = 255;

enum Piece {
    Bytes(Vec<u8>),
    /// Short opcode, target, whether it needs four bytes.
    Jump(Op, Label, bool),
    Label(Label),
    Mark(Loc, Option<Arc<Site>>),
    Also(Arc<Origin>),
}

impl Piece {
    fn size(&self) -> usize {
        match self {
            Piece::Bytes(b) => b.len(),
            Piece::Jump(_, _, long) => 2 + 3 * usize::from(*long),
            Piece::Label(_) | Piece::Mark(..) | Piece::Also(_) => 0,
        }
    }
}

/// Lays the functions out one after another, in this order of their indices.
pub(crate) fn emit(codes: &[Code], order: &[usize]) -> Script {
    let mut pieces = Vec::new();
    let mut bounds = vec![0..0; codes.len()];
    for (n, code) in order.iter().filter_map(|n| Some((*n, codes.get(*n)?))) {
        let start = pieces.len();
        pieces.push(Piece::Label(code.label));
        if code.locals + code.args > 0 {
            let slot = |n: usize| u8::try_from(n).unwrap_or(u8::MAX);
            pieces.push(Piece::Bytes(vec![
                Op::INITSLOT.byte(),
                slot(code.locals),
                slot(code.args),
            ]));
        }
        pieces.extend(code.ins.iter().map(piece));
        bounds[n] = start..pieces.len();
    }
    let positions = relax(&mut pieces);
    let mut script = Script::default();
    let labels = label_positions(&pieces, &positions);
    for (piece, at) in pieces.iter().zip(&positions) {
        match piece {
            Piece::Bytes(b) => script.bytes.extend_from_slice(b),
            Piece::Jump(op, label, long) => {
                let offset = distance(&labels, *label, *at);
                let bytes = offset.to_le_bytes();
                // The long form follows the short one in the table of instructions.
                script.bytes.push(op.byte() + u8::from(*long));
                script
                    .bytes
                    .extend_from_slice(if *long { &bytes[..4] } else { &bytes[..1] });
            }
            Piece::Label(_) => {}
            Piece::Mark(loc, site) => script.marks.push((*at, *loc, site.clone())),
            Piece::Also(origin) => script.also.push((*at, origin.clone())),
        }
    }
    let end = script.bytes.len();
    let position = |n: usize| positions.get(n).copied().unwrap_or(end);
    script.ranges = bounds
        .iter()
        .map(|b| position(b.start)..position(b.end))
        .collect();
    script
}

/// Jumps start short and grow where they must; growing never makes another shorter, so this ends.
fn relax(pieces: &mut [Piece]) -> Vec<usize> {
    loop {
        let mut at = 0;
        let positions: Vec<usize> = pieces
            .iter()
            .map(|p| {
                let here = at;
                at += p.size();
                here
            })
            .collect();
        let labels = label_positions(pieces, &positions);
        let mut grown = false;
        for (piece, at) in pieces.iter_mut().zip(&positions) {
            if let Piece::Jump(_, label, long @ false) = piece
                && i8::try_from(distance(&labels, *label, *at)).is_err()
            {
                *long = true;
                grown = true;
            }
        }
        if !grown {
            return positions;
        }
    }
}

fn label_positions(pieces: &[Piece], positions: &[usize]) -> HashMap<Label, usize> {
    pieces
        .iter()
        .zip(positions)
        .filter_map(|(p, at)| {
            if let Piece::Label(l) = p {
                Some((*l, *at))
            } else {
                None
            }
        })
        .collect()
}

fn distance(labels: &HashMap<Label, usize>, label: Label, from: usize) -> i64 {
    let to = labels.get(&label).copied().unwrap_or(from);
    i64::try_from(to).unwrap_or_default() - i64::try_from(from).unwrap_or_default()
}

/// The bytes of an instruction, jumps taken as short.
pub(crate) fn size(ins: &Ins) -> usize {
    piece(ins).size()
}

fn piece(ins: &Ins) -> Piece {
    let mut out = Vec::new();
    match ins {
        Ins::Op(op) => asm::op(&mut out, *op),
        Ins::With(op, operand) => asm::op_with(&mut out, *op, operand),
        Ins::Int(n) => {
            asm::push_int_le(&mut out, &n.to_signed_bytes_le());
        }
        Ins::Data(data) => {
            asm::push_data(&mut out, data);
        }
        Ins::LdLoc(n) => slot(&mut out, Op::LDLOC0, Op::LDLOC, *n),
        Ins::StLoc(n) => slot(&mut out, Op::STLOC0, Op::STLOC, *n),
        Ins::LdArg(n) => slot(&mut out, Op::LDARG0, Op::LDARG, *n),
        Ins::StArg(n) => slot(&mut out, Op::STARG0, Op::STARG, *n),
        Ins::Jump(op, label) => return Piece::Jump(*op, *label, false),
        Ins::Call(label) => return Piece::Jump(Op::CALL, *label, false),
        Ins::Label(label) => return Piece::Label(*label),
        Ins::Mark(loc) => return Piece::Mark(*loc, None),
        Ins::Inlined(loc, site) => return Piece::Mark(*loc, Some(site.clone())),
        Ins::Also(origin) => return Piece::Also(origin.clone()),
    }
    Piece::Bytes(out)
}

fn slot(out: &mut Vec<u8>, first: Op, general: Op, n: usize) {
    match u8::try_from(n) {
        Ok(n @ 0..=6) => out.push(first.byte() + n),
        n => asm::op_with(out, general, &[n.unwrap_or(u8::MAX)]),
    }
}
