//! Nodes that did not answer a short while ago: each silence costs seconds, so they are not asked again at once.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use phantasma_wire::PublicKey;

/// Who was silent is left alone for so many intervals of questions, and for this long at least: 30 s at the usual 15 s, and
/// always longer than a dead node is waited for.
const FOR_INTERVALS: u64 = 2;
const AT_LEAST: Duration = Duration::from_secs(10);

/// Nodes remembered.
const MAX_REMEMBERED: usize = 4096;

/// Until when which node is left alone.
pub(super) struct Silent {
    long: Duration,
    until: Mutex<HashMap<PublicKey, Instant>>,
}

impl Silent {
    pub(super) fn new(ask_every_ms: u64) -> Self {
        let long = Duration::from_millis(FOR_INTERVALS.saturating_mul(ask_every_ms));
        Self {
            long: long.max(AT_LEAST),
            until: Mutex::default(),
        }
    }

    pub(super) fn is(&self, node: &PublicKey) -> bool {
        let until = self.until().get(node).copied();
        until.is_some_and(|until| Instant::now() < until)
    }

    /// Takes note of whether a node answered.
    pub(super) fn note(&self, node: &PublicKey, answered: bool) {
        let (mut until, now) = (self.until(), Instant::now());
        if answered {
            until.remove(node);
            return;
        }
        if until.len() >= MAX_REMEMBERED {
            until.retain(|_, until| now < *until);
        }
        if until.len() < MAX_REMEMBERED {
            until.insert(*node, now + self.long);
        }
    }

    fn until(&self) -> MutexGuard<'_, HashMap<PublicKey, Instant>> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_silent_is_left_alone_until_it_answers() {
        let (silent, node) = (Silent::new(1000), [2; 33]);
        assert!(!silent.is(&node));
        silent.note(&node, false);
        assert!(silent.is(&node));
        silent.note(&node, true);
        assert!(!silent.is(&node));
        assert_eq!(Silent::new(60_000).long, Duration::from_secs(120));
    }
}
