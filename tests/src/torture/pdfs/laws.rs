//! What must hold: nothing that was acknowledged is lost, nothing is given out wrong, and there are soon enough copies.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use phantasma_sdk::content::{self, ContentKey, Prepared, Source};
use phantasma_sdk::pdfs::{Client, Fetched, NodeAddress};
use phantasma_wire::merkle::BLOCK_SIZE;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::torture::random::Random;

/// A content, and all that is known of it.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) path: std::path::PathBuf,
    pub(super) plain: Vec<u8>,
    /// What nodes must have, byte for byte.
    cipher: Vec<u8>,
    pub(super) key: ContentKey,
    pub(super) prepared: Prepared,
    /// Every block was acknowledged by as many nodes as wanted.
    pub(super) acknowledged: AtomicBool,
}

impl Sample {
    /// A file of random bytes in `folder`, prepared.
    pub(super) async fn new(folder: &Path, size: usize, random: &mut Random) -> Self {
        let plain = random.bytes(size);
        let path = folder.join(format!("{:016x}", random.next_u64()));
        std::fs::write(&path, &plain).unwrap();
        let key = ContentKey::random();
        let prepared = content::prepare(&path, &key).await.unwrap();
        let mut cipher = plain.clone();
        content::apply_cipher(&key, 0, &mut cipher);
        Self {
            path,
            plain,
            cipher,
            key,
            prepared,
            acknowledged: AtomicBool::new(false),
        }
    }

    pub(super) fn is_acknowledged(&self) -> bool {
        self.acknowledged.load(Ordering::Relaxed)
    }

    fn name(&self) -> String {
        hex::encode(&self.prepared.root()[..4])
    }

    fn block(&self, block: u32) -> &[u8] {
        let at = block as usize * BLOCK_SIZE;
        &self.cipher[at..self.cipher.len().min(at + BLOCK_SIZE)]
    }

    /// Reads it through the library from any of `nodes`. The outer error: wrong bytes.
    pub(super) async fn read(
        &self,
        client: &Client,
        nodes: &[NodeAddress],
    ) -> Result<Result<(), String>, String> {
        let source = Source {
            root: self.prepared.root(),
            size: self.prepared.size(),
            nodes: nodes.to_vec(),
        };
        let all = 0..source.size;
        match content::read_range(client, &source, &self.key, all).await {
            Ok(bytes) if bytes == self.plain => Ok(Ok(())),
            Ok(_) => Err(format!("{} was read wrong", self.name())),
            Err(error) => Ok(Err(format!("{}: {error}", self.name()))),
        }
    }

    /// On how many of these nodes each block is, by the block itself. The error: a node gave something else.
    async fn copies(&self, client: &Client, nodes: &[NodeAddress]) -> Result<Vec<usize>, String> {
        let each = nodes.iter().map(|node| self.held_by(client, node));
        let mut counts = vec![0; self.cipher.len().div_ceil(BLOCK_SIZE)];
        for held in join_all(each).await {
            for block in held? {
                counts[block as usize] += 1;
            }
        }
        Ok(counts)
    }

    /// The blocks that a node claims and gives.
    async fn held_by(&self, client: &Client, node: &NodeAddress) -> Result<BTreeSet<u32>, String> {
        let root = self.prepared.root();
        let mut held = BTreeSet::new();
        let Ok(claims) = client.info(node, &root, 0).await else {
            return Ok(held);
        };
        for range in claims.ranges {
            for block in range.start..range.start + range.count {
                let answer = client.query(node, &root, block).await;
                match answer {
                    Ok(Fetched::Block { data, .. }) if data == self.block(block) => {
                        held.insert(block);
                    }
                    Ok(Fetched::Block { .. }) => {
                        let name = self.name();
                        let whose = &node.address;
                        return Err(format!("{whose} gave wrong bytes for {name}/{block}"));
                    }
                    Ok(Fetched::Elsewhere(_)) | Err(_) => {}
                }
            }
        }
        Ok(held)
    }

    /// Asks a gateway for the ciphertext; `None` when it does not have all of it.
    pub(super) async fn gateway(&self, http: &str) -> Result<Option<()>, String> {
        let root = hex::encode(self.prepared.root());
        let request =
            format!("GET /content/{root} HTTP/1.1\r\nHost: {http}\r\nConnection: close\r\n\r\n");
        let mut answer = Vec::new();
        let asked = async {
            let mut stream = TcpStream::connect(http).await?;
            stream.write_all(request.as_bytes()).await?;
            stream.read_to_end(&mut answer).await
        };
        if asked.await.is_err() || !answer.starts_with(b"HTTP/1.1 200") {
            return Ok(None);
        }
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        match end.is_some_and(|end| answer[end + 4..] == self.cipher) {
            true => Ok(Some(())),
            false => Err(format!("the gateway at {http} gave {} wrong", self.name())),
        }
    }
}

/// Waits until each block of all samples is on `wanted` of the nodes; gives how long it took.
pub(super) async fn repaired(
    client: &Client,
    samples: &[&Sample],
    nodes: &[NodeAddress],
    wanted: usize,
    bound: Duration,
) -> Result<Duration, String> {
    let begun = Instant::now();
    let mut waiting: Vec<&&Sample> = samples.iter().collect();
    loop {
        let mut short = Vec::new();
        // At once: a node that looks for holders among dead ones takes seconds for an answer.
        let looked = join_all(waiting.iter().map(|sample| sample.copies(client, nodes))).await;
        for (sample, copies) in waiting.into_iter().zip(looked) {
            let copies = copies?;
            if copies.iter().any(|count| *count < wanted) {
                short.push((sample, copies));
            }
        }
        if short.is_empty() {
            return Ok(begun.elapsed());
        }
        if begun.elapsed() > bound {
            let short = short.iter();
            let short: Vec<_> = short.map(|(s, copies)| (s.name(), copies)).collect();
            return Err(format!("not repaired within {bound:?}: {short:?}"));
        }
        waiting = short.into_iter().map(|(sample, _)| sample).collect();
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
