//! Says whether the contract would store a script, and if not, why. The contract asks the same of every script that is
//! written (`core::check`), so nothing that is stored can meet an unknown byte, jump backward or out, or take an item
//! from under its own stack.

use std::collections::BTreeMap;

use crate::script::{DecodeError, Step, steps};
use crate::table::{Flow, Operand, STATES};

/// Longest script in bytes. A storage value holds 65535 bytes; the contract keeps 20 of them for the author.
pub const MAX_SCRIPT_BYTES: usize = 65_515;

/// Most instructions in a script. As jumps only go forward none runs twice, and each adds at most one item, so a script
/// never fills more than half of NeoVM's 2048 stack items.
pub const MAX_INSTRUCTIONS: usize = 1024;

/// Why a script is refused. Positions are bytes from the script's start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScriptError {
    /// A script without any instruction.
    #[error("the script is empty")]
    Empty,
    /// More than [`MAX_SCRIPT_BYTES`].
    #[error("the script has {bytes} bytes, at most {MAX_SCRIPT_BYTES} are allowed")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// More than [`MAX_INSTRUCTIONS`].
    #[error("the script has more than {MAX_INSTRUCTIONS} instructions")]
    TooManyInstructions,
    /// An unknown byte or a cut operand.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// An operand of `STATE` that means nothing.
    #[error("unknown state {state} at byte {position}")]
    UnknownState {
        /// Where the `STATE` is.
        position: usize,
        /// Its operand.
        state: u8,
    },
    /// An `ALLOC` that is not the first instruction.
    #[error("ALLOC at byte {position}: it may only be the first instruction")]
    LateAlloc {
        /// Where it is.
        position: usize,
    },
    /// A jump to itself or to something before it.
    #[error("backward jump at byte {position}: {offset} bytes; jumps only go forward")]
    BackwardJump {
        /// Where the jump is.
        position: usize,
        /// Its operand.
        offset: i64,
    },
    /// A jump to where no instruction starts.
    #[error(
        "the jump at byte {position} goes into the middle of an instruction or past the end, to byte {target}"
    )]
    BadTarget {
        /// Where the jump is.
        position: usize,
        /// Where it goes.
        target: usize,
    },
    /// On some way to this instruction there are too few items.
    #[error("{mnemonic} at byte {position} needs {needs} items, there may be only {depth}")]
    Underflow {
        /// Where the instruction is.
        position: usize,
        /// Its name.
        mnemonic: &'static str,
        /// Items that it takes.
        needs: usize,
        /// The least number of items that can be there.
        depth: usize,
    },
}

/// Stands for the depth of code that nothing reaches: deeper than any stack, so never an underflow.
const UNREACHED: usize = 1 << 20;

/// Accepts exactly the scripts that the contract accepts.
///
/// # Errors
/// The first thing that is wrong, in the order of the script; jump targets come last.
pub fn validate(script: &[u8]) -> Result<(), ScriptError> {
    if script.is_empty() {
        return Err(ScriptError::Empty);
    }
    if script.len() > MAX_SCRIPT_BYTES {
        return Err(ScriptError::TooLong {
            bytes: script.len(),
        });
    }
    let mut flow = FlowCheck {
        depth: 0,
        pending: BTreeMap::new(),
    };
    for (count, step) in steps(script).enumerate() {
        if count == MAX_INSTRUCTIONS {
            return Err(ScriptError::TooManyInstructions);
        }
        flow.step(&step?)?;
    }
    match flow.pending.into_iter().next() {
        None => Ok(()),
        Some((target, (position, _))) => Err(ScriptError::BadTarget { position, target }),
    }
}

/// Follows all ways through the script at once; they only go forward.
struct FlowCheck {
    /// The least number of items that can be on the stack here.
    depth: usize,
    /// Target of a jump → where a jump to it is, least depth with which one arrives.
    pending: BTreeMap<usize, (usize, usize)>,
}

impl FlowCheck {
    fn step(&mut self, step: &Step<'_>) -> Result<(), ScriptError> {
        let position = step.position;
        if let Some((_, depth)) = self.pending.remove(&position) {
            self.depth = self.depth.min(depth);
        }
        if let (Operand::State, [state]) = (step.instr.operand, step.operand)
            && !STATES.iter().any(|(known, ..)| known == state)
        {
            return Err(ScriptError::UnknownState {
                position,
                state: *state,
            });
        }
        if step.instr.operand == Operand::Blocks && position > 0 {
            return Err(ScriptError::LateAlloc { position });
        }
        let underflow = ScriptError::Underflow {
            position,
            mnemonic: step.instr.mnemonic,
            needs: usize::from(step.instr.pops),
            depth: self.depth,
        };
        self.depth = step.instr.depth_after(self.depth).ok_or(underflow)?;
        if let Some(target) = step.target() {
            self.jump(position, target)?;
        }
        if !matches!(step.instr.flow, Flow::Next | Flow::Branch) {
            self.depth = UNREACHED;
        }
        Ok(())
    }

    fn jump(&mut self, position: usize, target: i64) -> Result<(), ScriptError> {
        let target = usize::try_from(target).unwrap_or(0);
        if target <= position {
            let offset = target as i64 - position as i64;
            return Err(ScriptError::BackwardJump { position, offset });
        }
        let depth = self.depth;
        let entry = self.pending.entry(target).or_insert((position, depth));
        entry.1 = entry.1.min(depth);
        Ok(())
    }
}
