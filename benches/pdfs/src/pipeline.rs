//! Encryption and hashing: each alone on one core, both together as a put does it.

use std::{path::Path, time::Instant};

use aes::Aes256;
use anyhow::Result;
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher},
};
use phantasma_sdk::content::{self, ContentKey};
use phantasma_wire::merkle::BLOCK_SIZE;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::disk::random;

/// Bytes that the primitives are given: 512 blocks, a tenth of a second.
const ROUNDS: usize = 2048;

/// Seconds a byte of AES-256-CTR, SHA-256 and our first pass, which also reads the file.
pub(crate) async fn measure(file: &Path) -> Result<Value> {
    let mut block = random(BLOCK_SIZE);
    let mut cipher = Ctr128BE::<Aes256>::new(&[7; 32].into(), &[0; 16].into());
    let aes = rate(|| cipher.apply_keystream(&mut block));
    let mut last = [0; 32];
    let sha = rate(|| last = Sha256::digest(&block).into());
    // Read once, so that all runs find the file in memory.
    let size = std::fs::read(file)?.len();
    let key = ContentKey::random();
    let started = Instant::now();
    let prepared = content::prepare(file, &key).await?;
    let ours = size as f64 / started.elapsed().as_secs_f64();
    // What was computed is used, or the compiler might leave it out.
    let used = last.first().copied().unwrap_or_default() ^ prepared.root()[0];
    Ok(json!({"aes": aes, "sha": sha, "ours": ours, "used": used}))
}

/// Bytes a second of something done to a block.
fn rate(mut once: impl FnMut()) -> f64 {
    let started = Instant::now();
    (0..ROUNDS).for_each(|_| once());
    (ROUNDS * BLOCK_SIZE) as f64 / started.elapsed().as_secs_f64()
}
