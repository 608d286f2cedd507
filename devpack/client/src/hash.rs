//! 160-bit and 256-bit hashes: in scripts little endian, for people `0x` and byte-reversed, accounts also as addresses.

use std::{fmt, str::FromStr};

use ripemd::Ripemd160;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};
use sha2::{Digest, Sha256};

/// First byte of every Neo N3 address before base58; makes it start with `N`.
pub const ADDRESS_VERSION: u8 = 0x35;

/// SHA-256 of `data`.
pub fn sha256(data: &[u8]) -> [u8; 32] {
    Sha256::digest(data).into()
}

/// SHA-256 of SHA-256 of `data`.
pub fn sha256_twice(data: &[u8]) -> [u8; 32] {
    sha256(&sha256(data))
}

/// Why a text is not a hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HashError {
    #[error("\"{text}\" is not a hash of {bytes} bytes: expected {} hex digits, with or without 0x", bytes * 2)]
    Hex { text: String, bytes: usize },
    #[error(
        "\"{text}\" is not a Neo N3 address ({reason}): expected base58 text that starts with N"
    )]
    Address { text: String, reason: String },
}

macro_rules! hash {
    ($name:ident, $bytes:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(pub [u8; $bytes]);

        impl $name {
            /// All bytes zero.
            pub const ZERO: Self = Self([0; $bytes]);

            /// From bytes in script order; None when there are not exactly as many as needed.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                Some(Self(bytes.try_into().ok()?))
            }

            /// The bytes in script order (little endian).
            pub fn as_bytes(&self) -> &[u8; $bytes] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("0x")?;
                self.0
                    .iter()
                    .rev()
                    .try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl FromStr for $name {
            type Err = HashError;

            /// Reads the display form: most significant byte first, `0x` optional.
            fn from_str(text: &str) -> Result<Self, HashError> {
                let digits = text.strip_prefix("0x").unwrap_or(text);
                let mut bytes = [0; $bytes];
                hex::decode_to_slice(digits, &mut bytes).map_err(|_| HashError::Hex {
                    text: text.to_owned(),
                    bytes: $bytes,
                })?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, out: S) -> Result<S::Ok, S::Error> {
                out.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
                String::deserialize(input)?
                    .parse()
                    .map_err(D::Error::custom)
            }
        }
    };
}

hash!(
    Hash160,
    20,
    "The hash of an account's or contract's script: RIPEMD-160 of SHA-256. Bytes in script order."
);
hash!(
    Hash256,
    32,
    "The hash of a transaction or block. Bytes in script order."
);

impl Hash160 {
    /// RIPEMD-160 of SHA-256 of a script.
    pub fn of_script(script: &[u8]) -> Self {
        Self(Ripemd160::digest(sha256(script)).into())
    }

    /// Reads an address (base58check, version byte 0x35).
    pub fn from_address(address: &str) -> Result<Self, HashError> {
        let wrong = |reason: String| HashError::Address {
            text: address.to_owned(),
            reason,
        };
        let raw = bs58::decode(address)
            .with_check(Some(ADDRESS_VERSION))
            .into_vec()
            .map_err(|e| wrong(e.to_string()))?;
        raw.get(1..)
            .and_then(Self::from_slice)
            .ok_or_else(|| wrong(format!("{} bytes instead of 21", raw.len())))
    }

    /// The address of this account.
    pub fn to_address(&self) -> String {
        bs58::encode(self.0)
            .with_check_version(ADDRESS_VERSION)
            .into_string()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_native_gas_contract_reads_reversed() {
        let gas: Hash160 = "0xd2a4cff31913016155e38e474a2c06d08be276cf"
            .parse()
            .unwrap();
        assert_eq!(
            hex::encode(gas.0),
            "cf76e28bd0062c4a478ee35561011319f3cfa4d2"
        );
        assert_eq!(
            gas.to_string(),
            "0xd2a4cff31913016155e38e474a2c06d08be276cf"
        );
        assert_eq!("d2a4cff31913016155e38e474a2c06d08be276cf".parse(), Ok(gas));
    }

    #[test]
    fn a_mistyped_address_names_itself() {
        let address = Hash160([7; 20]).to_address();
        assert!(address.starts_with('N'), "{address}");
        let mistyped = address.replace(
            &address[5..6],
            if &address[5..6] == "x" { "y" } else { "x" },
        );
        let error = Hash160::from_address(&mistyped).unwrap_err().to_string();
        assert!(error.contains(&mistyped), "{error}");
        assert!(Hash160::from_address("").is_err());
    }

    #[test]
    fn hex_of_the_wrong_length_is_refused() {
        for text in ["", "0x", "0x12", "zz", &"1".repeat(42)] {
            assert!(text.parse::<Hash160>().is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn hashes_survive_text_address_and_json(bytes: [u8; 20], long: [u8; 32]) {
            let hash = Hash160(bytes);
            prop_assert_eq!(hash.to_string().parse(), Ok(hash));
            prop_assert_eq!(Hash160::from_address(&hash.to_address()), Ok(hash));
            prop_assert_eq!(serde_json::from_value::<Hash160>(serde_json::json!(hash)).unwrap(), hash);
            prop_assert_eq!(Hash256(long).to_string().parse(), Ok(Hash256(long)));
        }

        #[test]
        fn no_text_panics(text: String) {
            let _ = text.parse::<Hash256>();
            let _ = Hash160::from_address(&text);
        }
    }
}
