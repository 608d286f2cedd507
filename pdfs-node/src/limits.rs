//! What one peer may take, and what becomes of one that sends bad data. A state machine: time is an argument.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use phantasma_wire::PublicKey;

/// Requests a second of one peer over a longer time: three times what a quick client on the same machine puts in small
/// contents, so that an honest one never notices.
const REQUESTS_PER_S: f64 = 100_000.0;

/// Requests at once before the rate counts: a second's.
const REQUEST_BURST: f64 = 100_000.0;

/// Shorter waits are saved up: a timer cannot tell apart what is much below a millisecond, and would make each of them
/// one.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);

/// Bytes a second of one peer, both ways: 8 Gbit/s.
const BYTES_PER_S: f64 = 1e9;

/// Bytes at once before the rate counts: a second's.
const BYTE_BURST: f64 = 1e9;

/// Bad requests that are forgiven: a client with an old tree sends as many before it notices.
const FORGIVEN: f64 = 64.0;

/// A bad request is forgotten after this long.
const FORGET_EACH: Duration = Duration::from_secs(1);

/// The first time that a peer is kept out; each further one is twice as long.
const FIRST_BAN: Duration = Duration::from_secs(10);

/// The longest.
const LONGEST_BAN: Duration = Duration::from_secs(600);

/// Peers remembered: 100 bytes each.
const MAX_PEERS: usize = 10_000;

/// All peers that have asked for something lately.
#[derive(Debug, Default)]
pub(crate) struct Limits {
    peers: HashMap<PublicKey, Peer>,
}

#[derive(Debug)]
struct Peer {
    seen: Instant,
    /// Below 0: so much has been taken in advance.
    requests: f64,
    bytes: f64,
    bad: f64,
    bans: u32,
    banned_until: Option<Instant>,
}

impl Peer {
    fn new(now: Instant) -> Self {
        Self {
            seen: now,
            requests: REQUEST_BURST,
            bytes: BYTE_BURST,
            bad: 0.0,
            bans: 0,
            banned_until: None,
        }
    }

    fn pass(&mut self, now: Instant) {
        let seconds = now.saturating_duration_since(self.seen).as_secs_f64();
        self.seen = now;
        self.requests = (self.requests + seconds * REQUESTS_PER_S).min(REQUEST_BURST);
        self.bytes = (self.bytes + seconds * BYTES_PER_S).min(BYTE_BURST);
        self.bad = (self.bad - seconds / FORGET_EACH.as_secs_f64()).max(0.0);
    }

    fn is_banned(&self, now: Instant) -> bool {
        self.banned_until.is_some_and(|until| now < until)
    }
}

impl Limits {
    /// Whether this peer is kept out, and how long still.
    pub(crate) fn banned(&self, key: &PublicKey, now: Instant) -> Option<Duration> {
        let until = self.peers.get(key)?.banned_until?;
        (now < until).then(|| until - now)
    }

    /// Counts a request; how long to wait before it is answered.
    pub(crate) fn request(&mut self, key: &PublicKey, now: Instant) -> Duration {
        let peer = self.peer(key, now);
        peer.requests -= 1.0;
        let requests = (-peer.requests / REQUESTS_PER_S).max(0.0);
        let bytes = (-peer.bytes / BYTES_PER_S).max(0.0);
        let wait = Duration::from_secs_f64(requests.max(bytes));
        match wait < SHORTEST_WAIT {
            true => Duration::ZERO,
            false => wait,
        }
    }

    /// Counts bytes that came or went; the next request waits for them.
    pub(crate) fn bytes(&mut self, key: &PublicKey, bytes: usize, now: Instant) {
        self.peer(key, now).bytes -= bytes as f64;
    }

    /// Counts a request that no honest program sends. Gives how long the peer is kept out if it is one too many.
    pub(crate) fn bad(&mut self, key: &PublicKey, now: Instant) -> Option<Duration> {
        let peer = self.peer(key, now);
        peer.bad += 1.0;
        if peer.bad <= FORGIVEN || peer.is_banned(now) {
            return None;
        }
        let ban = FIRST_BAN
            .saturating_mul(2_u32.saturating_pow(peer.bans))
            .min(LONGEST_BAN);
        peer.bans = peer.bans.saturating_add(1);
        peer.bad = 0.0;
        peer.banned_until = Some(now + ban);
        Some(ban)
    }

    fn peer(&mut self, key: &PublicKey, now: Instant) -> &mut Peer {
        if self.peers.len() >= MAX_PEERS && !self.peers.contains_key(key) {
            // Whoever was quiet for the longest ban has nothing left to remember; else the quietest one goes.
            self.peers.retain(|_, peer| {
                peer.is_banned(now) || now.saturating_duration_since(peer.seen) < LONGEST_BAN
            });
            if self.peers.len() >= MAX_PEERS
                && let Some(quietest) = self.peers.iter().min_by_key(|(_, peer)| peer.seen)
            {
                let quietest = *quietest.0;
                self.peers.remove(&quietest);
            }
        }
        let peer = self.peers.entry(*key).or_insert_with(|| Peer::new(now));
        peer.pass(now);
        peer
    }
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const KEY: PublicKey = [2; 33];

    #[test]
    fn a_burst_is_free_and_what_goes_beyond_waits() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for _ in 0..REQUEST_BURST as u32 {
            assert_eq!(limits.request(&KEY, now), Duration::ZERO);
        }
        // What is too short for a timer is saved up.
        let saved = (SHORTEST_WAIT.as_secs_f64() * REQUESTS_PER_S) as u32;
        for _ in 1..saved {
            assert_eq!(limits.request(&KEY, now), Duration::ZERO);
        }
        let wait = (0..2).map(|_| limits.request(&KEY, now)).last();
        let wait = wait.unwrap_or_default();
        assert!(
            wait >= SHORTEST_WAIT && wait < 2 * SHORTEST_WAIT,
            "{wait:?}"
        );
        assert_eq!(
            limits.request(&[3; 33], now),
            Duration::ZERO,
            "others do not wait"
        );
        assert_eq!(
            limits.request(&KEY, now + Duration::from_secs(1)),
            Duration::ZERO
        );
    }

    #[test]
    fn bytes_are_paid_for_by_the_next_request() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        limits.bytes(&KEY, 3_000_000_000, now);
        let wait = limits.request(&KEY, now);
        assert_eq!(wait.as_secs(), 2);
        assert_eq!(
            limits.request(&KEY, now + Duration::from_secs(2)),
            Duration::ZERO
        );
    }

    #[test]
    fn bad_data_is_forgiven_a_few_times_and_then_kept_out_longer_each_time() {
        let (mut limits, mut now) = (Limits::default(), Instant::now());
        let mut last = Duration::ZERO;
        for round in 0..10 {
            let ban = (0..=FORGIVEN as u32).find_map(|_| limits.bad(&KEY, now));
            assert!(ban.is_some(), "round {round}: not kept out");
            let ban = ban.unwrap_or_default();
            assert!(
                ban == LONGEST_BAN || ban == last * 2 || last.is_zero(),
                "{ban:?}"
            );
            assert_eq!(limits.banned(&KEY, now), Some(ban));
            now += ban;
            assert_eq!(limits.banned(&KEY, now), None);
            last = ban;
        }
        assert_eq!(last, LONGEST_BAN);
    }

    #[test]
    fn now_and_then_a_bad_request_is_forgotten() {
        let (mut limits, mut now) = (Limits::default(), Instant::now());
        for _ in 0..1_000 {
            assert_eq!(limits.bad(&KEY, now), None);
            now += FORGET_EACH;
        }
    }

    #[test]
    fn strangers_without_end_take_no_memory_without_end() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let key = |n: usize| {
            let mut key = [0; 33];
            key[..8].copy_from_slice(&n.to_le_bytes());
            key
        };
        for n in 0..MAX_PEERS + 500 {
            limits.request(&key(n), now + Duration::from_millis(n as u64));
        }
        assert_eq!(limits.peers.len(), MAX_PEERS);
    }
}
