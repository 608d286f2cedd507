//! What the three contracts have stored, read by the table of keys in the documentation and by nothing of the contracts' code.

use std::collections::{BTreeMap, BTreeSet};

use neo_framework::chain::Entries;

use super::model::{ACTORS, CONTENTS, Closed, Entry, HOLDERS, Node, Open, Record};
use super::world::{Cast, Place, Stored};

/// All of it, by subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub supply: i64,
    pub balances: [i64; HOLDERS],
    /// SOUL on the account of the contract that has the SOUL, and the part of it that boxes have.
    pub own: i64,
    pub boxes: i64,
    /// The same of the only box.
    pub chest: i64,
    /// SOUL on the account of the sale.
    pub kept: i64,
    pub written: i64,
    pub register: [Option<Entry>; CONTENTS],
    pub sale: SaleState,
    pub nodes: [Option<Node>; ACTORS],
    /// Number to actor.
    pub numbers: BTreeMap<i64, usize>,
    pub average: i64,
    pub count: i64,
    pub last_number: i64,
    pub changed: i64,
    pub offers: BTreeSet<(usize, usize)>,
    pub open: BTreeMap<(usize, usize), Open>,
    pub tallies: [[i64; 3]; CONTENTS],
    pub queues: [Vec<i64>; 2],
    pub closed: Option<Closed>,
    pub rounds: i64,
    pub last_round: i64,
    pub wait: i64,
    /// The values that never change.
    pub settings: Vec<Vec<u8>>,
}

/// Where the sale stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SaleState {
    pub sold: i64,
    pub opening: i64,
    pub end: i64,
    pub hard_cap: i64,
    pub paused: bool,
    /// By lock-up.
    pub allotted: BTreeMap<i64, i64>,
    pub records: [Record; HOLDERS],
}

/// Reads all storages; the error is an entry that should not be.
pub fn read(cast: &Cast, place: &Place, stored: &Stored) -> Result<Snapshot, String> {
    let [soul, sale, proofs] = stored;
    let mut out = Snapshot::default();
    read_proofs(cast, proofs, &mut out)?;
    read_soul(cast, place, soul, &mut out)?;
    read_sale(cast, sale, &mut out)?;
    Ok(out)
}

fn read_proofs(cast: &Cast, entries: &Entries, out: &mut Snapshot) -> Result<(), String> {
    let mut closed_queues = [Vec::new(), Vec::new()];
    let mut records = 0;
    for (key, value) in entries {
        let bad = || format!("key {key:02x?}, value {value:02x?}");
        let rest = &key[1..];
        match (key[0], rest.len()) {
            (0x01..=0x03, 0) => out.settings.push(value.clone()),
            (0x04, 0) => {
                out.average = bits(value, 0, 32);
                out.count = bits(value, 32, 32);
                out.last_number = bits(value, 64, 32);
                out.changed = bits(value, 96, 48);
            }
            (tag @ 0x05..=0x06, 0) => out.queues[usize::from(tag - 5)] = queue(value),
            (tag @ 0x09..=0x0A, 0) => closed_queues[usize::from(tag - 9)] = queue(value),
            (0x07, 0) => {
                out.rounds = bits(value, 0, 32);
                out.last_round = bits(value, 32, 48);
                out.wait = bits(value, 80, 48);
            }
            (0x08, 0) if value.len() == 37 => {
                out.closed = Some(Closed {
                    draw: bits(value, 0, 32),
                    pot: bits(value, 32, 63),
                    invoker: actor(cast, &value[17..]).ok_or_else(bad)?,
                    queues: Default::default(),
                });
            }
            (0x10, 20) => {
                let who = actor(cast, rest).ok_or_else(bad)?;
                records += 1;
                if value[..33] != *cast.people[who].public_key.as_bytes().as_slice() {
                    return Err(bad());
                }
            }
            (0x11, 20) => {
                out.nodes[actor(cast, rest).ok_or_else(bad)?] = Some(Node {
                    reputation: bits(value, 0, 32),
                    number: bits(value, 32, 32),
                    registered: bits(value, 64, 48),
                });
            }
            (0x12, 5) => {
                let number = bits(rest, 0, 32);
                out.numbers
                    .insert(number, actor(cast, value).ok_or_else(bad)?);
            }
            (0x20, 40) => {
                let (v, p) = (actor(cast, &rest[..20]), actor(cast, &rest[20..]));
                let pair = (v.ok_or_else(bad)?, p.ok_or_else(bad)?);
                out.open.insert(pair, open(cast, value).ok_or_else(bad)?);
            }
            (0x21, 52) => {
                let content = content(cast, &rest[..32]).ok_or_else(bad)?;
                out.offers
                    .insert((content, actor(cast, &rest[32..]).ok_or_else(bad)?));
            }
            (0x30, 32) => {
                let tally = [0, 32, 64].map(|from| bits(value, from, 32));
                out.tallies[content(cast, rest).ok_or_else(bad)?] = tally;
            }
            _ => return Err(bad()),
        }
    }
    match &mut out.closed {
        Some(closed) => closed.queues = closed_queues,
        None if closed_queues.iter().any(|queue| !queue.is_empty()) => {
            return Err("queues of a round that is not closed".to_owned());
        }
        None => {}
    }
    if records != out.nodes.iter().flatten().count() {
        return Err("a node without a record, or a record without a node".to_owned());
    }
    Ok(())
}

fn read_soul(
    cast: &Cast,
    place: &Place,
    entries: &Entries,
    out: &mut Snapshot,
) -> Result<(), String> {
    for (key, value) in entries {
        let bad = || format!("the SOUL side's key {key:02x?}, value {value:02x?}");
        let rest = &key[1..];
        match (key[0], rest.len()) {
            (0x01, 0) => out.supply = signed(value),
            (0x06, 0) => out.boxes = signed(value),
            // What was fixed, and what does not change of a box: how many there are, its owner and gate, name and key.
            (0x02..=0x05 | 0x07..=0x09, 0) => out.settings.push(value.clone()),
            (0x11 | 0x1C, 1) | (0x13, 3) | (0x14, 25) => out.settings.push(value.clone()),
            (0x10, 20) if rest == place.soul.as_bytes().as_slice() => out.own = signed(value),
            (0x10, 20) if rest == place.sale.as_bytes().as_slice() => out.kept = signed(value),
            (0x10, 20) => out.balances[person(cast, rest).ok_or_else(bad)?] = signed(value),
            (0x12, 1) => out.written = signed(value),
            (0x18, 1) => out.chest = signed(value),
            (0x16, 32) if value.len() == 41 => {
                let content = content(cast, rest).ok_or_else(bad)?;
                out.register[content] = Some(Entry {
                    owner: person(cast, &value[21..]).ok_or_else(bad)?,
                    expiry: bits(value, 64, 48),
                    created: bits(value, 112, 48),
                });
            }
            // When somebody last paid the box, and who wrote what.
            (0x19, 21) => {
                person(cast, &rest[1..]).ok_or_else(bad)?;
            }
            (0x21, 1..=3) => {
                let (author, script) = value.split_at_checked(20).ok_or_else(bad)?;
                person(cast, author).ok_or_else(bad)?;
                if script != cast.text {
                    return Err(bad());
                }
            }
            _ => return Err(bad()),
        }
    }
    Ok(())
}

fn read_sale(cast: &Cast, entries: &Entries, out: &mut Snapshot) -> Result<(), String> {
    for (key, value) in entries {
        let bad = || format!("the sale's key {key:02x?}, value {value:02x?}");
        let rest = &key[1..];
        match (key[0], rest.len()) {
            (0x04, 0) => {
                out.sale.sold = bits(value, 0, 63);
                out.sale.opening = bits(value, 64, 48);
                out.sale.end = bits(value, 112, 48);
                out.sale.hard_cap = bits(value, 160, 63);
                out.sale.paused = bits(value, 224, 1) == 1;
            }
            (0x01..=0x03 | 0x05, 0) | (0x10 | 0x11, 1) => out.settings.push(value.clone()),
            (0x12, 1) => {
                let lockup = i64::from(rest[0]);
                out.sale.allotted.insert(lockup, signed(value));
            }
            (0x20, 20) => {
                out.sale.records[person(cast, rest).ok_or_else(bad)?] = Record {
                    tier: bits(value, 0, 8),
                    bought: bits(value, 8, 63),
                    locked: bits(value, 72, 63),
                    unlocked: bits(value, 136, 63),
                    lockup: bits(value, 200, 8),
                };
            }
            _ => return Err(bad()),
        }
    }
    Ok(())
}

fn open(cast: &Cast, value: &[u8]) -> Option<Open> {
    let (root, numbers) = value.split_at_checked(32)?;
    if numbers.len() != 21 {
        return None;
    }
    Some(Open {
        content: content(cast, root)?,
        draw: bits(numbers, 0, 32),
        started: bits(numbers, 32, 48),
        size: bits(numbers, 80, 48),
        block: bits(numbers, 128, 24) - 1,
        loose: bits(numbers, 152, 1) == 1,
        shown: bits(numbers, 153, 1) == 1,
    })
}

fn person(cast: &Cast, account: &[u8]) -> Option<usize> {
    let mut people = cast.people.iter();
    people.position(|who| who.hash.as_bytes().as_slice() == account)
}

/// One who may be a node.
fn actor(cast: &Cast, account: &[u8]) -> Option<usize> {
    person(cast, account).filter(|who| *who < ACTORS)
}

fn content(cast: &Cast, root: &[u8]) -> Option<usize> {
    cast.roots.iter().position(|known| known == root)
}

fn queue(value: &[u8]) -> Vec<i64> {
    let all = (0..9).map(|i| bits(value, i * 31, 31));
    let mut all: Vec<i64> = all.collect();
    while all.last() == Some(&0) {
        all.pop();
    }
    all
}

/// Bits of a little-endian number.
fn bits(value: &[u8], from: usize, count: usize) -> i64 {
    (0..count).fold(0, |sum, i| {
        let at = from + i;
        let byte = value.get(at / 8).copied().unwrap_or(0);
        sum | i64::from(byte >> (at % 8) & 1) << i
    })
}

fn signed(value: &[u8]) -> i64 {
    let fill = if value.last().is_some_and(|byte| byte & 0x80 != 0) {
        0xFF
    } else {
        0
    };
    let mut bytes = [fill; 8];
    for (to, from) in bytes.iter_mut().zip(value) {
        *to = *from;
    }
    i64::from_le_bytes(bytes)
}
