//! A message to a box, signed by its author's Neo key.
//!
//! The contract and the relay check the same signature over the same bytes:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | `PHM1` |
//! | 4 | 4 | network magic |
//! | 8 | 20 | contract hash, script order |
//! | 28 | 33 | author's compressed public key |
//! | 61 | 8 | box |
//! | 69 | 8 | sequence |
//! | 77 | 8 | time, Unix milliseconds |
//! | 85 | 1 | class |
//! | 86 | rest | payload: a content script of the sub-VM |
//!
//! On the wire the 64 bytes of the signature (r ‖ s, ECDSA P-256 over one SHA-256) come first, then these bytes. When
//! the signature is one of a whole batch, the message's place in the batch stands between the two: see
//! [`crate::batch`].

use bytes::{BufMut, Bytes};
use sha2::{Digest, Sha256};

use crate::batch::Place;
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::{Hash, PublicKey};

/// First bytes of every message that is signed: no other thing signed by a Neo key starts with them.
pub const MAGIC: [u8; 4] = *b"PHM1";

/// Largest payload: a transaction script holds at most 65,536 bytes, and the call around the payload (signature,
/// key, numbers, method, hash) takes about 300.
pub const MAX_PAYLOAD: usize = 60 * 1024;

/// Bytes of a signed message before its payload.
pub const HEADER_LEN: usize = 86;

/// Bytes of a signature: r ‖ s.
pub const SIGNATURE_LEN: usize = 64;

/// What the author asks the relay to do with a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Deliver to whoever listens now. May be dropped for a slow reader.
    Ephemeral,
    /// Keep in the relay's log as well, for subscribers that come later.
    Durable,
    /// Write into the box on the chain as well.
    OnChain,
}

impl Class {
    /// The byte in the signed bytes and on the wire.
    pub fn to_byte(self) -> u8 {
        match self {
            Class::Ephemeral => 0,
            Class::Durable => 1,
            Class::OnChain => 2,
        }
    }

    pub fn from_byte(value: u8) -> Result<Self, DecodeError> {
        match value {
            0 => Ok(Class::Ephemeral),
            1 => Ok(Class::Durable),
            2 => Ok(Class::OnChain),
            value => Err(DecodeError::UnknownKind {
                what: "class",
                value,
            }),
        }
    }
}

/// What the author signs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unsigned {
    /// Network magic of the Neo chain.
    pub network: u32,
    /// Hash of the contract in script order (little-endian), not in display order.
    pub contract: [u8; 20],
    pub author: PublicKey,
    pub box_id: u64,
    /// Strictly rising for each author and box; it is what the contract refuses replays by.
    pub sequence: u64,
    /// Unix time in milliseconds.
    pub time_ms: u64,
    pub class: Class,
    /// At most [`MAX_PAYLOAD`] bytes.
    pub payload: Bytes,
}

impl Unsigned {
    /// The bytes to sign, in the layout of this module's table.
    pub fn signing_bytes(&self) -> Bytes {
        let mut writer = Writer::default();
        self.write_to(&mut writer);
        writer.finish()
    }

    /// SHA-256 of the signing bytes.
    pub fn id(&self) -> Hash {
        let hash = Sha256::new().chain_update(self.header());
        hash.chain_update(&self.payload).finalize().into()
    }

    /// Signs with `sign`, which hashes once with SHA-256. A payload over the limit is refused.
    pub fn sign(
        self,
        sign: impl FnOnce(&[u8]) -> [u8; SIGNATURE_LEN],
    ) -> Result<Message, DecodeError> {
        self.check_payload()?;
        let signature = sign(&self.signing_bytes());
        Ok(Message {
            body: self,
            signature,
            batch: None,
        })
    }

    /// Bytes of [`Unsigned::signing_bytes`].
    pub fn signed_len(&self) -> usize {
        HEADER_LEN + self.payload.len()
    }

    pub(crate) fn check_payload(&self) -> Result<(), DecodeError> {
        match self.payload.len() {
            len if len > MAX_PAYLOAD => Err(DecodeError::TooLong {
                what: "payload",
                len,
                max: MAX_PAYLOAD,
            }),
            _ => Ok(()),
        }
    }

    pub(crate) fn write_to(&self, to: &mut Writer) {
        to.raw(&self.header()).raw(&self.payload);
    }

    /// Reads signing bytes: all that is left.
    pub(crate) fn read_from(mut from: Reader) -> Result<Self, DecodeError> {
        if from.array::<4>("message magic")? != MAGIC {
            return Err(DecodeError::Invalid {
                what: "message",
                reason: "does not start with PHM1",
            });
        }
        let body = Unsigned {
            network: from.u32("network")?,
            contract: from.array("contract")?,
            author: from.array("author")?,
            box_id: from.u64("box")?,
            sequence: from.u64("sequence")?,
            time_ms: from.u64("time")?,
            class: Class::from_byte(from.u8("class")?)?,
            payload: from.rest(),
        };
        body.check_payload()?;
        Ok(body)
    }

    /// Everything before the payload, on the stack: a relay and its subscribers hash it for each message.
    fn header(&self) -> [u8; HEADER_LEN] {
        let mut header = [0; HEADER_LEN];
        let mut left = header.as_mut_slice();
        left.put_slice(&MAGIC);
        left.put_u32_le(self.network);
        left.put_slice(&self.contract);
        left.put_slice(&self.author);
        left.put_u64_le(self.box_id);
        left.put_u64_le(self.sequence);
        left.put_u64_le(self.time_ms);
        left.put_u8(self.class.to_byte());
        header
    }
}

/// A message with its signature, which may or may not be right: see [`Message::is_signed`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub body: Unsigned,
    /// Of the message, or of the batch that it belongs to.
    pub signature: [u8; SIGNATURE_LEN],
    /// Where the message stands in a batch that was signed as a whole.
    pub batch: Option<Place>,
}

impl Message {
    /// Longest encoding.
    pub const MAX_LEN: usize = SIGNATURE_LEN + Place::MAX_LEN + HEADER_LEN + MAX_PAYLOAD;

    /// SHA-256 of the signing bytes. The signature is no part of it: ECDSA accepts two for each message, and a message
    /// is the same one whether it was signed alone or in a batch.
    pub fn id(&self) -> Hash {
        self.body.id()
    }

    /// Whether `verify(author, signed bytes, signature)` accepts the signature. A message of a batch costs a few hashes
    /// and the batch's signature; [`crate::batch::VerifiedRoots`] saves all but the first signature of a batch.
    pub fn is_signed(
        &self,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        let author = &self.body.author;
        match &self.batch {
            None => verify(author, &self.body.signing_bytes(), &self.signature),
            Some(place) => place
                .signed_bytes(self.id())
                .is_ok_and(|bytes| verify(author, &bytes, &self.signature)),
        }
    }

    /// Bytes of the encoding, without the length in front of it.
    pub fn encoded_len(&self) -> usize {
        let place = self.batch.as_ref().map_or(0, Place::encoded_len);
        SIGNATURE_LEN + place + self.body.signed_len()
    }
}

/// Inside another frame a message is length-prefixed, because its payload has no length of its own.
impl Frame for Message {
    const MAX_LEN: usize = 4 + Message::MAX_LEN;

    fn write(&self, to: &mut Writer) {
        to.u32(u32::try_from(self.encoded_len()).unwrap_or(u32::MAX))
            .raw(&self.signature);
        if let Some(place) = &self.batch {
            place.write_to(to);
        }
        self.body.write_to(to);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        let mut inner = Reader::new(from.bytes("message", Message::MAX_LEN)?);
        Ok(Message {
            signature: inner.array("signature")?,
            batch: Place::read_from(&mut inner)?,
            body: Unsigned::read_from(inner)?,
        })
    }
}
