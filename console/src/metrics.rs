//! The daemon's numbers for `/metrics`.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// By the first digit of the status.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Status {
    status: &'static str,
}

/// By how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// Counters since the start, and gauges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    requests: Family<Status, Counter>,
    uploads: Family<Outcome, Counter>,
    uploaded_bytes: Counter,
    media_bytes: Counter,
    events: Counter,
    listeners: Gauge,
    height: Gauge<u64, AtomicU64>,
    contents: Gauge<u64, AtomicU64>,
    contents_incomplete: Gauge<u64, AtomicU64>,
    lowest_confidence: Gauge<f64, AtomicU64>,
}

impl Metrics {
    /// The numbers and the registry that shows them.
    pub(crate) fn new() -> (Self, Arc<Registry>) {
        let all = Self::default();
        let mut registry = Registry::with_prefix("phantasma_serve");
        registry.register(
            "requests",
            "Requests answered, by status",
            all.requests.clone(),
        );
        registry.register("uploads", "Files put, by how it ended", all.uploads.clone());
        registry.register(
            "uploaded_bytes",
            "Bytes of files that were put",
            all.uploaded_bytes.clone(),
        );
        registry.register(
            "media_bytes",
            "Plain bytes of contents given",
            all.media_bytes.clone(),
        );
        registry.register("events", "Events sent to listeners", all.events.clone());
        registry.register("listeners", "Listeners to events", all.listeners.clone());
        registry.register(
            "chain_height",
            "Newest block of the chain that is known",
            all.height.clone(),
        );
        registry.register("contents", "Contents with a key here", all.contents.clone());
        registry.register(
            "contents_incomplete",
            "Contents of which a block is at no node",
            all.contents_incomplete.clone(),
        );
        registry.register(
            "lowest_confidence",
            "Of all contents, the lowest confidence that the proofs give, 0 to 1",
            all.lowest_confidence.clone(),
        );
        (all, Arc::new(registry))
    }

    pub(crate) fn request(&self, status: u16) {
        let status = match status / 100 {
            2 => "2xx",
            3 => "3xx",
            4 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&Status { status }).inc();
    }

    pub(crate) fn upload(&self, outcome: &'static str, bytes: u64) {
        self.uploads.get_or_create(&Outcome { outcome }).inc();
        self.uploaded_bytes.inc_by(bytes);
    }

    pub(crate) fn media(&self, bytes: u64) {
        self.media_bytes.inc_by(bytes);
    }

    pub(crate) fn height(&self, height: u32) {
        self.height.set(height.into());
    }

    /// How the contents are: how many, how many of them not whole, and the lowest confidence.
    pub(crate) fn health(&self, contents: u64, incomplete: u64, lowest: f64) {
        self.contents.set(contents);
        self.contents_incomplete.set(incomplete);
        self.lowest_confidence.set(lowest);
    }

    /// Counts a listener as long as it lives.
    pub(crate) fn listener(&self) -> Listener {
        self.listeners.inc();
        Listener(self.clone())
    }
}

/// One that listens to events.
pub(crate) struct Listener(Metrics);

impl Listener {
    pub(crate) fn sent(&self) {
        self.0.events.inc();
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.0.listeners.dec();
    }
}
