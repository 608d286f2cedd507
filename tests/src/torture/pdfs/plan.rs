//! What happens in one run, drawn from its seed.

use std::fmt;

use super::NODES;
use crate::torture::random::Random;

/// What is done to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// Killed, and started again when it is over.
    Kill,
    /// Held, and let go.
    Stop,
    /// It and these others cannot reach the rest, nor the chain, nor the client.
    Cut(Vec<usize>),
    /// No room on its disk.
    Full,
    /// Its clock, or everybody's, is wrong by so many hours.
    Clock { hours: i64, all: bool },
    /// Bits of its segments flip; `running`, or while it is down.
    FlipSegments { bits: usize, running: bool },
    /// Bits of its index flip while it is down.
    FlipIndex { bits: usize },
    /// It is killed and comes back with an empty disk.
    Wipe,
    /// It is killed and does not come back before everything has been made good.
    Gone,
}

/// A fault, when it begins and how long it lasts.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) at_ms: u64,
    pub(super) for_ms: u64,
    pub(super) node: usize,
    pub(super) fault: Fault,
}

/// One run.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) events: Vec<Event>,
    /// Sizes of the contents that are put, and when.
    pub(super) contents: Vec<(usize, u64)>,
    /// A node that lies.
    pub(super) liar: bool,
}

/// Faults begin within so long.
const BEGIN_MS: usize = 2000;

impl Plan {
    pub(super) fn new(random: &mut Random) -> Self {
        let mut nodes: Vec<usize> = (0..NODES).collect();
        let mut events = Vec::new();
        // At most one disk is hurt in a run, so that two holders of each block keep theirs, or one of them and a liar.
        if random.one_in(2) {
            let fault = match random.below(4) {
                0 => Fault::FlipSegments {
                    bits: 1 + random.below(40),
                    running: random.one_in(2),
                },
                1 => Fault::FlipIndex {
                    bits: 1 + random.below(20),
                },
                2 => Fault::Wipe,
                _ => Fault::Gone,
            };
            events.push(Event::new(fault, &mut nodes, random));
        }
        let mut cut = false;
        for _ in 0..1 + random.below(4) {
            let fault = match random.weighted(&[4, 3, 3, 2, 2]) {
                0 => Fault::Kill,
                1 => Fault::Stop,
                2 if !cut => {
                    cut = true;
                    Fault::Cut((0..random.below(3)).map(|_| random.below(NODES)).collect())
                }
                2 => Fault::Kill,
                3 => Fault::Full,
                _ => Fault::Clock {
                    hours: random.pick(&[-9000, -100, -1, 1, 100, 3000, 30_000]),
                    all: random.one_in(3),
                },
            };
            events.push(Event::new(fault, &mut nodes, random));
        }
        events.sort_by_key(|event| event.at_ms);
        let contents = (0..2 + random.below(4))
            .map(|_| (size(random), random.below(BEGIN_MS + 1000) as u64))
            .collect();
        Self {
            events,
            contents,
            liar: random.one_in(4),
        }
    }
}

impl Event {
    /// A fault for one of the nodes to which nothing is done yet.
    fn new(fault: Fault, nodes: &mut Vec<usize>, random: &mut Random) -> Self {
        Self {
            at_ms: random.below(BEGIN_MS) as u64,
            for_ms: 200 + random.below(2500) as u64,
            node: nodes.remove(random.below(nodes.len())),
            fault,
        }
    }
}

fn size(random: &mut Random) -> usize {
    const BLOCK: usize = 256 * 1024;
    match random.below(4) {
        0 => 1 + random.below(3000),
        1 => BLOCK * (1 + random.below(2)),
        _ => 1 + random.below(700_000),
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = self
            .events
            .iter()
            .map(|event| {
                let Event {
                    at_ms,
                    for_ms,
                    node,
                    fault,
                } = event;
                format!("{fault:?} of {node} at {at_ms}+{for_ms} ms")
            })
            .collect();
        if self.liar {
            parts.push("a liar".into());
        }
        f.write_str(&parts.join(", "))
    }
}
