//! From a backend to plain bytes.

use std::{ops::Range, os::unix::fs::FileExt, path::Path, sync::Arc};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use phantasma_wire::merkle::{BLOCK_SIZE, Shape};

use super::{Backend, BackendError, Kept};
use crate::content::{ContentError, ContentKey, Progress, Unfinished, apply_cipher};

/// Blocks asked for in one request: 1 MiB.
const SPAN: u64 = 4;

/// Requests at once: 4 MiB of memory.
const AHEAD: usize = 4;

/// The plain bytes of a range, in order; only the blocks that hold them are read, a few requests ahead.
///
/// # Errors
/// A range outside of the content; in the stream, what the backend does not give or gives wrong.
pub fn read_stream(
    backend: &Arc<dyn Backend>,
    kept: &Kept,
    key: &ContentKey,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Bytes, BackendError>> + Send + use<>, BackendError> {
    Shape::new(kept.size)?;
    if range.start > range.end || range.end > kept.size {
        let Range { start, end } = range;
        let size = kept.size;
        return Err(ContentError::Range { start, end, size }.into());
    }
    let first = range.start / BLOCK_SIZE as u64;
    let end = match range.is_empty() {
        true => first,
        false => range.end.div_ceil(BLOCK_SIZE as u64),
    };
    let (backend, kept, key) = (backend.clone(), kept.clone(), key.clone());
    let spans = (first..end).step_by(SPAN as usize);
    let read = move |first: u64| {
        let (backend, kept, key) = (backend.clone(), kept.clone(), key.clone());
        let range = range.clone();
        async move {
            let count = SPAN.min(end - first);
            let blocks = backend.blocks(&kept, first, count).await?;
            let plain = (first..).zip(blocks).map(move |(index, block)| {
                Ok::<_, BackendError>(plain_part(&key, index, block, &range))
            });
            Ok::<_, BackendError>(stream::iter(plain))
        }
    };
    Ok(stream::iter(spans).map(read).buffered(AHEAD).try_flatten())
}

/// What of one block lies in the range, decrypted.
fn plain_part(key: &ContentKey, index: u64, block: Bytes, range: &Range<u64>) -> Bytes {
    let start = index * BLOCK_SIZE as u64;
    let within = |at: u64| usize::try_from(at.saturating_sub(start)).unwrap_or(usize::MAX);
    let from = within(range.start).min(block.len());
    let end = within(range.end).clamp(from, block.len());
    let mut plain = BytesMut::from(block.slice(from..end));
    apply_cipher(key, start + from as u64, &mut plain);
    plain.freeze()
}

/// Reads a whole content into a file, which appears complete and synced, or not at all.
///
/// # Errors
/// What the backend does not give or gives wrong; a file that cannot be written.
pub async fn download(
    backend: &Arc<dyn Backend>,
    kept: &Kept,
    key: &ContentKey,
    to: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), BackendError> {
    let pieces = read_stream(backend, kept, key, 0..kept.size)?;
    let mut pieces = std::pin::pin!(pieces);
    let file = Unfinished::create(to)?;
    let mut done = Progress::of(kept.size);
    while let Some(piece) = pieces.try_next().await? {
        let written = file.file.write_all_at(&piece, done.done_bytes);
        written.map_err(|error| BackendError::File {
            action: "write",
            path: to.to_owned(),
            error,
        })?;
        done.done_bytes += piece.len() as u64;
        done.stored_bytes = done.done_bytes;
        progress(done);
    }
    Ok(file.finish().await?)
}
