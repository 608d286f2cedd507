//! The structure of a message (RFC 2045 and 2046): its parts, and where each lies.

use super::encoded;
use super::header::{fields, first, line_len, split, trim_end};

/// Parts of parts of parts: real mail nests three or four deep.
const MAX_DEPTH: usize = 20;
/// Parts of one message; what comes after them belongs to the last one.
const MAX_PARTS: usize = 1000;

/// A part: the message itself, a part of a multipart, or the message inside a part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Where the header begins.
    pub start: usize,
    /// Where the body begins; the empty line before it belongs to the header.
    pub body: usize,
    /// Where it ends.
    pub end: usize,
    pub content_type: ContentType,
    pub id: Option<Vec<u8>>,
    pub description: Option<Vec<u8>>,
    /// As it is written, or `7BIT`.
    pub encoding: Vec<u8>,
    pub disposition: Option<Disposition>,
    /// Parts of a multipart; the one message in a `message/rfc822`.
    pub parts: Vec<Part>,
}

/// Names and values.
pub type Params = Vec<(Vec<u8>, Vec<u8>)>;

/// `text/plain; charset=utf-8`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContentType {
    pub kind: Vec<u8>,
    pub subtype: Vec<u8>,
    pub params: Params,
}

impl Default for ContentType {
    fn default() -> Self {
        Self {
            kind: b"text".to_vec(),
            subtype: b"plain".to_vec(),
            params: Vec::new(),
        }
    }
}

impl ContentType {
    pub fn is(&self, kind: &str, subtype: &str) -> bool {
        self.kind.eq_ignore_ascii_case(kind.as_bytes())
            && self.subtype.eq_ignore_ascii_case(subtype.as_bytes())
    }

    pub fn is_multipart(&self) -> bool {
        self.kind.eq_ignore_ascii_case(b"multipart")
    }

    pub fn param(&self, name: &str) -> Option<&[u8]> {
        param(&self.params, name)
    }
}

/// `attachment; filename=x`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disposition {
    pub kind: Vec<u8>,
    pub params: Params,
}

impl Disposition {
    pub fn param(&self, name: &str) -> Option<&[u8]> {
        param(&self.params, name)
    }
}

fn param<'a>(params: &'a [(Vec<u8>, Vec<u8>)], name: &str) -> Option<&'a [u8]> {
    let found = params
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()));
    found.map(|(_, value)| value.as_slice())
}

impl Part {
    /// The part with this number, `[1, 2]` for 1.2: as IMAP counts them (RFC 3501, section 6.4.5).
    pub fn find(&self, path: &[u32]) -> Option<&Part> {
        let Some((number, rest)) = path.split_first() else {
            return Some(self);
        };
        let index = usize::try_from(number.checked_sub(1)?).ok()?;
        // The parts of a message inside a part count as the part's own.
        let inner = match self.message() {
            Some(message) => message,
            None => self,
        };
        match inner.content_type.is_multipart() {
            true => inner.parts.get(index)?.find(rest),
            false if index == 0 => match (rest.is_empty(), self.message()) {
                (true, _) => Some(inner),
                (false, _) => inner.find(rest),
            },
            false => None,
        }
    }

    /// The message that a `message/rfc822` holds.
    pub fn message(&self) -> Option<&Part> {
        match self.content_type.is("message", "rfc822") {
            true => self.parts.first(),
            false => None,
        }
    }

    /// Bytes of the header with the empty line.
    pub fn header<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(self.start..self.body).unwrap_or_default()
    }

    pub fn content<'a>(&self, message: &'a [u8]) -> &'a [u8] {
        message.get(self.body..self.end).unwrap_or_default()
    }
}

/// Takes a message apart.
pub fn parse(message: &[u8]) -> Part {
    let mut left = MAX_PARTS;
    part(message, 0, message.len(), 0, &mut left, false)
}

/// The decoded texts of a mail.
pub fn texts(mail: &[u8], part: &Part) -> Vec<String> {
    if !part.parts.is_empty() {
        return part
            .parts
            .iter()
            .flat_map(|part| texts(mail, part))
            .collect();
    }
    if !part.content_type.kind.eq_ignore_ascii_case(b"text") {
        return Vec::new();
    }
    let content = part.content(mail);
    let bytes = match part.encoding.to_ascii_lowercase().as_slice() {
        b"base64" => encoded::base64(content),
        b"quoted-printable" => encoded::quoted_printable(content, false),
        _ => content.to_vec(),
    };
    let charset = part.content_type.param("charset").unwrap_or_default();
    vec![encoded::text(&bytes, &String::from_utf8_lossy(charset))]
}

fn part(
    message: &[u8],
    start: usize,
    end: usize,
    depth: usize,
    left: &mut usize,
    in_digest: bool,
) -> Part {
    *left = left.saturating_sub(1);
    let bytes = message.get(start..end).unwrap_or_default();
    let (header_len, body_len) = split(bytes);
    let fields = fields(bytes.get(..header_len).unwrap_or_default());
    let content_type = match first(&fields, "Content-Type") {
        Some(value) => parse_type(&value),
        None if in_digest => ContentType {
            kind: b"message".to_vec(),
            subtype: b"rfc822".to_vec(),
            params: Vec::new(),
        },
        None => ContentType::default(),
    };
    let body = start + body_len;
    let mut made = Part {
        start,
        body,
        end,
        id: first(&fields, "Content-ID"),
        description: first(&fields, "Content-Description"),
        encoding: first(&fields, "Content-Transfer-Encoding").unwrap_or_else(|| b"7BIT".to_vec()),
        disposition: first(&fields, "Content-Disposition").map(|value| parse_disposition(&value)),
        content_type,
        parts: Vec::new(),
    };
    if depth < MAX_DEPTH && *left > 0 {
        if made.content_type.is("message", "rfc822") {
            made.parts = vec![part(message, body, end, depth + 1, left, false)];
        } else if made.content_type.is_multipart() {
            let digest = made.content_type.subtype.eq_ignore_ascii_case(b"digest");
            let boundary = made.content_type.param("boundary").unwrap_or_default();
            for (from, to) in cut(message, body, end, boundary, *left) {
                if *left == 0 {
                    break;
                }
                made.parts
                    .push(part(message, from, to, depth + 1, left, digest));
            }
        }
    }
    if made.content_type.is_multipart() && made.parts.is_empty() {
        // A multipart has a part at least: its text then is the one.
        let mut only = Part {
            start: body,
            body,
            end,
            ..Part::default()
        };
        only.encoding = b"7BIT".to_vec();
        made.parts.push(only);
    }
    made
}

/// Where the parts of a multipart lie: between the lines of its boundary.
fn cut(
    message: &[u8],
    body: usize,
    end: usize,
    boundary: &[u8],
    max: usize,
) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    if boundary.is_empty() {
        return found;
    }
    let mut open = None;
    let mut at = body;
    while at < end {
        let rest = message.get(at..end).unwrap_or_default();
        let len = line_len(rest).max(1);
        let line = trim_end(rest.get(..len).unwrap_or_default());
        let after = line
            .strip_prefix(b"--")
            .and_then(|line| line.strip_prefix(boundary));
        let (delimiter, last) = match after {
            Some(after) if after.trim_ascii().is_empty() => (true, false),
            Some(after) if after.starts_with(b"--") => (true, true),
            _ => (false, false),
        };
        if delimiter {
            if let Some(from) = open {
                found.push((from, before_line_end(message, from, at)));
            }
            open = (!last && found.len() < max).then_some(at + len);
            if last || open.is_none() {
                return found;
            }
        }
        at += len;
    }
    if let Some(from) = open {
        found.push((from.min(end), end));
    }
    found
}

/// The line end before a boundary belongs to the boundary.
fn before_line_end(message: &[u8], from: usize, at: usize) -> usize {
    let part = message.get(from..at).unwrap_or_default();
    from + trim_end(part).len()
}

fn parse_type(value: &[u8]) -> ContentType {
    let (head, params) = parse_params(value);
    let mut halves = head.splitn(2, |byte| *byte == b'/');
    let kind = halves.next().unwrap_or_default().trim_ascii();
    let subtype = halves.next().unwrap_or_default().trim_ascii();
    if kind.is_empty() || subtype.is_empty() {
        return ContentType::default();
    }
    ContentType {
        kind: kind.to_vec(),
        subtype: subtype.to_vec(),
        params,
    }
}

fn parse_disposition(value: &[u8]) -> Disposition {
    let (kind, params) = parse_params(value);
    Disposition { kind, params }
}

/// `head; name=value; name="quoted value"`.
fn parse_params(value: &[u8]) -> (Vec<u8>, Params) {
    let mut pieces = pieces(value).into_iter();
    let head = pieces.next().unwrap_or_default();
    let params = pieces.filter_map(|piece| {
        let equals = piece.iter().position(|byte| *byte == b'=')?;
        let name = piece.get(..equals)?.trim_ascii().to_vec();
        let value = unquoted(piece.get(equals + 1..)?.trim_ascii());
        (!name.is_empty()).then_some((name, value))
    });
    (head.trim_ascii().to_vec(), params.take(100).collect())
}

/// Cut at the semicolons outside of quotes.
fn pieces(value: &[u8]) -> Vec<Vec<u8>> {
    let (mut all, mut one) = (Vec::new(), Vec::new());
    let (mut quoted, mut escaped) = (false, false);
    for byte in value {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b';' if !quoted => {
                all.push(std::mem::take(&mut one));
                continue;
            }
            _ => {}
        }
        one.push(*byte);
    }
    all.push(one);
    all
}

fn unquoted(value: &[u8]) -> Vec<u8> {
    let Some(inner) = value.strip_prefix(b"\"") else {
        return value.to_vec();
    };
    let mut plain = Vec::new();
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => plain.extend(bytes.next()),
            other => plain.push(*other),
        }
    }
    plain
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MIXED: &[u8] = b"From: a@b\r\nContent-Type: multipart/mixed; boundary=\"x y\"\r\n\r\nbefore\r\n\
        --x y\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nhello\r\n\
        --x y\r\nContent-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n\
        --x y\r\nContent-Type: multipart/alternative; boundary=z\r\n\r\n--z\r\n\r\none\r\n--z\r\n\r\ntwo\r\n--z--\r\n\
        --x y--\r\nafter\r\n";

    #[test]
    fn parts_are_found_by_their_numbers() {
        let whole = parse(MIXED);
        assert_eq!(whole.parts.len(), 3);
        let text = |path: &[u32]| {
            let part = whole.find(path).unwrap();
            String::from_utf8_lossy(part.content(MIXED)).into_owned()
        };
        assert_eq!(text(&[1]), "hello");
        assert_eq!(text(&[2]), "Subject: in\r\n\r\ninner");
        assert_eq!(text(&[2, 1]), "inner");
        assert_eq!(text(&[3, 2]), "two");
        assert_eq!(whole.find(&[4]), None);
        assert_eq!(whole.find(&[0]), None);
        assert_eq!(whole.find(&[1, 2]), None);
        assert_eq!(
            whole.parts[0].content_type.param("CHARSET"),
            Some(&b"utf-8"[..])
        );
    }

    #[test]
    fn a_plain_message_is_its_own_first_part() {
        let message = b"A: b\r\n\r\ntext\r\n";
        let whole = parse(message);
        assert_eq!(whole.find(&[1]).unwrap().content(message), b"text\r\n");
        assert_eq!(whole.find(&[2]), None);
    }

    #[test]
    fn a_missing_end_and_a_missing_boundary_lose_nothing() {
        let message = b"Content-Type: multipart/mixed; boundary=q\r\n\r\n--q\r\n\r\nhello";
        let whole = parse(message);
        assert_eq!(whole.parts[0].content(message), b"hello");
        let message = b"Content-Type: multipart/mixed\r\n\r\nhello";
        assert_eq!(parse(message).parts[0].content(message), b"hello");
    }

    #[test]
    fn nesting_ends() {
        let mut message = Vec::new();
        for _ in 0..5000 {
            message.extend_from_slice(b"Content-Type: message/rfc822\r\n\r\n");
        }
        let mut depth = 0;
        let mut part = &parse(&message);
        while let Some(inner) = part.parts.first() {
            depth += 1;
            part = inner;
        }
        assert_eq!(depth, MAX_DEPTH);
    }
}
