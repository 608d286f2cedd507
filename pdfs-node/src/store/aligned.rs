//! Memory and offsets as the disk wants them when it is written past the system's cache (`O_DIRECT`).

use bytes::Bytes;

/// Memory, offset and length of a direct write are multiples of this: the page of every usual system, and of every usual
/// disk a multiple of its sector.
pub(super) const ALIGN: usize = 4096;

/// The multiple of [`ALIGN`] at or below `offset`.
pub(super) fn floor(offset: u64) -> u64 {
    offset - offset % ALIGN as u64
}

/// The multiple of [`ALIGN`] at or above `offset`.
pub(super) fn ceil(offset: u64) -> u64 {
    offset.next_multiple_of(ALIGN as u64)
}

/// Bytes that begin at a multiple of [`ALIGN`] in memory. Pages that are never written to take no memory.
pub(super) struct Buffer {
    memory: Vec<u8>,
    /// Where the aligned bytes begin.
    start: usize,
    len: usize,
}

impl Buffer {
    /// Room for so many bytes, filled up to a multiple of [`ALIGN`].
    pub(super) fn new(capacity: usize) -> Self {
        let memory = vec![0; capacity.next_multiple_of(ALIGN) + ALIGN];
        let start = memory.as_ptr().align_offset(ALIGN);
        Self {
            memory,
            // A system that cannot say gets memory that is not aligned, which a write without `O_DIRECT` does not mind.
            start: if start < ALIGN { start } else { 0 },
            len: 0,
        }
    }

    pub(super) fn clear(&mut self) {
        self.len = 0;
    }

    /// Bytes that still fit.
    pub(super) fn room(&self) -> usize {
        self.memory.len() - ALIGN - self.len
    }

    /// Adds bytes; `false`, and nothing added, when they do not fit.
    #[must_use]
    pub(super) fn push(&mut self, bytes: &[u8]) -> bool {
        let at = self.start + self.len;
        let fits = bytes.len() <= self.room();
        if fits && let Some(place) = self.memory.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
            self.len += bytes.len();
        }
        fits
    }

    /// The bytes `from` to `to`, for reading into.
    pub(super) fn place(&mut self, from: usize, to: usize) -> Option<&mut [u8]> {
        self.memory.get_mut(self.start + from..self.start + to)
    }

    /// The `len` bytes from `from` on, without copying them.
    pub(super) fn into_bytes(self, from: usize, len: usize) -> Bytes {
        let from = (self.start + from).min(self.memory.len());
        let to = (from + len).min(self.memory.len());
        Bytes::from(self.memory).slice(from..to)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        let end = self.start + self.len;
        self.memory.get(self.start..end).unwrap_or_default()
    }

    /// What was added, with zeros up to a multiple of [`ALIGN`].
    pub(super) fn padded(&mut self) -> &[u8] {
        let (end, padded) = (self.len, self.len.next_multiple_of(ALIGN));
        let (from, to) = (self.start + end, self.start + padded);
        if let Some(rest) = self.memory.get_mut(from..to) {
            rest.fill(0);
        }
        self.memory.get(self.start..to).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_is_aligned_and_padded_with_zeros_also_when_used_again() {
        let mut buffer = Buffer::new(3 * ALIGN - 1);
        assert_eq!(buffer.room(), 3 * ALIGN);
        assert!(buffer.push(&[7; 2 * ALIGN]));
        assert!(!buffer.push(&[7; ALIGN + 1]), "it does not fit");
        assert_eq!(buffer.bytes(), [7; 2 * ALIGN]);
        buffer.clear();
        assert!(buffer.push(&[8; 5]));
        assert_eq!(buffer.padded().as_ptr().align_offset(ALIGN), 0);
        assert_eq!(buffer.padded().len(), ALIGN);
        assert!(buffer.padded().iter().skip(5).all(|byte| *byte == 0));
        assert_eq!(buffer.bytes(), [8; 5]);
        if let Some(place) = buffer.place(2, 5) {
            place.fill(9);
        }
        assert!(buffer.place(0, 9 * ALIGN).is_none());
        assert_eq!(*buffer.into_bytes(1, 4), [8, 9, 9, 9]);
    }

    #[test]
    fn offsets_go_to_the_block_they_lie_in() {
        let block = ALIGN as u64;
        for (offset, below, above) in [(0, 0, 0), (1, 0, block), (block, block, block)] {
            assert_eq!((floor(offset), ceil(offset)), (below, above));
        }
    }
}
