//! What mail encodes: base64, quoted-printable, and words in header fields (RFC 2045 and 2047). For search and display;
//! what is damaged is shown as far as it goes.

/// Base64, everything else in between passed over, up to padding.
pub fn base64(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut count) = (0_u32, 0);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            _ => continue,
        };
        bits = (bits << 6) | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            plain.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    plain
}

/// Quoted-printable; with `word`, as in header fields, an underscore is a space.
pub fn quoted_printable(text: &[u8], word: bool) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        match byte {
            b'_' if word => plain.push(b' '),
            b'=' => {
                let rest = text.get(at..).unwrap_or_default();
                let pair = (rest.first().and_then(digit), rest.get(1).and_then(digit));
                if let (Some(high), Some(low)) = pair {
                    plain.push(high << 4 | low);
                    at += 2;
                } else if rest.starts_with(b"\r\n") {
                    at += 2;
                } else if rest.starts_with(b"\n") {
                    at += 1;
                } else {
                    plain.push(b'=');
                }
            }
            other => plain.push(*other),
        }
    }
    plain
}

fn digit(byte: &u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    }
}

/// Bytes of a charset as text. UTF-8, ASCII and Latin 1 are known; of others what is ASCII stays.
pub fn text(bytes: &[u8], charset: &str) -> String {
    let latin = ["iso-8859-1", "iso-8859-15", "windows-1252", "latin1"];
    if latin.iter().any(|name| charset.eq_ignore_ascii_case(name)) {
        return bytes.iter().map(|byte| char::from(*byte)).collect();
    }
    String::from_utf8_lossy(bytes).into_owned()
}

/// A header field's value with its encoded words read.
pub fn words(value: &[u8]) -> String {
    let mut plain = String::new();
    let mut rest = value;
    let mut after_word = false;
    while !rest.is_empty() {
        let start = find(rest, b"=?");
        let (before, from) = rest.split_at(start.unwrap_or(rest.len()));
        let decoded = word(from);
        // White space between two words belongs to neither.
        if !(after_word && decoded.is_some() && before.trim_ascii().is_empty()) {
            plain.push_str(&String::from_utf8_lossy(before));
        }
        match decoded {
            Some((shown, len)) => {
                plain.push_str(&shown);
                rest = from.get(len..).unwrap_or_default();
                after_word = true;
            }
            None => {
                let skip = from.len().min(2);
                let (mark, after) = from.split_at(skip);
                plain.push_str(&String::from_utf8_lossy(mark));
                rest = after;
                after_word = false;
            }
        }
    }
    plain
}

/// An encoded word at the beginning, and its length.
fn word(text: &[u8]) -> Option<(String, usize)> {
    let inner = text.strip_prefix(b"=?")?;
    let charset_end = inner.iter().position(|byte| *byte == b'?')?;
    let charset = std::str::from_utf8(inner.get(..charset_end)?).ok()?;
    let charset = charset.split('*').next().unwrap_or_default();
    let how = *inner.get(charset_end + 1)?;
    if *inner.get(charset_end + 2)? != b'?' {
        return None;
    }
    let data = inner.get(charset_end + 3..)?;
    let end = find(data, b"?=")?;
    let data = data.get(..end)?;
    let bytes = match how {
        b'B' | b'b' => base64(data),
        b'Q' | b'q' => quoted_printable(data, true),
        _ => return None,
    };
    let len = 2 + charset_end + 3 + end + 2;
    Some((self::text(&bytes, charset), len))
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Base64 in lines of 76 characters.
pub fn to_base64(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() / 3 * 4 + bytes.len() / 27 + 8);
    for line in bytes.chunks(57) {
        for three in line.chunks(3) {
            let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
            let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
            for at in 0..4 {
                let six = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or(0);
                let shown = ALPHABET.get(six).copied().unwrap_or(b'A');
                text.push(if at <= three.len() {
                    char::from(shown)
                } else {
                    '='
                });
            }
        }
        text.push_str("\r\n");
    }
    text
}

/// A value for a header field: as it is when it is ASCII, else as encoded words.
pub fn to_words(text: &str) -> String {
    if text.is_ascii() {
        return text.to_owned();
    }
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        // 75 characters a word are allowed; 42 bytes become 56, and 12 stand around them.
        if word.len() + c.len_utf8() > 42 {
            words.push(std::mem::take(&mut word));
        }
        word.push(c);
    }
    words.push(word);
    let shown = words.iter().map(|word| {
        let encoded = to_base64(word.as_bytes());
        format!("=?utf-8?B?{}?=", encoded.trim_end())
    });
    shown.collect::<Vec<_>>().join("\r\n ")
}

/// Where a text stands first.
pub fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return Some(0);
    }
    bytes
        .windows(wanted.len())
        .position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_words_are_read_and_what_is_none_stays() {
        for (value, expected) in [
            ("=?utf-8?q?Ad=C3=A4_L?=", "Adä L"),
            ("=?UTF-8?B?R3LDvMOfZQ==?= you", "Grüße you"),
            ("=?iso-8859-1?q?f=FCr?= =?utf-8?q?_dich?=", "für dich"),
            ("a =?x", "a =?x"),
            ("=?utf-8?z?a?=", "=?utf-8?z?a?="),
            ("plain", "plain"),
        ] {
            assert_eq!(words(value.as_bytes()), expected);
        }
    }

    #[test]
    fn what_is_encoded_is_read_again() {
        for len in 0..200_usize {
            let bytes: Vec<u8> = (0..len).map(|n| (n * 37) as u8).collect();
            let text = to_base64(&bytes);
            assert_eq!(base64(text.as_bytes()), bytes);
            assert!(text.lines().all(|line| line.len() <= 76));
        }
        let long = "Grüße, 你好 ".repeat(20);
        let folded = to_words(&long);
        assert_eq!(
            words(&super::super::header::unfold(folded.as_bytes())),
            long
        );
        assert_eq!(to_words("plain"), "plain");
    }

    #[test]
    fn bodies_are_decoded() {
        assert_eq!(base64(b"aGVs\r\nbG8="), b"hello");
        assert_eq!(quoted_printable(b"a=3Db=\r\nc=ZZ_", false), b"a=bc=ZZ_");
    }
}
