//! What the chain's state makes possible, whatever was tried before.

use super::{Account, Call, Policy, Round, Standing, View};

/// The calls that the contract would take now, except challenges, each with how long others are left to make it first.
pub(super) fn possible(
    me: &Account,
    policy: &Policy,
    standing: &Standing,
    view: &View,
) -> Vec<(Call, u64)> {
    let mut calls = challenges(me, policy, view);
    for held in &view.contents {
        let content = held.content;
        match (held.whole && view.now_ms < held.expiry_ms, held.offered) {
            (true, false) => calls.push((Call::Offer { content }, 0)),
            // Nobody can be asked for what has expired: to retract it would cost for nothing.
            (false, true) if !held.whole => calls.push((Call::Retract { content }, 0)),
            (true, true) | (false, _) => {}
        }
    }
    if let Some(place) = turn(standing.number, &view.round, view.now_ms) {
        calls.push((Call::Obtain, place.saturating_mul(policy.grace_ms)));
    }
    calls
}

fn challenges(me: &Account, policy: &Policy, view: &View) -> Vec<(Call, u64)> {
    let mut calls = Vec::new();
    for challenge in &view.open {
        let (validator, prover) = (challenge.validator, challenge.prover);
        let end_ms = challenge.started_ms.saturating_add(policy.deadline_ms);
        let in_time = view.now_ms.saturating_add(policy.margin_ms) < end_ms;
        if challenge.shown {
            // Both gain by it; the validator is the first to see to it.
            let delay_ms = if validator == *me { 0 } else { policy.grace_ms };
            if validator == *me || prover == *me {
                calls.push((Call::Accept { validator, prover }, delay_ms));
            }
        } else if prover == *me && challenge.drawn && in_time {
            calls.push((Call::Show { validator }, 0));
        } else if validator == *me && view.now_ms >= end_ms {
            calls.push((Call::Fail { prover }, 0));
        }
    }
    calls
}

/// This node's place among those who can win the round and so should see to it; None when nothing can be done, or it
/// is not among them. Everybody sees the same order, so that the first one pays and the others do not pay for nothing.
fn turn(number: u64, round: &Round, now_ms: u64) -> Option<u64> {
    let (validators, provers) = match round.closed {
        Some(true) => (&round.closed_validators, &round.closed_provers),
        Some(false) => return None,
        None => {
            let few = round.validators.len().min(round.provers.len()) < round.minimum.max(1);
            if few || now_ms < round.next_ms || round.pot == 0 {
                return None;
            }
            (&round.validators, &round.provers)
        }
    };
    let mut all: Vec<u64> = validators.iter().chain(provers).copied().collect();
    all.sort_unstable();
    all.dedup();
    let place = all.iter().position(|waiting| *waiting == number)?;
    u64::try_from(place).ok()
}

/// Whom this node could ask for what. The rule that needs no average is tried, too: whether it holds now only the
/// contract knows, and a test run costs nothing.
pub(super) fn startable(me: &Account, standing: &Standing, view: &View) -> Vec<Call> {
    let may = |reputation: u64| {
        let roles = standing.reputation > standing.average && reputation <= standing.average;
        roles || standing.reputation >= reputation
    };
    let asked = |prover: &Account| {
        let mut open = view.open.iter();
        open.any(|open| open.validator == *me && open.prover == *prover)
    };
    let mut calls = Vec::new();
    for held in view.contents.iter().filter(|h| view.now_ms < h.expiry_ms) {
        for prover in &held.provers {
            if prover.account != *me && may(prover.reputation) && !asked(&prover.account) {
                calls.push(Call::Start {
                    prover: prover.account,
                    content: held.content,
                });
            }
        }
    }
    calls
}
