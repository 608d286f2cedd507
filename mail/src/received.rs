//! What has come: which letters were judged, and how far the relay's messages have been taken over. On the disk before
//! anything else goes on, so that a letter comes once, whatever happens in between.

use std::collections::HashSet;
use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use phantasma_wire::{Hash, PublicKey};

use crate::files::{self, FileError, failed};

/// One line for each letter: its id in hex and what became of it.
const LOG: &str = "received";
/// The relay's key in hex and the last position taken over.
const CURSOR: &str = "cursor";
/// How many contents of the box on the chain have been taken over.
const CONTENTS: &str = "contents";

/// The letters that were judged.
#[derive(Debug)]
pub struct Received {
    ids: HashSet<Hash>,
    log: File,
    path: PathBuf,
}

impl Received {
    /// Reads the log of a mailbox's folder; a line that a crash left half written does not count.
    pub fn open(folder: &Path) -> Result<Self, FileError> {
        let path = folder.join(LOG);
        let text = files::read(&path)?.unwrap_or_default();
        let whole = text
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |at| at + 1);
        let ids = String::from_utf8_lossy(text.get(..whole).unwrap_or_default())
            .lines()
            .filter_map(|line| id_of(line.split(' ').next().unwrap_or_default()))
            .collect();
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)
            .map_err(failed("open", &path))?;
        // What follows a torn line must begin on a line of its own.
        log.set_len(whole as u64).map_err(failed("repair", &path))?;
        Ok(Self { ids, log, path })
    }

    pub fn has(&self, id: &Hash) -> bool {
        self.ids.contains(id)
    }

    /// Notes what became of a letter.
    pub fn note(&mut self, id: &Hash, verdict: &str) -> Result<(), FileError> {
        let verdict = verdict.replace(['\n', '\r'], " ");
        let line = format!("{} {verdict}\n", hex::encode(id));
        self.log
            .write_all(line.as_bytes())
            .and_then(|()| self.log.sync_data())
            .map_err(failed("write", &self.path))?;
        self.ids.insert(*id);
        Ok(())
    }
}

/// A letter's id, from hex.
pub fn id_of(text: &str) -> Option<Hash> {
    let mut id = Hash::default();
    hex::decode_to_slice(text, &mut id).ok()?;
    Some(id)
}

/// The position from which on a relay's messages are still to come. Another relay counts anew.
pub fn next_position(folder: &Path, relay: &PublicKey) -> Result<u64, FileError> {
    let text = files::read(&folder.join(CURSOR))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut parts = text.split_whitespace();
    let same = parts.next() == Some(hex::encode(relay).as_str());
    let last: u64 = parts.next().and_then(|text| text.parse().ok()).unwrap_or(0);
    Ok(if same { last.saturating_add(1) } else { 1 })
}

/// All up to this position lies in the folder of incoming letters.
pub fn save_position(folder: &Path, relay: &PublicKey, position: u64) -> Result<(), FileError> {
    let text = format!("{} {position}\n", hex::encode(relay));
    files::replace(&folder.join(CURSOR), text.as_bytes())
}

/// The index of the content in the box on the chain that comes next.
pub fn next_content(folder: &Path) -> Result<u64, FileError> {
    let text = files::read(&folder.join(CONTENTS))?.unwrap_or_default();
    Ok(String::from_utf8_lossy(&text).trim().parse().unwrap_or(0))
}

/// All before this index lies in the folder of incoming letters.
pub fn save_content(folder: &Path, next: u64) -> Result<(), FileError> {
    files::replace(&folder.join(CONTENTS), format!("{next}\n").as_bytes())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_torn_line_does_not_count_and_is_cut_off() {
        let folder = tempfile::tempdir().unwrap();
        let mut received = Received::open(folder.path()).unwrap();
        received.note(&[1; 32], "delivered").unwrap();
        let path = folder.path().join(LOG);
        let mut text = std::fs::read(&path).unwrap();
        text.extend_from_slice(hex::encode([2; 32]).as_bytes());
        std::fs::write(&path, text).unwrap();
        let mut received = Received::open(folder.path()).unwrap();
        assert!(received.has(&[1; 32]) && !received.has(&[2; 32]));
        received.note(&[3; 32], "refused: a\nb").unwrap();
        let received = Received::open(folder.path()).unwrap();
        assert!(received.has(&[1; 32]) && received.has(&[3; 32]));
    }

    #[test]
    fn another_relay_counts_anew() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(next_position(folder.path(), &[1; 33]).unwrap(), 1);
        save_position(folder.path(), &[1; 33], 41).unwrap();
        assert_eq!(next_position(folder.path(), &[1; 33]).unwrap(), 42);
        assert_eq!(next_position(folder.path(), &[2; 33]).unwrap(), 1);
    }
}
