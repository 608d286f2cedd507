//! Times and spans as people write them.

/// A day in ms.
const DAY_MS: u64 = 86_400_000;

/// Units of a span, in ms.
const UNITS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1000),
    ("min", 60_000),
    ("h", 3_600_000),
    ("d", DAY_MS),
];

/// Why a text is no span of time.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" is not a span of time; write it like \"5 min\", with ms, s, min, h or d")]
pub struct SpanError {
    text: String,
}

/// Parses a span like `5 min` or `30d` into ms.
pub fn parse_span(text: &str) -> Result<u64, SpanError> {
    let error = || SpanError {
        text: text.to_owned(),
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let unit = unit.trim_start_matches(' ');
    let (_, ms) = UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .ok_or_else(error)?;
    let number: u64 = number.parse().map_err(|_| error())?;
    number.checked_mul(*ms).ok_or_else(error)
}

/// A Unix time in ms as `2026-11-25 15:04:37 UTC`.
pub fn show_utc(ms: u64) -> String {
    let (mut days, seconds) = (ms / DAY_MS, ms % DAY_MS / 1000);
    // Whole cycles of 400 years first, so that the loops below are short for any number.
    let mut year = 1970 + days / DAYS_OF_400_YEARS * 400;
    days %= DAYS_OF_400_YEARS;
    while days >= days_of_year(year) {
        days -= days_of_year(year);
        year += 1;
    }
    let mut month = 1;
    while days >= days_of_month(year, month) {
        days -= days_of_month(year, month);
        month += 1;
    }
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let day = days + 1;
    format!("{year}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02} UTC")
}

const DAYS_OF_400_YEARS: u64 = 146_097;

fn is_leap(year: u64) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn days_of_year(year: u64) -> u64 {
    if is_leap(year) { 366 } else { 365 }
}

fn days_of_month(year: u64, month: u64) -> u64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn spans_are_read_as_written() {
        for (text, ms) in [
            ("5 min", 300_000),
            ("30d", 2_592_000_000),
            ("1500 ms", 1500),
            ("120 s", 120_000),
            ("0 d", 0),
        ] {
            assert_eq!(parse_span(text).unwrap(), ms, "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused_by_name() {
        for text in [
            "",
            "5",
            "min",
            "-5 min",
            "5 months",
            "1.5 h",
            " 5 min",
            "99999999999999999999 s",
            "999999999999999999 d",
        ] {
            let error = parse_span(text).unwrap_err().to_string();
            assert!(error.contains(&format!("\"{text}\"")), "{error}");
        }
    }

    #[test]
    fn times_are_shown_as_the_calendar_has_them() {
        for (ms, shown) in [
            (0, "1970-01-01 00:00:00 UTC"),
            (951_782_400_000, "2000-02-29 00:00:00 UTC"),
            (1_764_083_077_123, "2025-11-25 15:04:37 UTC"),
            (4_107_542_399_999, "2100-02-28 23:59:59 UTC"),
            (4_107_542_400_000, "2100-03-01 00:00:00 UTC"),
        ] {
            assert_eq!(show_utc(ms), shown);
        }
    }
}
