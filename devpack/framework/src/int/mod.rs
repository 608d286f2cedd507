//! [`Int`], the integer of NeoVM: 256 bits, signed, faulting on overflow.

mod ops;
#[cfg(test)]
mod tests;

use std::cmp::Ordering;
use std::fmt;

use ethnum::{I256, U256};

use crate::bytes::Bytes;
use crate::fault::fault;

/// Widest integer in bytes (NeoVM `MaxBigIntegerSizeBits` / 8).
pub const MAX_INT_BYTES: usize = 32;
/// Greatest shift and exponent (NeoVM `maxSHLArg`).
pub const MAX_SHIFT: i64 = 256;

/// A signed integer of 256 bits, −2^255 ..= 2^255−1. Whatever leaves that range
/// is a fault, as is a division by zero.
///
/// The fields are private but compared structurally, so a `const` of it can
/// stand in a pattern.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Int {
    hi: i128,
    lo: u128,
}

/// An [`Int`] of a literal or of a `const` of type `i64`.
#[must_use]
pub const fn int(value: i64) -> Int {
    Int::from_i128(value as i128)
}

impl Int {
    /// −2^255.
    pub const MIN: Int = Int {
        hi: i128::MIN,
        lo: 0,
    };
    /// 2^255 − 1.
    pub const MAX: Int = Int {
        hi: i128::MAX,
        lo: u128::MAX,
    };
    /// 0.
    pub const ZERO: Int = int(0);
    /// 1.
    pub const ONE: Int = int(1);

    /// From 128 bits (native code only; contracts write `int(5)`).
    #[must_use]
    pub const fn from_i128(value: i128) -> Int {
        Int {
            hi: if value < 0 { -1 } else { 0 },
            lo: value as u128,
        }
    }

    /// From an unsigned 64-bit number (native code only).
    #[must_use]
    pub const fn from_u64(value: u64) -> Int {
        Int {
            hi: 0,
            lo: value as u128,
        }
    }

    /// The number if it fits 128 bits (native code only).
    #[must_use]
    pub fn to_i128(self) -> Option<i128> {
        let low = self.lo as i128;
        (self.hi == if low < 0 { -1 } else { 0 }).then_some(low)
    }

    /// The number if it fits 64 bits (native code only).
    #[must_use]
    pub fn to_i64(self) -> Option<i64> {
        i64::try_from(self.to_i128()?).ok()
    }

    /// For a `match` only: the value, or the nearest one of an `i64`.
    #[must_use]
    pub fn small(self) -> i64 {
        self.to_i64()
            .unwrap_or(if self.hi < 0 { i64::MIN } else { i64::MAX })
    }

    /// The smaller of the two.
    #[must_use]
    pub fn min(self, other: impl Into<Int>) -> Int {
        let other = other.into();
        if other < self { other } else { self }
    }

    /// The greater of the two.
    #[must_use]
    pub fn max(self, other: impl Into<Int>) -> Int {
        let other = other.into();
        if other > self { other } else { self }
    }

    /// The absolute value; that of [`Int::MIN`] is a fault.
    #[must_use]
    #[track_caller]
    pub fn abs(self) -> Int {
        if self.hi < 0 { -self } else { self }
    }

    /// −1, 0 or 1.
    #[must_use]
    pub fn sign(self) -> Int {
        int(self.signum())
    }

    pub(crate) fn signum(self) -> i64 {
        match self.cmp(&Int::ZERO) {
            Ordering::Less => -1,
            Ordering::Equal => 0,
            Ordering::Greater => 1,
        }
    }

    /// `self` to the power of `exponent`, which is in 0..=256.
    #[must_use]
    #[track_caller]
    pub fn pow(self, exponent: impl Into<Int>) -> Int {
        let Some(exponent) = exponent.into().shift_count() else {
            fault("invalid exponent")
        };
        let mut result = I256::ONE;
        let base = self.wide();
        for _ in 0..exponent {
            match result.checked_mul(base) {
                Some(next) => result = next,
                None => overflow(),
            }
        }
        Int::narrow(result)
    }

    /// The square root, rounded down; of a negative number a fault.
    #[must_use]
    #[track_caller]
    pub fn sqrt(self) -> Int {
        if self.hi < 0 {
            fault("negative value");
        }
        let target = self.wide().as_u256();
        let mut root = U256::ZERO;
        // The root of 2^255 − 1 has 128 bits.
        for bit in (0..128u32).rev() {
            let candidate = root | (U256::ONE << bit);
            if candidate * candidate <= target {
                root = candidate;
            }
        }
        Int::narrow(root.as_i256())
    }

    /// `low <= self < high`, as WITHIN has it.
    #[must_use]
    pub fn within(self, low: impl Into<Int>, high: impl Into<Int>) -> bool {
        low.into() <= self && self < high.into()
    }

    /// Minimal little-endian two's complement; zero is empty.
    #[must_use]
    pub fn to_bytes(self) -> Bytes {
        Bytes::from(self.to_minimal_bytes())
    }

    /// [`Int::to_bytes`] as a plain vector.
    #[must_use]
    pub fn to_minimal_bytes(self) -> Vec<u8> {
        let full = self.wide().to_le_bytes();
        let filler = if self.hi < 0 { 0xff } else { 0 };
        let mut length = full
            .iter()
            .rposition(|byte| *byte != filler)
            .map_or(0, |at| at + 1);
        let sign_is_wrong = match full[..length].last() {
            Some(last) => (last & 0x80 != 0) != (self.hi < 0),
            None => self.hi < 0,
        };
        length += usize::from(sign_is_wrong);
        full[..length].to_vec()
    }

    /// Little-endian two's complement of at most 32 bytes; `None` if longer.
    #[must_use]
    pub fn from_le_bytes(bytes: &[u8]) -> Option<Int> {
        if bytes.len() > MAX_INT_BYTES {
            return None;
        }
        let negative = bytes.last().is_some_and(|last| last & 0x80 != 0);
        let mut full = [if negative { 0xff } else { 0 }; MAX_INT_BYTES];
        full[..bytes.len()].copy_from_slice(bytes);
        Some(Int::narrow(I256::from_le_bytes(full)))
    }

    /// The number if it can be a shift count or an exponent.
    pub(crate) fn shift_count(self) -> Option<u32> {
        let count = self.to_i64()?;
        (0..=MAX_SHIFT).contains(&count).then_some(count as u32)
    }

    /// The number if it can be an index or a count natively.
    pub(crate) fn to_index(self) -> Option<usize> {
        usize::try_from(self.to_i64()?).ok()
    }

    pub(crate) const fn wide(self) -> I256 {
        I256::from_words(self.hi, self.lo as i128)
    }

    pub(crate) const fn narrow(value: I256) -> Int {
        let (hi, lo) = value.into_words();
        Int { hi, lo: lo as u128 }
    }
}

#[cold]
#[track_caller]
fn overflow() -> ! {
    fault("integer overflow: the result does not fit 256 bits")
}

impl From<i64> for Int {
    fn from(value: i64) -> Int {
        int(value)
    }
}

impl PartialEq<i64> for Int {
    fn eq(&self, other: &i64) -> bool {
        *self == int(*other)
    }
}

impl PartialOrd<i64> for Int {
    fn partial_cmp(&self, other: &i64) -> Option<Ordering> {
        Some(self.cmp(&int(*other)))
    }
}

impl PartialOrd for Int {
    fn partial_cmp(&self, other: &Int) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Int {
    fn cmp(&self, other: &Int) -> Ordering {
        (self.hi, self.lo).cmp(&(other.hi, other.lo))
    }
}

impl fmt::Display for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.wide(), f)
    }
}

impl fmt::Debug for Int {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.wide(), f)
    }
}
