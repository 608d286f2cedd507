//! Putting a file: received as it streams in, encrypted, registered and paid for, stored on nodes; with its progress.
//!
//! A file is read twice (its root must be on the chain before nodes take a block), so it waits in the daemon's own folder
//! and is removed when it is stored. One that failed waits to be tried again, or forgotten.

use std::collections::BTreeMap;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path as FilePath, PathBuf};

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use futures_util::TryStreamExt;
use phantasma_sdk::content::{self, Progress, PutOptions};
use phantasma_sdk::contract::Priority;
use phantasma_sdk::put::{self, Terms};
use phantasma_sdk::{amount, view};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use crate::app::{App, lock};
use crate::error::ApiError;
use crate::input::{Asked, Nothing, soul};
use crate::nodes::places;
use crate::shelf::{Label, MAX_NAME};

/// Files on their way at a time.
const MAX_RUNNING: usize = 4;

/// Uploads that are remembered; finished ones are forgotten first.
const MAX_JOBS: usize = 64;

/// Progress is told in steps of this part of the whole, so that a large file is not a flood of events.
const STEPS: u64 = 100;

/// Replicas that nobody asked for.
const REPLICAS: u8 = 3;
const MAX_REPLICAS: u8 = 16;
const MAX_PERIODS: u32 = 1200;

/// What is done with a file now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Receiving,
    Encrypting,
    Registering,
    Storing,
    Done,
    Failed,
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Receiving => "receiving",
            Self::Encrypting => "encrypting",
            Self::Registering => "registering",
            Self::Storing => "storing",
            Self::Done => "done",
            Self::Failed => "failed",
        }
    }

    fn is_over(self) -> bool {
        matches!(self, Self::Done | Self::Failed)
    }
}

/// One file on its way.
#[derive(Clone, Debug)]
struct Job {
    label: Label,
    terms: Terms,
    file: PathBuf,
    phase: Phase,
    /// Received, or on as many nodes as wanted.
    done_bytes: u64,
    total_bytes: u64,
    root: Option<[u8; 32]>,
    /// SOUL and receipt of its registration.
    paid: Value,
    error: Option<String>,
}

impl Job {
    fn shown(&self, id: u64) -> Value {
        let mut data = json!({
            "id": id,
            "name": self.label.name,
            "type": self.label.media_type,
            "phase": self.phase.name(),
            "done_bytes": self.done_bytes,
            "total_bytes": self.total_bytes,
            "root": self.root.map(hex::encode),
            "error": self.error,
        });
        view::extend(&mut data, self.paid.clone());
        data
    }
}

/// All of them, by number.
#[derive(Debug, Default)]
pub(crate) struct Jobs {
    next: u64,
    jobs: BTreeMap<u64, Job>,
}

impl Jobs {
    fn add(&mut self, job: Job) -> Result<u64, ApiError> {
        let running = self.jobs.values().filter(|job| !job.phase.is_over());
        let full = || {
            ApiError::new(
                StatusCode::TOO_MANY_REQUESTS,
                "busy",
                format!("{MAX_RUNNING} files are on their way; wait for one"),
            )
        };
        if running.count() >= MAX_RUNNING {
            return Err(full());
        }
        while self.jobs.len() >= MAX_JOBS {
            let done = self.jobs.iter().find(|(_, job)| job.phase == Phase::Done);
            let id = done.map(|(id, _)| *id).ok_or_else(full)?;
            self.jobs.remove(&id);
        }
        self.next += 1;
        self.jobs.insert(self.next, job);
        Ok(self.next)
    }
}

/// Changes a job and tells who listens.
fn change(app: &App, id: u64, change: impl FnOnce(&mut Job)) {
    let told = {
        let mut jobs = lock(&app.jobs);
        let Some(job) = jobs.jobs.get_mut(&id) else {
            return;
        };
        change(job);
        job.shown(id)
    };
    app.tell("upload", told);
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wanted {
    name: String,
    #[serde(default, rename = "type")]
    media_type: String,
    replicas: Option<u8>,
    periods: Option<u32>,
    priority: Option<String>,
    max_payment: Option<String>,
}

impl Wanted {
    fn terms(&self) -> Result<Terms, ApiError> {
        let replicas = self.replicas.unwrap_or(REPLICAS);
        let periods = self.periods.unwrap_or(1);
        if !(1..=MAX_REPLICAS).contains(&replicas) || !(1..=MAX_PERIODS).contains(&periods) {
            return Err(ApiError::bad(format!(
                "replicas are 1 to {MAX_REPLICAS}, periods of 30 days 1 to {MAX_PERIODS}"
            )));
        }
        Ok(Terms {
            replicas: replicas.into(),
            periods,
            priority: match self.priority.as_deref() {
                Some("low") => Priority::Low,
                None | Some("normal") => Priority::Normal,
                Some("high") => Priority::High,
                Some(other) => {
                    let text = format!("\"{other}\" is no priority: low, normal or high");
                    return Err(ApiError::bad(text));
                }
            },
            max_payment: self.max_payment.as_deref().map(soul).transpose()?,
        })
    }
}

/// `POST /api/uploads?name=…`: the body is the file. Answers once it has arrived; the rest goes on by itself.
pub(crate) async fn begin(
    State(app): State<App>,
    Asked(wanted): Asked<Wanted>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    let terms = wanted.terms()?;
    let known = places(&app).await?.len();
    if known < terms.replicas {
        let text = format!(
            "{} replicas need as many nodes, {known} are known",
            terms.replicas
        );
        return Err(ApiError::bad(text));
    }
    if wanted.name.is_empty() || wanted.name.chars().count() > MAX_NAME {
        return Err(ApiError::bad(format!(
            "a name has 1 to {MAX_NAME} characters"
        )));
    }
    let length = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.parse::<u64>().ok());
    if length.is_some_and(|length| length > app.max_upload_bytes) {
        return Err(too_large(&app));
    }
    let file = app.incoming.join(hex::encode(rand::random::<[u8; 16]>()));
    let job = Job {
        label: Label {
            name: wanted.name,
            media_type: wanted.media_type,
            replicas: terms.replicas as u64,
        },
        terms,
        file: file.clone(),
        phase: Phase::Receiving,
        done_bytes: 0,
        total_bytes: length.unwrap_or(0),
        root: None,
        paid: json!({}),
        error: None,
    };
    let id = lock(&app.jobs).add(job)?;
    let mut unfinished = Unfinished {
        app: app.clone(),
        id: Some(id),
        file: file.clone(),
    };
    let bytes = receive(&app, id, body, &file).await?;
    unfinished.id = None;
    change(&app, id, |job| job.total_bytes = bytes);
    app.uploading.spawn(run(app.clone(), id));
    Ok((
        StatusCode::ACCEPTED,
        Json(json!({"id": id, "bytes": bytes})),
    ))
}

/// A file that has not arrived as a whole: gone when the one who sends it goes.
struct Unfinished {
    app: App,
    id: Option<u64>,
    file: PathBuf,
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            lock(&self.app.jobs).jobs.remove(&id);
            remove(&self.file);
        }
    }
}

fn remove(file: &FilePath) {
    if let Err(error) = std::fs::remove_file(file) {
        tracing::warn!(%error, file = %file.display(), "an upload stays");
    }
}

fn too_large(app: &App) -> ApiError {
    let text = format!("a file has at most {} bytes here", app.max_upload_bytes);
    ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", text)
}

async fn receive(app: &App, id: u64, body: Body, path: &FilePath) -> Result<u64, ApiError> {
    let options = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path);
    let mut file = tokio::fs::File::from_std(options.map_err(ApiError::internal)?);
    let mut pieces = body.into_data_stream();
    let (mut bytes, mut told) = (0, 0);
    while let Some(piece) = pieces
        .try_next()
        .await
        .map_err(|error| ApiError::bad(format!("the file broke off: {error}")))?
    {
        bytes += piece.len() as u64;
        if bytes > app.max_upload_bytes {
            return Err(too_large(app));
        }
        file.write_all(&piece).await.map_err(ApiError::internal)?;
        if bytes - told >= 1 << 20 {
            told = bytes;
            change(app, id, |job| job.done_bytes = bytes);
        }
    }
    if bytes == 0 {
        return Err(ApiError::bad("an empty file cannot be stored"));
    }
    file.flush().await.map_err(ApiError::internal)?;
    Ok(bytes)
}

/// Encrypts, registers and stores; what goes wrong is the job's.
async fn run(app: App, id: u64) {
    let Some(job) = lock(&app.jobs).jobs.get(&id).cloned() else {
        return;
    };
    let stored = tokio::select! {
        stored = store(&app, id, &job) => stored,
        () = app.stop.cancelled() => Err("the daemon has stopped; put the file again".to_owned()),
    };
    match stored {
        Ok(()) => {
            app.metrics.upload("done", job.total_bytes);
            remove(&job.file);
            change(&app, id, |job| {
                job.phase = Phase::Done;
                job.done_bytes = job.total_bytes;
            });
            app.look_again.notify_one();
        }
        Err(error) => {
            app.metrics.upload("failed", 0);
            let text = (app.plain)(&error);
            tracing::warn!(error = text, name = job.label.name, "a file was not put");
            change(&app, id, |job| {
                job.phase = Phase::Failed;
                job.error = Some(text);
            });
        }
    }
}

async fn store(app: &App, id: u64, job: &Job) -> Result<(), String> {
    fn said(error: impl std::fmt::Display) -> String {
        error.to_string()
    }
    let api = ApiError::into_message;
    change(app, id, |job| {
        job.phase = Phase::Encrypting;
        job.done_bytes = 0;
        job.error = None;
    });
    let (keystore, log) = (app.keystore().map_err(api)?, app.upload_log().map_err(api)?);
    let put = put::begin(&app.contract, &keystore, &log, &job.file)
        .await
        .map_err(said)?;
    let root = put.prepared.root();
    change(app, id, |job| {
        job.phase = Phase::Registering;
        job.root = Some(root);
    });
    if !put.resumed {
        let order = put::order(&app.contract, &put.prepared, &job.terms)
            .await
            .map_err(said)?;
        // One at a time, and from the disk, where another command may have added a key meanwhile.
        let _keeping = app.keeping.lock().await;
        let mut keystore = app.keystore().map_err(api)?;
        let mut log = app.upload_log().map_err(api)?;
        let receipt = put::register(
            &app.contract,
            &app.account,
            &mut keystore,
            &mut log,
            &job.file,
            &put,
            &order,
        )
        .await
        .map_err(said)?;
        let mut paid = json!({"fee_soul": amount::soul(order.max_payment)});
        view::extend(&mut paid, view::receipt(&receipt));
        change(app, id, |job| job.paid = paid);
    }
    lock(&app.shelf)
        .put(&root, job.label.clone())
        .map_err(said)?;
    change(app, id, |job| job.phase = Phase::Storing);
    let nodes = places(app).await.map_err(api)?;
    let options = PutOptions {
        replicas: job.terms.replicas,
        ask_first: put.resumed,
        ..PutOptions::default()
    };
    let told = std::sync::atomic::AtomicU64::new(0);
    let progress = |progress: Progress| {
        use std::sync::atomic::Ordering::Relaxed;
        let step = (progress.total_bytes / STEPS).max(1);
        if progress.done_bytes / step != told.swap(progress.done_bytes / step, Relaxed) {
            change(app, id, |job| job.done_bytes = progress.done_bytes);
        }
    };
    content::upload(
        &app.client,
        &nodes,
        &job.file,
        &put.key,
        &put.prepared,
        &options,
        &progress,
    )
    .await
    .map_err(said)?;
    Ok(())
}

fn absent(id: u64) -> ApiError {
    ApiError::absent(format!("there is no upload {id}"))
}

/// All uploads that are remembered.
pub(crate) async fn list(State(app): State<App>) -> Json<Value> {
    let jobs = lock(&app.jobs);
    let all: Vec<Value> = jobs.jobs.iter().map(|(id, job)| job.shown(*id)).collect();
    Json(json!({"uploads": all}))
}

/// One upload.
pub(crate) async fn show(
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, ApiError> {
    let jobs = lock(&app.jobs);
    let job = jobs.jobs.get(&id).ok_or_else(|| absent(id))?;
    Ok(Json(job.shown(id)))
}

/// Tries again what failed; what was paid is not paid twice, what is stored is not sent twice.
pub(crate) async fn retry(
    State(app): State<App>,
    Path(id): Path<u64>,
    _: Nothing,
) -> Result<(StatusCode, Json<Value>), ApiError> {
    {
        let mut jobs = lock(&app.jobs);
        let job = jobs.jobs.get_mut(&id).ok_or_else(|| absent(id))?;
        if job.phase != Phase::Failed {
            let text = format!("upload {id} has not failed; it is {}", job.phase.name());
            return Err(ApiError::bad(text));
        }
        job.phase = Phase::Encrypting;
    }
    app.uploading.spawn(run(app.clone(), id));
    Ok((StatusCode::ACCEPTED, Json(json!({"id": id}))))
}

/// Forgets an upload that is over; of one that failed, its file is removed.
pub(crate) async fn forget(
    State(app): State<App>,
    Path(id): Path<u64>,
    _: Nothing,
) -> Result<Json<Value>, ApiError> {
    let mut jobs = lock(&app.jobs);
    let job = jobs.jobs.get(&id).ok_or_else(|| absent(id))?;
    if !job.phase.is_over() {
        let text = format!("upload {id} is still {}", job.phase.name());
        return Err(ApiError::bad(text));
    }
    if job.phase == Phase::Failed {
        remove(&job.file);
    }
    jobs.jobs.remove(&id);
    Ok(Json(json!({"forgotten": id})))
}
