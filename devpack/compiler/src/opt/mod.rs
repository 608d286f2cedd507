//! Optimisation: passes over the instructions before they have positions. None changes what a method does: its result,
//! its faults with their messages, and the order of its effects are the same with every pass on or off. Only the price
//! and the number of bytes differ.
//!
//! A pass is one module with one function `run`, which says whether it changed anything. `docs/contract-rust.md` lists
//! them with examples.

// Positions index several lists at once.
#![allow(clippy::needless_range_loop)]

mod asserts;
mod branch;
mod coerce;
mod dead;
mod effect;
mod flow;
mod fold;
mod forward;
mod inline;
mod jumps;
mod keep;
mod layout;
mod look;
mod numbers;
mod order;
mod peephole;
mod reads;
mod slots;
mod stay;
mod tails;
#[cfg(test)]
mod tests;
mod types;

use neo_opcode::Op;

use crate::ir::{Code, Ins};
use crate::nef::Token;
use effect::Calls;
use inline::Labels;

macro_rules! passes {
    ($($name:ident $text:literal $doc:literal;)+) => {
        /// One optimisation.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Pass {
            $(#[doc = $doc] $name,)+
        }

        impl Pass {
            /// All of them.
            pub const ALL: &'static [Pass] = &[$(Pass::$name),+];

            /// Its name on the command line.
            pub fn name(self) -> &'static str {
                match self {
                    $(Pass::$name => $text,)+
                }
            }

            /// What it does, in a few words.
            pub fn about(self) -> &'static str {
                match self {
                    $(Pass::$name => $doc,)+
                }
            }
        }
    };
}

passes! {
    Jumps "jumps" "Jumps go where they end up; a conditional jump over a jump is turned round.";
    Branch "branch" "A jump to a conditional jump is decided where it starts.";
    Dead "dead" "What cannot be reached goes, and labels that nothing jumps to.";
    Fold "fold" "Constants are worked out, unless NeoVM would fault.";
    Types "types" "What is known to be an Integer, a Boolean or a ByteString is not tested or converted.";
    Peephole "peephole" "Neighbouring instructions become cheaper ones.";
    Coerce "coerce" "A number is not converted where all that read it convert it.";
    Numbers "numbers" "Short byte strings that are only read as bytes are pushed as numbers.";
    Forward "forward" "Slots that hold what another holds, and stores that are never read, go.";
    Keep "keep" "A value read soon after it is stored stays on the evaluation stack.";
    Stay "stay" "A value stays on the evaluation stack across branches.";
    Asserts "asserts" "An assertion that holds jumps over its message.";
    Layout "layout" "Pieces reached by one jump take its place; loops test at their end.";
    Inline "inline" "Small functions, and those called once, are written out where they are called.";
    Slots "slots" "Slots of locals are numbered by use.";
    Tails "tails" "Equal ends are written once.";
    Order "order" "Functions that call each other lie side by side.";
}

impl Pass {
    /// The pass with this name.
    pub fn by_name(name: &str) -> Option<Pass> {
        Pass::ALL.iter().copied().find(|p| p.name() == name)
    }
}

/// Which passes run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passes(u32);

impl Passes {
    /// Every pass.
    pub const fn all() -> Self {
        Passes(u32::MAX)
    }

    /// No pass: the instructions as they were lowered.
    pub const fn none() -> Self {
        Passes(0)
    }

    /// The same with this pass.
    #[must_use]
    pub const fn with(self, pass: Pass) -> Self {
        Passes(self.0 | 1 << pass as u32)
    }

    /// The same without this pass.
    #[must_use]
    pub const fn without(self, pass: Pass) -> Self {
        Passes(self.0 & !(1 << pass as u32))
    }

    /// Whether the pass runs.
    pub const fn has(self, pass: Pass) -> bool {
        self.0 & (1 << pass as u32) != 0
    }
}

impl Default for Passes {
    fn default() -> Self {
        Passes::all()
    }
}

/// Rounds after which cleaning stops even if something still changes; a handful is usual.
const ROUNDS: usize = 64;

/// The order in which the functions are best written one after another, as indices.
pub(crate) fn order(codes: &[Code], passes: Passes) -> Vec<usize> {
    if passes.has(Pass::Order) {
        order::run(codes)
    } else {
        (0..codes.len()).collect()
    }
}

/// Runs the chosen passes over all functions, of which the first `exports` are called from outside.
pub(crate) fn optimise(codes: &mut Vec<Code>, exports: usize, tokens: &[Token], passes: Passes) {
    if passes == Passes::none() {
        return;
    }
    codes.iter_mut().for_each(one_form);
    let calls = Calls::new(codes, tokens);
    let labels = Labels::new(codes);
    let clean = |code: &mut Code| clean(code, &calls, &labels, passes);
    codes.iter_mut().for_each(clean);
    if passes.has(Pass::Inline) {
        inline::run(codes, exports, &labels, &clean);
    }
    if passes.has(Pass::Dead) {
        inline::unreachable(codes, exports);
    }
    for code in codes.iter_mut() {
        // Late, for these make other passes see less.
        let _ = passes.has(Pass::Numbers) && numbers::run(code, &calls);
        if passes.has(Pass::Coerce) && coerce::run(code, &calls) {
            clean(code);
        }
        if passes.has(Pass::Asserts) && asserts::run(code, &labels) {
            clean(code);
        }
        if passes.has(Pass::Layout) {
            for _ in 0..MOVES {
                if !layout::run(code, &labels) {
                    break;
                }
                let _ = passes.has(Pass::Jumps) && jumps::run(code);
                let _ = passes.has(Pass::Dead) && dead::run(code);
            }
            clean(code);
        }
        while passes.has(Pass::Stay) && stay::run(code, &calls, &labels, &clean) {
            clean(code);
        }
        if passes.has(Pass::Slots) {
            slots::run(code);
        }
    }
    if passes.has(Pass::Tails) {
        let order = order(codes, passes);
        tails::run(codes, &labels, &order);
    }
}

/// Small numbers are written in two ways; from here on in one.
fn one_form(code: &mut Code) {
    for ins in &mut code.ins {
        if let Ins::Op(op) = ins
            && (Op::PUSHM1.byte()..=Op::PUSH16.byte()).contains(&op.byte())
        {
            *ins = Ins::Int((i16::from(op.byte()) - i16::from(Op::PUSH0.byte())).into());
        }
    }
}

/// Pieces of one function that are moved at most.
const MOVES: usize = 1000;

/// The passes within a function, until nothing changes.
fn clean(code: &mut Code, calls: &Calls, labels: &Labels, passes: Passes) {
    for _ in 0..ROUNDS {
        let mut changed = false;
        let mut go = |pass: Pass, run: &dyn Fn(&mut Code) -> bool| {
            changed |= passes.has(pass) && run(code);
        };
        go(Pass::Jumps, &jumps::run);
        go(Pass::Branch, &|code| branch::run(code, labels));
        go(Pass::Dead, &dead::run);
        go(Pass::Fold, &fold::run);
        go(Pass::Peephole, &peephole::run);
        go(Pass::Types, &|code| types::run(code, calls));
        go(Pass::Forward, &|code| forward::run(code, calls));
        go(Pass::Keep, &|code| keep::run(code, calls));
        if !changed {
            break;
        }
    }
}
