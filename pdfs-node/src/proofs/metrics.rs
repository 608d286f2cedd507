//! Counters of proofs for `/metrics`.

use phantasma_wire::proof::{Call, Standing};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// What was called, and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CallLabels {
    call: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct ProofMetrics {
    calls: Family<CallLabels, Counter>,
    failed_rounds: Counter,
    spent: Gauge,
    reputation: Gauge,
    average: Gauge,
}

impl ProofMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let calls = "Calls of the contract of proofs that ended, or were not made";
        registry.register("proof_calls", calls, self.calls.clone());
        let failed = "Looks at the chain that were broken off by an error";
        registry.register("proof_failed_rounds", failed, self.failed_rounds.clone());
        let spent = "GAS for calls of this day (UTC), in datoshi";
        registry.register("proof_spent_today_datoshi", spent, self.spent.clone());
        let reputation = "This node's reputation, in millionths of a point";
        registry.register("proof_reputation", reputation, self.reputation.clone());
        let average = "The average reputation, in millionths of a point";
        registry.register("proof_average_reputation", average, self.average.clone());
    }

    pub(super) fn count(&self, call: &Call, outcome: &'static str) {
        let labels = CallLabels {
            call: name(call),
            outcome,
        };
        self.calls.get_or_create(&labels).inc();
    }

    pub(super) fn failed_round(&self) {
        self.failed_rounds.inc();
    }

    pub(super) fn spent(&self, datoshi: u64) {
        self.spent.set(datoshi.cast_signed());
    }

    pub(super) fn standing(&self, standing: &Standing) {
        self.reputation.set(standing.reputation.cast_signed());
        self.average.set(standing.average.cast_signed());
    }
}

fn name(call: &Call) -> &'static str {
    match call {
        Call::Show { .. } => "show",
        Call::Accept { .. } => "accept",
        Call::Fail { .. } => "fail",
        Call::Retract { .. } => "retract",
        Call::Offer { .. } => "offer",
        Call::Start { .. } => "start",
        Call::Obtain => "obtain",
    }
}
