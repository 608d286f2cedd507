//! Storage nodes that make good what is lost when one of them dies.

use std::{
    fs,
    time::{Duration, Instant},
};

use phantasma_net::Identity;
use phantasma_sdk::{
    content::{self, ContentKey, PutOptions, Source},
    contract::{ContentMode, ContentOrder, Phantasma, Priority},
    pdfs::Client,
};
use phantasma_tests::TestNet;

use crate::agents::tail;
use crate::pdfs::{Fleet, Process};

/// Four times the interval of questions, copies, and a busy machine.
const PATIENCE: Duration = Duration::from_secs(90);

/// Blocks of a content that a node holds by its own word; None when it does not answer.
async fn held(client: &Client, node: &Process, root: &[u8; 32]) -> Option<u32> {
    let answer = client.info(&node.node, root, 0).await.ok()?;
    Some(answer.ranges.iter().map(|range| range.count).sum())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_copy_appears_when_a_holder_dies_and_the_file_can_always_be_read() {
    let dir = tempfile::tempdir().unwrap();
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let fleet = Fleet {
        dir: dir.path(),
        rpc: net.rpc_url().to_owned(),
        contract: deployed.hash,
    };
    let arguments = ["--replicas-wanted", "3", "--replicas-ask-every-s", "2"].map(str::to_owned);
    let mut nodes: Vec<Process> = Vec::new();
    for n in 0..5 {
        let others: Vec<&Process> = nodes.first().into_iter().collect();
        nodes.push(fleet.start_with(n, &others, &arguments));
    }
    let client =
        Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
    // Five blocks on three of the five.
    let plain: Vec<u8> = (0..1_200_000_u64).map(|n| ((n * n) >> 9) as u8).collect();
    let path = dir.path().join("plain");
    fs::write(&path, &plain).unwrap();
    let key = ContentKey::random();
    let prepared = content::prepare(&path, &key).await.unwrap();
    let root = prepared.root();
    let order = ContentOrder {
        root,
        size: prepared.size(),
        mode: ContentMode::ReadOnly,
        priority: Priority::Normal,
        periods: 1,
        max_payment: u64::from(u32::MAX) * 1_0000,
    };
    let phantasma = Phantasma::new(net.rpc(), deployed.hash);
    phantasma
        .create_content(&deployed.owner, &order)
        .await
        .unwrap();
    let first: Vec<_> = nodes[..3].iter().map(|node| node.node.clone()).collect();
    let options = PutOptions::default();
    content::upload(&client, &first, &path, &key, &prepared, &options, &|_| ())
        .await
        .unwrap();
    let blocks = 5;
    assert_eq!(held(&client, &nodes[0], &root).await, Some(blocks));

    // As long as all live, nothing is copied.
    tokio::time::sleep(Duration::from_secs(8)).await;
    let mut copies = 0;
    for node in &nodes {
        copies += held(&client, node, &root).await.unwrap();
    }
    assert_eq!(copies, 3 * blocks);

    let all: Vec<_> = nodes.iter().map(|node| node.node.clone()).collect();
    nodes.remove(1).guard.kill();
    let killed = Instant::now();
    let source = Source {
        root,
        size: prepared.size(),
        nodes: all,
    };
    let copy = dir.path().join("copy");
    content::download(&client, &source, &key, &copy, &|_| ())
        .await
        .unwrap();
    assert!(fs::read(&copy).unwrap() == plain, "byte for byte");
    loop {
        // Each block once more, on whichever of the others.
        let mut copies = 0;
        for node in &nodes {
            copies += held(&client, node, &root).await.unwrap();
        }
        if copies >= 3 * blocks {
            break;
        }
        let waited = killed.elapsed();
        let logs: String = nodes.iter().map(|node| tail(&node.log)).collect();
        assert!(waited < PATIENCE, "{copies} copies of blocks\n{logs}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    println!("repaired in {:?}", killed.elapsed());

    // Of the first holders one is left.
    nodes.remove(0).guard.kill();
    let copy = dir.path().join("again");
    content::download(&client, &source, &key, &copy, &|_| ())
        .await
        .unwrap();
    assert!(fs::read(&copy).unwrap() == plain, "byte for byte");
}
