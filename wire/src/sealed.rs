//! A secret on its way to one reader: HPKE (RFC 9180) to the reader's Neo key, signed by the sender's.
//!
//! `PHS1` ‖ kind u8 ‖ sender 33 ‖ reader 33 ‖ encapsulated key 65 ‖ length u32 ‖ ciphertext ‖ signature 64. What stands
//! before the encapsulated key is HPKE's `info`, so that a secret never opens as another kind or from another sender.

use bytes::Bytes;

use crate::PublicKey;
use crate::codec::{DecodeError, Frame, Reader, Writer};
use crate::message::SIGNATURE_LEN;

/// First bytes of everything sealed; the last one is the version.
pub const MAGIC: [u8; 4] = *b"PHS1";

/// An uncompressed P-256 point.
pub const ENCAPSULATED_LEN: usize = 65;

/// The largest secret, a member's keys in the tallest tree, has 9,710 bytes, and the tag 16 more.
pub const MAX_CIPHERTEXT: usize = 16 * 1024;

/// What is sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SealedKind {
    /// A content's root and key.
    ContentKey,
    /// A member's keys of a group.
    MemberKey,
}

impl SealedKind {
    fn byte(self) -> u8 {
        match self {
            Self::ContentKey => 1,
            Self::MemberKey => 2,
        }
    }

    /// HPKE's `info`.
    pub fn info(self, sender: &PublicKey, reader: &PublicKey) -> Bytes {
        let mut writer = Writer::default();
        writer.raw(&MAGIC).u8(self.byte()).raw(sender).raw(reader);
        writer.finish()
    }
}

/// A sealed secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    pub kind: SealedKind,
    pub sender: PublicKey,
    pub reader: PublicKey,
    pub encapsulated: [u8; ENCAPSULATED_LEN],
    pub ciphertext: Bytes,
    pub signature: [u8; SIGNATURE_LEN],
}

impl Sealed {
    /// The bytes that the sender signs: all but the signature.
    pub fn signing_bytes(&self) -> Bytes {
        let mut writer = Writer::default();
        self.write_unsigned(&mut writer);
        writer.finish()
    }

    /// Whether `verify(key, signing bytes, signature)` accepts the sender's signature.
    pub fn is_signed(
        &self,
        verify: impl FnOnce(&PublicKey, &[u8], &[u8; SIGNATURE_LEN]) -> bool,
    ) -> bool {
        verify(&self.sender, &self.signing_bytes(), &self.signature)
    }

    fn write_unsigned(&self, to: &mut Writer) {
        to.raw(&self.kind.info(&self.sender, &self.reader))
            .raw(&self.encapsulated)
            .bytes(&self.ciphertext);
    }
}

impl Frame for Sealed {
    const MAX_LEN: usize = 4 + 1 + 33 + 33 + ENCAPSULATED_LEN + 4 + MAX_CIPHERTEXT + SIGNATURE_LEN;

    fn write(&self, to: &mut Writer) {
        self.write_unsigned(to);
        to.raw(&self.signature);
    }

    fn read(from: &mut Reader) -> Result<Self, DecodeError> {
        if from.array::<4>("sealed magic")? != MAGIC {
            return Err(DecodeError::Invalid {
                what: "sealed secret",
                reason: "does not start with PHS1",
            });
        }
        let what = "kind of secret";
        let kind = match from.u8(what)? {
            1 => SealedKind::ContentKey,
            2 => SealedKind::MemberKey,
            value => return Err(DecodeError::UnknownKind { what, value }),
        };
        Ok(Self {
            kind,
            sender: from.array("sender")?,
            reader: from.array("reader")?,
            encapsulated: from.array("encapsulated key")?,
            ciphertext: from.bytes("ciphertext", MAX_CIPHERTEXT)?,
            signature: from.array("signature")?,
        })
    }
}
