//! What a node answers over HTTP.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

/// Status line and headers, and the body.
async fn get(world: &World, path: &str, headers: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(world.node(0).http_addr().unwrap())
        .await
        .unwrap();
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
    let body = answer.split_off(end + 4);
    (String::from_utf8(answer).unwrap().to_lowercase(), body)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_gives_ciphertext_whole_and_by_range() {
    let world = World::new(1).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let path = format!("/content/{}", hex::encode(sample.prepared.root()));

    let (head, mut body) = get(&world, &path, "").await;
    assert!(head.starts_with("http/1.1 200"), "{head}");
    assert_ne!(body, sample.plain);
    content::apply_cipher(&sample.key, 0, &mut body);
    assert_eq!(body, sample.plain);

    let (from, end) = (BLOCK_SIZE - 5, 2 * BLOCK_SIZE + 5);
    let (head, mut body) = get(
        &world,
        &path,
        &format!("Range: bytes={from}-{}\r\n", end - 1),
    )
    .await;
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(
        head.contains(&format!("content-range: bytes {from}-{}/{LEN}", end - 1)),
        "{head}"
    );
    content::apply_cipher(&sample.key, from as u64, &mut body);
    assert_eq!(body, sample.plain[from..end]);

    assert!(
        get(&world, &path, &format!("Range: bytes={LEN}-\r\n"))
            .await
            .0
            .starts_with("http/1.1 416")
    );
    assert!(
        get(&world, &format!("/content/{}", "00".repeat(32)), "")
            .await
            .0
            .starts_with("http/1.1 404")
    );
    assert!(
        get(&world, "/content/xyz", "")
            .await
            .0
            .starts_with("http/1.1 400")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_content_of_which_a_block_is_missing_is_not_begun() {
    let world = World::new(2).await;
    let sample = world.file(LEN).await;
    // One replica each: two nodes share the blocks.
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let held = world
        .client
        .info(&world.node(0).address(), &sample.prepared.root(), 0)
        .await
        .unwrap();
    let count: u32 = held.ranges.iter().map(|r| r.count).sum();
    let (head, body) = get(
        &world,
        &format!("/content/{}", hex::encode(sample.prepared.root())),
        "",
    )
    .await;
    let expected = if count == 4 {
        "http/1.1 200"
    } else {
        "http/1.1 404"
    };
    assert!(head.starts_with(expected), "{count} blocks: {head}");
    assert_eq!(body.len() == LEN, count == 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_metrics_are_there() {
    let world = World::new(1).await;
    let sample = world.file(1_000).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let (head, body) = get(&world, "/healthz", "").await;
    assert!(
        head.starts_with("http/1.1 200") && body == b"ok\n",
        "{head}"
    );
    let (_, body) = get(&world, "/metrics", "").await;
    let text = String::from_utf8(body).unwrap();
    for line in [
        "phantasma_pdfs_requests_total{kind=\"upload\",outcome=\"done\"} 1",
        "phantasma_pdfs_store_blocks_put_total 1",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
