//! Laws that more than one file of tests holds frames to.

use std::fmt::Debug;

use bytes::Bytes;
use phantasma_wire::codec::{DecodeError, Frame};
use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

/// What must hold for every valid frame.
pub(crate) fn laws<T: Frame + Debug + PartialEq>(
    value: &T,
    flip: usize,
    cut: usize,
) -> Result<(), TestCaseError> {
    let encoded = value.encode();
    prop_assert!(encoded.len() <= T::MAX_LEN);
    prop_assert_eq!(&T::decode(encoded.clone()).unwrap(), value);

    // Truncated anywhere: an error. Only a message ends in bytes without a length, but it has one around it.
    prop_assert!(T::decode(encoded.slice(..cut % encoded.len())).is_err());

    let longer = Bytes::from([&encoded[..], &[0]].concat());
    prop_assert_eq!(T::decode(longer), Err(DecodeError::Trailing { left: 1 }));

    // Flipped anywhere: an error or another value, whose encoding is then exactly these bytes.
    let mut flipped = encoded.to_vec();
    let bit = flip % (flipped.len() * 8);
    flipped[bit / 8] ^= 1 << (bit % 8);
    if let Ok(other) = T::decode(Bytes::from(flipped.clone())) {
        prop_assert_ne!(&other, value);
        prop_assert_eq!(&other.encode()[..], &flipped[..]);
    }
    Ok(())
}
