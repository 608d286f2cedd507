//! A file that only one secret opens.

use std::{
    fmt, fs,
    path::{Path, PathBuf},
};

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey},
    hkdf, rand,
};
use neo_client::{ScryptParams, nep2, wallet::replace_file};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{KeystoreError, Secret};

/// Header, nonce and tag in JSON, with room to spare.
const OVERHEAD: u64 = 4096;

/// What a file is for: bound to its key and to its sealed bytes, so that a file of another kind or version never opens.
#[derive(Debug)]
pub(crate) struct Purpose {
    pub(crate) name: &'static [u8],
    /// The most that is sealed.
    pub(crate) max_bytes: usize,
}

/// A file's place and the key that seals it.
pub(crate) struct SealedFile {
    path: PathBuf,
    header: Header,
    key: Zeroizing<[u8; 32]>,
    purpose: &'static Purpose,
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
struct Content {
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

impl SealedFile {
    /// A new place; [`SealedFile::save`] makes the file. One that exists is never overwritten.
    pub(crate) fn create(
        path: PathBuf,
        secret: &Secret<'_>,
        purpose: &'static Purpose,
    ) -> Result<Self, KeystoreError> {
        Self::create_with(path, secret, purpose, ScryptParams::NEP2)
    }

    pub(super) fn create_with(
        path: PathBuf,
        secret: &Secret<'_>,
        purpose: &'static Purpose,
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
        let key = sealing_key(secret, &salt, scrypt.unwrap_or(ScryptParams::NEP2), purpose)?;
        Ok(Self {
            path,
            header,
            key,
            purpose,
        })
    }

    /// Opens a file with the secret it was made with; gives what was sealed.
    pub(crate) fn open(
        path: PathBuf,
        secret: &Secret<'_>,
        purpose: &'static Purpose,
    ) -> Result<(Self, Zeroizing<Vec<u8>>), KeystoreError> {
        let content = read(&path, purpose)?;
        let (expected, given) = (content.header.kind, secret.kind());
        if expected != given {
            return Err(KeystoreError::OtherSecret {
                path,
                expected: expected.name(),
                given: given.name(),
            });
        }
        let salt = bytes_of(&path, "salt", &content.header.salt)?;
        let nonce: [u8; 12] = bytes_of(&path, "nonce", &content.nonce)?
            .try_into()
            .map_err(|_| damaged(&path, "the nonce is not 12 bytes"))?;
        let mut sealed = Zeroizing::new(bytes_of(&path, "sealed part", &content.sealed)?);
        let scrypt = content.header.scrypt.unwrap_or(ScryptParams::NEP2);
        let key = sealing_key(secret, &salt, scrypt, purpose)?;
        let file = Self {
            path,
            header: content.header,
            key,
            purpose,
        };
        let opened = file.aead().and_then(|key| {
            let nonce = Nonce::assume_unique_for_key(nonce);
            let opened = key.open_in_place(nonce, file.aad(), sealed.as_mut_slice());
            opened.ok().map(|plain| plain.len())
        });
        let Some(len) = opened else {
            return Err(KeystoreError::Sealed {
                path: file.path,
                secret: given.name(),
            });
        };
        sealed.truncate(len);
        Ok((file, sealed))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// An error that says what is wrong with what was sealed.
    pub(crate) fn damaged(&self, reason: &str) -> KeystoreError {
        damaged(&self.path, reason)
    }

    /// An empty buffer that takes `bytes` bytes and the tag without moving, so that no copy stays in memory.
    pub(crate) fn room(bytes: usize) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(Vec::with_capacity(bytes + AES_256_GCM.tag_len()))
    }

    /// Seals and writes; the file is the old one or the new one at any time.
    pub(crate) fn save(&self, mut plain: Zeroizing<Vec<u8>>) -> Result<(), KeystoreError> {
        // A random nonce of 96 bits repeats with 2^-32 after 2^32 saves of one file.
        let nonce: [u8; 12] = random()?;
        self.aead()
            .and_then(|key| {
                let nonce = Nonce::assume_unique_for_key(nonce);
                key.seal_in_place_append_tag(nonce, self.aad(), &mut *plain)
                    .ok()
            })
            .ok_or(KeystoreError::Random)?;
        let content = Content {
            header: self.header.clone(),
            nonce: hex::encode(nonce),
            sealed: hex::encode(&*plain),
        };
        let failed = |source| KeystoreError::Io {
            action: "write",
            path: self.path.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(&content).map_err(|e| failed(e.into()))?;
        replace_file(&self.path, &text).map_err(failed)
    }

    fn aead(&self) -> Option<LessSafeKey> {
        let key = UnboundKey::new(&AES_256_GCM, self.key.as_slice()).ok();
        key.map(LessSafeKey::new)
    }

    fn aad(&self) -> Aad<Vec<u8>> {
        Aad::from([self.purpose.name, self.header.kind.name().as_bytes()].concat())
    }
}

impl fmt::Debug for Secret<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().name())
    }
}

fn read(path: &Path, purpose: &Purpose) -> Result<Content, KeystoreError> {
    let failed = |source| KeystoreError::Io {
        action: "read",
        path: path.to_owned(),
        source,
    };
    // In hex.
    if fs::metadata(path).map_err(failed)?.len() > 2 * purpose.max_bytes as u64 + OVERHEAD {
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
    purpose: &Purpose,
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
                .expand(&[purpose.name], hkdf::HKDF_SHA256)
                .and_then(|okm| okm.fill(key.as_mut_slice()));
            filled.map_err(|_| KeystoreError::Random)?;
        }
    }
    Ok(key)
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
