//! Byte strings of a fixed length: [`Hash160`], [`Hash256`], [`PublicKey`],
//! [`Signature`]. The bytes are in script order (little endian for hashes, the
//! reverse of what tools show after `0x`).

use std::fmt;

use crate::bytes::{Bytes, bytes};

macro_rules! fixed_bytes {
    ($(#[$doc:meta])* $name:ident, $length:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Bytes);

        impl $name {
            /// Number of bytes.
            pub const LENGTH: usize = $length;

            /// The value if the bytes have the right length (and form).
            #[must_use]
            pub fn from_bytes(bytes: Bytes) -> Option<$name> {
                let check: fn(&[u8]) -> bool = $check;
                let fits = bytes.as_slice().len() == $length && check(bytes.as_slice());
                fits.then_some($name(bytes))
            }

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> Bytes {
                self.0.clone()
            }

            /// The bytes as an array (native code only).
            #[must_use]
            pub fn to_array(&self) -> [u8; $length] {
                let mut array = [0; $length];
                array.copy_from_slice(self.0.as_slice());
                array
            }

            /// Takes bytes whose length is already known to be right.
            #[allow(dead_code)]
            pub(crate) fn unchecked(value: [u8; $length]) -> $name {
                $name(Bytes::from(value))
            }

            /// Takes bytes as a parameter's prologue does: only the length counts.
            pub(crate) fn of_length(bytes: Bytes) -> Option<$name> {
                (bytes.as_slice().len() == $length).then_some($name(bytes))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "("))?;
                for byte in self.0.as_slice() {
                    write!(f, "{byte:02x}")?;
                }
                f.write_str(")")
            }
        }
    };
}

fixed_bytes! {
    /// The hash of a script: an account or a contract.
    Hash160, 20, |_| true
}
fixed_bytes! {
    /// The hash of a block or a transaction.
    Hash256, 32, |_| true
}
fixed_bytes! {
    /// A compressed point of P-256 (prefix 02 or 03; not checked to be on the curve).
    PublicKey, 33, |key| matches!(key.first(), Some(2 | 3))
}
fixed_bytes! {
    /// An ECDSA signature, r ‖ s.
    Signature, 64, |_| true
}

/// A hash constant: `hash160(b"20 bytes")`.
#[must_use]
pub const fn hash160(value: &'static [u8; 20]) -> Hash160 {
    Hash160(bytes(value))
}

/// A hash constant: `hash256(b"32 bytes")`.
#[must_use]
pub const fn hash256(value: &'static [u8; 32]) -> Hash256 {
    Hash256(bytes(value))
}

impl Hash160 {
    /// Twenty zero bytes.
    #[must_use]
    pub const fn zero() -> Hash160 {
        hash160(&[0; 20])
    }
}

impl Hash256 {
    /// Thirty-two zero bytes.
    #[must_use]
    pub const fn zero() -> Hash256 {
        hash256(&[0; 32])
    }
}
