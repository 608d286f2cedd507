//! How each content is: where its blocks are, how its proofs went, and how both went over time.
//!
//! The daemon looks at all contents it has keys of, and notes what has changed. What nodes say they hold is their word;
//! the confidence is what the chain has checked.

use std::collections::{BTreeMap, VecDeque};
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Write};
use std::path::PathBuf;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use phantasma_sdk::content::{Spread, spread};
use phantasma_sdk::contract::ContentInfo;
use phantasma_sdk::proofs::ContentProofs;
use phantasma_sdk::view;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::app::{App, lock, now_ms};
use crate::error::ApiError;
use crate::input::root;
use crate::nodes::places;

/// Contents that are looked at in one round, some four requests each.
const MAX_CONTENTS: usize = 200;

/// Samples of one content: changes come with proofs, so this is months.
const MAX_SAMPLES: usize = 1000;

/// Without a change a sample is noted after this time, so that a plot shows that somebody looked.
const UNCHANGED_MS: u64 = 10 * 60_000;

/// After news of a proof, until the chain is asked: several come in a block.
const SETTLE: Duration = Duration::from_millis(500);

/// How a content was at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Sample {
    pub(crate) time_ms: u64,
    /// Blocks of the content.
    pub(crate) blocks: u64,
    /// Blocks that at least one node holds.
    pub(crate) stored: u64,
    /// Holders of the block that has the fewest.
    pub(crate) fewest: u64,
    pub(crate) challenges: u64,
    pub(crate) shown: u64,
    pub(crate) failures: u64,
    /// 0 to 1.
    pub(crate) confidence: f64,
}

impl Sample {
    fn of(spread: &Spread, proofs: &ContentProofs) -> Self {
        Self {
            time_ms: now_ms(),
            blocks: spread.blocks,
            stored: spread.stored,
            fewest: spread.fewest,
            challenges: proofs.challenges,
            shown: proofs.shown,
            failures: proofs.failures,
            // Millionths, far below what a float holds exactly.
            confidence: proofs.confidence as f64 / 1_000_000.0,
        }
    }

    fn same_as(&self, other: &Self) -> bool {
        let time_ms = other.time_ms;
        Self {
            time_ms,
            ..self.clone()
        } == *other
    }
}

/// A line of the file.
#[derive(Serialize, Deserialize)]
struct Line {
    root: String,
    #[serde(flatten)]
    sample: Sample,
}

/// All samples, in memory and in a file.
#[derive(Debug)]
pub(crate) struct History {
    path: PathBuf,
    samples: BTreeMap<[u8; 32], VecDeque<Sample>>,
}

impl History {
    /// Reads what former runs have noted. Lines that cannot be read are passed over: a power loss may cut the last one,
    /// and no line is worth more than what can be seen anew.
    pub(crate) fn open(path: PathBuf) -> Self {
        let samples = BTreeMap::new();
        let mut history = Self { path, samples };
        let Ok(file) = File::open(&history.path) else {
            return history;
        };
        let mut read = 0;
        for text in BufReader::new(file).lines().map_while(Result::ok) {
            read += 1;
            let Ok(line) = serde_json::from_str::<Line>(&text) else {
                continue;
            };
            if let Ok(root) = root(&line.root) {
                history.keep(root, line.sample);
            }
        }
        let kept: usize = history.samples.values().map(VecDeque::len).sum();
        if read > kept
            && let Err(error) = history.rewrite()
        {
            tracing::warn!(%error, "the history of contents stays long");
        }
        history
    }

    fn keep(&mut self, root: [u8; 32], sample: Sample) {
        let samples = self.samples.entry(root).or_default();
        samples.push_back(sample);
        while samples.len() > MAX_SAMPLES {
            samples.pop_front();
        }
    }

    fn rewrite(&self) -> io::Result<()> {
        let scratch = self.path.with_extension("new");
        let mut out = io::BufWriter::new(File::create(&scratch)?);
        for (root, samples) in &self.samples {
            for sample in samples {
                write_line(&mut out, root, sample)?;
            }
        }
        out.flush()?;
        fs::rename(&scratch, &self.path)
    }

    /// Notes a sample if it says something new; true if it does.
    fn note(&mut self, root: [u8; 32], sample: Sample) -> io::Result<bool> {
        let last = self.samples.get(&root).and_then(VecDeque::back);
        let old = last.is_some_and(|last| {
            let soon = sample.time_ms < last.time_ms.saturating_add(UNCHANGED_MS);
            sample.same_as(last) && soon
        });
        if old {
            return Ok(false);
        }
        let mut file = File::options().create(true).append(true).open(&self.path)?;
        write_line(&mut file, &root, &sample)?;
        self.keep(root, sample);
        Ok(true)
    }

    /// The newest sample of a content.
    pub(crate) fn last(&self, root: &[u8; 32]) -> Option<&Sample> {
        self.samples.get(root)?.back()
    }

    fn all(&self, root: &[u8; 32]) -> Vec<Sample> {
        let samples = self.samples.get(root).into_iter().flatten();
        samples.cloned().collect()
    }
}

fn write_line(out: &mut impl Write, root: &[u8; 32], sample: &Sample) -> io::Result<()> {
    let line = Line {
        root: hex::encode(root),
        sample: sample.clone(),
    };
    let mut text = serde_json::to_vec(&line)?;
    text.push(b'\n');
    out.write_all(&text)
}

/// Looks at all contents, again and again, until the daemon stops.
pub(crate) async fn watch(app: App, every: Duration) {
    loop {
        if let Err(error) = look_at_all(&app).await {
            tracing::warn!(?error, "the contents could not be looked at");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            () = app.look_again.notified() => tokio::time::sleep(SETTLE).await,
            () = app.stop.cancelled() => return,
        }
    }
}

async fn look_at_all(app: &App) -> Result<(), ApiError> {
    let roots = app.roots()?;
    let (mut contents, mut incomplete, mut lowest) = (0, 0, 1.0_f64);
    for root in roots.iter().take(MAX_CONTENTS) {
        if app.stop.is_cancelled() {
            return Ok(());
        }
        let Some(info) = app.contract.content_info(root).await? else {
            continue;
        };
        let (_, _, sample) = look(app, &info).await?;
        contents += 1;
        incomplete += u64::from(sample.stored < sample.blocks);
        lowest = lowest.min(sample.confidence);
    }
    app.metrics.health(contents, incomplete, lowest);
    Ok(())
}

/// Asks nodes and chain about a content, and notes it.
async fn look(app: &App, info: &ContentInfo) -> Result<(Spread, ContentProofs, Sample), ApiError> {
    let nodes = places(app).await?;
    let spread = spread(&app.client, &nodes, &info.root, info.size)
        .await
        .map_err(ApiError::internal)?;
    let proofs = app.proofs.content_proofs(&info.root).await?;
    let sample = Sample::of(&spread, &proofs);
    let noted = lock(&app.history).note(info.root, sample.clone());
    if noted.map_err(ApiError::internal)? {
        let mut data = json!({"root": hex::encode(info.root)});
        view::extend(&mut data, json!(sample));
        app.tell("health", data);
    }
    Ok((spread, proofs, sample))
}

/// `GET /api/contents/{root}/health`: as it is now, and as it was.
pub(crate) async fn show(
    State(app): State<App>,
    Path(text): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let root = root(&text)?;
    let info = crate::contents::known(&app, &root).await?;
    let (spread, proofs, sample) = look(&app, &info).await?;
    let offers = app.proofs.offers_of(&root).await?;
    let wanted = lock(&app.shelf).get(&root).map(|label| label.replicas);
    let holders: Vec<Value> = spread
        .nodes
        .iter()
        .map(|(node, blocks)| {
            json!({
                "public_key": hex::encode(node.public_key),
                "at": node.address,
                "blocks": blocks,
            })
        })
        .collect();
    let offers: Vec<String> = offers.iter().map(|account| account.to_address()).collect();
    Ok(Json(json!({
        "root": text,
        "now": sample,
        "wanted": wanted,
        "holders": holders,
        "proofs": view::proofs(&proofs),
        "offers": offers,
        "history": lock(&app.history).all(&root),
    })))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn sample(time_ms: u64, shown: u64) -> Sample {
        Sample {
            time_ms,
            blocks: 4,
            stored: 4,
            fewest: 3,
            challenges: shown,
            shown,
            failures: 0,
            confidence: 0.5,
        }
    }

    #[test]
    fn only_what_is_new_is_noted_and_it_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("health.jsonl");
        let mut history = History::open(path.clone());
        assert!(history.note([1; 32], sample(0, 1)).unwrap());
        assert!(!history.note([1; 32], sample(1, 1)).unwrap());
        assert!(history.note([1; 32], sample(2, 2)).unwrap());
        assert!(history.note([1; 32], sample(2 + UNCHANGED_MS, 2)).unwrap());
        fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .unwrap()
            .write_all(b"{\"root\":\"cut")
            .unwrap();
        let again = History::open(path.clone());
        assert_eq!(again.all(&[1; 32]), history.all(&[1; 32]));
        assert_eq!(again.last(&[1; 32]).unwrap().shown, 2);
        // The cut line is gone from the file, so that the next one starts on its own.
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    }

    #[test]
    fn the_file_does_not_grow_for_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("health.jsonl");
        let mut history = History::open(path.clone());
        for n in 0..MAX_SAMPLES as u64 + 10 {
            history.note([1; 32], sample(n, n)).unwrap();
        }
        drop(History::open(path.clone()));
        let lines = fs::read_to_string(&path).unwrap().lines().count();
        assert_eq!(lines, MAX_SAMPLES);
    }
}
