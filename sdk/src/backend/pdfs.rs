//! The storage network as one backend among others.

use bytes::Bytes;

use super::{Backend, Kept, Pending, Sealed};
use crate::{
    content::{self, PutOptions, Source},
    pdfs::{Client, NodeAddress},
};

/// Storage nodes. Whoever puts has created the content on the chain before, or the nodes refuse it.
#[derive(Debug, Clone)]
pub struct Pdfs {
    pub client: Client,
    pub nodes: Vec<NodeAddress>,
    pub options: PutOptions,
}

impl Backend for Pdfs {
    fn put<'a>(&'a self, sealed: &'a Sealed) -> Pending<'a, Kept> {
        Box::pin(async move {
            let Sealed {
                path,
                key,
                prepared,
            } = sealed;
            let (client, nodes) = (&self.client, &self.nodes);
            content::upload(client, nodes, path, key, prepared, &self.options, &|_| ()).await?;
            Ok(Kept {
                root: prepared.root(),
                size: prepared.size(),
                place: String::new(),
            })
        })
    }

    fn blocks<'a>(&'a self, kept: &'a Kept, first: u64, count: u64) -> Pending<'a, Vec<Bytes>> {
        Box::pin(async move {
            let source = Source {
                root: kept.root,
                size: kept.size,
                nodes: self.nodes.clone(),
            };
            let mut blocks = Vec::new();
            for index in first..first.saturating_add(count) {
                let fetched = content::fetch_block(&self.client, &source, &[], index).await?;
                blocks.push(fetched.data);
            }
            Ok(blocks)
        })
    }
}
