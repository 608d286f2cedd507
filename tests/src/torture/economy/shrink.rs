//! Cuts a failing sequence down to the steps that the failure needs.

use super::invariants::{Invariant, Violation};
use super::replay;
use super::steps::Step;
use super::world::Cast;

/// How often a sequence is run again at most.
const MOST_RUNS: usize = 1500;

/// The failure in words, with a short sequence that leads to it.
pub(super) fn told(cast: &Cast, seed: u64, steps: &[Step], violation: &Violation) -> String {
    let short = shortened(cast, seed, steps.to_vec(), violation.invariant);
    let detail = match replay(cast, seed, &short) {
        Err((_, found)) => found.detail,
        Ok(()) => violation.detail.clone(),
    };
    let mut out = format!(
        "\"{}\" does not hold: {detail}\n{} of {} steps lead there (settings and nonces of {seed}):",
        violation.invariant.text(),
        short.len(),
        steps.len()
    );
    for step in short {
        out += &format!("\n  {step:?}");
    }
    out
}

/// Leaves out ever smaller parts, as long as the same invariant breaks at the end.
fn shortened(cast: &Cast, seed: u64, mut steps: Vec<Step>, broken: Invariant) -> Vec<Step> {
    let mut part = steps.len() / 2;
    let mut runs = 0;
    while part > 0 {
        let mut from = 0;
        let mut cut_some = false;
        while from < steps.len() && runs < MOST_RUNS {
            let to = (from + part).min(steps.len());
            let tried = [&steps[..from], &steps[to..]].concat();
            runs += 1;
            match replay(cast, seed, &tried) {
                Err((at, found)) if found.invariant == broken => {
                    steps = tried;
                    steps.truncate(at + 1);
                    cut_some = true;
                }
                Err(_) | Ok(()) => from = to,
            }
        }
        if !cut_some || part > 1 {
            part /= 2;
        }
    }
    steps
}
