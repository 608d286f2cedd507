//! The one thread that makes records: it collects waiting puts into a group while the group before is written and made
//! durable ([`super::commit`]), and hands it over when the disk is free or the group is full.

use std::{
    collections::HashSet,
    path::PathBuf,
    sync::{Arc, atomic::Ordering::Relaxed},
};

use bytes::Bytes;
use phantasma_wire::Hash;
use tokio::sync::{mpsc, oneshot};

use super::{
    Shared,
    ahead::Ahead,
    commit::{FULL, Group, Pipeline},
    error::StoreError,
    index::{Changes, Location},
    record::{HEADER_LEN, Header, Kind, PayloadSum, SEGMENT_HEADER_LEN, Salt},
    recover,
    segment::Segment,
    types::{BlockId, Content, ContentRoot, NewBlock, Put},
};

/// With so much a disk that has nothing to write is given it at once, also while it still syncs what was before: less
/// would be many small writes, of which each costs as much as a large one.
const WORTH_A_WRITE: u64 = 2 << 20;

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
    /// A group was written or committed.
    Nudge,
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
    pipeline: Pipeline,
    /// The segment being appended to; `None` before the first put and after a failure.
    end: Option<End>,
    next_number: u32,
    /// What is made and not handed over.
    group: Option<Group>,
    ahead: Ahead,
    /// The epoch in which `end`, `group` and `ahead` hold.
    epoch: u64,
    /// Blocks put or linked since the last [`Job::Watch`].
    watched: Option<HashSet<BlockId>>,
}

/// Where the next group begins.
struct End {
    segment: Arc<Segment>,
    offset: u64,
    /// What lies before it in the same block of the disk.
    begun: Vec<u8>,
}

impl Writer {
    /// Starts the threads behind this one.
    ///
    /// # Errors
    /// The end of the last segment cannot be read; no thread can be had.
    pub(super) fn new(
        shared: Arc<Shared>,
        dir: PathBuf,
        max_segment: u64,
        end: Option<recover::End>,
        next_number: u32,
        jobs: mpsc::WeakSender<Job>,
    ) -> Result<Self, StoreError> {
        let end = match end {
            Some(recover::End { segment, offset }) => Some(End {
                begun: segment.begun_block(offset)?,
                segment: Arc::new(segment),
                offset,
            }),
            None => None,
        };
        let pipeline = Pipeline::start(shared.clone(), jobs)
            .map_err(StoreError::io("start the writers of", &dir))?;
        Ok(Self {
            shared,
            dir,
            max_segment,
            pipeline,
            end,
            next_number,
            group: None,
            ahead: Ahead::default(),
            epoch: 0,
            watched: None,
        })
    }

    /// Works until every sender is gone.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        while let Some(first) = jobs.blocking_recv() {
            self.take(first);
            while let Ok(job) = jobs.try_recv() {
                self.take(job);
            }
            let staged = self.group.as_ref().map_or(0, Group::len);
            let worth_it = staged >= WORTH_A_WRITE && self.pipeline.writes_nothing();
            if worth_it || self.pipeline.is_idle() {
                self.hand_over();
            }
        }
        self.settle();
        self.trim();
        self.pipeline.finish();
        if let Err(error) = self.shared.index.sync() {
            tracing::warn!(%error, "the index was not synced; the next start reads the last segment again");
        }
    }

    /// Makes a record of what is to be written; does the rest at once, after what was put before it. Who asked may have
    /// gone away, which changes nothing.
    fn take(&mut self, job: Job) {
        let (made, done) = match job {
            Job::Put { block, done } => (self.try_stage(&block), done),
            Job::Move { record, done } => (self.stage_move(&record), done),
            Job::Watch { done } => {
                self.settle();
                self.watched = Some(HashSet::new());
                let _ = done.send(());
                return;
            }
            Job::Sweep { ids, last, done } => {
                self.settle();
                let _ = done.send(self.sweep(&ids));
                if last {
                    self.watched = None;
                }
                return;
            }
            Job::Drop { root, done } => {
                self.settle();
                let mut changes = Changes::default();
                changes.forget_content(&root);
                let _ = done.send(self.shared.index.apply(changes));
                return;
            }
            Job::DropPlace { root, index, done } => {
                self.settle();
                let _ = done.send(self.drop_place(&root, index));
                return;
            }
            Job::Nudge => return self.ahead.committed(self.pipeline.state().done),
        };
        match (made, &mut self.group) {
            (Ok(put), Some(group)) => {
                group.rest().acks.push((done, put));
                if group.len() >= FULL {
                    self.hand_over();
                }
            }
            (Ok(_), None) => drop(done.send(Err(no_segment()))),
            (Err(error), _) => drop(done.send(Err(error))),
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
        let group = append(&mut self.group, &moved, &path, &body, &salt)?;
        if kind == Kind::Block {
            let at = Location::new(segment, offset, &moved);
            group.rest().changes.block(&header.id, at);
        }
        Ok(Put::Stored)
    }

    fn try_stage(&mut self, block: &NewBlock) -> Result<Put, StoreError> {
        // Room is made before it is asked what is known: making it may wait for what was put before, which may fail.
        let path = block.path.as_flattened();
        let need = (HEADER_LEN + path.len() + block.body.len()) as u64;
        let staged = self.group.as_ref().map_or(0, Group::len);
        let used = self.shared.used.load(Relaxed) + staged;
        if used.saturating_add(need) > self.shared.quota {
            return Err(StoreError::Quota {
                used,
                quota: self.shared.quota,
            });
        }
        let (segment, offset, salt) = self.make_room(need)?;
        let known =
            self.ahead.has_body(&block.id) || self.shared.index.location(&block.id)?.is_some();
        let all_known = known && self.is_member(block)? && self.is_known_content(&block.content)?;
        if let Some(watched) = &mut self.watched {
            watched.insert(block.id);
        }
        if all_known {
            return Ok(Put::AlreadyHeld);
        }
        let (kind, body, sum) = if known {
            (Kind::Link, &[][..], PayloadSum::of(&[path]))
        } else {
            (Kind::Block, &*block.body, block.sum)
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
        let group = append(&mut self.group, &header, &block.path, body, &salt)?;
        let rest = group.rest();
        if kind == Kind::Block {
            let at = Location::new(segment, offset, &header);
            rest.changes.block(&block.id, at);
            rest.blocks += 1;
        }
        let content = block.content;
        rest.changes
            .member(&content.root, block.index, &block.id, &block.path);
        rest.changes.content(&content);
        self.ahead
            .note(self.pipeline.next(), block, kind == Kind::Block);
        Ok(if known { Put::AlreadyHeld } else { Put::Stored })
    }

    fn is_member(&self, block: &NewBlock) -> Result<bool, StoreError> {
        let index = &self.shared.index;
        Ok(self.ahead.has_member(block)
            || index
                .member(&block.content.root, block.index)?
                .is_some_and(|place| place.id == block.id))
    }

    fn is_known_content(&self, content: &Content) -> Result<bool, StoreError> {
        Ok(self.ahead.has_content(content)
            || self.shared.index.content(&content.root)? == Some(*content))
    }

    /// Where a record of `need` bytes goes: segment, offset, salt. There is a group with room for it then. Begins a new
    /// segment when the current one is full.
    fn make_room(&mut self, need: u64) -> Result<(u32, u64, Salt), StoreError> {
        let state = self.pipeline.state();
        if let Some(why) = state.broken {
            return Err(StoreError::Broken(why));
        }
        self.ahead.committed(state.done);
        if state.epoch != self.epoch {
            self.settle();
        }
        let place = |group: &Group| (group.segment().number, group.end(), group.segment().salt);
        if let Some(group) = &self.group
            && group.has_room(need)
            && group.end() + need <= self.max_segment
        {
            return Ok(place(group));
        }
        self.hand_over();
        if self
            .end
            .as_ref()
            .is_none_or(|end| end.offset + need > self.max_segment)
        {
            self.next_segment()?;
        }
        let End {
            segment,
            offset,
            begun,
        } = self.end.as_ref().ok_or_else(no_segment)?;
        let group = self.pipeline.begin(self.epoch, segment, *offset, begun)?;
        let place = place(&group);
        self.group = Some(group);
        Ok(place)
    }

    /// Begins a new segment, after all of the one before is committed: a torn end is then always the end of the last.
    fn next_segment(&mut self) -> Result<(), StoreError> {
        self.settle();
        self.trim();
        let salt = Salt(rand::random());
        let segment = Segment::create(&self.dir, self.next_number, salt)?;
        self.next_number += 1;
        let offset = SEGMENT_HEADER_LEN as u64;
        self.shared.used.fetch_add(offset, Relaxed);
        self.end = Some(End {
            begun: segment.begun_block(offset)?,
            segment: Arc::new(segment),
            offset,
        });
        Ok(())
    }

    /// Gives what is made to the disk.
    fn hand_over(&mut self) {
        let (Some(group), Some(end)) = (self.group.take(), &mut self.end) else {
            return;
        };
        end.offset = group.end();
        end.begun = group.begun_block();
        self.shared.used.fetch_add(group.len(), Relaxed);
        self.pipeline.hand_over(group);
    }

    /// Waits until all that was put is committed, or has failed: then nothing more goes into that segment.
    fn settle(&mut self) {
        self.hand_over();
        self.pipeline.drain();
        self.ahead.clear();
        let epoch = self.pipeline.state().epoch;
        if epoch != self.epoch {
            self.epoch = epoch;
            self.end = None;
        }
    }

    /// Cuts off what whole blocks have added to the segment, of which all is committed.
    fn trim(&self) {
        if let Some(end) = &self.end
            && let Err(error) = end.segment.trim(end.offset)
        {
            tracing::warn!(%error, "the padding of a segment stays");
        }
    }
}

/// Adds a record to the group, in which room was made for it.
fn append<'a>(
    group: &'a mut Option<Group>,
    header: &Header,
    path: &[Hash],
    body: &[u8],
    salt: &Salt,
) -> Result<&'a mut Group, StoreError> {
    let group = group.as_mut().ok_or_else(no_segment)?;
    let mut head = Vec::with_capacity(HEADER_LEN);
    header.encode(salt, &mut head);
    for part in [&head, path.as_flattened(), body] {
        group.push(part)?;
    }
    Ok(group)
}

fn no_segment() -> StoreError {
    StoreError::Broken("no segment is open".into())
}
