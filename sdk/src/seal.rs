//! Secrets for one reader, who needs nothing but a Neo key: HPKE (RFC 9180) with DHKEM(P-256, HKDF-SHA256), HKDF-SHA256
//! and ChaCha20-Poly1305, signed by the sender.
//!
//! Only the reader's private key opens what is sealed, not even the sender's does. The reader also learns for certain who
//! sent it. The file itself shows both keys to whoever sees it.
//!
//! ```
//! # use phantasma_sdk::{content::ContentKey, neo::PrivateKey, seal::{self, Opened}};
//! let (ada, bob) = (PrivateKey::random()?, PrivateKey::random()?);
//! let (root, key) = ([7; 32], ContentKey::random());
//! let sealed = seal::content_key(&ada, &bob.public_key(), &root, &key)?;
//! assert_eq!(seal::open(&bob, &sealed)?, Opened::ContentKey { root, key });
//! assert!(seal::open(&ada, &sealed).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use neo_client::{PrivateKey, PublicKey};
use phantasma_wire::Hash;
use phantasma_wire::sealed::{Sealed, SealedKind};
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_P256_HKDF_SHA256_CHACHA20_POLY1305 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke as _, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use crate::content::ContentKey;
use crate::group::{GroupError, MemberKey};

/// Why something was not sealed or not opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("{0} is not a key that can be sealed to")]
    Reader(PublicKey),
    #[error(
        "sealed for {sealed}, not for {given}: open it with the account that it was sealed for"
    )]
    OtherReader { sealed: PublicKey, given: PublicKey },
    #[error("the signature is not that of the sender {0}: the file was changed or forged")]
    NotSigned(PublicKey),
    #[error("it does not open: the file was changed")]
    Sealed,
    #[error("what was sealed is {0} bytes long, a content's root and key have 64")]
    Length(usize),
    #[error(transparent)]
    Member(#[from] GroupError),
    #[error("the cryptographic library failed")]
    Library,
}

/// What was sealed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Opened {
    ContentKey { root: Hash, key: ContentKey },
    MemberKey(MemberKey),
}

/// Gives a reader one content: its root and its key.
///
/// # Errors
/// A reader's key that is no point of the curve.
pub fn content_key(
    sender: &PrivateKey,
    reader: &PublicKey,
    root: &Hash,
    key: &ContentKey,
) -> Result<Sealed, SealError> {
    let secret = Zeroizing::new([root.as_slice(), key.as_bytes()].concat());
    seal(sender, reader, SealedKind::ContentKey, &secret)
}

/// Gives a member its keys of a group. They must be those of `sender`'s own group.
///
/// # Errors
/// A reader's key that is no point of the curve; keys of another's group.
pub fn member_key(
    sender: &PrivateKey,
    reader: &PublicKey,
    key: &MemberKey,
) -> Result<Sealed, SealError> {
    if key.owner() != sender.public_key() {
        return Err(GroupError::OtherGroup.into());
    }
    seal(sender, reader, SealedKind::MemberKey, &key.to_bytes())
}

/// Opens what was sealed for `reader`, after a look at who sent it.
///
/// # Errors
/// Sealed for somebody else; changed; forged; not what it says it is.
pub fn open(reader: &PrivateKey, sealed: &Sealed) -> Result<Opened, SealError> {
    let given = reader.public_key();
    let (sender, to) = (PublicKey(sealed.sender), PublicKey(sealed.reader));
    if to != given {
        return Err(SealError::OtherReader { sealed: to, given });
    }
    if !sealed.is_signed(|key, bytes, signature| PublicKey(*key).verify(bytes, signature)) {
        return Err(SealError::NotSigned(sender));
    }
    let info = sealed.kind.info(&sealed.sender, &sealed.reader);
    let encapsulated = EncapsulatedSecret(sealed.encapsulated.to_vec());
    let scalar = HpkePrivateKey::from(reader.to_bytes().to_vec());
    let opened = SUITE
        .open(&encapsulated, &info, &[], &sealed.ciphertext, &scalar)
        .map_err(|_| SealError::Sealed)?;
    let opened = Zeroizing::new(opened);
    match sealed.kind {
        SealedKind::ContentKey => {
            let wrong = || SealError::Length(opened.len());
            let (root, key) = opened.split_first_chunk::<32>().ok_or_else(wrong)?;
            let key = key.try_into().map_err(|_| wrong())?;
            Ok(Opened::ContentKey {
                root: *root,
                key: ContentKey::from_bytes(key),
            })
        }
        SealedKind::MemberKey => {
            let key = MemberKey::from_bytes(&opened)?;
            // Only its owner gives keys of a group away.
            if key.owner() != sender {
                return Err(GroupError::OtherGroup.into());
            }
            Ok(Opened::MemberKey(key))
        }
    }
}

fn seal(
    sender: &PrivateKey,
    reader: &PublicKey,
    kind: SealedKind,
    secret: &[u8],
) -> Result<Sealed, SealError> {
    let info = kind.info(&sender.public_key().0, &reader.0);
    let point = HpkePublicKey(point(reader).ok_or(SealError::Reader(*reader))?);
    let (encapsulated, ciphertext) = SUITE
        .seal(&info, &[], secret, &point)
        .map_err(|_| SealError::Library)?;
    let mut sealed = Sealed {
        kind,
        sender: sender.public_key().0,
        reader: reader.0,
        encapsulated: encapsulated.0.try_into().map_err(|_| SealError::Library)?,
        ciphertext: ciphertext.into(),
        signature: [0; 64],
    };
    sealed.signature = sender.sign(&sealed.signing_bytes());
    Ok(sealed)
}

/// `04 x y`, as HPKE writes points. None for bytes that are no point of the curve.
fn point(key: &PublicKey) -> Option<Vec<u8>> {
    use p256::elliptic_curve::sec1::ToSec1Point as _;
    let point = p256::PublicKey::from_sec1_bytes(&key.0).ok()?;
    Some(point.to_sec1_point(false).as_bytes().to_vec())
}

#[cfg(test)]
#[path = "seal/tests.rs"]
mod tests;
