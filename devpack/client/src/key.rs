//! P-256 keys: signing, verifying, WIF.

use std::{fmt, str::FromStr, sync::Arc};

use aws_lc_rs::{
    agreement,
    rand::{self, SystemRandom},
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, UnparsedPublicKey,
    },
};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Hash160,
    nep2::{self, Nep2Error, ScryptParams},
    script,
};

/// The number of points of the curve P-256, big endian (SEC 2, 2.4.2). A private key lies in 1..n.
const ORDER: [u8; 32] = [
    0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xBC, 0xE6,
    0xFA, 0xAD, 0xA7, 0x17, 0x9E, 0x84, 0xF3, 0xB9, 0xCA, 0xC2, 0xFC, 0x63, 0x25, 0x51,
];

/// Version byte of a private key in WIF.
const WIF_VERSION: u8 = 0x80;

/// Why something is not a key. Never holds the key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error(
        "a private key must be 32 bytes between 1 and the order of P-256, not zero and not above"
    )]
    Scalar,
    #[error("not a WIF key: {0}; expected 52 base58 characters that start with K or L")]
    Wif(String),
    #[error(
        "\"{text}\" is not a public key: expected 66 hex digits of a P-256 point that start with 02 or 03"
    )]
    Public { text: String },
    #[error("the system's random source failed")]
    Random,
}

/// A compressed P-256 point, 33 bytes: 02 or 03, then x big endian.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey(pub [u8; 33]);

impl PublicKey {
    /// Checks length, prefix and that the point lies on the curve.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, KeyError> {
        let wrong = || KeyError::Public {
            text: hex::encode(bytes.get(..40).unwrap_or(bytes)),
        };
        let key: [u8; 33] = bytes.try_into().map_err(|_| wrong())?;
        let parsed = agreement::UnparsedPublicKey::new(&agreement::ECDH_P256, key.as_slice());
        if !matches!(key[0], 2 | 3) || agreement::ParsedPublicKey::try_from(&parsed).is_err() {
            return Err(wrong());
        }
        Ok(Self(key))
    }

    /// Whether `signature` (r‖s) is this key's over SHA-256 of `message`. False for bytes that are no point.
    pub fn verify(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, self.0)
            .verify(message, signature)
            .is_ok()
    }

    /// The script that a transaction's witness of this key's account runs: push the key, check the signature.
    pub fn verification_script(&self) -> Vec<u8> {
        script::standard_verification(self)
    }

    /// The account of this key.
    pub fn script_hash(&self) -> Hash160 {
        Hash160::of_script(&self.verification_script())
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for PublicKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let wrong = || KeyError::Public {
            text: text.chars().take(80).collect(),
        };
        Self::from_slice(&hex::decode(text).map_err(|_| wrong())?).map_err(|_| wrong())
    }
}

impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
        out.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for PublicKey {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?
            .parse()
            .map_err(D::Error::custom)
    }
}

/// A private key. Cheap to clone; the scalar is wiped when the last clone goes.
#[derive(Clone)]
pub struct PrivateKey(Arc<Inner>);

struct Inner {
    scalar: Zeroizing<[u8; 32]>,
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl PrivateKey {
    /// A new key from the system's random source.
    pub fn random() -> Result<Self, KeyError> {
        let mut scalar = Zeroizing::new([0; 32]);
        // A random scalar is out of range once in 2^32; 8 tries never fail on a working source.
        for _ in 0..8 {
            rand::fill(scalar.as_mut_slice()).map_err(|_| KeyError::Random)?;
            if let Ok(key) = Self::from_bytes(&scalar) {
                return Ok(key);
            }
        }
        Err(KeyError::Random)
    }

    /// From the scalar, big endian. Zero and the curve's order or more are refused.
    pub fn from_bytes(scalar: &[u8; 32]) -> Result<Self, KeyError> {
        if scalar == &[0; 32] || scalar >= &ORDER {
            return Err(KeyError::Scalar);
        }
        let point = agreement::PrivateKey::from_private_key(&agreement::ECDH_P256, scalar)
            .and_then(|key| key.compute_public_key().map_err(Into::into))
            .map_err(|_| KeyError::Scalar)?;
        let pair = EcdsaKeyPair::from_private_key_and_public_key(
            &ECDSA_P256_SHA256_FIXED_SIGNING,
            scalar,
            point.as_ref(),
        )
        .map_err(|_| KeyError::Scalar)?;
        let public = compress(point.as_ref()).ok_or(KeyError::Scalar)?;
        Ok(Self(Arc::new(Inner {
            scalar: Zeroizing::new(*scalar),
            pair,
            public,
        })))
    }

    /// From wallet import format: base58check of 80 ‖ scalar ‖ 01.
    pub fn from_wif(wif: &str) -> Result<Self, KeyError> {
        let raw = bs58::decode(wif)
            .with_check(Some(WIF_VERSION))
            .into_vec()
            .map(Zeroizing::new)
            .map_err(|e| KeyError::Wif(base58_reason(&e)))?;
        match raw.as_slice() {
            [_, scalar @ .., 1] if scalar.len() == 32 => {
                let mut copy = Zeroizing::new([0; 32]);
                copy.copy_from_slice(scalar);
                Self::from_bytes(&copy)
            }
            other => Err(KeyError::Wif(format!(
                "{} bytes instead of 34",
                other.len()
            ))),
        }
    }

    /// Wallet import format. Whoever sees the text owns the account.
    pub fn to_wif(&self) -> Zeroizing<String> {
        let mut raw = Zeroizing::new([0; 34]);
        raw[0] = WIF_VERSION;
        raw[1..33].copy_from_slice(self.0.scalar.as_slice());
        raw[33] = 1;
        Zeroizing::new(bs58::encode(raw.as_slice()).with_check().into_string())
    }

    /// Decrypts a NEP-2 key with the standard's scrypt parameters. Takes a tenth of a second or more.
    pub fn from_nep2(encrypted: &str, password: &str) -> Result<Self, Nep2Error> {
        nep2::decrypt(encrypted, password, ScryptParams::NEP2)
    }

    /// Encrypts under a password as NEP-2 says.
    pub fn to_nep2(&self, password: &str) -> Result<String, Nep2Error> {
        nep2::encrypt(self, password, ScryptParams::NEP2)
    }

    pub fn public_key(&self) -> PublicKey {
        self.0.public
    }

    /// Signs SHA-256 of `message`; r‖s. Signatures are randomised: two of the same message differ.
    pub fn sign(&self, message: &[u8]) -> [u8; 64] {
        let mut bytes = [0; 64];
        // Signing fails only when memory or the random source does; an all-zero signature verifies nowhere.
        if let Ok(signature) = self.0.pair.sign(&SystemRandom::new(), message)
            && signature.as_ref().len() == bytes.len()
        {
            bytes.copy_from_slice(signature.as_ref());
        }
        bytes
    }

    /// The scalar, big endian. Wiped when dropped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; 32]> {
        self.0.scalar.clone()
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey(of {})", self.0.public)
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.scalar.zeroize();
    }
}

/// What is wrong with a base58 text, without citing it.
fn base58_reason(error: &bs58::decode::Error) -> String {
    match error {
        bs58::decode::Error::InvalidCharacter { index, .. } => {
            format!("bad character at position {index}")
        }
        bs58::decode::Error::InvalidChecksum { .. } => "the checksum does not match".to_owned(),
        bs58::decode::Error::InvalidVersion { .. } => "the version byte does not match".to_owned(),
        _ => "not base58check".to_owned(),
    }
}

/// Uncompressed SEC 1 point (04 ‖ x ‖ y) to compressed.
fn compress(point: &[u8]) -> Option<PublicKey> {
    let (x, last) = (point.get(1..33)?, point.get(64)?);
    let mut key = [2 + (last & 1); 33];
    key[1..].copy_from_slice(x);
    Some(PublicKey(key))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The key of NEP-2's first test vector, and its WIF.
    const WIF: &str = "L44B5gGEpqEDRS9vVPz7QT35jcBG2r3CZwSwQ4fCewXAhAhqGVpP";
    const SCALAR: &str = "cbf4b9f70470856bb4f40f80b87edb90865997ffee6df315ab166d713af433a5";

    #[test]
    fn the_wif_of_the_standard_gives_its_key() {
        let key = PrivateKey::from_wif(WIF).unwrap();
        assert_eq!(hex::encode(key.to_bytes()), SCALAR);
        assert_eq!(key.to_wif().as_str(), WIF);
    }

    #[test]
    fn the_account_of_a_key_is_what_neo_go_says() {
        let key: PublicKey = "03470f900f012dd16f2d79560b0af00b07295678c4092105f7f8bfbbcad170c8f5"
            .parse()
            .unwrap();
        assert_eq!(
            key.script_hash().to_address(),
            "NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx"
        );
    }

    #[test]
    fn zero_and_the_order_are_no_keys() {
        let mut above = ORDER;
        above[31] += 1;
        let mut below = ORDER;
        below[31] -= 1;
        for scalar in [[0; 32], ORDER, above, [0xFF; 32]] {
            assert_eq!(
                PrivateKey::from_bytes(&scalar).unwrap_err(),
                KeyError::Scalar
            );
        }
        assert!(PrivateKey::from_bytes(&below).is_ok());
    }

    #[test]
    fn a_point_off_the_curve_is_no_public_key() {
        let mut key = [2; 33];
        // x = 5 has no y on P-256 or x = 6 has none: of many x about half are refused.
        let refused = (0..40u8).filter(|x| {
            key[32] = *x;
            PublicKey::from_slice(&key).is_err()
        });
        assert!((5..35).contains(&refused.count()));
        assert!(PublicKey::from_slice(&[4; 33]).is_err());
        assert!("03".parse::<PublicKey>().is_err());
    }

    #[test]
    fn a_signature_is_good_for_its_message_and_key_only() {
        let (key, other) = (PrivateKey::random().unwrap(), PrivateKey::random().unwrap());
        let mut signature = key.sign(b"pay 5");
        assert!(key.public_key().verify(b"pay 5", &signature));
        assert!(!key.public_key().verify(b"pay 6", &signature));
        assert!(!other.public_key().verify(b"pay 5", &signature));
        signature[40] ^= 1;
        assert!(!key.public_key().verify(b"pay 5", &signature));
        assert!(!PublicKey([0; 33]).verify(b"pay 5", &signature));
    }

    #[test]
    fn debug_and_errors_do_not_show_the_secret() {
        let key = PrivateKey::from_wif(WIF).unwrap();
        let shown = format!("{key:?} {key:#?}");
        assert!(!shown.contains(SCALAR) && !shown.contains(WIF), "{shown}");
        let error = PrivateKey::from_wif(&WIF.replace('Q', "R"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("checksum") && !error.contains("GEpq"),
            "{error}"
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn keys_survive_wif_and_sign(scalar: [u8; 32], message: Vec<u8>) {
            if let Ok(key) = PrivateKey::from_bytes(&scalar) {
                let back = PrivateKey::from_wif(&key.to_wif()).unwrap();
                prop_assert_eq!(back.public_key(), key.public_key());
                prop_assert_eq!(PublicKey::from_slice(&key.public_key().0).unwrap(), key.public_key());
                prop_assert!(key.public_key().verify(&message, &back.sign(&message)));
            }
        }
    }
}
