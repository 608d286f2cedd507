//! Uploads that must be refused, and nodes that lie, refuse or are silent.

use super::*;

async fn upload(
    world: &World,
    root: Hash,
    block: u32,
    path: Vec<Hash>,
    data: Vec<u8>,
) -> Result<(), Refusal> {
    let outcome = world
        .client
        .upload(&world.node(0).address(), &root, block, path, data.into())
        .await;
    outcome.map_err(|error| error.refusal().unwrap_or_else(|| panic!("{error}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn only_blocks_of_paid_contents_are_taken() {
    let world = World::new(1).await;
    let data = bytes(BLOCK_SIZE + 1_000);
    let mut builder = TreeBuilder::new();
    builder.push(&data).unwrap();
    let tree = builder.finish().unwrap();
    let root = tree.root();
    let size = data.len() as u64;
    let path = |block| tree.block_path(block).unwrap();
    let last = data[BLOCK_SIZE..].to_vec();

    assert_eq!(
        upload(&world, root, 1, path(1), last.clone()).await,
        Err(Refusal::NotOnChain)
    );
    // "Not on the chain" is believed for a second only.
    world.chain.create(root, size, 1_000);
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    assert_eq!(
        upload(&world, root, 1, path(1), last.clone()).await,
        Err(Refusal::Expired)
    );

    // A node that has not asked yet: the answer "expired" is remembered for a minute.
    let mut world = world;
    world.stop(0).await;
    world.chain.create(root, size, FAR_FUTURE_MS);
    world.nodes[0] = Some(
        Node::start(world.setup(0, Identity::random().unwrap()))
            .await
            .unwrap(),
    );

    let mut flipped = last.clone();
    flipped[999] ^= 0x80;
    assert_eq!(
        upload(&world, root, 1, path(1), flipped).await,
        Err(Refusal::WrongHash)
    );
    assert_eq!(
        upload(&world, root, 0, path(0), last.clone()).await,
        Err(Refusal::BadRequest),
        "too short for block 0"
    );
    assert_eq!(
        upload(&world, root, 1, path(1), data[..BLOCK_SIZE].to_vec()).await,
        Err(Refusal::BadRequest),
        "over its size"
    );
    assert_eq!(
        upload(&world, root, 2, path(1), last.clone()).await,
        Err(Refusal::BadRequest),
        "past the end"
    );
    assert_eq!(
        upload(&world, root, 1, path(0), last.clone()).await,
        Err(Refusal::WrongHash),
        "another block's path"
    );
    assert_eq!(
        upload(&world, root, 1, vec![], last.clone()).await,
        Err(Refusal::WrongHash),
        "no path"
    );
    assert_eq!(
        upload(&world, root, 1, path(1), vec![]).await,
        Err(Refusal::BadRequest),
        "empty"
    );
    let info = world
        .client
        .info(&world.node(0).address(), &root, 0)
        .await
        .unwrap();
    assert_eq!(info.ranges, [], "nothing of it was kept");

    assert_eq!(upload(&world, root, 1, path(1), last.clone()).await, Ok(()));
    assert_eq!(
        upload(&world, root, 1, path(1), last).await,
        Ok(()),
        "again is fine"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_longer_than_a_block_does_not_even_travel() {
    let world = World::new(1).await;
    let too_long = Bytes::from(vec![0; BLOCK_SIZE + 1_000]);
    let outcome = world
        .client
        .upload(&world.node(0).address(), &[1; 32], 0, vec![], too_long)
        .await;
    assert!(outcome.is_err());
    let info = world
        .client
        .info(&world.node(0).address(), &[1; 32], 0)
        .await
        .unwrap();
    assert_eq!(info.ranges, []);
}

/// A node that answers every query by `lie`, given what an honest node answers.
async fn liar(world: &World, lie: fn(Response) -> Option<Response>) -> NodeAddress {
    let identity = Identity::random().unwrap();
    let endpoint =
        Endpoint::bind("127.0.0.1:0".parse().unwrap(), &identity, Protocol::pdfs()).unwrap();
    let address = NodeAddress {
        public_key: identity.public_key(),
        address: endpoint.local_addr().unwrap().to_string(),
    };
    let (honest, client) = (world.node(0).address(), world.client.clone());
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let connection = incoming.finish().await.unwrap();
            let (honest, client) = (honest.clone(), client.clone());
            tokio::spawn(async move {
                while let Ok((mut sender, mut receiver)) = connection.accept().await {
                    let request = receiver.receive::<Request>().await.unwrap().unwrap();
                    let Request::Query { root, block } = request else {
                        panic!("only queries are expected");
                    };
                    let answer = match client.query(&honest, &root, block).await.unwrap() {
                        Fetched::Block { path, data } => Response::Block { path, data },
                        Fetched::Elsewhere(holders) => Response::NotFound { holders },
                    };
                    // The asker may hang up once it has seen enough.
                    match lie(answer) {
                        Some(lie) => drop(sender.send(&lie).await),
                        None => connection.close("no"),
                    }
                    let _ = sender.finish();
                    sender.flushed().await;
                }
            });
        }
    });
    address
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_a_lying_node_answers_another_holder_is_used() {
    let lies: [fn(Response) -> Option<Response>; 6] = [
        |answer| match answer {
            Response::Block { path, data } => {
                let mut flipped = data.to_vec();
                flipped[100] ^= 1;
                Some(Response::Block {
                    path,
                    data: flipped.into(),
                })
            }
            other => Some(other),
        },
        |answer| match answer {
            Response::Block { path, data } => Some(Response::Block {
                path,
                data: data.slice(..data.len() - 1),
            }),
            other => Some(other),
        },
        |answer| match answer {
            Response::Block { mut path, data } => {
                path.pop();
                Some(Response::Block { path, data })
            }
            other => Some(other),
        },
        |_| Some(Response::Done),
        |_| Some(Response::NotFound { holders: vec![] }),
        |_| None,
    ];
    for (n, lie) in lies.into_iter().enumerate() {
        let world = World::new(1).await;
        let sample = world.file(LEN).await;
        world.put(&sample, &world.addresses(), 1).await.unwrap();
        let liar = liar(&world, lie).await;
        // With the liar alone nothing is read, and nothing half-written stays.
        let before = entries(world.dir.path());
        let error = world.get(&sample, vec![liar.clone()]).await.unwrap_err();
        assert!(
            matches!(error, ContentError::NotFound { .. }),
            "lie {n}: {error}"
        );
        assert_eq!(entries(world.dir.path()), before, "lie {n}");
        // With an honest node beside it, all is.
        let fresh =
            Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
        let source = sample.source(vec![liar, world.node(0).address()]);
        let plain = content::read_range(&fresh, &source, &sample.key, 0..LEN as u64)
            .await
            .unwrap();
        assert_eq!(plain, sample.plain, "lie {n}");
        // Also by those who read without a key.
        let fresh =
            Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
        for block in 0..4 {
            let fetched = content::fetch_block(&fresh, &source, &[], block)
                .await
                .unwrap();
            let mut data = fetched.data.to_vec();
            let start = block as usize * BLOCK_SIZE;
            content::apply_cipher(&sample.key, start as u64, &mut data);
            let end = LEN.min(start + BLOCK_SIZE);
            assert!(data == sample.plain[start..end], "lie {n}, block {block}");
        }
        let outside = content::fetch_block(&fresh, &source, &[], 4).await;
        assert!(matches!(outside, Err(ContentError::Merkle(_))));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_gets_nothing() {
    let world = World::new(1).await;
    let sample = world.file(1_000).await;
    let impostor = NodeAddress {
        public_key: Identity::random().unwrap().public_key(),
        ..world.node(0).address()
    };
    let error = world
        .put(&sample, std::slice::from_ref(&impostor), 1)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("expected"), "{error}");
    let error = world
        .client
        .query(&impostor, &sample.prepared.root(), 0)
        .await
        .unwrap_err();
    assert!(matches!(error, PdfsError::Net { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_changes_after_it_was_hashed_is_not_sent() {
    let world = World::new(1).await;
    let sample = world.file(LEN).await;
    let mut changed = sample.plain.clone();
    changed[BLOCK_SIZE + 1] ^= 1;
    fs::write(&sample.path, &changed).unwrap();
    let error = world.put(&sample, &world.addresses(), 1).await.unwrap_err();
    assert!(
        matches!(error, ContentError::Changed { block: 1, .. }),
        "{error}"
    );
    let sample = world.file(LEN).await;
    fs::write(&sample.path, &sample.plain[..LEN - 1]).unwrap();
    let error = world.put(&sample, &world.addresses(), 1).await.unwrap_err();
    assert!(
        matches!(error, ContentError::Changed { block: 3, .. }),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_block_damaged_on_the_disk_is_read_from_another_node() {
    let world = World::new(2).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 2).await.unwrap();
    let path = world.path("node0/segments/00000001.seg");
    let mut segment = fs::read(&path).unwrap();
    let step = segment.len() / 9;
    for n in 1..9 {
        segment[n * step] ^= 0x10;
    }
    fs::write(&path, segment).unwrap();
    assert_eq!(
        world.get(&sample, world.addresses()).await.unwrap(),
        sample.plain
    );
    let error = world
        .get(&sample, vec![world.node(0).address()])
        .await
        .unwrap_err();
    assert!(matches!(error, ContentError::NotFound { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_sends_bad_data_again_and_again_is_kept_out_and_nobody_else() {
    let world = World::new(1).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let node = world.node(0).address();
    let bad = Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
    let root = sample.prepared.root();
    let mut refused = 0;
    let gone = loop {
        let data = vec![7; BLOCK_SIZE].into();
        let error = bad
            .upload(&node, &root, 1, vec![[1; 32]; 2], data)
            .await
            .unwrap_err();
        match error.refusal() {
            Some(Refusal::WrongHash) => refused += 1,
            _ => break error,
        }
        assert!(refused < 200, "never kept out");
    };
    assert!(refused >= 60, "kept out after {refused}: {gone}");
    assert!(
        bad.query(&node, &root, 0).await.is_err(),
        "not even a good request"
    );
    assert_eq!(
        world.get(&sample, world.addresses()).await.unwrap(),
        sample.plain
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_over_goes_and_what_was_renewed_stays() {
    let world = World::new(1).await;
    let dir = world.path("alone");
    let (store, _) = Store::open(&Options::new(&dir)).unwrap();
    let day = 24 * 3600 * 1000;
    let mut roots = Vec::new();
    for (n, expiry_ms) in [(1_u8, 1_000), (2, 1_000), (3, 10 * day)] {
        let data = Bytes::from(vec![n; 5_000]);
        let root = phantasma_wire::merkle::block_id(&data).unwrap();
        let content = Content {
            root: ContentRoot(root),
            size: 5_000,
            expiry_ms,
        };
        let block = NewBlock::verify(content, 0, Vec::new(), data).unwrap();
        store.put(block).await.unwrap();
        roots.push(root);
    }
    // The second one was renewed on the chain; the node was not told.
    world.chain.create(roots[0], 5_000, 1_000);
    world.chain.create(roots[1], 5_000, 20 * day);
    let chain = CachedChain::new(world.chain.clone());
    let (gone, reclaimed) = collect(&store, &chain, 2 * day, 0).await.unwrap();
    assert_eq!((gone, reclaimed.blocks), (1, 1));
    assert!(store.find(&ContentRoot(roots[0]), 0).unwrap().is_none());
    let renewed = store.content(&ContentRoot(roots[1])).unwrap().unwrap();
    assert_eq!(renewed.expiry_ms, 20 * day);
    store.close().await;
    drop(store);
    // Noted durably: it is known without the chain.
    std::fs::remove_dir_all(dir.join("index")).unwrap();
    let (store, _) = Store::open(&Options::new(&dir)).unwrap();
    let renewed = store.content(&ContentRoot(roots[1])).unwrap().unwrap();
    assert_eq!(renewed.expiry_ms, 20 * day);
    assert!(store.find(&ContentRoot(roots[2]), 0).unwrap().is_some());
}
