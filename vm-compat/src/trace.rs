//! A recorder of what the interpreter does, for the debugger. Natively only: on the chain there is nothing of it.
//!
//! The interpreter reports each instruction before it is done, and the end of each script. As jumps go forward only, a
//! script has at most as many steps as instructions, so whole invocations are recorded and looked at afterwards.

use std::cell::RefCell;

use neo_framework::{Any, Bytes, Hash160, Int, Item, eval};

use crate::core::item::{AUTHOR, author_of, script_of};
use crate::core::{Visit, ops, position};

/// Stack items that are kept of one recording in full; of later steps only the top ones. An item takes 48 bytes or less
/// and shares what it points to, so this is 48 MB.
const MAX_ITEMS: usize = 1_000_000;
/// Items that are kept of a step when the recording is full.
const MAX_ITEMS_LATE: usize = 16;
/// Steps of a recording. 64 nested scripts of 1024 instructions are the most of one call; a transaction may have more
/// calls than one.
const MAX_STEPS: usize = 1 << 18;

/// Why a script runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A content is being written.
    Write,
    /// A content is being read.
    Read,
    /// The cost of reading is asked for.
    Inspect,
}

impl Verb {
    /// As `STATE` names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Verb::Write => "write",
            Verb::Read => "read",
            Verb::Inspect => "inspect",
        }
    }
}

/// What a script could know of its invocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Why it runs.
    pub verb: Verb,
    /// The box that runs.
    pub this: Int,
    /// The box where execution began.
    pub entry: Int,
    /// Who owns the box that runs.
    pub owner: Hash160,
    /// Whose script it is.
    pub author: Hash160,
    /// Who asks.
    pub caller: Hash160,
}

/// One script, from its first instruction to its end.
#[derive(Clone, Debug)]
pub struct Run {
    /// Its bytes.
    pub script: Bytes,
    /// What it could know.
    pub facts: Facts,
    /// The script that started it, as an index into [`Recording::runs`]; none if the contract did.
    pub parent: Option<usize>,
    /// How many scripts are above it.
    pub level: usize,
    /// What lay on its stack at its end, top last; none if it never got there.
    pub left: Option<Vec<Item>>,
}

/// One instruction, as it was about to be done.
#[derive(Clone, Debug)]
pub struct Step {
    /// Index into [`Recording::runs`].
    pub run: usize,
    /// Where its opcode is in the script.
    pub position: usize,
    /// The script's own items, top last.
    pub stack: Vec<Item>,
    /// Items further down that were not kept.
    pub omitted: usize,
}

/// What one invocation's scripts did.
#[derive(Clone, Debug, Default)]
pub struct Recording {
    /// The scripts in the order in which they began.
    pub runs: Vec<Run>,
    /// All instructions in the order in which they were done.
    pub steps: Vec<Step>,
    /// Whether there were more steps than are kept.
    pub truncated: bool,
}

#[derive(Default)]
struct Recorder {
    recording: Recording,
    /// Runs that have begun and not ended, innermost last.
    open: Vec<usize>,
    items: usize,
}

thread_local! {
    static RECORDER: RefCell<Option<Recorder>> = const { RefCell::new(None) };
}

/// Records every script that `action` runs on this thread. Recordings do not nest: an inner one takes over.
pub fn record<R>(action: impl FnOnce() -> R) -> (R, Recording) {
    RECORDER.set(Some(Recorder::default()));
    let result = action();
    let recorder = RECORDER.take().unwrap_or_default();
    (result, recorder.recording)
}

/// The interpreter is about to do the next instruction of a stored item; `base` is the depth of the evaluation stack below the script's
/// items.
pub(crate) fn step(item: &Bytes, word: Int, pc: Int, base: Int, visit: &Visit) {
    RECORDER.with_borrow_mut(|recorder| {
        let Some(recorder) = recorder else {
            return;
        };
        let at = if word == 0 { pc } else { position(item, word) };
        // Behind the last byte stands only the end.
        if at < item.len()
            && let Some(position) = index(at - AUTHOR)
        {
            recorder.step(item, position, base, visit);
        }
    });
}

/// The script on top has ended; its items are still there.
pub(crate) fn ended(base: Int) {
    RECORDER.with_borrow_mut(|recorder| {
        if let Some(recorder) = recorder
            && let Some(run) = recorder.open.pop()
        {
            let left = stack_above(base);
            if let Some(run) = recorder.recording.runs.get_mut(run) {
                run.left = Some(left);
            }
        }
    });
}

impl Recorder {
    fn step(&mut self, item: &Bytes, position: usize, base: Int, visit: &Visit) {
        if self.recording.steps.len() >= MAX_STEPS {
            self.recording.truncated = true;
            return;
        }
        // Nothing jumps back, so the first instruction is done once, when the script begins.
        if position == 0 {
            let level = self.open.len();
            self.recording.runs.push(Run {
                script: script_of(item),
                facts: facts(item, visit),
                parent: self.open.last().copied(),
                level,
                left: None,
            });
            self.open.push(self.recording.runs.len() - 1);
        }
        let Some(run) = self.open.last().copied() else {
            return;
        };
        let mut stack = stack_above(base);
        let kept = if self.items < MAX_ITEMS {
            stack.len()
        } else {
            MAX_ITEMS_LATE
        };
        let omitted = stack.len().saturating_sub(kept);
        stack.drain(..omitted);
        self.items += stack.len();
        self.recording.steps.push(Step {
            run,
            position,
            stack,
            omitted,
        });
    }
}

/// The items above `base`, which stay where they are.
fn stack_above(base: Int) -> Vec<Item> {
    let mut items = eval::take_all();
    for item in &items {
        eval::push(Any::of(item.clone()));
    }
    let base = index(base).unwrap_or(0).min(items.len());
    items.split_off(base)
}

fn facts(item: &Bytes, visit: &Visit) -> Facts {
    let verb = match visit.verb.to_i64() {
        Some(ops::STATE_WRITE) => Verb::Write,
        Some(ops::STATE_INSPECT) => Verb::Inspect,
        _ => Verb::Read,
    };
    Facts {
        verb,
        this: visit.this,
        entry: visit.entry,
        owner: author_of(&visit.gate),
        author: author_of(item),
        caller: visit.caller.clone(),
    }
}

fn index(number: Int) -> Option<usize> {
    usize::try_from(number.to_i64()?).ok()
}
