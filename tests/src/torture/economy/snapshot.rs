//! What both contracts have stored, read by the table of keys in the documentation and by nothing of the contracts' code.

use std::collections::{BTreeMap, BTreeSet};

use neo_framework::chain::Entries;

use super::model::{ACTORS, CONTENTS, Closed, Node, Open};
use super::world::Cast;

/// All of it, by subject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    pub pool: i64,
    pub balances: [i64; ACTORS],
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

/// Reads both storages; the error is an entry that should not be.
pub fn read(cast: &Cast, storage: &[Entries; 2]) -> Result<Snapshot, String> {
    let mut out = Snapshot::default();
    let mut closed_queues = [Vec::new(), Vec::new()];
    let mut records = 0;
    for (key, value) in &storage[0] {
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
                if value[..33] != *cast.actors[who].public_key.as_bytes().as_slice() {
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
    read_bank(cast, &storage[1], &mut out)?;
    Ok(out)
}

fn read_bank(cast: &Cast, entries: &Entries, out: &mut Snapshot) -> Result<(), String> {
    for (key, value) in entries {
        match (key[0], key.len()) {
            (0x01, 1) | (0x16, 33) => {}
            (0x02, 1) => out.pool = signed(value),
            (0x10, 21) => {
                let who = actor(cast, &key[1..]);
                out.balances[who.ok_or_else(|| format!("SOUL of {key:02x?}"))?] = signed(value);
            }
            _ => return Err(format!("the SOUL side's key {key:02x?}")),
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

fn actor(cast: &Cast, account: &[u8]) -> Option<usize> {
    let mut actors = cast.actors.iter();
    actors.position(|actor| actor.hash.as_bytes().as_slice() == account)
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
