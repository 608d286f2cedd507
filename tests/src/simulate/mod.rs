//! Networks of thousands of nodes in one process, with a time of their own: `torture simulate-pdfs`,
//! `torture simulate-relays`.
//!
//! What decides is the code that programs run, the pure state machines of `wire`; what is made up here is the world around
//! it: delays, failures, and the routing of libp2p's Kademlia. A run is repeated by its seed.

pub mod flood;
pub mod kademlia;
pub mod pdfs;
pub mod relays;
mod routing;
#[cfg(test)]
mod tests;

use crate::torture::random::Random;

/// Nodes when none are asked for.
pub const NODES: usize = 2_000;

/// What a run found: a table, and what in it misses its bound.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    pub rows: Vec<(String, String)>,
    pub missed: Vec<String>,
}

impl Findings {
    fn row(&mut self, name: &str, value: impl ToString) {
        self.rows.push((name.to_owned(), value.to_string()));
    }

    /// A row with a bound; `held` says whether it is kept.
    fn bound(&mut self, name: &str, value: impl ToString, bound: &str, held: bool) {
        let verdict = if held { "met" } else { "MISSED" };
        let value = value.to_string();
        if !held {
            self.missed.push(format!("{name}: {value}, bound {bound}"));
        }
        self.row(name, format!("{value} (bound {bound}: {verdict})"));
    }

    /// The table for people.
    pub fn text(&self) -> String {
        let width = self.rows.iter().map(|(name, _)| name.chars().count()).max();
        let width = width.unwrap_or(0);
        let lines = self.rows.iter().map(|(name, value)| {
            let padding = " ".repeat(width - name.chars().count());
            format!("{name}{padding}  {value}")
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// Of values, the one that `percent` percent are not above; 0 of none.
fn percentile<T: Ord + Copy + Default>(values: &mut [T], percent: usize) -> T {
    values.sort_unstable();
    let at = (values.len() * percent).div_ceil(100).saturating_sub(1);
    values.get(at).copied().unwrap_or_default()
}

/// One way from a node to another, in milliseconds, always the same: 5 to 124, as on one continent and over an ocean.
fn delay_ms(seed: u64, a: u32, b: u32) -> u64 {
    let (low, high) = (u64::from(a.min(b)), u64::from(a.max(b)));
    5 + Random::new(seed ^ (low << 32 | high)).next_u64() % 120
}

/// A time around a mean, between 0 and twice it.
fn around_ms(random: &mut Random, mean_ms: u64) -> u64 {
    random.next_u64() % (2 * mean_ms + 1)
}
