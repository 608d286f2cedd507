//! The gateway of a node that holds little, asked by curl, among real nodes of which one is dead.

use std::{fs, path::Path, process::Command, time::Duration};

use phantasma_net::Identity;
use phantasma_sdk::{
    content::{self, ContentKey, PutOptions},
    contract::{ContentMode, ContentOrder, Phantasma, Priority},
    pdfs::{Client, NodeAddress},
};
use phantasma_tests::{DeployedPhantasma, TestNet};

use crate::pdfs::{Fleet, Process};

const TOKEN: &str = "the token of this node's owner";

/// A content that was put for real: registered, paid for, stored.
pub(crate) struct Put {
    pub(crate) root: String,
    pub(crate) key: String,
    pub(crate) size: u64,
}

/// Puts a file on these nodes.
pub(crate) async fn put(
    net: &TestNet,
    deployed: &DeployedPhantasma,
    nodes: &[NodeAddress],
    path: &Path,
    replicas: usize,
) -> Put {
    let client =
        Client::bind("127.0.0.1:0".parse().unwrap(), &Identity::random().unwrap()).unwrap();
    let key = ContentKey::random();
    let prepared = content::prepare(path, &key).await.unwrap();
    let order = ContentOrder {
        root: prepared.root(),
        size: prepared.size(),
        mode: ContentMode::ReadOnly,
        priority: Priority::Normal,
        periods: 1,
        max_payment: u64::from(u32::MAX) * 1_0000,
    };
    let contract = Phantasma::new(net.rpc(), deployed.hash);
    contract
        .create_content(&deployed.owner, &order)
        .await
        .unwrap();
    let options = PutOptions {
        replicas,
        ..PutOptions::default()
    };
    content::upload(&client, nodes, path, &key, &prepared, &options, &|_| ())
        .await
        .unwrap();
    Put {
        root: hex::encode(prepared.root()),
        key: key.to_hex().to_string(),
        size: prepared.size(),
    }
}

/// Arguments of a node that gives plain bytes to those who know [`TOKEN`].
pub(crate) fn with_token(dir: &Path) -> Vec<String> {
    let file = dir.join("token");
    fs::write(&file, TOKEN).unwrap();
    vec!["--gateway-token-file".into(), file.display().to_string()]
}

/// The headers that open a content, for curl.
pub(crate) fn opening(put: &Put) -> Vec<String> {
    vec![
        "--header".into(),
        format!("Phantasma-Key: {}", put.key),
        "--header".into(),
        format!("Authorization: Bearer {TOKEN}"),
    ]
}

/// What curl got: status and body. It fails on everything that is not an HTTP answer, and on a body cut short.
pub(crate) fn curl(arguments: &[String]) -> (u16, Vec<u8>) {
    let body = tempfile::NamedTempFile::new().unwrap();
    let output = Command::new("curl")
        .args(["--silent", "--show-error", "--max-time", "60"])
        .args(["--write-out", "%{http_code}", "--output"])
        .arg(body.path())
        .args(arguments)
        .output()
        .expect("curl is installed");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "curl {arguments:?}: {said}");
    let status = String::from_utf8(output.stdout).unwrap().parse().unwrap();
    (status, fs::read(body.path()).unwrap())
}

/// A counter of a node, 0 when it was never touched.
pub(crate) fn counter(node: &Process, name: &str) -> u64 {
    let (_, body) = curl(&[format!("http://{}/metrics", node.http)]);
    let text = String::from_utf8(body).unwrap();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("phantasma_pdfs_")?.strip_prefix(name));
    line.map_or(0, |value| value.trim().parse().unwrap())
}

fn arguments(parts: &[&str]) -> Vec<String> {
    parts.iter().map(|part| (*part).to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn curl_reads_by_range_what_the_asked_node_does_not_hold_while_a_holder_is_dead() {
    let net = TestNet::start().await;
    let deployed = net.deploy_phantasma().await;
    let dir = tempfile::tempdir().unwrap();
    let fleet = Fleet {
        dir: dir.path(),
        rpc: net.rpc_url().to_owned(),
        contract: deployed.hash,
    };
    let first = fleet.start_with(0, &[], &with_token(dir.path()));
    let holders: Vec<Process> = (1..4)
        .map(|n| fleet.start_with(n, &[&first], &[]))
        .collect();
    // 20 blocks and a bit, on two of three holders each; the asked node holds nothing.
    let plain: Vec<u8> = (0..5_300_000_u64)
        .map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 51) as u8)
        .collect();
    let path = dir.path().join("plain");
    fs::write(&path, &plain).unwrap();
    let nodes: Vec<_> = holders.iter().map(|holder| holder.node.clone()).collect();
    let put = put(&net, &deployed, &nodes, &path, 2).await;
    // A crash of one of them: each block has another holder.
    let mut holders = holders.into_iter();
    holders.next().unwrap().guard.kill();

    let url = format!("http://{}/content/{}", first.http, put.root);
    let opened = |range: &str| {
        let mut all = opening(&put);
        all.extend(arguments(&["--range", range, &url]));
        tokio::task::block_in_place(|| curl(&all))
    };
    // Blocks 7 and 8, and no others.
    let (from, last) = (8 * 262_144 - 100, 8 * 262_144 + 99);
    let (status, body) = opened(&format!("{from}-{last}"));
    assert_eq!(status, 206);
    assert!(body == plain[from..=last], "byte for byte");
    let others = "gateway_blocks_total{from=\"others\"}";
    assert_eq!(counter(&first, others), 2);
    let (status, body) = opened("-5");
    assert_eq!((status, body.as_slice()), (206, &plain[plain.len() - 5..]));
    let (status, _) = opened("5300000-");
    assert_eq!(status, 416);
    assert_eq!(counter(&first, others), 3);
    // Everything.
    let (status, body) = opened("0-");
    assert_eq!(status, 206);
    assert!(body == plain, "byte for byte");
    assert_eq!(counter(&first, "gateway_blocks_total{from=\"store\"}"), 0);

    // Without a key it is ciphertext, which the SDK opens.
    let (status, mut body) = tokio::task::block_in_place(|| curl(std::slice::from_ref(&url)));
    assert_eq!((status, body.len() as u64), (200, put.size));
    let key = ContentKey::from_hex(&put.key).unwrap();
    content::apply_cipher(&key, 0, &mut body);
    assert!(body == plain, "byte for byte");
    let unknown = format!("http://{}/content/{}", first.http, "ab".repeat(32));
    assert_eq!(tokio::task::block_in_place(|| curl(&[unknown])).0, 404);

    // The last two die: what was read a moment ago is still there, a content that nobody has is not begun.
    drop(holders);
    tokio::time::sleep(Duration::from_millis(100)).await;
    let (status, body) = opened("0-99");
    assert_eq!((status, body.as_slice()), (206, &plain[..100]));
    assert!(!fs::read_to_string(&first.log).unwrap().contains("panicked"));
}
