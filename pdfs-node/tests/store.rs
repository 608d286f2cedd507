//! What the block store promises, with real files, real crashes and a real full disk.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "store/crash.rs"]
mod crash;
#[path = "store/damage.rs"]
mod damage;
#[path = "store/model.rs"]
mod model;
#[path = "store/upkeep.rs"]
mod upkeep;

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use phantasma_pdfs::store::{
    BlockId, Content, ContentRoot, MAX_BODY, NewBlock, Options, Put, Recovery, Store, StoreError,
};
use phantasma_wire::merkle::{self, ContentTree, MerkleError};

const EXPIRY_MS: u64 = 1_800_000_000_000;

fn body(seed: u64, len: usize) -> Bytes {
    let mut state = seed;
    let mut next = || {
        // splitmix64: each seed gives bytes of its own.
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)).to_le_bytes()
    };
    let mut bytes: Vec<u8> = (0..len.div_ceil(8)).flat_map(|_| next()).collect();
    bytes.truncate(len);
    bytes.into()
}

/// A content and its blocks.
struct Sample {
    content: Content,
    tree: ContentTree,
    bodies: Vec<Bytes>,
}

impl Sample {
    fn new(bodies: Vec<Bytes>) -> Self {
        let size = bodies.iter().map(|b| b.len() as u64).sum();
        let ids = bodies
            .iter()
            .map(|b| merkle::block_id(b).unwrap())
            .collect();
        let tree = ContentTree::from_block_ids(size, ids).unwrap();
        let content = Content {
            root: ContentRoot(tree.root()),
            size,
            expiry_ms: EXPIRY_MS,
        };
        Self {
            content,
            tree,
            bodies,
        }
    }

    fn id(&self, index: u64) -> BlockId {
        BlockId(self.tree.block_ids()[index as usize])
    }

    fn block(&self, index: u64) -> NewBlock {
        let path = self.tree.block_path(index).unwrap();
        NewBlock::verify(
            self.content,
            index,
            path,
            self.bodies[index as usize].clone(),
        )
        .unwrap()
    }
}

/// A content of one block.
fn single(seed: u64, len: usize) -> Sample {
    Sample::new(vec![body(seed, len)])
}

fn open(dir: &Path) -> (Arc<Store>, Recovery) {
    open_with(Options::new(dir))
}

fn open_with(options: Options) -> (Arc<Store>, Recovery) {
    let (store, recovery) = Store::open(&options).unwrap();
    (Arc::new(store), recovery)
}

async fn close(store: Arc<Store>) {
    store.close().await;
    assert_eq!(
        Arc::strong_count(&store),
        1,
        "the test must not keep the store open"
    );
}

async fn assert_held(store: &Store, sample: &Sample, index: u64) {
    let place = store.find(&sample.content.root, index).unwrap();
    let place = place.unwrap_or_else(|| panic!("block {index} of {} is gone", sample.content.root));
    assert_eq!(place.id, sample.id(index));
    assert_eq!(place.path, sample.tree.block_path(index).unwrap());
    assert_eq!(
        store.get(place.id).await.unwrap().as_ref(),
        Some(&sample.bodies[index as usize])
    );
}

#[tokio::test]
async fn a_block_comes_back_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    let sample = Sample::new(
        (0..5)
            .map(|n| body(n, MAX_BODY))
            .chain([body(9, 77)])
            .collect(),
    );
    let root = sample.content.root;
    assert_eq!(store.get(sample.id(3)).await.unwrap(), None);
    for index in [3, 5] {
        assert_eq!(store.put(sample.block(index)).await.unwrap(), Put::Stored);
        assert_held(&store, &sample, index).await;
    }
    close(store).await;

    let (store, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    for index in [3, 5] {
        assert_held(&store, &sample, index).await;
    }
    assert_eq!(store.find(&root, 2).unwrap(), None);
    assert_eq!(store.held(&root, 0, 10).unwrap(), [3, 5]);
    assert_eq!(store.held(&root, 4, 10).unwrap(), [5]);
    assert_eq!(store.held(&root, 0, 1).unwrap(), [3]);
    assert_eq!(store.content(&root).unwrap(), Some(sample.content));
    assert_eq!(store.contents(None, 10).unwrap(), [sample.content]);
    assert_eq!(store.contents(Some(&root), 10).unwrap(), []);
}

#[tokio::test]
async fn a_block_of_two_contents_is_kept_once_and_known_in_both() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let one = Sample::new(vec![body(2, MAX_BODY)]);
    let two = Sample::new(vec![body(1, MAX_BODY), body(2, MAX_BODY), body(3, 10)]);
    assert_eq!(store.put(one.block(0)).await.unwrap(), Put::Stored);
    assert_eq!(store.put(two.block(1)).await.unwrap(), Put::AlreadyHeld);
    assert_eq!(store.put(two.block(1)).await.unwrap(), Put::AlreadyHeld);
    assert_eq!(store.stats().blocks_put, 1);
    close(store).await;
    // Also when everything has to be read from the segments again.
    std::fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.reindexed, 2);
    assert_held(&store, &one, 0).await;
    assert_held(&store, &two, 1).await;
}

#[tokio::test]
async fn a_renewed_content_keeps_its_new_expiry() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let mut sample = single(1, 100);
    store.put(sample.block(0)).await.unwrap();
    sample.content.expiry_ms += 1;
    assert_eq!(store.put(sample.block(0)).await.unwrap(), Put::AlreadyHeld);
    assert_eq!(
        store.content(&sample.content.root).unwrap(),
        Some(sample.content)
    );
    close(store).await;
    let (store, _) = open(dir.path());
    assert_eq!(
        store.content(&sample.content.root).unwrap(),
        Some(sample.content)
    );
}

#[test]
fn only_a_block_of_its_content_can_be_put() {
    let sample = Sample::new(vec![body(1, MAX_BODY), body(2, 500)]);
    let verify = |index, body: &[u8]| {
        let path = sample.tree.block_path(1).unwrap();
        NewBlock::verify(sample.content, index, path, Bytes::copy_from_slice(body)).map(|b| b.id())
    };
    let good = body(2, 500);
    assert_eq!(verify(1, &good).unwrap(), sample.id(1));
    let mut flipped = good.to_vec();
    flipped[499] ^= 1;
    assert!(matches!(
        verify(1, &flipped),
        Err(MerkleError::Mismatch { .. })
    ));
    assert!(matches!(
        verify(1, &good[..499]),
        Err(MerkleError::WrongLength { .. })
    ));
    assert!(matches!(
        verify(0, &body(1, MAX_BODY)),
        Err(MerkleError::Mismatch { .. })
    ));
    assert!(matches!(
        verify(2, &good),
        Err(MerkleError::OutOfRange { .. })
    ));
    assert!(matches!(
        verify(0, &body(1, MAX_BODY + 1)),
        Err(MerkleError::WrongLength { .. })
    ));
}

#[tokio::test]
async fn a_second_opening_is_refused_with_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let error = Store::open(&Options::new(dir.path())).unwrap_err();
    assert!(
        error.to_string().contains("in use by another process"),
        "{error}"
    );
    close(store).await;
    open(dir.path());
}

#[tokio::test]
async fn a_closed_store_takes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.close().await;
    let error = store.put(single(1, 10).block(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::Closed));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_puts_are_all_kept_and_share_commits() {
    const PUTS: u64 = 400;
    let dir = tempfile::tempdir().unwrap();
    let mut options = Options::new(dir.path());
    options.max_segment_bytes = 1 << 20;
    options.queue = 32;
    let (store, _) = open_with(options.clone());
    let puts: Vec<_> = (0..PUTS)
        .map(|n| {
            let store = store.clone();
            tokio::spawn(async move {
                let sample = single(n, 20_000);
                store.put(sample.block(0)).await.unwrap();
                // Readable at once, and whole.
                assert_held(&store, &sample, 0).await;
            })
        })
        .collect();
    for put in puts {
        put.await.unwrap();
    }
    let stats = store.stats();
    assert_eq!(stats.blocks_put, PUTS);
    assert!(
        stats.commits < PUTS,
        "{} commits for {PUTS} puts",
        stats.commits
    );
    close(store).await;
    assert!(
        std::fs::read_dir(dir.path().join("segments"))
            .unwrap()
            .count()
            > 5,
        "rolled"
    );
    let (store, recovery) = open_with(options);
    assert_eq!(recovery, Recovery::default());
    for n in 0..PUTS {
        assert_held(&store, &single(n, 20_000), 0).await;
    }
}
