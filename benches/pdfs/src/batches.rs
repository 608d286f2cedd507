//! RocksDB alone with the batches that a relay's log would give it: small messages, many in one synced write.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rocksdb::{DB, Options, WriteBatch, WriteOptions};
use serde_json::{Value, json};

use crate::disk::seeded;

/// Messages in a second, `group` of `size` bytes in each batch, for so many seconds.
pub(crate) fn measure(dir: &Path, size: usize, group: usize, seconds: f64) -> Result<Value> {
    let mut options = Options::default();
    options.create_if_missing(true);
    let db = DB::open(&options, dir).with_context(|| format!("open {}", dir.display()))?;
    let mut synced = WriteOptions::default();
    synced.set_sync(true);
    // Random, so that nothing is won by compression.
    let message = seeded(1, size);
    let time = Duration::from_secs_f64(seconds);
    let (start, mut position) = (Instant::now(), 0u64);
    while start.elapsed() < time {
        let mut batch = WriteBatch::default();
        for _ in 0..group {
            position += 1;
            batch.put(position.to_be_bytes(), &message);
        }
        db.write_opt(batch, &synced).context("write a batch")?;
    }
    let rate = position as f64 / start.elapsed().as_secs_f64();
    Ok(json!({"messages_per_s": rate}))
}
