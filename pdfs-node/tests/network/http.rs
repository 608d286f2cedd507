//! What a node answers over HTTP.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::*;

/// Status line and headers, and the body.
pub(super) async fn get(world: &World, path: &str, headers: &str) -> (String, Vec<u8>) {
    ask(world, "GET", path, headers).await
}

pub(super) async fn ask(
    world: &World,
    method: &str,
    path: &str,
    headers: &str,
) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(world.node(0).http_addr().unwrap())
        .await
        .unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: node\r\nConnection: close\r\n{headers}\r\n");
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
async fn head_and_conditions_save_the_body() {
    let world = World::new(1).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let root = hex::encode(sample.prepared.root());
    let path = format!("/content/{root}");
    let (head, body) = ask(&world, "HEAD", &path, "").await;
    for line in [
        "http/1.1 200".to_owned(),
        format!("\r\ncontent-length: {LEN}\r\n"),
        format!("\r\netag: \"{root}\"\r\n"),
        "\r\naccept-ranges: bytes\r\n".into(),
        "\r\ncontent-type: application/octet-stream\r\n".into(),
        "\r\ncache-control: public, max-age=31536000, immutable\r\n".into(),
    ] {
        assert!(head.contains(&line), "{line} in {head}");
    }
    assert!(body.is_empty());
    let status = async |headers: String| {
        let (head, body) = get(&world, &path, &headers).await;
        (head[9..12].to_owned(), body.len())
    };
    let known = format!("If-None-Match: \"other\", W/\"{root}\"\r\n");
    assert_eq!(status(known).await, ("304".into(), 0));
    let other = "If-None-Match: \"other\"\r\n".to_owned();
    assert_eq!(status(other).await, ("200".into(), LEN));
    let range = "Range: bytes=5-9\r\n";
    let same = format!("{range}If-Range: \"{root}\"\r\n");
    assert_eq!(status(same).await, ("206".into(), 5));
    let other = format!("{range}If-Range: \"other\"\r\n");
    assert_eq!(status(other).await, ("200".into(), LEN));
    let several = "Range: bytes=0-1,5-9\r\n".to_owned();
    assert_eq!(status(several).await, ("200".into(), LEN));
    let (_, openapi) = get(&world, "/openapi.yaml", "").await;
    assert!(openapi.starts_with(b"openapi: 3."));
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_bytes_are_for_those_with_key_and_token() {
    let world = World::new(1).await;
    let sample = world.file(LEN).await;
    world.put(&sample, &world.addresses(), 1).await.unwrap();
    let path = format!(
        "/content/{}?type=video/webm",
        hex::encode(sample.prepared.root())
    );
    let key = format!("Phantasma-Key: {}\r\n", sample.key.to_hex().as_str());
    let token = format!("Authorization: Bearer {TOKEN}\r\n");
    let (from, end) = (BLOCK_SIZE - 7, BLOCK_SIZE + 9);
    let range = format!("Range: bytes={from}-{}\r\n", end - 1);
    let (head, body) = get(&world, &path, &format!("{key}{token}{range}")).await;
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(head.contains("content-type: video/webm\r\n"), "{head}");
    assert!(head.contains("cache-control: private,"), "{head}");
    assert_eq!(body, sample.plain[from..end]);
    let (_, body) = get(&world, &path, &format!("{key}{token}")).await;
    assert_eq!(body, sample.plain);
    for (headers, status) in [
        (key.clone(), "401"),
        (format!("{key}Authorization: Bearer guess\r\n"), "401"),
        (format!("Phantasma-Key: xyz\r\n{token}"), "400"),
    ] {
        let (head, _) = get(&world, &path, &headers).await;
        assert_eq!(&head[9..12], status, "{headers}");
    }
    // A link needs both once, and then nothing.
    let root = hex::encode(sample.prepared.root());
    let links = format!("/content/{root}/links?type=video/webm");
    for (headers, status) in [(&key, "401"), (&token, "400")] {
        let (head, _) = ask(&world, "POST", &links, headers).await;
        assert_eq!(&head[9..12], status, "{headers}");
    }
    let (head, body) = ask(&world, "POST", &links, &format!("{key}{token}")).await;
    assert!(head.starts_with("http/1.1 201"), "{head}");
    assert!(head.contains("cache-control: no-store"), "{head}");
    let (_, link) = head.split_once("\r\nlocation: ").unwrap();
    let link = link.lines().next().unwrap();
    let body = String::from_utf8(body).unwrap();
    assert!(body.contains(link), "{body}");
    let (head, body) = get(&world, link, &range).await;
    assert!(head.starts_with("http/1.1 206"), "{head}");
    assert!(head.contains("content-type: video/webm\r\n"), "{head}");
    assert_eq!(body, sample.plain[from..end]);
    let (head, _) = get(&world, &format!("/plain/{}", "0".repeat(32)), "").await;
    assert!(head.starts_with("http/1.1 404"), "{head}");
    // The token alone opens nothing: the bytes stay ciphertext, of no type.
    let (head, body) = get(&world, &path, &token).await;
    assert!(head.contains("application/octet-stream"), "{head}");
    assert_ne!(body, sample.plain);
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
