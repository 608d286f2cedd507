//! What the node needs to know from the chain: is this content paid for, how long, and how large is it.

use std::{
    collections::HashMap,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use phantasma_sdk::contract::Phantasma;
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

/// Whoever knows which contents are paid for.
pub trait Chain: Send + Sync + 'static {
    /// The content with this root, or `None`.
    fn content<'a>(&'a self, root: &'a Hash) -> Answer<'a>;
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
}

/// A chain whose answers are remembered for a while.
pub struct CachedChain {
    chain: Arc<dyn Chain>,
    known: Mutex<HashMap<Hash, (Option<PaidContent>, Instant)>>,
    questions: Semaphore,
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

    fn remembered(&self, root: &Hash) -> Option<Option<PaidContent>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let (answer, since) = known.get(root)?;
        fresh(answer, since).then_some(*answer)
    }

    fn remember(&self, root: Hash, answer: Option<PaidContent>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_ENTRIES {
            known.retain(|_, (answer, since)| fresh(answer, since));
        }
        if known.len() < MAX_ENTRIES {
            known.insert(root, (answer, Instant::now()));
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
