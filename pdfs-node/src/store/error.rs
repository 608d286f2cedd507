//! Why the store could not do it, with what and where.

use std::{io, path::PathBuf};

use super::types::BlockId;

/// Errors of the block store. None of them leaves a half-written block behind.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(
        "the store in {path} is in use by another process: stop it, or choose another data directory"
    )]
    Locked { path: PathBuf },
    #[error("{action} {path}: {source}")]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "no space left to store a block in {path} ({source}): free space or move the data directory"
    )]
    DiskFull { path: PathBuf, source: io::Error },
    #[error(
        "index: {0}. If it stays, stop the node and delete the folder `index`: it is rebuilt from the segments"
    )]
    Index(String),
    #[error(
        "block {id} is damaged in {path} at byte {offset}: {what}. It is no longer offered; upload it again"
    )]
    Damaged {
        id: BlockId,
        path: PathBuf,
        offset: u64,
        what: &'static str,
    },
    #[error(
        "segment header of {path} is damaged: restore the file from a copy, or move it away and delete the folder `index`"
    )]
    SegmentHeader { path: PathBuf },
    #[error(
        "segment {path} has {actual} bytes, the index knows of {indexed}: the disk lost acknowledged data. \
         Restore the file, or delete the folder `index` to go on with what is left"
    )]
    SegmentTruncated {
        path: PathBuf,
        actual: u64,
        indexed: u64,
    },
    #[error("segments of {given} bytes cannot hold a block: at least {min}")]
    SegmentSize { given: u64, min: u64 },
    #[error("{path} is not an earlier backup of this store: choose another folder")]
    NoBackup { path: PathBuf },
    #[error(
        "the store holds {used} of {quota} bytes that it may: allow more (--quota-mib), or wait until contents' time is over"
    )]
    Quota { used: u64, quota: u64 },
    #[error("the store is closed")]
    Closed,
    #[error(
        "writing stopped after an error that could not be undone ({0}): check the disk and restart"
    )]
    Broken(String),
}

impl StoreError {
    /// Names a failed file operation; a full disk, quota or file-size limit is told apart.
    pub(super) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| match source.kind() {
            io::ErrorKind::StorageFull
            | io::ErrorKind::QuotaExceeded
            | io::ErrorKind::FileTooLarge => Self::DiskFull { path, source },
            _ => Self::Io {
                action,
                path,
                source,
            },
        }
    }

    /// The same error for a second waiter of one group commit (`io::Error` is not `Clone`).
    pub(super) fn again(&self) -> Self {
        let copy = |e: &io::Error| io::Error::new(e.kind(), e.to_string());
        match self {
            Self::DiskFull { path, source } => Self::DiskFull {
                path: path.clone(),
                source: copy(source),
            },
            Self::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path: path.clone(),
                source: copy(source),
            },
            Self::Index(text) => Self::Index(text.clone()),
            other => Self::Broken(other.to_string()),
        }
    }
}
