//! How much may be on its way to a peer at once.
//!
//! On a path as short as a local network's or one machine's, nearly all that is on its way lies in the peer's socket
//! buffer. A controller that widens its window until something is lost overruns that buffer, again and again, and quinn
//! takes losses of large packets for a path that carries only small ones. So on short paths the window has a bound that
//! such a buffer holds; everything else is Cubic's (RFC 9438).

use std::{
    any::Any,
    sync::Arc,
    time::{Duration, Instant},
};

use quinn::congestion::{Controller, ControllerFactory, ControllerMetrics, CubicConfig};
use quinn_proto::RttEstimator;

/// Bytes for each [`STEP`] of the shortest round trip seen, but at least for one: 1 GB/s, whatever the distance.
const BYTES_A_STEP: u64 = 1 << 20;
const STEP: Duration = Duration::from_millis(1);

/// Makes the controller of each connection.
#[derive(Debug, Default)]
pub(crate) struct BoundedCubic;

impl ControllerFactory for BoundedCubic {
    fn build(self: Arc<Self>, now: Instant, current_mtu: u16) -> Box<dyn Controller> {
        Box::new(Bounded {
            inner: Arc::new(CubicConfig::default()).build(now, current_mtu),
            bound: u64::MAX,
        })
    }
}

struct Bounded {
    inner: Box<dyn Controller>,
    bound: u64,
}

/// The bound for a path with this shortest round trip.
fn bound(shortest: Duration) -> u64 {
    let steps = u64::try_from(shortest.as_micros().div_ceil(STEP.as_micros())).unwrap_or(u64::MAX);
    BYTES_A_STEP.saturating_mul(steps.max(1))
}

impl Controller for Bounded {
    fn on_sent(&mut self, now: Instant, bytes: u64, last_packet_number: u64) {
        self.inner.on_sent(now, bytes, last_packet_number);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        app_limited: bool,
        rtt: &RttEstimator,
    ) {
        self.bound = bound(rtt.min());
        // A window that is not used must not grow, or it would be anything once the path becomes longer.
        let unused = self.inner.window() > self.bound;
        let app_limited = app_limited || unused;
        self.inner.on_ack(now, sent, bytes, app_limited, rtt);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        largest_packet_num_acked: Option<u64>,
    ) {
        (self.inner).on_end_acks(now, in_flight, app_limited, largest_packet_num_acked);
    }

    fn on_congestion_event(
        &mut self,
        now: Instant,
        sent: Instant,
        is_persistent_congestion: bool,
        lost_bytes: u64,
    ) {
        (self.inner).on_congestion_event(now, sent, is_persistent_congestion, lost_bytes);
    }

    fn on_mtu_update(&mut self, new_mtu: u16) {
        self.inner.on_mtu_update(new_mtu);
    }

    fn window(&self) -> u64 {
        self.inner.window().min(self.bound)
    }

    fn metrics(&self) -> ControllerMetrics {
        let mut metrics = self.inner.metrics();
        metrics.congestion_window = self.window();
        metrics
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(Self {
            inner: self.inner.clone_box(),
            bound: self.bound,
        })
    }

    fn initial_window(&self) -> u64 {
        self.inner.initial_window()
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bound_grows_with_the_distance() {
        let (micros, millis) = (Duration::from_micros, Duration::from_millis);
        for (shortest, mib) in [(micros(30), 1), (millis(1), 1), (micros(1_001), 2)] {
            assert_eq!(bound(shortest), mib << 20);
        }
        assert_eq!(bound(millis(100)), 100 << 20);
        assert!(bound(Duration::MAX) > 1 << 40);
    }

    #[test]
    fn the_window_is_cubic_s_below_the_bound() {
        let now = Instant::now();
        let mut ours = Bounded {
            inner: Arc::new(CubicConfig::default()).build(now, 1200),
            bound: u64::MAX,
        };
        assert_eq!(ours.window(), ours.initial_window());
        ours.bound = 5_000;
        assert_eq!(ours.window(), 5_000);
        assert_eq!(ours.clone_box().window(), 5_000);
    }
}
