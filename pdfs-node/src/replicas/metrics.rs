//! Counters of replicas for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// How a copy ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CopyLabels {
    outcome: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct ReplicaMetrics {
    copies: Family<CopyLabels, Counter>,
    watched: Gauge,
}

impl ReplicaMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let copies = "Blocks sent to other nodes because too few held them";
        registry.register("replica_copies", copies, self.copies.clone());
        let watched = "Blocks whose other holders are watched";
        registry.register("replica_watched_blocks", watched, self.watched.clone());
    }

    pub(super) fn copied(&self, outcome: &'static str) {
        self.copies.get_or_create(&CopyLabels { outcome }).inc();
    }

    pub(super) fn watched(&self, blocks: usize) {
        self.watched.set(i64::try_from(blocks).unwrap_or(i64::MAX));
    }
}
