//! Our fan-out: an author signs batches, the relay checks them and sends each message to every reader, who checks it again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use bytes::Bytes;
use phantasma_net::Identity;
use phantasma_sdk::relay::{Messages, RelayClient, Since};
use phantasma_wire::batch::Batch;
use phantasma_wire::message::{Class, Message, Unsigned};

use super::load::{Flow, Load, Measured, SUBSCRIBERS};
use super::server::{SERVED, Server};

const BOX: u64 = 1;

/// Batches on their way to the relay at the same time.
const IN_FLIGHT: usize = 2;

/// Writes messages of one class, each with a new sequence number.
#[derive(Debug)]
pub(super) struct Author {
    identity: Identity,
    class: Class,
    sequence: AtomicU64,
}

impl Author {
    pub(super) fn new(class: Class) -> Result<Self> {
        Ok(Self {
            identity: Identity::random()?,
            class,
            sequence: AtomicU64::new(1),
        })
    }

    pub(super) fn body(&self, payload: Bytes) -> Unsigned {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Unsigned {
            network: SERVED.network,
            contract: SERVED.contract,
            author: self.identity.public_key(),
            box_id: BOX,
            sequence: self.sequence.fetch_add(1, Ordering::Relaxed),
            time_ms: now.map_or(0, |now| now.as_millis() as u64),
            class: self.class,
            payload,
        }
    }

    /// A message with a signature of its own.
    pub(super) fn single(&self, payload: Bytes) -> Result<Message> {
        let body = self.body(payload);
        let signature = self.identity.sign(&body.signing_bytes())?;
        Ok(body.sign(|_| signature)?)
    }

    pub(super) fn batch(&self, payloads: impl Iterator<Item = Bytes>) -> Result<Batch> {
        let bodies = payloads.map(|payload| self.body(payload)).collect();
        let mut failed = None;
        let batch = Batch::sign(bodies, |bytes| {
            self.identity.sign(bytes).unwrap_or_else(|error| {
                failed = Some(error);
                [0; 64]
            })
        });
        match failed {
            Some(error) => Err(error.into()),
            None => Ok(batch?),
        }
    }
}

/// A publisher and its readers.
#[derive(Debug)]
pub(super) struct Ours {
    publisher: Arc<RelayClient>,
    readers: Vec<RelayClient>,
    subscriptions: Vec<Messages>,
}

impl Ours {
    pub(super) async fn connect(server: &Server) -> Result<Self> {
        let (mut readers, mut subscriptions) = (Vec::new(), Vec::new());
        for _ in 0..SUBSCRIBERS {
            let reader = server.client().await?;
            subscriptions.push(reader.subscribe(BOX, Since::Now).await?);
            readers.push(reader);
        }
        Ok(Self {
            publisher: Arc::new(server.client().await?),
            readers,
            subscriptions,
        })
    }

    pub(super) async fn run(&mut self, load: Load) -> Result<Measured> {
        let flow = Arc::new(Flow::new(load));
        let readers: Vec<_> = std::mem::take(&mut self.subscriptions)
            .into_iter()
            .map(|messages| tokio::spawn(read(messages, flow.clone())))
            .collect();
        let author = Arc::new(Author::new(Class::Ephemeral)?);
        let publishers: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (client, author, flow) = (self.publisher.clone(), author.clone(), flow.clone());
                tokio::spawn(async move { publish(&client, &author, &flow).await })
            })
            .collect();
        let seen = {
            let flow = flow.clone();
            tokio::task::spawn_blocking(move || flow.watch()).await?
        };
        for publisher in publishers {
            publisher.await??;
        }
        for reader in readers {
            self.subscriptions.push(reader.await??);
        }
        Ok(flow.measured(seen))
    }

    pub(super) async fn close(self) -> Result<()> {
        for reader in self.readers {
            reader.close().await;
        }
        let publisher = Arc::into_inner(self.publisher).context("the publisher is still used")?;
        publisher.close().await;
        Ok(())
    }
}

async fn publish(client: &RelayClient, author: &Author, flow: &Flow) -> Result<()> {
    while let Some(count) = flow.take() {
        if count == 0 {
            tokio::time::sleep(Duration::from_micros(200)).await;
            continue;
        }
        let batch = author.batch((0..count).map(|_| flow.payload()))?;
        for outcome in client.publish_batch(batch).await? {
            outcome?;
        }
    }
    Ok(())
}

async fn read(mut messages: Messages, flow: Arc<Flow>) -> Result<Messages> {
    let mut notes = flow.notes();
    while !flow.stopped() {
        match tokio::time::timeout(Duration::from_millis(50), messages.next()).await {
            Ok(received) => {
                let received = received?.context("the relay ended a subscription")?;
                notes.got(&received.message.body.payload);
            }
            Err(_) => continue,
        }
    }
    drop(notes);
    // What is still under way belongs to this measurement.
    while let Ok(received) = tokio::time::timeout(Duration::from_millis(50), messages.next()).await
    {
        received?;
    }
    Ok(messages)
}
