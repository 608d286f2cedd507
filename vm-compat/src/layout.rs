//! Gives the pieces of a script their places. A jump reaches 127 bytes; a longer way gets further jumps in between,
//! each with a jump around it for who comes from above.

use std::collections::HashMap;

use crate::build::BuildError;

/// A part of a script that is not laid out yet.
#[derive(Clone, Debug)]
pub(crate) enum Piece {
    /// One instruction.
    Code(Vec<u8>),
    /// A place to jump to.
    Label(String),
    /// A jump's opcode and where it goes.
    Jump(u8, String),
}

const JMP: u8 = 0x22;
const RET: u8 = 0x40;
/// Farthest that a jump reaches.
const REACH: usize = 127;
/// Bytes of a jump.
const JUMP: usize = 2;
/// Most jumps in between.
const MAX_RELAYS: usize = 256;

impl Piece {
    fn size(&self) -> usize {
        match self {
            Piece::Code(bytes) => bytes.len(),
            Piece::Label(_) => 0,
            Piece::Jump(..) => JUMP,
        }
    }
}

/// The script of the pieces.
pub(crate) fn lay_out(mut pieces: Vec<Piece>) -> Result<Vec<u8>, BuildError> {
    // A jump must go to an instruction, so a label at the end needs one.
    if matches!(pieces.last(), Some(Piece::Label(_))) {
        pieces.push(Piece::Code(vec![RET]));
    }
    // Label of each jump on -> the label that it serves.
    let mut relays = HashMap::new();
    loop {
        let (starts, labels) = places(&pieces)?;
        let Some(at) = first_too_far(&pieces, &starts, &labels)? else {
            return Ok(encode(&pieces, &starts, &labels));
        };
        relay(&mut pieces, &starts, at, &mut relays)?;
    }
}

type Places = (Vec<usize>, HashMap<String, usize>);

fn places(pieces: &[Piece]) -> Result<Places, BuildError> {
    let mut starts = Vec::with_capacity(pieces.len());
    let mut labels = HashMap::new();
    let mut position = 0;
    for piece in pieces {
        starts.push(position);
        position += piece.size();
        if let Piece::Label(name) = piece
            && labels.insert(name.clone(), starts.len() - 1).is_some()
        {
            return Err(BuildError::LabelTwice(name.clone()));
        }
    }
    Ok((starts, labels))
}

/// How far the jump at a piece goes.
fn distance(
    at: usize,
    label: &str,
    starts: &[usize],
    labels: &HashMap<String, usize>,
) -> Result<usize, BuildError> {
    let target = labels.get(label).filter(|target| **target > at);
    let target = target.and_then(|target| starts.get(*target));
    match (target, starts.get(at)) {
        (Some(to), Some(from)) => Ok(to - from),
        _ => Err(BuildError::NoLabel(label.to_owned())),
    }
}

fn first_too_far(
    pieces: &[Piece],
    starts: &[usize],
    labels: &HashMap<String, usize>,
) -> Result<Option<usize>, BuildError> {
    for (at, piece) in pieces.iter().enumerate() {
        if let Piece::Jump(_, label) = piece
            && distance(at, label, starts, labels)? > REACH
        {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

/// Sends the jump at `at` to a jump on between it and its label: one that is there, or a new one as late as it reaches.
fn relay(
    pieces: &mut Vec<Piece>,
    starts: &[usize],
    at: usize,
    relays: &mut HashMap<String, String>,
) -> Result<(), BuildError> {
    let Some(Piece::Jump(op, label)) = pieces.get(at).cloned() else {
        return Ok(());
    };
    let too_far = BuildError::TooFar(label.clone());
    let from = starts.get(at).copied().unwrap_or(0);
    let within = |i: usize, more: usize| starts.get(i).is_some_and(|s| s + more <= from + REACH);
    let known = (at + 1..pieces.len())
        .take_while(|i| within(*i, 0))
        .filter_map(|i| match pieces.get(i) {
            Some(Piece::Label(name)) if relays.get(name) == Some(&label) => Some(name.clone()),
            _ => None,
        })
        .last();
    let on = match known {
        Some(on) => on,
        // Too many that cross each other would push each other away for ever.
        None if relays.len() >= MAX_RELAYS => return Err(too_far),
        None => {
            // The jump on stands behind the jump around it. A place too near would gain nothing.
            let place = (at + 1..pieces.len())
                .take_while(|i| within(*i, JUMP))
                .last()
                .filter(|i| starts.get(*i).is_some_and(|start| *start > from + 2 * JUMP))
                .ok_or(too_far)?;
            let number = relays.len();
            let (on, around) = (format!("on #{number}"), format!("around #{number}"));
            let between = [
                Piece::Jump(JMP, around.clone()),
                Piece::Label(on.clone()),
                Piece::Jump(JMP, label.clone()),
                Piece::Label(around),
            ];
            pieces.splice(place..place, between);
            relays.insert(on.clone(), label);
            on
        }
    };
    if let Some(jump) = pieces.get_mut(at) {
        *jump = Piece::Jump(op, on);
    }
    Ok(())
}

fn encode(pieces: &[Piece], starts: &[usize], labels: &HashMap<String, usize>) -> Vec<u8> {
    let mut script = Vec::new();
    for (at, piece) in pieces.iter().enumerate() {
        match piece {
            Piece::Code(bytes) => script.extend(bytes),
            Piece::Label(_) => {}
            Piece::Jump(op, label) => {
                let offset = distance(at, label, starts, labels).unwrap_or(0);
                script.extend([*op, offset.to_le_bytes()[0]]);
            }
        }
    }
    script
}
