//! One answer's bytes, in order, with a few blocks on their way ahead of the reader.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, stream};
use phantasma_sdk::content::{ContentKey, apply_cipher};
use phantasma_wire::merkle::BLOCK_SIZE;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::AbortOnDropHandle;

use super::blocks::{Blocks, Failure};
use crate::store::Content;

const BLOCK: u64 = BLOCK_SIZE as u64;

/// Blocks of one answer that are on their way, at first: whoever seeks wants no more than this.
const AHEAD_AT_FIRST: usize = 2;

/// And when it is read on: 2 MiB, 160 Mbit/s at 100 ms.
const AHEAD: usize = 8;

/// Blocks ahead of all readers together: 16 MiB. Each answer may always have the one block that it gives next.
pub(super) const AHEAD_OF_ALL: usize = 64;

/// A range of a content that is being given.
pub(super) struct Reading {
    blocks: Arc<Blocks>,
    content: Content,
    key: Option<ContentKey>,
    /// The first byte.
    from: u64,
    /// What was not given yet.
    rest: Range<u64>,
    running: VecDeque<Running>,
    /// The block to begin with when there is room.
    next: u64,
    window: usize,
    ahead: Arc<Semaphore>,
    /// Answers are counted, too.
    _place: OwnedSemaphorePermit,
}

/// A block on its way; it is given up when nobody wants it any more.
struct Running {
    task: AbortOnDropHandle<Result<Bytes, Failure>>,
    _turn: Option<OwnedSemaphorePermit>,
}

impl Reading {
    pub(super) fn new(
        blocks: Arc<Blocks>,
        content: Content,
        key: Option<ContentKey>,
        range: Range<u64>,
        ahead: Arc<Semaphore>,
        place: OwnedSemaphorePermit,
    ) -> Self {
        Self {
            blocks,
            content,
            key,
            next: range.start / BLOCK,
            from: range.start,
            rest: range,
            running: VecDeque::new(),
            window: AHEAD_AT_FIRST,
            ahead,
            _place: place,
        }
    }

    /// The pieces, a block each. The first one is waited for here, so that an answer is only begun when it is there; dropping
    /// the stream ends the reading.
    pub(super) async fn start(
        mut self,
    ) -> Result<impl Stream<Item = Result<Bytes, Failure>> + Send + 'static, Failure> {
        let first = self.piece().await?;
        let others = stream::try_unfold(self, |mut this| async move {
            let piece = this.piece().await.inspect_err(|error| {
                tracing::warn!(root = %this.content.root, %error, "an answer breaks off");
            })?;
            Ok(piece.map(|piece| (piece, this)))
        });
        Ok(stream::iter(first.map(Ok)).chain(others))
    }

    async fn piece(&mut self) -> Result<Option<Bytes>, Failure> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        self.begin();
        let Some(running) = self.running.pop_front() else {
            return Err(Failure::Task("no block is on its way".into()));
        };
        let ended = running.task.await;
        let block = ended.map_err(|error| Failure::Task(error.to_string()))??;
        self.window = (2 * self.window).min(AHEAD);
        let from = self.rest.start % BLOCK;
        let end = (from + self.rest.end - self.rest.start).min(block.len() as u64);
        // Both lie inside of the block, whose length was checked when it was stored or fetched.
        let part = usize::try_from(from).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
        let mut piece = block.slice(part);
        if let Some(key) = &self.key {
            let mut plain = BytesMut::from(piece);
            apply_cipher(key, self.rest.start, &mut plain);
            piece = plain.freeze();
        }
        self.rest.start += piece.len() as u64;
        self.blocks.metrics().given(piece.len());
        Ok(Some(piece))
    }

    /// Puts blocks on their way until there are enough.
    fn begin(&mut self) {
        let end = self.rest.end.div_ceil(BLOCK);
        while self.running.len() < self.window && self.next < end {
            let turn = match self.running.is_empty() {
                true => None,
                false => match self.ahead.clone().try_acquire_owned() {
                    Ok(turn) => Some(turn),
                    Err(_) => return,
                },
            };
            let (blocks, content, index) = (self.blocks.clone(), self.content, self.next);
            let task = tokio::spawn(async move { blocks.block(&content, index).await });
            self.running.push_back(Running {
                task: AbortOnDropHandle::new(task),
                _turn: turn,
            });
            self.next += 1;
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let (root, end) = (self.content.root, self.rest.start);
        tracing::debug!(%root, from = self.from, end, left = self.rest.end - end, "given");
    }
}
