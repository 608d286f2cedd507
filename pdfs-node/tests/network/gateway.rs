//! The gateway of a node that does not hold what it is asked for.

use std::time::Instant;

use phantasma_sdk::content::HEDGE_AFTER;
use phantasma_wire::replicas::{BlockKey, rank};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpStream, UdpSocket},
};

use super::{
    http::{ask, get},
    *,
};

/// How many blocks the gateway of node 0 had from there so far.
async fn blocks(world: &World, from: &str) -> u64 {
    metric(world, &format!("gateway_blocks_total{{from=\"{from}\"}}")).await
}

/// A counter of node 0; one that was never touched is not shown.
async fn metric(world: &World, name: &str) -> u64 {
    let (_, body) = get(world, "/metrics", "").await;
    let text = String::from_utf8(body).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("phantasma_pdfs_")?.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

/// Waits until node 0 has heard of all others.
async fn acquainted(world: &World) {
    let started = Instant::now();
    let first = world.node(0).address();
    while world.client.join(&first, None).await.unwrap().len() < world.nodes.len() {
        assert!(
            started.elapsed() < Duration::from_secs(30),
            "nodes do not join"
        );
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn path(sample: &Sample) -> String {
    format!("/content/{}", hex::encode(sample.prepared.root()))
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_of_others_are_fetched_and_only_those_of_the_range() {
    let mut world = World::new(3).await;
    acquainted(&world).await;
    let sample = world.file(LEN).await;
    // The two others share the blocks.
    let others = &world.addresses()[1..];
    world.put(&sample, others, 1).await.unwrap();
    let path = path(&sample);

    let (head, body) = ask(&world, "HEAD", &path, "").await;
    assert!(
        head.starts_with("http/1.1 200") && body.is_empty(),
        "{head}"
    );
    assert_eq!(blocks(&world, "others").await, 0);

    let (from, end) = (2 * BLOCK_SIZE + 7, 2 * BLOCK_SIZE + 1_007);
    let range = format!("Range: bytes={from}-{}\r\n", end - 1);
    for (fetched, cached) in [(1, 0), (1, 1)] {
        let (head, mut body) = get(&world, &path, &range).await;
        assert!(head.starts_with("http/1.1 206"), "{head}");
        content::apply_cipher(&sample.key, from as u64, &mut body);
        assert_eq!(body, sample.plain[from..end]);
        assert_eq!(blocks(&world, "others").await, fetched);
        assert_eq!(blocks(&world, "cache").await, cached);
        let given = metric(&world, "gateway_bytes_total").await;
        assert_eq!(given, 1_000 * (cached + 1));
    }
    let (head, mut body) = get(&world, &path, "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    content::apply_cipher(&sample.key, 0, &mut body);
    assert!(body == sample.plain, "byte for byte");
    assert_eq!(blocks(&world, "others").await, 4);
    assert_eq!(blocks(&world, "store").await, 0);
    // Nothing was stored on the way.
    let held = world
        .client
        .info(&world.node(0).address(), &sample.prepared.root(), 0)
        .await
        .unwrap();
    assert_eq!(held.ranges, []);

    // A content whose only holder is gone is not begun.
    let gone = world.file(LEN - 1).await;
    world.put(&gone, &world.addresses()[1..2], 1).await.unwrap();
    world.stop(1).await;
    let (head, body) = get(&world, &self::path(&gone), "").await;
    assert!(head.starts_with("http/1.1 404"), "{head}");
    assert!(body.starts_with(b"no node within reach"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_holder_is_not_waited_for() {
    let world = World::new(2).await;
    acquainted(&world).await;
    let sample = world.file(LEN).await;
    world
        .put(&sample, &world.addresses()[1..], 1)
        .await
        .unwrap();
    // A node that ranks before the holder and says nothing at all: a handshake with it takes three seconds to fail.
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let key = BlockKey {
        root: sample.prepared.root(),
        block: 0,
    };
    let holder = rank(&key, &world.node(1).public_key());
    let silent = loop {
        let identity = Identity::random().unwrap();
        if rank(&key, &identity.public_key()) < holder {
            break Client::bind("127.0.0.1:0".parse().unwrap(), &identity).unwrap();
        }
    };
    let address = socket.local_addr().unwrap().to_string();
    silent
        .attach(&world.node(0).address(), address)
        .await
        .unwrap();

    let path = path(&sample);
    let started = Instant::now();
    let (head, body) = get(&world, &path, "Range: bytes=0-9\r\n").await;
    let took = started.elapsed();
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert_eq!(body.len(), 10);
    assert!(
        took >= HEDGE_AFTER,
        "{took:?}: the silent node was not asked"
    );
    assert!(took < Duration::from_millis(2_500), "{took:?}");
    assert!(metric(&world, "gateway_hedges_total").await >= 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_do_not_read_cost_a_bounded_part_of_a_content() {
    let world = World::new(2).await;
    acquainted(&world).await;
    // 160 blocks, 40 MiB.
    let sample = world.file(160 * BLOCK_SIZE).await;
    world
        .put(&sample, &world.addresses()[1..], 1)
        .await
        .unwrap();
    let request = format!("GET {} HTTP/1.1\r\nHost: node\r\n\r\n", path(&sample));
    let mut stalled = Vec::new();
    for _ in 0..2 {
        let mut stream = TcpStream::connect(world.node(0).http_addr().unwrap())
            .await
            .unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        stalled.push(stream);
    }
    // Until nothing more comes: what sockets take, and the blocks ahead.
    let (mut before, started) = (0, Instant::now());
    loop {
        tokio::time::sleep(Duration::from_secs(1)).await;
        let now = blocks(&world, "others").await + blocks(&world, "cache").await;
        if now == before && now > 0 {
            break;
        }
        before = now;
        assert!(
            started.elapsed() < Duration::from_secs(60),
            "{now} blocks and more"
        );
    }
    assert!(
        before < 2 * 100,
        "{before} blocks of 2 x 160 for readers that stopped"
    );
    // Another reader still has all of it.
    let (_, mut body) = get(&world, &path(&sample), "").await;
    content::apply_cipher(&sample.key, 0, &mut body);
    assert!(body == sample.plain, "byte for byte");
}
