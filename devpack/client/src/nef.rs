//! NEF: the file that holds a contract's script.

use crate::{
    Hash160,
    codec::{DecodeError, Reader, put_bytes, put_count, unexpected},
    hash::sha256_twice,
};

/// "NEF3".
const MAGIC: [u8; 4] = *b"NEF3";
const COMPILER_LENGTH: usize = 64;
const MAX_SOURCE: usize = 256;
const MAX_TOKENS: usize = 128;
const MAX_METHOD: usize = 32;

/// A contract's program with what it calls by token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nef {
    /// Name and version of the compiler, at most 64 bytes.
    pub compiler: String,
    /// Where the source is, at most 256 bytes.
    pub source: String,
    pub tokens: Vec<MethodToken>,
    pub script: Vec<u8>,
}

/// A method of another contract that `CALLT` names by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MethodToken {
    pub contract: Hash160,
    pub method: String,
    pub parameter_count: u16,
    pub has_return_value: bool,
    pub call_flags: u8,
}

/// Why bytes are no NEF file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NefError {
    #[error("not a NEF file: {0}")]
    Decode(#[from] DecodeError),
    #[error(
        "the NEF file is damaged: its checksum says {stated:#010x}, its content {computed:#010x}"
    )]
    Checksum { stated: u32, computed: u32 },
    #[error("the NEF file holds no script")]
    Empty,
}

impl Nef {
    /// First 4 bytes of the twice hashed rest; part of the contract's hash.
    pub fn checksum(&self) -> u32 {
        checksum(&self.body())
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = self.body();
        let sum = checksum(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads a file and checks its checksum.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NefError> {
        let mut input = Reader::new(bytes);
        let magic: [u8; 4] = input.array("magic")?;
        if magic != MAGIC {
            return Err(unexpected(0, "magic", &hex::encode(magic), "4e454633 (NEF3)").into());
        }
        let compiler = input.take(COMPILER_LENGTH, "compiler")?;
        let end = compiler
            .iter()
            .rposition(|byte| *byte != 0)
            .map_or(0, |last| last + 1);
        let mut nef = Self {
            compiler: String::from_utf8(compiler[..end].to_vec())
                .map_err(|_| unexpected(4, "compiler", &hex::encode(compiler), "UTF-8"))?,
            source: input.text(MAX_SOURCE, "source")?,
            ..Self::default()
        };
        zeros::<1>(&mut input)?;
        for _ in 0..input.count(MAX_TOKENS, "number of tokens")? {
            nef.tokens.push(MethodToken::read(&mut input)?);
        }
        zeros::<2>(&mut input)?;
        nef.script = input.bytes(neo_opcode::MAX_ITEM_SIZE, "script")?.to_vec();
        let computed = checksum(&bytes[..input.at()]);
        let stated = input.u32("checksum")?;
        input.finish()?;
        if stated != computed {
            return Err(NefError::Checksum { stated, computed });
        }
        if nef.script.is_empty() {
            Err(NefError::Empty)
        } else {
            Ok(nef)
        }
    }

    fn body(&self) -> Vec<u8> {
        let mut out = MAGIC.to_vec();
        let name = self.compiler.as_bytes();
        out.extend_from_slice(&name[..name.len().min(COMPILER_LENGTH)]);
        out.resize(MAGIC.len() + COMPILER_LENGTH, 0);
        put_bytes(&mut out, self.source.as_bytes());
        out.push(0);
        put_count(&mut out, self.tokens.len());
        for token in &self.tokens {
            out.extend_from_slice(&token.contract.0);
            put_bytes(&mut out, token.method.as_bytes());
            out.extend_from_slice(&token.parameter_count.to_le_bytes());
            out.push(token.has_return_value.into());
            out.push(token.call_flags);
        }
        out.extend_from_slice(&[0, 0]);
        put_bytes(&mut out, &self.script);
        out
    }
}

impl MethodToken {
    fn read(input: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let contract = Hash160(input.array("token's contract")?);
        let method = input.text(MAX_METHOD, "token's method")?;
        let parameter_count = input.u16("token's parameter count")?;
        let at = input.at();
        let has_return_value = match input.u8("token's return flag")? {
            0 => false,
            1 => true,
            other => {
                return Err(unexpected(
                    at,
                    "token's return flag",
                    &other.to_string(),
                    "0 or 1",
                ));
            }
        };
        Ok(Self {
            contract,
            method,
            parameter_count,
            has_return_value,
            call_flags: input.u8("token's call flags")?,
        })
    }
}

fn zeros<const N: usize>(input: &mut Reader<'_>) -> Result<(), DecodeError> {
    let at = input.at();
    let found: [u8; N] = input.array("reserved bytes")?;
    if found == [0; N] {
        Ok(())
    } else {
        Err(unexpected(
            at,
            "reserved bytes",
            &hex::encode(found),
            "zeros",
        ))
    }
}

fn checksum(body: &[u8]) -> u32 {
    let hash = sha256_twice(body);
    u32::from_le_bytes([hash[0], hash[1], hash[2], hash[3]])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn nef() -> impl Strategy<Value = Nef> {
        let token = (
            any::<[u8; 20]>(),
            "[a-z]{0,32}",
            any::<u16>(),
            any::<bool>(),
            0u8..16,
        )
            .prop_map(
                |(contract, method, parameter_count, has_return_value, call_flags)| MethodToken {
                    contract: Hash160(contract),
                    method,
                    parameter_count,
                    has_return_value,
                    call_flags,
                },
            );
        let script = prop::collection::vec(any::<u8>(), 1..400);
        (
            "[a-z0-9 .]{0,63}[a-z]",
            "[ -~]{0,256}",
            prop::collection::vec(token, 0..4),
            script,
        )
            .prop_map(|(compiler, source, tokens, script)| Nef {
                compiler,
                source,
                tokens,
                script,
            })
    }

    #[test]
    fn a_short_script_costs_78_bytes_around_it() {
        let nef = Nef {
            script: vec![0x40],
            ..Nef::default()
        };
        assert_eq!(nef.to_bytes().len(), 78 + 1);
    }

    proptest! {
        #[test]
        fn files_survive_and_every_damage_is_noticed(nef in nef(), at: prop::sample::Index, flip in 1u8.., cut: prop::sample::Index) {
            let mut bytes = nef.to_bytes();
            prop_assert_eq!(&Nef::from_bytes(&bytes).unwrap(), &nef);
            prop_assert!(Nef::from_bytes(&bytes[..cut.index(bytes.len())]).is_err());
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            prop_assert!(Nef::from_bytes(&bytes).is_err());
        }
    }
}
