//! The one thread that writes: it collects waiting puts, writes them with one write and one
//! fdatasync, moves the index, and only then acknowledges all of them (group commit).

use std::{
    collections::HashSet,
    fs::File,
    io::{ErrorKind, IoSlice, Seek, SeekFrom, Write},
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bytes::Bytes;
use phantasma_wire::Hash;
use tokio::sync::{mpsc, oneshot};

use super::{
    Shared,
    error::StoreError,
    index::{Changes, Location, Tail},
    record::{HEADER_LEN, Header, Kind, PayloadSum, SEGMENT_HEADER_LEN, Salt},
    recover::End,
    segment::Segment,
    types::{BlockId, Content, ContentRoot, NewBlock, Put},
};

/// Bytes gathered for one commit. 64 blocks: past that a longer write wins nothing over its fdatasync.
const MAX_COMMIT: u64 = 16 << 20;

/// What waits for the writer.
pub(super) enum Job {
    /// A put that waits for its commit.
    Put {
        block: NewBlock,
        done: oneshot::Sender<Result<Put, StoreError>>,
    },
    /// From now on blocks that are put or linked are noted, until the next [`Job::Sweep`] has looked at them.
    Watch { done: oneshot::Sender<()> },
    /// Blocks that no content had when all were looked at: those noted since then are kept.
    Sweep {
        ids: Vec<BlockId>,
        last: bool,
        done: oneshot::Sender<Result<u64, StoreError>>,
    },
    /// A content whose time is over.
    Drop {
        root: ContentRoot,
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// A block that a content has on enough other nodes.
    DropPlace {
        root: ContentRoot,
        index: u64,
        done: oneshot::Sender<Result<(), StoreError>>,
    },
    /// A record of a segment that is being emptied. Answered with whether it was still needed, once it is durable in
    /// its new place.
    Move {
        record: Box<Record>,
        done: oneshot::Sender<Result<Put, StoreError>>,
    },
}

/// A whole record, and where it lies.
pub(super) struct Record {
    pub(super) header: Header,
    pub(super) payload: Bytes,
    pub(super) at: Location,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    dir: PathBuf,
    max_segment: u64,
    /// The segment being appended to; `None` before the first put and after a failed sync.
    end: Option<End>,
    next_number: u32,
    staged: Staged,
    /// Blocks put or linked since the last [`Job::Watch`].
    watched: Option<HashSet<BlockId>>,
    /// Why nothing can be written any more.
    broken: Option<String>,
}

/// Records made but not yet written. Bodies are not copied: a commit holds at most 16 MiB of what was put.
#[derive(Default)]
struct Staged {
    /// Header and path, then body, of each record.
    parts: Vec<Bytes>,
    len: u64,
    changes: Changes,
    acks: Vec<(oneshot::Sender<Result<Put, StoreError>>, Put)>,
    ids: HashSet<BlockId>,
    members: HashSet<(ContentRoot, u64, BlockId)>,
    contents: HashSet<(ContentRoot, u64, u64)>,
    blocks: u64,
}

impl Writer {
    pub(super) fn new(
        shared: Arc<Shared>,
        dir: PathBuf,
        max_segment: u64,
        end: Option<End>,
        next_number: u32,
    ) -> Self {
        Self {
            shared,
            dir,
            max_segment,
            end,
            next_number,
            staged: Staged::default(),
            watched: None,
            broken: None,
        }
    }

    /// Works until every sender is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            self.take(first);
            while self.staged.len < MAX_COMMIT {
                match jobs.try_recv() {
                    Ok(job) => self.take(job),
                    Err(_) => break,
                }
            }
            self.flush();
        }
        if let Err(error) = self.shared.index.sync() {
            tracing::warn!(%error, "the index was not synced; the next start reads the last segment again");
        }
    }

    /// Stages what is to be written; does the rest at once, after what was staged before it. Who asked may have gone
    /// away, which changes nothing.
    fn take(&mut self, job: Job) {
        match job {
            Job::Put { block, done } => match self.try_stage(&block) {
                Ok(put) => self.staged.acks.push((done, put)),
                Err(error) => drop(done.send(Err(error))),
            },
            Job::Move { record, done } => match self.stage_move(&record) {
                Ok(put) => self.staged.acks.push((done, put)),
                Err(error) => drop(done.send(Err(error))),
            },
            Job::Watch { done } => {
                self.flush();
                self.watched = Some(HashSet::new());
                let _ = done.send(());
            }
            Job::Sweep { ids, last, done } => {
                self.flush();
                let _ = done.send(self.sweep(&ids));
                if last {
                    self.watched = None;
                }
            }
            Job::Drop { root, done } => {
                self.flush();
                let mut changes = Changes::default();
                changes.forget_content(&root);
                let _ = done.send(self.shared.index.apply(changes));
            }
            Job::DropPlace { root, index, done } => {
                self.flush();
                let _ = done.send(self.drop_place(&root, index));
            }
        }
    }

    fn drop_place(&self, root: &ContentRoot, place: u64) -> Result<(), StoreError> {
        let index = &self.shared.index;
        let mut changes = Changes::default();
        changes.forget_member(root, place);
        let others = index.members(root, 0, 2)?;
        if others.iter().all(|(other, _)| *other == place) {
            changes.forget_content(root);
        }
        index.apply(changes)
    }

    /// Forgets blocks that nobody has asked to keep since they were looked at. Without a watch nothing is known, and
    /// nothing forgotten.
    fn sweep(&self, ids: &[BlockId]) -> Result<u64, StoreError> {
        let Some(watched) = &self.watched else {
            return Ok(0);
        };
        let mut changes = Changes::default();
        let mut count = 0;
        for id in ids.iter().filter(|id| !watched.contains(*id)) {
            changes.forget_block(id);
            count += 1;
        }
        self.shared.index.apply(changes)?;
        Ok(count)
    }

    /// Stages a record once more if the index still needs it: its body if it is the one that is read, its place in a
    /// content if that content is still known.
    fn stage_move(&mut self, record: &Record) -> Result<Put, StoreError> {
        if let Some(why) = &self.broken {
            return Err(StoreError::Broken(why.clone()));
        }
        let Record {
            header,
            payload,
            at,
        } = record;
        let (segment, offset, salt) = self.make_room(header.record_len())?;
        let index = &self.shared.index;
        let is_read = header.kind == Kind::Block && index.location(&header.id)? == Some(*at);
        let content = index.content(&header.content.root)?;
        let is_member = content.is_some()
            && index
                .member(&header.content.root, header.index)?
                .is_some_and(|place| place.id == header.id);
        let kind = match (is_read, is_member) {
            (true, _) => Kind::Block,
            (false, true) => Kind::Link,
            (false, false) => return Ok(Put::AlreadyHeld),
        };
        let path = header.path(payload);
        let body = match kind {
            Kind::Block => payload.slice(header.path_len()..),
            Kind::Link => Bytes::new(),
        };
        let sum = PayloadSum::of(&[path.as_flattened(), &body]);
        let moved = Header::new(
            kind,
            content.unwrap_or(header.content),
            header.index,
            header.id,
            &path,
            body.len(),
            sum,
            &salt,
        );
        self.append(&moved, &path, body, &salt);
        if kind == Kind::Block {
            let at = Location::new(segment, offset, &moved);
            self.staged.changes.block(&header.id, at);
        }
        Ok(Put::Stored)
    }

    /// Adds a record to what is written next.
    fn append(&mut self, header: &Header, path: &[Hash], body: Bytes, salt: &Salt) {
        let staged = &mut self.staged;
        let mut head = Vec::with_capacity(HEADER_LEN + header.path_len());
        header.encode(salt, &mut head);
        head.extend_from_slice(path.as_flattened());
        staged.len += header.record_len();
        staged.parts.extend([head.into(), body]);
    }

    fn try_stage(&mut self, block: &NewBlock) -> Result<Put, StoreError> {
        if let Some(why) = &self.broken {
            return Err(StoreError::Broken(why.clone()));
        }
        // Room is made before the staged records are looked at: making it may write them, and fail.
        let path = block.path.as_flattened();
        let need = HEADER_LEN + path.len() + block.body.len();
        let used = self.shared.used.load(Relaxed) + self.staged.len;
        if used.saturating_add(need as u64) > self.shared.quota {
            return Err(StoreError::Quota {
                used,
                quota: self.shared.quota,
            });
        }
        let (segment, offset, salt) = self.make_room(need as u64)?;
        let known =
            self.staged.ids.contains(&block.id) || self.shared.index.location(&block.id)?.is_some();
        if known && self.is_member(block)? && self.is_known_content(&block.content)? {
            if let Some(watched) = &mut self.watched {
                watched.insert(block.id);
            }
            return Ok(Put::AlreadyHeld);
        }
        let (kind, body, sum) = if known {
            (Kind::Link, Bytes::new(), PayloadSum::of(&[path]))
        } else {
            (Kind::Block, block.body.clone(), block.sum)
        };
        let header = Header::new(
            kind,
            block.content,
            block.index,
            block.id,
            &block.path,
            body.len(),
            sum,
            &salt,
        );
        self.append(&header, &block.path, body, &salt);
        if let Some(watched) = &mut self.watched {
            watched.insert(block.id);
        }
        let staged = &mut self.staged;
        if kind == Kind::Block {
            let at = Location::new(segment, offset, &header);
            staged.changes.block(&block.id, at);
            staged.ids.insert(block.id);
            staged.blocks += 1;
        }
        let content = block.content;
        staged
            .changes
            .member(&content.root, block.index, &block.id, &block.path);
        staged.members.insert((content.root, block.index, block.id));
        staged.changes.content(&content);
        staged
            .contents
            .insert((content.root, content.size, content.expiry_ms));
        Ok(if known { Put::AlreadyHeld } else { Put::Stored })
    }

    fn is_member(&self, block: &NewBlock) -> Result<bool, StoreError> {
        let root = block.content.root;
        Ok(self.staged.members.contains(&(root, block.index, block.id))
            || self
                .shared
                .index
                .member(&root, block.index)?
                .is_some_and(|p| p.id == block.id))
    }

    fn is_known_content(&self, content: &Content) -> Result<bool, StoreError> {
        Ok(self
            .staged
            .contents
            .contains(&(content.root, content.size, content.expiry_ms))
            || self.shared.index.content(&content.root)? == Some(*content))
    }

    /// Where a record of `need` bytes goes: segment, offset, salt. Begins a new segment when the
    /// current one is full.
    fn make_room(&mut self, need: u64) -> Result<(u32, u64, Salt), StoreError> {
        let position = |end: &End, staged: &Staged| end.offset + staged.len;
        let full = match &self.end {
            Some(end) => position(end, &self.staged) + need > self.max_segment,
            None => true,
        };
        if full {
            self.flush();
            let salt = Salt(rand::random());
            let segment = Segment::create(&self.dir, self.next_number, salt)?;
            self.next_number += 1;
            self.end = Some(End {
                segment,
                offset: SEGMENT_HEADER_LEN as u64,
            });
        }
        match &self.end {
            Some(end) => Ok((
                end.segment.number,
                position(end, &self.staged),
                end.segment.salt,
            )),
            None => Err(StoreError::Broken("no segment is open".into())),
        }
    }

    /// Writes what is staged and answers everyone who waits for it.
    fn flush(&mut self) {
        let staged = std::mem::take(&mut self.staged);
        let outcome = match staged.len {
            0 => Ok(()),
            len => self.write(&staged.parts, len, staged.changes),
        };
        if outcome.is_ok() && staged.len > 0 {
            let counters = &self.shared.counters;
            counters.commits.fetch_add(1, Relaxed);
            counters.blocks_put.fetch_add(staged.blocks, Relaxed);
            counters.bytes_put.fetch_add(staged.len, Relaxed);
        }
        for (done, put) in staged.acks {
            // Who asked may have gone away; the block stays.
            let _ = done.send(match &outcome {
                Ok(()) => Ok(put),
                Err(error) => Err(error.again()),
            });
        }
    }

    fn write(&mut self, parts: &[Bytes], len: u64, mut changes: Changes) -> Result<(), StoreError> {
        let Some(end) = &mut self.end else {
            return Err(StoreError::Broken("no segment is open".into()));
        };
        let path = &end.segment.path;
        let written = write_parts(&end.segment.file, end.offset, parts)
            .map_err(StoreError::io("write", path));
        let outcome = match written {
            Ok(()) => end
                .segment
                .file
                .sync_data()
                .map_err(StoreError::io("sync", path)),
            Err(error) => Err(error),
        };
        if let Err(error) = outcome {
            self.undo();
            return Err(error);
        }
        end.offset += len;
        self.shared.used.fetch_add(len, Relaxed);
        changes.tail(Tail {
            segment: end.segment.number,
            offset: end.offset,
        });
        self.shared.index.apply(changes).inspect_err(|error| {
            // The next tail would lie behind records that no entry names: only a new start reads them.
            self.broken = Some(error.to_string());
        })
    }

    /// Cuts off what a failed commit left, and goes on in a new segment: after a failed sync the
    /// kernel may believe that the pages are clean, so this file's end cannot be trusted again.
    fn undo(&mut self) {
        let Some(end) = self.end.take() else {
            return;
        };
        if let Err(error) = end.segment.cut(end.offset) {
            tracing::error!(%error, "a failed write could not be cut back");
            self.broken = Some(error.to_string());
        }
    }
}

/// Writes all parts at `offset`, as many with one call as the system takes. Only this thread moves the file's cursor;
/// readers do not use it.
fn write_parts(mut file: &File, offset: u64, parts: &[Bytes]) -> std::io::Result<()> {
    file.seek(SeekFrom::Start(offset))?;
    let mut slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut left = slices.as_mut_slice();
    // Empty parts at the front are skipped, or nothing written would be taken for a full disk.
    IoSlice::advance_slices(&mut left, 0);
    while !left.is_empty() {
        match file.write_vectored(left) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => IoSlice::advance_slices(&mut left, written),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
