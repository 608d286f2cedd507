//! NEP-2: a private key under a password. scrypt of the password (Unicode NFC) gives a mask and an AES-256 key.

use aes::{
    Aes256,
    cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit},
};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use zeroize::Zeroizing;

use crate::{PrivateKey, hash::sha256_twice};

/// First three bytes of every NEP-2 key: makes the text start with `6P`.
const PREFIX: [u8; 3] = [0x01, 0x42, 0xE0];
/// Prefix, salt of 4 bytes, two AES blocks.
const LENGTH: usize = 39;
/// scrypt needs 128·n·r bytes; 16 times NEP-2's 16 MiB is more than any wallet in use asks for.
const MAX_SCRYPT_MEMORY: u64 = 256 << 20;
/// Rounds multiply the time; NEP-2 uses 8.
const MAX_SCRYPT_ROUNDS: u32 = 64;

/// How hard it is to try passwords. A wallet file names its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScryptParams {
    /// Cost, a power of two.
    pub n: u64,
    /// Block size, in 128 bytes.
    pub r: u32,
    /// Parallelism.
    pub p: u32,
}

impl ScryptParams {
    /// What NEP-2 prescribes.
    pub const NEP2: Self = Self {
        n: 16384,
        r: 8,
        p: 8,
    };

    fn checked(self) -> Result<scrypt::Params, Nep2Error> {
        let wrong = || Nep2Error::Params { params: self };
        let memory = self
            .n
            .checked_mul(u64::from(self.r))
            .and_then(|x| x.checked_mul(128))
            .ok_or_else(wrong)?;
        if !self.n.is_power_of_two()
            || self.n < 2
            || memory > MAX_SCRYPT_MEMORY
            || self.p > MAX_SCRYPT_ROUNDS
        {
            return Err(wrong());
        }
        let log_n = u8::try_from(self.n.trailing_zeros()).map_err(|_| wrong())?;
        scrypt::Params::new(log_n, self.r, self.p).map_err(|_| wrong())
    }
}

/// Why a key could not be encrypted or decrypted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Nep2Error {
    #[error("not a NEP-2 key: {reason}; expected 58 base58 characters that start with 6P")]
    Format { reason: String },
    #[error("wrong password")]
    WrongPassword,
    #[error("scrypt parameters n={} r={} p={} are not allowed: n must be a power of two, 128·n·r at most 256 MiB, p at most 64", params.n, params.r, params.p)]
    Params { params: ScryptParams },
}

/// Encrypts `key` under `password`.
pub fn encrypt(
    key: &PrivateKey,
    password: &str,
    params: ScryptParams,
) -> Result<String, Nep2Error> {
    let salt = salt_of(key);
    let derived = derive(password, &salt, params)?;
    let mut blocks = key.to_bytes();
    xor(blocks.as_mut_slice(), &derived[..32]);
    let cipher = cipher(&derived);
    for block in blocks.chunks_exact_mut(16) {
        if let Ok(block) = <&mut Array<u8, _>>::try_from(block) {
            cipher.encrypt_block(block);
        }
    }
    let mut raw = Vec::with_capacity(LENGTH);
    raw.extend_from_slice(&PREFIX);
    raw.extend_from_slice(&salt);
    raw.extend_from_slice(blocks.as_slice());
    Ok(bs58::encode(raw).with_check().into_string())
}

/// Decrypts a NEP-2 key; the salt tells whether the password was right.
pub fn decrypt(
    encrypted: &str,
    password: &str,
    params: ScryptParams,
) -> Result<PrivateKey, Nep2Error> {
    let format = |reason: String| Nep2Error::Format { reason };
    let raw = bs58::decode(encrypted)
        .with_check(None)
        .into_vec()
        .map_err(|e| format(e.to_string()))?;
    if raw.len() != LENGTH || raw[..3] != PREFIX {
        return Err(format(format!(
            "{} bytes or another prefix than 0142e0",
            raw.len()
        )));
    }
    let (salt, body) = (&raw[3..7], &raw[7..]);
    let derived = derive(password, salt, params)?;
    let mut scalar = Zeroizing::new([0; 32]);
    scalar.copy_from_slice(body);
    let cipher = cipher(&derived);
    for block in scalar.chunks_exact_mut(16) {
        if let Ok(block) = <&mut Array<u8, _>>::try_from(block) {
            cipher.decrypt_block(block);
        }
    }
    xor(scalar.as_mut_slice(), &derived[..32]);
    let key = PrivateKey::from_bytes(&scalar).map_err(|_| Nep2Error::WrongPassword)?;
    if salt_of(&key) != salt {
        Err(Nep2Error::WrongPassword)
    } else {
        Ok(key)
    }
}

/// First 4 bytes of the twice hashed address: salt and check in one.
fn salt_of(key: &PrivateKey) -> [u8; 4] {
    let hash = sha256_twice(key.public_key().script_hash().to_address().as_bytes());
    [hash[0], hash[1], hash[2], hash[3]]
}

/// scrypt of a password (Unicode NFC), 64 bytes. Also good for keys of other files.
pub fn derive(
    password: &str,
    salt: &[u8],
    params: ScryptParams,
) -> Result<Zeroizing<[u8; 64]>, Nep2Error> {
    let normal = Zeroizing::new(password.nfc().collect::<String>());
    let mut derived = Zeroizing::new([0; 64]);
    scrypt::scrypt(
        normal.as_bytes(),
        salt,
        &params.checked()?,
        derived.as_mut_slice(),
    )
    .map_err(|_| Nep2Error::Params { params })?;
    Ok(derived)
}

fn cipher(derived: &[u8; 64]) -> Aes256 {
    let mut key = [0; 32];
    key.copy_from_slice(&derived[32..]);
    let key = Zeroizing::new(key);
    Aes256::new(&Array::from(*key))
}

fn xor(target: &mut [u8], mask: &[u8]) {
    target
        .iter_mut()
        .zip(mask)
        .for_each(|(byte, mask)| *byte ^= mask);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHEAP: ScryptParams = ScryptParams { n: 2, r: 1, p: 1 };
    /// Made by `neo-go wallet import` 0.120.0 from the key that NEP-2's first vector uses too.
    const WIF: &str = "L44B5gGEpqEDRS9vVPz7QT35jcBG2r3CZwSwQ4fCewXAhAhqGVpP";
    const PASSWORD: &str = "pw-\u{dc}n\u{ef} \u{6211}\u{7684}";
    const NEO_GO: &str = "6PYP4G8nreNxrn9bWpysq1DLnsFg8KALHXGkBB235q6pMtKyofQ3UJLtZB";

    #[test]
    fn a_key_encrypted_by_neo_go_opens_and_ours_is_the_same_text() {
        let key = PrivateKey::from_nep2(NEO_GO, PASSWORD).unwrap();
        assert_eq!(key.to_wif().as_str(), WIF);
        assert_eq!(
            key.public_key().script_hash().to_address(),
            "NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF"
        );
        assert_eq!(key.to_nep2(PASSWORD).unwrap(), NEO_GO);
    }

    #[test]
    fn the_standard_parameters_round_trip_and_a_wrong_password_says_so() {
        let key =
            PrivateKey::from_wif("L44B5gGEpqEDRS9vVPz7QT35jcBG2r3CZwSwQ4fCewXAhAhqGVpP").unwrap();
        let encrypted = key.to_nep2("TestingOneTwoThree").unwrap();
        assert!(
            encrypted.starts_with("6P") && encrypted.len() == 58,
            "{encrypted}"
        );
        let back = PrivateKey::from_nep2(&encrypted, "TestingOneTwoThree").unwrap();
        assert_eq!(back.to_bytes(), key.to_bytes());
        assert_eq!(
            PrivateKey::from_nep2(&encrypted, "testing").unwrap_err(),
            Nep2Error::WrongPassword
        );
    }

    #[test]
    fn composed_and_decomposed_passwords_are_the_same() {
        let key = PrivateKey::random().unwrap();
        let encrypted = encrypt(&key, "caf\u{e9}", CHEAP).unwrap();
        assert!(decrypt(&encrypted, "cafe\u{301}", CHEAP).is_ok());
    }

    #[test]
    fn parameters_that_would_eat_the_machine_are_refused() {
        for params in [
            ScryptParams {
                n: 1 << 40,
                r: 8,
                p: 8,
            },
            ScryptParams { n: 3, r: 8, p: 8 },
            ScryptParams { n: 0, r: 8, p: 8 },
            ScryptParams {
                n: 16384,
                r: 8,
                p: 4000,
            },
            ScryptParams {
                n: 16384,
                r: 0,
                p: 8,
            },
        ] {
            assert_eq!(
                decrypt(NEO_GO, "one", params).unwrap_err(),
                Nep2Error::Params { params }
            );
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn any_password_gives_the_key_back_and_no_text_panics(scalar: [u8; 32], password: String, text: String) {
            if let Ok(key) = PrivateKey::from_bytes(&scalar) {
                let encrypted = encrypt(&key, &password, CHEAP).unwrap();
                prop_assert_eq!(decrypt(&encrypted, &password, CHEAP).unwrap().to_bytes(), key.to_bytes());
            }
            prop_assert!(decrypt(&text, &password, CHEAP).is_err());
        }
    }
}
