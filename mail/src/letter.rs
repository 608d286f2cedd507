//! A mail on its way: sealed for one reader, in a relay's message or, when it has to be paid for, in the reader's box on the
//! chain.
//!
//! The mail (RFC 5322) is encrypted as a content is, under a key of its own. Root and key are sealed to the reader and
//! signed by the sender (`phantasma_sdk::seal`). A short ciphertext lies in the letter; a long one on the storage
//! network. Both are checked against the same sealed root.
//!
//! `PHL1` ‖ sealed u32 length and bytes ‖ kind u8 (0 within, 1 stored) ‖ within: u32 length and ciphertext; stored: size
//! u64.

use phantasma_sdk::content::{ContentKey, apply_cipher};
use phantasma_sdk::neo::{PrivateKey, PublicKey};
use phantasma_sdk::seal::{self, Opened, SealError};
use phantasma_wire::Hash;
use phantasma_wire::codec::{DecodeError, Frame, Reader, Writer};
use phantasma_wire::merkle::{MerkleError, TreeBuilder};
use phantasma_wire::message::MAX_PAYLOAD;
use phantasma_wire::sealed::Sealed;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// First bytes of a letter.
const MAGIC: [u8; 4] = *b"PHL1";

/// The longest mail that travels within: what a message can carry without the letter's head (some 330 bytes) and the
/// script around it.
pub const MAX_WITHIN: usize = MAX_PAYLOAD - 1024;

/// Where the ciphertext is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    /// In the letter.
    Within(Vec<u8>),
    /// On the storage network, under the sealed root.
    Stored {
        /// Bytes.
        size: u64,
    },
}

/// A letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    pub sealed: Sealed,
    pub carried: Carried,
}

/// Why a letter cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum LetterError {
    #[error(transparent)]
    Seal(#[from] SealError),
    #[error(transparent)]
    Merkle(#[from] MerkleError),
    #[error("what was sealed is no key of a mail")]
    OtherSecret,
    #[error("the mail is not the one that its sender sealed")]
    OtherRoot,
}

/// What a letter's seal holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contents {
    pub root: Hash,
    pub key: ContentKey,
    pub sender: PublicKey,
}

impl Letter {
    /// By what a letter is known: all that its sender sealed. It is the same whichever way it comes.
    pub fn id(&self) -> Hash {
        let sealed = self.sealed.encode();
        Sha256::new()
            .chain_update(MAGIC)
            .chain_update(&sealed)
            .finalize()
            .into()
    }

    /// Opens the seal.
    ///
    /// # Errors
    /// Sealed for somebody else; changed; no key of a mail.
    pub fn open(&self, reader: &PrivateKey) -> Result<Contents, LetterError> {
        match seal::open(reader, &self.sealed)? {
            Opened::ContentKey { root, key } => Ok(Contents {
                root,
                key,
                sender: PublicKey(self.sealed.sender),
            }),
            Opened::MemberKey(_) => Err(LetterError::OtherSecret),
        }
    }
}

/// Encrypts a short mail: its root and what travels.
pub fn encrypt(mail: &[u8], key: &ContentKey) -> Result<(Hash, Vec<u8>), LetterError> {
    let mut ciphertext = mail.to_vec();
    apply_cipher(key, 0, &mut ciphertext);
    Ok((root_of(&ciphertext)?, ciphertext))
}

/// The mail that travelled within.
///
/// # Errors
/// A ciphertext that has not the sealed root.
pub fn decrypt(ciphertext: &[u8], contents: &Contents) -> Result<Vec<u8>, LetterError> {
    if root_of(ciphertext)? != contents.root {
        return Err(LetterError::OtherRoot);
    }
    let mut mail = ciphertext.to_vec();
    apply_cipher(&contents.key, 0, &mut mail);
    Ok(mail)
}

/// Seals a mail's root and key to a reader.
pub fn seal(
    sender: &PrivateKey,
    reader: &PublicKey,
    root: &Hash,
    key: &Zeroizing<[u8; 32]>,
) -> Result<Sealed, LetterError> {
    let key = ContentKey::from_bytes(**key);
    Ok(seal::content_key(sender, reader, root, &key)?)
}

fn root_of(ciphertext: &[u8]) -> Result<Hash, MerkleError> {
    let mut builder = TreeBuilder::new();
    builder.push(ciphertext)?;
    Ok(builder.finish()?.root())
}

impl Frame for Letter {
    const MAX_LEN: usize = MAX_PAYLOAD;

    fn write(&self, to: &mut Writer) {
        to.raw(&MAGIC).bytes(&self.sealed.encode());
        match &self.carried {
            Carried::Within(ciphertext) => to.u8(0).bytes(ciphertext),
            Carried::Stored { size } => to.u8(1).u64(*size),
        };
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.array::<4>("letter magic")? != MAGIC {
            return Err(DecodeError::Invalid {
                what: "letter",
                reason: "does not start with PHL1",
            });
        }
        let sealed = Sealed::decode(from.bytes("seal", Sealed::MAX_LEN)?)?;
        let what = "kind of letter";
        let carried = match from.u8(what)? {
            0 => Carried::Within(from.bytes("ciphertext", MAX_PAYLOAD)?.to_vec()),
            1 => Carried::Stored {
                size: from.u64("size")?,
            },
            value => return Err(DecodeError::UnknownKind { what, value }),
        };
        Ok(Self { sealed, carried })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    fn letter(ada: &PrivateKey, bob: &PrivateKey, mail: &[u8]) -> Letter {
        let key = ContentKey::random();
        let (root, ciphertext) = encrypt(mail, &key).unwrap();
        let secret = Zeroizing::new(*key.as_bytes());
        Letter {
            sealed: seal(ada, &bob.public_key(), &root, &secret).unwrap(),
            carried: Carried::Within(ciphertext),
        }
    }

    #[test]
    fn only_the_reader_reads_and_a_changed_letter_is_refused() {
        let (ada, bob) = (PrivateKey::random().unwrap(), PrivateKey::random().unwrap());
        let mail = b"Subject: x\r\n\r\nsecret words";
        let mut sent = letter(&ada, &bob, mail);
        let again = Letter::decode(sent.encode()).unwrap();
        assert_eq!(again, sent);
        let contents = sent.open(&bob).unwrap();
        assert_eq!(contents.sender, ada.public_key());
        let Carried::Within(ciphertext) = &mut sent.carried else {
            panic!("short");
        };
        assert_eq!(decrypt(ciphertext, &contents).unwrap(), mail);
        assert!(!ciphertext.windows(6).any(|window| window == b"secret"));
        ciphertext[3] ^= 1;
        assert!(matches!(
            decrypt(ciphertext, &contents),
            Err(LetterError::OtherRoot)
        ));
        assert!(matches!(sent.open(&ada), Err(LetterError::Seal(_))));
    }

    #[test]
    fn a_letter_is_known_by_its_seal() {
        let (ada, bob) = (PrivateKey::random().unwrap(), PrivateKey::random().unwrap());
        let one = letter(&ada, &bob, b"one");
        let stored = Letter {
            carried: Carried::Stored { size: 3 },
            ..one.clone()
        };
        assert_eq!(one.id(), stored.id());
        assert_ne!(one.id(), letter(&ada, &bob, b"one").id());
        assert_eq!(Letter::decode(stored.encode()).unwrap(), stored);
    }

    #[test]
    fn cut_and_flipped_letters_are_errors_or_letters() {
        let (ada, bob) = (PrivateKey::random().unwrap(), PrivateKey::random().unwrap());
        let bytes = letter(&ada, &bob, b"one").encode();
        for len in 0..bytes.len() {
            assert!(Letter::decode(bytes.slice(..len)).is_err(), "{len}");
        }
        for at in 0..bytes.len() {
            let mut flipped = bytes.to_vec();
            flipped[at] ^= 0x40;
            let _ = Letter::decode(flipped.into());
        }
    }
}
