//! Enough copies and no more, on nodes that are damaged, lie, are asked too often or have no room.

use std::collections::BTreeSet;
use std::os::unix::fs::FileExt;
use std::time::Instant;

use phantasma_pdfs::replicas;
use phantasma_wire::pdfs::BlockRange;
use phantasma_wire::replicas::{BlockKey, Policy, rank};

use super::*;

/// A busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn quick(wanted: usize) -> replicas::Setup {
    replicas::Setup {
        wanted,
        policy: Policy {
            ask_every_ms: 200,
            gone_after_ms: 8000,
            urgent_after_ms: 4000,
            avoid_ms: 3000,
            minimum: wanted.min(2),
            surplus_after_ms: 1000,
            ..Policy::default()
        },
    }
}

/// Nodes that watch each other.
async fn fleet(count: usize, wanted: usize) -> World {
    let mut world = World::new(0).await;
    for n in 0..count {
        let setup = world.setup(n, Identity::random().unwrap());
        add(&mut world, setup, wanted).await;
    }
    world
}

async fn add(world: &mut World, mut setup: Setup, wanted: usize) {
    let first = world.nodes.first().and_then(|node| node.as_ref());
    setup.join = first.map(Node::address).into_iter().collect();
    setup.replicas = Some(quick(wanted));
    world.nodes.push(Some(Node::start(setup).await.unwrap()));
}

async fn held(world: &World, n: usize, root: &Hash) -> BTreeSet<u32> {
    let node = world.node(n).address();
    let info = world.client.info(&node, root, 0).await.unwrap();
    let blocks = info.ranges.iter().flat_map(|r| r.start..r.start + r.count);
    blocks.collect()
}

/// Looks again and again until it is so.
async fn until<F: Future<Output = bool>>(what: &str, mut is_so: impl FnMut() -> F) {
    let begun = Instant::now();
    while !is_so().await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_block_is_fetched_again_from_another_holder() {
    let world = World::new(3).await;
    let sample = world.file(LEN).await;
    let nodes = world.addresses();
    world.put(&sample, &nodes, 3).await.unwrap();
    let segment = world.path("node0/segments/00000001.seg");
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(segment)
        .unwrap();
    let (at, mut byte) = (file.metadata().unwrap().len() / 2, [0]);
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 1], at).unwrap();

    let root = sample.prepared.root();
    let (client, node) = (&world.client, &nodes[0]);
    let missing = || async {
        let mut missing = 0;
        for block in 0..4 {
            let answer = client.query(node, &root, block).await.unwrap();
            missing += usize::from(matches!(answer, Fetched::Elsewhere(_)));
        }
        missing
    };
    assert_eq!(missing().await, 1, "the read finds the damage");
    until("the block does not come back", || async {
        missing().await == 0
    })
    .await;
    assert!(world.get(&sample, vec![node.clone()]).await.unwrap() == sample.plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_beyond_those_wanted_are_deleted_where_they_rank_last() {
    let world = fleet(5, 3).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 5).await.unwrap();
    let root = sample.prepared.root();
    let holders = || async {
        let mut holders = vec![BTreeSet::new(); 4];
        for n in 0..5 {
            for block in held(&world, n, &root).await {
                holders[block as usize].insert(n);
            }
        }
        holders
    };
    until("nothing is deleted", || async {
        let holders = holders().await;
        assert!(holders.iter().all(|nodes| nodes.len() >= 3), "{holders:?}");
        holders.iter().all(|nodes| nodes.len() == 3)
    })
    .await;
    // It stays so.
    tokio::time::sleep(Duration::from_secs(2)).await;
    for (block, nodes) in holders().await.into_iter().enumerate() {
        let block = block as u32;
        let mut ranked: Vec<usize> = (0..5).collect();
        ranked.sort_by_key(|n| rank(&BlockKey { root, block }, &world.node(*n).public_key()));
        assert_eq!(
            nodes,
            ranked[..3].iter().copied().collect(),
            "block {block}"
        );
    }
    let read = world.get(&sample, world.addresses()).await.unwrap();
    assert!(read == sample.plain);
}

/// A node that takes everything, claims everything and gives nothing.
async fn claimer(world: &World) -> NodeAddress {
    let identity = Identity::random().unwrap();
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &identity, Protocol::pdfs()).unwrap();
    let node = NodeAddress {
        public_key: identity.public_key(),
        address: endpoint.local_addr().unwrap().to_string(),
    };
    let listening = endpoint.clone();
    tokio::spawn(async move {
        while let Some(incoming) = listening.accept().await {
            let connection = incoming.finish().await.unwrap();
            tokio::spawn(async move {
                while let Ok((mut sender, mut receiver)) = connection.accept().await {
                    let Ok(Some(request)) = receiver.receive::<Request>().await else {
                        return;
                    };
                    let answer = match request {
                        Request::Query { .. } => Response::NotFound { holders: vec![] },
                        Request::Info { from, .. } => Response::Info {
                            size: LEN as u64,
                            ranges: vec![BlockRange {
                                start: from,
                                count: 100,
                            }],
                            more: false,
                            holders: vec![],
                        },
                        Request::Join { .. } => Response::Map { nodes: vec![] },
                        Request::Attach { .. } | Request::Detach | Request::Upload { .. } => {
                            Response::Done
                        }
                    };
                    let _ = sender.send(&answer).await;
                    let _ = sender.finish();
                }
            });
        }
    });
    let own = Some(node.address.clone());
    let client = Client::over(endpoint);
    client.join(&world.node(0).address(), own).await.unwrap();
    node
}

#[tokio::test(flavor = "multi_thread")]
async fn a_holder_that_cannot_show_a_block_does_not_count() {
    let mut world = fleet(1, 2).await;
    for _ in 0..3 {
        claimer(&world).await;
    }
    let sample = world.file(LEN).await;
    world
        .put(&sample, &world.addresses()[..1], 1)
        .await
        .unwrap();
    // Time to be deceived.
    tokio::time::sleep(Duration::from_secs(2)).await;
    let setup = world.setup(1, Identity::random().unwrap());
    add(&mut world, setup, 2).await;
    let root = sample.prepared.root();
    until("liars are taken for holders", || async {
        held(&world, 1, &root).await.len() == 4
    })
    .await;
    assert_eq!(held(&world, 0, &root).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_that_too_many_ask_for_is_handed_on_and_can_still_be_read() {
    let world = fleet(3, 2).await;
    let sample = world.file(1000).await;
    let nodes = world.addresses();
    world.put(&sample, &nodes[..2], 2).await.unwrap();
    let root = sample.prepared.root();
    let mut sent_to = None;
    let begun = Instant::now();
    while sent_to.is_none() {
        assert!(begun.elapsed() < PATIENCE, "nobody is sent away");
        match world.client.query(&nodes[0], &root, 0).await.unwrap() {
            Fetched::Block { .. } => {}
            Fetched::Elsewhere(holders) => sent_to = Some(holders),
        }
    }
    assert!(sent_to.unwrap().contains(&nodes[1]));
    // One more node gets it while it is hot.
    until("it is not handed on", || async {
        held(&world, 2, &root).await.len() == 1
    })
    .await;
    let read = world.get(&sample, vec![nodes[0].clone()]).await.unwrap();
    assert!(read == sample.plain);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_without_room_lets_go_what_matters_least_and_others_have() {
    let mut world = World::new(0).await;
    const QUOTA: u64 = 6 << 20;
    let mut setup = world.setup(0, Identity::random().unwrap());
    setup.store.quota_bytes = QUOTA;
    setup.store.max_segment_bytes = 600 << 10;
    add(&mut world, setup, 3).await;
    for n in 1..3 {
        let setup = world.setup(n, Identity::random().unwrap());
        add(&mut world, setup, 3).await;
    }
    // 9 blocks of which the owner pays least for, 12 as usual: together 94 % of the quota.
    let low = world.file(9 * BLOCK_SIZE - 1).await;
    world.put(&low, &world.addresses(), 3).await.unwrap();
    let usual = world.file(12 * BLOCK_SIZE + 200_000).await;
    world.put(&usual, &world.addresses(), 3).await.unwrap();
    let (low_root, usual_root) = (low.prepared.root(), usual.prepared.root());
    let used = || {
        let files = entries(&world.path("node0/segments"));
        let len = |name: &String| fs::metadata(world.path("node0/segments").join(name));
        let lens = files.iter().filter_map(|name| len(name).ok());
        lens.map(|meta| meta.len()).sum::<u64>()
    };
    assert!(used() > QUOTA / 100 * 90, "{}", used());
    until("nothing goes", || async { used() < QUOTA / 100 * 90 }).await;
    let left = held(&world, 0, &low_root).await;
    assert!(left.len() < 9, "{left:?}");
    assert_eq!(held(&world, 0, &usual_root).await.len(), 13);
    for n in 1..3 {
        assert_eq!(held(&world, n, &low_root).await.len(), 9);
    }
    // What went is not taken back at once.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(held(&world, 0, &low_root).await.is_subset(&left));
    let read = world.get(&low, world.addresses()).await.unwrap();
    assert!(read == low.plain);
}
