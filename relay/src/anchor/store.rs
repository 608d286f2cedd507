//! The relay's anchors on its disk: for each a small file, `POSITION.toml` by the position of its first message, and the
//! tree over its messages, `POSITION.tree`, all levels from the leaves on.
//!
//! Both are there before the anchor's transaction leaves, so that a relay that was killed sends the same one again.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use phantasma_sdk::neo::wallet::replace_file;
use phantasma_wire::Hash;
use phantasma_wire::relay::{Anchor, AnchorProof, AnchorTree, path_nodes};
use serde::{Deserialize, Serialize};

use crate::chain::{Ready, Sent};

/// Why the anchors cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum AnchorError {
    #[error("{what} {path}: {source}")]
    Io {
        what: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "{path} is damaged ({reason}): move it and its .tree away; its messages then have no proof from this relay"
    )]
    Damaged { path: PathBuf, reason: String },
}

/// What stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    count: u32,
    root: String,
    box_id: u64,
    txid: String,
    valid_until: u32,
    /// In hexadecimal, until it is in a block.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    transaction: String,
    /// Where it was written, once that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    index: Option<u64>,
}

/// An anchor on its way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Open {
    pub(super) first: u64,
    pub(super) ready: Ready,
}

/// The folder and what it says.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
    /// By the position of the first message.
    entries: BTreeMap<u64, Entry>,
}

impl Store {
    /// Reads the folder, which is made when it is missing.
    pub(super) fn open(folder: &Path) -> Result<Self, AnchorError> {
        fs::create_dir_all(folder).map_err(io_error("creating", folder))?;
        let mut entries = BTreeMap::new();
        for file in fs::read_dir(folder).map_err(io_error("listing", folder))? {
            let path = file.map_err(io_error("listing", folder))?.path();
            if path.extension().is_some_and(|kind| kind == "toml") {
                let (first, entry) = read(&path)?;
                entries.insert(first, entry);
            }
        }
        let folder = folder.to_owned();
        Ok(Self { folder, entries })
    }

    /// The position after the last one that has an anchor.
    pub(super) fn next(&self) -> u64 {
        let last = self.entries.last_key_value();
        last.map_or(1, |(first, entry)| first + u64::from(entry.count))
    }

    /// The one whose fate is not known; there is never more than one.
    pub(super) fn open_one(&self) -> Option<Open> {
        let mut open = self.entries.iter().filter(|(_, e)| e.index.is_none());
        let (first, entry) = open.next()?;
        let sent = Sent {
            txid: hash(&entry.txid)?,
            valid_until: entry.valid_until,
        };
        let ready = Ready {
            sent,
            fees: 0,
            bytes: hex::decode(&entry.transaction).ok()?,
        };
        let first = *first;
        Some(Open { first, ready })
    }

    /// Before the transaction is sent.
    pub(super) fn begin(
        &mut self,
        anchor: &Anchor,
        tree: &AnchorTree,
        box_id: u64,
        ready: &Ready,
    ) -> Result<(), AnchorError> {
        let path = self.path(anchor.first, "tree");
        let bytes = tree.levels().concat().concat();
        replace_file(&path, &bytes).map_err(io_error("writing", &path))?;
        let entry = Entry {
            count: anchor.count,
            root: hex::encode(anchor.root),
            box_id,
            txid: hex::encode(ready.sent.txid),
            valid_until: ready.sent.valid_until,
            transaction: hex::encode(&ready.bytes),
            index: None,
        };
        self.put(anchor.first, entry)
    }

    /// It is in a block.
    pub(super) fn written(&mut self, first: u64, index: u64) -> Result<(), AnchorError> {
        match self.entries.get(&first).cloned() {
            None => Ok(()),
            Some(mut entry) => {
                entry.index = Some(index);
                entry.transaction.clear();
                self.put(first, entry)
            }
        }
    }

    /// It will never be in a block, or its messages are no longer kept.
    pub(super) fn remove(&mut self, first: u64) -> Result<(), AnchorError> {
        self.entries.remove(&first);
        for kind in ["toml", "tree"] {
            let path = self.path(first, kind);
            match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(io_error("removing", &path)(error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Removes the anchors all of whose messages lie before that position, except the last one, which says how far the
    /// anchors reach.
    pub(super) fn forget(&mut self, before: u64) -> Result<(), AnchorError> {
        let old = self.entries.iter();
        let mut old: Vec<_> = old
            .filter(|(first, entry)| *first + u64::from(entry.count) <= before)
            .map(|(first, _)| *first)
            .collect();
        old.retain(|first| Some(first) != self.entries.keys().next_back());
        old.into_iter().try_for_each(|first| self.remove(first))
    }

    /// How the message at a position leads to the chain; None when it has no anchor there yet.
    pub(super) fn proof(&self, position: u64) -> Result<Option<AnchorProof>, AnchorError> {
        let found = self.entries.range(..=position).next_back();
        let Some((first, entry)) = found else {
            return Ok(None);
        };
        let (Some(index), Some(root), Some(txid)) =
            (entry.index, hash(&entry.root), hash(&entry.txid))
        else {
            return Ok(None);
        };
        let Some(leaf) = u32::try_from(position - first)
            .ok()
            .filter(|n| *n < entry.count)
        else {
            return Ok(None);
        };
        Ok(Some(AnchorProof {
            anchor: Anchor {
                first: *first,
                count: entry.count,
                root,
            },
            box_id: entry.box_id,
            index,
            txid,
            position,
            path: self.path_of(*first, leaf, entry.count)?,
        }))
    }

    /// Reads at most 20 hashes of the tree.
    fn path_of(&self, first: u64, leaf: u32, count: u32) -> Result<Vec<Hash>, AnchorError> {
        let path = self.path(first, "tree");
        let error = io_error("reading", &path);
        let read = || {
            let file = File::open(&path)?;
            let mut hashes = Vec::new();
            for (level, node) in path_nodes(leaf, count) {
                let mut hash = Hash::default();
                file.read_exact_at(&mut hash, 32 * (start_of(level, count) + u64::from(node)))?;
                hashes.push(hash);
            }
            Ok(hashes)
        };
        read().map_err(error)
    }

    fn put(&mut self, first: u64, entry: Entry) -> Result<(), AnchorError> {
        let path = self.path(first, "toml");
        let text = toml::to_string(&entry).map_err(|error| AnchorError::Damaged {
            path: path.clone(),
            reason: error.to_string(),
        })?;
        replace_file(&path, text.as_bytes()).map_err(io_error("writing", &path))?;
        self.entries.insert(first, entry);
        Ok(())
    }

    fn path(&self, first: u64, kind: &str) -> PathBuf {
        self.folder.join(format!("{first:020}.{kind}"))
    }
}

/// Nodes of the tree before a level.
fn start_of(level: u32, count: u32) -> u64 {
    (0..level)
        .map(|below| u64::from(count.saturating_sub(1) >> below) + 1)
        .sum()
}

fn read(path: &Path) -> Result<(u64, Entry), AnchorError> {
    let damaged = |reason: &str| AnchorError::Damaged {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let text = fs::read_to_string(path).map_err(io_error("reading", path))?;
    let entry: Entry = toml::from_str(&text).map_err(|error| damaged(error.message()))?;
    let name = path
        .file_stem()
        .and_then(|name| name.to_str()?.parse().ok());
    let first = name.ok_or_else(|| damaged("its name is no position"))?;
    if hash(&entry.root).is_none() || hash(&entry.txid).is_none() {
        return Err(damaged("root or txid is no 64 hexadecimal digits"));
    }
    match hex::decode(&entry.transaction) {
        Err(_) => Err(damaged("the transaction is no hexadecimal")),
        Ok(_) => Ok((first, entry)),
    }
}

fn hash(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    hex::decode_to_slice(text, &mut hash).ok()?;
    Some(hash)
}

fn io_error(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> AnchorError {
    let path = path.to_owned();
    move |source| AnchorError::Io { what, path, source }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::cast_possible_truncation)]
mod tests {
    use super::*;

    fn ready(number: u8) -> Ready {
        Ready {
            sent: Sent {
                txid: [number; 32],
                valid_until: 7,
            },
            fees: 0,
            bytes: vec![number],
        }
    }

    fn begin(store: &mut Store, first: u64, ids: &[Hash], number: u8) {
        let tree = AnchorTree::new(ids);
        let anchor = Anchor {
            first,
            count: ids.len() as u32,
            root: tree.root(),
        };
        store.begin(&anchor, &tree, 5, &ready(number)).unwrap();
    }

    #[test]
    fn every_message_has_its_proof_also_after_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let ids: Vec<Hash> = (0..37).map(|n| [n; 32]).collect();
        let mut store = Store::open(folder.path()).unwrap();
        assert_eq!(store.next(), 1);
        begin(&mut store, 1, &ids[..30], 1);
        assert_eq!(store.proof(3).unwrap(), None);
        store.written(1, 8).unwrap();
        begin(&mut store, 31, &ids[30..], 2);

        let mut store = Store::open(folder.path()).unwrap();
        let open = store.open_one().unwrap();
        assert_eq!((open.first, open.ready), (31, ready(2)));
        store.written(31, 9).unwrap();
        assert_eq!((store.next(), store.open_one()), (38, None));
        for (position, id) in (1..).zip(&ids) {
            let proof = store.proof(position).unwrap().unwrap();
            proof.check(id).unwrap();
            assert_eq!(proof.index, if position < 31 { 8 } else { 9 });
        }
        assert_eq!(store.proof(0).unwrap(), None);
        assert_eq!(store.proof(38).unwrap(), None);

        store.forget(31).unwrap();
        assert_eq!(store.proof(30).unwrap(), None);
        store.forget(1000).unwrap();
        assert_eq!(Store::open(folder.path()).unwrap().next(), 38);
    }

    #[test]
    fn one_that_came_to_nothing_is_gone_and_a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(folder.path()).unwrap();
        begin(&mut store, 1, &[[1; 32]], 1);
        store.remove(1).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        begin(&mut store, 1, &[[1; 32]], 1);
        let path = store.path(1, "toml");
        fs::write(&path, "count = 1").unwrap();
        let error = Store::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("00001.toml is damaged"), "{error}");
    }
}
