//! A running mail daemon: two servers on this machine, what sends, what receives, started and stopped as one.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use phantasma_net::http::{Health, HttpError, HttpServer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::bridge::Bridge;
use crate::files::FileError;
use crate::login::Login;
use crate::metrics::Metrics;
use crate::notice;
use crate::outbox::{Delivery, Job, Outbox, OutboxError};
use crate::post::{Post, now_ms, now_s};
use crate::receive::Receiver;
use crate::send::{Trouble, attempt};
use crate::store::{Flags, INBOX, NewMessage, Store, StoreError};
use crate::{forward, imap, smtp};

/// Bounds, each with its reason.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes of a mail, sent or received. An attachment of 40 MiB in base64 fits.
    pub max_message: u64,
    /// Clients of each server at once: a mail program opens some five.
    pub sessions: usize,
    /// How long a client of SMTP may be silent (RFC 5321 asks for five minutes at least).
    pub smtp_patience: Duration,
    /// The same for IMAP (RFC 3501 asks for 30 minutes at least).
    pub imap_patience: Duration,
    /// How long a mail is tried before its sender is told that it was given up.
    pub give_up: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 64 << 20,
            sessions: 64,
            smtp_patience: Duration::from_secs(300),
            imap_patience: Duration::from_secs(1860),
            give_up: Duration::from_secs(2 * 86_400),
        }
    }
}

/// Pauses between two tries to send a mail: the first, and the longest; each is twice the one before.
const RETRY_MS: (u64, u64) = (1_000, 600_000);

/// How long a stop waits for what is being said to clients.
const DRAIN: Duration = Duration::from_secs(5);

/// Where the daemon listens. Port 0 takes any free one.
#[derive(Clone, Copy, Debug)]
pub struct Addresses {
    pub smtp: SocketAddr,
    pub imap: SocketAddr,
    /// `/healthz` and `/metrics`.
    pub ops: SocketAddr,
}

/// Why a daemon does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(
        "{0} is not on this machine: passwords and mails go unencrypted between the mail program and this daemon, so it \
         listens on 127.0.0.1 or [::1] only"
    )]
    NotLoopback(IpAddr),
    #[error("TCP port {} is taken on {}: stop the program that holds it, or choose another", .0.port(), .0.ip())]
    PortTaken(SocketAddr),
    #[error("cannot listen on TCP {address}: {error}")]
    Bind {
        address: SocketAddr,
        error: std::io::Error,
    },
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    #[error(transparent)]
    File(#[from] FileError),
}

/// What all sessions share.
#[derive(Debug)]
pub struct Daemon {
    pub post: Arc<Post>,
    pub store: Arc<Store>,
    pub outbox: Outbox,
    pub login: Login,
    pub limits: Limits,
    pub metrics: Metrics,
    /// Set when the mailbox is a bridge.
    pub bridge: Option<Bridge>,
    /// Something new lies in the outbox.
    pub work: Arc<Notify>,
    pub stopping: CancellationToken,
}

/// A running daemon. Stop it with [`Running::shutdown`].
pub struct Running {
    daemon: Arc<Daemon>,
    ops: HttpServer,
    tasks: TaskTracker,
    loops: Vec<tokio::task::JoinHandle<()>>,
    pub smtp: SocketAddr,
    pub imap: SocketAddr,
    /// Where a bridge takes mail from outside.
    pub outside: Option<SocketAddr>,
}

impl Daemon {
    /// Sends what waits, for ever.
    async fn send_all(&self) {
        loop {
            let pause = match self.send_due().await {
                Ok(pause) => pause,
                Err(error) => {
                    tracing::error!(%error, "the outbox fails");
                    Duration::from_secs(30)
                }
            };
            tokio::select! {
                () = self.work.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Tries what is due; how long until more is.
    async fn send_due(&self) -> Result<Duration, Trouble> {
        let mut jobs: Vec<(String, Job)> = self.outbox.jobs()?.into_iter().collect();
        jobs.sort_by_key(|(_, job)| job.accepted_ms);
        let waiting = jobs.len();
        self.metrics
            .outbox
            .set(i64::try_from(waiting).unwrap_or(i64::MAX));
        let mut next = u64::MAX;
        let mut done = 0;
        for (id, mut job) in jobs {
            if job.next_ms <= now_ms() && self.send(&id, &mut job).await? {
                done += 1;
                continue;
            }
            next = next.min(job.next_ms);
        }
        let left = i64::try_from(waiting.saturating_sub(done)).unwrap_or(i64::MAX);
        self.metrics.outbox.set(left);
        let pause = next.saturating_sub(now_ms()).clamp(50, 60_000);
        Ok(Duration::from_millis(pause))
    }

    /// One try; whether the job is over.
    async fn send(&self, id: &str, job: &mut Job) -> Result<bool, Trouble> {
        let outcome = attempt(&self.post, &self.outbox, id, job).await;
        let reason = match outcome {
            Ok(true) => String::new(),
            Ok(false) => "4.0.0 unfinished".to_owned(),
            Err(Trouble::Later(reason)) => reason,
            Err(Trouble::Never(reason)) => {
                give_up(job, &reason);
                reason
            }
            Err(error @ Trouble::Outbox(_)) => return Err(error),
        };
        let age_ms = u128::from(now_ms().saturating_sub(job.accepted_ms));
        if !job.is_done() && age_ms > self.limits.give_up.as_millis() {
            give_up(job, &reason);
        }
        if !job.is_done() {
            let doubled = RETRY_MS
                .0
                .saturating_mul(1 << job.attempts.clamp(1, 20).saturating_sub(1));
            job.next_ms = now_ms().saturating_add(doubled.min(RETRY_MS.1));
            tracing::warn!(id, reason, "a mail waits");
            self.outbox.save(id, job)?;
            return Ok(false);
        }
        self.close(id, job)?;
        Ok(true)
    }

    /// Ends a job: the sender is told of those who were not reached.
    fn close(&self, id: &str, job: &Job) -> Result<(), Trouble> {
        let mail = self.outbox.mail(id);
        // Written down before the report, which then is made once more at most: it has the job's name.
        self.outbox.save(id, job)?;
        if !job.quiet
            && !self.store.has(id)
            && let Some(report) = notice::report(&self.post.own, &mail, job, now_s())?
        {
            let file = self.store.scratch();
            notice::write(&file, &report)?;
            let message = NewMessage {
                file,
                date: now_s(),
                flags: Flags::NONE,
                id: id.to_owned(),
            };
            let kept = self.store.add(INBOX, &message);
            kept.map_err(|error| Trouble::Later(format!("4.3.0 {error}")))?;
        }
        for recipient in &job.recipients {
            match &recipient.state {
                Delivery::Sent => {
                    self.metrics.sent.inc();
                    tracing::info!(to = recipient.name, "a mail is on its way");
                }
                Delivery::Failed(reason) => {
                    self.metrics.failed.inc();
                    tracing::warn!(to = recipient.name, reason, "a mail was given up");
                }
                Delivery::Waiting => {}
            }
        }
        Ok(self.outbox.remove(id)?)
    }
}

/// Marks all readers that wait as not reached.
pub fn give_up(job: &mut Job, reason: &str) {
    for recipient in &mut job.recipients {
        if recipient.state == Delivery::Waiting {
            // What was worth another try until now is final.
            let reason = match reason.strip_prefix("4.") {
                Some(rest) => format!("5.{rest}"),
                None => reason.to_owned(),
            };
            recipient.state = Delivery::Failed(reason);
        }
    }
}

impl Running {
    /// Takes the ports, opens the folders, and begins.
    pub async fn start(
        post: Arc<Post>,
        login: Login,
        addresses: Addresses,
        limits: Limits,
        bridge: Option<Bridge>,
    ) -> Result<Self, StartError> {
        let outside = bridge
            .as_ref()
            .map(|bridge| [bridge.listen, bridge.smarthost]);
        let own = [addresses.smtp, addresses.imap, addresses.ops];
        for address in own.into_iter().chain(outside.into_iter().flatten()) {
            if !address.ip().is_loopback() {
                return Err(StartError::NotLoopback(address.ip()));
            }
        }
        let store = Arc::new(Store::open(&post.maildir())?);
        let outbox = Outbox::open(&post.outbox())?;
        let (smtp, imap) = (listen(addresses.smtp).await?, listen(addresses.imap).await?);
        let (metrics, registry) = Metrics::new();
        let ops = HttpServer::start(
            addresses.ops,
            registry,
            health(&metrics),
            Default::default(),
        )
        .await?;
        let work = Arc::new(Notify::new());
        let receiver = Receiver::new(
            post.clone(),
            store.clone(),
            metrics.clone(),
            limits.max_message,
            outbox.clone(),
            work.clone(),
        )?;
        let receiver = Arc::new(receiver);
        let sessions = limits.sessions;
        let daemon = Arc::new(Daemon {
            post,
            store,
            outbox,
            login,
            limits,
            metrics,
            bridge,
            work,
            stopping: CancellationToken::new(),
        });
        let tasks = TaskTracker::new();
        let (listener, watcher) = (receiver.clone(), receiver.clone());
        let (judge, sender) = (receiver, daemon.clone());
        let mut loops = vec![
            tokio::spawn(async move { listener.listen().await }),
            tokio::spawn(async move { watcher.watch_chain().await }),
            tokio::spawn(async move { judge.judge_all().await }),
            tokio::spawn(async move { sender.send_all().await }),
        ];
        let taken = |listener: &TcpListener, address| {
            listener
                .local_addr()
                .map_err(|error| StartError::Bind { address, error })
        };
        let (smtp_addr, imap_addr) = (taken(&smtp, addresses.smtp)?, taken(&imap, addresses.imap)?);
        let mut outside = None;
        if let Some(bridge) = daemon.bridge.clone() {
            let listener = listen(bridge.listen).await?;
            outside = Some(taken(&listener, bridge.listen)?);
            let each = |daemon, stream| smtp::serve_outside(daemon, stream);
            tasks.spawn(accept(
                daemon.clone(),
                tasks.clone(),
                listener,
                sessions,
                each,
            ));
            let forwarder = daemon.clone();
            loops.push(tokio::spawn(async move {
                forward::all(&forwarder, &bridge).await
            }));
        }
        let each = |daemon, stream| smtp::serve(daemon, stream);
        tasks.spawn(accept(daemon.clone(), tasks.clone(), smtp, sessions, each));
        let each = |daemon, stream| imap::serve(daemon, stream);
        tasks.spawn(accept(daemon.clone(), tasks.clone(), imap, sessions, each));
        Ok(Self {
            daemon,
            ops,
            tasks,
            loops,
            smtp: smtp_addr,
            imap: imap_addr,
            outside,
        })
    }

    pub fn ops_addr(&self) -> SocketAddr {
        self.ops.local_addr()
    }

    /// Says good-bye to clients and stops. What is on its way goes on at the next start.
    pub async fn shutdown(self) {
        self.daemon.stopping.cancel();
        self.tasks.close();
        if tokio::time::timeout(DRAIN, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::warn!("some clients did not leave in time");
        }
        for task in self.loops {
            task.abort();
            let _ = task.await;
        }
        self.ops.shutdown().await;
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener, StartError> {
    TcpListener::bind(address)
        .await
        .map_err(|error| match error.kind() {
            std::io::ErrorKind::AddrInUse => StartError::PortTaken(address),
            _ => StartError::Bind { address, error },
        })
}

/// Serves each client in a task of its own; with too many, new ones wait.
async fn accept<F, S>(
    daemon: Arc<Daemon>,
    tasks: TaskTracker,
    listener: TcpListener,
    sessions: usize,
    serve: F,
) where
    F: Fn(Arc<Daemon>, TcpStream) -> S + Send,
    S: Future<Output = ()> + Send + 'static,
{
    let free = Arc::new(Semaphore::new(sessions));
    loop {
        let place = tokio::select! {
            place = free.clone().acquire_owned() => place,
            () = daemon.stopping.cancelled() => return,
        };
        let Ok(place) = place else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = daemon.stopping.cancelled() => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let session = serve(daemon.clone(), stream);
                tasks.spawn(async move {
                    session.await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a client was not accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

fn health(metrics: &Metrics) -> Health {
    let relay_up = metrics.relay_up.clone();
    Arc::new(move || match relay_up.get() {
        1 => Ok(()),
        _ => Err("the relay is not reached: no mail comes in".to_owned()),
    })
}
