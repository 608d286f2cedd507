//! Counters of replicas for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

/// How a copy, or whatever else is done about copies, ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CopyLabels {
    outcome: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct ReplicaMetrics {
    copies: Family<CopyLabels, Counter>,
    watched: Gauge,
    mended: Family<CopyLabels, Counter>,
    surplus: Family<CopyLabels, Counter>,
    evicted: Family<CopyLabels, Counter>,
    liars: Counter,
    redirected: Counter,
    hot: Gauge,
}

impl ReplicaMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let copies = "Blocks sent to other nodes because too few held them";
        registry.register("replica_copies", copies, self.copies.clone());
        let watched = "Blocks whose other holders are watched";
        registry.register("replica_watched_blocks", watched, self.watched.clone());
        let mended = "Damaged blocks that were to be fetched again from others";
        registry.register("replica_mended", mended, self.mended.clone());
        let surplus = "Surplus copies that were to be deleted";
        registry.register("replica_surplus", surplus, self.surplus.clone());
        let evicted = "Copies that were to be deleted because the quota is reached";
        registry.register("replica_evicted", evicted, self.evicted.clone());
        let redirected = "Requests for blocks that too many ask for, sent to other holders";
        registry.register("replica_redirected", redirected, self.redirected.clone());
        let hot = "Blocks that too many ask for, or did a short while ago";
        registry.register("replica_hot_blocks", hot, self.hot.clone());
        let liars = "Nodes found not to hold what they claim";
        registry.register("replica_liars", liars, self.liars.clone());
    }

    pub(super) fn copied(&self, outcome: &'static str) {
        self.copies.get_or_create(&CopyLabels { outcome }).inc();
    }

    pub(crate) fn mended(&self, outcome: &'static str) {
        self.mended.get_or_create(&CopyLabels { outcome }).inc();
    }

    pub(super) fn surplus(&self, outcome: &'static str) {
        self.surplus.get_or_create(&CopyLabels { outcome }).inc();
    }

    pub(super) fn evicted(&self, outcome: &'static str) {
        self.evicted.get_or_create(&CopyLabels { outcome }).inc();
    }

    pub(crate) fn redirected(&self) {
        self.redirected.inc();
    }

    pub(super) fn hot(&self, blocks: usize) {
        self.hot.set(i64::try_from(blocks).unwrap_or(i64::MAX));
    }

    pub(super) fn lied(&self) {
        self.liars.inc();
    }

    pub(super) fn watched(&self, blocks: usize) {
        self.watched.set(i64::try_from(blocks).unwrap_or(i64::MAX));
    }
}
