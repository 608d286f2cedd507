//! Contents kept elsewhere: in a folder, at an S3 service, on IPFS, or on the storage network, all behind one trait.
//!
//! What a [`Backend`] keeps is ciphertext, and nothing that it gives is believed: each block is checked against the root, as
//! one from a storage node is. A folder, S3 and IPFS keep a content as one object ([`Objects`], which says how). A [`Link`]
//! says where a content is and what it must be: it is what `ELNK` pushes in a box.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # use phantasma_sdk::{backend::{self, Backend, Folder, Objects, Sealed}, content::{self, ContentKey}};
//! # async fn example() -> Result<(), backend::BackendError> {
//! let key = ContentKey::random();
//! let prepared = content::prepare("film.mkv".as_ref(), &key).await?;
//! let folder: Arc<dyn Backend> = Arc::new(Objects::new(Folder::new("/mnt/archive".into())));
//! let sealed = Sealed { path: "film.mkv".into(), key: key.clone(), prepared };
//! let kept = folder.put(&sealed).await?;
//! backend::download(&folder, &kept, &key, "copy.mkv".as_ref(), &|_| ()).await?;
//! # Ok(()) }
//! ```

mod body;
mod folder;
mod ipfs;
mod link;
mod object;
mod pdfs;
mod read;
mod s3;
mod sigv4;

use std::{error::Error as _, future::Future, io, path::PathBuf, pin::Pin};

use bytes::Bytes;
use phantasma_wire::{Hash, merkle::MerkleError};

use crate::content::{ContentError, ContentKey, Prepared};

pub use folder::Folder;
pub use ipfs::{Ipfs, IpfsConfig};
pub use link::{Link, LinkError, Service};
pub use object::{ObjectBytes, ObjectStore, Objects};
pub use pdfs::Pdfs;
pub use read::{download, read_stream};
pub use s3::{Credentials, S3, S3Config};

/// An answer that is on its way.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = Result<T, BackendError>> + Send + 'a>>;

/// Whoever keeps contents.
pub trait Backend: Send + Sync {
    /// Stores a file's ciphertext, and says where it is.
    fn put<'a>(&'a self, sealed: &'a Sealed) -> Pending<'a, Kept>;

    /// The ciphertext of `count` blocks from `first` on, each checked against the root.
    fn blocks<'a>(&'a self, kept: &'a Kept, first: u64, count: u64) -> Pending<'a, Vec<Bytes>>;
}

/// A file that is to be kept, and what [`crate::content::prepare`] learned of it with this key.
#[derive(Debug, Clone)]
pub struct Sealed {
    pub path: PathBuf,
    pub key: ContentKey,
    pub prepared: Prepared,
}

/// A content at a backend.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    /// What it must be.
    pub root: Hash,
    /// Bytes of the ciphertext.
    pub size: u64,
    /// What the backend finds it by. Empty on the storage network, which needs the root alone.
    pub place: String,
}

/// Why a backend does not keep or give a content.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    #[error("{action} {path}: {error}")]
    File {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("{what}: {why}")]
    Http { what: String, why: String },
    #[error("{what}: the service answers {status}: {said}")]
    Refused {
        what: String,
        status: u16,
        said: String,
    },
    #[error("{place:?} is no place of this kind: {reason}")]
    Place { place: String, reason: &'static str },
    #[error("{place}: what is there is not the content {}: {reason}", hex::encode(.root))]
    Foreign {
        place: String,
        root: Hash,
        reason: String,
    },
}

/// What went wrong with a request, down to the cause; the address is left out, as a secret could stand in it.
fn http_failed(what: impl Into<String>) -> impl FnOnce(reqwest::Error) -> BackendError {
    let what = what.into();
    move |error| {
        let error = error.without_url();
        let mut why = error.to_string();
        let mut cause = error.source();
        while let Some(deeper) = cause {
            why += &format!(": {deeper}");
            cause = deeper.source();
        }
        BackendError::Http { what, why }
    }
}

/// A refusal, with the beginning of what the service says.
async fn refused(what: impl Into<String>, response: reqwest::Response) -> BackendError {
    const SAID: usize = 300;
    let status = response.status().as_u16();
    let text = response.text().await.unwrap_or_default();
    BackendError::Refused {
        what: what.into(),
        status,
        said: text.chars().take(SAID).collect(),
    }
}
