//! The merger over an in-memory chain: what comes into which transaction, and that nothing comes twice.
#![allow(clippy::unwrap_used)]

use std::sync::atomic::Ordering;

use bytes::Bytes;
use phantasma_net::Identity;
use phantasma_wire::message::Unsigned;
use tempfile::TempDir;

use super::*;
use crate::anchor::Anchors;
use crate::cache::{BoxCache, CacheTimes};
use crate::config::{ChainId, Limits, LiveLimits};
use crate::dedup::{Dedup, Entered, verdict};
use crate::gates::Gates;
use crate::hub::Hub;
use crate::log::{Log, LogConfig};
use crate::metrics::Metrics;
use crate::testing::{FEE, MemoryChain};

const NETWORK: u32 = 7;

struct Fixture {
    chain: Arc<MemoryChain>,
    folder: TempDir,
    limits: Limits,
    author: Identity,
}

/// A running merger and the way in.
struct Running {
    intake: Arc<Intake>,
    stop: CancellationToken,
    task: tokio::task::JoinHandle<()>,
}

impl Fixture {
    fn new() -> Self {
        Self {
            chain: Arc::new(MemoryChain::with_boxes([1, 2])),
            folder: tempfile::tempdir().unwrap(),
            limits: Limits::default(),
            author: Identity::random().unwrap(),
        }
    }

    fn start(&self) -> Running {
        let (to_chain, queue) = mpsc::channel(self.limits.chain_queue);
        let hub = Arc::new(Hub::new(self.limits.hub));
        let log = LogConfig {
            folder: self.folder.path().to_path_buf(),
            max_bytes: 1 << 20,
            segment_bytes: 1 << 16,
            keep_ms: 1000,
        };
        let (log, _) = Log::open(log, 0, Box::new(|_: &[u64]| {})).unwrap();
        let journal = Journal::open(&self.folder.path().join("chain")).unwrap();
        let dedup = Dedup::new(1000, self.limits.time_window);
        journal
            .outcomes()
            .for_each(|(id, outcome)| dedup.restore(id, outcome, 1_000_000));
        for id in journal.open_ones().iter().flat_map(|open| &open.messages) {
            let _ = dedup.enter(*id, Class::OnChain);
        }
        let times = CacheTimes {
            known: Duration::from_secs(1),
            unknown: Duration::from_secs(1),
            gate: Duration::from_secs(1),
        };
        let chain_id = ChainId {
            network: NETWORK,
            contract: [7; 20],
        };
        let intake = Arc::new(Intake {
            chain_id,
            limits: LiveLimits::new(self.limits.clone()),
            gates: Arc::new(Gates::new(self.chain.clone(), chain_id, times)),
            boxes: BoxCache::new(self.chain.clone(), times),
            dedup,
            hub,
            log: Arc::new(log),
            anchors: Arc::new(
                Anchors::open(&self.folder.path().join("anchors"), self.limits.anchor).unwrap(),
            ),
            metrics: Metrics::new().0,
            links: Arc::new(crate::peer::Links::new(
                None,
                self.folder.path().to_path_buf(),
                [2; 33],
                Default::default(),
            )),
            keep_ms: 3_600_000,
            clock: Arc::new(|| 1_000_000),
            to_chain,
        });
        let stop = CancellationToken::new();
        let merger = Merger::new(intake.clone(), self.chain.clone(), journal);
        let task = tokio::spawn(merger.run(queue, stop.clone()));
        Running { intake, stop, task }
    }

    fn message(&self, sequence: u64, payload: u8) -> Message {
        let unsigned = Unsigned {
            network: NETWORK,
            contract: [7; 20],
            author: self.author.public_key(),
            box_id: 1,
            sequence,
            time_ms: 1_000_000,
            class: Class::OnChain,
            payload: Bytes::copy_from_slice(&[payload]),
        };
        unsigned
            .sign(|bytes| self.author.sign(bytes).unwrap())
            .unwrap()
    }
}

impl Running {
    /// Sends all at once and waits for the verdicts, in order.
    async fn send(&self, messages: &[Message]) -> Vec<Verdict> {
        let mut pending = Vec::new();
        for message in messages {
            pending.push(self.intake.accept(message.clone()).await);
        }
        let mut verdicts = Vec::new();
        for one in pending {
            verdicts.push(match one {
                Ok(pending) => verdict(pending).await,
                Err(refusal) => Err(refusal),
            });
        }
        verdicts
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    /// As kill -9: nothing is told, nothing is finished.
    async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
        let log = self.intake.log.clone();
        tokio::task::spawn_blocking(move || log.close())
            .await
            .unwrap();
    }
}

fn index(verdict: &Verdict) -> Option<u64> {
    match verdict {
        Ok(Outcome::OnChain { index, .. }) => Some(*index),
        _ => None,
    }
}

fn indices(verdicts: &[Verdict]) -> Vec<Option<u64>> {
    verdicts.iter().map(index).collect()
}

#[tokio::test]
async fn what_waits_goes_into_one_transaction_within_the_limits() {
    let mut fixture = Fixture::new();
    fixture.limits.merge.messages = 10;
    let running = fixture.start();
    let sent: Vec<_> = (1..=25).map(|n| fixture.message(n, 0)).collect();
    let expected: Vec<_> = (0..25).map(Some).collect();
    assert_eq!(indices(&running.send(&sent).await), expected);
    assert_eq!(fixture.chain.blocks(), [10, 10, 5]);
    assert_eq!(fixture.chain.messages(), sent);
    assert_eq!(fixture.chain.most_at_once.load(Ordering::Relaxed), 1);
    running.end().await;
}

#[tokio::test]
async fn one_that_the_contract_refuses_is_told_alone_and_the_others_stay_together() {
    let fixture = Fixture::new();
    fixture.chain.refused.lock().unwrap().insert(66);
    let running = fixture.start();
    let sent: Vec<_> = (1..=20)
        .map(|n| fixture.message(n, if n == 7 { 66 } else { 1 }))
        .collect();
    let verdicts = running.send(&sent).await;
    assert_eq!(verdicts.iter().filter(|v| v.is_err()).count(), 1);
    assert_eq!(
        verdicts[6],
        Err(Refusal::new(RelayError::Fault, "payload 66 is refused"))
    );
    assert_eq!(fixture.chain.blocks(), [19]);
    running.end().await;
}

#[tokio::test]
async fn what_fails_in_its_block_is_tried_again_in_halves() {
    let fixture = Fixture::new();
    fixture.chain.fault.store(2, Ordering::Relaxed);
    let running = fixture.start();
    let sent: Vec<_> = (1..=8).map(|n| fixture.message(n, 0)).collect();
    let expected: Vec<_> = (0..8).map(Some).collect();
    assert_eq!(indices(&running.send(&sent).await), expected);
    assert_eq!(fixture.chain.blocks(), [2, 2, 4]);
    running.end().await;
}

#[tokio::test]
async fn a_sequence_that_comes_too_late_is_refused_and_nothing_else() {
    let fixture = Fixture::new();
    let running = fixture.start();
    let sent: Vec<_> = [2, 1, 3].map(|n| fixture.message(n, 0)).into();
    let verdicts = running.send(&sent).await;
    assert_eq!(indices(&verdicts), [Some(0), None, Some(1)]);
    running.end().await;
}

#[tokio::test]
async fn fees_bound_a_transaction_and_a_message() {
    let mut fixture = Fixture::new();
    fixture.limits.merge.fees = 3 * FEE;
    let running = fixture.start();
    let sent: Vec<_> = (1..=8).map(|n| fixture.message(n, 0)).collect();
    running.send(&sent).await;
    assert_eq!(fixture.chain.blocks(), [2, 2, 2, 2]);
    running.end().await;

    fixture.limits.merge.fees = FEE - 1;
    let running = fixture.start();
    let verdicts = running.send(&[fixture.message(9, 0)]).await;
    let refusal = verdicts[0].clone().unwrap_err();
    assert_eq!(refusal.error, RelayError::Limit);
    assert!(refusal.text.contains("0.000001 GAS"), "{}", refusal.text);
    running.end().await;
}

#[tokio::test]
async fn lost_answers_and_void_transactions_write_nothing_twice() {
    let fixture = Fixture::new();
    fixture.chain.lose_answers.store(1, Ordering::Relaxed);
    fixture.chain.expire.store(1, Ordering::Relaxed);
    let running = fixture.start();
    let sent: Vec<_> = (1..=3).map(|n| fixture.message(n, 0)).collect();
    let expected: Vec<_> = (0..3).map(Some).collect();
    assert_eq!(indices(&running.send(&sent).await), expected);
    assert_eq!(fixture.chain.messages(), sent);
    running.end().await;
}

#[tokio::test]
async fn a_relay_that_was_killed_knows_what_it_sent() {
    let fixture = Fixture::new();
    fixture.chain.write_ms.store(700, Ordering::Relaxed);
    let sent: Vec<_> = (1..=3).map(|n| fixture.message(n, 0)).collect();
    let running = fixture.start();
    for message in &sent {
        running.intake.accept(message.clone()).await.unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    running.kill().await;
    assert!(fixture.chain.messages().is_empty(), "killed too late");

    // The publisher, who has no answer, sends all again.
    let running = fixture.start();
    let expected: Vec<_> = (0..3).map(Some).collect();
    assert_eq!(indices(&running.send(&sent).await), expected);
    running.kill().await;
    // And again, after the outcome was known.
    let running = fixture.start();
    assert_eq!(indices(&running.send(&sent).await), expected);
    assert_eq!(fixture.chain.messages(), sent);
    running.end().await;
}

#[tokio::test]
async fn who_was_told_that_it_may_still_come_gets_the_outcome_later() {
    let mut fixture = Fixture::new();
    fixture.limits.chain_timeout = Duration::from_millis(100);
    fixture.chain.write_ms.store(900, Ordering::Relaxed);
    let running = fixture.start();
    let message = fixture.message(1, 0);
    let first = running.send(std::slice::from_ref(&message)).await;
    let refusal = first[0].clone().unwrap_err();
    assert!(refusal.text.contains("may still come"), "{}", refusal.text);
    assert!(matches!(
        running.intake.dedup.enter([9; 32], Class::OnChain),
        Entered::New { .. }
    ));
    let second = running.send(std::slice::from_ref(&message)).await;
    assert_eq!(indices(&second), [Some(0)]);
    assert_eq!(fixture.chain.messages(), [message]);
    running.end().await;
}

#[tokio::test]
async fn what_was_written_down_but_never_left_is_sent_after_a_restart() {
    let fixture = Fixture::new();
    let message = fixture.message(1, 0);
    let ready = fixture.chain.prepare(std::slice::from_ref(&message)).await;
    let mut journal = Journal::open(&fixture.folder.path().join("chain")).unwrap();
    let ids = [message.id()];
    journal.begin(&ready.unwrap(), &ids, 1_000_000).unwrap();

    let running = fixture.start();
    let verdicts = running.send(std::slice::from_ref(&message)).await;
    assert_eq!(indices(&verdicts), [Some(0)]);
    assert_eq!(fixture.chain.messages(), [message]);
    running.end().await;
}
