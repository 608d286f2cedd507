//! The relay's numbers for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use phantasma_wire::message::Class;
use phantasma_wire::relay::RelayError;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// By class of message.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ClassLabel {
    class: &'static str,
}

/// By kind of refusal.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ErrorLabel {
    error: &'static str,
}

/// Counters since the start, and gauges that [`Metrics::sample`] sets.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub accepted: Family<ClassLabel, Counter>,
    pub refused: Family<ErrorLabel, Counter>,
    pub duplicates: Counter,
    pub delivered: Counter,
    pub dropped: Counter,
    pub on_chain: Counter,
    pub chain_transactions: Counter,
    pub chain_fees: Counter,
    pub anchors: Counter,
    pub sessions: Gauge,
    pub subscriptions: Gauge,
    pub log_bytes: Gauge<u64, AtomicU64>,
    pub log_records: Gauge<u64, AtomicU64>,
    pub links: crate::peer::Numbers,
}

impl Metrics {
    /// The numbers and the registry that shows them.
    pub fn new() -> (Self, Arc<Registry>) {
        let metrics = Self::default();
        let mut registry = Registry::with_prefix("phantasma_relay");
        registry.register(
            "accepted",
            "Messages accepted, by class",
            metrics.accepted.clone(),
        );
        registry.register(
            "refused",
            "Requests refused, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "duplicates",
            "Messages that had been here before",
            metrics.duplicates.clone(),
        );
        registry.register(
            "delivered",
            "Messages sent to subscribers",
            metrics.delivered.clone(),
        );
        registry.register(
            "dropped",
            "Live messages that slow subscribers lost",
            metrics.dropped.clone(),
        );
        registry.register(
            "on_chain",
            "Messages written to the chain",
            metrics.on_chain.clone(),
        );
        registry.register(
            "chain_transactions",
            "Transactions of the relay that came into a block",
            metrics.chain_transactions.clone(),
        );
        registry.register(
            "chain_fees_datoshi",
            "Fees of the transactions that were sent, in 10^-8 GAS",
            metrics.chain_fees.clone(),
        );
        registry.register(
            "anchors",
            "Anchors of kept messages on the chain",
            metrics.anchors.clone(),
        );
        registry.register("sessions", "Connected clients", metrics.sessions.clone());
        registry.register(
            "subscriptions",
            "Subscriptions of all clients",
            metrics.subscriptions.clone(),
        );
        registry.register("log_bytes", "Bytes of the log", metrics.log_bytes.clone());
        registry.register(
            "log_records",
            "Messages in the log",
            metrics.log_records.clone(),
        );
        metrics.links.register(&mut registry);
        (metrics, Arc::new(registry))
    }

    pub fn accept(&self, class: Class) {
        self.accepted
            .get_or_create(&ClassLabel {
                class: class_name(class),
            })
            .inc();
    }

    pub fn refuse(&self, error: RelayError) {
        self.refused
            .get_or_create(&ErrorLabel {
                error: error.name(),
            })
            .inc();
    }
}

fn class_name(class: Class) -> &'static str {
    match class {
        Class::Ephemeral => "ephemeral",
        Class::Durable => "durable",
        Class::OnChain => "on_chain",
    }
}
