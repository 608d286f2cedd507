//! A message's way in: every check once, then to subscribers, log or chain by its class.

use std::sync::Arc;
use std::time::Instant;

use phantasma_net::verify_signature;
use phantasma_sdk::emulator::admission::Admission;
use phantasma_wire::batch::{Batch, VerifiedRoots};
use phantasma_wire::message::{Class, Message, Unsigned};
use phantasma_wire::relay::{Outcome, RelayError};
use phantasma_wire::{Hash, PublicKey};
use tokio::sync::{mpsc, watch};

use crate::anchor::Anchors;
use crate::cache::BoxCache;
use crate::chain::ChainError;
use crate::config::{ChainId, LiveLimits};
use crate::dedup::{Dedup, Entered, Pending, Refusal, Verdict};
use crate::gates::Gates;
use crate::hub::{Hub, Way};
use crate::log::{Log, LogError};
use crate::metrics::Metrics;
use crate::parcel::Parcel;
use crate::peer::Links;

/// Unix time in milliseconds.
pub type Clock = Arc<dyn Fn() -> u64 + Send + Sync>;

/// Where messages come in. Shared by all sessions.
pub struct Intake {
    pub(crate) chain_id: ChainId,
    pub(crate) limits: LiveLimits,
    pub(crate) boxes: BoxCache,
    pub(crate) gates: Arc<Gates>,
    pub(crate) dedup: Dedup,
    pub(crate) hub: Arc<Hub>,
    pub(crate) log: Arc<Log>,
    pub(crate) anchors: Arc<Anchors>,
    pub(crate) metrics: Metrics,
    pub(crate) links: Arc<Links>,
    /// How long the log keeps what it has.
    pub(crate) keep_ms: u64,
    pub(crate) clock: Clock,
    /// To the one task that writes to the chain.
    pub(crate) to_chain: mpsc::Sender<Message>,
}

/// Ephemeral messages of a batch that go to one box together.
#[derive(Default)]
struct Run {
    box_id: u64,
    /// Each with the place of its answer.
    ids: Vec<(Hash, usize)>,
    messages: Vec<Message>,
}

/// The box and author that the gate has let in last, where that holds for the next message too.
pub(crate) type Passed = Option<(u64, PublicKey)>;

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
        self.check_form(&message.body)?;
        if message.batch.is_some() && message.body.class == Class::OnChain {
            return Err(Refusal::new(
                RelayError::BadSignature,
                "the contract checks each message by itself: sign those for the chain alone",
            ));
        }
        if !message.is_signed(verify_signature) {
            return Err(forged());
        }
        self.check_box(message.body.box_id).await?;
        self.take_in(message.id(), &message, &mut None).await
    }

    /// Takes in the messages of a batch, whose signature is checked once. The answers are in the batch's order.
    pub async fn accept_batch(self: &Arc<Self>, batch: Batch) -> Vec<Result<Pending, Refusal>> {
        let count = batch.len();
        let answers = match self.check_batch(batch).await {
            Ok(messages) => self.take_in_all(messages).await,
            Err(refusal) => vec![Err(refusal); count],
        };
        for refusal in answers.iter().filter_map(|answer| answer.as_ref().err()) {
            self.metrics.refuse(refusal.error);
        }
        answers
    }

    /// The checks of [`Intake::accept`]; what one message fails, the batch fails.
    async fn check_batch(&self, batch: Batch) -> Result<Vec<(Hash, Message)>, Refusal> {
        for body in batch.bodies() {
            self.check_form(body)?;
        }
        let messages = batch.into_messages(verify_signature).ok_or_else(forged)?;
        let mut known = None;
        for (_, message) in &messages {
            let box_id = message.body.box_id;
            if known.replace(box_id) != Some(box_id) {
                self.check_box(box_id).await?;
            }
        }
        Ok(messages)
    }

    /// Ephemeral messages that follow each other in one box are delivered together.
    async fn take_in_all(
        self: &Arc<Self>,
        messages: Vec<(Hash, Message)>,
    ) -> Vec<Result<Pending, Refusal>> {
        let mut answers = Vec::with_capacity(messages.len());
        let mut run = Run::default();
        let mut passed = None;
        for (id, message) in messages {
            if message.body.class != Class::Ephemeral {
                self.deliver_run(&mut run, &mut answers);
                answers.push(self.take_in(id, &message, &mut passed).await);
                continue;
            }
            if run.box_id != message.body.box_id {
                self.deliver_run(&mut run, &mut answers);
                run.box_id = message.body.box_id;
            }
            match self.dedup.enter(id, Class::Ephemeral) {
                Entered::New { .. } => match self.check_gate(&message.body, &mut passed).await {
                    Ok(()) => {
                        run.ids.push((id, answers.len()));
                        run.messages.push(message);
                        // Replaced when the run is delivered.
                        answers.push(Err(forgotten_run()));
                    }
                    Err(refusal) => {
                        self.forget(id, Class::Ephemeral, &refusal, false);
                        answers.push(Err(refusal));
                    }
                },
                Entered::Known(pending) => {
                    self.metrics.duplicates.inc();
                    answers.push(Ok(pending));
                }
            }
        }
        self.deliver_run(&mut run, &mut answers);
        answers
    }

    /// Takes in an ephemeral message that nobody waits for an answer to. `roots` are the batches that this client's
    /// signatures have been checked of. False for a forged one.
    pub async fn accept_cast(
        self: &Arc<Self>,
        message: Message,
        roots: &mut VerifiedRoots,
    ) -> bool {
        match self.try_cast(message, roots).await {
            Ok(()) => true,
            Err(refusal) => {
                self.metrics.refuse(refusal.error);
                refusal.error != RelayError::BadSignature
            }
        }
    }

    async fn try_cast(
        self: &Arc<Self>,
        message: Message,
        roots: &mut VerifiedRoots,
    ) -> Result<(), Refusal> {
        self.check_form(&message.body)?;
        if message.body.class != Class::Ephemeral {
            return Err(Refusal::new(
                RelayError::Protocol,
                "only ephemeral messages go without an answer",
            ));
        }
        if !roots.is_signed(&message, verify_signature) {
            return Err(forged());
        }
        self.check_box(message.body.box_id).await?;
        self.take_in(message.id(), &message, &mut None).await?;
        Ok(())
    }

    /// Hands on a checked message unless it is known, or the gate does not let it in.
    pub(crate) async fn take_in(
        self: &Arc<Self>,
        id: Hash,
        message: &Message,
        passed: &mut Passed,
    ) -> Result<Pending, Refusal> {
        match self.dedup.enter(id, message.body.class) {
            Entered::Known(pending) => {
                self.metrics.duplicates.inc();
                Ok(pending)
            }
            Entered::New { deliver } => {
                let started = match self.check_gate(&message.body, passed).await {
                    Ok(()) => self.start(id, message, deliver).await,
                    Err(refusal) => Err(refusal),
                };
                if let Err(refusal) = &started {
                    self.forget(id, message.body.class, refusal, !deliver);
                }
                started
            }
        }
    }

    /// What can be checked without any cost.
    pub(crate) fn check_form(&self, body: &Unsigned) -> Result<(), Refusal> {
        self.chain_id.check(body.network, &body.contract)?;
        let limits = self.limits.now();
        if body.payload.len() > limits.max_payload {
            let text = format!(
                "{} bytes of payload; this relay takes {}",
                body.payload.len(),
                limits.max_payload
            );
            return Err(Refusal::new(RelayError::Limit, text));
        }
        let (now, window) = ((self.clock)(), limits.time_window.as_millis());
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
            Err(error) => Err(cannot_ask(&error)),
        }
    }

    /// Asks the box's gate. Of a message that is known it is not asked again: it has its outcome.
    pub(crate) async fn check_gate(
        &self,
        body: &Unsigned,
        passed: &mut Passed,
    ) -> Result<(), Refusal> {
        if *passed == Some((body.box_id, body.author)) {
            return Ok(());
        }
        let asked = self.gates.ask(body, (self.clock)(), Instant::now()).await;
        let told = asked.map_err(|error| cannot_ask(&error))?;
        let error = match told.admission {
            Admission::Free => {
                *passed = told.holds.then_some((body.box_id, body.author));
                return Ok(());
            }
            Admission::Priced { .. } => RelayError::Payment,
            Admission::Refused { .. } => RelayError::NotAllowed,
        };
        let text = format!("box {}: {}", body.box_id, told.admission);
        Err(Refusal::new(error, text))
    }

    /// Hands a checked, new message to where its class wants it.
    async fn start(
        self: &Arc<Self>,
        id: Hash,
        message: &Message,
        deliver: bool,
    ) -> Result<Pending, Refusal> {
        match message.body.class {
            Class::Ephemeral => Ok(self.deliver_ephemeral(id, message)),
            Class::Durable => self.store(id, message).await,
            Class::OnChain => self.submit(id, message, deliver),
        }
    }

    fn deliver_ephemeral(&self, id: Hash, message: &Message) -> Pending {
        let subscribers = self.deliver(message.body.box_id, vec![message.clone()], Way::Datagram);
        self.links.spread(id, message);
        Pending::Done(self.delivered(id, subscribers))
    }

    /// Delivers a run of ephemeral messages and puts their answers where they belong.
    fn deliver_run(&self, run: &mut Run, answers: &mut [Result<Pending, Refusal>]) {
        let Run {
            box_id,
            ids,
            messages,
        } = std::mem::take(run);
        if ids.is_empty() {
            return;
        }
        for ((id, _), message) in ids.iter().zip(&messages) {
            self.links.spread(*id, message);
        }
        let subscribers = self.deliver(box_id, messages, Way::Datagram);
        for (id, place) in ids {
            let verdict = self.delivered(id, subscribers);
            if let Some(answer) = answers.get_mut(place) {
                *answer = Ok(Pending::Done(verdict));
            }
        }
    }

    pub(crate) fn delivered(&self, id: Hash, subscribers: u32) -> Verdict {
        let verdict = Ok(Outcome::Delivered { subscribers });
        self.finish(id, Class::Ephemeral, &verdict, true);
        verdict
    }

    /// The log wakes the subscribers itself once the message is on the disk.
    async fn store(self: &Arc<Self>, id: Hash, message: &Message) -> Result<Pending, Refusal> {
        let (sender, pending) = watch::channel(None);
        let (this, box_id) = (self.clone(), message.body.box_id);
        let done = move |stored: Result<u64, LogError>| {
            let verdict = match stored {
                Ok(position) => {
                    this.links.stored(id, box_id, position);
                    Ok(Outcome::Stored { position })
                }
                Err(error) => {
                    this.links.not_stored(&id);
                    Err(log_refusal(&error))
                }
            };
            this.finish(id, Class::Durable, &verdict, false);
            sender.send_replace(Some(verdict));
        };
        let queued = self.log.append(message, (self.clock)(), done).await;
        queued.map_err(|error| log_refusal(&error))?;
        Ok(Pending::Waiting(pending))
    }

    /// Live subscribers have it at once; the chain says later whether it takes it.
    fn submit(&self, id: Hash, message: &Message, deliver: bool) -> Result<Pending, Refusal> {
        let place = self.to_chain.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => Refusal::new(
                RelayError::Limit,
                format!(
                    "{} messages already wait for the chain; try again after the next block",
                    self.limits.now().chain_queue
                ),
            ),
            mpsc::error::TrySendError::Closed(()) => {
                Refusal::new(RelayError::Closing, "the relay is stopping")
            }
        })?;
        let Entered::Known(pending) = self.dedup.enter(id, Class::OnChain) else {
            // Forgotten within this call: the memory is far too small for what arrives.
            return Err(Refusal::new(
                RelayError::Limit,
                "too many messages at once; try again",
            ));
        };
        if deliver {
            self.deliver(message.body.box_id, vec![message.clone()], Way::Stream);
            self.links.spread(id, message);
        }
        place.send(message.clone());
        Ok(pending)
    }

    pub(crate) fn finish(&self, id: Hash, class: Class, verdict: &Verdict, delivered: bool) {
        match verdict {
            Ok(_) => self.metrics.accept(class),
            Err(refusal) => self.metrics.refuse(refusal.error),
        }
        let now_ms = (self.clock)();
        self.dedup.finish(id, class, verdict, delivered, now_ms);
    }

    /// Nothing comes of a message; whoever sent it counts the refusal.
    fn forget(&self, id: Hash, class: Class, refusal: &Refusal, delivered: bool) {
        let verdict = Err(refusal.clone());
        let now_ms = (self.clock)();
        self.dedup.finish(id, class, &verdict, delivered, now_ms);
    }

    pub(crate) fn deliver(&self, box_id: u64, messages: Vec<Message>, way: Way) -> u32 {
        let delivered = self.hub.deliver(box_id, &Parcel::new(messages), way);
        self.metrics.delivered.inc_by(delivered.datagrams as u64);
        self.metrics.dropped.inc_by(delivered.dropped as u64);
        delivered.subscribers
    }
}

fn cannot_ask(error: &ChainError) -> Refusal {
    let text = format!("the relay cannot ask the chain: {error}");
    Refusal::new(RelayError::Internal, text)
}

fn forged() -> Refusal {
    Refusal::new(
        RelayError::BadSignature,
        "the author's key did not sign this message",
    )
}

/// Stands in an answer's place until its run is delivered, which always happens.
fn forgotten_run() -> Refusal {
    Refusal::new(RelayError::Internal, "the message was not delivered")
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
