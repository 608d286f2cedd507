//! What the node does with each request, apart from how it arrived.

use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use bytes::Bytes;
use phantasma_net::control::ControlHandle;
use phantasma_wire::{
    Hash, PublicKey,
    merkle::MerkleError,
    pdfs::{BlockRange, MAX_RANGES, MAX_REASON, NodeAddress, Refusal, Request, Response},
    replicas::BlockKey,
};
use tokio::sync::{Notify, mpsc};

use crate::{
    chain::CachedChain,
    metrics::Metrics,
    peers::{Peers, is_dialable},
    replicas::{Evicted, Heat},
    store::{Content, ContentRoot, NewBlock, Store, StoreError},
};

/// A lookup in the DHT that takes longer is answered without its result.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(2);

/// Blocks looked at for one INFO: 16 GiB of content, some milliseconds of the index.
const MAX_INFO_BLOCKS: usize = 65_536;

/// Everything that requests share.
pub(crate) struct State {
    pub(crate) me: NodeAddress,
    pub(crate) store: Arc<Store>,
    pub(crate) chain: Arc<CachedChain>,
    pub(crate) control: Option<ControlHandle>,
    pub(crate) peers: Peers,
    pub(crate) metrics: Metrics,
    /// Roots to be announced; bounded, see [`crate::announce`].
    pub(crate) announce: mpsc::Sender<Hash>,
    /// Told when a block was found damaged; see [`crate::mend`].
    pub(crate) mend: Notify,
    /// What many ask for.
    pub(crate) heat: Heat,
    /// What went for lack of room.
    pub(crate) evicted: Evicted,
}

/// A refusal on its way to the peer.
struct Refused(Refusal, String);

impl State {
    /// Answers one request of the node with this key.
    pub(crate) async fn answer(&self, peer: &PublicKey, request: Request) -> Response {
        let answer = match request {
            Request::Query { root, block } => self.query(peer, root, block).await,
            Request::Info { root, from } => self.info(peer, root, from).await,
            Request::Join { address } => self.join(peer, address),
            Request::Attach { address } => self.attach(peer, address),
            Request::Detach => {
                self.peers.detach(peer);
                Ok(Response::Done)
            }
            Request::Upload {
                root,
                block,
                path,
                data,
            } => self.upload(root, block, path, data).await,
        };
        answer.unwrap_or_else(|Refused(code, mut reason)| {
            while reason.len() > MAX_REASON {
                reason.pop();
            }
            Response::Refused { code, reason }
        })
    }

    async fn query(&self, peer: &PublicKey, root: Hash, block: u32) -> Result<Response, Refused> {
        let place = self
            .store
            .find(&ContentRoot(root), u64::from(block))
            .map_err(store_failed)?;
        if let Some(place) = place {
            if let Some(holders) = self.heat.asked(peer, &BlockKey { root, block }) {
                self.metrics.replicas.redirected();
                return Ok(Response::NotFound { holders });
            }
            match self.store.get(place.id).await {
                Ok(Some(data)) => {
                    return Ok(Response::Block {
                        path: place.path,
                        data,
                    });
                }
                Ok(None) => {}
                // The reader is sent on to others; the operator hears of it.
                Err(error @ StoreError::Damaged { .. }) => {
                    tracing::error!(%error, "a stored block is damaged");
                    self.mend.notify_one();
                }
                Err(error) => return Err(store_failed(error)),
            }
        }
        Ok(Response::NotFound {
            holders: self.holders(&root).await,
        })
    }

    async fn info(&self, peer: &PublicKey, root: Hash, from: u32) -> Result<Response, Refused> {
        let key = ContentRoot(root);
        let held = self
            .store
            .held(&key, u64::from(from), MAX_INFO_BLOCKS)
            .map_err(store_failed)?;
        let size = match self.store.content(&key).map_err(store_failed)? {
            Some(content) => content.size,
            None => self
                .chain
                .content(&root)
                .await
                .ok()
                .flatten()
                .map_or(0, |content| content.size),
        };
        // A node looks for holders by itself, and who has found one goes on from there: while some nodes are dead, each
        // look-up takes seconds.
        let holders = match held.is_empty() && !self.peers.knows(peer) {
            true => self.holders(&root).await,
            false => self.peers.attached(),
        };
        let (ranges, cut) = ranges(&held);
        Ok(Response::Info {
            size,
            more: cut || held.len() == MAX_INFO_BLOCKS,
            ranges,
            holders,
        })
    }

    fn join(&self, peer: &PublicKey, address: String) -> Result<Response, Refused> {
        // A mere reader gives no address.
        if !address.is_empty() {
            self.peers.learn(dialable(peer, address)?);
        }
        let mut nodes = self.peers.known();
        nodes.push(self.me.clone());
        Ok(Response::Map { nodes })
    }

    fn attach(&self, peer: &PublicKey, address: String) -> Result<Response, Refused> {
        match self.peers.attach(dialable(peer, address)?) {
            true => Ok(Response::Done),
            false => Err(Refused(
                Refusal::Full,
                "enough nodes hang on this one already".into(),
            )),
        }
    }

    async fn upload(
        &self,
        root: Hash,
        block: u32,
        path: Vec<Hash>,
        data: Bytes,
    ) -> Result<Response, Refused> {
        let paid = self
            .chain
            .content(&root)
            .await
            .map_err(|error| Refused(Refusal::Internal, error.to_string()))?;
        let Some(paid) = paid else {
            let reason = format!(
                "no content {} on the chain: create it first",
                hex::encode(root)
            );
            return Err(Refused(Refusal::NotOnChain, reason));
        };
        if self.evicted.contains(&BlockKey { root, block }) {
            let reason = "this block went a short while ago to make room";
            return Err(Refused(Refusal::Full, reason.into()));
        }
        let now_ms = now_ms();
        if paid.expiry_ms <= now_ms {
            let reason = format!(
                "the content's time ended {} ms ago: renew it",
                now_ms - paid.expiry_ms
            );
            return Err(Refused(Refusal::Expired, reason));
        }
        let content = Content {
            root: ContentRoot(root),
            size: paid.size,
            expiry_ms: paid.expiry_ms,
        };
        let new =
            NewBlock::verify(content, u64::from(block), path, data).map_err(not_of_content)?;
        self.store.put(new).await.map_err(store_failed)?;
        // The announcer works behind; when its queue is full the next block of this content tries again.
        let _ = self.announce.try_send(root);
        Ok(Response::Done)
    }

    /// Who else may hold a content: by the control plane, and who hangs on this node.
    pub(crate) async fn holders(&self, root: &Hash) -> Vec<NodeAddress> {
        let mut holders = self.peers.attached();
        if let Some(control) = &self.control {
            match tokio::time::timeout(LOOKUP_TIMEOUT, control.find_providers(*root)).await {
                Ok(Ok(found)) => holders.extend(found.into_iter().map(|provider| NodeAddress {
                    public_key: provider.public_key,
                    address: provider.data_addr,
                })),
                Ok(Err(error)) => tracing::debug!(%error, "holders were not looked up"),
                Err(_) => tracing::debug!("the look-up of holders took too long"),
            }
        }
        holders.retain(|node| node.public_key != self.me.public_key);
        holders
    }
}

/// Indices in order, as ranges; and whether some were left off.
fn ranges(held: &[u64]) -> (Vec<BlockRange>, bool) {
    let mut ranges: Vec<BlockRange> = Vec::new();
    for index in held.iter().filter_map(|index| u32::try_from(*index).ok()) {
        if let Some(last) = ranges.last_mut()
            && last.start + last.count == index
        {
            last.count += 1;
        } else if ranges.len() == MAX_RANGES {
            return (ranges, true);
        } else {
            ranges.push(BlockRange {
                start: index,
                count: 1,
            });
        }
    }
    (ranges, false)
}

fn dialable(peer: &PublicKey, address: String) -> Result<NodeAddress, Refused> {
    if !is_dialable(&address) {
        return Err(Refused(
            Refusal::BadRequest,
            format!("{address:?} is not host:port"),
        ));
    }
    Ok(NodeAddress {
        public_key: *peer,
        address,
    })
}

fn not_of_content(error: MerkleError) -> Refused {
    let code = match error {
        MerkleError::Mismatch { .. } | MerkleError::WrongPath { .. } => Refusal::WrongHash,
        MerkleError::Empty
        | MerkleError::TooLarge { .. }
        | MerkleError::BlockTooLarge { .. }
        | MerkleError::OutOfRange { .. }
        | MerkleError::WrongLength { .. } => Refusal::BadRequest,
    };
    Refused(code, error.to_string())
}

/// Details stay in the log: paths of this machine are nobody else's business.
fn store_failed(error: StoreError) -> Refused {
    tracing::error!(%error, "the store failed");
    match error {
        StoreError::DiskFull { .. } => Refused(Refusal::Full, "no space left".into()),
        StoreError::Quota { .. } => Refused(Refusal::Full, "no more is kept here".into()),
        _ => Refused(
            Refusal::Internal,
            "the store failed; see the node's log".into(),
        ),
    }
}

pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_become_ranges() {
        let check = |held: &[u64], expected: &[(u32, u32)]| {
            let (ranges, cut) = ranges(held);
            let ranges: Vec<_> = ranges.iter().map(|r| (r.start, r.count)).collect();
            assert_eq!((ranges.as_slice(), cut), (expected, false));
        };
        check(&[], &[]);
        check(&[4], &[(4, 1)]);
        check(&[0, 1, 2, 5, 7, 8], &[(0, 3), (5, 1), (7, 2)]);
        let gaps: Vec<u64> = (0..5_000).map(|n| n * 2).collect();
        let (ranges, cut) = ranges(&gaps);
        assert_eq!((ranges.len(), cut), (MAX_RANGES, true));
    }
}
