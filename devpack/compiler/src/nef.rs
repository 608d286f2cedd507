//! The NEF container (neo-go `pkg/smartcontract/nef`).

use sha2::{Digest, Sha256};

/// A call to another contract that `CALLT` reaches by number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Script hash of the contract, as scripts have it.
    pub hash: [u8; 20],
    /// The method's name.
    pub method: String,
    /// Number of parameters.
    pub params: u16,
    /// Whether it returns a value.
    pub result: bool,
    /// Call flags.
    pub flags: u8,
}

/// Name and version in the NEF's compiler field.
const COMPILER: &str = concat!("neoc ", env!("CARGO_PKG_VERSION"));

/// The bytes of a NEF file, checksum included. `source` is cut at 256 bytes.
pub fn nef(script: &[u8], tokens: &[Token], source: &str) -> Vec<u8> {
    let mut out = b"NEF3".to_vec();
    let mut compiler = COMPILER.as_bytes().to_vec();
    compiler.resize(64, 0);
    out.extend(compiler);
    let source = &source.as_bytes()[..source.len().min(256)];
    var_bytes(&mut out, source);
    out.push(0);
    var_int(&mut out, tokens.len());
    for token in tokens {
        out.extend(token.hash);
        var_bytes(&mut out, token.method.as_bytes());
        out.extend(token.params.to_le_bytes());
        out.push(u8::from(token.result));
        out.push(token.flags);
    }
    out.extend([0, 0]);
    var_bytes(&mut out, script);
    let checksum = Sha256::digest(Sha256::digest(&out));
    out.extend(&checksum[..4]);
    out
}

fn var_int(out: &mut Vec<u8>, n: usize) {
    match n {
        0..=0xFC => out.push(n as u8),
        0xFD..=0xFFFF => {
            out.push(0xFD);
            out.extend((n as u16).to_le_bytes());
        }
        _ => {
            out.push(0xFE);
            out.extend((n as u32).to_le_bytes());
        }
    }
}

fn var_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    var_int(out, bytes.len());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_script_has_78_bytes_around_it() {
        let file = nef(&[0x40], &[], "");
        assert_eq!(file.len(), 79);
        assert_eq!(&file[..4], b"NEF3");
        let again = Sha256::digest(Sha256::digest(&file[..75]));
        assert_eq!(&file[75..], &again[..4]);
    }
}
