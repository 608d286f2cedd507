//! `keys.json`: the keys of contents, sealed to the account that put them.
//!
//! Each key is encrypted with AES-256-GCM under a key derived from the account's private key by HKDF-SHA-256, and bound
//! to the content's root and the account's address, so that no entry can be moved to another content. Losing the file
//! loses the contents: nodes have ciphertext only.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use aws_lc_rs::aead::{AES_256_GCM, Aad, Nonce, RandomizedNonceKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use neo_client::Account;
use neo_client::wallet::replace_file;
use phantasma_sdk::content::ContentKey;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

/// The file's name in the folder.
pub const FILE: &str = "keys.json";

const VERSION: u32 = 1;

/// Separates this use of the account's key from signing and from other uses.
const INFO: &[u8] = b"phantasma content keystore 1";

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    /// By root in hex.
    keys: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Address of the account that can open it.
    account: String,
    /// Name of the file that was put, for people.
    name: String,
    nonce: String,
    sealed: String,
}

/// The keys of one folder.
#[derive(Debug)]
pub struct Keystore {
    path: PathBuf,
    content: Content,
}

impl Keystore {
    /// Reads the folder's keystore; an absent file is an empty one.
    pub fn open(dir: &Path) -> Result<Self> {
        let path = dir.join(FILE);
        let content = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| {
                format!("{} is damaged; restore it from a copy", path.display())
            })?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Content {
                version: VERSION,
                keys: BTreeMap::new(),
            },
            Err(error) => return Err(error).with_context(|| format!("reading {}", path.display())),
        };
        if content.version != VERSION {
            bail!(
                "{} has version {}, this program knows {VERSION}",
                path.display(),
                content.version
            );
        }
        Ok(Self { path, content })
    }

    /// Seals a content's key to an account and saves the file.
    pub fn put(
        &mut self,
        account: &Account,
        root: &[u8; 32],
        name: &str,
        key: &ContentKey,
    ) -> Result<()> {
        let root_hex = hex::encode(root);
        let mut bytes = Zeroizing::new(key.as_bytes().to_vec());
        let nonce = sealing_key(account)?
            .seal_in_place_append_tag(
                Aad::from(bound_to(&root_hex, &account.address)),
                &mut *bytes,
            )
            .map_err(|_| anyhow!("sealing the content's key"))?;
        let entry = Entry {
            account: account.address.clone(),
            name: name.to_owned(),
            nonce: hex::encode(nonce.as_ref()),
            sealed: hex::encode(&*bytes),
        };
        self.content.keys.insert(root_hex, entry);
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)
                .with_context(|| format!("creating {}", folder.display()))?;
        }
        let text = serde_json::to_vec_pretty(&self.content)?;
        replace_file(&self.path, &text).with_context(|| format!("writing {}", self.path.display()))
    }

    /// Opens a content's key.
    pub fn get(&self, account: &Account, root: &[u8; 32]) -> Result<ContentKey> {
        let root_hex = hex::encode(root);
        let Some(entry) = self.content.keys.get(&root_hex) else {
            bail!(
                "{} has no key for content {root_hex}; only who put it can read it",
                self.path.display()
            );
        };
        if entry.account != account.address {
            bail!(
                "the key of content {root_hex} belongs to {}; choose it with --account",
                entry.account
            );
        }
        let damaged = || {
            anyhow!(
                "the key of content {root_hex} in {} is damaged; restore the file",
                self.path.display()
            )
        };
        let nonce: [u8; 12] = hex::decode(&entry.nonce)
            .ok()
            .and_then(|n| n.try_into().ok())
            .ok_or_else(damaged)?;
        let mut bytes = Zeroizing::new(hex::decode(&entry.sealed).map_err(|_| damaged())?);
        let aad = Aad::from(bound_to(&root_hex, &entry.account));
        let opened = sealing_key(account)?
            .open_in_place(Nonce::assume_unique_for_key(nonce), aad, &mut bytes)
            .map_err(|_| damaged())?;
        let key: [u8; 32] = (&*opened).try_into().map_err(|_| damaged())?;
        Ok(ContentKey::from_bytes(key))
    }

    /// Name of the file that was put under a root.
    pub fn name(&self, root: &[u8; 32]) -> Option<&str> {
        self.content
            .keys
            .get(&hex::encode(root))
            .map(|entry| entry.name.as_str())
    }
}

fn bound_to(root_hex: &str, address: &str) -> Vec<u8> {
    format!("{root_hex} {address}").into_bytes()
}

fn sealing_key(account: &Account) -> Result<RandomizedNonceKey> {
    let failed = |_| anyhow!("deriving the keystore's key");
    let secret = account.key.to_bytes();
    let derived = Salt::new(HKDF_SHA256, &[]).extract(&*secret);
    let mut key = Zeroizing::new([0; 32]);
    derived
        .expand(&[INFO], HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *key))
        .map_err(failed)?;
    RandomizedNonceKey::new(&AES_256_GCM, &*key).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_opens_for_its_account_and_nobody_else() {
        let dir = tempfile::tempdir().unwrap();
        let (owner, other) = (Account::random().unwrap(), Account::random().unwrap());
        let key = ContentKey::random();
        Keystore::open(dir.path())
            .unwrap()
            .put(&owner, &[7; 32], "film.mkv", &key)
            .unwrap();
        let store = Keystore::open(dir.path()).unwrap();
        assert_eq!(store.name(&[7; 32]), Some("film.mkv"));
        assert_eq!(
            store.get(&owner, &[7; 32]).unwrap().as_bytes(),
            key.as_bytes()
        );
        assert!(
            store
                .get(&other, &[7; 32])
                .unwrap_err()
                .to_string()
                .contains(&owner.address)
        );
        assert!(store.get(&owner, &[8; 32]).is_err());
    }

    #[test]
    fn an_entry_under_another_root_or_with_a_flipped_bit_does_not_open() {
        let dir = tempfile::tempdir().unwrap();
        let owner = Account::random().unwrap();
        Keystore::open(dir.path())
            .unwrap()
            .put(&owner, &[7; 32], "x", &ContentKey::random())
            .unwrap();
        let path = dir.path().join(FILE);
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(
            &path,
            text.replace(&hex::encode([7; 32]), &hex::encode([8; 32])),
        )
        .unwrap();
        assert!(
            Keystore::open(dir.path())
                .unwrap()
                .get(&owner, &[8; 32])
                .unwrap_err()
                .to_string()
                .contains("damaged")
        );
        let at = text.find("\"sealed\": \"").unwrap() + 11;
        let flipped = if text.as_bytes()[at] == b'0' {
            "1"
        } else {
            "0"
        };
        std::fs::write(
            &path,
            format!("{}{flipped}{}", &text[..at], &text[at + 1..]),
        )
        .unwrap();
        assert!(
            Keystore::open(dir.path())
                .unwrap()
                .get(&owner, &[7; 32])
                .is_err()
        );
    }

    #[test]
    fn the_file_does_not_hold_the_key_and_a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let key = ContentKey::random();
        Keystore::open(dir.path())
            .unwrap()
            .put(&Account::random().unwrap(), &[7; 32], "x", &key)
            .unwrap();
        let path = dir.path().join(FILE);
        assert!(
            !std::fs::read_to_string(&path)
                .unwrap()
                .contains(&*key.to_hex())
        );
        std::fs::write(&path, "{").unwrap();
        assert!(
            format!("{:#}", Keystore::open(dir.path()).unwrap_err())
                .contains("keys.json is damaged")
        );
    }
}
