//! The header `Range` of HTTP (RFC 9110, section 14).

use std::ops::Range;

use axum::http::HeaderValue;

/// What a `Range` header asks for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// No range, or one that RFC 9110 lets a server ignore: another unit, several ranges, not a range at all.
    Whole,
    Part(Range<u64>),
    /// Past the end, or nothing.
    Outside,
}

impl Asked {
    pub(super) fn of(header: Option<&HeaderValue>, size: u64) -> Self {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_rfc_9110_says() {
        for (text, expected) in [
            ("bytes=0-0", Asked::Part(0..1)),
            ("bytes=0-", Asked::Part(0..100)),
            ("bytes=90-200", Asked::Part(90..100)),
            ("bytes=-10", Asked::Part(90..100)),
            ("bytes=-200", Asked::Part(0..100)),
            ("bytes=99-99", Asked::Part(99..100)),
            ("bytes=100-", Asked::Outside),
            ("bytes=100-200", Asked::Outside),
            ("bytes=-0", Asked::Outside),
            ("bytes=5-4", Asked::Whole),
            ("bytes=0-1,3-4", Asked::Whole),
            ("bytes=x-1", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("", Asked::Whole),
        ] {
            let header = HeaderValue::from_static(text);
            assert_eq!(Asked::of(Some(&header), 100), expected, "{text}");
        }
        assert_eq!(Asked::of(None, 100), Asked::Whole);
    }
}
