//! `content put --to` and `content get LINK`: contents in folders, at S3 services and on IPFS.
//!
//! Credentials and addresses come from the environment, by the names that other programs use, and are never shown.

use std::env;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use anyhow::{Context as _, Result, bail};
use phantasma_sdk::backend::{
    self, Backend, Credentials, Folder, Ipfs, IpfsConfig, Link, Objects, S3, S3Config, Sealed,
    Service,
};
use phantasma_sdk::content::{self as files, ContentKey};
use serde_json::json;

use super::content::{advance, bar, keystore};
use super::context::Context;

/// What a kubo node has unless it was told otherwise.
const IPFS_API: &str = "http://127.0.0.1:5001";

/// Where S3 services are when nobody says it.
const REGION: &str = "us-east-1";

/// Where a content is to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Folder(PathBuf),
    /// `bucket` or `bucket/prefix`.
    S3(String),
    Ipfs,
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rest = |scheme: &str| text.strip_prefix(scheme);
        if let Some(bucket) = rest("s3://").filter(|bucket| !bucket.is_empty()) {
            return Ok(Self::S3(bucket.to_owned()));
        }
        if text == "ipfs://" || text == "ipfs:" {
            return Ok(Self::Ipfs);
        }
        match rest("file://").or_else(|| rest("file:")) {
            Some(folder) if !folder.is_empty() => Ok(Self::Folder(folder.into())),
            Some(_) | None => Err("must be file:FOLDER, s3://BUCKET[/PREFIX] or ipfs:".into()),
        }
    }
}

/// What a reader has: the link's text, or what a box's `ELNK` pushed, as 0x and hex digits.
pub(super) fn parse_link(text: &str) -> Option<Result<Link>> {
    if text.contains("://") {
        return Some(text.parse().map_err(anyhow::Error::from));
    }
    let bytes = hex::decode(text.strip_prefix("0x")?);
    Some(match bytes {
        Ok(bytes) => Link::from_bytes(&bytes).map_err(anyhow::Error::from),
        Err(_) => Err(anyhow::anyhow!(
            "{text:?} is not 0x and pairs of hex digits"
        )),
    })
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn ipfs() -> Result<Arc<dyn Backend>> {
    let config = IpfsConfig {
        api: variable("PHANTASMA_IPFS_API").or_else(|| Some(IPFS_API.to_owned())),
        gateway: variable("PHANTASMA_IPFS_GATEWAY"),
    };
    Ok(Arc::new(Objects::new(Ipfs::new(config)?)))
}

fn s3(target: String) -> Result<Arc<dyn Backend>> {
    let id = variable("AWS_ACCESS_KEY_ID");
    let secret = variable("AWS_SECRET_ACCESS_KEY");
    let credentials = match (id, secret) {
        (Some(access_key_id), Some(secret)) => Some(Credentials {
            access_key_id,
            secret_access_key: secret.into(),
            session_token: variable("AWS_SESSION_TOKEN").map(Into::into),
        }),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => {
            bail!("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY belong together; one is missing")
        }
    };
    let config = S3Config {
        endpoint: variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL")),
        region: variable("AWS_REGION").unwrap_or_else(|| REGION.to_owned()),
        credentials,
        target,
    };
    Ok(Arc::new(Objects::new(S3::new(config)?)))
}

/// Encrypts a file and keeps it elsewhere. Nothing is registered on the chain, and nothing is paid there.
pub(super) async fn put(context: &Context, file: &Path, target: &Target) -> Result<()> {
    let account = context.account()?;
    let mut keystore = keystore(context, &account)?;
    let (backend, service) = match target {
        Target::Folder(folder) => {
            let folder = Objects::new(Folder::new(folder.clone()));
            (Arc::new(folder) as Arc<dyn Backend>, Service::Folder)
        }
        Target::S3(target) => (s3(target.clone())?, Service::S3),
        Target::Ipfs => (ipfs()?, Service::Ipfs),
    };
    let key = ContentKey::random();
    let prepared = files::prepare(file, &key).await?;
    let (root, size) = (prepared.root(), prepared.size());
    // The key first: a content without its key is lost, a key without content harms nobody.
    keystore.insert(root, key.as_bytes())?;
    context.say(&format!("storing {} ({size} bytes)", hex::encode(root)));
    let path = file.to_owned();
    let sealed = Sealed {
        path,
        key,
        prepared,
    };
    let kept = backend.put(&sealed).await?;
    let link = Link { service, kept };
    let instruction = link.instruction()?;
    let data = json!({
        "root": hex::encode(root),
        "size": size,
        "link": link.to_string(),
        "instruction": instruction,
    });
    context.print(&data, &format!("{link}\nin a box's script: {instruction}"))
}

/// Reads what a link names, each block checked against the root in it.
pub(super) async fn get(context: &Context, link: &Link, out: &Path) -> Result<()> {
    if out.exists() {
        bail!(
            "{} exists already and is left as it is; choose another name with --out",
            out.display()
        );
    }
    let backend = match link.service {
        Service::Folder => Arc::new(Objects::new(Folder::new(PathBuf::new()))) as Arc<dyn Backend>,
        Service::S3 => s3(String::new())?,
        Service::Ipfs => ipfs()?,
    };
    let account = context.account()?;
    let keystore = keystore(context, &account)?;
    let kept = &link.kept;
    let key = keystore.get(&kept.root).with_context(|| {
        format!(
            "{} has no key for this content; only who put it, and who was given the key (`phantasma content accept`), can read it",
            keystore.path().display()
        )
    })?;
    let key = ContentKey::from_bytes(*key);
    let bar = bar(context, kept.size, "reading");
    backend::download(&backend, kept, &key, out, &|p| advance(&bar, p)).await?;
    bar.finish_and_clear();
    let data = json!({"root": hex::encode(kept.root), "file": out, "size": kept.size});
    let text = format!(
        "{} ({} bytes), every block checked against the link's root",
        out.display(),
        kept.size
    );
    context.print(&data, &text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_read() {
        let read = |text: &str| text.parse::<Target>().ok();
        assert_eq!(read("file:/a/b"), Some(Target::Folder("/a/b".into())));
        assert_eq!(read("file://b"), Some(Target::Folder("b".into())));
        assert_eq!(read("s3://bucket/a"), Some(Target::S3("bucket/a".into())));
        assert_eq!(read("ipfs://"), Some(Target::Ipfs));
        for wrong in ["", "file:", "s3://", "ipfs://Qm", "http://x"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
