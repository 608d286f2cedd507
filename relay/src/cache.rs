//! Which boxes exist, remembered, so that a message costs no question to the node.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OnceCell, Semaphore};

use crate::chain::{Chain, ChainError};

/// Known boxes: 65,536 × about 100 bytes = 7 MiB.
const MAX_BOXES: usize = 65_536;

/// Questions to the node at once, whatever clients ask for: one node answers a few hundred a second.
const MAX_QUESTIONS: usize = 8;

/// How long an answer counts.
#[derive(Debug, Clone, Copy)]
pub struct CacheTimes {
    /// After so long the node is asked again. A box that existed still does when the node cannot be asked.
    pub known: Duration,
    /// How long a box that does not exist is not asked for again: a new box can be used after that.
    pub unknown: Duration,
    /// How long a gate counts that nothing was heard of. Events tell of changes at once; this is for those that got lost.
    pub gate: Duration,
}

/// Boxes and whether they exist. Many who ask for one box at once cause one question.
pub struct BoxCache {
    chain: Arc<dyn Chain>,
    times: CacheTimes,
    max: usize,
    questions: Semaphore,
    entries: Mutex<Entries>,
}

#[derive(Default)]
struct Entries {
    by_box: HashMap<u64, Entry>,
    /// Oldest first; may hold boxes that were put in again later.
    order: VecDeque<u64>,
}

#[derive(Clone)]
struct Entry {
    cell: Arc<OnceCell<(bool, Instant)>>,
    /// A box cannot stop existing: what an expired entry said serves when the node is silent.
    existed: bool,
}

impl BoxCache {
    pub fn new(chain: Arc<dyn Chain>, times: CacheTimes) -> Self {
        Self::with_max(chain, times, MAX_BOXES)
    }

    fn with_max(chain: Arc<dyn Chain>, times: CacheTimes, max: usize) -> Self {
        let questions = Semaphore::new(MAX_QUESTIONS);
        Self {
            chain,
            times,
            max,
            questions,
            entries: Mutex::default(),
        }
    }

    /// Whether a box exists; asks the chain when that is not known or too old.
    pub async fn exists(&self, box_id: u64, now: Instant) -> Result<bool, ChainError> {
        let entry = self.entry(box_id, now);
        let asked = entry.cell.get_or_try_init(|| self.ask(box_id, now)).await;
        match asked {
            Ok((exists, _)) => Ok(*exists),
            Err(_) if entry.existed => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn ask(&self, box_id: u64, now: Instant) -> Result<(bool, Instant), ChainError> {
        let closed = |_| ChainError::Unreachable("the relay is stopping".into());
        let _permit = self.questions.acquire().await.map_err(closed)?;
        let exists = self.chain.box_exists(box_id).await?;
        let valid = if exists {
            self.times.known
        } else {
            self.times.unknown
        };
        Ok((exists, now + valid))
    }

    /// The valid entry of a box, or a new empty one.
    fn entry(&self, box_id: u64, now: Instant) -> Entry {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let mut existed = false;
        if let Some(entry) = entries.by_box.get(&box_id) {
            match entry.cell.get() {
                Some((exists, until)) if *until <= now => existed = *exists,
                Some(_) | None => return entry.clone(),
            }
        }
        let entry = Entry {
            cell: Arc::default(),
            existed,
        };
        if entries.by_box.insert(box_id, entry.clone()).is_none() {
            entries.order.push_back(box_id);
        }
        while entries.order.len() > self.max
            && let Some(oldest) = entries.order.pop_front()
        {
            entries.by_box.remove(&oldest);
        }
        entry
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::sync::atomic::Ordering;

    use super::*;
    use crate::testing::MemoryChain;

    const TIMES: CacheTimes = CacheTimes {
        known: Duration::from_secs(60),
        unknown: Duration::from_secs(5),
        gate: Duration::from_secs(60),
    };

    fn cache(max: usize) -> (Arc<MemoryChain>, BoxCache) {
        let chain = Arc::new(MemoryChain::with_boxes([1, 2, 3]));
        (chain.clone(), BoxCache::with_max(chain, TIMES, max))
    }

    #[tokio::test]
    async fn a_known_box_is_asked_for_once_until_its_time_is_over() {
        let (chain, cache) = cache(10);
        let now = Instant::now();
        for _ in 0..3 {
            assert!(cache.exists(1, now + TIMES.known / 2).await.unwrap());
        }
        assert_eq!(chain.questions.load(Ordering::Relaxed), 1);
        assert!(cache.exists(1, now + TIMES.known * 2).await.unwrap());
        assert_eq!(chain.questions.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn an_unknown_box_is_asked_for_again_after_a_short_time() {
        let (chain, cache) = cache(10);
        let now = Instant::now();
        assert!(!cache.exists(9, now).await.unwrap());
        chain.add_box(9);
        assert!(!cache.exists(9, now + TIMES.unknown / 2).await.unwrap());
        assert!(cache.exists(9, now + TIMES.unknown).await.unwrap());
        assert_eq!(chain.questions.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn a_known_box_outlives_the_node_and_a_failure_is_not_remembered() {
        let (chain, cache) = cache(10);
        let now = Instant::now();
        assert!(cache.exists(1, now).await.unwrap());
        chain.fail(true);
        assert!(cache.exists(1, now + TIMES.known * 2).await.unwrap());
        assert!(cache.exists(1, now + TIMES.known * 2).await.unwrap());
        assert!(matches!(
            cache.exists(2, now).await,
            Err(ChainError::Unreachable(_))
        ));
        chain.fail(false);
        assert!(cache.exists(2, now).await.unwrap());
    }

    #[tokio::test]
    async fn many_who_ask_at_once_cause_one_question() {
        let (chain, cache) = cache(10);
        let cache = Arc::new(cache);
        let now = Instant::now();
        let ask = |cache: Arc<BoxCache>| tokio::spawn(async move { cache.exists(3, now).await });
        let all: Vec<_> = (0..50).map(|_| ask(cache.clone())).collect();
        for one in all {
            assert!(one.await.unwrap().unwrap());
        }
        assert_eq!(chain.questions.load(Ordering::Relaxed), 1);
    }

    #[tokio::test]
    async fn the_cache_does_not_grow_over_its_bound() {
        let (chain, cache) = cache(4);
        for id in 0..100 {
            cache.exists(id, Instant::now()).await.unwrap();
        }
        assert_eq!(chain.questions.load(Ordering::Relaxed), 100);
        let held = cache.entries.lock().unwrap();
        assert_eq!((held.by_box.len(), held.order.len()), (4, 4));
    }
}
