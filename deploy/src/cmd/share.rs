//! Keys of contents, given and taken: `phantasma content share` and `accept`.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use neo_client::{Account, PublicKey};
use phantasma_sdk::content::ContentKey;
use phantasma_sdk::group::MemberKey;
use phantasma_sdk::keys::Keystore;
use phantasma_sdk::seal::{self, Opened};
use phantasma_wire::Hash;
use phantasma_wire::broadcast::{self, Header};
use phantasma_wire::codec::Frame;
use phantasma_wire::sealed::{self, Sealed};
use serde_json::json;

use super::content::{keystore, parse_root};
use super::context::Context;

#[derive(Debug, Args)]
pub struct Share {
    /// The content's root, 64 hex digits.
    root: String,
    /// The reader's public key, 66 hex digits (`phantasma wallet key` shows one's own).
    #[arg(long = "with", value_name = "KEY")]
    reader: PublicKey,
    /// Where to put the sealed key; the file must not exist yet. It may travel by any way: only the reader can open it.
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
}

pub(super) fn share(context: &Context, order: &Share) -> Result<()> {
    let root = parse_root(&order.root)?;
    let account = context.account()?;
    let key = known_key(&keystore(context, &account)?, &root)?;
    let sealed = seal::content_key(&account.key, &order.reader, &root, &key)?;
    write_new(&order.out, &sealed.encode())?;
    let reader = order.reader.script_hash().to_address();
    let data = json!({"root": order.root, "reader": reader, "file": order.out});
    let text = format!(
        "{}: give it to {reader}, who takes it with `phantasma content accept`",
        order.out.display()
    );
    context.print(&data, &text)
}

pub(super) fn accept(context: &Context, file: &Path) -> Result<()> {
    let account = context.account()?;
    let mut keystore = keystore(context, &account)?;
    let bytes = read(file, Header::MAX_LEN)?;
    let (root, key, from) = if bytes.starts_with(&broadcast::MAGIC) {
        let header = Header::decode(bytes.into()).with_context(|| wrong(file))?;
        let member = membership(context, &account, header.context())?;
        (
            header.context().content,
            member.unwrap(&header)?,
            member.owner(),
        )
    } else if bytes.starts_with(&sealed::MAGIC) {
        let sealed = Sealed::decode(bytes.into()).with_context(|| wrong(file))?;
        match seal::open(&account.key, &sealed)? {
            Opened::ContentKey { root, key } => (root, key, PublicKey(sealed.sender)),
            Opened::MemberKey(_) => bail!(
                "{} holds a member's keys of a group; take them with `phantasma group join`",
                file.display()
            ),
        }
    } else {
        bail!("{}", wrong(file));
    };
    if let Some(before) = keystore.get(&root)
        && *before != *key.as_bytes()
    {
        bail!(
            "{} has another key for content {}; it stays as it is",
            keystore.path().display(),
            hex::encode(root)
        );
    }
    keystore.insert(root, key.as_bytes())?;
    let from = from.script_hash().to_address();
    let data = json!({"root": hex::encode(root), "from": from});
    let text = format!(
        "{}\nfrom {from}; read it with `phantasma content get`",
        hex::encode(root)
    );
    context.print(&data, &text)
}

/// The key of a content that this account can read.
pub(super) fn known_key(keystore: &Keystore, root: &Hash) -> Result<ContentKey> {
    match keystore.get(root) {
        Some(key) => Ok(ContentKey::from_bytes(*key)),
        None => bail!(
            "{} has no key for content {}, so there is none to give",
            keystore.path().display(),
            hex::encode(root)
        ),
    }
}

/// Where an account keeps the member keys of one epoch of a group.
pub(super) fn membership_path(
    context: &Context,
    account: &Account,
    group: &Hash,
    epoch: u32,
) -> PathBuf {
    let name = format!("{}-{epoch}.member", hex::encode(group));
    folder(context, account, "memberships").join(name)
}

/// A folder of this account's, below the folder of keys.
pub(super) fn folder(context: &Context, account: &Account, name: &str) -> PathBuf {
    let keys = context.global.dir.join("keys");
    keys.join(&account.address).join(name)
}

/// Opens a member's keys that were sealed to this account.
pub(super) fn open_member(account: &Account, file: &Path) -> Result<(MemberKey, Vec<u8>)> {
    let bytes = read(file, Sealed::MAX_LEN)?;
    let sealed = Sealed::decode(bytes.clone().into()).with_context(|| wrong(file))?;
    match seal::open(&account.key, &sealed)? {
        Opened::MemberKey(key) => Ok((key, bytes)),
        Opened::ContentKey { .. } => bail!(
            "{} holds the key of a content; take it with `phantasma content accept`",
            file.display()
        ),
    }
}

/// A file that was not there before: nothing that somebody has is overwritten.
pub(super) fn write_new(path: &Path, bytes: &[u8]) -> Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).open(path);
    let mut file = file.with_context(|| format!("creating {}", path.display()))?;
    file.write_all(bytes)
        .and_then(|()| file.sync_all())
        .with_context(|| format!("writing {}", path.display()))
}

fn membership(
    context: &Context,
    account: &Account,
    header: &broadcast::Context,
) -> Result<MemberKey> {
    let path = membership_path(context, account, &header.group, header.epoch);
    if !path.exists() {
        bail!(
            "this account has no keys of group {}, epoch {}: ask {} for them, then `phantasma group join`",
            hex::encode(header.group),
            header.epoch,
            PublicKey(header.owner).script_hash().to_address()
        );
    }
    Ok(open_member(account, &path)?.0)
}

fn read(file: &Path, max: usize) -> Result<Vec<u8>> {
    let reading = || format!("reading {}", file.display());
    let len = fs::metadata(file).with_context(reading)?.len();
    if len > max as u64 {
        bail!(
            "{} has {len} bytes, more than such a file can have ({max})",
            file.display()
        );
    }
    fs::read(file).with_context(reading)
}

fn wrong(file: &Path) -> String {
    format!("{} is no key that was given to somebody", file.display())
}
