//! Whether a box takes what somebody writes, and what it asks for it: its gate, run by the contract's own code over a
//! part of the chain's storage.
//!
//! The part grows by need: [`admission`] says which entries it lacks, the caller gets them and asks again. A gate that
//! looks at nothing but its box needs two or three.

use std::collections::BTreeMap;
use std::fmt;

use neo_client::Hash160;
use neo_framework::chain::{Chain, Outcome};
use neo_framework::{Bytes, Int, int};
use phantasma_contract::{keys, methods, visit};
use phantasma_vm::core::{item, ops};
use phantasma_vm::{data_script, steps, validate};

use super::native_hash;

/// What the contract says of a payment that nobody has agreed to.
const ABOVE_MAX: &str = "PAY: above maxPayment";

/// More SOUL than there can be, in its smallest unit.
const RICH: i64 = i64::MAX / 4;

/// What a box says to somebody who wants to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// It takes it, for nothing.
    Free,
    /// It takes it for a payment, which needs a transaction that the writer signs.
    Priced {
        /// In the smallest unit of SOUL.
        price: u64,
        /// Whether who has paid may write again for nothing, for ever or for some time. If not, each write costs it.
        lasting: bool,
    },
    /// It does not take it, and a payment changes nothing.
    Refused {
        /// The contract's words.
        reason: String,
    },
}

impl fmt::Display for Admission {
    /// A sentence for people who would write a message.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (price, lasting) = match self {
            Self::Free => return f.write_str("the gate lets this author write"),
            Self::Refused { reason } => return write!(f, "the gate refuses this author: {reason}"),
            Self::Priced { price, lasting } => (*price, *lasting),
        };
        let (for_what, then) = match lasting {
            true => ("", ", after which messages pass"),
            false => (" for each content", ""),
        };
        write!(
            f,
            "the gate asks {} SOUL{for_what}, which a message cannot pay: write in a transaction of your own, \
             writeContent with maxPayment {price}{then}",
            soul(price)
        )
    }
}

/// In whole SOUL, without zeros at the end.
fn soul(units: u64) -> String {
    const ONE: u64 = 100_000_000;
    let text = format!("{}.{:08}", units / ONE, units % ONE);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Who writes what where, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Write<'a> {
    pub contract: Hash160,
    pub network: u32,
    pub box_id: u64,
    pub author: Hash160,
    /// As it is in a message or transaction. What is no script counts as data.
    pub content: &'a [u8],
    /// Of the block that would take it, Unix milliseconds.
    pub time_ms: u64,
}

/// Entries of the contract's storage that are known; what is known to be absent is None.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    entries: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    bytes: usize,
}

/// What is asked, or what is missing to answer it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    Answer(Admission),
    /// Keys of the contract's storage.
    Missing(Vec<Vec<u8>>),
}

/// How long an answer holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holds {
    /// For everybody, until an event of the box.
    ForAll,
    /// For this author whatever is written, until an event of the box.
    ForAuthor,
    /// The gate looks at clock, content, other boxes, or values that change without an event.
    Now,
}

impl Facts {
    /// Takes note of an entry.
    pub fn know(&mut self, key: Vec<u8>, value: Option<Vec<u8>>) {
        let size = |value: &Option<Vec<u8>>| value.as_ref().map_or(0, Vec::len);
        self.bytes += key.len() + size(&value);
        let key_len = key.len();
        if let Some(before) = self.entries.insert(key, value) {
            self.bytes -= key_len + size(&before);
        }
    }

    /// Entries that are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bytes of keys and values.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How long answers about a box hold, by its gate.
    #[must_use]
    pub fn hold(&self, box_id: u64) -> Holds {
        let stored = self.entries.get(&box_key(box_id)).cloned().flatten();
        let gate = stored.unwrap_or_default();
        let gate = gate.get(item::AUTHOR as usize..).unwrap_or_default();
        let holds = steps(gate).map(|step| match step {
            Ok(step) => looked_at(i64::from(step.instr.byte), step.operand),
            Err(_) => Holds::Now,
        });
        holds.max().unwrap_or(Holds::ForAll)
    }
}

/// The key of a box's owner and gate: every answer about it needs that entry.
#[must_use]
pub fn box_key(box_id: u64) -> Vec<u8> {
    let id = i64::try_from(box_id).unwrap_or(i64::MAX);
    keys::box_record(int(id)).as_slice().to_vec()
}

/// How long an answer holds that depends on this instruction of a gate.
fn looked_at(op: i64, operand: &[u8]) -> Holds {
    match (op, operand.first().copied().map(i64::from)) {
        (ops::STATE, Some(ops::STATE_OWN | ops::STATE_MEMBER | ops::STATE_CALLER)) => {
            Holds::ForAuthor
        }
        (ops::STATE, Some(ops::STATE_TIMESTAMP | ops::STATE_CONSENSUS | ops::STATE_CONTENT)) => {
            Holds::Now
        }
        (ops::STATE, _) => Holds::ForAll,
        // They give or take, and what follows from that comes as an event of the box.
        (ops::PAY | ops::INCLUDE | ops::EXCLUDE, _) => Holds::ForAuthor,
        (op, _) if op >= ops::BALANCE => Holds::Now,
        _ => Holds::ForAll,
    }
}

/// What the box says. A gate that draws random numbers may say something else in a block.
#[must_use]
pub fn admission(facts: &Facts, write: &Write<'_>) -> Asked {
    let trial = Trial::new(facts, write);
    let unpaid = trial.ask(0);
    if let Some(missing) = trial.missing() {
        return Asked::Missing(missing);
    }
    let reason = match unpaid {
        Said::Passed { .. } => return Asked::Answer(Admission::Free),
        Said::Refused(reason) => reason,
    };
    if !reason.contains(ABOVE_MAX) {
        return Asked::Answer(Admission::Refused { reason });
    }
    trial.make_rich();
    let paid = trial.ask(RICH);
    if let Some(missing) = trial.missing() {
        return Asked::Missing(missing);
    }
    let price = match paid {
        Said::Passed { paid } => paid,
        Said::Refused(reason) => return Asked::Answer(Admission::Refused { reason }),
    };
    let again = trial.ask(0);
    match trial.missing() {
        Some(missing) => Asked::Missing(missing),
        None => Asked::Answer(Admission::Priced {
            price,
            lasting: matches!(again, Said::Passed { .. }),
        }),
    }
}

/// A chain that has what is known, and changes with each time that the gate is asked.
struct Trial<'a> {
    chain: Chain,
    contract: neo_framework::Hash160,
    facts: &'a Facts,
    write: &'a Write<'a>,
    candidate: Bytes,
}

enum Said {
    Passed { paid: u64 },
    Refused(String),
}

impl<'a> Trial<'a> {
    fn new(facts: &'a Facts, write: &'a Write<'a>) -> Self {
        let (chain, contract) = (Chain::new(), native_hash(&write.contract));
        chain.register(&contract, methods::CONTRACT);
        chain.set_network(write.network);
        chain.set_time(int(i64::try_from(write.time_ms).unwrap_or(i64::MAX)));
        for (key, value) in &facts.entries {
            if let Some(value) = value {
                chain.set_storage(&contract, key, Some(value));
            }
        }
        Self {
            chain,
            contract,
            facts,
            write,
            candidate: Bytes::from(candidate(write.content).as_slice()),
        }
    }

    /// The author has what no gate can ask for.
    fn make_rich(&self) {
        let key = keys::balance(&native_hash(&self.write.author));
        let much = int(RICH).to_bytes();
        let (key, much) = (key.as_slice(), much.as_slice());
        self.chain.set_storage(&self.contract, key, Some(much));
    }

    /// What the gate says to a writer who pays up to `most`.
    fn ask(&self, most: i64) -> Said {
        let (author, candidate) = (native_hash(&self.write.author), &self.candidate);
        let id = int(i64::try_from(self.write.box_id).unwrap_or(i64::MAX));
        let outcome = self.chain.run_as(&[], &self.contract, || {
            let verb = int(ops::STATE_WRITE);
            let mut visit = visit::enter(&author, id, verb, candidate, int(most), false);
            match visit::ask(&mut visit) == visit::REFUSED {
                true => int(-1),
                false => int(most) - visit.left,
            }
        });
        said(&outcome)
    }

    /// Keys that the last run looked for and that nobody knows anything of.
    fn missing(&self) -> Option<Vec<Vec<u8>>> {
        let known = |key: &Vec<u8>| self.facts.entries.contains_key(key);
        let absent = self.chain.absent_reads(&self.contract).into_iter();
        let missing: Vec<_> = absent.filter(|key| !known(key)).collect();
        (!missing.is_empty()).then_some(missing)
    }
}

fn said(outcome: &Outcome) -> Said {
    if let Some(exception) = &outcome.exception {
        return Said::Refused(exception.clone());
    }
    let left = outcome
        .stack
        .first()
        .and_then(|item| item.to_integer().ok());
    match left.and_then(Int::to_i64).map(u64::try_from) {
        Some(Ok(paid)) => Said::Passed { paid },
        Some(Err(_)) | None => Said::Refused("the gate refuses".to_owned()),
    }
}

/// The script that the gate sees.
fn candidate(content: &[u8]) -> Vec<u8> {
    match validate(content) {
        Ok(()) => content.to_vec(),
        Err(_) => data_script(content).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests;
