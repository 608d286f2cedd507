//! AES-256-CTR with one random key a content, seekable to any byte.

use std::{fmt, sync::Arc};

use aes::Aes256;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ctr::{
    Ctr128BE,
    cipher::{KeyIvInit, StreamCipher, StreamCipherSeek},
};
use sha2::{Digest, Sha256};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::ContentError;

/// Keeps this use of the secret apart from any later one.
const DOMAIN: &[u8] = b"phantasma content cipher 1";

/// The secret of one content. Whoever has it can read the content; nobody else can.
///
/// It must never be used for two different contents: with CTR that would show where they differ. [`ContentKey::random`]
/// for each content is the way.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop)]
pub struct ContentKey([u8; 32]);

/// Why a text is not a content key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a content key is 64 hex digits")]
pub struct KeyError;

impl ContentKey {
    /// A new key, from the system's randomness.
    pub fn random() -> Self {
        Self(rand::random())
    }

    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub fn from_hex(text: &str) -> Result<Self, KeyError> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text.trim(), &mut bytes).map_err(|_| KeyError)?;
        Ok(Self(bytes))
    }

    /// The secret itself, to be kept. Not for logs.
    pub fn to_hex(&self) -> Zeroizing<String> {
        Zeroizing::new(hex::encode(self.0))
    }

    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(hidden)")
    }
}

/// Encrypts or decrypts (in CTR mode the same) the bytes of a content from `offset` on, in place.
///
/// The cipher's key is derived from the content's secret; the counter starts at 0, which is sound because a key
/// belongs to one content only.
pub fn apply_cipher(key: &ContentKey, offset: u64, bytes: &mut [u8]) {
    let derived: Zeroizing<[u8; 32]> = Zeroizing::new(
        Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(key.0)
            .finalize()
            .into(),
    );
    let mut cipher = Ctr128BE::<Aes256>::new((&*derived).into(), &[0; 16].into());
    cipher.seek(offset);
    cipher.apply_keystream(bytes);
}

/// By what a block of a file is known again; it never leaves the process.
pub(super) type Mark = [u8; 16];

/// Makes [`Mark`]s: AES-256-GMAC under a key of this process, ten times as fast as a hash. Whoever does not see the marks
/// cannot make two blocks with the same one.
#[derive(Clone)]
pub(super) struct Fingerprint(Arc<LessSafeKey>);

impl Fingerprint {
    pub(super) fn random() -> Result<Self, ContentError> {
        let key: Zeroizing<[u8; 32]> = Zeroizing::new(rand::random());
        let key = UnboundKey::new(&AES_256_GCM, &*key)
            .map_err(|_| ContentError::Crypto("a key of 32 bytes"))?;
        Ok(Self(Arc::new(LessSafeKey::new(key))))
    }

    /// The mark of these bytes at this place. The block's number as nonce: a second mark under it shows something about
    /// the key only to those who see marks, and nobody does.
    pub(super) fn of(&self, block: u64, bytes: &[u8]) -> Result<Mark, ContentError> {
        let mut nonce = [0; NONCE_LEN];
        nonce[..8].copy_from_slice(&block.to_le_bytes());
        let nonce = Nonce::assume_unique_for_key(nonce);
        let sealed = self
            .0
            .seal_in_place_separate_tag(nonce, Aad::from(bytes), &mut []);
        let tag = sealed.map_err(|_| ContentError::Crypto("a block to be marked"))?;
        Mark::try_from(tag.as_ref()).map_err(|_| ContentError::Crypto("a mark of 16 bytes"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Fingerprint(hidden)")
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_keystream_of_a_known_key_stays_what_it_is() {
        // AES-256-CTR with key SHA-256("phantasma content cipher 1" ‖ 32 × 07) and counter 0, by OpenSSL 3.0.
        let mut bytes = [0; 20];
        apply_cipher(&ContentKey::from_bytes([7; 32]), 0, &mut bytes);
        assert_eq!(
            hex::encode(bytes),
            "afe0939d8f84cda2620282cc0f2ef9c823b1c2c0"
        );
    }

    #[test]
    fn a_key_is_not_shown_and_survives_its_text() {
        let key = ContentKey::random();
        assert!(!format!("{key:?}").contains(key.to_hex().as_str()));
        assert_eq!(ContentKey::from_hex(&key.to_hex()), Ok(key));
        for wrong in ["", "00", &"g".repeat(64), &"0".repeat(66)] {
            assert_eq!(ContentKey::from_hex(wrong), Err(KeyError));
        }
    }

    #[test]
    fn a_mark_is_of_its_bytes_and_its_place() {
        let marks = Fingerprint::random().unwrap();
        let of = |block, bytes: &[u8]| marks.of(block, bytes).unwrap();
        assert_eq!(of(3, b"bytes"), of(3, b"bytes"));
        assert_ne!(of(3, b"bytes"), of(4, b"bytes"));
        assert_ne!(of(3, b"bytes"), of(3, b"bytet"));
    }

    proptest! {
        #[test]
        fn any_part_decrypts_as_in_the_whole(
            plain in prop::collection::vec(any::<u8>(), 1..5_000),
            from in any::<prop::sample::Index>(),
            len in any::<prop::sample::Index>(),
            base in prop_oneof![Just(0_u64), 0..1_u64 << 40],
            secret: [u8; 32],
        ) {
            let key = ContentKey::from_bytes(secret);
            let mut whole = plain.clone();
            apply_cipher(&key, base, &mut whole);
            prop_assert!(plain.len() < 16 || whole != plain);
            let from = from.index(plain.len());
            let end = from + len.index(plain.len() - from + 1);
            let mut part = whole[from..end].to_vec();
            apply_cipher(&key, base + from as u64, &mut part);
            prop_assert_eq!(&part, &plain[from..end]);
        }
    }
}
