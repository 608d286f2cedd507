//! Where the keys of encrypted contents are kept: one file, sealed with AES-256-GCM under a passphrase or the owner's
//! Neo key. Nobody else has them; without the file and its secret the contents cannot be read.

use std::{
    collections::BTreeMap,
    fmt, fs, io,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, rand,
};
use neo_client::{Nep2Error, PrivateKey, ScryptParams, nep2, wallet::replace_file};
use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

/// 64 bytes a key; the file is written anew at each change.
pub const MAX_KEYS: usize = 100_000;
/// The file holds the keys in hex with a small header.
const MAX_FILE: u64 = 2 * 64 * MAX_KEYS as u64 + 4096;
/// Content id and key.
const RECORD: usize = 64;
/// Bound to the sealed bytes, so that a file of another kind or version never opens.
const PURPOSE: &[u8] = b"phantasma content keys 1";

/// What opens a keystore.
pub enum Secret<'a> {
    /// Stretched with scrypt: takes a tenth of a second or more.
    Passphrase(&'a str),
    /// The owner's Neo key.
    Wallet(&'a PrivateKey),
}

/// Why keys cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum KeystoreError {
    #[error("cannot {action} keystore {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("keystore {} exists already; its keys would be lost", path.display())]
    Exists { path: PathBuf },
    #[error("keystore {} is damaged at line {line}, column {column}: {reason}; restore it from a copy", path.display())]
    Damaged {
        path: PathBuf,
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("keystore {} is sealed with a {expected}, not with a {given}", path.display())]
    OtherSecret {
        path: PathBuf,
        expected: &'static str,
        given: &'static str,
    },
    #[error("keystore {} does not open: the {secret} is wrong, or the file was changed", path.display())]
    Sealed { path: PathBuf, secret: &'static str },
    #[error("a keystore holds at most {MAX_KEYS} keys")]
    Full,
    #[error(transparent)]
    Stretch(#[from] Nep2Error),
    #[error("the system's random source failed")]
    Random,
}

/// The content keys of one owner.
pub struct Keystore {
    path: PathBuf,
    header: Header,
    sealing_key: Zeroizing<[u8; 32]>,
    keys: BTreeMap<[u8; 32], Zeroizing<[u8; 32]>>,
}

/// What stands in the file in clear.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Header {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scrypt: Option<ScryptParams>,
    salt: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Passphrase,
    Wallet,
}

#[derive(Serialize, Deserialize)]
struct File {
    #[serde(flatten)]
    header: Header,
    nonce: String,
    sealed: String,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Passphrase => "passphrase",
            Self::Wallet => "wallet key",
        }
    }
}

impl Secret<'_> {
    fn kind(&self) -> Kind {
        match self {
            Self::Passphrase(_) => Kind::Passphrase,
            Self::Wallet(_) => Kind::Wallet,
        }
    }
}

impl Keystore {
    /// Opens the file, or makes it when there is none.
    pub fn open_or_create(
        path: impl Into<PathBuf>,
        secret: &Secret<'_>,
    ) -> Result<Self, KeystoreError> {
        let path = path.into();
        if path.exists() {
            Self::open(path, secret)
        } else {
            Self::create(path, secret)
        }
    }

    /// A new, empty keystore. One that exists is never overwritten.
    pub fn create(path: impl Into<PathBuf>, secret: &Secret<'_>) -> Result<Self, KeystoreError> {
        Self::create_with(path.into(), secret, ScryptParams::NEP2)
    }

    fn create_with(
        path: PathBuf,
        secret: &Secret<'_>,
        scrypt: ScryptParams,
    ) -> Result<Self, KeystoreError> {
        if path.exists() {
            return Err(KeystoreError::Exists { path });
        }
        let salt: [u8; 32] = random()?;
        let kind = secret.kind();
        let scrypt = (kind == Kind::Passphrase).then_some(scrypt);
        let header = Header {
            kind,
            scrypt,
            salt: hex::encode(salt),
        };
        let sealing_key = sealing_key(secret, &salt, scrypt.unwrap_or(ScryptParams::NEP2))?;
        let store = Self {
            path,
            header,
            sealing_key,
            keys: BTreeMap::new(),
        };
        store.save()?;
        Ok(store)
    }

    /// Opens a keystore with the secret it was made with.
    pub fn open(path: impl Into<PathBuf>, secret: &Secret<'_>) -> Result<Self, KeystoreError> {
        let path = path.into();
        let file = read_file(&path)?;
        let (expected, given) = (file.header.kind, secret.kind());
        if expected != given {
            return Err(KeystoreError::OtherSecret {
                path,
                expected: expected.name(),
                given: given.name(),
            });
        }
        let salt = bytes_of(&path, "salt", &file.header.salt)?;
        let nonce: [u8; 12] = bytes_of(&path, "nonce", &file.nonce)?
            .try_into()
            .map_err(|_| damaged(&path, "the nonce is not 12 bytes"))?;
        let mut sealed = bytes_of(&path, "sealed part", &file.sealed)?;
        let sealing_key = sealing_key(
            secret,
            &salt,
            file.header.scrypt.unwrap_or(ScryptParams::NEP2),
        )?;
        let wrong = || KeystoreError::Sealed {
            path: path.clone(),
            secret: given.name(),
        };
        let opened = aead(&sealing_key)
            .and_then(|key| {
                key.open_in_place(Nonce::assume_unique_for_key(nonce), aad(given), &mut sealed)
                    .ok()
            })
            .ok_or_else(wrong)?;
        let mut keys = BTreeMap::new();
        for record in opened.chunks(RECORD) {
            let (Some(id), Some(key)) = (record.get(..32), record.get(32..64)) else {
                return Err(damaged(&path, "the last key is cut off"));
            };
            let (mut id_bytes, mut key_bytes) = ([0; 32], Zeroizing::new([0; 32]));
            id_bytes.copy_from_slice(id);
            key_bytes.copy_from_slice(key);
            keys.insert(id_bytes, key_bytes);
        }
        opened.zeroize();
        Ok(Self {
            path,
            header: file.header,
            sealing_key,
            keys,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of a content.
    pub fn get(&self, content: &[u8; 32]) -> Option<Zeroizing<[u8; 32]>> {
        self.keys.get(content).cloned()
    }

    /// Keeps a key, and saves before it returns.
    pub fn insert(&mut self, content: [u8; 32], key: &[u8; 32]) -> Result<(), KeystoreError> {
        if self.keys.len() >= MAX_KEYS && !self.keys.contains_key(&content) {
            return Err(KeystoreError::Full);
        }
        let before = self.keys.insert(content, Zeroizing::new(*key));
        self.save().inspect_err(|_| {
            match before {
                Some(key) => self.keys.insert(content, key),
                None => self.keys.remove(&content),
            };
        })
    }

    /// Forgets a key: its content can never be read again. False when there was none.
    pub fn remove(&mut self, content: &[u8; 32]) -> Result<bool, KeystoreError> {
        let Some(key) = self.keys.remove(content) else {
            return Ok(false);
        };
        match self.save() {
            Ok(()) => Ok(true),
            Err(error) => {
                self.keys.insert(*content, key);
                Err(error)
            }
        }
    }

    /// Ids of all contents with a key, in order.
    pub fn contents(&self) -> impl Iterator<Item = &[u8; 32]> {
        self.keys.keys()
    }

    fn save(&self) -> Result<(), KeystoreError> {
        let mut sealed = Zeroizing::new(Vec::with_capacity(
            self.keys.len() * RECORD + AES_256_GCM.tag_len(),
        ));
        for (id, key) in &self.keys {
            sealed.extend_from_slice(id);
            sealed.extend_from_slice(key.as_slice());
        }
        // A random nonce of 96 bits repeats with 2^-32 after 2^32 saves of one file.
        let nonce: [u8; 12] = random()?;
        aead(&self.sealing_key)
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, aad(self.header.kind), &mut *sealed)
                    .ok()
            })
            .ok_or(KeystoreError::Random)?;
        let file = File {
            header: self.header.clone(),
            nonce: hex::encode(nonce),
            sealed: hex::encode(&*sealed),
        };
        let failed = |source| KeystoreError::Io {
            action: "write",
            path: self.path.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(&file).map_err(|e| failed(e.into()))?;
        replace_file(&self.path, &text).map_err(failed)
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Keystore({}, {} keys)",
            self.path.display(),
            self.keys.len()
        )
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())
    }
}

fn read_file(path: &Path) -> Result<File, KeystoreError> {
    let failed = |source| KeystoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.len() > MAX_FILE {
        return Err(damaged(path, "it is longer than any keystore"));
    }
    let text = fs::read(path).map_err(failed)?;
    serde_json::from_slice(&text).map_err(|e| KeystoreError::Damaged {
        path: path.to_owned(),
        line: e.line(),
        column: e.column(),
        reason: e.to_string(),
    })
}

/// The key that seals the file: from scrypt of the passphrase, or HKDF-SHA256 of the wallet's key.
fn sealing_key(
    secret: &Secret<'_>,
    salt: &[u8],
    scrypt: ScryptParams,
) -> Result<Zeroizing<[u8; 32]>, KeystoreError> {
    let mut key = Zeroizing::new([0; 32]);
    match secret {
        Secret::Passphrase(passphrase) => {
            let derived = nep2::derive(passphrase, salt, scrypt)?;
            key.copy_from_slice(&derived[..32]);
        }
        Secret::Wallet(wallet) => {
            let extracted =
                hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(wallet.to_bytes().as_slice());
            let filled = extracted
                .expand(&[PURPOSE], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(key.as_mut_slice()));
            filled.map_err(|_| KeystoreError::Random)?;
        }
    }
    Ok(key)
}

fn aead(key: &[u8; 32]) -> Option<LessSafeKey> {
    UnboundKey::new(&AES_256_GCM, key)
        .ok()
        .map(LessSafeKey::new)
}

fn aad(kind: Kind) -> Aad<Vec<u8>> {
    Aad::from([PURPOSE, kind.name().as_bytes()].concat())
}

fn random<const N: usize>() -> Result<[u8; N], KeystoreError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeystoreError::Random)?;
    Ok(bytes)
}

fn bytes_of(path: &Path, what: &str, text: &str) -> Result<Vec<u8>, KeystoreError> {
    hex::decode(text).map_err(|e| damaged(path, &format!("the {what} is no hex text ({e})")))
}

fn damaged(path: &Path, reason: &str) -> KeystoreError {
    KeystoreError::Damaged {
        path: path.to_owned(),
        line: 0,
        column: 0,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CHEAP: ScryptParams = ScryptParams { n: 2, r: 1, p: 1 };

    fn store(secret: &Secret<'_>) -> (tempfile::TempDir, Keystore) {
        let folder = tempfile::tempdir().unwrap();
        let store = Keystore::create_with(folder.path().join("keys.json"), secret, CHEAP).unwrap();
        (folder, store)
    }

    #[test]
    fn keys_come_back_with_the_same_secret_only() {
        let wallet = PrivateKey::random().unwrap();
        let other = PrivateKey::random().unwrap();
        let pairs = [
            (Secret::Passphrase("right"), Secret::Passphrase("wrong")),
            (Secret::Wallet(&wallet), Secret::Wallet(&other)),
        ];
        for (right, wrong) in pairs {
            let (_folder, mut store) = store(&right);
            store.insert([1; 32], &[2; 32]).unwrap();
            store.insert([3; 32], &[4; 32]).unwrap();
            assert!(store.remove(&[3; 32]).unwrap() && !store.remove(&[3; 32]).unwrap());
            let again = Keystore::open(store.path(), &right).unwrap();
            assert_eq!(again.get(&[1; 32]).unwrap().as_slice(), [2; 32]);
            assert_eq!(again.get(&[3; 32]), None);
            assert_eq!(again.contents().count(), 1);
            assert!(matches!(
                Keystore::open(store.path(), &wrong),
                Err(KeystoreError::Sealed { .. })
            ));
        }
    }

    #[test]
    fn the_other_kind_of_secret_is_named() {
        let (_folder, store) = store(&Secret::Passphrase("p"));
        let wallet = PrivateKey::random().unwrap();
        let error = Keystore::open(store.path(), &Secret::Wallet(&wallet))
            .unwrap_err()
            .to_string();
        assert!(error.contains("sealed with a passphrase"), "{error}");
        assert!(matches!(
            Keystore::create(store.path(), &Secret::Wallet(&wallet)),
            Err(KeystoreError::Exists { .. })
        ));
    }

    #[test]
    fn every_flipped_digit_is_noticed() {
        let (_folder, mut store) = store(&Secret::Passphrase("p"));
        store.insert([1; 32], &[2; 32]).unwrap();
        let text = fs::read_to_string(store.path()).unwrap();
        let from = text.find("\"sealed\"").unwrap() + 11;
        for at in (from..text.len() - 3).step_by(7) {
            let mut changed = text.clone().into_bytes();
            changed[at] = if changed[at] == b'0' { b'1' } else { b'0' };
            fs::write(store.path(), changed).unwrap();
            assert!(
                Keystore::open(store.path(), &Secret::Passphrase("p")).is_err(),
                "at {at}"
            );
        }
        fs::write(store.path(), &text[..text.len() / 2]).unwrap();
        let error = Keystore::open(store.path(), &Secret::Passphrase("p")).unwrap_err();
        assert!(
            matches!(&error, KeystoreError::Damaged { line, .. } if *line > 1),
            "{error}"
        );
    }

    #[test]
    fn neither_the_file_nor_debug_shows_a_key() {
        let (_folder, mut store) = store(&Secret::Passphrase("p"));
        store.insert([0xAB; 32], &[0xCD; 32]).unwrap();
        let text = fs::read_to_string(store.path()).unwrap();
        let shown = format!("{store:?}");
        assert!(
            !text.contains("cdcdcdcd") && !text.contains("abababab") && !shown.contains("205"),
            "{text} {shown}"
        );
    }
}
