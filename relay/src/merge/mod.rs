//! The one task that writes to the chain: what waits goes into one transaction, in the order in which it came, so that
//! the balance of the relay's account and the order of an author's sequence numbers are always known.
//!
//! The contract takes all messages of a transaction or none. So those that it would refuse are found by test runs, which
//! cost nothing, and answered alone; what fails on the chain all the same is tried again in halves.

pub(crate) mod journal;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use phantasma_wire::Hash;
use phantasma_wire::message::{Class, Message};
use phantasma_wire::relay::{Outcome, RelayError};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::chain::{Chain, ChainError, Fate, Ready, Sent};
use crate::dedup::{Refusal, Verdict};
use crate::intake::Intake;
pub use journal::JournalError;
use journal::{Journal, Open};

/// Between two looks for a transaction, and two tries to reach the node.
const PAUSE: Duration = Duration::from_millis(500);

/// How long the first message of a batch waits for others: short beside a block, long beside a burst.
const LINGER: Duration = Duration::from_millis(50);

/// Bytes of script around a message's payload: its other arguments, their array, and the call.
const CALL_BYTES: usize = 200;

/// Neo takes scripts of up to 65,535 bytes.
const MAX_SCRIPT: usize = 65_000;

/// Transactions that are void (no block took them) or rejected, before their messages are given back.
const MAX_TRIES: usize = 3;

/// Bounds of one transaction.
#[derive(Debug, Clone, Copy)]
pub struct MergeLimits {
    /// Messages in it.
    pub messages: usize,
    /// What it may cost, in datoshi (10⁻⁸ GAS), fees of the network included. A single message that costs more is
    /// refused.
    pub fees: i64,
}

/// What the task needs.
pub(crate) struct Merger {
    pub(crate) intake: Arc<Intake>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) journal: Journal,
    /// Taken from the queue, but too long for the batch before.
    held: Option<Message>,
}

/// What became of one transaction's messages.
enum Attempt {
    /// All have the same fate.
    All(Result<(Hash, Vec<u64>), Refusal>),
    /// Some of them are to blame: smaller ones, please.
    Split,
}

impl Merger {
    pub(crate) fn new(intake: Arc<Intake>, chain: Arc<dyn Chain>, journal: Journal) -> Self {
        Self {
            intake,
            chain,
            journal,
            held: None,
        }
    }

    /// Until `stop`; after that nothing new is taken, and it ends when the queue is empty.
    pub(crate) async fn run(mut self, mut queue: mpsc::Receiver<Message>, stop: CancellationToken) {
        for open in self.journal.open_ones() {
            self.settle_earlier(open).await;
        }
        while let Some(batch) = self.gather(&mut queue, &stop).await {
            let mut todo = vec![batch];
            while let Some(mut group) = todo.pop() {
                match self.write(&group).await {
                    Attempt::All(result) => self.answer(&group, result),
                    Attempt::Split => {
                        let right = group.split_off(group.len() / 2);
                        todo.push(right);
                        todo.push(group);
                    }
                }
            }
            self.forget();
        }
    }

    /// What waits, as far as it fits into one transaction, without what an earlier one has written.
    async fn gather(
        &mut self,
        queue: &mut mpsc::Receiver<Message>,
        stop: &CancellationToken,
    ) -> Option<Vec<Message>> {
        let mut batch = Vec::new();
        let (mut bytes, mut until) = (0, None);
        let known: HashMap<Hash, Outcome> = self.journal.outcomes().collect();
        loop {
            let next = match self.held.take() {
                Some(message) => Some(message),
                None => receive(queue, stop, until).await,
            };
            let Some(message) = next else { break };
            if let Some(outcome) = known.get(&message.id()) {
                self.finish(&message, Ok(*outcome));
                continue;
            }
            let more = message.body.payload.len() + CALL_BYTES;
            if !batch.is_empty() && bytes + more > MAX_SCRIPT {
                self.held = Some(message);
                break;
            }
            bytes += more;
            batch.push(message);
            until.get_or_insert_with(|| Instant::now() + LINGER);
            if batch.len() >= self.intake.limits.now().merge.messages {
                break;
            }
        }
        match batch.is_empty() {
            true => None,
            false => Some(self.sift(batch).await),
        }
    }

    /// Answers those that the contract would refuse, each with its own reason; gives the others.
    async fn sift(&self, batch: Vec<Message>) -> Vec<Message> {
        let mut good = Vec::new();
        let mut todo = vec![batch];
        while let Some(mut group) = todo.pop() {
            match self.chain.prepare(&group).await {
                Err(ChainError::Fault(text)) if group.len() == 1 => {
                    self.answer(&group, Err(Refusal::new(RelayError::Fault, text)));
                }
                Err(ChainError::Fault(_)) => {
                    let right = group.split_off(group.len() / 2);
                    todo.push(right);
                    todo.push(group);
                }
                // Whatever else is wrong is the next step's to deal with.
                Ok(_) | Err(ChainError::Rejected(_) | ChainError::Unreachable(_)) => {
                    good.append(&mut group);
                }
            }
        }
        good
    }

    /// One transaction for all of these.
    async fn write(&mut self, group: &[Message]) -> Attempt {
        let deadline = Instant::now() + self.intake.limits.now().chain_timeout;
        let mut last = String::new();
        for _ in 0..MAX_TRIES {
            if group.is_empty() {
                return Attempt::All(Ok(Default::default()));
            }
            let ready = match self.prepare(group, deadline).await {
                Ok(ready) => ready,
                Err(attempt) => return attempt,
            };
            match self.send(group, &ready, deadline).await {
                Ok(Fate::Written(indices)) => {
                    self.intake.metrics.chain_transactions.inc();
                    return Attempt::All(Ok((ready.sent.txid, indices)));
                }
                Ok(Fate::Fault(text)) => {
                    self.intake.metrics.chain_transactions.inc();
                    return match group.len() {
                        1 => Attempt::All(Err(Refusal::new(RelayError::Fault, text))),
                        _ => Attempt::Split,
                    };
                }
                Ok(Fate::Expired) => last = "no block took it while it was valid".to_owned(),
                Err(text) => last = text,
            }
            tracing::warn!(reason = last, "once more");
        }
        Attempt::All(Err(Refusal::new(RelayError::Internal, last)))
    }

    /// A signed transaction within the limits, or why there is none.
    async fn prepare(&self, group: &[Message], deadline: Instant) -> Result<Ready, Attempt> {
        let limit = self.intake.limits.now().merge.fees;
        loop {
            let refusal = match self.chain.prepare(group).await {
                Ok(ready) if ready.fees <= limit => return Ok(ready),
                Ok(_) | Err(ChainError::Fault(_)) if group.len() > 1 => return Err(Attempt::Split),
                Ok(ready) => Refusal::new(RelayError::Limit, too_dear(ready.fees, limit)),
                Err(ChainError::Fault(text)) => Refusal::new(RelayError::Fault, text),
                Err(ChainError::Rejected(text)) => Refusal::new(RelayError::Internal, text),
                Err(ChainError::Unreachable(text)) if Instant::now() >= deadline => {
                    Refusal::new(RelayError::Internal, text)
                }
                Err(ChainError::Unreachable(text)) => {
                    tracing::warn!(%text, "the chain was not reached");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            return Err(Attempt::All(Err(refusal)));
        }
    }

    /// Sends it and waits for its fate. `Err` when the node did not take it.
    async fn send(
        &mut self,
        group: &[Message],
        ready: &Ready,
        deadline: Instant,
    ) -> Result<Fate, String> {
        let ids: Vec<_> = group.iter().map(Message::id).collect();
        let begun = self.journal.begin(ready, &ids, (self.intake.clock)());
        begun.map_err(|error| error.to_string())?;
        match self.chain.send(ready).await {
            Err(error @ (ChainError::Rejected(_) | ChainError::Fault(_))) => {
                self.note(|journal| journal.void(ready.sent.txid));
                sleep(PAUSE).await;
                return Err(error.to_string());
            }
            // It may have arrived: its fate will tell.
            Ok(()) | Err(ChainError::Unreachable(_)) => {}
        }
        let metrics = &self.intake.metrics;
        metrics
            .chain_fees
            .inc_by(u64::try_from(ready.fees).unwrap_or_default());
        tracing::debug!(
            txid = hex::encode(ready.sent.txid),
            messages = ids.len(),
            "sent"
        );
        Ok(self.wait(ready.sent, Some((group, deadline))).await)
    }

    /// Looks until the fate is known. Who waits longer than until the deadline is told that it is not, and gets it when
    /// the same message is sent again.
    async fn wait(&mut self, sent: Sent, waiting: Option<(&[Message], Instant)>) -> Fate {
        let mut waiting = waiting;
        loop {
            match self.chain.look(sent).await {
                Ok(Some(fate)) => {
                    self.note(|journal| match &fate {
                        Fate::Written(indices) => journal.written(sent.txid, indices),
                        Fate::Fault(_) | Fate::Expired => journal.void(sent.txid),
                    });
                    return fate;
                }
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "asking for a transaction again"),
            }
            if let Some((group, deadline)) = waiting
                && Instant::now() >= deadline
            {
                let refusal = self.still_open();
                self.answer(group, Err(refusal));
                waiting = None;
            }
            sleep(PAUSE).await;
        }
    }

    /// A transaction of an earlier run of the relay.
    async fn settle_earlier(&mut self, open: Open) {
        let txid = hex::encode(open.sent.txid);
        tracing::info!(
            txid,
            "sending an earlier transaction again, whose fate is open"
        );
        let ready = Ready {
            sent: open.sent,
            fees: 0,
            bytes: open.bytes,
        };
        // It may never have left. The network takes the same transaction once, so whether this fails is no matter.
        let _ = self.chain.send(&ready).await;
        let fate = self.wait(open.sent, None).await;
        for (place, id) in open.messages.iter().enumerate() {
            let verdict = match &fate {
                Fate::Written(indices) => written(open.sent.txid, indices, place),
                Fate::Fault(text) => Err(Refusal::new(RelayError::Fault, text.clone())),
                Fate::Expired => Err(Refusal::new(
                    RelayError::Internal,
                    "no block took it before the relay was started again",
                )),
            };
            let now_ms = (self.intake.clock)();
            let dedup = &self.intake.dedup;
            dedup.finish(*id, Class::OnChain, &verdict, true, now_ms);
        }
    }

    fn answer(&self, group: &[Message], result: Result<(Hash, Vec<u64>), Refusal>) {
        for (place, message) in group.iter().enumerate() {
            let verdict = match &result {
                Ok((txid, indices)) => written(*txid, indices, place),
                Err(refusal) => Err(refusal.clone()),
            };
            self.finish(message, verdict);
        }
    }

    fn finish(&self, message: &Message, verdict: Verdict) {
        if verdict.is_ok() {
            self.intake.metrics.on_chain.inc();
        }
        let (box_id, sequence) = (message.body.box_id, message.body.sequence);
        tracing::debug!(box_id, sequence, ?verdict, "on chain");
        self.intake
            .finish(message.id(), Class::OnChain, &verdict, true);
    }

    fn still_open(&self) -> Refusal {
        let text = format!(
            "no block took the message within {:?}; it may still come, and sending the same message again tells",
            self.intake.limits.now().chain_timeout
        );
        Refusal::new(RelayError::Internal, text)
    }

    /// Messages that are older than twice the time window cannot come again.
    fn forget(&mut self) {
        let window = self
            .intake
            .limits
            .now()
            .time_window
            .as_millis()
            .saturating_mul(2);
        let window = u64::try_from(window).unwrap_or(u64::MAX);
        let before = (self.intake.clock)().saturating_sub(window);
        self.note(|journal| journal.forget(before));
    }

    /// What cannot be written down is only missed after a crash; what was sent is sent.
    fn note(&mut self, note: impl FnOnce(&mut Journal) -> Result<(), JournalError>) {
        if let Err(error) = note(&mut self.journal) {
            tracing::error!(%error, "the journal of transactions is not up to date");
        }
    }
}

/// The next message. The first is waited for until `stop`, the others until a moment later.
async fn receive(
    queue: &mut mpsc::Receiver<Message>,
    stop: &CancellationToken,
    until: Option<Instant>,
) -> Option<Message> {
    if let Some(until) = until {
        return tokio::time::timeout_at(until, queue.recv()).await.ok()?;
    }
    loop {
        tokio::select! {
            message = queue.recv() => return message,
            () = stop.cancelled(), if !queue.is_closed() => queue.close(),
        }
    }
}

fn written(txid: Hash, indices: &[u64], place: usize) -> Verdict {
    match indices.get(place) {
        Some(index) => Ok(Outcome::OnChain {
            txid,
            index: *index,
        }),
        None => Err(Refusal::new(
            RelayError::Internal,
            "the chain gave no index for the message; its transaction is in a block",
        )),
    }
}

fn too_dear(fees: i64, limit: i64) -> String {
    let gas = |datoshi: i64| datoshi as f64 / 1e8;
    format!(
        "writing it costs {} GAS; this relay pays {} at most: submit it yourself with writeSigned",
        gas(fees),
        gas(limit)
    )
}
