//! From blocks on any nodes back to a file, or to a range of its bytes.

use std::{
    collections::{HashSet, VecDeque},
    fs::{self, File},
    ops::Range,
    os::unix::fs::FileExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use bytes::{Bytes, BytesMut};
use futures_util::{Stream, TryStreamExt, stream};
use phantasma_wire::{
    Hash,
    merkle::{self, BLOCK_SIZE, Shape},
    pdfs::NodeAddress,
};

use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::{ContentError, ContentKey, Progress, apply_cipher, blocking, by_trust};
use crate::pdfs::{Client, Fetched};

/// Blocks fetched ahead: 8 MiB of memory, and enough for 640 Mbit/s at 100 ms.
const AHEAD: usize = 32;

/// Blocks asked for at first by one who may seek: the first one must not wait for the others.
const AHEAD_AT_FIRST: usize = 2;

/// Nodes asked for one block before giving up: more than any content has replicas, and the bound on what a node that
/// names ever new holders can cost.
pub(super) const MAX_ASKED: usize = 64;

/// A content and the nodes to ask first. Root and size come from the chain, and all else is checked against them.
#[derive(Debug, Clone)]
pub struct Source {
    pub root: Hash,
    pub size: u64,
    pub nodes: Vec<NodeAddress>,
}

/// Reads a whole content into a file. The file appears complete and synced, or not at all.
///
/// # Errors
/// A block that no node gives; a file that cannot be written.
pub async fn download(
    client: &Client,
    source: &Source,
    key: &ContentKey,
    to: &Path,
    progress: &(dyn Fn(Progress) + Send + Sync),
) -> Result<(), ContentError> {
    let shape = Shape::new(source.size)?;
    let reader = Reader::new(client, source, key);
    let file = Unfinished::create(to)?;
    let (mut running, mut waiting) = (JoinSet::new(), 0..shape.block_count());
    let mut done = Progress::of(source.size);
    loop {
        while running.len() < AHEAD
            && let Some(block) = waiting.next()
        {
            let (out, part) = (file.file.clone(), file.part.clone());
            let write = move |bytes: &mut [u8]| {
                out.write_all_at(bytes, block * BLOCK_SIZE as u64)
                    .map_err(failed("write", &part))?;
                Ok(bytes.len() as u64)
            };
            running.spawn(reader.clone().block(block, write));
        }
        let Some(outcome) = running.join_next().await else {
            break;
        };
        let bytes = outcome.map_err(|error| ContentError::Task(error.to_string()))??;
        done.done_bytes += bytes.1;
        done.stored_bytes = done.done_bytes;
        progress(done);
    }
    file.finish().await
}

/// Reads bytes `range` of a content, fetching only the blocks that hold them.
///
/// # Errors
/// A range outside the content; a block that no node gives.
pub async fn read_range(
    client: &Client,
    source: &Source,
    key: &ContentKey,
    range: Range<u64>,
) -> Result<Vec<u8>, ContentError> {
    let pieces = read_stream(client, source, key, range)?;
    let add = |mut all: Vec<u8>, piece: Bytes| async move {
        all.extend_from_slice(&piece);
        Ok(all)
    };
    pieces.try_fold(Vec::new(), add).await
}

/// The plain bytes of a range, in order, a piece for each block; blocks are fetched ahead, the more the further it is
/// read. Dropping the stream ends the fetching.
///
/// # Errors
/// A range outside the content; in the stream, a block that no node gives.
pub fn read_stream(
    client: &Client,
    source: &Source,
    key: &ContentKey,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Bytes, ContentError>> + Send + use<>, ContentError> {
    Shape::new(source.size)?;
    if range.start > range.end || range.end > source.size {
        return Err(ContentError::Range {
            start: range.start,
            end: range.end,
            size: source.size,
        });
    }
    let blocks = if range.is_empty() {
        0..0
    } else {
        range.start / BLOCK_SIZE as u64..range.end.div_ceil(BLOCK_SIZE as u64)
    };
    let state = Ahead {
        reader: Reader::new(client, source, key),
        range,
        blocks,
        window: AHEAD_AT_FIRST,
        running: VecDeque::new(),
    };
    Ok(stream::try_unfold(state, |mut state| async move {
        let piece = state.next().await?;
        Ok(piece.map(|piece| (piece, state)))
    }))
}

/// Blocks on their way, in order.
struct Ahead {
    reader: Arc<Reader>,
    range: Range<u64>,
    blocks: Range<u64>,
    window: usize,
    running: VecDeque<Fetching>,
}

/// A fetch that ends when nobody wants it any more.
struct Fetching(JoinHandle<Result<(Bytes, u64), ContentError>>);

impl Drop for Fetching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Ahead {
    async fn next(&mut self) -> Result<Option<Bytes>, ContentError> {
        while self.running.len() < self.window
            && let Some(block) = self.blocks.next()
        {
            let fetch = self.reader.clone().block(block, move |_| Ok(block));
            self.running.push_back(Fetching(tokio::spawn(fetch)));
        }
        let Some(mut first) = self.running.pop_front() else {
            return Ok(None);
        };
        let ended = |error: JoinError| ContentError::Task(error.to_string());
        let (bytes, block) = (&mut first.0).await.map_err(ended)??;
        self.window = (2 * self.window).min(AHEAD);
        let start = block * BLOCK_SIZE as u64;
        let end = self.range.end.min(start + bytes.len() as u64) - start;
        let from = self.range.start.max(start) - start;
        // Both lie inside the block, whose verified length is that of its place.
        let part = usize::try_from(from).unwrap_or(0)..usize::try_from(end).unwrap_or(0);
        Ok(Some(bytes.slice(part)))
    }
}

/// What the tasks that read one content share.
struct Reader {
    client: Client,
    source: Source,
    key: ContentKey,
}

impl Reader {
    fn new(client: &Client, source: &Source, key: &ContentKey) -> Arc<Self> {
        Arc::new(Self {
            client: client.clone(),
            source: source.clone(),
            key: key.clone(),
        })
    }

    /// The plain bytes of one block from the first node that has it, and what `then` makes of them on the thread that
    /// verified them. Dead, refusing and lying nodes cost time, nothing else.
    async fn block<T: Send + 'static>(
        self: Arc<Self>,
        block: u64,
        then: impl FnOnce(&mut [u8]) -> Result<T, ContentError> + Send + 'static,
    ) -> Result<(Bytes, T), ContentError> {
        let source = &self.source;
        let index = u32::try_from(block)
            .map_err(|_| merkle::MerkleError::TooLarge { size: source.size })?;
        let (mut then, mut asked) = (then, HashSet::new());
        // Who sends on to others may only be busy: asked once more when those have nothing either.
        let mut again: VecDeque<NodeAddress> = VecDeque::new();
        let mut last = String::from("no node is known");
        let mut nodes: VecDeque<_> = by_trust(&self.client, &source.nodes, &source.root, block)
            .await
            .into();
        loop {
            let first = nodes.pop_front();
            let is_first = first.is_some();
            let Some(node) = first.or_else(|| again.pop_front()) else {
                break;
            };
            if is_first && (asked.len() == MAX_ASKED || !asked.insert(node.public_key)) {
                continue;
            }
            match self.client.query(&node, &source.root, index).await {
                Ok(Fetched::Block { path, data }) => {
                    let this = self.clone();
                    let work = move || Ok(this.checked(block, &path, data, then));
                    match blocking(work).await? {
                        Ok(read) => return read,
                        Err((error, unused)) => {
                            tracing::warn!(node = %node.address, block, %error, "a node gave a wrong block");
                            self.client.suspect(&node.public_key).await;
                            last = format!("node {} gave a wrong block: {error}", node.address);
                            then = unused;
                        }
                    }
                }
                Ok(Fetched::Elsewhere(holders)) => {
                    last = format!("node {} does not hold it", node.address);
                    if is_first && !holders.is_empty() {
                        again.push_back(node);
                    }
                    nodes.extend(holders);
                }
                Err(error) => {
                    tracing::debug!(block, %error, "a node failed");
                    if error.refusal().is_none() {
                        self.client.suspect(&node.public_key).await;
                    }
                    last = error.to_string();
                }
            }
        }
        Err(ContentError::NotFound {
            block,
            asked: asked.len(),
            last,
        })
    }

    /// Verifies, then decrypts in place, then hands on. A wrong block gives `then` back, for the next node's.
    fn checked<T, F: FnOnce(&mut [u8]) -> Result<T, ContentError>>(
        &self,
        block: u64,
        path: &[Hash],
        data: Bytes,
        then: F,
    ) -> Result<Result<(Bytes, T), ContentError>, (merkle::MerkleError, F)> {
        let Source { root, size, .. } = &self.source;
        if let Err(error) = merkle::verify_block_data(root, *size, block, &data, path) {
            return Err((error, then));
        }
        // Nobody else holds these bytes, so that this takes no copy.
        let mut bytes = BytesMut::from(data);
        apply_cipher(&self.key, block * BLOCK_SIZE as u64, &mut bytes);
        Ok(then(&mut bytes).map(|read| (bytes.freeze(), read)))
    }
}

/// A file under a temporary name beside its final one, removed unless finished.
pub(crate) struct Unfinished {
    pub(crate) file: Arc<File>,
    part: PathBuf,
    to: PathBuf,
    finished: bool,
}

impl Unfinished {
    pub(crate) fn create(to: &Path) -> Result<Self, ContentError> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let part = to.with_file_name(format!(".{name}.{:08x}.part", rand::random::<u32>()));
        let file = Arc::new(File::create_new(&part).map_err(failed("create", &part))?);
        Ok(Self {
            file,
            part,
            to: to.to_owned(),
            finished: false,
        })
    }

    pub(crate) async fn finish(self) -> Result<(), ContentError> {
        blocking(move || {
            let mut this = self;
            this.file.sync_all().map_err(failed("sync", &this.part))?;
            fs::rename(&this.part, &this.to).map_err(failed("rename to", &this.to))?;
            this.finished = true;
            let dir = this
                .to
                .parent()
                .filter(|dir| !dir.as_os_str().is_empty())
                .unwrap_or(Path::new("."));
            File::open(dir)
                .and_then(|dir| dir.sync_all())
                .map_err(failed("sync", dir))
        })
        .await
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.finished {
            // Best effort: what is left has a name that says so.
            let _ = fs::remove_file(&self.part);
        }
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> ContentError {
    let path = path.to_owned();
    move |error| ContentError::File {
        action,
        path,
        error,
    }
}
