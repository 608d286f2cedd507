//! From a file to a paid content: what comes before [`content::upload`](crate::content::upload).
//!
//! [`begin`] finds a put of the same file that broke off, or makes a new key; [`order`] says what it costs;
//! [`register`] keeps the key and pays. A content without its key is lost and a key without content harms nobody, so the
//! key is on the disk before anything is sent.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::amount;
use crate::content::{ContentError, ContentKey, Prepared, UploadLog, prepare};
use crate::contract::{ContentMode, ContentOrder, ContractError, Phantasma, Priority};
use crate::keys::{Keystore, KeystoreError};
use crate::neo::{Account, Receipt};

/// What the owner wants and allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Nodes that shall hold each block.
    pub replicas: usize,
    /// Of 30 days each.
    pub periods: u32,
    pub priority: Priority,
    /// The most SOUL that it may cost, in smallest units; all that there is if none.
    pub max_payment: Option<u64>,
}

/// A file on its way.
#[derive(Clone, Debug)]
pub struct Put {
    pub key: ContentKey,
    pub prepared: Prepared,
    /// It is registered and paid for already.
    pub resumed: bool,
}

/// Why a file was not put.
#[derive(Debug, thiserror::Error)]
pub enum PutError {
    #[error(transparent)]
    Content(#[from] ContentError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Keystore(#[from] KeystoreError),
    #[error("the fee is beyond all SOUL there is")]
    Priceless,
    #[error("it would cost {} SOUL, more than the {} SOUL that are allowed; nothing was sent", amount::soul(*fee), amount::soul(*allowed))]
    TooDear { fee: u64, allowed: u64 },
}

/// Encrypts and hashes the file: under the key of a put of this very file that broke off, or is complete, and is still
/// paid for; else under a new key.
///
/// # Errors
/// A file that cannot be read, a chain that cannot be asked.
pub async fn begin(
    contract: &Phantasma,
    keystore: &Keystore,
    uploads: &UploadLog,
    file: &Path,
) -> Result<Put, PutError> {
    if let Some(put) = begun(contract, keystore, uploads, file).await? {
        return Ok(put);
    }
    let key = ContentKey::random();
    let prepared = prepare(file, &key).await?;
    Ok(Put {
        key,
        prepared,
        resumed: false,
    })
}

async fn begun(
    contract: &Phantasma,
    keystore: &Keystore,
    uploads: &UploadLog,
    file: &Path,
) -> Result<Option<Put>, PutError> {
    let Some(root) = uploads.find(file)? else {
        return Ok(None);
    };
    let (Some(key), Some(info)) = (keystore.get(&root), contract.content_info(&root).await?) else {
        return Ok(None);
    };
    if info.expiry_ms <= now_ms() {
        return Ok(None);
    }
    let key = ContentKey::from_bytes(*key);
    let prepared = prepare(file, &key).await?;
    Ok((prepared.root() == root).then_some(Put {
        key,
        prepared,
        resumed: true,
    }))
}

/// What the content costs, within what the owner allows.
///
/// # Errors
/// It costs more; the chain cannot be asked.
pub async fn order(
    contract: &Phantasma,
    prepared: &Prepared,
    terms: &Terms,
) -> Result<ContentOrder, PutError> {
    let mut order = ContentOrder {
        root: prepared.root(),
        size: prepared.size(),
        mode: ContentMode::ReadOnly,
        priority: terms.priority,
        periods: terms.periods,
        max_payment: 0,
    };
    let fee = order
        .fee(&contract.settings().await?)
        .ok_or(PutError::Priceless)?;
    if let Some(allowed) = terms.max_payment.filter(|allowed| *allowed < fee) {
        return Err(PutError::TooDear { fee, allowed });
    }
    order.max_payment = fee;
    Ok(order)
}

/// Keeps the key, notes which file it is, and pays for the content.
///
/// # Errors
/// The key cannot be kept, the contract refuses.
pub async fn register(
    contract: &Phantasma,
    owner: &Account,
    keystore: &mut Keystore,
    uploads: &mut UploadLog,
    file: &Path,
    put: &Put,
    order: &ContentOrder,
) -> Result<Receipt, PutError> {
    let root = put.prepared.root();
    keystore.insert(root, put.key.as_bytes())?;
    uploads.begin(file, &root)?;
    let (_, receipt) = contract.create_content(owner, order).await?;
    Ok(receipt)
}

fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
