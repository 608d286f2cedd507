//! A Neo key as the identity of a program.

use std::cell::RefCell;
use std::fmt;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    ParsedPublicKey,
};
use phantasma_wire::PublicKey;
use zeroize::Zeroizing;

use crate::NetError;

/// PKCS#8 (RFC 5208) around a P-256 scalar without its public point (RFC 5915); the 32 bytes of the scalar follow.
const PKCS8_PREFIX: [u8; 35] = [
    0x30, 0x41, 0x02, 0x01, 0x00, // SEQUENCE, version 0
    0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, // id-ecPublicKey
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, // prime256v1
    0x04, 0x27, 0x30, 0x25, 0x02, 0x01, 0x01, 0x04, 0x20, // ECPrivateKey, version 1, 32 bytes
];

/// A P-256 private key: what a Neo account signs with, and what a program shows on every connection.
#[derive(Clone)]
pub struct Identity {
    scalar: Zeroizing<[u8; 32]>,
    pair: Arc<EcdsaKeyPair>,
    public_key: PublicKey,
}

impl Identity {
    /// The identity of a private key, which is how Neo keeps it: the scalar as 32 big-endian bytes.
    pub fn from_scalar(scalar: &[u8; 32]) -> Result<Self, NetError> {
        let scalar = Zeroizing::new(*scalar);
        let pair =
            EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &pkcs8(&scalar));
        let pair = pair.map_err(|_| NetError::BadKey)?;
        let public_key = compress(pair.public_key().as_ref()).ok_or(NetError::BadKey)?;
        Ok(Self {
            scalar,
            pair: Arc::new(pair),
            public_key,
        })
    }

    /// A new key, for programs that need no account.
    pub fn random() -> Result<Self, NetError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| NetError::BadKey)?;
        let secret = aws_lc_rs::encoding::AsBigEndian::<aws_lc_rs::encoding::EcPrivateKeyBin<'_>>::as_be_bytes(
            &pair.private_key(),
        );
        let secret = secret.map_err(|_| NetError::BadKey)?;
        let scalar: &[u8; 32] = secret.as_ref().try_into().map_err(|_| NetError::BadKey)?;
        Self::from_scalar(scalar)
    }

    /// The compressed public key, as Neo writes it.
    pub fn public_key(&self) -> PublicKey {
        self.public_key
    }

    /// ECDSA over one SHA-256 of `message`: r ‖ s. Fails only when the system has no randomness.
    pub fn sign(&self, message: &[u8]) -> Result<[u8; 64], NetError> {
        let signature = self
            .pair
            .sign(&SystemRandom::new(), message)
            .map_err(|_| NetError::BadKey)?;
        signature.as_ref().try_into().map_err(|_| NetError::BadKey)
    }

    /// The private key in PKCS#8, for TLS.
    pub(crate) fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        pkcs8(&self.scalar)
    }

    /// The private key's scalar, for libp2p.
    pub(crate) fn scalar(&self) -> &[u8; 32] {
        &self.scalar
    }

    /// The public point without compression: `04`, x, y.
    pub(crate) fn point(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Identity({}, private key hidden)",
            hex::encode(self.public_key)
        )
    }
}

/// Whether `signature` (r ‖ s) is `key`'s over one SHA-256 of `message`. Keys that are no point are false too.
///
/// The last key of each thread is kept as a point: to find it again from its 33 bytes costs a fifth of a check, and
/// messages of one author come together.
pub fn verify_signature(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    thread_local! {
        static LAST: RefCell<Option<(PublicKey, ParsedPublicKey)>> = const { RefCell::new(None) };
    }
    LAST.with_borrow_mut(|last| {
        if last.as_ref().is_none_or(|(known, _)| known != key) {
            let parsed = ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, key);
            *last = parsed.ok().map(|parsed| (*key, parsed));
        }
        last.as_ref()
            .is_some_and(|(_, parsed)| parsed.verify_sig(message, signature).is_ok())
    })
}

/// `04 x y` to `02/03 x`.
pub(crate) fn compress(point: &[u8]) -> Option<PublicKey> {
    let point: &[u8; 65] = point.try_into().ok()?;
    let [4, coordinates @ ..] = point else {
        return None;
    };
    let mut key = [0; 33];
    key[0] = 2 + (coordinates[63] & 1);
    key[1..].copy_from_slice(&coordinates[..32]);
    Some(key)
}

fn pkcs8(scalar: &[u8; 32]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new([&PKCS8_PREFIX[..], scalar].concat())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The first key pair of NIST's P-256 vectors in RFC 6979, appendix A.2.5.
    const SCALAR: &str = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    const PUBLIC: &str = "0360fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6";

    fn scalar() -> [u8; 32] {
        hex::decode(SCALAR).unwrap().try_into().unwrap()
    }

    #[test]
    fn a_known_scalar_has_its_known_public_key() {
        assert_eq!(
            hex::encode(Identity::from_scalar(&scalar()).unwrap().public_key()),
            PUBLIC
        );
    }

    #[test]
    fn scalars_outside_the_curves_order_are_refused() {
        assert!(matches!(
            Identity::from_scalar(&[0; 32]),
            Err(NetError::BadKey)
        ));
        assert!(matches!(
            Identity::from_scalar(&[0xff; 32]),
            Err(NetError::BadKey)
        ));
    }

    #[test]
    fn a_signature_holds_for_its_message_and_key_only() {
        let (identity, other) = (
            Identity::from_scalar(&scalar()).unwrap(),
            Identity::random().unwrap(),
        );
        let signature = identity.sign(b"message").unwrap();
        assert!(verify_signature(
            &identity.public_key(),
            b"message",
            &signature
        ));
        assert!(!verify_signature(
            &identity.public_key(),
            b"massage",
            &signature
        ));
        assert!(!verify_signature(
            &other.public_key(),
            b"message",
            &signature
        ));
        assert!(!verify_signature(&[0; 33], b"message", &signature));
    }

    #[test]
    fn the_private_key_is_not_shown() {
        let shown = format!("{:?}", Identity::from_scalar(&scalar()).unwrap());
        assert!(!shown.contains(SCALAR) && shown.contains(PUBLIC));
    }
}
