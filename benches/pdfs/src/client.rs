//! What a user of the network does, through the SDK.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Context, Result};
use clap::Args;
use futures_util::{StreamExt, TryStreamExt, stream};
use phantasma_net::Identity;
use phantasma_sdk::{
    content::{self, ContentKey, PutOptions, Source},
    pdfs::{Client, parse_node},
};
use phantasma_wire::{Hash, merkle};
use rand::RngExt;
use serde_json::{Value, json};

use crate::{disk::seeded, peak_kib};

/// Puts of small contents on their way at once.
const SMALL_AT_ONCE: usize = 48;

/// Bytes of a small content.
const SMALL: usize = 1024;

#[derive(Debug, Args)]
pub(crate) struct Content {
    node: String,
    root: String,
    size: u64,
    key: String,
}

impl Content {
    fn source(&self) -> Result<(Source, ContentKey)> {
        let mut root = Hash::default();
        hex::decode_to_slice(&self.root, &mut root)?;
        let source = Source {
            root,
            size: self.size,
            nodes: vec![parse_node(&self.node)?],
        };
        Ok((source, ContentKey::from_hex(&self.key)?))
    }
}

pub(crate) async fn put(node: &str, file: &Path) -> Result<Value> {
    let (client, nodes) = (client()?, [parse_node(node)?]);
    let key = ContentKey::random();
    let started = Instant::now();
    let prepared = content::prepare(file, &key).await?;
    let prepared_s = started.elapsed().as_secs_f64();
    let options = PutOptions {
        replicas: 1,
        ask_first: false,
        ..PutOptions::default()
    };
    content::upload(&client, &nodes, file, &key, &prepared, &options, &|_| ()).await?;
    let seconds = started.elapsed().as_secs_f64();
    // Once more: everything is there, so that nothing is sent.
    let again = PutOptions {
        ask_first: true,
        ..options
    };
    let stored = content::upload(&client, &nodes, file, &key, &prepared, &again, &|_| ()).await?;
    client.close().await;
    Ok(json!({
        "seconds": seconds, "prepared_s": prepared_s, "peak_kib": peak_kib()?, "sent_again": stored.sent,
        "root": hex::encode(prepared.root()), "size": prepared.size(), "key": key.to_hex().as_str(),
    }))
}

pub(crate) async fn get(content: &Content, out: Option<PathBuf>) -> Result<Value> {
    let (client, (source, key)) = (client()?, content.source()?);
    let started = Instant::now();
    match out {
        Some(path) => content::download(&client, &source, &key, &path, &|_| ()).await?,
        None => {
            let pieces = content::read_stream(&client, &source, &key, 0..source.size)?;
            let count = |sum, piece: bytes::Bytes| async move { Ok(sum + piece.len() as u64) };
            let read = pieces.try_fold(0, count).await?;
            anyhow::ensure!(read == source.size, "{read} bytes of {}", source.size);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    client.close().await;
    Ok(json!({"seconds": seconds, "peak_kib": peak_kib()?}))
}

/// The first byte at random places, each after the one before: what somebody who moves a film's slider waits for.
pub(crate) async fn seek(content: &Content, count: u32) -> Result<Value> {
    let (client, (source, key)) = (client()?, content.source()?);
    content::read_range(&client, &source, &key, 0..1).await?;
    let mut times = Vec::new();
    for _ in 0..count {
        let at = rand::rng().random_range(0..source.size);
        let started = Instant::now();
        let mut pieces = std::pin::pin!(content::read_stream(
            &client,
            &source,
            &key,
            at..source.size
        )?);
        pieces.try_next().await?.context("no first byte")?;
        times.push(started.elapsed().as_secs_f64());
    }
    client.close().await;
    times.sort_by(f64::total_cmp);
    let at = |share: usize| times.get(times.len() * share / 100).copied();
    Ok(json!({"median_s": at(50), "p99_s": at(99), "peak_kib": peak_kib()?}))
}

/// Puts so many contents; the rate of each tenth.
pub(crate) async fn small(node: &str, count: u64) -> Result<Value> {
    let (client, node) = (client()?, parse_node(node)?);
    let tenth = count.div_ceil(10).max(1);
    let mut rates = Vec::new();
    for from in (0..count).step_by(usize::try_from(tenth)?) {
        let numbers = from..count.min(from + tenth);
        let puts = numbers.end - numbers.start;
        let started = Instant::now();
        let each = |number| {
            let (client, node) = (&client, &node);
            async move {
                let data = seeded(number, SMALL);
                let root = merkle::block_id(&data)?;
                client
                    .upload(node, &root, 0, Vec::new(), data.into())
                    .await?;
                Ok::<_, anyhow::Error>(())
            }
        };
        stream::iter(numbers)
            .map(each)
            .buffer_unordered(SMALL_AT_ONCE)
            .try_for_each(|()| async { Ok(()) })
            .await?;
        rates.push(puts as f64 / started.elapsed().as_secs_f64());
    }
    client.close().await;
    Ok(json!({"rates": rates, "peak_kib": peak_kib()?}))
}

fn client() -> Result<Client> {
    Ok(Client::bind(
        ([127, 0, 0, 1], 0).into(),
        &Identity::random()?,
    )?)
}
