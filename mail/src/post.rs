//! One mailbox's place in the world: its account, box, relay and storage nodes, and what it is ready to pay.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use phantasma_net::{Identity, NetError, resolve};
use phantasma_sdk::contract::{BoxInfo, ContractError, Phantasma};
use phantasma_sdk::neo::Account;
use phantasma_sdk::pdfs::Client;
use phantasma_sdk::relay::{ChainId, RelayClient, RelayClientError};
use phantasma_wire::PublicKey;
use phantasma_wire::pdfs::NodeAddress;

use crate::address::Mailbox;

/// What a mailbox is ready to pay, and for what.
#[derive(Clone, Debug)]
pub struct Terms {
    /// For one letter to one reader, whose gate charges it; smallest units of SOUL.
    pub max_postage: u64,
    /// For the storage of one long mail; smallest units of SOUL.
    pub max_storage: u64,
    /// How long a long mail is kept on the storage network for its readers, in periods of 30 days.
    pub periods: u32,
    /// Storage nodes that shall hold it.
    pub replicas: usize,
}

/// A quarter of a year on holiday still finds its mail: three periods. 2 replicas, and 5 SOUL, which is enough for
/// 40 MiB at the project's own fees.
impl Default for Terms {
    fn default() -> Self {
        Self {
            max_postage: 0,
            max_storage: 500_000_000,
            periods: 3,
            replicas: 2,
        }
    }
}

/// The relay to use.
#[derive(Clone, Debug)]
pub struct RelayPeer {
    pub key: PublicKey,
    /// `host:port`.
    pub address: String,
}

/// A mailbox and how it reaches others.
#[derive(Debug)]
pub struct Post {
    /// All that the mailbox keeps on this machine.
    pub folder: PathBuf,
    pub contract: Phantasma,
    pub account: Account,
    pub own: Mailbox,
    pub box_id: u64,
    pub relay: RelayPeer,
    pub nodes: Vec<NodeAddress>,
    pub terms: Terms,
    /// The last sequence number of a message.
    pub sequence: AtomicU64,
}

/// Why a mailbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PostError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Net(#[from] NetError),
    #[error(transparent)]
    Relay(#[from] RelayClientError),
    #[error("there is no box \"{0}\": make it with `phantasma mail create {0}`")]
    NoBox(String),
    #[error("box \"{name}\" belongs to {owner}, not to {account}")]
    NotOwn {
        name: String,
        owner: String,
        account: String,
    },
}

impl Post {
    /// Looks up the box and checks that it is the account's.
    pub async fn find_own(
        contract: &Phantasma,
        account: &Account,
        own: &Mailbox,
    ) -> Result<BoxInfo, PostError> {
        let info = box_of(contract, own).await?;
        let info = info.ok_or_else(|| PostError::NoBox(own.name().to_owned()))?;
        match info.owner == account.script_hash {
            true => Ok(info),
            false => Err(PostError::NotOwn {
                name: info.name,
                owner: info.owner.to_address(),
                account: account.address.clone(),
            }),
        }
    }

    /// A session at the relay.
    pub async fn connect(&self) -> Result<RelayClient, PostError> {
        let identity = Identity::from_scalar(&self.account.key.to_bytes())?;
        let address = resolve(&self.relay.address).await?;
        let version = self.contract.rpc().version().await;
        let chain = ChainId {
            network: version.map_err(ContractError::from)?.network(),
            contract: self.contract.hash().0,
        };
        let client = RelayClient::connect(address, &identity, Some(self.relay.key), chain);
        Ok(client.await?)
    }

    /// A client of storage nodes.
    pub fn storage(&self) -> Result<Client, PostError> {
        let identity = Identity::from_scalar(&self.account.key.to_bytes())?;
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0));
        Ok(Client::bind(any, &identity)?)
    }

    /// A sequence number above all that this process has used: the clock's time, or one more than the last.
    pub fn next_sequence(&self) -> u64 {
        let now = now_ms();
        let next = |last: u64| now.max(last.saturating_add(1));
        let before = self
            .sequence
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |last| Some(next(last)));
        next(before.unwrap_or_else(|last| last))
    }

    pub fn maildir(&self) -> PathBuf {
        maildir(&self.folder)
    }

    pub fn outbox(&self) -> PathBuf {
        self.folder.join("outbox")
    }

    pub fn incoming(&self) -> PathBuf {
        self.folder.join("incoming")
    }
}

/// Where the folders of mails are, below a mailbox's folder.
pub fn maildir(folder: &Path) -> PathBuf {
    folder.join("Maildir")
}

/// The box behind an address.
pub async fn box_of(
    contract: &Phantasma,
    mailbox: &Mailbox,
) -> Result<Option<BoxInfo>, ContractError> {
    match contract.find_box(mailbox.name()).await? {
        Some(id) => contract.box_info(id).await,
        None => Ok(None),
    }
}

/// Unix milliseconds.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Unix seconds, as dates of mail are.
pub fn now_s() -> i64 {
    i64::try_from(now_ms() / 1000).unwrap_or(i64::MAX)
}
