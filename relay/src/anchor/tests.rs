//! Anchors over an in-memory chain and a real log.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use bytes::Bytes;
use phantasma_net::Identity;
use phantasma_wire::message::{Class, Message, Unsigned};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::*;
use crate::log::LogConfig;
use crate::testing::MemoryChain;

const BOX: u64 = 9;

struct Fixture {
    chain: Arc<MemoryChain>,
    folder: TempDir,
    author: Identity,
}

struct Running {
    anchors: Arc<Anchors>,
    log: Arc<Log>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            chain: Arc::new(MemoryChain::with_boxes([1, 2, BOX])),
            folder: tempfile::tempdir().unwrap(),
            author: Identity::random().unwrap(),
        }
    }

    fn start(&self) -> Running {
        let config = LogConfig {
            folder: self.folder.path().to_path_buf(),
            max_bytes: 1 << 20,
            segment_bytes: 1 << 16,
            keep_ms: 1_000_000,
        };
        let (log, _) = Log::open(config, 0, Box::new(|_: &[u64]| {})).unwrap();
        let limits = AnchorLimits {
            box_id: Some(BOX),
            every: Duration::from_millis(50),
        };
        let anchors = Anchors::open(&self.folder.path().join("anchors"), limits);
        let (log, anchors) = (Arc::new(log), Arc::new(anchors.unwrap()));
        let anchorer = Anchorer {
            anchors: anchors.clone(),
            log: log.clone(),
            chain: self.chain.clone(),
            metrics: Metrics::new().0,
        };
        let stop = CancellationToken::new();
        Running {
            task: tokio::spawn(anchorer.run(stop.clone())),
            anchors,
            log,
            stop,
        }
    }

    fn message(&self, sequence: u64) -> Message {
        let unsigned = Unsigned {
            network: 1,
            contract: [7; 20],
            author: self.author.public_key(),
            box_id: 1 + sequence % 2,
            sequence,
            time_ms: 5,
            class: Class::Durable,
            payload: Bytes::from_static(b"\x11"),
        };
        unsigned
            .sign(|bytes| self.author.sign(bytes).unwrap())
            .unwrap()
    }
}

impl Running {
    async fn keep(&self, message: &Message) -> u64 {
        let (done, position) = oneshot::channel();
        let done = |result| drop(done.send(result));
        self.log.append(message, 1, done).await.unwrap();
        position.await.unwrap().unwrap()
    }

    /// Waits for the proof; a test that waits for one that never comes fails instead of hanging.
    async fn proof(&self, position: u64) -> AnchorProof {
        for _ in 0..500 {
            match self.anchors.proof(position) {
                Ok(proof) => return proof,
                Err(_) => sleep(Duration::from_millis(20)).await,
            }
        }
        self.anchors.proof(position).unwrap()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        let log = self.log.clone();
        tokio::task::spawn_blocking(move || log.close())
            .await
            .unwrap();
    }
}

#[tokio::test]
async fn every_kept_message_leads_to_what_stands_on_the_chain() {
    let fixture = Fixture::new();
    let running = fixture.start();
    let messages: Vec<_> = (1..=20).map(|n| fixture.message(n)).collect();
    let mut positions = Vec::new();
    for message in &messages {
        positions.push(running.keep(message).await);
    }
    for (position, message) in positions.iter().zip(&messages) {
        let proof = running.proof(*position).await;
        proof.check(&message.id()).unwrap();
        let content = data_content(&proof.anchor.to_bytes()).unwrap();
        let index = usize::try_from(proof.index).unwrap();
        assert_eq!(fixture.chain.contents(BOX)[index], content);
    }
    let anchors = fixture.chain.contents(BOX).len();
    sleep(Duration::from_millis(300)).await;
    assert_eq!(fixture.chain.contents(BOX).len(), anchors, "nothing new");
    running.end().await;
}

#[tokio::test]
async fn a_void_transaction_is_made_anew_and_a_lost_answer_is_not() {
    let fixture = Fixture::new();
    fixture.chain.expire.store(1, Ordering::Relaxed);
    fixture.chain.lose_answers.store(2, Ordering::Relaxed);
    let running = fixture.start();
    let position = running.keep(&fixture.message(1)).await;
    running.proof(position).await;
    assert_eq!(fixture.chain.contents(BOX).len(), 1);
    running.end().await;
}

#[tokio::test]
async fn a_restart_goes_on_where_the_anchors_ended() {
    let fixture = Fixture::new();
    fixture.chain.write_ms.store(400, Ordering::Relaxed);
    let running = fixture.start();
    let (first, second) = (fixture.message(1), fixture.message(2));
    let position = running.keep(&first).await;
    // Until it is on its way, but in no block.
    while running.anchors.store().open_one().is_none() {
        sleep(Duration::from_millis(10)).await;
    }
    running.end().await;
    assert!(fixture.chain.contents(BOX).is_empty());

    let running = fixture.start();
    running.proof(position).await.check(&first.id()).unwrap();
    let position = running.keep(&second).await;
    running.proof(position).await.check(&second.id()).unwrap();
    assert_eq!(fixture.chain.contents(BOX).len(), 2);
    running.end().await;
}
