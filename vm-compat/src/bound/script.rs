//! The worst way through one script. Jumps go forward only, so one pass from the start finds what can be on the stack at
//! each instruction, and one from the end the dearest way on.

use super::check::row;
use super::cost::Cost;
use super::host::{Place, Touches, Walker};
use super::prices::{Modes, Price};
use super::stack::Stack;
use super::value::Value;
use crate::core::ops;
use crate::script::{Step, steps};
use crate::table::{Flow, Operand};

/// A branch on the dearest way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Where the `JMPIFNOT` is, in bytes from the script's start.
    pub position: usize,
    /// Whether it jumps.
    pub jumps: bool,
}

/// The way through a script that takes most GAS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorstWay {
    /// The branches on it whose condition is not known beforehand.
    pub turns: Vec<Turn>,
    /// Where its last instruction is.
    pub end: usize,
}

/// What a script can do at most.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) cost: Cost,
    pub(super) way: WorstWay,
    /// What it can leave.
    pub(super) result: Value,
    pub(super) touches: Touches,
}

/// Where an instruction can go on.
struct Edge {
    /// Index of the next instruction; none at the script's end.
    to: Option<usize>,
    /// What going there takes.
    price: u64,
    turn: Option<bool>,
}

struct Node {
    cost: Cost,
    edges: Vec<Edge>,
}

/// Analyses a valid script that starts with so many unknown items.
pub(super) fn analyse(walker: &mut Walker<'_>, script: &[u8], place: &Place, inputs: u64) -> Run {
    let all: Vec<Step<'_>> = steps(script).map_while(Result::ok).collect();
    let mut states: Vec<Option<Stack>> = vec![None; all.len()];
    if let Some(first) = states.first_mut() {
        *first = Some(Stack::of(inputs));
    }
    let mut scan = Scan {
        walker,
        place,
        all: &all,
        is_word: script.len() as u64 <= place.word_bytes,
        states,
        nodes: Vec::new(),
        result: None,
        touches: Touches::default(),
    };
    for at in 0..all.len() {
        let node = scan.node(at);
        scan.nodes.push(node);
    }
    scan.finish()
}

struct Scan<'w, 'c, 's> {
    walker: &'w mut Walker<'c>,
    place: &'w Place,
    all: &'s [Step<'s>],
    is_word: bool,
    states: Vec<Option<Stack>>,
    nodes: Vec<Option<Node>>,
    result: Option<Value>,
    touches: Touches,
}

impl Scan<'_, '_, '_> {
    fn mode(&self, modes: Modes) -> u64 {
        if self.is_word { modes.word } else { modes.byte }
    }

    /// What an instruction takes and where it goes on; none if nothing leads to it.
    fn node(&mut self, at: usize) -> Option<Node> {
        let step = self.all.get(at)?;
        let before = self.states.get_mut(at)?.take()?;
        let mut after = before.clone();
        after.apply(step, &self.place.facts);
        let conversions = before.conversions(step.instr.byte.into());
        let units = self.units(step) + conversions * self.walker.prices.to_bytes;
        let mut edges = Vec::new();
        let mut cost = self.walker.price(Price { units, bytes: 0 });
        cost.steps = 1;
        match step.instr.flow {
            Flow::Next => {
                if step.instr.host {
                    let done = self.walker.host(step, &before, self.place, self.is_word);
                    cost = cost.and(&done.cost);
                    self.touches.add(&done.touches);
                }
                self.go(at + 1, &after, 0, None, &mut edges);
            }
            Flow::Jump => {
                let target = self.target(step);
                self.go(target, &after, 0, None, &mut edges);
            }
            Flow::Branch => {
                let known = before.peek(0).truth();
                let taken = self.mode(self.walker.prices.jump_taken);
                cost = self.walker.price(Price::default());
                cost.steps = 1;
                let turn = |jumps| known.is_none().then_some(jumps);
                if known != Some(false) {
                    self.go(at + 1, &after, units, turn(false), &mut edges);
                }
                if known != Some(true) {
                    let target = self.target(step);
                    self.go(target, &after, taken, turn(true), &mut edges);
                }
            }
            Flow::Stop => {
                let end = self.ending(&after);
                edges.push(Edge {
                    to: None,
                    price: end,
                    turn: None,
                });
            }
            Flow::Fault => edges.push(Edge {
                to: None,
                price: 0,
                turn: None,
            }),
        }
        Some(Node { cost, edges })
    }

    fn units(&self, step: &Step<'_>) -> u64 {
        if let (Operand::State, [state]) = (step.instr.operand, step.operand)
            && let Some(modes) = self.walker.prices.states.get(usize::from(*state))
        {
            let own = i64::from(*state) == ops::STATE_OWN && self.place.long_gate;
            return self.mode(*modes)
                + if own {
                    self.walker.prices.long_author
                } else {
                    0
                };
        }
        // What the contract does is priced with what it acts on.
        if step.instr.host {
            return 0;
        }
        let row = row(self.walker.prices, step.instr.byte);
        self.mode(Modes {
            word: row.word,
            byte: row.byte,
        })
    }

    fn target(&self, step: &Step<'_>) -> usize {
        let position = step
            .target()
            .and_then(|target| usize::try_from(target).ok());
        let at = position.map(|position| self.all.partition_point(|s| s.position < position));
        at.unwrap_or(self.all.len())
    }

    /// An edge to an instruction, or past the last one, which ends the script.
    fn go(
        &mut self,
        to: usize,
        stack: &Stack,
        price: u64,
        turn: Option<bool>,
        edges: &mut Vec<Edge>,
    ) {
        let Some(state) = self.states.get_mut(to) else {
            let end = self.mode(self.walker.prices.end) + self.ending(stack);
            edges.push(Edge {
                to: None,
                price: price + end,
                turn,
            });
            return;
        };
        *state = Some(match state.take() {
            Some(old) => old.or(stack),
            None => stack.clone(),
        });
        edges.push(Edge {
            to: Some(to),
            price,
            turn,
        });
    }

    /// What leaving this stack takes.
    fn ending(&mut self, stack: &Stack) -> u64 {
        let value = stack.peek(0);
        self.result = Some(match self.result.take() {
            Some(old) => old.or(&value),
            None => value,
        });
        stack.most.saturating_sub(1) * self.walker.prices.leftover
    }

    fn finish(self) -> Run {
        let mut worst: Vec<Cost> = vec![Cost::default(); self.all.len()];
        let mut next: Vec<Option<usize>> = vec![None; self.all.len()];
        for (at, node) in self.nodes.iter().enumerate().rev() {
            let Some(node) = node else { continue };
            let mut onward: Option<(Cost, usize)> = None;
            for (choice, edge) in node.edges.iter().enumerate() {
                let rest = edge
                    .to
                    .and_then(|to| worst.get(to))
                    .copied()
                    .unwrap_or_default();
                let price = Price {
                    units: edge.price,
                    bytes: 0,
                };
                let cost = self.walker.price(price).and(&rest);
                onward = Some(match onward {
                    Some((old, chosen)) if old.gas_pico >= cost.gas_pico => (old.or(&cost), chosen),
                    Some((old, _)) => (old.or(&cost), choice),
                    None => (cost, choice),
                });
            }
            if let (Some((cost, choice)), Some(worst), Some(next)) =
                (onward, worst.get_mut(at), next.get_mut(at))
            {
                *worst = node.cost.and(&cost);
                *next = Some(choice);
            }
        }
        let start = self.walker.price(Price {
            units: self.mode(self.walker.prices.start),
            bytes: 0,
        });
        Run {
            cost: worst.first().copied().unwrap_or_default().and(&start),
            way: self.way(&next),
            result: self.result.unwrap_or(Value::Any),
            touches: self.touches,
        }
    }

    fn way(&self, next: &[Option<usize>]) -> WorstWay {
        let mut way = WorstWay::default();
        let mut at = Some(0);
        while let Some(here) = at
            && let (Some(step), Some(Some(node))) = (self.all.get(here), self.nodes.get(here))
        {
            way.end = step.position;
            let choice = next.get(here).copied().flatten();
            let edge = choice.and_then(|choice| node.edges.get(choice));
            if let Some(jumps) = edge.and_then(|edge| edge.turn) {
                way.turns.push(Turn {
                    position: step.position,
                    jumps,
                });
            }
            at = edge.and_then(|edge| edge.to);
        }
        way
    }
}
