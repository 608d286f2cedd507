//! Counters of the gateway for `/metrics`.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StatusLabels {
    status: u16,
}

/// Where a block came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BlockLabels {
    from: &'static str,
}

#[derive(Debug, Default)]
pub(crate) struct GatewayMetrics {
    answers: Family<StatusLabels, Counter>,
    blocks: Family<BlockLabels, Counter>,
    bytes: Counter,
    hedges: Counter,
}

impl GatewayMetrics {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let answers = "Requests for contents, by status";
        registry.register("gateway_answers", answers, self.answers.clone());
        let blocks = "Blocks read for the gateway, by where they were";
        registry.register("gateway_blocks", blocks, self.blocks.clone());
        let bytes = "Bytes of contents given to readers";
        registry.register("gateway_bytes", bytes, self.bytes.clone());
        let hedges = "Holders asked because another one was slow";
        registry.register("gateway_hedges", hedges, self.hedges.clone());
    }

    pub(super) fn answered(&self, status: u16) {
        self.answers.get_or_create(&StatusLabels { status }).inc();
    }

    /// `from` is `store`, `cache` or `others`.
    pub(super) fn block(&self, from: &'static str) {
        self.blocks.get_or_create(&BlockLabels { from }).inc();
    }

    pub(super) fn given(&self, bytes: usize) {
        self.bytes.inc_by(bytes as u64);
    }

    pub(super) fn hedged(&self, holders: usize) {
        self.hedges.inc_by(holders as u64);
    }
}
