//! Where the keys of encrypted contents are kept: one file, sealed with AES-256-GCM under a passphrase or the owner's
//! Neo key. Nobody else has them; without the file and its secret the contents cannot be read.

mod file;

use std::{
    collections::BTreeMap,
    fmt, io,
    path::{Path, PathBuf},
};

use neo_client::{Nep2Error, PrivateKey};
use zeroize::Zeroizing;

pub(crate) use file::{Purpose, SealedFile};

/// 64 bytes a key; the file is written anew at each change.
pub const MAX_KEYS: usize = 100_000;
/// Content id and key.
const RECORD: usize = 64;
const PURPOSE: Purpose = Purpose {
    name: b"phantasma content keys 1",
    max_bytes: RECORD * MAX_KEYS,
};

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
    file: SealedFile,
    keys: BTreeMap<[u8; 32], Zeroizing<[u8; 32]>>,
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
        Self::of_new(SealedFile::create(path.into(), secret, &PURPOSE)?)
    }

    fn of_new(file: SealedFile) -> Result<Self, KeystoreError> {
        let store = Self {
            file,
            keys: BTreeMap::new(),
        };
        store.save()?;
        Ok(store)
    }

    /// Opens a keystore with the secret it was made with.
    pub fn open(path: impl Into<PathBuf>, secret: &Secret<'_>) -> Result<Self, KeystoreError> {
        let (file, opened) = SealedFile::open(path.into(), secret, &PURPOSE)?;
        let mut keys = BTreeMap::new();
        for record in opened.chunks(RECORD) {
            let (Some(id), Some(key)) = (record.get(..32), record.get(32..64)) else {
                return Err(file.damaged("the last key is cut off"));
            };
            let (mut id_bytes, mut key_bytes) = ([0; 32], Zeroizing::new([0; 32]));
            id_bytes.copy_from_slice(id);
            key_bytes.copy_from_slice(key);
            keys.insert(id_bytes, key_bytes);
        }
        Ok(Self { file, keys })
    }

    pub fn path(&self) -> &Path {
        self.file.path()
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
        let mut plain = SealedFile::room(self.keys.len() * RECORD);
        for (id, key) in &self.keys {
            plain.extend_from_slice(id);
            plain.extend_from_slice(key.as_slice());
        }
        self.file.save(plain)
    }
}

impl fmt::Debug for Keystore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Keystore({}, {} keys)",
            self.path().display(),
            self.keys.len()
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use neo_client::ScryptParams;

    use super::*;

    const CHEAP: ScryptParams = ScryptParams { n: 2, r: 1, p: 1 };

    fn store(secret: &Secret<'_>) -> (tempfile::TempDir, Keystore) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys.json");
        let file = SealedFile::create_with(path, secret, &PURPOSE, CHEAP).unwrap();
        let store = Keystore::of_new(file).unwrap();
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
