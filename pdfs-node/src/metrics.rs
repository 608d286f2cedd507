//! Counters for `/metrics`, in OpenMetrics text.

use std::{fmt, sync::Arc};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, counter::Counter, family::Family, gauge::Gauge},
    registry::Registry,
};

use crate::{
    gateway::GatewayMetrics,
    proofs::ProofMetrics,
    replicas::ReplicaMetrics,
    store::{Stats, Store},
};

/// What a request was, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(crate) struct RequestLabels {
    pub(crate) kind: &'static str,
    /// `done`, `not_found` or the refusal's name.
    pub(crate) outcome: String,
}

/// The node's own counters.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) requests: Family<RequestLabels, Counter>,
    pub(crate) connections: Gauge,
    pub(crate) announced: Counter,
    pub(crate) gateway: GatewayMetrics,
    pub(crate) proofs: ProofMetrics,
    pub(crate) replicas: ReplicaMetrics,
}

impl Metrics {
    /// Registers everything; the store's counters are read when somebody asks.
    pub(crate) fn register(&self, store: Arc<Store>) -> Registry {
        let mut registry = Registry::with_prefix("phantasma_pdfs");
        registry.register(
            "requests",
            "Requests answered on the data plane",
            self.requests.clone(),
        );
        registry.register(
            "connections",
            "Peers connected to the data plane",
            self.connections.clone(),
        );
        registry.register(
            "contents_announced",
            "Contents announced on the control plane",
            self.announced.clone(),
        );
        self.gateway.register(&mut registry);
        self.proofs.register(&mut registry);
        self.replicas.register(&mut registry);
        registry.register_collector(Box::new(StoreCollector(store)));
        registry
    }
}

struct StoreCollector(Arc<Store>);

impl fmt::Debug for StoreCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreCollector")
    }
}

impl Collector for StoreCollector {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Stats {
            blocks_put,
            bytes_put,
            commits,
            blocks_read,
            bytes_read,
            damaged,
            bytes_scrubbed,
            bytes_freed,
        } = self.0.stats();
        for (name, help, value) in [
            (
                "store_blocks_put",
                "Blocks stored since the start",
                blocks_put,
            ),
            (
                "store_bytes_put",
                "Bytes appended to segments since the start",
                bytes_put,
            ),
            (
                "store_commits",
                "Group commits (one fdatasync each)",
                commits,
            ),
            ("store_blocks_read", "Blocks read and verified", blocks_read),
            (
                "store_bytes_read",
                "Bytes of blocks read and verified",
                bytes_read,
            ),
            (
                "store_blocks_damaged",
                "Blocks found damaged on the disk",
                damaged,
            ),
            (
                "store_bytes_scrubbed",
                "Bytes looked at by the scrub",
                bytes_scrubbed,
            ),
            (
                "store_bytes_freed",
                "Bytes of segments that were emptied and removed",
                bytes_freed,
            ),
        ] {
            let metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            ConstCounter::new(value).encode(metric)?;
        }
        Ok(())
    }
}
