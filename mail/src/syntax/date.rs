//! Dates of mail: RFC 5322 in headers, IMAP's `date` and `date-time`. All in seconds since 1970, UTC.

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

const DAY: i64 = 86_400;

/// Days since 1970 of a date of the Gregorian calendar; months count from 1.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years begin in March here, so that the leap day is the last.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month from 1, day of a day since 1970.
fn date(days: i64) -> (i64, usize, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

fn month_name(month: usize) -> &'static str {
    MONTHS.get(month.wrapping_sub(1)).copied().unwrap_or("Jan")
}

/// `Wed, 25 Nov 2026 18:30:00 +0000`.
pub fn rfc5322(seconds: i64) -> String {
    let day = seconds.div_euclid(DAY);
    let name = usize::try_from(day.rem_euclid(7)).unwrap_or(0);
    let (year, month, of_month) = date(day);
    format!(
        "{}, {of_month} {} {year:04} {} +0000",
        DAYS.get(name).copied().unwrap_or("Thu"),
        month_name(month),
        clock(seconds)
    )
}

/// `25-Nov-2026 18:30:00 +0000`, as IMAP's INTERNALDATE.
pub fn internal(seconds: i64) -> String {
    let (year, month, day) = date(seconds.div_euclid(DAY));
    format!(
        "{day:2}-{}-{year:04} {} +0000",
        month_name(month),
        clock(seconds)
    )
}

fn clock(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(DAY);
    format!(
        "{:02}:{:02}:{:02}",
        of_day / 3600,
        of_day / 60 % 60,
        of_day % 60
    )
}

/// A date of IMAP, `25-Nov-2026`: the second with which it begins.
pub fn parse_day(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, '-');
    let day = number(parts.next()?, 1, 31)?;
    let month = month(parts.next()?)?;
    let year = number(parts.next()?, 1, 9999)?;
    Some(days(year, month, day) * DAY)
}

/// IMAP's `date-time`.
pub fn parse_internal(text: &str) -> Option<i64> {
    let mut parts = text.split_whitespace();
    let day = parse_day(parts.next()?)?;
    let clock = parse_clock(parts.next()?)?;
    Some(day + clock - parse_zone(parts.next()?)?)
}

/// The date of a header field, as far as programs write it: day of the week and comments are passed over.
pub fn parse_rfc5322(text: &str) -> Option<i64> {
    let text = match text.split_once(',') {
        Some((_, rest)) => rest,
        None => text,
    };
    let mut parts = text.split_whitespace();
    let day = number(parts.next()?, 1, 31)?;
    let month = month(parts.next()?)?;
    let year = number(parts.next()?, 0, 9999)?;
    let year = match year {
        0..=49 => year + 2000,
        50..=999 => year + 1900,
        _ => year,
    };
    let clock = parse_clock(parts.next()?)?;
    let zone = parts.next().and_then(parse_zone).unwrap_or(0);
    Some(days(year, month, day) * DAY + clock - zone)
}

fn month(text: &str) -> Option<i64> {
    let at = MONTHS
        .iter()
        .position(|name| name.eq_ignore_ascii_case(text))?;
    i64::try_from(at + 1).ok()
}

fn number(text: &str, from: i64, to: i64) -> Option<i64> {
    let value = text.parse::<i64>().ok()?;
    (from..=to).contains(&value).then_some(value)
}

fn parse_clock(text: &str) -> Option<i64> {
    let mut parts = text.split(':');
    let hours = number(parts.next()?, 0, 23)?;
    let minutes = number(parts.next()?, 0, 59)?;
    let seconds = number(parts.next().unwrap_or("0"), 0, 60)?;
    Some(hours * 3600 + minutes * 60 + seconds)
}

fn parse_zone(text: &str) -> Option<i64> {
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        // Names of zones mean nothing certain, save these.
        _ => return Some(0),
    };
    let digits = text.get(1..)?;
    let value = number(digits, 0, 9999)?;
    Some(sign * (value / 100 * 3600 + value % 100 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_they_are_read() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (1_795_631_400, "Wed, 25 Nov 2026 18:30:00 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
        ] {
            assert_eq!(rfc5322(seconds), text);
            assert_eq!(parse_rfc5322(text), Some(seconds));
            assert_eq!(parse_internal(&internal(seconds)), Some(seconds));
        }
        for day in -800_000..800_000 {
            let (year, month, of_month) = date(day);
            assert_eq!(days(year, month as i64, of_month), day);
        }
    }

    #[test]
    fn zones_and_short_forms_count_and_nonsense_does_not() {
        assert_eq!(
            parse_rfc5322("25 Nov 2026 19:30 +0100"),
            Some(1_795_631_400)
        );
        assert_eq!(
            parse_internal("25-Nov-2026 13:30:00 -0500"),
            Some(1_795_631_400)
        );
        assert_eq!(parse_day(" 1-Jan-1970"), Some(0));
        for text in [
            "",
            "x",
            "32 Nov 2026 1:1:1",
            "1 Foo 2026 1:1:1",
            ",",
            "1-1-1",
        ] {
            assert_eq!(parse_rfc5322(text), None, "{text}");
            assert_eq!(parse_internal(text), None, "{text}");
        }
    }
}
