//! Mails that were accepted and are not yet with all their readers, on the disk: whatever happens, none is forgotten and
//! none is paid for twice.
//!
//! `ID.eml` is the mail, `ID.json` says to whom and how far it is. The second file's appearance is the acceptance; each
//! step that cannot be taken twice is written down before it is taken.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files::{self, FileError, failed};

/// A mail on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    pub recipients: Vec<Recipient>,
    /// Nobody is told when it fails: it was automatic.
    #[serde(default)]
    pub quiet: bool,
    /// Unix milliseconds.
    pub accepted_ms: u64,
    pub attempts: u32,
    /// Not before this time, Unix milliseconds.
    pub next_ms: u64,
    /// The key of the mail's ciphertext, in hex, and its root; made at the first attempt.
    pub key: Option<String>,
    pub root: Option<String>,
    /// Whether the ciphertext is on the storage network.
    pub stored: bool,
}

/// One reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recipient {
    /// The box's name.
    pub name: String,
    /// The most that the gate of the reader's box may charge, in smallest units of SOUL.
    pub max_postage: u64,
    pub state: Delivery,
    /// The seal, in hex: made once, since a letter that comes twice is known by it.
    pub sealed: Option<String>,
    /// The transaction that pays and writes, in hex, from before it is sent.
    pub payment: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    Waiting,
    Sent,
    /// For good, and why.
    Failed(String),
}

/// Why the outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("{path} is damaged: {reason}; move it away to go on without it")]
    Damaged { path: String, reason: String },
}

impl Recipient {
    pub fn new(name: String, max_postage: u64) -> Self {
        Self {
            name,
            max_postage,
            state: Delivery::Waiting,
            sealed: None,
            payment: None,
        }
    }
}

impl Job {
    pub fn new(recipients: Vec<Recipient>, now_ms: u64) -> Self {
        Self {
            recipients,
            quiet: false,
            accepted_ms: now_ms,
            attempts: 0,
            next_ms: now_ms,
            key: None,
            root: None,
            stored: false,
        }
    }

    /// Whether nothing is left to do.
    pub fn is_done(&self) -> bool {
        self.recipients
            .iter()
            .all(|recipient| recipient.state != Delivery::Waiting)
    }
}

/// The folder of mails on their way.
#[derive(Clone, Debug)]
pub struct Outbox {
    folder: PathBuf,
}

impl Outbox {
    /// Opens the folder; what a crash left without acceptance is removed.
    pub fn open(folder: &Path) -> Result<Self, OutboxError> {
        files::private_folder(folder)?;
        let outbox = Self {
            folder: folder.to_owned(),
        };
        let accepted = outbox.jobs()?;
        let entries = fs::read_dir(folder).map_err(failed("read", folder))?;
        for entry in entries {
            let path = entry.map_err(failed("read", folder))?.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy();
            if !accepted.contains_key(stem.as_ref()) {
                files::remove(&path)?;
            }
        }
        Ok(outbox)
    }

    /// A name for a mail, and where to write it before it is accepted.
    pub fn draft(&self) -> (String, PathBuf) {
        let id = format!("{:032x}", rand::random::<u128>());
        let path = self.mail(&id);
        (id, path)
    }

    /// Where the mail of a job is.
    pub fn mail(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.eml"))
    }

    /// Accepts the mail that was written there: from now on it is this outbox's to deliver. Also writes down how far
    /// one is.
    pub fn save(&self, id: &str, job: &Job) -> Result<(), OutboxError> {
        let bytes = serde_json::to_vec(job).unwrap_or_default();
        Ok(files::replace(&self.job(id), &bytes)?)
    }

    pub fn load(&self, id: &str) -> Result<Option<Job>, OutboxError> {
        let path = self.job(id);
        let Some(bytes) = files::read(&path)? else {
            return Ok(None);
        };
        let job = serde_json::from_slice(&bytes).map_err(|error| OutboxError::Damaged {
            path: path.display().to_string(),
            reason: error.to_string(),
        })?;
        Ok(Some(job))
    }

    /// All that wait, by name.
    pub fn jobs(&self) -> Result<BTreeMap<String, Job>, OutboxError> {
        let mut found = BTreeMap::new();
        let entries = fs::read_dir(&self.folder).map_err(failed("read", &self.folder))?;
        for entry in entries {
            let name = entry.map_err(failed("read", &self.folder))?.file_name();
            let name = name.to_string_lossy().into_owned();
            if let Some(id) = name.strip_suffix(".json")
                && let Some(job) = self.load(id)?
            {
                found.insert(id.to_owned(), job);
            }
        }
        Ok(found)
    }

    /// Forgets a mail that is done. The acceptance goes first: a mail without one is removed at the next start.
    pub fn remove(&self, id: &str) -> Result<(), OutboxError> {
        files::remove(&self.job(id))?;
        files::remove(&self.mail(id))?;
        Ok(files::sync_folder(&self.folder)?)
    }

    fn job(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_accepted_is_there_after_a_crash_and_the_rest_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(folder.path()).unwrap();
        let (accepted, path) = outbox.draft();
        fs::write(&path, "mail").unwrap();
        let mut job = Job::new(vec![Recipient::new("bob".into(), 7)], 5);
        outbox.save(&accepted, &job).unwrap();
        let (_, torn) = outbox.draft();
        fs::write(&torn, "ma").unwrap();
        let outbox = Outbox::open(folder.path()).unwrap();
        assert!(!torn.exists() && path.exists());
        assert_eq!(
            outbox.jobs().unwrap(),
            BTreeMap::from([(accepted.clone(), job.clone())])
        );
        assert!(!job.is_done());
        job.recipients[0].state = Delivery::Failed("no".into());
        assert!(job.is_done());
        outbox.save(&accepted, &job).unwrap();
        assert_eq!(outbox.load(&accepted).unwrap(), Some(job));
        outbox.remove(&accepted).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}
