//! A message's way in: every check once, then to subscribers, log or chain by its class.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use phantasma_net::verify_signature;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::{Class, Message};
use phantasma_wire::relay::{Outcome, RelayError, RelayFrame};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::cache::BoxCache;
use crate::chain::{Chain, ChainError, Written};
use crate::config::{ChainId, Limits};
use crate::dedup::{Dedup, Entered, Pending, Refusal, Verdict};
use crate::hub::Hub;
use crate::log::{Log, LogError};
use crate::metrics::Metrics;

/// Unix time in milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where messages come in. Shared by all sessions.
pub struct Intake {
    pub(crate) chain_id: ChainId,
    pub(crate) limits: Limits,
    pub(crate) boxes: BoxCache,
    pub(crate) dedup: Dedup,
    pub(crate) hub: Arc<Hub>,
    pub(crate) log: Arc<Log>,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Clock,
    /// To the one task that writes to the chain.
    pub(crate) to_chain: mpsc::Sender<Message>,
    /// What still has to be finished although its session may be gone. Bounded by the queues of log and chain.
    pub(crate) unfinished: TaskTracker,
}

impl Intake {
    /// Checks a message and sets it on its way. `Err` at once for what is refused; otherwise the verdict comes when the
    /// message is where its class wants it. Messages of one caller keep their order.
    pub async fn accept(self: &Arc<Self>, message: Message) -> Result<Pending, Refusal> {
        let accepted = self.try_accept(message).await;
        if let Err(refusal) = &accepted {
            self.metrics.refuse(refusal.error);
        }
        accepted
    }

    async fn try_accept(self: &Arc<Self>, message: Message) -> Result<Pending, Refusal> {
        self.check_form(&message)?;
        if !message.is_signed(verify_signature) {
            return Err(Refusal::new(
                RelayError::BadSignature,
                "the author's key did not sign this message",
            ));
        }
        self.check_box(message.body.box_id).await?;
        let id = message.id();
        match self.dedup.enter(id) {
            Entered::Known(pending) => {
                self.metrics.duplicates.inc();
                Ok(pending)
            }
            Entered::New { deliver } => {
                let started = self.start(&message, deliver).await;
                if let Err(refusal) = &started {
                    self.dedup.finish(id, &Err(refusal.clone()), false);
                }
                started
            }
        }
    }

    /// What can be checked without any cost.
    fn check_form(&self, message: &Message) -> Result<(), Refusal> {
        let body = &message.body;
        self.chain_id.check(body.network, &body.contract)?;
        if body.payload.len() > self.limits.max_payload {
            let text = format!(
                "{} bytes of payload; this relay takes {}",
                body.payload.len(),
                self.limits.max_payload
            );
            return Err(Refusal::new(RelayError::Limit, text));
        }
        let (now, window) = ((self.clock)(), self.limits.time_window.as_millis());
        if u128::from(now.abs_diff(body.time_ms)) > window {
            let text = format!(
                "the message says {} ms, the relay's clock {now} ms; they may differ by {window} ms: sign it again, or set \
                 the clock",
                body.time_ms
            );
            return Err(Refusal::new(RelayError::WrongTime, text));
        }
        Ok(())
    }

    pub(crate) async fn check_box(&self, box_id: u64) -> Result<(), Refusal> {
        match self.boxes.exists(box_id, Instant::now()).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::new(
                RelayError::UnknownBox,
                format!("there is no box {box_id} on the chain"),
            )),
            Err(error) => Err(Refusal::new(
                RelayError::Internal,
                format!("the relay cannot ask the chain: {error}"),
            )),
        }
    }

    /// Hands a checked, new message to where its class wants it.
    async fn start(self: &Arc<Self>, message: &Message, deliver: bool) -> Result<Pending, Refusal> {
        match message.body.class {
            Class::Ephemeral => Ok(self.deliver_ephemeral(message)),
            Class::Durable => self.store(message).await,
            Class::OnChain => self.submit(message, deliver),
        }
    }

    fn deliver_ephemeral(&self, message: &Message) -> Pending {
        let subscribers = self.deliver(message);
        let verdict = Ok(Outcome::Delivered { subscribers });
        self.dedup.finish(message.id(), &verdict, true);
        self.metrics.accept(Class::Ephemeral);
        watch::channel(Some(verdict)).1
    }

    /// The log wakes the subscribers itself once the message is on the disk.
    async fn store(self: &Arc<Self>, message: &Message) -> Result<Pending, Refusal> {
        let stored = self
            .log
            .append(message, (self.clock)())
            .await
            .map_err(|error| log_refusal(&error))?;
        let (sender, pending) = watch::channel(None);
        let (this, id) = (self.clone(), message.id());
        self.unfinished.spawn(async move {
            let verdict = match stored.await.unwrap_or(Err(LogError::Closed)) {
                Ok(position) => Ok(Outcome::Stored { position }),
                Err(error) => Err(log_refusal(&error)),
            };
            this.finish(id, Class::Durable, &verdict, false);
            sender.send_replace(Some(verdict));
        });
        Ok(pending)
    }

    /// Live subscribers have it at once; the chain says later whether it takes it.
    fn submit(&self, message: &Message, deliver: bool) -> Result<Pending, Refusal> {
        let place = self.to_chain.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => Refusal::new(
                RelayError::Limit,
                format!(
                    "{} messages already wait for the chain; try again after the next block",
                    self.limits.chain_queue
                ),
            ),
            mpsc::error::TrySendError::Closed(()) => {
                Refusal::new(RelayError::Closing, "the relay is stopping")
            }
        })?;
        let Entered::Known(pending) = self.dedup.enter(message.id()) else {
            // Forgotten within this call: the memory is far too small for what arrives.
            return Err(Refusal::new(
                RelayError::Limit,
                "too many messages at once; try again",
            ));
        };
        if deliver {
            self.deliver(message);
        }
        place.send(message.clone());
        Ok(pending)
    }

    fn finish(&self, id: phantasma_wire::Hash, class: Class, verdict: &Verdict, delivered: bool) {
        match verdict {
            Ok(_) => self.metrics.accept(class),
            Err(refusal) => self.metrics.refuse(refusal.error),
        }
        self.dedup.finish(id, verdict, delivered);
    }

    fn deliver(&self, message: &Message) -> u32 {
        let delivered = self
            .hub
            .deliver(message.body.box_id, &deliver_frame(0, message));
        self.metrics.dropped.inc_by(delivered.dropped as u64);
        delivered.subscribers
    }

    /// Writes to the chain, one message after the other, so that the account's balance and the order of an author's
    /// sequence numbers are always known. After `stop` nothing new is taken; it ends when the queue is empty.
    pub(crate) async fn write_to_chain(
        self: Arc<Self>,
        chain: Arc<dyn Chain>,
        mut queue: mpsc::Receiver<Message>,
        stop: CancellationToken,
    ) {
        loop {
            let message = tokio::select! {
                message = queue.recv() => message,
                () = stop.cancelled(), if !queue.is_closed() => {
                    queue.close();
                    continue;
                }
            };
            let Some(message) = message else { return };
            let written =
                tokio::time::timeout(self.limits.chain_timeout, chain.write(&message)).await;
            let verdict = match written {
                Ok(Ok(Written { txid, index })) => Ok(Outcome::OnChain { txid, index }),
                Ok(Err(ChainError::Fault(text))) => Err(Refusal::new(RelayError::Fault, text)),
                Ok(Err(ChainError::Unreachable(text))) => {
                    tracing::warn!(%text, "the chain was not reached");
                    Err(Refusal::new(RelayError::Internal, text))
                }
                Err(_) => Err(Refusal::new(
                    RelayError::Internal,
                    format!(
                        "no block took the message within {:?}; it may still come",
                        self.limits.chain_timeout
                    ),
                )),
            };
            if verdict.is_ok() {
                self.metrics.on_chain.inc();
            }
            tracing::debug!(
                box_id = message.body.box_id,
                sequence = message.body.sequence,
                ?verdict,
                "on chain"
            );
            self.finish(message.id(), Class::OnChain, &verdict, true);
        }
    }
}

/// A delivery as bytes, made once for all subscribers.
pub(crate) fn deliver_frame(position: u64, message: &Message) -> Bytes {
    RelayFrame::Deliver {
        position,
        message: message.clone(),
    }
    .encode()
}

fn log_refusal(error: &LogError) -> Refusal {
    let kind = match error {
        LogError::Full { .. } => RelayError::Limit,
        LogError::Closed => RelayError::Closing,
        LogError::Io { .. }
        | LogError::Locked { .. }
        | LogError::Damaged { .. }
        | LogError::Broken => RelayError::Internal,
    };
    Refusal::new(kind, error.to_string())
}
