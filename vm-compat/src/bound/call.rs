//! A call whose bound is asked for, and the answer.

use neo_opcode::{Syscall, decode};

use super::boxes::MissingSet;
use super::cost::Cost;
use super::script::WorstWay;
use crate::core::ops;
use crate::validate::ScriptError;

/// The box that is called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// Its number, if it has one yet.
    pub id: Option<u64>,
    /// Its owner, if known.
    pub owner: Option<[u8; 20]>,
    /// Its gate.
    pub gate: Vec<u8>,
    /// How many contents it has; none if unknown.
    pub contents: Option<u64>,
}

/// A method, and the scripts that it is about. A content that is not known may be any.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// `createBox` with a name of so many characters.
    Create {
        /// Characters of the name.
        name_bytes: u64,
    },
    /// `writeContent`.
    Write {
        /// The script as it is given.
        content: Vec<u8>,
    },
    /// `readContentAt`.
    ReadAt {
        /// The stored script.
        content: Option<Vec<u8>>,
    },
    /// `callContent`.
    Call {
        /// The stored script.
        content: Option<Vec<u8>>,
        /// How many inputs it gets.
        inputs: u64,
    },
    /// `readContent`, which may take the content off.
    Read {
        /// The latest stored script.
        content: Option<Vec<u8>>,
    },
    /// `inspectContent`.
    Inspect {
        /// The latest stored script.
        content: Option<Vec<u8>>,
    },
    /// `deleteContent`.
    Delete,
    /// `replaceContent`.
    Replace {
        /// The script as it is given.
        content: Vec<u8>,
        /// Bytes of the stored script that it takes the place of.
        old_bytes: Option<u64>,
    },
}

/// A call of the contract.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The box.
    pub target: Target,
    /// What is done.
    pub method: Method,
    /// Who calls, if known.
    pub caller: Option<[u8; 20]>,
    /// The most SOUL that scripts may charge, in smallest units.
    pub max_payment: u64,
    /// What a block of stored content costs a period, if known.
    pub content_base_fee: Option<u64>,
    /// What a box costs, if known.
    pub box_fee: Option<u64>,
    /// Price units of the script that makes the call, see [`entry_units`].
    pub entry_units: u64,
}

impl Default for Call {
    fn default() -> Call {
        Call {
            target: Target::default(),
            method: Method::Delete,
            caller: None,
            max_payment: 0,
            content_base_fee: None,
            box_fee: None,
            entry_units: 0,
        }
    }
}

/// What a part of a bound is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PartName {
    /// The script of the transaction, which makes the call.
    Entry,
    /// The contract's own work.
    Method,
    /// Checking what is written, and allocating content.
    Check,
    /// The gate, with the scripts inside of it.
    Gate,
    /// The content, with the scripts inside of it.
    Content,
    /// Scripts of boxes that are only known while they run: the contract's limits.
    Limits,
}

/// A part of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// What for.
    pub name: PartName,
    /// How much.
    pub cost: Cost,
}

/// The most that a call takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bound {
    /// All of it.
    pub total: Cost,
    /// What it is made of; SOUL of the whole is at most `maxPayment`, of parts it may be more.
    pub parts: Vec<Part>,
    /// The dearest way through the gate.
    pub gate_way: WorstWay,
    /// The dearest way through the content, if it is known.
    pub content_way: Option<WorstWay>,
    /// Whether scripts run that are only known while they do, so that only the contract's limits bound them.
    pub wide: bool,
    /// What could make the bound narrower, if it were known.
    pub missing: MissingSet,
}

/// Why a call has no bound.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BoundError {
    /// The gate is none that the contract stores.
    #[error("the gate: {0}")]
    Gate(ScriptError),
    /// The content is none that the contract stores.
    #[error("the content: {0}")]
    Content(ScriptError),
}

impl Method {
    pub(super) fn content(&self) -> Option<&[u8]> {
        match self {
            Method::Write { content } | Method::Replace { content, .. } => Some(content),
            Method::ReadAt { content }
            | Method::Call { content, .. }
            | Method::Read { content }
            | Method::Inspect { content } => content.as_deref(),
            Method::Create { .. } | Method::Delete => None,
        }
    }

    pub(super) fn verb(&self) -> i64 {
        match self {
            Method::Create { .. }
            | Method::Write { .. }
            | Method::Delete
            | Method::Replace { .. } => ops::STATE_WRITE,
            Method::ReadAt { .. } | Method::Call { .. } | Method::Read { .. } => ops::STATE_READ,
            Method::Inspect { .. } => ops::STATE_INSPECT,
        }
    }
}

/// Price units of a script that only pushes values and calls contracts, without what it calls.
#[must_use]
pub fn entry_units(script: &[u8]) -> u64 {
    let mut units = 0;
    for instruction in decode(script).map_while(Result::ok) {
        units += u64::from(instruction.op.info().price);
        if let Ok(id) = <[u8; 4]>::try_from(instruction.operand)
            && let Some(call) = Syscall::by_id(id)
        {
            units += u64::from(call.price);
        }
    }
    units
}
