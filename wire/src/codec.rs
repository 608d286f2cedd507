//! Bounded reading and writing of frames.
//!
//! Integers are little-endian, as everywhere in Neo. Variable parts carry their length in front of them, and the
//! reader is told the largest it accepts, so that no length from outside decides how much memory is taken.

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// Why bytes are not the frame they should be. Fields are the offending values.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("{what}: {needed} bytes needed, {left} left")]
    Truncated {
        what: &'static str,
        needed: usize,
        left: usize,
    },
    #[error("{what}: {len} is over the limit of {max}")]
    TooLong {
        what: &'static str,
        len: usize,
        max: usize,
    },
    #[error("{left} bytes after the end of the frame")]
    Trailing { left: usize },
    #[error("{what}: no kind {value}")]
    UnknownKind { what: &'static str, value: u8 },
    #[error("protocol version {got}; this program speaks {expected}")]
    Version { got: u8, expected: u8 },
    #[error("{what}: not UTF-8")]
    NotText { what: &'static str },
    #[error("{what}: {reason}")]
    Invalid {
        what: &'static str,
        reason: &'static str,
    },
}

/// Something with one encoding.
pub trait Frame: Sized {
    /// No encoding is longer; a transport refuses longer ones before it reads them.
    const MAX_LEN: usize;

    /// Appends the encoding.
    fn write(&self, to: &mut Writer);

    /// Reads one value and leaves what follows.
    fn read(from: &mut Reader) -> Result<Self, DecodeError>;

    /// The encoding by itself.
    fn encode(&self) -> Bytes {
        let mut writer = Writer::default();
        self.write(&mut writer);
        writer.finish()
    }

    /// The encoding in two pieces, the second of which may be a large part that is not copied.
    fn encode_parts(&self) -> (Bytes, Bytes) {
        (self.encode(), Bytes::new())
    }

    /// The value that `bytes` is the whole encoding of. Takes no copy of large parts.
    fn decode(bytes: Bytes) -> Result<Self, DecodeError> {
        if bytes.len() > Self::MAX_LEN {
            return Err(DecodeError::TooLong {
                what: "frame",
                len: bytes.len(),
                max: Self::MAX_LEN,
            });
        }
        let mut reader = Reader::new(bytes);
        let value = Self::read(&mut reader)?;
        reader.end()?;
        Ok(value)
    }
}

/// Reads from the front of a buffer; every method names what it reads, for the error.
#[derive(Debug)]
pub struct Reader {
    left: Bytes,
}

impl Reader {
    /// A reader of all of `bytes`.
    pub fn new(bytes: Bytes) -> Self {
        Self { left: bytes }
    }

    /// Takes the next `count` bytes without copying them.
    pub fn take(&mut self, what: &'static str, count: usize) -> Result<Bytes, DecodeError> {
        if count > self.left.len() {
            return Err(DecodeError::Truncated {
                what,
                needed: count,
                left: self.left.len(),
            });
        }
        Ok(self.left.split_to(count))
    }

    /// A fixed number of bytes.
    pub fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        if N > self.left.len() {
            return Err(DecodeError::Truncated {
                what,
                needed: N,
                left: self.left.len(),
            });
        }
        let mut array = [0; N];
        self.left.copy_to_slice(&mut array);
        Ok(array)
    }

    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(u8::from_le_bytes(self.array(what)?))
    }

    pub fn u16(&mut self, what: &'static str) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array(what)?))
    }

    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    /// 0 or 1; anything else is refused, so that a value has one encoding only.
    pub fn bool(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::UnknownKind { what, value }),
        }
    }

    /// A `u32` length of at most `max`, then that many bytes.
    pub fn bytes(&mut self, what: &'static str, max: usize) -> Result<Bytes, DecodeError> {
        let len = self.u32(what)? as usize;
        if len > max {
            return Err(DecodeError::TooLong { what, len, max });
        }
        self.take(what, len)
    }

    /// As [`Reader::bytes`], and UTF-8.
    pub fn text(&mut self, what: &'static str, max: usize) -> Result<String, DecodeError> {
        let bytes = self.bytes(what, max)?;
        String::from_utf8(bytes.into()).map_err(|_| DecodeError::NotText { what })
    }

    /// A `u16` count of at most `max`, then that many items. Grows with what is really there, not with the count.
    pub fn list<T>(
        &mut self,
        what: &'static str,
        max: usize,
        mut item: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Vec<T>, DecodeError> {
        let count = usize::from(self.u16(what)?);
        if count > max {
            return Err(DecodeError::TooLong {
                what,
                len: count,
                max,
            });
        }
        let mut items = Vec::new();
        for _ in 0..count {
            items.push(item(self)?);
        }
        Ok(items)
    }

    /// The protocol version byte in front of every frame.
    pub fn version(&mut self, expected: u8) -> Result<(), DecodeError> {
        match self.u8("version")? {
            got if got == expected => Ok(()),
            got => Err(DecodeError::Version { got, expected }),
        }
    }

    /// Everything that is left.
    pub fn rest(&mut self) -> Bytes {
        std::mem::take(&mut self.left)
    }

    /// Nothing may follow.
    pub fn end(self) -> Result<(), DecodeError> {
        match self.left.len() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { left }),
        }
    }

    /// Whether the next bytes are these.
    pub fn starts_with(&self, bytes: &[u8]) -> bool {
        self.left.starts_with(bytes)
    }

    /// Bytes that are left.
    pub fn left(&self) -> usize {
        self.left.len()
    }
}

/// Appends to a buffer. Lengths are not checked here: the types that are written keep their own bounds.
#[derive(Debug, Default)]
pub struct Writer {
    buffer: BytesMut,
}

impl Writer {
    /// A writer that has room for so many bytes before it takes more memory.
    pub fn with_capacity(bytes: usize) -> Self {
        Self {
            buffer: BytesMut::with_capacity(bytes),
        }
    }

    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.buffer.put_u8(value);
        self
    }

    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.buffer.put_u16_le(value);
        self
    }

    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.buffer.put_u32_le(value);
        self
    }

    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.buffer.put_u64_le(value);
        self
    }

    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.u8(u8::from(value))
    }

    /// Bytes whose length the reader knows.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.buffer.put_slice(bytes);
        self
    }

    /// A `u32` length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes_len(bytes).raw(bytes)
    }

    /// The length in front of bytes that are sent as a piece of their own.
    pub fn bytes_len(&mut self, bytes: &[u8]) -> &mut Self {
        self.u32(u32::try_from(bytes.len()).unwrap_or(u32::MAX))
    }

    /// Text of at most `max` bytes: a longer one is cut at a character border.
    pub fn text(&mut self, text: &str, max: usize) -> &mut Self {
        let mut end = text.len().min(max);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        self.bytes(text.as_bytes().get(..end).unwrap_or_default())
    }

    /// A `u16` count, then the items; only the first `max` are written.
    pub fn list<T>(
        &mut self,
        items: &[T],
        max: usize,
        mut item: impl FnMut(&mut Self, &T),
    ) -> &mut Self {
        let count = items.len().min(max).min(usize::from(u16::MAX));
        self.u16(u16::try_from(count).unwrap_or(u16::MAX));
        for one in items.iter().take(count) {
            item(self, one);
        }
        self
    }

    /// What has been written.
    pub fn finish(self) -> Bytes {
        self.buffer.freeze()
    }
}
