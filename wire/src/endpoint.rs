//! Where a node's data plane listens, signed by the node's Neo key and kept in the network's distributed hash table.
//!
//! Signed bytes: `PHE1` ‖ public key 33 ‖ time u64 (Unix milliseconds) ‖ length u32 ‖ `host:port`. The encoding is
//! these bytes, then the 64 bytes of the signature.

use bytes::Bytes;

use crate::PublicKey;
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::SIGNATURE_LEN;
use crate::pdfs::MAX_ADDRESS;

/// First bytes of every record that is signed.
pub const MAGIC: [u8; 4] = *b"PHE1";

/// A node's own statement about its address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointRecord {
    pub public_key: PublicKey,
    /// When it was signed, Unix milliseconds. Of two records of a node the later one counts.
    pub time_ms: u64,
    /// `host:port` of the data plane.
    pub address: String,
    pub signature: [u8; SIGNATURE_LEN],
}

impl EndpointRecord {
    /// Signs with `sign`, which hashes once with SHA-256. An address over [`MAX_ADDRESS`] bytes is refused.
    pub fn sign(
        public_key: PublicKey,
        time_ms: u64,
        address: String,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LEN],
    ) -> Result<Self, DecodeError> {
        if address.len() > MAX_ADDRESS {
            return Err(DecodeError::TooLong {
                what: "address",
                len: address.len(),
                max: MAX_ADDRESS,
            });
        }
        let mut record = Self {
            public_key,
            time_ms,
            address,
            signature: [0; SIGNATURE_LEN],
        };
        record.signature = sign(&record.signing_bytes());
        Ok(record)
    }

    /// The bytes to sign.
    pub fn signing_bytes(&self) -> Bytes {
        let mut writer = Writer::default();
        writer
            .raw(&MAGIC)
            .raw(&self.public_key)
            .u64(self.time_ms)
            .text(&self.address, MAX_ADDRESS);
        writer.finish()
    }

    /// Whether `verify(key, signing bytes, signature)` accepts the signature.
    pub fn is_signed(
        &self,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        verify(&self.public_key, &self.signing_bytes(), &self.signature)
    }
}

impl Frame for EndpointRecord {
    const MAX_LEN: usize = 4 + 33 + 8 + 4 + MAX_ADDRESS + SIGNATURE_LEN;

    fn write(&self, to: &mut Writer) {
        to.raw(&self.signing_bytes()).raw(&self.signature);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.array::<4>("record magic")? != MAGIC {
            return Err(DecodeError::Invalid {
                what: "endpoint record",
                reason: "does not start with PHE1",
            });
        }
        Ok(Self {
            public_key: from.array("public key")?,
            time_ms: from.u64("time")?,
            address: from.text("address", MAX_ADDRESS)?,
            signature: from.array("signature")?,
        })
    }
}
