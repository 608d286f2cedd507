//! The numbers of a mail daemon for `/metrics`.

use std::sync::Arc;

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters since the start, and gauges.
#[derive(Debug, Clone, Default)]
pub struct Metrics {
    pub received: Counter,
    pub refused: Counter,
    pub accepted: Counter,
    pub sent: Counter,
    pub failed: Counter,
    pub outbox: Gauge,
    pub relay_up: Gauge,
    pub smtp_sessions: Gauge,
    pub imap_sessions: Gauge,
    pub logins_refused: Counter,
}

impl Metrics {
    /// The numbers and the registry that shows them.
    pub fn new() -> (Self, Arc<Registry>) {
        let metrics = Self::default();
        let mut registry = Registry::with_prefix("phantasma_mail");
        let counters = [
            (
                "received",
                "Mails delivered into the inbox",
                &metrics.received,
            ),
            (
                "refused",
                "Letters refused: unpaid, forged or damaged",
                &metrics.refused,
            ),
            ("accepted", "Mails accepted for sending", &metrics.accepted),
            (
                "sent",
                "Letters that the relay has, one a reader",
                &metrics.sent,
            ),
            ("failed", "Letters given up, one a reader", &metrics.failed),
            (
                "logins_refused",
                "Logins with a wrong name or password",
                &metrics.logins_refused,
            ),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
        let gauges = [
            ("outbox", "Mails that wait in the outbox", &metrics.outbox),
            (
                "relay_up",
                "1 while the relay is being listened to",
                &metrics.relay_up,
            ),
            (
                "smtp_sessions",
                "Open SMTP sessions",
                &metrics.smtp_sessions,
            ),
            (
                "imap_sessions",
                "Open IMAP sessions",
                &metrics.imap_sessions,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        (metrics, Arc::new(registry))
    }
}
