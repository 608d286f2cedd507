//! Thousands of relays of one box, over `wire::relay::Mesh`: how long until all have a message, and how often it is sent.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use phantasma_wire::Hash;
use phantasma_wire::relay::{Mesh, MeshAction, MeshPolicy};
use sha2::{Digest as _, Sha256};

use super::{Findings, delay_ms, percentile};
use crate::torture::random::Random;

/// Each relay opens so many links to others that it found in the DHT; with those that others open it has twice as many.
const OPENED: usize = 4;
/// What a relay needs to check a message and pass it on.
const WORK_MS: u64 = 1;
/// A message every so often, from anywhere.
const EVERY_MS: u64 = 2_000;
/// Messages after which the tree has grown: those after are the steady state.
const GROWING: usize = 20;
/// Relays that die at once, in percent; the others notice nothing but silence.
const DYING_PERCENT: usize = 10;

/// How large and how long.
#[derive(Clone, Debug)]
pub struct Options {
    pub relays: usize,
    pub seed: u64,
    /// Messages before, and after, a tenth of the relays die.
    pub messages: usize,
}

impl Options {
    pub fn new(relays: usize, seed: u64) -> Self {
        Self {
            relays,
            seed,
            messages: 100,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Frame {
    Push(Hash),
    Have(Hash),
    Graft(Hash),
    Prune,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Arrives { from: u32, to: u32, frame: Frame },
    Wake(u32),
}

/// What one message did.
#[derive(Clone, Debug, Default)]
struct Spread {
    reached_ms: Vec<u64>,
    living: usize,
    payloads: u64,
    ids: u64,
    others: u64,
}

struct World {
    options: Options,
    relays: Vec<Mesh>,
    alive: Vec<bool>,
    now_ms: u64,
    events: BinaryHeap<Reverse<(u64, u64, Event)>>,
    sequence: u64,
    spread: Spread,
    started_ms: u64,
    current: Hash,
}

/// Runs it.
pub fn run(options: &Options) -> Findings {
    let mut random = Random::new(options.seed);
    let (mut world, degrees) = World::new(options.clone(), &mut random);
    let mut spreads = Vec::new();
    for n in 0..options.messages {
        spreads.push(world.message(n, &mut random));
    }
    for _ in 0..options.relays * DYING_PERCENT / 100 {
        world.alive[random.below(options.relays)] = false;
    }
    for n in 0..options.messages {
        spreads.push(world.message(options.messages + n, &mut random));
    }
    let mut out = Findings::default();
    out.row(
        "relays, seed",
        format!("{}, {}", options.relays, options.seed),
    );
    out.row("links of a relay: least, mean, most", degrees);
    let (before, after) = spreads.split_at(options.messages);
    let (growing, steady) = before.split_at(GROWING.min(before.len()));
    report(
        &mut out,
        "the first message",
        growing.get(..1).unwrap_or_default(),
    );
    report(&mut out, "steady state", steady);
    let (first, healed) = after.split_at(1.min(after.len()));
    let died = format!("the first after {DYING_PERCENT} % died");
    report(&mut out, &died, first);
    report(&mut out, "after that", healed);
    let total = |f: fn(&Spread) -> u64| steady.iter().map(f).sum::<u64>() as f64;
    let copies = total(|s| s.payloads) / total(|s| s.reached_ms.len() as u64).max(1.0);
    out.bound(
        "whole messages a delivery, steady",
        format!("{copies:.3}"),
        "1.2",
        copies <= 1.2,
    );
    out
}

fn report(out: &mut Findings, name: &str, spreads: &[Spread]) {
    let reached: usize = spreads.iter().map(|s| s.reached_ms.len()).sum();
    let living: usize = spreads.iter().map(|s| s.living).sum();
    out.bound(
        &format!("{name}: relays reached"),
        format!("{reached} of {living}"),
        "all",
        reached == living,
    );
    let mut each: Vec<u64> = spreads.iter().flat_map(|s| s.reached_ms.clone()).collect();
    let mut last: Vec<u64> = spreads
        .iter()
        .filter_map(|s| s.reached_ms.iter().max().copied())
        .collect();
    let of = |values: &mut Vec<u64>, percent| percentile(values, percent);
    out.row(
        &format!("{name}: ms until a relay has it p50, p99; until all have it p50, most"),
        format!(
            "{}, {}; {}, {}",
            of(&mut each, 50),
            of(&mut each, 99),
            of(&mut last, 50),
            of(&mut last, 100)
        ),
    );
    let sum =
        |f: fn(&Spread) -> u64| spreads.iter().map(f).sum::<u64>() as f64 / reached.max(1) as f64;
    out.row(
        &format!("{name}: sent a delivery: whole, ids, prunes and grafts"),
        format!(
            "{:.3}, {:.3}, {:.3}",
            sum(|s| s.payloads),
            sum(|s| s.ids),
            sum(|s| s.others)
        ),
    );
}

impl World {
    fn new(options: Options, random: &mut Random) -> (Self, String) {
        let count = options.relays;
        let mut relays: Vec<Mesh> = (0..count)
            .map(|_| Mesh::new(MeshPolicy::default()))
            .collect();
        let mut pairs = BTreeSet::new();
        for a in 0..count {
            let mut opened = 0;
            // Some are full already.
            for _ in 0..10 * OPENED {
                let b = random.below(count);
                let pair = (a.min(b), a.max(b));
                if opened == OPENED || a == b || pairs.contains(&pair) {
                    continue;
                }
                if relays[b].link_up(a as u64) {
                    if relays[a].link_up(b as u64) {
                        pairs.insert(pair);
                        opened += 1;
                    } else {
                        relays[b].link_down(a as u64);
                    }
                }
            }
        }
        let degrees: Vec<usize> = relays.iter().map(Mesh::links).collect();
        let mean = degrees.iter().sum::<usize>() as f64 / count.max(1) as f64;
        let (least, most) = (degrees.iter().min(), degrees.iter().max());
        let text = format!("{}, {mean:.1}, {}", least.unwrap_or(&0), most.unwrap_or(&0));
        let world = Self {
            alive: vec![true; count],
            options,
            relays,
            now_ms: 0,
            events: BinaryHeap::new(),
            sequence: 0,
            spread: Spread::default(),
            started_ms: 0,
            current: [0; 32],
        };
        (world, text)
    }

    /// Somebody publishes; runs until nothing moves, or the next message's time.
    fn message(&mut self, number: usize, random: &mut Random) -> Spread {
        let living: Vec<u32> = (0..self.relays.len() as u32)
            .filter(|relay| self.alive[*relay as usize])
            .collect();
        let author = random.pick(&living);
        let seed = self.options.seed.to_be_bytes();
        let id = Sha256::digest([&seed[..], &(number as u64).to_be_bytes()].concat());
        (self.current, self.started_ms) = (id.into(), self.now_ms);
        self.spread = Spread {
            living: living.len() - 1,
            ..Spread::default()
        };
        let actions = self.relays[author as usize].publish(self.current);
        self.carry_out(author, actions);
        // The author's own does not count as a delivery.
        self.spread.reached_ms.clear();
        let until_ms = self.now_ms + EVERY_MS;
        while let Some(Reverse((at, _, _))) = self.events.peek() {
            if *at > until_ms {
                break;
            }
            if let Some(Reverse((at, _, event))) = self.events.pop() {
                self.now_ms = at;
                self.happen(event);
            }
        }
        self.now_ms = until_ms;
        std::mem::take(&mut self.spread)
    }

    fn happen(&mut self, event: Event) {
        let relay = match event {
            Event::Arrives { to, .. } | Event::Wake(to) => to,
        };
        if !self.alive[relay as usize] {
            return;
        }
        let mesh = &mut self.relays[relay as usize];
        let mut actions = Vec::new();
        match event {
            Event::Wake(_) => actions = mesh.tick(self.now_ms),
            Event::Arrives { from, frame, .. } => {
                let from = u64::from(from);
                match frame {
                    Frame::Push(id) => actions = mesh.pushed(from, id),
                    Frame::Have(id) => mesh.have(from, id, self.now_ms),
                    Frame::Graft(id) => actions.extend(mesh.graft(from, id)),
                    Frame::Prune => mesh.prune(from),
                }
            }
        }
        if let Some(due_ms) = mesh.due_ms() {
            self.at(due_ms.max(self.now_ms + 1), Event::Wake(relay));
        }
        self.carry_out(relay, actions);
    }

    fn carry_out(&mut self, relay: u32, actions: Vec<MeshAction>) {
        for action in actions {
            let (link, frame) = match action {
                MeshAction::Deliver { id } => {
                    if id == self.current {
                        self.spread.reached_ms.push(self.now_ms - self.started_ms);
                    }
                    continue;
                }
                MeshAction::Push { link, id } => (link, Frame::Push(id)),
                MeshAction::Have { link, id } => (link, Frame::Have(id)),
                MeshAction::Graft { link, id } => (link, Frame::Graft(id)),
                MeshAction::Prune { link } => (link, Frame::Prune),
                MeshAction::Cut { .. } => continue,
            };
            match frame {
                Frame::Push(_) => self.spread.payloads += 1,
                Frame::Have(_) => self.spread.ids += 1,
                Frame::Graft(_) | Frame::Prune => self.spread.others += 1,
            }
            let to = link as u32;
            let at = self.now_ms + WORK_MS + delay_ms(self.options.seed, relay, to);
            self.at(
                at,
                Event::Arrives {
                    from: relay,
                    to,
                    frame,
                },
            );
        }
    }

    fn at(&mut self, at_ms: u64, event: Event) {
        self.sequence += 1;
        self.events.push(Reverse((at_ms, self.sequence, event)));
    }
}
