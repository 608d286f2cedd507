//! What the node needs to know from the chain: is this content paid for, how long, and how large is it.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use phantasma_sdk::contract::{Phantasma, Priority};
use phantasma_wire::Hash;
use tokio::sync::Semaphore;

/// An answer is believed this long. Root and size never change and an expiry only moves away, so that the worst case
/// is a renewal seen late by a minute.
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// "Not on the chain" is believed for a MainNet block's fraction only: the owner may be about to upload.
const UNKNOWN_FOR: Duration = Duration::from_secs(1);

/// Answers kept: 100 bytes each, so a megabyte.
const MAX_ENTRIES: usize = 10_000;

/// Questions to the RPC node at once; more wait, so that uploads cannot flood it.
const MAX_QUESTIONS: usize = 16;

/// A question that takes longer fails.
const QUESTION_TIMEOUT: Duration = Duration::from_secs(10);

/// A content that the chain knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PaidContent {
    /// Bytes of the ciphertext.
    pub size: u64,
    /// Unix milliseconds until which it is paid for.
    pub expiry_ms: u64,
}

/// The chain cannot be asked.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the chain cannot be asked: {0}")]
pub struct ChainError(pub String);

/// An answer of a [`Chain`] that is on its way.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<PaidContent>, ChainError>> + Send + 'a>>;

/// What time it is by a [`Chain`].
pub type Time<'a> = Pin<Box<dyn Future<Output = Result<Option<u64>, ChainError>> + Send + 'a>>;

/// How important a content is to its owner by a [`Chain`].
pub type Importance<'a> = Pin<Box<dyn Future<Output = Result<u8, ChainError>> + Send + 'a>>;

/// Whoever knows which contents are paid for.
pub trait Chain: Send + Sync + 'static {
    /// The content with this root, or `None`.
    fn content<'a>(&'a self, root: &'a Hash) -> Answer<'a>;

    /// How much a content's owner pays for it: 0 least, 1 as usual. Of an unknown content 0.
    fn priority<'a>(&'a self, _root: &'a Hash) -> Importance<'a> {
        Box::pin(async { Ok(1) })
    }

    /// Unix milliseconds of the last block: by this clock contents end. `None`: this chain has no clock of its own.
    fn time_ms(&self) -> Time<'_> {
        Box::pin(async { Ok(None) })
    }
}

impl Chain for Phantasma {
    fn content<'a>(&'a self, root: &'a Hash) -> Answer<'a> {
        Box::pin(async move {
            let info = self
                .content_info(root)
                .await
                .map_err(|error| ChainError(error.to_string()))?;
            Ok(info.map(|info| PaidContent {
                size: info.size,
                expiry_ms: info.expiry_ms,
            }))
        })
    }

    fn priority<'a>(&'a self, root: &'a Hash) -> Importance<'a> {
        Box::pin(async move {
            let info = self.content_info(root).await;
            let info = info.map_err(|error| ChainError(error.to_string()))?;
            Ok(match info.map(|info| info.priority) {
                None | Some(Priority::Low) => 0,
                Some(Priority::Normal) => 1,
                Some(Priority::High) => 2,
            })
        })
    }

    fn time_ms(&self) -> Time<'_> {
        Box::pin(async move {
            let count = self.rpc().get_block_count().await;
            let count = count.map_err(|error| ChainError(error.to_string()))?;
            let header = self.rpc().get_block_header(count.saturating_sub(1)).await;
            let header = header.map_err(|error| ChainError(error.to_string()))?;
            Ok(Some(header.time_ms))
        })
    }
}

/// A chain whose answers are remembered for a while.
pub struct CachedChain {
    chain: Arc<dyn Chain>,
    known: Mutex<Answers>,
    questions: Semaphore,
}

/// Answers by root, and in the order in which they came: the oldest makes room, whatever there is.
#[derive(Default)]
struct Answers {
    by_root: HashMap<Hash, (Option<PaidContent>, Instant)>,
    order: VecDeque<(Hash, Instant)>,
}

impl CachedChain {
    pub fn new(chain: Arc<dyn Chain>) -> Self {
        Self {
            chain,
            known: Mutex::default(),
            questions: Semaphore::new(MAX_QUESTIONS),
        }
    }

    /// As [`Chain::content`].
    pub async fn content(&self, root: &Hash) -> Result<Option<PaidContent>, ChainError> {
        if let Some(answer) = self.remembered(root) {
            return Ok(answer);
        }
        let stopped = |_| ChainError("the node stops".into());
        let _turn = self.questions.acquire().await.map_err(stopped)?;
        // Who waited for a turn may find that another one has asked.
        if let Some(answer) = self.remembered(root) {
            return Ok(answer);
        }
        let answer = tokio::time::timeout(QUESTION_TIMEOUT, self.chain.content(root))
            .await
            .map_err(|_| {
                ChainError(format!("no answer within {} s", QUESTION_TIMEOUT.as_secs()))
            })??;
        self.remember(*root, answer);
        Ok(answer)
    }

    /// As [`Chain::priority`]; not remembered.
    pub async fn priority(&self, root: &Hash) -> Result<u8, ChainError> {
        tokio::time::timeout(QUESTION_TIMEOUT, self.chain.priority(root))
            .await
            .map_err(|_| ChainError(format!("no answer within {} s", QUESTION_TIMEOUT.as_secs())))?
    }

    /// As [`Chain::time_ms`].
    pub async fn time_ms(&self) -> Result<Option<u64>, ChainError> {
        tokio::time::timeout(QUESTION_TIMEOUT, self.chain.time_ms())
            .await
            .map_err(|_| ChainError(format!("no answer within {} s", QUESTION_TIMEOUT.as_secs())))?
    }

    fn remembered(&self, root: &Hash) -> Option<Option<PaidContent>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, since) = known.by_root.get(root)?;
        fresh(answer, since).then_some(*answer)
    }

    fn remember(&self, root: Hash, answer: Option<PaidContent>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.put(root, answer, Instant::now());
    }
}

impl Answers {
    fn put(&mut self, root: Hash, answer: Option<PaidContent>, now: Instant) {
        self.by_root.insert(root, (answer, now));
        self.order.push_back((root, now));
        while self.order.len() > MAX_ENTRIES
            && let Some((root, since)) = self.order.pop_front()
        {
            // It may have been asked anew since.
            if self.by_root.get(&root).is_some_and(|(_, at)| *at == since) {
                self.by_root.remove(&root);
            }
        }
    }
}

fn fresh(answer: &Option<PaidContent>, since: &Instant) -> bool {
    let limit = if answer.is_some() {
        KNOWN_FOR
    } else {
        UNKNOWN_FOR
    };
    since.elapsed() < limit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root(n: usize) -> Hash {
        let mut root = Hash::default();
        root[..8].copy_from_slice(&n.to_le_bytes());
        root
    }

    #[test]
    fn the_oldest_answer_makes_room_and_a_newer_one_to_the_same_question_stays() {
        let (mut answers, start) = (Answers::default(), Instant::now());
        let at = |n: usize| start + Duration::from_micros(n as u64);
        for n in 0..MAX_ENTRIES {
            answers.put(root(n), None, at(n));
        }
        answers.put(root(0), None, at(MAX_ENTRIES));
        for n in MAX_ENTRIES..3 * MAX_ENTRIES / 2 {
            answers.put(root(n), None, at(n + 1));
        }
        assert!(answers.by_root.contains_key(&root(0)));
        assert!(!answers.by_root.contains_key(&root(1)));
        assert!(answers.by_root.len() <= MAX_ENTRIES);
        assert_eq!(answers.order.len(), MAX_ENTRIES);
    }
}
