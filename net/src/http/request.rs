//! What several services read from a request: one range of bytes, and whether a shown token is the right one.

use std::ops::Range;

use axum::http::HeaderValue;

/// What a `Range` header asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AskedRange {
    /// No range, or one that RFC 9110 lets a server ignore: another unit, several ranges, not a range at all.
    Whole,
    /// These bytes.
    Part(Range<u64>),
    /// Past the end, or nothing.
    Outside,
}

impl AskedRange {
    /// Of a content of `size` bytes.
    pub fn of(header: Option<&HeaderValue>, size: u64) -> Self {
        let text = header.and_then(|header| header.to_str().ok());
        text.and_then(|text| Self::read(text, size))
            .unwrap_or(Self::Whole)
    }

    /// RFC 9110, section 14.1.2.
    fn read(text: &str, size: u64) -> Option<Self> {
        let (first, last) = text.strip_prefix("bytes=")?.split_once('-')?;
        let range = match (first.trim(), last.trim()) {
            ("", suffix) => size.saturating_sub(suffix.parse().ok()?)..size,
            (first, "") => first.parse().ok()?..size,
            (first, last) => {
                let (first, last) = (first.parse().ok()?, last.parse::<u64>().ok()?);
                // A last byte before the first is no range.
                let last = Some(last).filter(|last| *last >= first)?;
                first..last.saturating_add(1).min(size)
            }
        };
        Some(match range.start < range.end {
            true => Self::Part(range),
            false => Self::Outside,
        })
    }
}

/// Compares all of both, so that the time does not tell how much of a token was right.
#[must_use]
pub fn same_secret(token: &[u8], shown: &[u8]) -> bool {
    let differ = token.iter().zip(shown).fold(0, |sum, (a, b)| sum | (a ^ b));
    token.len() == shown.len() && differ == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (text, expected) in [
            ("bytes=0-0", AskedRange::Part(0..1)),
            ("bytes=0-", AskedRange::Part(0..100)),
            ("bytes=90-200", AskedRange::Part(90..100)),
            ("bytes=-10", AskedRange::Part(90..100)),
            ("bytes=-200", AskedRange::Part(0..100)),
            ("bytes=99-99", AskedRange::Part(99..100)),
            ("bytes=100-", AskedRange::Outside),
            ("bytes=100-200", AskedRange::Outside),
            ("bytes=-0", AskedRange::Outside),
            ("bytes=5-4", AskedRange::Whole),
            ("bytes=0-1,3-4", AskedRange::Whole),
            ("bytes=x-1", AskedRange::Whole),
            ("items=0-1", AskedRange::Whole),
            ("", AskedRange::Whole),
        ] {
            let header = HeaderValue::from_static(text);
            assert_eq!(AskedRange::of(Some(&header), 100), expected, "{text}");
        }
        assert_eq!(AskedRange::of(None, 100), AskedRange::Whole);
    }

    #[test]
    fn a_token_is_compared_whole() {
        assert!(same_secret(b"secret", b"secret"));
        for wrong in ["", "secre", "secret2", "Secret"] {
            assert!(!same_secret(b"secret", wrong.as_bytes()), "{wrong}");
        }
    }
}
