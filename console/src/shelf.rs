//! What the chain does not know of a content: the file's name and type, as its owner gave them. Nobody else sees them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Characters of a name.
pub(crate) const MAX_NAME: usize = 255;

/// Contents whose names are kept; a keystore holds as many keys.
const MAX_ENTRIES: usize = 100_000;

/// What a file was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Label {
    pub(crate) name: String,
    /// Such as `video/mp4`.
    pub(crate) media_type: String,
    /// Nodes that shall hold each block.
    pub(crate) replicas: u64,
}

/// Why the names cannot be had.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}; move it away to begin without names of contents", path.display())]
pub struct ShelfError {
    path: PathBuf,
    reason: String,
}

/// The labels of all contents, by root.
#[derive(Debug)]
pub(crate) struct Shelf {
    path: PathBuf,
    labels: BTreeMap<String, Label>,
}

impl Shelf {
    pub(crate) fn open(path: PathBuf) -> Result<Self, ShelfError> {
        let wrong = |reason: String| ShelfError {
            path: path.clone(),
            reason,
        };
        let labels = match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(wrong(error.to_string())),
        };
        Ok(Self { path, labels })
    }

    pub(crate) fn get(&self, root: &[u8; 32]) -> Option<&Label> {
        self.labels.get(&hex::encode(root))
    }

    /// Keeps a label, and saves.
    pub(crate) fn put(&mut self, root: &[u8; 32], label: Label) -> io::Result<()> {
        if self.labels.len() >= MAX_ENTRIES {
            return Err(io::Error::other("there are too many names of contents"));
        }
        self.labels.insert(hex::encode(root), label);
        let scratch = self.path.with_extension("new");
        fs::write(&scratch, serde_json::to_vec_pretty(&self.labels)?)?;
        fs::rename(&scratch, &self.path)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn labels_come_back_and_a_damaged_file_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shelf.json");
        let mut shelf = Shelf::open(path.clone()).unwrap();
        let label = Label {
            name: "film.webm".into(),
            media_type: "video/webm".into(),
            replicas: 3,
        };
        shelf.put(&[7; 32], label.clone()).unwrap();
        assert_eq!(
            Shelf::open(path.clone()).unwrap().get(&[7; 32]),
            Some(&label)
        );
        fs::write(&path, "{").unwrap();
        let error = Shelf::open(path).unwrap_err().to_string();
        assert!(error.contains("shelf.json"), "{error}");
    }
}
