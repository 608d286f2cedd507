//! Which transactions the relay has sent and with which messages, on its disk before they leave. So a relay that was
//! killed still knows what it did: a message that comes again gets the outcome it had, and never a second transaction.
//!
//! One small file a transaction, `TXID.toml`, replaced as a whole, and kept until its messages could no longer come
//! again, being too old.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use phantasma_sdk::neo::wallet::replace_file;
use phantasma_wire::Hash;
use phantasma_wire::relay::Outcome;
use serde::{Deserialize, Serialize};

use crate::chain::{Ready, Sent};

/// Why the journal cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    #[error("{what} {path}: {source}")]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "{path} is damaged ({reason}): move it away; messages in it that come again may be refused by the contract"
    )]
    Damaged { path: PathBuf, reason: String },
}

/// What stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Unix ms, for forgetting.
    sent_ms: u64,
    valid_until: u32,
    /// The transaction in hexadecimal, until it is in a block.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    transaction: String,
    /// Ids in hexadecimal, in the transaction's order.
    messages: Vec<String>,
    /// Where they were written, once that is known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    indices: Vec<u64>,
}

/// A transaction whose outcome is still open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Open {
    pub(crate) sent: Sent,
    /// As the network takes it.
    pub(crate) bytes: Vec<u8>,
    pub(crate) messages: Vec<Hash>,
}

/// The folder and what it says.
#[derive(Debug)]
pub(crate) struct Journal {
    folder: PathBuf,
    entries: HashMap<Hash, Entry>,
}

impl Journal {
    /// Reads the folder, which is made when it is missing.
    pub(crate) fn open(folder: &Path) -> Result<Self, JournalError> {
        fs::create_dir_all(folder).map_err(io_error("creating", folder))?;
        let mut entries = HashMap::new();
        for file in fs::read_dir(folder).map_err(io_error("listing", folder))? {
            let path = file.map_err(io_error("listing", folder))?.path();
            match path.extension().and_then(|kind| kind.to_str()) {
                Some("toml") => {
                    let (txid, entry) = read(&path)?;
                    entries.insert(txid, entry);
                }
                // Left by a crash before it counted.
                Some("new") => fs::remove_file(&path).map_err(io_error("removing", &path))?,
                _ => {}
            }
        }
        Ok(Self {
            folder: folder.to_owned(),
            entries,
        })
    }

    /// Transactions that may still come into a block, the first to expire first.
    pub(crate) fn open_ones(&self) -> Vec<Open> {
        let open = self.entries.iter().filter(|(_, e)| e.indices.is_empty());
        let mut open: Vec<_> = open
            .map(|(txid, entry)| Open {
                sent: Sent {
                    txid: *txid,
                    valid_until: entry.valid_until,
                },
                // A file that says otherwise was refused when it was read.
                bytes: hex::decode(&entry.transaction).unwrap_or_default(),
                messages: entry.ids().collect(),
            })
            .collect();
        open.sort_by_key(|one| (one.sent.valid_until, one.sent.txid));
        open
    }

    /// What became of every message that was written.
    pub(crate) fn outcomes(&self) -> impl Iterator<Item = (Hash, Outcome)> + '_ {
        self.entries.iter().flat_map(|(txid, entry)| {
            entry.ids().zip(&entry.indices).map(|(id, index)| {
                let (txid, index) = (*txid, *index);
                (id, Outcome::OnChain { txid, index })
            })
        })
    }

    /// Before a transaction is sent.
    pub(crate) fn begin(
        &mut self,
        ready: &Ready,
        messages: &[Hash],
        now_ms: u64,
    ) -> Result<(), JournalError> {
        let sent = ready.sent;
        let entry = Entry {
            sent_ms: now_ms,
            valid_until: sent.valid_until,
            transaction: hex::encode(&ready.bytes),
            messages: messages.iter().map(hex::encode).collect(),
            indices: Vec::new(),
        };
        self.put(sent.txid, entry)
    }

    /// It is in a block; its messages have these indices.
    pub(crate) fn written(&mut self, txid: Hash, indices: &[u64]) -> Result<(), JournalError> {
        match self.entries.get(&txid).cloned() {
            None => Ok(()),
            Some(mut entry) => {
                entry.indices = indices.to_vec();
                entry.transaction.clear();
                self.put(txid, entry)
            }
        }
    }

    /// It wrote nothing and never will.
    pub(crate) fn void(&mut self, txid: Hash) -> Result<(), JournalError> {
        if self.entries.remove(&txid).is_none() {
            return Ok(());
        }
        let path = self.path(&txid);
        fs::remove_file(&path).map_err(io_error("removing", &path))
    }

    /// Forgets what was written before that time.
    pub(crate) fn forget(&mut self, before_ms: u64) -> Result<(), JournalError> {
        let old = |entry: &Entry| entry.sent_ms < before_ms && !entry.indices.is_empty();
        let old: Vec<_> = self
            .entries
            .iter()
            .filter(|(_, entry)| old(entry))
            .collect();
        let old: Vec<_> = old.into_iter().map(|(txid, _)| *txid).collect();
        old.into_iter().try_for_each(|txid| self.void(txid))
    }

    fn put(&mut self, txid: Hash, entry: Entry) -> Result<(), JournalError> {
        let path = self.path(&txid);
        let text = toml::to_string(&entry).map_err(|error| JournalError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        replace_file(&path, text.as_bytes()).map_err(io_error("writing", &path))?;
        self.entries.insert(txid, entry);
        Ok(())
    }

    fn path(&self, txid: &Hash) -> PathBuf {
        self.folder.join(hex::encode(txid)).with_extension("toml")
    }
}

impl Entry {
    fn ids(&self) -> impl Iterator<Item = Hash> + '_ {
        self.messages.iter().filter_map(|id| hash(id))
    }
}

fn read(path: &Path) -> Result<(Hash, Entry), JournalError> {
    let damaged = |reason: &str| JournalError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = fs::read_to_string(path).map_err(io_error("reading", path))?;
    let entry: Entry = toml::from_str(&text).map_err(|error| damaged(error.message()))?;
    let name = path.file_stem().and_then(|name| name.to_str());
    let txid = name
        .and_then(hash)
        .ok_or_else(|| damaged("its name is no transaction"))?;
    if hex::decode(&entry.transaction).is_err() {
        return Err(damaged("the transaction is no hexadecimal"));
    }
    if entry.messages.iter().any(|id| hash(id).is_none()) {
        return Err(damaged("a message is no 64 hexadecimal digits"));
    }
    if !entry.indices.is_empty() && entry.indices.len() != entry.messages.len() {
        return Err(damaged("there is not an index for each message"));
    }
    Ok((txid, entry))
}

fn hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> JournalError {
    let path = path.to_owned();
    move |source| JournalError::Io { what, path, source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SENT: Sent = Sent {
        txid: [0xAB; 32],
        valid_until: 9,
    };

    fn ready(sent: Sent) -> Ready {
        Ready {
            sent,
            fees: 1,
            bytes: vec![0, 0xFF, 3],
        }
    }

    #[test]
    fn what_was_sent_and_written_is_known_after_a_restart_and_forgotten_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        let late = Sent {
            txid: [1; 32],
            valid_until: 10,
        };
        journal.begin(&ready(late), &[[5; 32]], 2000).unwrap();
        journal
            .begin(&ready(SENT), &[[3; 32], [4; 32]], 1000)
            .unwrap();
        fs::write(folder.path().join("half.new"), "x").unwrap();

        let mut journal = Journal::open(folder.path()).unwrap();
        let open: Vec<_> = journal.open_ones().iter().map(|one| one.sent).collect();
        assert_eq!(open, [SENT, late]);
        assert_eq!(journal.open_ones()[0].messages, [[3; 32], [4; 32]]);
        assert_eq!(journal.open_ones()[0].bytes, ready(SENT).bytes);
        journal.written(SENT.txid, &[7, 8]).unwrap();
        journal.void(late.txid).unwrap();

        let mut journal = Journal::open(folder.path()).unwrap();
        assert!(journal.open_ones().is_empty());
        let mut outcomes: Vec<_> = journal.outcomes().collect();
        outcomes.sort_by_key(|(id, _)| *id);
        let at = |index| Outcome::OnChain {
            txid: SENT.txid,
            index,
        };
        assert_eq!(outcomes, [([3; 32], at(7)), ([4; 32], at(8))]);
        journal.forget(1000).unwrap();
        assert_eq!(journal.outcomes().count(), 2);
        journal.forget(1001).unwrap();
        assert_eq!(Journal::open(folder.path()).unwrap().outcomes().count(), 0);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path()).unwrap();
        journal.begin(&ready(SENT), &[[3; 32]], 1000).unwrap();
        let path = journal.path(&SENT.txid);
        let good = fs::read_to_string(&path).unwrap();
        for bad in [&good[..good.len() / 2], &good.replace("0303", "xx"), ""] {
            fs::write(&path, bad).unwrap();
            let error = Journal::open(folder.path()).unwrap_err().to_string();
            assert!(
                error.contains("abab") && error.contains("damaged"),
                "{error}"
            );
        }
    }
}
