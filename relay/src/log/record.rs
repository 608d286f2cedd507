//! One record of the log.
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | length of what follows the checksum |
//! | 4 | 4 | CRC-32 (IEEE) of what follows it |
//! | 8 | 8 | position |
//! | 16 | 8 | when the relay accepted it, Unix milliseconds |
//! | 24 | rest | the message, as `phantasma_wire::message` encodes it |
//!
//! Integers are little-endian. The checksum finds what a crash or a disk left half written; it is no protection
//! against people: the author's signature inside the message is.

use bytes::{Buf, BufMut, Bytes};
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;

/// Bytes before the message.
pub(super) const HEADER_LEN: usize = 24;

/// Bytes before what the checksum covers.
const PREFIX_LEN: usize = 8;

/// Shortest and longest value of the length field. The lower bound makes a run of zeros (which a crash can leave at
/// the end of a file) no record, although CRC-32 of nothing is zero.
const MIN_BODY: usize = HEADER_LEN - PREFIX_LEN + 1;
const MAX_BODY: usize = HEADER_LEN - PREFIX_LEN + <Message as Frame>::MAX_LEN;

/// A whole, checked record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) position: u64,
    pub(super) received_ms: u64,
    /// The message's encoding.
    pub(super) message: Bytes,
}

impl Record {
    /// Bytes on the disk.
    pub(super) fn len(&self) -> usize {
        HEADER_LEN + self.message.len()
    }

    /// Appends the encoding.
    pub(super) fn write(&self, to: &mut Vec<u8>) {
        let start = to.len();
        to.put_bytes(0, PREFIX_LEN);
        to.put_u64_le(self.position);
        to.put_u64_le(self.received_ms);
        to.put_slice(&self.message);
        let body = to.get(start + PREFIX_LEN..).unwrap_or_default();
        let len = u32::try_from(body.len()).unwrap_or(u32::MAX);
        let mut prefix = [0; PREFIX_LEN];
        let mut fields = prefix.as_mut_slice();
        fields.put_u32_le(len);
        fields.put_u32_le(crc32fast::hash(body));
        if let Some(place) = to.get_mut(start..start + PREFIX_LEN) {
            place.copy_from_slice(&prefix);
        }
    }

    /// The record at the front of `bytes`; `None` when there is no whole one with the right checksum.
    pub(super) fn parse(mut bytes: Bytes) -> Option<Record> {
        if bytes.len() < HEADER_LEN {
            return None;
        }
        let len = bytes.get_u32_le() as usize;
        let checksum = bytes.get_u32_le();
        if !(MIN_BODY..=MAX_BODY).contains(&len) || bytes.len() < len {
            return None;
        }
        let mut body = bytes.split_to(len);
        if crc32fast::hash(&body) != checksum {
            return None;
        }
        Some(Record {
            position: body.get_u64_le(),
            received_ms: body.get_u64_le(),
            message: body,
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_record_comes_back_as_it_was_written(
            position: u64, received_ms: u64, message in proptest::collection::vec(any::<u8>(), 1..300),
        ) {
            let record = Record { position, received_ms, message: message.into() };
            let mut bytes = Vec::new();
            record.write(&mut bytes);
            prop_assert_eq!(bytes.len(), record.len());
            bytes.extend_from_slice(b"what follows");
            prop_assert_eq!(Record::parse(bytes.into()), Some(record));
        }

        #[test]
        fn a_flipped_bit_or_a_missing_byte_is_no_record(
            message in proptest::collection::vec(any::<u8>(), 1..100), at: prop::sample::Index, bit in 0..8u32,
        ) {
            let mut bytes = Vec::new();
            Record { position: 7, received_ms: 8, message: message.into() }.write(&mut bytes);
            let at = at.index(bytes.len());
            prop_assert_eq!(Record::parse(Bytes::copy_from_slice(&bytes[..at])), None);
            bytes[at] ^= 1 << bit;
            prop_assert_eq!(Record::parse(bytes.into()), None);
        }
    }

    #[test]
    fn a_run_of_zeros_is_no_record() {
        assert_eq!(Record::parse(Bytes::from(vec![0; 4096])), None);
    }
}
