//! Durable messages: acknowledged once they are on the disk. Beside them the disk alone: the same bytes appended to a file
//! and synced, in groups as large as all that can wait for our log; and RocksDB alone, with the same groups as synced batches.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Class;

use super::ours::Author;
use super::server::Server;

/// Publishers, each with one batch under way.
const PUBLISHERS: usize = 8;

/// Messages of a publisher's batch.
const BATCH: usize = 50;

/// Acknowledged messages in a second.
pub(super) async fn ours(server: &Server, size: usize, time: Duration) -> Result<f64> {
    let mut clients = Vec::new();
    for _ in 0..PUBLISHERS {
        clients.push((
            Arc::new(server.client().await?),
            Author::new(Class::Durable)?,
        ));
    }
    let payload = Bytes::from(vec![0x5a; size]);
    let start = Instant::now();
    let tasks: Vec<_> = clients
        .into_iter()
        .map(|(client, author)| {
            let payload = payload.clone();
            tokio::spawn(async move {
                let mut stored = 0;
                while start.elapsed() < time {
                    let batch = author.batch(std::iter::repeat_n(payload.clone(), BATCH))?;
                    for outcome in client.publish_batch(batch).await? {
                        outcome?;
                        stored += 1;
                    }
                }
                anyhow::Ok(stored)
            })
        })
        .collect();
    let mut stored = 0;
    for task in tasks {
        stored += task.await??;
    }
    Ok(f64::from(stored) / start.elapsed().as_secs_f64())
}

/// Messages in a second that the disk takes, written and synced in groups of all that our publishers have under way.
pub(super) fn disk(size: usize, time: Duration) -> Result<f64> {
    let message = Author::new(Class::Durable)?.single(Bytes::from(vec![0x5a; size]))?;
    let group = message.encode().repeat(PUBLISHERS * BATCH);
    let folder = tempfile::tempdir()?;
    let mut file = File::create(folder.path().join("log"))?;
    let (start, mut stored) = (Instant::now(), 0);
    while start.elapsed() < time {
        file.write_all(&group)?;
        file.sync_data()?;
        stored += PUBLISHERS * BATCH;
    }
    Ok(stored as f64 / start.elapsed().as_secs_f64())
}

/// The program that holds RocksDB, so that `phantasma` itself need not.
pub(super) const HANDS: &str = "phantasma-pdfs-bench";

/// Messages in a second that RocksDB takes in synced batches of all that our publishers have under way.
pub(super) fn rocksdb(hands: &Path, size: usize, time: Duration) -> Result<f64> {
    let message = Author::new(Class::Durable)?.single(Bytes::from(vec![0x5a; size]))?;
    let folder = tempfile::tempdir()?;
    let output = Command::new(hands)
        .arg("batches")
        .arg(folder.path().join("db"))
        .arg(message.encode().len().to_string())
        .arg((PUBLISHERS * BATCH).to_string())
        .arg(time.as_secs_f64().to_string())
        .output()
        .with_context(|| format!("starting {}", hands.display()))?;
    if !output.status.success() {
        let why = String::from_utf8_lossy(&output.stderr);
        bail!("{HANDS} batches: {}", why.trim());
    }
    let said: serde_json::Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("{HANDS} said something else than JSON"))?;
    said["messages_per_s"]
        .as_f64()
        .with_context(|| format!("{HANDS} said {said}"))
}
