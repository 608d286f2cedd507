//! The bound of a whole call: the method's own work, the gate, the content, and what they run inside.

use std::collections::BTreeSet;

use neo_opcode::{Syscall, decode};

use super::boxes::{Boxes, MissingSet};
use super::check::{self, Candidate};
use super::cost::{Cost, Fees, box_key, entry_key};
use super::host::{Place, Touches, Walker, replaced};
use super::prices::Price;
use super::script::{Run, WorstWay, analyse};
use super::stack::Facts;
use super::value::Value;
use crate::core::ops;
use crate::validate::{ScriptError, validate};

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

/// The most that a call takes on a chain with these prices and boxes.
///
/// # Errors
/// A script that the contract would refuse.
pub fn call_bound(call: &Call, fees: &Fees, boxes: &dyn Boxes) -> Result<Bound, BoundError> {
    validate(&call.target.gate).map_err(BoundError::Gate)?;
    if let Some(content) = call.method.content() {
        validate(content).map_err(BoundError::Content)?;
    }
    // Contents can be other ones when scripts change them. Which those are is known once all scripts were walked; more
    // can turn up when those are walked again.
    let mut unstable = Some(BTreeSet::new());
    loop {
        let walker = Walker::new(
            super::prices(),
            *fees,
            boxes,
            call.content_base_fee,
            unstable.clone(),
        );
        let mut whole = Whole {
            call,
            walker,
            parts: Vec::new(),
            touches: Touches::default(),
            gate_way: WorstWay::default(),
            content_way: None,
        };
        whole.walk(unstable.as_ref());
        let found = if whole.walker.wide {
            None
        } else {
            whole.touches.unstable()
        };
        if found == unstable || unstable.is_none() {
            return Ok(whole.bound());
        }
        // Only more, so that it ends.
        unstable = match (unstable, found) {
            (Some(old), Some(new)) if !new.is_subset(&old) => Some(&old | &new),
            (Some(_), Some(_)) => return Ok(whole.bound()),
            (_, None) | (None, _) => None,
        };
    }
}

impl Method {
    fn content(&self) -> Option<&[u8]> {
        match self {
            Method::Write { content } | Method::Replace { content, .. } => Some(content),
            Method::ReadAt { content }
            | Method::Call { content, .. }
            | Method::Read { content }
            | Method::Inspect { content } => content.as_deref(),
            Method::Create { .. } | Method::Delete => None,
        }
    }

    fn verb(&self) -> i64 {
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

struct Whole<'a> {
    call: &'a Call,
    walker: Walker<'a>,
    parts: Vec<Part>,
    touches: Touches,
    gate_way: WorstWay,
    content_way: Option<WorstWay>,
}

impl Whole<'_> {
    fn walk(&mut self, unstable: Option<&BTreeSet<u64>>) {
        let prices = self.walker.prices;
        self.add_price(
            PartName::Entry,
            Price {
                units: self.call.entry_units,
                bytes: 0,
            },
        );
        match &self.call.method {
            Method::Create { name_bytes } => self.create(*name_bytes),
            Method::Write { content } => {
                let candidate = check::known(prices, content);
                self.add_price(PartName::Check, candidate.price);
                self.gate(candidate.bytes);
                self.allocates(&candidate);
                let later = self.call.target.contents.is_some_and(|count| count > 0)
                    && self.is_stable(unstable);
                let (first, more) = (prices.write_first, prices.write_later);
                let mut price = Price {
                    units: first.units.max(more.units),
                    bytes: if later { more.bytes } else { first.bytes },
                };
                let (id, contents) = (self.call.target.id, self.call.target.contents);
                let contents = contents.filter(|_| self.is_stable(unstable));
                price.bytes += candidate.bytes + entry_key(id, contents);
                price.bytes += if later { 0 } else { box_key(id) };
                self.add_price(PartName::Method, price);
            }
            Method::ReadAt { content } => {
                self.gate(0);
                // It is loaded before the gate runs.
                self.content(content.as_deref(), 0);
                self.add_price(PartName::Method, prices.read_at);
            }
            Method::Call { content, inputs } => {
                self.gate(0);
                self.content(content.as_deref(), *inputs);
                let mut price = prices.call;
                price.units += inputs * prices.input;
                self.add_price(PartName::Method, price);
            }
            Method::Read { content } => {
                let gate = self.gate(0);
                let known = content.as_deref().filter(|_| self.is_stable(unstable));
                let left = self.content(known, 0);
                self.take(&gate, &left);
            }
            Method::Inspect { content } => {
                self.gate(0);
                let known = content.as_deref().filter(|_| self.is_stable(unstable));
                self.content(known, 0);
                self.add_price(PartName::Method, prices.inspect);
            }
            Method::Delete => {
                self.gate(0);
                self.authors(Some(None));
                self.look_again();
                self.add_price(PartName::Method, prices.delete);
            }
            Method::Replace { content, old_bytes } => {
                let candidate = check::known(prices, content);
                self.add_price(PartName::Check, candidate.price);
                self.gate(candidate.bytes);
                self.allocates(&candidate);
                self.look_again();
                let old = old_bytes.filter(|_| self.is_stable(unstable));
                self.authors(Some(old));
                let mut price = prices.replace;
                price.bytes += replaced(old, candidate.bytes);
                self.add_price(PartName::Method, price);
            }
        }
    }

    /// Whether the box's contents are still those that the caller told of.
    fn is_stable(&self, unstable: Option<&BTreeSet<u64>>) -> bool {
        match (self.call.target.id, unstable) {
            (Some(id), Some(unstable)) => {
                // The method's own look counts as well.
                !unstable.contains(&id) && !self.touches.changes(id)
            }
            (None, Some(_)) => !self.touches.effects,
            (_, None) => false,
        }
    }

    fn create(&mut self, name_bytes: u64) {
        let prices = self.walker.prices;
        let candidate = check::known(prices, &self.call.target.gate);
        // A gate is stored as it is, whatever it starts with.
        let gate = self.call.target.gate.len() as u64;
        self.add_price(
            PartName::Check,
            Price {
                bytes: 0,
                ..candidate.price
            },
        );
        let mut price = prices.create;
        price.units += name_bytes * prices.name_byte.units;
        price.bytes += name_bytes * prices.name_byte.bytes + gate;
        // Two keys and two values have its number.
        price.bytes += 4 * box_key(self.call.target.id);
        self.add_price(PartName::Method, price);
        let fee = self.call.box_fee.map_or(u128::MAX, u128::from);
        self.add(
            PartName::Method,
            Cost {
                soul: fee,
                ..Cost::default()
            },
        );
    }

    fn has_long_gate(&self) -> bool {
        self.call.target.gate.len() as u64 > self.walker.prices.gate_word_bytes
    }

    /// Asking whether the caller is the author of the gate, and of a content of that many bytes.
    fn authors(&mut self, content: Option<Option<u64>>) {
        let limit = self.walker.prices.content_word_bytes;
        let long = content.is_some_and(|bytes| bytes.is_none_or(|bytes| bytes > limit));
        let units =
            self.walker.prices.long_author * (u64::from(long) + u64::from(self.has_long_gate()));
        self.add_price(PartName::Method, Price { units, bytes: 0 });
    }

    fn place(&self, candidate: u64, word_bytes: u64) -> Place {
        let target = &self.call.target;
        Place {
            facts: Facts {
                verb: self.call.method.verb(),
                this: target.id,
                entry: target.id,
                own: target
                    .owner
                    .zip(self.call.caller)
                    .map(|(owner, caller)| owner == caller),
                caller: self.call.caller,
                candidate,
            },
            depth: 0,
            word_bytes,
            long_gate: self.has_long_gate(),
        }
    }

    /// Adds the gate, and gives what it can leave.
    fn gate(&mut self, candidate: u64) -> Value {
        let place = self.place(candidate, self.walker.prices.gate_word_bytes);
        let run = analyse(&mut self.walker, &self.call.target.gate, &place, 0);
        let Run {
            cost,
            way,
            result,
            touches,
        } = run;
        self.add(PartName::Gate, cost);
        self.gate_way = way;
        self.touches.add(&touches);
        result
    }

    /// Adds a content, and gives what it can leave.
    fn content(&mut self, script: Option<&[u8]>, inputs: u64) -> Value {
        let Some(script) = script else {
            self.walker.wide = true;
            let mut any = self.walker.any_script();
            any.soul = u128::MAX;
            self.add(PartName::Content, any);
            return Value::Any;
        };
        let place = self.place(0, self.walker.prices.content_word_bytes);
        let run = analyse(&mut self.walker, script, &place, inputs);
        self.add(PartName::Content, run.cost);
        self.content_way = Some(run.way);
        self.touches.add(&run.touches);
        run.result
    }

    /// `readContent` takes the content off when both scripts let it.
    fn take(&mut self, gate: &Value, left: &Value) {
        let prices = self.walker.prices;
        let own = self.place(0, 0).facts.own;
        let may = (own != Some(false) || gate.can_be_int(2)) && *left != Value::Bool(Some(false));
        self.authors(None);
        let price = if may {
            self.look_again();
            Price {
                units: prices.pull_taken.units.max(prices.pull_kept.units),
                bytes: prices.pull_taken.bytes,
            }
        } else {
            prices.pull_kept
        };
        self.add_price(PartName::Method, price);
    }

    /// The second look at the latest content, if a script may have changed something.
    fn look_again(&mut self) {
        if self.touches.effects || self.walker.wide {
            let units = self.walker.prices.look_again;
            self.add_price(PartName::Method, Price { units, bytes: 0 });
        }
    }

    fn allocates(&mut self, candidate: &Candidate) {
        let soul = self.walker.allocation(candidate.blocks);
        self.add(
            PartName::Check,
            Cost {
                soul,
                ..Cost::default()
            },
        );
    }

    fn add_price(&mut self, name: PartName, price: Price) {
        let cost = self.walker.price(price);
        self.add(name, cost);
    }

    fn add(&mut self, name: PartName, cost: Cost) {
        match self.parts.iter_mut().find(|part| part.name == name) {
            Some(part) => part.cost = part.cost.and(&cost),
            None => self.parts.push(Part { name, cost }),
        }
    }

    fn bound(mut self) -> Bound {
        if self.walker.wide {
            let limits = self.walker.any_nested();
            self.add(PartName::Limits, limits);
        }
        let parts = self.parts.iter();
        let mut total = parts.fold(Cost::default(), |sum, part| sum.and(&part.cost));
        match self.call.method {
            // The fee is not one of a script.
            Method::Create { .. } => {}
            _ => total.soul = total.soul.min(self.call.max_payment.into()),
        }
        Bound {
            total,
            parts: self.parts,
            gate_way: self.gate_way,
            content_way: self.content_way,
            wide: self.walker.wide,
            missing: self.walker.missing,
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
