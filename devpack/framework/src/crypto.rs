//! Hashes and signatures (CryptoLib and `System.Crypto`, `System.Contract`).

use p256::ecdsa::{Signature as Ecdsa, VerifyingKey, signature::Verifier as _};
use ripemd::Ripemd160;
use sha2::{Digest, Sha256};

use crate::bytes::Bytes;
use crate::chain::current::{self, NONE};
use crate::fault::fault;
use crate::hash::{self, Hash160, PublicKey, Signature};
use crate::int::Int;

/// The contract, in script order.
pub const HASH: Hash160 = hash::hash160(
    b"\x1b\xf5\x75\xab\x11\x89\x68\x84\x13\x61\x0a\x35\xa1\x28\x86\xcd\xe0\xb6\x6c\x72",
);

/// `verify_with_ecdsa`: secp256r1 (P-256) over SHA-256.
pub const SECP256R1_SHA256: i64 = 23;
/// First four bytes of SHA-256 of `System.Crypto.CheckSig`.
const CHECK_SIG: [u8; 4] = [0x56, 0xe7, 0xb3, 0x27];

/// SHA-256.
#[must_use]
#[track_caller]
pub fn sha256(data: &Bytes) -> Bytes {
    current::require_call();
    let digest: [u8; 32] = Sha256::digest(data.as_slice()).into();
    Bytes::from(digest)
}

/// RIPEMD-160.
#[must_use]
#[track_caller]
pub fn ripemd160(data: &Bytes) -> Bytes {
    current::require_call();
    let digest: [u8; 20] = Ripemd160::digest(data.as_slice()).into();
    Bytes::from(digest)
}

/// RIPEMD-160 of SHA-256: how scripts become accounts.
#[must_use]
#[track_caller]
pub fn hash160(data: &Bytes) -> Hash160 {
    current::require_call();
    hash160_of(data.as_slice())
}

pub(crate) fn hash160_of(data: &[u8]) -> Hash160 {
    Hash160::unchecked(Ripemd160::digest(Sha256::digest(data)).into())
}

/// The account of a key: hash160 of the script that checks its signature. A key
/// that is no point of the curve is a fault.
#[must_use]
#[track_caller]
pub fn standard_account(key: &PublicKey) -> Hash160 {
    if VerifyingKey::from_sec1_bytes(key.as_bytes().as_slice()).is_err() {
        fault("invalid public key");
    }
    let mut script = vec![0x0c, 33];
    script.extend_from_slice(key.as_bytes().as_slice());
    script.push(0x41);
    script.extend_from_slice(&CHECK_SIG);
    hash160_of(&script)
}

/// Whether the signature is the key's over this transaction. A key that is no
/// point of the curve is a fault.
#[must_use]
#[track_caller]
pub fn check_sig(key: &PublicKey, signature: &Signature) -> bool {
    let message = current::with(NONE, |state| {
        let hash = state.transaction_hash().as_bytes();
        [state.network.to_le_bytes().as_slice(), hash.as_slice()].concat()
    });
    verify(&message, key, signature)
}

/// Whether the signature is the key's over the message. Natively only the
/// curve [`SECP256R1_SHA256`]; a key that is no point of the curve is a fault.
#[must_use]
#[track_caller]
pub fn verify_with_ecdsa(
    message: &Bytes,
    key: &PublicKey,
    signature: &Signature,
    curve: impl Into<Int>,
) -> bool {
    current::require_call();
    let curve = curve.into();
    if curve != SECP256R1_SHA256 {
        fault(format_args!(
            "curve {curve} is not available natively, only {SECP256R1_SHA256}"
        ));
    }
    verify(message.as_slice(), key, signature)
}

#[track_caller]
fn verify(message: &[u8], key: &PublicKey, signature: &Signature) -> bool {
    let Ok(key) = VerifyingKey::from_sec1_bytes(key.as_bytes().as_slice()) else {
        fault("invalid public key");
    };
    // r or s out of range makes a signature wrong, not the call.
    Ecdsa::from_slice(signature.as_bytes().as_slice())
        .is_ok_and(|signature| key.verify(message, &signature).is_ok())
}
