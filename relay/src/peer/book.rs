//! Which other relays there are, when to try them, and which are not to be borne.

use std::collections::BTreeMap;

use phantasma_wire::PublicKey;
use phantasma_wire::relay::Score;

/// Relays that are remembered beyond those of the configuration; what was found and never worked gives way first.
const MAX_FOUND: usize = 256;

/// The first try after a failure, and the longest wait; each failure doubles it.
const FIRST_RETRY_MS: u64 = 500;
const LAST_RETRY_MS: u64 = 60_000;

/// So long a relay whose link was cut is kept away at first, and at most; each cut doubles it.
const FIRST_BAN_MS: u64 = 60_000;
const LAST_BAN_MS: u64 = 3_600_000;

/// A link that was up for so long has worked: the next try comes soon.
const WORKED_MS: u64 = 30_000;

/// What a relay is to be cut below: the third bad message of a new one, the fifth of one that brought twenty good ones.
pub(super) const CUT_BELOW: i32 = -20;

/// What is known of one relay.
#[derive(Debug, Clone, Default)]
pub(super) struct Standing {
    /// `host:port` of its links.
    pub(super) address: Option<String>,
    pub(super) configured: bool,
    pub(super) score: Score,
    pub(super) cuts: u32,
    failures: u32,
    not_before_ms: u64,
    banned_until_ms: u64,
    /// Somebody dials it, or it is linked.
    busy: bool,
    up_since_ms: Option<u64>,
}

/// All relays that this one knows of. Times are in milliseconds of one clock that does not jump.
#[derive(Debug, Default)]
pub(super) struct Book {
    peers: BTreeMap<PublicKey, Standing>,
}

impl Book {
    pub(super) fn configure(&mut self, key: PublicKey, address: String) {
        let standing = self.peers.entry(key).or_default();
        standing.address = Some(address);
        standing.configured = true;
    }

    /// A relay that somebody told of.
    pub(super) fn found(&mut self, key: PublicKey, address: String, now_ms: u64) {
        if !self.peers.contains_key(&key) {
            self.make_room(now_ms);
        }
        let full = self.peers.len() >= MAX_FOUND + self.configured();
        match self.peers.get_mut(&key) {
            Some(standing) if standing.configured => {}
            Some(standing) => standing.address = Some(address),
            None if full => {}
            None => {
                let standing = Standing {
                    address: Some(address),
                    ..Standing::default()
                };
                self.peers.insert(key, standing);
            }
        }
    }

    /// Relays to dial now; each is busy until [`Book::failed`] or [`Book::down`].
    pub(super) fn due(&mut self, now_ms: u64, at_most: usize) -> Vec<(PublicKey, String)> {
        let mut due = Vec::new();
        for (key, standing) in &mut self.peers {
            let waits = now_ms < standing.not_before_ms.max(standing.banned_until_ms);
            if due.len() >= at_most || standing.busy || waits {
                continue;
            }
            if let Some(address) = &standing.address {
                standing.busy = true;
                due.push((*key, address.clone()));
            }
        }
        due
    }

    /// Whether a link with this relay is wanted at all.
    pub(super) fn admits(&self, key: &PublicKey, open: bool, now_ms: u64) -> bool {
        match self.peers.get(key) {
            Some(standing) => (open || standing.configured) && now_ms >= standing.banned_until_ms,
            None => open,
        }
    }

    pub(super) fn up(&mut self, key: PublicKey, now_ms: u64) {
        if !self.peers.contains_key(&key) {
            self.make_room(now_ms);
        }
        let standing = self.peers.entry(key).or_default();
        standing.busy = true;
        standing.up_since_ms = Some(now_ms);
    }

    pub(super) fn down(&mut self, key: &PublicKey, now_ms: u64) {
        let Some(standing) = self.peers.get_mut(key) else {
            return;
        };
        standing.busy = false;
        let worked = standing.up_since_ms.take();
        if worked.is_some_and(|since| now_ms.saturating_sub(since) >= WORKED_MS) {
            standing.failures = 0;
        }
        standing.wait(now_ms);
    }

    /// A dial came to nothing, unless the relay has linked itself meanwhile.
    pub(super) fn failed(&mut self, key: &PublicKey, now_ms: u64) {
        if let Some(standing) = self.peers.get_mut(key)
            && standing.up_since_ms.is_none()
        {
            standing.busy = false;
            standing.wait(now_ms);
        }
    }

    /// What it sent was good.
    pub(super) fn good(&mut self, key: &PublicKey) {
        if let Some(standing) = self.peers.get_mut(key) {
            standing.score.good();
        }
    }

    /// What it sent was not. True when that was one too many: the link is to be cut, and none with it made for a while.
    pub(super) fn bad(&mut self, key: &PublicKey, now_ms: u64) -> bool {
        let Some(standing) = self.peers.get_mut(key) else {
            return true;
        };
        if !standing.score.bad(CUT_BELOW) {
            return false;
        }
        let ban = doubled(FIRST_BAN_MS, standing.cuts, LAST_BAN_MS);
        standing.cuts = standing.cuts.saturating_add(1);
        standing.banned_until_ms = now_ms + ban;
        standing.score = Score::default();
        true
    }

    #[cfg(test)]
    pub(super) fn standing(&self, key: &PublicKey) -> Option<&Standing> {
        self.peers.get(key)
    }

    /// All of them, for people.
    pub(super) fn all(&self) -> impl Iterator<Item = (&PublicKey, &Standing)> {
        self.peers.iter()
    }

    fn configured(&self) -> usize {
        self.peers.values().filter(|one| one.configured).count()
    }

    /// Forgets one that is neither configured, linked nor banned, if there are too many.
    fn make_room(&mut self, now_ms: u64) {
        if self.peers.len() < MAX_FOUND + self.configured() {
            return;
        }
        let spare = |one: &Standing| !one.configured && !one.busy && now_ms >= one.banned_until_ms;
        let worst = self.peers.iter().filter(|(_, standing)| spare(standing));
        let worst = worst.max_by_key(|(_, standing)| standing.failures);
        if let Some(key) = worst.map(|(key, _)| *key) {
            self.peers.remove(&key);
        }
    }
}

impl Standing {
    pub(super) fn is_banned(&self, now_ms: u64) -> bool {
        now_ms < self.banned_until_ms
    }

    fn wait(&mut self, now_ms: u64) {
        self.not_before_ms = now_ms + doubled(FIRST_RETRY_MS, self.failures, LAST_RETRY_MS);
        self.failures = self.failures.saturating_add(1);
    }
}

fn doubled(first: u64, times: u32, most: u64) -> u64 {
    first.saturating_mul(1 << times.min(20)).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: PublicKey = [2; 33];
    const B: PublicKey = [3; 33];

    #[test]
    fn a_relay_that_does_not_answer_is_tried_ever_less_often() {
        let mut book = Book::default();
        book.configure(A, "a:1".into());
        let (mut now, mut waits) = (0, Vec::new());
        for _ in 0..9 {
            assert_eq!(book.due(now, 9), [(A, "a:1".to_owned())]);
            assert!(book.due(now, 9).is_empty());
            book.failed(&A, now);
            let since = now;
            while !book.clone_due(now) {
                now += 100;
            }
            waits.push(now - since);
        }
        assert_eq!(
            waits,
            [
                500, 1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000
            ]
        );
        // Once it has worked for a while, the next try comes soon.
        book.up(A, now);
        book.down(&A, now + WORKED_MS);
        assert!(!book.clone_due(now + WORKED_MS) && book.clone_due(now + WORKED_MS + 500));
    }

    #[test]
    fn a_relay_that_lies_is_kept_away_for_longer_each_time() {
        let mut book = Book::default();
        book.configure(A, "a:1".into());
        let mut now = 0;
        for (times, ban) in [60_000, 120_000, 240_000].into_iter().enumerate() {
            book.up(A, now);
            let bad = [book.bad(&A, now), book.bad(&A, now), book.bad(&A, now)];
            assert_eq!(bad, [false, false, true]);
            book.down(&A, now);
            assert!(!book.admits(&A, true, now + ban - 1) && book.admits(&A, false, now + ban));
            assert!(!book.clone_due(now + ban - 1));
            now += ban;
            assert_eq!(
                book.standing(&A).map(|one| one.cuts),
                Some(times as u32 + 1)
            );
        }
        assert!(book.admits(&B, true, 0) && !book.admits(&B, false, 0));
    }

    #[test]
    fn relays_that_were_found_are_bounded_and_never_push_out_the_configured_ones() {
        let mut book = Book::default();
        book.configure(A, "a:1".into());
        for n in 0..1_000u64 {
            let mut key = B;
            key[1..9].copy_from_slice(&n.to_be_bytes());
            book.found(key, "b:1".into(), 0);
        }
        assert_eq!(book.all().count(), MAX_FOUND + 1);
        book.found(A, "elsewhere:1".into(), 0);
        let address = book.standing(&A).and_then(|one| one.address.clone());
        assert_eq!(address.as_deref(), Some("a:1"));
    }

    impl Book {
        /// Whether something is due, without taking it.
        fn clone_due(&self, now_ms: u64) -> bool {
            let mut copy = Book {
                peers: self.peers.clone(),
            };
            !copy.due(now_ms, 1).is_empty()
        }
    }
}
