//! The table at the end.

use std::fmt;
use std::time::{Duration, Instant};

use neo_client::Receipt;

use crate::amount;

/// What was measured on the way.
#[derive(Debug, Default)]
pub(super) struct Report {
    facts: Vec<(String, String)>,
    /// What the chain charged for running each call, in datoshi.
    costs: Vec<(String, i64)>,
    times: Vec<(String, Duration)>,
}

impl Report {
    pub(super) fn fact(&mut self, name: &str, value: impl fmt::Display) {
        self.facts.push((name.to_owned(), value.to_string()));
    }

    pub(super) fn cost(&mut self, call: &str, receipt: &Receipt) {
        self.cost_of(call, receipt.gas_consumed);
    }

    pub(super) fn cost_of(&mut self, call: &str, datoshi: i64) {
        self.costs.push((call.to_owned(), datoshi));
    }

    pub(super) fn time(&mut self, name: &str, since: Instant) {
        self.times.push((name.to_owned(), since.elapsed()));
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f)?;
        for (name, value) in &self.facts {
            writeln!(f, "{name:28} {value}")?;
        }
        writeln!(f, "\n{:28} {:>12}", "call", "GAS")?;
        for (call, datoshi) in &self.costs {
            writeln!(f, "{call:28} {:>12}", amount::gas(*datoshi))?;
        }
        writeln!(f, "\n{:28} {:>12}", "time", "seconds")?;
        for (name, time) in &self.times {
            writeln!(f, "{name:28} {:>12.3}", time.as_secs_f64())?;
        }
        Ok(())
    }
}
