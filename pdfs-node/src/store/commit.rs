//! Two threads behind the one that makes records: the first writes a group of them, the second makes what was written
//! durable, moves the index, and only then acknowledges (group commit). So the disk takes the next group while it
//! finishes the one before.
//!
//! Groups keep their order. When one cannot be written or synced, all that were begun by then fail with it, because what
//! they take for known may be what failed: the *epoch*, which every group bears, ends. The segment is cut back to the
//! end of the last group that was committed, and the next epoch begins in a new segment.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::Ordering::Relaxed,
        mpsc::{Receiver, Sender, SyncSender, channel, sync_channel},
    },
    thread::{self, JoinHandle},
};

use tokio::sync::{mpsc::WeakSender, oneshot};

use super::{
    Shared,
    aligned::{self, ALIGN, Buffer},
    error::StoreError,
    index::{Changes, Tail},
    record::MAX_RECORD,
    segment::Segment,
    types::Put,
    writer::Job,
};

/// Bytes after which a group takes no more: a disk is at its best from some megabytes on, and each of the buffers
/// takes as much memory.
pub(super) const FULL: u64 = 8 << 20;

/// One is filled while the other is written.
const BUFFERS: usize = 2;

/// Where a put's outcome is waited for, and what it is if all goes well.
pub(super) type Ack = (oneshot::Sender<Result<Put, StoreError>>, Put);

/// Records that are made but not written.
pub(super) struct Group {
    segment: Arc<Segment>,
    /// Whole blocks of the disk: what the first one has already, then the records.
    buffer: Buffer,
    /// Where the records begin, and end, in the segment.
    from: u64,
    end: u64,
    epoch: u64,
    rest: Rest,
}

/// What is done once the records are durable.
#[derive(Default)]
pub(super) struct Rest {
    pub(super) changes: Changes,
    pub(super) acks: Vec<Ack>,
    /// Records with a body of a put.
    pub(super) blocks: u64,
}

impl Group {
    /// Bytes of the records.
    pub(super) fn len(&self) -> u64 {
        self.end - self.from
    }

    /// Where the next record goes.
    pub(super) fn end(&self) -> u64 {
        self.end
    }

    pub(super) fn segment(&self) -> &Segment {
        &self.segment
    }

    pub(super) fn rest(&mut self) -> &mut Rest {
        &mut self.rest
    }

    /// Whether a record still fits.
    pub(super) fn has_room(&self, need: u64) -> bool {
        self.len() < FULL && need <= self.buffer.room() as u64
    }

    /// Adds a part of a record, for which there is room.
    pub(super) fn push(&mut self, part: &[u8]) -> Result<(), StoreError> {
        if !self.buffer.push(part) {
            return Err(StoreError::Broken("a record is longer than a group".into()));
        }
        self.end += part.len() as u64;
        Ok(())
    }

    /// What the group that follows has to repeat of this one's last block.
    pub(super) fn begun_block(&self) -> Vec<u8> {
        let bytes = self.buffer.bytes();
        let whole = bytes.len() - bytes.len() % ALIGN;
        bytes.get(whole..).unwrap_or_default().to_vec()
    }
}

/// How far the threads are. Groups are counted from 1.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    written: u64,
    /// Whether somebody waits for the disk to have nothing to write.
    wanted: bool,
    /// Committed or failed: in both cases whoever waited has been told.
    pub(super) done: u64,
    pub(super) epoch: u64,
    /// Why nothing can be written any more.
    pub(super) broken: Option<String>,
    ended: bool,
}

#[derive(Debug, Default)]
struct Progress {
    state: Mutex<State>,
    changed: Condvar,
}

impl Progress {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state());
        self.changed.notify_all();
    }
}

/// The two threads, for the one that makes records.
pub(super) struct Pipeline {
    groups: SyncSender<Group>,
    free: Receiver<Buffer>,
    progress: Arc<Progress>,
    handed: u64,
    threads: Vec<JoinHandle<()>>,
}

impl Pipeline {
    /// `jobs` wakes the one that makes records, when there is something new.
    pub(super) fn start(shared: Arc<Shared>, jobs: WeakSender<Job>) -> std::io::Result<Self> {
        let (groups, waiting) = sync_channel(1);
        let (to_commit, written) = channel();
        let (give_back, free) = channel();
        for _ in 0..BUFFERS {
            // The receiver is at hand.
            let _ = give_back.send(Buffer::new(ALIGN + FULL as usize + MAX_RECORD));
        }
        let progress = Arc::<Progress>::default();
        let nudge = Nudge {
            progress: progress.clone(),
            jobs,
        };
        let nudge_too = nudge.clone();
        let writer = thread::Builder::new()
            .name("store-write".into())
            .spawn(move || write(&waiting, &to_commit, &give_back, &nudge_too))?;
        let committer = Committer {
            shared,
            nudge,
            failure: None,
        };
        let committer = thread::Builder::new()
            .name("store-commit".into())
            .spawn(move || committer.run(&written))?;
        Ok(Self {
            groups,
            free,
            progress,
            handed: 0,
            threads: vec![writer, committer],
        })
    }

    pub(super) fn state(&self) -> State {
        self.progress.state().clone()
    }

    /// The number that the next group gets.
    pub(super) fn next(&self) -> u64 {
        self.handed + 1
    }

    /// Whether all that was handed over is done.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.progress.state();
        state.done == self.handed || state.ended
    }

    /// Whether the disk waits for something to write. If not, a [`Job::Nudge`] comes when it does.
    pub(super) fn writes_nothing(&self) -> bool {
        let mut state = self.progress.state();
        let nothing = state.written == self.handed;
        state.wanted = !nothing;
        nothing
    }

    /// A new group of this epoch, of records that begin at `from`; `begun` is what its first block has already. Waits for
    /// memory.
    pub(super) fn begin(
        &self,
        epoch: u64,
        segment: &Arc<Segment>,
        from: u64,
        begun: &[u8],
    ) -> Result<Group, StoreError> {
        let mut buffer = self.free.recv().map_err(|_| ended())?;
        buffer.clear();
        if !buffer.push(begun) {
            return Err(StoreError::Broken("a block is longer than a group".into()));
        }
        Ok(Group {
            segment: segment.clone(),
            buffer,
            from,
            end: from,
            epoch,
            rest: Rest::default(),
        })
    }

    /// Gives a group away. Waits while another one waits.
    pub(super) fn hand_over(&mut self, group: Group) {
        self.handed += 1;
        if let Err(lost) = self.groups.send(group) {
            for (done, _) in lost.0.rest.acks {
                let _ = done.send(Err(ended()));
            }
        }
    }

    /// Waits until all that was handed over is done.
    pub(super) fn drain(&self) {
        let mut state = self.progress.state();
        while state.done < self.handed && !state.ended {
            state = (self.progress.changed.wait(state)).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Ends the threads after what they have.
    pub(super) fn finish(self) {
        drop((self.groups, self.free));
        for thread in self.threads {
            // One that panicked has nothing left to do.
            let _ = thread.join();
        }
    }
}

/// Tells the one that makes records how far a thread is.
#[derive(Clone)]
struct Nudge {
    progress: Arc<Progress>,
    jobs: WeakSender<Job>,
}

impl Nudge {
    fn change(&self, change: impl FnOnce(&mut State)) {
        self.progress.change(change);
        self.nudge();
    }

    fn nudge(&self) {
        if let Some(jobs) = self.jobs.upgrade() {
            // With a full queue it is awake anyway.
            let _ = jobs.try_send(Job::Nudge);
        }
    }
}

/// A group that was written, or failed to be.
struct Written {
    segment: Arc<Segment>,
    from: u64,
    end: u64,
    epoch: u64,
    rest: Rest,
    outcome: Result<(), StoreError>,
}

/// The first thread: until no more groups come.
fn write(
    groups: &Receiver<Group>,
    to_commit: &Sender<Written>,
    give_back: &Sender<Buffer>,
    nudge: &Nudge,
) {
    while let Ok(mut group) = groups.recv() {
        let outcome = match group.len() {
            0 => Ok(()),
            _ => group
                .segment
                .write_blocks(group.buffer.padded(), aligned::floor(group.from))
                .map_err(StoreError::io("write", &group.segment.path)),
        };
        // Both receivers live as long as this is wanted.
        let _ = give_back.send(group.buffer);
        let _ = to_commit.send(Written {
            segment: group.segment,
            from: group.from,
            end: group.end,
            epoch: group.epoch,
            rest: group.rest,
            outcome,
        });
        let mut wanted = false;
        nudge.progress.change(|state| {
            state.written += 1;
            wanted = std::mem::take(&mut state.wanted);
        });
        if wanted {
            nudge.nudge();
        }
    }
}

/// The second thread.
struct Committer {
    shared: Arc<Shared>,
    nudge: Nudge,
    /// The last epoch that failed.
    failure: Option<Failure>,
}

struct Failure {
    epoch: u64,
    /// What the segment is cut back to.
    end: u64,
    why: StoreError,
}

impl Committer {
    fn run(mut self, written: &Receiver<Written>) {
        let _ended = Ended(self.nudge.progress.clone());
        while let Ok(first) = written.recv() {
            let mut groups = vec![first];
            groups.extend(written.try_iter());
            self.commit(groups);
        }
    }

    /// One sync for all of them. They lie in one segment: before another is begun, all of the one before is committed.
    fn commit(&mut self, groups: Vec<Written>) {
        let count = groups.len() as u64;
        let fresh = |group: &&Written| group.end > group.from && group.outcome.is_ok();
        let mut synced = Ok(());
        if let Some(group) = groups.iter().rfind(fresh) {
            let sync = group.segment.file.sync_data();
            synced = sync.map_err(StoreError::io("sync", &group.segment.path));
            self.shared.counters.commits.fetch_add(1, Relaxed);
        }
        for mut group in groups {
            let outcome = self.settle(&mut group, &synced);
            if let Err(error) = &outcome {
                self.undo(&group, error);
            }
            for (done, put) in group.rest.acks {
                // Who asked may have gone away; the block stays.
                let _ = done.send(match &outcome {
                    Ok(()) => Ok(put),
                    Err(error) => Err(error.again()),
                });
            }
        }
        self.nudge.change(|state| state.done += count);
    }

    fn settle(
        &mut self,
        group: &mut Written,
        synced: &Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if let Some(why) = &self.nudge.progress.state().broken {
            return Err(StoreError::Broken(why.clone()));
        }
        if let Some(failure) = self.failure.as_ref().filter(|f| f.epoch == group.epoch) {
            return Err(failure.why.again());
        }
        std::mem::replace(&mut group.outcome, Ok(()))?;
        synced.as_ref().map_err(StoreError::again)?;
        if group.end == group.from {
            return Ok(());
        }
        let mut changes = std::mem::take(&mut group.rest.changes);
        changes.tail(Tail {
            segment: group.segment.number,
            offset: group.end,
        });
        self.shared.index.apply(changes).inspect_err(|error| {
            // The next tail would lie behind records that no entry names: only a new start reads them.
            self.break_off(error);
        })?;
        let counters = &self.shared.counters;
        counters.blocks_put.fetch_add(group.rest.blocks, Relaxed);
        counters
            .bytes_put
            .fetch_add(group.end - group.from, Relaxed);
        Ok(())
    }

    /// Ends the epoch and cuts off what a failed group left: after a failed sync the system may believe that the pages
    /// are clean, so this file's end cannot be trusted again.
    fn undo(&mut self, group: &Written, why: &StoreError) {
        if self.nudge.progress.state().broken.is_some() {
            return;
        }
        let len = group.end - group.from;
        self.shared.used.fetch_sub(len, Relaxed);
        let same = self.failure.as_ref().filter(|f| f.epoch == group.epoch);
        let end = same.map_or(group.from, |failure| failure.end);
        if same.is_none() {
            self.failure = Some(Failure {
                epoch: group.epoch,
                end,
                why: why.again(),
            });
            let epoch = group.epoch + 1;
            self.nudge.progress.change(|state| state.epoch = epoch);
        }
        // Also those behind the first may have reached the disk.
        if let Err(error) = group.segment.cut(end) {
            tracing::error!(%error, "a failed write could not be cut back");
            self.break_off(&error);
        }
    }

    fn break_off(&self, error: &StoreError) {
        let why = error.to_string();
        (self.nudge.progress).change(|state| state.broken = Some(why));
    }
}

/// Says at the end of the thread, however it ends, that nothing more will be done.
struct Ended(Arc<Progress>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.change(|state| state.ended = true);
    }
}

fn ended() -> StoreError {
    StoreError::Broken("the thread that writes has ended".into())
}
