//! Durable puts of 256 KiB from eight writers: our store, a bare file with the same group commit, RocksDB with bodies.

use std::{
    fs::File,
    io::Write,
    path::Path,
    sync::{Arc, mpsc},
    thread,
    time::Instant,
};

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use clap::ValueEnum;
use phantasma_pdfs::store::{Content, ContentRoot, NewBlock, Options, Store};
use phantasma_wire::merkle::{self, BLOCK_SIZE, ContentTree};
use rocksdb::{DB, WriteOptions};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::disk::seeded;

const WRITERS: usize = 8;

/// Puts that a writer has on their way: a node's peers do not wait for one block before they send the next.
const DEPTH: usize = 8;

/// The bare file's group commit gathers as much as ours.
const MAX_COMMIT: usize = 16 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Ours,
    Segment,
    Rocksdb,
}

pub(crate) fn measure(kind: Kind, dir: &Path, bytes: u64, runtime: &Runtime) -> Result<Value> {
    let count = usize::try_from(bytes)? / BLOCK_SIZE;
    let bodies: Vec<Bytes> = (0..count)
        .map(|n| seeded(n as u64, BLOCK_SIZE).into())
        .collect();
    std::fs::create_dir_all(dir).with_context(|| format!("create {}", dir.display()))?;
    let seconds = match kind {
        Kind::Ours => runtime.block_on(ours(dir, &bodies))?,
        Kind::Segment => segment(dir, bodies)?,
        Kind::Rocksdb => rocks(dir, bodies)?,
    };
    Ok(json!({"seconds": seconds, "bytes": count * BLOCK_SIZE}))
}

/// The node's store. What a put needs is made before the clock starts: hashing is the server's work, not the store's.
async fn ours(dir: &Path, bodies: &[Bytes]) -> Result<f64> {
    let ids = bodies.iter().map(|body| merkle::block_id(body));
    let size = (bodies.len() * BLOCK_SIZE) as u64;
    let tree = ContentTree::from_block_ids(size, ids.collect::<Result<_, _>>()?)?;
    let content = Content {
        root: ContentRoot(tree.root()),
        size,
        expiry_ms: u64::MAX,
    };
    let mut lanes: Vec<Vec<NewBlock>> = vec![Vec::new(); WRITERS];
    for (index, body) in (0_u64..).zip(bodies) {
        let block = NewBlock::verify(content, index, tree.block_path(index)?, body.clone())?;
        if let Some(lane) = lanes.get_mut(index as usize % WRITERS) {
            lane.push(block);
        }
    }
    let (store, _) = Store::open(&Options::new(dir))?;
    let store = Arc::new(store);
    let started = Instant::now();
    let mut writers = tokio::task::JoinSet::new();
    for lane in lanes {
        let store = store.clone();
        writers.spawn(async move {
            use futures_util::{StreamExt, TryStreamExt, stream};
            let puts = stream::iter(lane).map(|block| store.put(block));
            puts.buffer_unordered(DEPTH)
                .try_for_each(|_| async { Ok(()) })
                .await
        });
    }
    while let Some(writer) = writers.join_next().await {
        writer??;
    }
    let seconds = started.elapsed().as_secs_f64();
    store.close().await;
    Ok(seconds)
}

/// As little as group commit can be: gather, write, fdatasync, answer.
fn segment(dir: &Path, bodies: Vec<Bytes>) -> Result<f64> {
    let mut file = File::create(dir.join("bare"))?;
    let (send, receive) = mpsc::sync_channel::<(Bytes, mpsc::Sender<()>)>(256);
    let committer = thread::spawn(move || -> std::io::Result<()> {
        while let Ok((first, done)) = receive.recv() {
            let (mut group, mut waiting) = (first.to_vec(), vec![done]);
            while group.len() < MAX_COMMIT
                && let Ok((next, done)) = receive.try_recv()
            {
                group.extend_from_slice(&next);
                waiting.push(done);
            }
            file.write_all(&group)?;
            file.sync_data()?;
            for done in waiting {
                // A writer that ended asks no more.
                let _ = done.send(());
            }
        }
        Ok(())
    });
    let seconds = lanes(bodies, move |lane| {
        let (done, answers) = mpsc::channel();
        let mut open = 0;
        for body in lane {
            if open == DEPTH {
                answers.recv()?;
                open -= 1;
            }
            send.send((body, done.clone()))
                .map_err(|_| anyhow!("the committer ended"))?;
            open += 1;
        }
        for _ in 0..open {
            answers.recv()?;
        }
        Ok(())
    })?;
    committer
        .join()
        .map_err(|_| anyhow!("the committer panicked"))??;
    Ok(seconds)
}

/// Bodies as values, each write synced; RocksDB joins those that wait.
fn rocks(dir: &Path, bodies: Vec<Bytes>) -> Result<f64> {
    let db = DB::open_default(dir.join("bodies"))?;
    lanes(bodies, move |lane| {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        for body in lane {
            let key = body.get(..32).context("a body is longer than its key")?;
            db.put_opt(key, &body, &options)?;
        }
        Ok(())
    })
}

/// Runs the same on a thread for each lane, and times all of them.
fn lanes(
    bodies: Vec<Bytes>,
    each: impl Fn(Vec<Bytes>) -> Result<()> + Send + Sync + 'static,
) -> Result<f64> {
    let mut lanes: Vec<Vec<Bytes>> = vec![Vec::new(); WRITERS];
    for (n, body) in bodies.into_iter().enumerate() {
        if let Some(lane) = lanes.get_mut(n % WRITERS) {
            lane.push(body);
        }
    }
    let each = Arc::new(each);
    let started = Instant::now();
    let threads: Vec<_> = lanes
        .into_iter()
        .map(|lane| {
            let each = each.clone();
            thread::spawn(move || each(lane))
        })
        .collect();
    for thread in threads {
        thread.join().map_err(|_| anyhow!("a writer panicked"))??;
    }
    Ok(started.elapsed().as_secs_f64())
}
