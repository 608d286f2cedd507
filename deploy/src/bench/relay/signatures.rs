//! What signatures allow: one a message, and one a batch.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use bytes::Bytes;
use phantasma_net::verify_signature;
use phantasma_wire::batch::{Batch, MAX_BATCH};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::{Class, Message};

use super::ours::Author;
use super::server::Server;

/// Batches on their way at the same time.
const IN_FLIGHT: usize = 4;

/// Messages in a second.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    /// Signatures that one core checks: the bound of messages that are signed one by one.
    pub(super) single: f64,
    /// Messages of batches that one core reads and checks.
    pub(super) checked: f64,
    /// Messages of batches that one author signs, sends through the relay and has acknowledged; all programs together
    /// on this machine.
    pub(super) published: f64,
}

pub(super) async fn run(server: &Server, size: usize, time: Duration) -> Result<Rates> {
    let author = Author::new(Class::Ephemeral)?;
    let payload = Bytes::from(vec![0x5a; size]);
    Ok(Rates {
        single: single(&author, &payload, time)?,
        checked: checked(&author, &payload, time)?,
        published: published(server, &payload, time).await?,
    })
}

/// As the relay checks a message that comes alone.
fn single(author: &Author, payload: &Bytes, time: Duration) -> Result<f64> {
    let message = Message::decode(author.single(payload.clone())?.encode())?;
    per_second(time, || {
        ensure!(message.is_signed(verify_signature), "a signature is wrong");
        Ok(1)
    })
}

/// As the relay checks a batch: from its bytes to messages with their paths.
fn checked(author: &Author, payload: &Bytes, time: Duration) -> Result<f64> {
    let encoded = author
        .batch(std::iter::repeat_n(payload.clone(), largest(payload.len())))?
        .encode();
    per_second(time, || {
        let messages = Batch::decode(encoded.clone())?.into_messages(verify_signature);
        let count = messages.map_or(0, |messages| messages.len());
        ensure!(count > 0, "a signature is wrong");
        Ok(count)
    })
}

async fn published(server: &Server, payload: &Bytes, time: Duration) -> Result<f64> {
    let client = Arc::new(server.client().await?);
    let author = Arc::new(Author::new(Class::Ephemeral)?);
    let count = largest(payload.len());
    let start = Instant::now();
    let tasks: Vec<_> = (0..IN_FLIGHT)
        .map(|_| {
            let (client, author, payload) = (client.clone(), author.clone(), payload.clone());
            tokio::spawn(async move {
                let mut done = 0;
                while start.elapsed() < time {
                    let batch = author.batch(std::iter::repeat_n(payload.clone(), count))?;
                    for outcome in client.publish_batch(batch).await? {
                        outcome?;
                        done += 1;
                    }
                }
                anyhow::Ok(done)
            })
        })
        .collect();
    let mut done = 0;
    for task in tasks {
        done += task.await??;
    }
    Ok(f64::from(done) / start.elapsed().as_secs_f64())
}

/// Messages of this size that one batch holds.
pub(super) fn largest(size: usize) -> usize {
    let each = 4 + phantasma_wire::message::HEADER_LEN + size;
    (Batch::MAX_BODIES / each).min(MAX_BATCH)
}

fn per_second(time: Duration, mut work: impl FnMut() -> Result<usize>) -> Result<f64> {
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < time {
        done += work()?;
    }
    Ok(done as f64 / start.elapsed().as_secs_f64())
}
