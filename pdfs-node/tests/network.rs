//! Several real nodes in one process on loopback: QUIC, disks and DHT are real, only the chain is a table.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "network/bad.rs"]
mod bad;
#[path = "network/copies.rs"]
mod copies;
#[path = "network/gateway.rs"]
mod gateway;
#[path = "network/http.rs"]
mod http;

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    time::Duration,
};

use bytes::Bytes;
use phantasma_net::{Endpoint, Identity, Protocol, control::Bootstrap};
use phantasma_pdfs::{
    chain::{Answer, CachedChain, Chain, Importance, PaidContent},
    node::{ControlSetup, Node, Setup, StartError},
    store::{Content, ContentRoot, NewBlock, Options, Store},
    upkeep::{Upkeep, collect},
};
use phantasma_sdk::{
    content::{self, ContentError, ContentKey, Prepared, PutOptions, Source},
    pdfs::{Client, Fetched, NodeAddress, PdfsError},
};
use phantasma_wire::{
    Hash,
    merkle::{BLOCK_SIZE, TreeBuilder},
    pdfs::{Refusal, Request, Response},
};

/// For plain bytes of the gateway.
const TOKEN: &str = "a token of some length";

const FAR_FUTURE_MS: u64 = 4_000_000_000_000;

/// The chain as a table.
#[derive(Default)]
struct Table(Mutex<HashMap<Hash, PaidContent>>);

impl Table {
    fn create(&self, root: Hash, size: u64, expiry_ms: u64) {
        self.0
            .lock()
            .unwrap()
            .insert(root, PaidContent { size, expiry_ms });
    }
}

impl Chain for Table {
    fn content<'a>(&'a self, root: &'a Hash) -> Answer<'a> {
        let found = self.0.lock().unwrap().get(root).copied();
        Box::pin(async move { Ok(found) })
    }

    /// Whoever pays for an odd number of bytes pays least.
    fn priority<'a>(&'a self, root: &'a Hash) -> Importance<'a> {
        let found = self.0.lock().unwrap().get(root).copied();
        Box::pin(async move { Ok(found.map_or(0, |paid| u8::from(paid.size % 2 == 0))) })
    }
}

/// Some nodes, a chain, a client and a folder for all of them.
struct World {
    dir: tempfile::TempDir,
    chain: Arc<Table>,
    client: Client,
    nodes: Vec<Option<Node>>,
}

impl World {
    async fn new(count: usize) -> Self {
        Self::with(count, false).await
    }

    async fn with(count: usize, control: bool) -> Self {
        let client =
            Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
        let mut world = Self {
            dir: tempfile::tempdir().unwrap(),
            chain: Arc::default(),
            client,
            nodes: Vec::new(),
        };
        for n in 0..count {
            let first = world.nodes.first().and_then(|node| node.as_ref());
            let bootstrap = first.and_then(Node::as_bootstrap).into_iter().collect();
            let mut setup = world.setup(n, Identity::random().unwrap());
            setup.join = first.map(Node::address).into_iter().collect();
            setup.control = control.then(|| loopback_control(bootstrap));
            world.nodes.push(Some(Node::start(setup).await.unwrap()));
        }
        world
    }

    fn setup(&self, n: usize, identity: Identity) -> Setup {
        Setup {
            identity,
            store: Options::new(self.path(&format!("node{n}"))),
            listen: "127.0.0.1:0".parse().unwrap(),
            public_address: None,
            control: None,
            http: Some("127.0.0.1:0".parse().unwrap()),
            gateway_token: Some(TOKEN.into()),
            join: Vec::new(),
            chain: self.chain.clone(),
            upkeep: Upkeep::default(),
            proofs: None,
            replicas: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn node(&self, n: usize) -> &Node {
        self.nodes[n].as_ref().unwrap()
    }

    fn addresses(&self) -> Vec<NodeAddress> {
        self.nodes.iter().flatten().map(Node::address).collect()
    }

    async fn stop(&mut self, n: usize) {
        self.nodes[n].take().unwrap().shutdown().await;
    }

    /// A file of `len` bytes, prepared and created on the chain.
    async fn file(&self, len: usize) -> Sample {
        let path = self.path("plain");
        let plain = bytes(len);
        fs::write(&path, &plain).unwrap();
        let key = ContentKey::random();
        let prepared = content::prepare(&path, &key).await.unwrap();
        self.chain
            .create(prepared.root(), prepared.size(), FAR_FUTURE_MS);
        Sample {
            path,
            plain,
            key,
            prepared,
        }
    }

    async fn put(
        &self,
        sample: &Sample,
        nodes: &[NodeAddress],
        replicas: usize,
    ) -> Result<content::Stored, ContentError> {
        let options = PutOptions {
            replicas,
            ..PutOptions::default()
        };
        content::upload(
            &self.client,
            nodes,
            &sample.path,
            &sample.key,
            &sample.prepared,
            &options,
            &|_| (),
        )
        .await
    }

    async fn get(&self, sample: &Sample, nodes: Vec<NodeAddress>) -> Result<Vec<u8>, ContentError> {
        let to = self.path("copy");
        content::download(
            &self.client,
            &sample.source(nodes),
            &sample.key,
            &to,
            &|_| (),
        )
        .await?;
        Ok(fs::read(to).unwrap())
    }
}

struct Sample {
    path: PathBuf,
    plain: Vec<u8>,
    key: ContentKey,
    prepared: Prepared,
}

impl Sample {
    fn source(&self, nodes: Vec<NodeAddress>) -> Source {
        Source {
            root: self.prepared.root(),
            size: self.prepared.size(),
            nodes,
        }
    }
}

fn loopback_control(bootstrap: Vec<Bootstrap>) -> ControlSetup {
    ControlSetup {
        listen: "127.0.0.1:0".parse().unwrap(),
        bootstrap,
    }
}

fn bytes(len: usize) -> Vec<u8> {
    (0..len as u64)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 56) as u8)
        .collect()
}

fn entries(dir: &Path) -> Vec<String> {
    fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Four blocks, the last one short.
const LEN: usize = 3 * BLOCK_SIZE + 12_345;

#[tokio::test(flavor = "multi_thread")]
async fn a_file_on_three_nodes_is_read_back_when_one_is_gone() {
    let mut world = World::new(3).await;
    let sample = world.file(LEN).await;
    let nodes = world.addresses();
    let seen = Mutex::new(Vec::new());
    let stored = content::upload(
        &world.client,
        &nodes,
        &sample.path,
        &sample.key,
        &sample.prepared,
        &PutOptions::default(),
        &|progress| seen.lock().unwrap().push(progress),
    )
    .await
    .unwrap();
    assert_eq!((stored.blocks, stored.replicas), (4, 12));
    let mut seen = seen.into_inner().unwrap();
    seen.sort_by_key(|p| p.done_bytes);
    assert_eq!(
        (seen.len(), seen[3].done_bytes, seen[3].total_bytes),
        (4, LEN as u64, LEN as u64)
    );
    for node in &nodes {
        let held = world
            .client
            .info(node, &sample.prepared.root(), 0)
            .await
            .unwrap();
        assert_eq!(
            (
                held.size,
                held.ranges.len(),
                held.ranges[0].count,
                held.more
            ),
            (LEN as u64, 1, 4, false)
        );
    }
    world.stop(1).await;
    assert_eq!(
        world.get(&sample, nodes.clone()).await.unwrap(),
        sample.plain
    );
    // Also by range, across a border of blocks, to the last byte, and of nothing.
    for range in [
        0..1,
        BLOCK_SIZE as u64 - 3..2 * BLOCK_SIZE as u64 + 3,
        LEN as u64 - 1..LEN as u64,
        7..7,
    ] {
        let part = content::read_range(
            &world.client,
            &sample.source(nodes.clone()),
            &sample.key,
            range.clone(),
        )
        .await;
        assert_eq!(
            part.unwrap(),
            sample.plain[range.start as usize..range.end as usize]
        );
    }
    let outside = 5..LEN as u64 + 1;
    let error = content::read_range(&world.client, &sample.source(nodes), &sample.key, outside)
        .await
        .unwrap_err();
    assert!(matches!(error, ContentError::Range { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_keep_is_not_the_file() {
    let world = World::new(1).await;
    let sample = world.file(100_000).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let segment = fs::read(world.path("node0/segments/00000001.seg")).unwrap();
    assert!(segment.len() > sample.plain.len());
    assert!(
        !segment
            .windows(32)
            .any(|w| w == &sample.plain[1_000..1_032])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_again_sends_nothing_and_one_that_broke_off_sends_the_rest() {
    let mut world = World::new(3).await;
    let sample = world.file(LEN).await;
    let two = &world.addresses()[..2];
    assert_eq!(world.put(&sample, two, 2).await.unwrap().sent, 8);
    assert_eq!(world.put(&sample, two, 2).await.unwrap().sent, 0);
    // A third replica wanted: four blocks to whoever has none.
    let all = world.addresses();
    assert_eq!(world.put(&sample, &all, 3).await.unwrap().sent, 4);
    // One node has lost its disk.
    world.stop(1).await;
    fs::remove_dir_all(world.path("node1")).unwrap();
    let node = Node::start(world.setup(1, Identity::random().unwrap()))
        .await
        .unwrap();
    world.nodes[1] = Some(node);
    assert_eq!(
        world
            .put(&sample, &world.addresses(), 3)
            .await
            .unwrap()
            .sent,
        4
    );
    // Nothing is read from a file that need not be sent.
    fs::remove_file(&sample.path).unwrap();
    fs::write(&sample.path, "").unwrap();
    assert_eq!(
        world
            .put(&sample, &world.addresses(), 3)
            .await
            .unwrap()
            .sent,
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_serves_after_a_restart_what_it_had() {
    let mut world = World::new(1).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    world.stop(0).await;
    let node = Node::start(world.setup(0, Identity::random().unwrap()))
        .await
        .unwrap();
    assert_eq!(node.recovery(), Default::default());
    world.nodes[0] = Some(node);
    assert_eq!(
        world.get(&sample, world.addresses()).await.unwrap(),
        sample.plain
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_node_is_replaced_by_the_next_while_uploading() {
    let mut world = World::new(4).await;
    let sample = world.file(LEN).await;
    let nodes = world.addresses();
    world.stop(2).await;
    world.put(&sample, &nodes, 3).await.unwrap();
    // Four replicas are not to be had from three nodes, and that is said.
    let error = world.put(&sample, &nodes, 4).await.unwrap_err();
    assert!(
        matches!(
            error,
            ContentError::TooFewReplicas {
                stored: 3,
                wanted: 4,
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_knows_one_node_finds_the_holder_by_the_control_plane() {
    let world = World::with(3, true).await;
    let sample = world.file(LEN).await;
    world
        .put(&sample, &[world.node(2).address()], 1)
        .await
        .unwrap();
    // The announcement follows the upload.
    let (asked, holder) = (world.node(1).address(), world.node(2).address());
    for attempt in 0.. {
        let info = world
            .client
            .info(&asked, &sample.prepared.root(), 0)
            .await
            .unwrap();
        assert_eq!(info.ranges, []);
        if info.holders == [holder.clone()] {
            break;
        }
        assert!(attempt < 100, "not announced: {info:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(world.get(&sample, vec![asked]).await.unwrap(), sample.plain);
    for node in world.nodes.into_iter().flatten() {
        node.shutdown().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nodes_learn_of_each_other_by_joining() {
    let world = World::new(3).await;
    for attempt in 0.. {
        let mut map = world
            .client
            .join(&world.node(0).address(), None)
            .await
            .unwrap();
        map.sort_by_key(|node| node.public_key);
        let mut expected = world.addresses();
        expected.sort_by_key(|node| node.public_key);
        if map == expected {
            break;
        }
        assert!(attempt < 100, "{map:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attached_node_is_named_as_a_holder_until_it_detaches() {
    let world = World::new(1).await;
    let master = world.node(0).address();
    let root = [5; 32];
    assert_eq!(
        world.client.query(&master, &root, 0).await.unwrap(),
        Fetched::Elsewhere(vec![])
    );
    world
        .client
        .attach(&master, "127.0.0.1:9".into())
        .await
        .unwrap();
    let Fetched::Elsewhere(holders) = world.client.query(&master, &root, 0).await.unwrap() else {
        panic!("nobody holds it");
    };
    assert_eq!(holders[0].address, "127.0.0.1:9");
    world.client.detach(&master).await.unwrap();
    assert_eq!(
        world.client.query(&master, &root, 0).await.unwrap(),
        Fetched::Elsewhere(vec![])
    );
    let error = world
        .client
        .attach(&master, "nowhere".into())
        .await
        .unwrap_err();
    assert_eq!(error.refusal(), Some(Refusal::BadRequest));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_said_clearly() {
    let world = World::new(1).await;
    let mut setup = world.setup(1, Identity::random().unwrap());
    setup.listen = world.node(0).address().address.parse().unwrap();
    let error = Node::start(setup).await.err().unwrap();
    assert!(matches!(error, StartError::Net(_)), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("UDP port") && text.contains("is taken"),
        "{text}"
    );
    assert!(!world.path("node1").exists(), "nothing was touched");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_node_on_the_same_data_is_refused() {
    let world = World::new(1).await;
    let error = Node::start(world.setup(0, Identity::random().unwrap()))
        .await
        .err()
        .unwrap();
    assert!(
        error.to_string().contains("in use by another process"),
        "{error}"
    );
}
