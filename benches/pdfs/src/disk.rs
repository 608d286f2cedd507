//! The disk without anything on top.

use std::{fs::File, io::Write, path::Path, time::Instant};

use anyhow::{Context, Result};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};

use crate::NOTHING;

/// Bytes a write: large enough that calls do not count.
const PIECE: usize = 4 << 20;

/// Writes `bytes`, then one fsync.
pub(crate) fn write(path: &Path, bytes: u64) -> Result<Value> {
    let piece = random(PIECE);
    let started = Instant::now();
    let mut file = create(path)?;
    let mut left = bytes;
    while left > 0 {
        let take = left.min(PIECE as u64);
        let part = piece.get(..usize::try_from(take)?).unwrap_or_default();
        file.write_all(part)
            .with_context(|| format!("write {}", path.display()))?;
        left -= take;
    }
    file.sync_all()
        .with_context(|| format!("sync {}", path.display()))?;
    Ok(json!({"seconds": started.elapsed().as_secs_f64()}))
}

/// Makes a file to work on.
pub(crate) fn make(path: &Path, bytes: u64, hole: bool) -> Result<Value> {
    let mut file = create(path)?;
    let written = if hole {
        file.set_len(bytes)
    } else {
        let mut seed = 0;
        let mut left = bytes;
        let mut write = || {
            while left > 0 {
                let take = left.min(PIECE as u64) as usize;
                seed += 1;
                file.write_all(&seeded(seed, take))?;
                left -= take as u64;
            }
            file.sync_all()
        };
        write()
    };
    written.with_context(|| format!("write {}", path.display()))?;
    Ok(NOTHING)
}

pub(crate) fn random(len: usize) -> Vec<u8> {
    seeded(0, len)
}

/// Bytes of their own for each seed.
pub(crate) fn seeded(seed: u64, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    SmallRng::seed_from_u64(seed).fill(&mut bytes);
    bytes
}

fn create(path: &Path) -> Result<File> {
    File::create(path).with_context(|| format!("create {}", path.display()))
}
