//! Transactions: the bytes that are signed, sent and hashed.

use crate::{
    Hash160, Hash256, Signer,
    codec::{DecodeError, Reader, put_bytes, put_count, unexpected},
    hash::sha256,
};

/// Longest transaction (neo-go `transaction.MaxTransactionSize`).
pub const MAX_TRANSACTION_SIZE: usize = 102_400;
/// Longest script (neo-go `transaction.MaxScriptLength`).
pub const MAX_SCRIPT_LENGTH: usize = 65_535;
/// Most signers and attributes together (neo-go `transaction.MaxAttributes`).
pub const MAX_SIGNERS: usize = 16;
/// Longest script of a witness (neo-go `transaction.MaxInvocationScript`, `MaxVerificationScript`).
const MAX_WITNESS_SCRIPT: usize = 1024;

/// What proves one signer: signatures, and the script that checks them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Witness {
    pub invocation: Vec<u8>,
    /// Empty for an account that is a deployed contract.
    pub verification: Vec<u8>,
}

/// An extra condition of a transaction. Oracle responses and notary requests are made by nodes only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Attribute {
    /// Needs the committee's signature.
    HighPriority,
    /// Not valid in blocks below this height.
    NotValidBefore(u32),
    /// Only one of the two can be in the chain.
    Conflicts(Hash256),
}

/// A transaction of version 0. Fees in datoshi (10⁻⁸ GAS).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transaction {
    /// Makes two otherwise equal transactions differ.
    pub nonce: u32,
    /// For running the script; what is not used is not given back.
    pub system_fee: i64,
    /// For size and verification.
    pub network_fee: i64,
    /// The last block that may hold it.
    pub valid_until_block: u32,
    /// The first pays.
    pub signers: Vec<Signer>,
    pub attributes: Vec<Attribute>,
    pub script: Vec<u8>,
    /// One a signer, in the same order.
    pub witnesses: Vec<Witness>,
}

impl Transaction {
    /// SHA-256 of the unsigned part.
    pub fn hash(&self) -> Hash256 {
        Hash256(sha256(&self.unsigned_bytes()))
    }

    /// What every signer signs: the network's magic number, then the hash. (ECDSA hashes it once more.)
    pub fn sign_data(&self, network: u32) -> Vec<u8> {
        let mut data = network.to_le_bytes().to_vec();
        data.extend_from_slice(&self.hash().0);
        data
    }

    /// Who pays the fees: the first signer.
    pub fn sender(&self) -> Option<Hash160> {
        self.signers.first().map(|signer| signer.account)
    }

    /// Everything but the witnesses.
    pub fn unsigned_bytes(&self) -> Vec<u8> {
        let mut out = vec![0];
        out.extend_from_slice(&self.nonce.to_le_bytes());
        out.extend_from_slice(&self.system_fee.to_le_bytes());
        out.extend_from_slice(&self.network_fee.to_le_bytes());
        out.extend_from_slice(&self.valid_until_block.to_le_bytes());
        put_count(&mut out, self.signers.len());
        self.signers
            .iter()
            .for_each(|signer| signer.write(&mut out));
        put_count(&mut out, self.attributes.len());
        self.attributes
            .iter()
            .for_each(|attribute| attribute.write(&mut out));
        put_bytes(&mut out, &self.script);
        out
    }

    /// As it is sent.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.unsigned_bytes();
        put_count(&mut out, self.witnesses.len());
        for witness in &self.witnesses {
            put_bytes(&mut out, &witness.invocation);
            put_bytes(&mut out, &witness.verification);
        }
        out
    }

    /// Reads what [`Transaction::to_bytes`] wrote, or a node's bytes of an ordinary transaction.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        if bytes.len() > MAX_TRANSACTION_SIZE {
            let (value, max) = (bytes.len() as u64, MAX_TRANSACTION_SIZE as u64);
            return Err(DecodeError::TooMany {
                at: 0,
                what: "transaction's length",
                value,
                max,
            });
        }
        let mut input = Reader::new(bytes);
        let version = input.u8("version")?;
        if version != 0 {
            return Err(unexpected(0, "version", &version.to_string(), "0"));
        }
        let mut tx = Self {
            nonce: input.u32("nonce")?,
            system_fee: fee(&mut input, "system fee")?,
            network_fee: fee(&mut input, "network fee")?,
            valid_until_block: input.u32("last valid block")?,
            ..Self::default()
        };
        for _ in 0..input.count(MAX_SIGNERS, "number of signers")? {
            tx.signers.push(Signer::read(&mut input)?);
        }
        for _ in 0..input.count(MAX_SIGNERS, "number of attributes")? {
            tx.attributes.push(Attribute::read(&mut input)?);
        }
        tx.script = input.bytes(MAX_SCRIPT_LENGTH, "script")?.to_vec();
        for _ in 0..input.count(MAX_SIGNERS, "number of witnesses")? {
            let invocation = input
                .bytes(MAX_WITNESS_SCRIPT, "invocation script")?
                .to_vec();
            let verification = input
                .bytes(MAX_WITNESS_SCRIPT, "verification script")?
                .to_vec();
            tx.witnesses.push(Witness {
                invocation,
                verification,
            });
        }
        input.finish()?;
        Ok(tx)
    }
}

fn fee(input: &mut Reader<'_>, what: &'static str) -> Result<i64, DecodeError> {
    let at = input.at();
    let value = input.u64(what)?;
    i64::try_from(value)
        .map_err(|_| unexpected(at, what, &value.to_string(), "a number below 2^63"))
}

impl Attribute {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::HighPriority => out.push(0x01),
            Self::NotValidBefore(height) => {
                out.push(0x20);
                out.extend_from_slice(&height.to_le_bytes());
            }
            Self::Conflicts(hash) => {
                out.push(0x21);
                out.extend_from_slice(&hash.0);
            }
        }
    }

    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let at = input.at();
        match input.u8("attribute")? {
            0x01 => Ok(Self::HighPriority),
            0x20 => Ok(Self::NotValidBefore(input.u32("height")?)),
            0x21 => Ok(Self::Conflicts(Hash256(
                input.array("conflicting transaction")?,
            ))),
            other => Err(unexpected(
                at,
                "attribute",
                &format!("{other:#04x}"),
                "01, 20 or 21",
            )),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Scopes;

    fn signer() -> impl Strategy<Value = Signer> {
        let scopes = prop::sample::select(vec![0u8, 0x01, 0x10, 0x11, 0x80]);
        (
            any::<[u8; 20]>(),
            scopes,
            prop::collection::vec(any::<[u8; 20]>(), 0..4),
        )
            .prop_map(|(account, bits, list)| {
                let mut signer =
                    Signer::with_scopes(Hash160(account), Scopes::from_bits(bits).unwrap());
                if bits & 0x10 != 0 {
                    signer.allowed_contracts = list.into_iter().map(Hash160).collect();
                }
                signer
            })
    }

    fn attribute() -> impl Strategy<Value = Attribute> {
        prop_oneof![
            Just(Attribute::HighPriority),
            any::<u32>().prop_map(Attribute::NotValidBefore),
            any::<[u8; 32]>().prop_map(|hash| Attribute::Conflicts(Hash256(hash))),
        ]
    }

    pub(crate) fn transaction() -> impl Strategy<Value = Transaction> {
        let bytes = || prop::collection::vec(any::<u8>(), 0..300);
        let witness = (bytes(), bytes()).prop_map(|(invocation, verification)| Witness {
            invocation,
            verification,
        });
        (
            (any::<u32>(), 0..i64::MAX, 0..i64::MAX, any::<u32>()),
            prop::collection::vec(signer(), 0..5),
            prop::collection::vec(attribute(), 0..4),
            bytes(),
            prop::collection::vec(witness, 0..4),
        )
            .prop_map(
                |(numbers, signers, attributes, script, witnesses)| Transaction {
                    nonce: numbers.0,
                    system_fee: numbers.1,
                    network_fee: numbers.2,
                    valid_until_block: numbers.3,
                    signers,
                    attributes,
                    script,
                    witnesses,
                },
            )
    }

    #[test]
    fn the_unsigned_bytes_are_laid_out_as_the_network_wants_them() {
        let tx = Transaction {
            nonce: 1,
            system_fee: 2,
            network_fee: 3,
            valid_until_block: 4,
            signers: vec![Signer::new(Hash160([0xAA; 20]))],
            script: vec![0x11, 0x40],
            ..Transaction::default()
        };
        let expected = format!(
            "00 01000000 0200000000000000 0300000000000000 04000000 01 {} 01 00 02 1140",
            "aa".repeat(20)
        );
        assert_eq!(hex::encode(tx.unsigned_bytes()), expected.replace(' ', ""));
        assert_eq!(hex::encode(&tx.sign_data(0x01020304)[..4]), "04030201");
    }

    proptest! {
        #[test]
        fn transactions_survive_their_bytes(tx in transaction()) {
            prop_assert_eq!(Transaction::from_bytes(&tx.to_bytes()).unwrap(), tx);
        }

        #[test]
        fn damaged_bytes_never_panic(tx in transaction(), at: prop::sample::Index, flip in 1u8.., cut: prop::sample::Index) {
            let mut bytes = tx.to_bytes();
            prop_assert!(Transaction::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert_ne!(Transaction::from_bytes(&bytes).ok(), Some(tx));
        }
    }
}
