//! Instructions that the contract does: payments, storage, and scripts of other boxes.

use std::collections::{BTreeMap, BTreeSet};

use super::boxes::{BoxFacts, Boxes, Lookup, Missing, MissingSet};
use super::check::{self, Candidate, row};
use super::cost::{Cost, Fees, box_key, entry_key, overwritten};
use super::prices::{Price, Prices};
use super::script::{Run, analyse};
use super::stack::{Facts, Stack};
use super::value::Value;
use crate::core::ops;
use crate::script::Step;
use crate::validate::{MAX_INSTRUCTIONS, MAX_SCRIPT_BYTES, validate};

/// The contract's limits of nesting.
const MAX_DEPTH: u64 = 8;
/// Scripts that may run inside of others in one call.
pub(super) const MAX_NESTED: u64 = 64;
/// Longest key that a script keeps a value under.
const MAX_KEY: u64 = 38;
/// Longest value that Neo stores.
const MAX_VALUE: u64 = 65_535;
/// Bytes of a stored script's author.
const AUTHOR: u64 = 20;
/// Most inputs that a content is called with.
const MAX_INPUTS: u64 = 16;

/// Where a script runs.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) facts: Facts,
    /// How many scripts it is inside of.
    pub(super) depth: u64,
    /// Longest script that is run as a number here.
    pub(super) word_bytes: u64,
    /// Whether the box's gate is longer than that.
    pub(super) long_gate: bool,
}

/// Which boxes' contents scripts look at and change.
#[derive(Clone, Debug, Default)]
pub(super) struct Touches {
    /// Box (none: any) → how often its contents are looked at or changed, and how often changed.
    boxes: BTreeMap<Option<u64>, (u64, u64)>,
    /// Whether anything at all is changed.
    pub(super) effects: bool,
}

impl Touches {
    pub(super) fn add(&mut self, other: &Touches) {
        for (id, (looks, changes)) in &other.boxes {
            self.touch(*id, *looks, *changes);
        }
        self.effects |= other.effects;
    }

    fn touch(&mut self, id: Option<u64>, looks: u64, changes: u64) {
        let entry = self.boxes.entry(id).or_default();
        entry.0 = entry.0.saturating_add(looks);
        entry.1 = entry.1.saturating_add(changes);
    }

    /// Whether a box's contents are changed.
    pub(super) fn changes(&self, id: u64) -> bool {
        let changes = |id| self.boxes.get(&id).is_some_and(|(_, changes)| *changes > 0);
        changes(Some(id)) || changes(None)
    }

    /// Boxes whose contents may be other ones when they are looked at again; none for all boxes.
    pub(super) fn unstable(&self) -> Option<BTreeSet<u64>> {
        let (any_looks, any_changes) = self.boxes.get(&None).copied().unwrap_or_default();
        let looks: u64 = self.boxes.values().map(|(looks, _)| looks).sum();
        if any_changes > 0 && looks > 1 {
            return None;
        }
        let known = self
            .boxes
            .iter()
            .filter_map(|(id, touch)| Some(((*id)?, touch)));
        let changing = known.filter(|(_, (looks, changes))| *changes > 0 && looks + any_looks > 1);
        Some(changing.map(|(id, _)| id).collect())
    }
}

/// What one instruction does at most.
#[derive(Default)]
pub(super) struct Done {
    pub(super) cost: Cost,
    pub(super) touches: Touches,
}

/// A script that is stored (whose gate, or which content) and how it runs: the verb, the depth, the bytes that are written, the inputs.
type Key = (u64, Option<u64>, i64, u64, u64, u64);

/// Walks through scripts and those inside of them.
pub(super) struct Walker<'a> {
    pub(super) prices: &'a Prices,
    fees: Fees,
    boxes: &'a dyn Boxes,
    /// Boxes whose contents are not known to be those that the chain has now; none for all.
    unstable: Option<BTreeSet<u64>>,
    content_base_fee: Option<u64>,
    known: BTreeMap<Key, Run>,
    /// Whether a script runs that is not known.
    pub(super) wide: bool,
    pub(super) missing: MissingSet,
}

impl<'a> Walker<'a> {
    pub(super) fn new(
        prices: &'a Prices,
        fees: Fees,
        boxes: &'a dyn Boxes,
        content_base_fee: Option<u64>,
        unstable: Option<BTreeSet<u64>>,
    ) -> Walker<'a> {
        Walker {
            prices,
            fees,
            boxes,
            unstable,
            content_base_fee,
            known: BTreeMap::new(),
            wide: false,
            missing: MissingSet::new(),
        }
    }

    pub(super) fn price(&self, price: Price) -> Cost {
        Cost::of(price, &self.fees)
    }

    /// One instruction that the contract does.
    pub(super) fn host(
        &mut self,
        step: &Step<'_>,
        stack: &Stack,
        place: &Place,
        word: bool,
    ) -> Done {
        let row = row(self.prices, step.instr.byte);
        let mut price = Price {
            units: if word { row.word } else { row.byte },
            bytes: row.bytes,
        };
        let mut done = Done::default();
        let asks = place.facts.verb == ops::STATE_INSPECT;
        match i64::from(step.instr.byte) {
            ops::PAY => {
                let amount = stack.peek(0).limits().1;
                let amount = amount.map_or(u128::MAX, |n| u128::try_from(n).unwrap_or(0));
                if asks || amount == 0 {
                    price = self.prices.pay_asked;
                } else if place.depth > 0 {
                    price = self.prices.pay_by_box;
                    price.units += self.prices.long_author;
                    done.cost.box_soul = amount;
                    done.touches.effects = true;
                } else {
                    done.cost.soul = amount;
                }
                if price.bytes > 0 {
                    // What the box has, and when the caller paid.
                    price.bytes += 2 * box_key(place.facts.this);
                }
            }
            ops::WRITE => {
                let (key, value) = (stack.peek(0).max_bytes(), stack.peek(1).max_bytes());
                price.bytes += key.min(MAX_KEY) + value.min(MAX_VALUE);
                if asks || value == 0 {
                    price.bytes = 0;
                }
                done.touches.effects = !asks;
            }
            ops::INCLUDE | ops::EXCLUDE => {
                let id = stack.peek(0).number().and_then(|id| u64::try_from(id).ok());
                if id.is_none() || id != place.facts.this || place.long_gate {
                    price.units += self.prices.long_author;
                }
                price.bytes = match price.bytes {
                    0 => 0,
                    _ if asks => 0,
                    bytes => bytes + box_key(id),
                };
                done.touches.effects = !asks;
            }
            op @ ops::PUSH..=ops::CALL => return self.visit(op, price, stack, place),
            _ => {}
        }
        done.cost = done.cost.and(&self.price(price));
        done
    }

    /// An instruction that runs scripts of another box.
    fn visit(&mut self, op: i64, mut price: Price, stack: &Stack, place: &Place) -> Done {
        let asks = place.facts.verb == ops::STATE_INSPECT || op == ops::INSPECT;
        let verb = match op {
            _ if asks => ops::STATE_INSPECT,
            ops::PULL | ops::CALL => ops::STATE_READ,
            _ => ops::STATE_WRITE,
        };
        let mut done = Done::default();
        let number = stack.peek(0).number();
        let id = number.and_then(|number| u64::try_from(number).ok());
        if number.is_some() && id.is_none() {
            done.cost = self.price(price);
            return done;
        }
        done.touches
            .touch(id, 1, u64::from(!asks && op != ops::CALL));
        done.touches.effects = !asks && op != ops::CALL;
        let facts = match id.map(|id| self.boxes.facts(id)) {
            Some(Lookup::Found(facts)) => Some(facts),
            Some(Lookup::Absent) => {
                done.cost = self.price(price);
                return done;
            }
            Some(Lookup::Unknown) => {
                self.missing.extend(id.map(Missing::Box));
                None
            }
            None => None,
        };
        let stable = id.is_some_and(|id| self.is_stable(id));
        let candidate =
            matches!(op, ops::PUSH | ops::REPLACE).then(|| self.candidate(&stack.peek(1)));
        let contents = facts
            .as_ref()
            .filter(|_| stable)
            .map(|facts| facts.contents);
        if op == ops::PUSH {
            price.bytes += box_key(id) + entry_key(id, contents);
        }
        if op == ops::PUSH && stable && facts.as_ref().is_some_and(|facts| facts.contents > 0) {
            price.bytes = self.prices.push_later.bytes + entry_key(id, contents);
        }
        if let Some(candidate) = candidate {
            price = self.written(op, price, &candidate, asks, &mut done);
        }
        let inputs = if op == ops::CALL {
            let most = stack
                .peek(2)
                .limits()
                .1
                .and_then(|n| u64::try_from(n.max(0)).ok());
            most.unwrap_or(MAX_INPUTS).min(MAX_INPUTS)
        } else {
            0
        };
        price.units += inputs * self.prices.call_input;
        // Who wrote the gate, and who the content.
        price.units += match op {
            ops::PULL => self.prices.long_author,
            ops::DELETE | ops::REPLACE => 2 * self.prices.long_author,
            _ => 0,
        };
        done.cost = done.cost.and(&self.price(price));
        // One deeper faults.
        if place.depth >= MAX_DEPTH {
            return done;
        }
        let (Some(id), Some(facts)) = (id, facts) else {
            self.wide = true;
            return done;
        };
        let inner = Place {
            facts: Facts {
                verb,
                this: Some(id),
                entry: place.facts.entry,
                own: None,
                caller: None,
                candidate: candidate.map_or(0, |candidate| candidate.bytes),
            },
            depth: place.depth + 1,
            word_bytes: self.prices.gate_word_bytes,
            long_gate: facts.gate.len() as u64 > self.prices.gate_word_bytes,
        };
        let gate = self.stored(&facts.gate, (id, None), &inner, 0);
        self.nest(&mut done, &gate);
        if matches!(op, ops::PULL | ops::INSPECT | ops::CALL) {
            self.content(op, id, &facts, stack, &inner, inputs, &mut done);
        }
        // What has changed meanwhile is looked at again.
        if matches!(op, ops::PULL | ops::DELETE | ops::REPLACE) && !asks {
            let again = Price {
                units: self.prices.look_again,
                bytes: 0,
            };
            done.cost = done.cost.and(&self.price(again));
        }
        done
    }

    /// The content that an instruction runs.
    fn content(
        &mut self,
        op: i64,
        id: u64,
        facts: &BoxFacts,
        stack: &Stack,
        gate: &Place,
        inputs: u64,
        done: &mut Done,
    ) {
        let index = if op == ops::CALL {
            stack
                .peek(1)
                .number()
                .map(|n| u64::try_from(n).unwrap_or(u64::MAX))
        } else {
            Some(facts.contents.wrapping_sub(1))
        };
        let (Some(index), true) = (index, self.is_stable(id)) else {
            self.wide = true;
            return;
        };
        match self.boxes.content(id, index) {
            Lookup::Found(script) => {
                let place = Place {
                    word_bytes: self.prices.content_word_bytes,
                    ..gate.clone()
                };
                let run = self.stored(&script, (id, Some(index)), &place, inputs);
                self.nest(done, &run);
            }
            Lookup::Absent => {}
            Lookup::Unknown => {
                self.missing.insert(Missing::Content(id, index));
                self.wide = true;
            }
        }
    }

    fn nest(&self, done: &mut Done, run: &Run) {
        let one = Cost {
            nested: 1,
            ..Cost::default()
        };
        done.cost = done.cost.and(&run.cost).and(&one);
        done.touches.add(&run.touches);
    }

    /// A script of the chain; each is analysed once for each verb and depth.
    fn stored(
        &mut self,
        script: &[u8],
        which: (u64, Option<u64>),
        place: &Place,
        inputs: u64,
    ) -> Run {
        let facts = &place.facts;
        let key = (
            which.0,
            which.1,
            facts.verb,
            place.depth,
            facts.candidate,
            inputs,
        );
        if let Some(run) = self.known.get(&key) {
            return run.clone();
        }
        let run = analyse(self, script, place, inputs);
        self.known.insert(key, run.clone());
        run
    }

    /// Whether a box's contents are those that the chain has now.
    pub(super) fn is_stable(&self, id: u64) -> bool {
        self.unstable
            .as_ref()
            .is_some_and(|unstable| !unstable.contains(&id))
    }

    fn candidate(&self, value: &Value) -> Candidate {
        match value {
            Value::Data(script) if validate(script).is_ok() => check::known(self.prices, script),
            other => check::unknown(self.prices, other.max_bytes().min(MAX_SCRIPT_BYTES as u64)),
        }
    }

    /// The price of an instruction that writes a content.
    fn written(
        &self,
        op: i64,
        mut price: Price,
        candidate: &Candidate,
        asks: bool,
        done: &mut Done,
    ) -> Price {
        price.units += candidate.price.units;
        price.bytes += candidate.price.bytes;
        price.bytes += if op == ops::REPLACE {
            replaced(None, candidate.bytes)
        } else {
            candidate.bytes
        };
        if asks {
            price.bytes = 0;
        } else {
            done.cost.box_soul = self.allocation(candidate.blocks);
        }
        price
    }

    /// The fee of an `ALLOC` of so many blocks: 12 periods at priority 1.
    pub(super) fn allocation(&self, blocks: u64) -> u128 {
        if blocks == 0 {
            return 0;
        }
        let fee = self.content_base_fee.map(u128::from);
        fee.map_or(u128::MAX, |fee| {
            fee.saturating_mul(blocks.into()).saturating_mul(12 * 2)
        })
    }

    /// The most that any one script takes without those inside of it.
    pub(super) fn any_script(&self) -> Cost {
        let written = check::unknown(self.prices, MAX_SCRIPT_BYTES as u64).price;
        let rows = self.prices.rows.iter();
        let units = rows
            .clone()
            .map(|row| row.word.max(row.byte))
            .max()
            .unwrap_or(0);
        let bytes = rows.map(|row| row.bytes).max().unwrap_or(0) + MAX_VALUE + 64;
        let each = Price {
            units: units.max(self.prices.pay_by_box.units)
                + written.units
                + self.prices.look_again
                + 2 * (self.prices.long_author + self.prices.to_bytes),
            bytes: bytes + written.bytes,
        };
        let around = Price {
            units: self.prices.start.word.max(self.prices.start.byte)
                + (MAX_INSTRUCTIONS as u64 + MAX_INPUTS) * self.prices.leftover,
            bytes: 0,
        };
        let mut one = self.price(each);
        one.steps = 1;
        one.times(MAX_INSTRUCTIONS as u64).and(&self.price(around))
    }

    /// The most that all scripts inside of others take in one call.
    pub(super) fn any_nested(&self) -> Cost {
        let mut all = self.any_script().times(MAX_NESTED);
        all.nested = MAX_NESTED;
        all.box_soul = u128::MAX;
        all
    }
}

/// Bytes that a content's script takes over an older one; of unknown length if there is none.
pub(super) fn replaced(old: Option<u64>, new: u64) -> u64 {
    match old {
        Some(old) => overwritten(old + AUTHOR, new + AUTHOR),
        // The shorter the old one, the dearer, and one byte is the shortest.
        None => overwritten(1 + AUTHOR, new + AUTHOR).max(overwritten(new + AUTHOR, new + AUTHOR)),
    }
}
