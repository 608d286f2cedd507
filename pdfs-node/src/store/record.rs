//! The bytes of a segment file: its header, then records one after another.
//!
//! Integers are little-endian. A record is a 112-byte header, the path from the block to the content's
//! root, and the body:
//!
//! | at | bytes | |
//! |---|---|---|
//! | 0 | 4 | magic `PHB1` |
//! | 4 | 4 | kind: 1 block, 2 link (no body: a known block is also in another content) |
//! | 8 | 4 | body length |
//! | 12 | 4 | CRC-32 of salt ‖ path ‖ body |
//! | 16 | 8 | size of the whole content |
//! | 24 | 8 | expiry of the content, Unix ms |
//! | 32 | 8 | index of the block in the content |
//! | 40 | 32 | content root |
//! | 72 | 32 | block id |
//! | 104 | 4 | hashes in the path, at most 22 |
//! | 108 | 4 | CRC-32 of salt ‖ the 108 bytes before |
//!
//! The salt is random per segment and never leaves the node, so that nobody can upload a body
//! which recovery could take for records.

use phantasma_wire::{
    Hash,
    merkle::{BLOCK_SIZE, MAX_BLOCK_PATH},
};

use super::types::{BlockId, Content, ContentRoot};

pub(super) const RECORD_MAGIC: [u8; 4] = *b"PHB1";
const SEGMENT_MAGIC: [u8; 8] = *b"PHSEG001";
pub(super) const HEADER_LEN: usize = 112;
pub(super) const SEGMENT_HEADER_LEN: usize = 32;
/// Bytes of the longest path.
pub(super) const MAX_PATH_LEN: usize = MAX_BLOCK_PATH * HASH_LEN;
const HASH_LEN: usize = 32;
/// Bytes of the longest record.
pub(super) const MAX_RECORD: usize = HEADER_LEN + MAX_PATH_LEN + BLOCK_SIZE;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Salt(pub(super) [u8; 16]);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Block,
    Link,
}

/// The CRC-32 of path and body before it is known in which segment, and so with which salt, they will lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PayloadSum {
    crc: u32,
    len: u64,
}

impl PayloadSum {
    pub(super) fn of(parts: &[&[u8]]) -> Self {
        let mut hasher = crc32fast::Hasher::new();
        parts.iter().for_each(|part| hasher.update(part));
        Self {
            crc: hasher.finalize(),
            len: parts.iter().map(|part| part.len() as u64).sum(),
        }
    }

    /// The CRC-32 of salt ‖ path ‖ body.
    fn salted(self, salt: &Salt) -> u32 {
        let mut hasher = crc32fast::Hasher::new();
        hasher.update(&salt.0);
        hasher.combine(&crc32fast::Hasher::new_with_initial_len(self.crc, self.len));
        hasher.finalize()
    }
}

/// A record without its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) path_count: u32,
    pub(super) body_len: u32,
    /// Of path and body.
    pub(super) payload_crc: u32,
    pub(super) content: Content,
    pub(super) index: u64,
    pub(super) id: BlockId,
}

impl Header {
    pub(super) fn new(
        kind: Kind,
        content: Content,
        index: u64,
        id: BlockId,
        path: &[Hash],
        body_len: usize,
        sum: PayloadSum,
        salt: &Salt,
    ) -> Self {
        // Paths and bodies are bounded far below 4 GiB; saturating would show as a bad length.
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        Self {
            kind,
            path_count: count(path.len()),
            body_len: count(body_len),
            payload_crc: sum.salted(salt),
            content,
            index,
            id,
        }
    }

    pub(super) fn path_len(&self) -> usize {
        self.path_count as usize * HASH_LEN
    }

    /// Path and body on disk.
    pub(super) fn payload_len(&self) -> usize {
        self.path_len() + self.body_len as usize
    }

    /// Header, path and body on disk.
    pub(super) fn record_len(&self) -> u64 {
        (HEADER_LEN + self.payload_len()) as u64
    }

    /// The path in a payload.
    pub(super) fn path(&self, payload: &[u8]) -> Vec<Hash> {
        let path = payload.get(..self.path_len()).unwrap_or_default();
        path.as_chunks().0.to_vec()
    }

    pub(super) fn encode(&self, salt: &Salt, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&RECORD_MAGIC);
        let kind: u32 = match self.kind {
            Kind::Block => 1,
            Kind::Link => 2,
        };
        out.extend_from_slice(&kind.to_le_bytes());
        out.extend_from_slice(&self.body_len.to_le_bytes());
        out.extend_from_slice(&self.payload_crc.to_le_bytes());
        out.extend_from_slice(&self.content.size.to_le_bytes());
        out.extend_from_slice(&self.content.expiry_ms.to_le_bytes());
        out.extend_from_slice(&self.index.to_le_bytes());
        out.extend_from_slice(&self.content.root.0);
        out.extend_from_slice(&self.id.0);
        out.extend_from_slice(&self.path_count.to_le_bytes());
        let sum = crc(salt, &[out.get(start..).unwrap_or_default()]);
        out.extend_from_slice(&sum.to_le_bytes());
    }

    /// Reads a header; `None` for anything that this segment did not get from [`Header::encode`].
    pub(super) fn decode(bytes: &[u8; HEADER_LEN], salt: &Salt) -> Option<Self> {
        let (fields, sum) = bytes.split_at(HEADER_LEN - 4);
        if fields.get(..4)? != RECORD_MAGIC || crc(salt, &[fields]).to_le_bytes() != sum {
            return None;
        }
        let u32_at = |at: usize| Some(u32::from_le_bytes(fields.get(at..at + 4)?.try_into().ok()?));
        let u64_at = |at: usize| Some(u64::from_le_bytes(fields.get(at..at + 8)?.try_into().ok()?));
        let id_at = |at: usize| <[u8; 32]>::try_from(fields.get(at..at + 32)?).ok();
        let header = Self {
            kind: match u32_at(4)? {
                1 => Kind::Block,
                2 => Kind::Link,
                _ => return None,
            },
            path_count: u32_at(104)?,
            body_len: u32_at(8)?,
            payload_crc: u32_at(12)?,
            content: Content {
                root: ContentRoot(id_at(40)?),
                size: u64_at(16)?,
                expiry_ms: u64_at(24)?,
            },
            index: u64_at(32)?,
            id: BlockId(id_at(72)?),
        };
        let fits =
            header.path_count as usize <= MAX_BLOCK_PATH && header.body_len as usize <= BLOCK_SIZE;
        fits.then_some(header)
    }

    pub(super) fn payload_is_whole(&self, salt: &Salt, payload: &[u8]) -> bool {
        payload.len() == self.payload_len() && crc(salt, &[payload]) == self.payload_crc
    }
}

/// The first bytes of a segment: magic, number, salt, checksum.
pub(super) fn encode_segment_header(number: u32, salt: &Salt) -> [u8; SEGMENT_HEADER_LEN] {
    let mut out = [0; SEGMENT_HEADER_LEN];
    out[..8].copy_from_slice(&SEGMENT_MAGIC);
    out[8..12].copy_from_slice(&number.to_le_bytes());
    out[12..28].copy_from_slice(&salt.0);
    let sum = crc32fast::hash(&out[..28]);
    out[28..].copy_from_slice(&sum.to_le_bytes());
    out
}

/// The salt of segment `number`, or `None` when this is not its header.
pub(super) fn decode_segment_header(number: u32, bytes: &[u8; SEGMENT_HEADER_LEN]) -> Option<Salt> {
    let salt = Salt(bytes.get(12..28)?.try_into().ok()?);
    (encode_segment_header(number, &salt) == *bytes).then_some(salt)
}

fn crc(salt: &Salt, parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&salt.0);
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SALT: Salt = Salt([7; 16]);

    fn header(body: &[u8]) -> Header {
        let content = Content {
            root: ContentRoot([1; 32]),
            size: 300_000,
            expiry_ms: 1_800_000_000_000,
        };
        Header::new(
            Kind::Block,
            content,
            1,
            BlockId([2; 32]),
            &[[3; 32]],
            body.len(),
            PayloadSum::of(&[&[3; 32], body]),
            &SALT,
        )
    }

    #[test]
    fn a_header_has_these_bytes() {
        let mut bytes = Vec::new();
        header(b"abc").encode(&SALT, &mut bytes);
        let expected = [
            "50484231",         // magic
            "01000000",         // block
            "03000000",         // body length
            "42d6690e",         // payload checksum
            "e093040000000000", // content size
            "00505c18a3010000", // expiry
            "0100000000000000", // index
            &"01".repeat(32),
            &"02".repeat(32),
            "01000000", // hashes in the path
        ]
        .concat();
        let text = hex::encode(&bytes);
        assert_eq!(text[..2 * 108], expected);
        assert_eq!(bytes.len(), HEADER_LEN);
    }

    proptest! {
        #[test]
        fn every_flipped_bit_of_a_record_is_found(
            body in prop::collection::vec(any::<u8>(), 1..200),
            bit in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            header(&body).encode(&SALT, &mut bytes);
            bytes.extend_from_slice(&[3; 32]);
            bytes.extend_from_slice(&body);
            let decode = |bytes: &[u8]| {
                let head = Header::decode(bytes[..HEADER_LEN].try_into().unwrap(), &SALT)?;
                head.payload_is_whole(&SALT, &bytes[HEADER_LEN..]).then_some(head)
            };
            prop_assert_eq!(decode(&bytes), Some(header(&body)));
            let bit = bit.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(decode(&bytes), None);
        }

        #[test]
        fn a_record_of_another_segment_is_not_taken(salt in any::<[u8; 16]>()) {
            prop_assume!(salt != SALT.0);
            let mut bytes = Vec::new();
            header(b"abc").encode(&Salt(salt), &mut bytes);
            let bytes: [u8; HEADER_LEN] = bytes.try_into().unwrap();
            prop_assert_eq!(Header::decode(&bytes, &SALT), None);
        }
    }
}
