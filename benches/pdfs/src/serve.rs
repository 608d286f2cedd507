//! A node as `phantasma-pdfs` runs it, but for the chain, which is not what is measured.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use phantasma_net::Identity;
use phantasma_pdfs::{
    chain::{Answer, Chain, PaidContent},
    node::{Node, Setup},
    store::Options,
    upkeep::Upkeep,
};
use phantasma_wire::Hash;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{NOTHING, say};

/// Every content is paid for, for ever, and has this size.
struct Everything(u64);

impl Chain for Everything {
    fn content<'a>(&'a self, _root: &'a Hash) -> Answer<'a> {
        let paid = PaidContent {
            size: self.0,
            expiry_ms: u64::MAX,
        };
        Box::pin(async move { Ok(Some(paid)) })
    }
}

pub(crate) async fn run(dir: PathBuf, size: u64) -> Result<Value> {
    let mut term = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let node = Node::start(Setup {
        identity: Identity::random()?,
        store: Options::new(dir),
        listen: ([127, 0, 0, 1], 0).into(),
        public_address: None,
        control: None,
        http: None,
        gateway_token: None,
        join: Vec::new(),
        chain: Arc::new(Everything(size)),
        upkeep: Upkeep::default(),
        proofs: None,
        replicas: None,
    })
    .await?;
    let address = node.address();
    say(&format!(
        "ready {}@{}",
        hex::encode(address.public_key),
        address.address
    ))?;
    term.recv().await;
    node.shutdown().await;
    Ok(NOTHING)
}
