//! Looking at everything that is held: by the scrub while the node runs, by `fsck` while it does not.

use std::{
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

use phantasma_wire::merkle;

use super::{
    Store, StoreError,
    index::Location,
    types::{BlockId, ContentRoot},
};

/// Blocks looked up in the index at once: 50 bytes each.
const PAGE: usize = 1024;

/// Contents and their blocks looked up at once.
const CONTENT_PAGE: usize = 256;

/// What a look at everything found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Blocks whose record, checksums and hash are right.
    pub good_blocks: u64,
    pub good_bytes: u64,
    /// Blocks that are damaged on the disk. They are no longer offered, and can be uploaded again.
    pub damaged_blocks: u64,
    /// Places of contents whose block is not here: found damaged, now or earlier.
    pub missing_places: u64,
}

impl Health {
    /// Whether everything is as it should be.
    pub fn is_good(&self) -> bool {
        self.damaged_blocks == 0 && self.missing_places == 0
    }
}

impl Store {
    /// Reads every block once, at most `bytes_per_s` (0: as fast as it goes), and verifies record, checksums and hash.
    /// A damaged block is forgotten, so that it is fetched or uploaded anew and never given out.
    ///
    /// # Errors
    /// The index or the disk cannot be read; a damaged block is no error.
    pub async fn scrub(&self, bytes_per_s: u64) -> Result<Health, StoreError> {
        let mut health = Health::default();
        let mut after = None;
        loop {
            let mut page = self.shared.index.blocks(after.as_ref(), PAGE)?;
            let Some((last, _)) = page.last() else {
                break;
            };
            after = Some(*last);
            // In the order of the disk, which it can read ahead in.
            page.sort_by_key(|(_, at)| (at.segment, at.offset));
            for (id, at) in page {
                let started = Instant::now();
                self.verify(id, at, &mut health).await?;
                let due = match bytes_per_s {
                    0 => Duration::ZERO,
                    rate => Duration::from_secs_f64(f64::from(at.record_len) / rate as f64),
                };
                tokio::time::sleep(due.saturating_sub(started.elapsed())).await;
            }
        }
        health.missing_places = self.missing_places()?;
        Ok(health)
    }

    async fn verify(
        &self,
        id: BlockId,
        at: Location,
        health: &mut Health,
    ) -> Result<(), StoreError> {
        let _turn = self.reads.acquire().await.map_err(|_| StoreError::Closed)?;
        let shared = self.shared.clone();
        let work = move || {
            // Past the cache: a look at everything pushes nothing out, and sees what is on the disk.
            let read = shared.read(&id, at, false).map(|body| {
                let right = merkle::block_id(&body).is_ok_and(|actual| actual == id.0);
                (right, body.len() as u64)
            });
            // What has moved or gone meanwhile is not damaged.
            if shared.index.location(&id)? != Some(at) {
                return Ok(None);
            }
            match read {
                Ok((true, len)) => Ok(Some((true, len))),
                Ok((false, len)) => {
                    tracing::error!(%id, "a block does not hash to its id; it is no longer offered");
                    shared.forget(&id)?;
                    Ok(Some((false, len)))
                }
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::error!(%error, "found by looking");
                    shared.forget(&id)?;
                    Ok(Some((false, 0)))
                }
                Err(error) => Err(error),
            }
        };
        let looked = tokio::task::spawn_blocking(work).await;
        match looked.map_err(|_| StoreError::Closed)?? {
            Some((true, len)) => {
                health.good_blocks += 1;
                health.good_bytes += len;
            }
            Some((false, _)) => health.damaged_blocks += 1,
            None => return Ok(()),
        }
        self.shared
            .counters
            .bytes_scrubbed
            .fetch_add(u64::from(at.record_len), Relaxed);
        Ok(())
    }

    /// Of up to `limit` places of a content from `from` on, those whose block is not held: it was found damaged. And where
    /// to go on, unless that was the end.
    pub fn missing(
        &self,
        root: &ContentRoot,
        from: u64,
        limit: usize,
    ) -> Result<(Vec<u64>, Option<u64>), StoreError> {
        let places = self.shared.index.members(root, from, limit)?;
        let next = places.last().map(|(index, _)| index + 1);
        let mut missing = Vec::new();
        for (index, id) in &places {
            if !self.has(id)? {
                missing.push(*index);
            }
        }
        Ok((missing, next.filter(|_| places.len() == limit)))
    }

    /// Places that are known and whose block is not held.
    fn missing_places(&self) -> Result<u64, StoreError> {
        let mut missing = 0;
        let mut after: Option<ContentRoot> = None;
        loop {
            let contents = self.contents(after.as_ref(), CONTENT_PAGE)?;
            let Some(last) = contents.last() else {
                return Ok(missing);
            };
            after = Some(last.root);
            for content in &contents {
                let mut from = 0;
                loop {
                    let places = self.shared.index.members(&content.root, from, PAGE)?;
                    let Some((last, _)) = places.last() else {
                        break;
                    };
                    from = last + 1;
                    for (_, id) in &places {
                        missing += u64::from(!self.has(id)?);
                    }
                }
            }
        }
    }
}
