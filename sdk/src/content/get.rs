//! From blocks on any nodes back to a file, or to a range of its bytes.

use std::{
    collections::{HashSet, VecDeque},
    fs::{self, File},
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
};

use futures_util::{Stream, StreamExt, TryStreamExt, stream};
use phantasma_wire::{
    Hash,
    merkle::{self, BLOCK_SIZE, Shape},
    pdfs::NodeAddress,
};

use super::{ContentError, ContentKey, Progress, apply_cipher, put::blocking, ranked};
use crate::pdfs::{Client, Fetched};

/// Blocks fetched ahead. 8 × 256 KiB = 2 MiB of memory, and enough for 160 Mbit/s at 100 ms.
const AHEAD: usize = 8;

/// Nodes asked for one block before giving up: more than any content has replicas, and the bound on what a node that
/// names ever new holders can cost.
const MAX_ASKED: usize = 64;

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
    let total_bytes = source.size;
    let mut file = Unfinished::create(to)?;
    let mut blocks = std::pin::pin!(plain(client, source, key, 0..total_bytes)?);
    let mut done_bytes = 0;
    while let Some(bytes) = blocks.try_next().await? {
        done_bytes += bytes.len() as u64;
        file = file.append(bytes).await?;
        progress(Progress {
            done_bytes,
            total_bytes,
        });
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
    plain(client, source, key, range)?.try_concat().await
}

/// The plain bytes of a range, in order, a piece for each block.
fn plain(
    client: &Client,
    source: &Source,
    key: &ContentKey,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Vec<u8>, ContentError>>, ContentError> {
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
    let each = move |block| {
        let range = range.clone();
        async move {
            let data = fetch(client, source, block).await?;
            let start = block * BLOCK_SIZE as u64;
            let from = range.start.max(start);
            let end = range.end.min(start + data.len() as u64);
            // Both lie inside the block, whose verified length is that of its place.
            let part = usize::try_from(from - start).unwrap_or(0)
                ..usize::try_from(end - start).unwrap_or(0);
            let mut bytes = data.get(part).unwrap_or_default().to_vec();
            apply_cipher(key, from, &mut bytes);
            Ok(bytes)
        }
    };
    Ok(stream::iter(blocks).map(each).buffered(AHEAD))
}

/// One verified block, from the first node that has it. Dead, refusing and lying nodes cost time, nothing else.
async fn fetch(client: &Client, source: &Source, block: u64) -> Result<bytes::Bytes, ContentError> {
    let index =
        u32::try_from(block).map_err(|_| merkle::MerkleError::TooLarge { size: source.size })?;
    let (mut good, mut suspect) = (VecDeque::new(), VecDeque::new());
    for node in ranked(&source.nodes, &source.root, block) {
        let to = if client.is_suspect(&node.public_key).await {
            &mut suspect
        } else {
            &mut good
        };
        to.push_back(node);
    }
    let mut asked = HashSet::new();
    let mut last = String::from("no node is known");
    while let Some(node) = good.pop_front().or_else(|| suspect.pop_front()) {
        if asked.len() == MAX_ASKED {
            break;
        }
        if !asked.insert(node.public_key) {
            continue;
        }
        match client.query(&node, &source.root, index).await {
            Ok(Fetched::Block { path, data }) => {
                match merkle::verify_block_data(&source.root, source.size, block, &data, &path) {
                    Ok(_) => return Ok(data),
                    Err(error) => {
                        tracing::warn!(node = %node.address, block, %error, "a node gave a wrong block");
                        client.suspect(&node.public_key).await;
                        last = format!("node {} gave a wrong block: {error}", node.address);
                    }
                }
            }
            Ok(Fetched::Elsewhere(holders)) => {
                last = format!("node {} does not hold it", node.address);
                good.extend(holders);
            }
            Err(error) => {
                tracing::debug!(block, %error, "a node failed");
                if error.refusal().is_none() {
                    client.suspect(&node.public_key).await;
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

/// A file under a temporary name beside its final one, removed unless finished.
struct Unfinished {
    file: File,
    part: PathBuf,
    to: PathBuf,
    finished: bool,
}

impl Unfinished {
    fn create(to: &Path) -> Result<Self, ContentError> {
        let name = to.file_name().unwrap_or_default().to_string_lossy();
        let part = to.with_file_name(format!(".{name}.{:08x}.part", rand::random::<u32>()));
        let file = File::create_new(&part).map_err(failed("create", &part))?;
        Ok(Self {
            file,
            part,
            to: to.to_owned(),
            finished: false,
        })
    }

    async fn append(self, bytes: Vec<u8>) -> Result<Self, ContentError> {
        blocking(move || {
            let mut this = self;
            this.file
                .write_all(&bytes)
                .map_err(failed("write", &this.part))?;
            Ok(this)
        })
        .await
    }

    async fn finish(self) -> Result<(), ContentError> {
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
