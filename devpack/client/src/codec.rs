//! Neo's binary primitives: little-endian numbers, variable-length counts, bounded byte strings.

/// What stopped a decoder, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("ends at byte {at}, where {what} should follow")]
    Truncated { at: usize, what: &'static str },
    #[error("{what} at byte {at} is {value}, allowed are at most {max}")]
    TooMany {
        at: usize,
        what: &'static str,
        value: u64,
        max: u64,
    },
    #[error("{what} at byte {at} is {found}, expected {expected}")]
    Unexpected {
        at: usize,
        what: &'static str,
        found: String,
        expected: String,
    },
    #[error("{count} bytes are left after the end, at byte {at}")]
    Trailing { at: usize, count: usize },
}

/// Reads from a slice and remembers where.
#[derive(Clone, Debug)]
pub(crate) struct Reader<'a> {
    data: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(data: &'a [u8]) -> Self {
        Self { data, at: 0 }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn take(
        &mut self,
        count: usize,
        what: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let end = self
            .at
            .checked_add(count)
            .filter(|end| *end <= self.data.len());
        let end = end.ok_or(DecodeError::Truncated {
            at: self.data.len(),
            what,
        })?;
        let taken = &self.data[self.at..end];
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(
        &mut self,
        what: &'static str,
    ) -> Result<[u8; N], DecodeError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N, what)?);
        Ok(bytes)
    }

    pub(crate) fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(what)?[0])
    }

    pub(crate) fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(crate) fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        self.array(what).map(u64::from_le_bytes)
    }

    /// A variable-length count of at most `max`.
    pub(crate) fn count(&mut self, max: usize, what: &'static str) -> Result<usize, DecodeError> {
        let at = self.at;
        let value = match self.u8(what)? {
            0xFD => u64::from(self.u16(what)?),
            0xFE => u64::from(self.u32(what)?),
            0xFF => self.u64(what)?,
            small => u64::from(small),
        };
        match usize::try_from(value) {
            Ok(count) if count <= max => Ok(count),
            _ => Err(DecodeError::TooMany {
                at,
                what,
                value,
                max: max as u64,
            }),
        }
    }

    /// A count, then so many bytes.
    pub(crate) fn bytes(
        &mut self,
        max: usize,
        what: &'static str,
    ) -> Result<&'a [u8], DecodeError> {
        let count = self.count(max, what)?;
        self.take(count, what)
    }

    /// UTF-8 text with its length in front.
    pub(crate) fn text(&mut self, max: usize, what: &'static str) -> Result<String, DecodeError> {
        let at = self.at;
        let bytes = self.bytes(max, what)?;
        String::from_utf8(bytes.to_vec())
            .map_err(|_| unexpected(at, what, &hex::encode(bytes), "UTF-8"))
    }

    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        let count = self.data.len() - self.at;
        if count == 0 {
            Ok(())
        } else {
            Err(DecodeError::Trailing { at: self.at, count })
        }
    }
}

pub(crate) fn unexpected(
    at: usize,
    what: &'static str,
    found: &str,
    expected: &str,
) -> DecodeError {
    DecodeError::Unexpected {
        at,
        what,
        found: found.to_owned(),
        expected: expected.to_owned(),
    }
}

/// Writes a variable-length count in its shortest form.
pub(crate) fn put_count(out: &mut Vec<u8>, count: usize) {
    let count = count as u64;
    match count {
        0..0xFD => out.push(count as u8),
        0xFD..=0xFFFF => {
            out.push(0xFD);
            out.extend_from_slice(&(count as u16).to_le_bytes());
        }
        0x1_0000..=0xFFFF_FFFF => {
            out.push(0xFE);
            out.extend_from_slice(&(count as u32).to_le_bytes());
        }
        _ => {
            out.push(0xFF);
            out.extend_from_slice(&count.to_le_bytes());
        }
    }
}

/// Writes a count and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, data: &[u8]) {
    put_count(out, data.len());
    out.extend_from_slice(data);
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn counts_take_one_three_five_or_nine_bytes() {
        for (count, expected) in [
            (0, "00"),
            (252, "fc"),
            (253, "fdfd00"),
            (65535, "fdffff"),
            (65536, "fe00000100"),
            (1 << 32, "ff0000000001000000"),
        ] {
            let mut out = Vec::new();
            put_count(&mut out, count);
            assert_eq!(hex::encode(&out), expected);
            assert_eq!(Reader::new(&out).count(usize::MAX, "count"), Ok(count));
        }
    }

    #[test]
    fn a_count_over_its_bound_is_refused_before_anything_is_read() {
        let error = Reader::new(&[0xFF; 9]).bytes(16, "script").unwrap_err();
        assert_eq!(
            error,
            DecodeError::TooMany {
                at: 0,
                what: "script",
                value: u64::MAX,
                max: 16
            }
        );
    }

    proptest! {
        #[test]
        fn bytes_round_trip_and_every_cut_is_noticed(data: Vec<u8>) {
            let mut out = Vec::new();
            put_bytes(&mut out, &data);
            let mut reader = Reader::new(&out);
            prop_assert_eq!(reader.bytes(data.len(), "data").unwrap(), data.as_slice());
            prop_assert!(reader.finish().is_ok());
            prop_assert!(Reader::new(&out[..out.len() - 1]).bytes(data.len(), "data").is_err());
        }
    }
}
