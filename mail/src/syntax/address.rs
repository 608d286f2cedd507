//! Lists of addresses in header fields (RFC 5322, section 3.4), as IMAP's ENVELOPE shows them.

/// Addresses of one field that are looked at.
pub const MAX_ADDRESSES: usize = 1000;

/// One address; a group begins with an entry that has no host and ends with one that has nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// The name that is shown, still encoded.
    pub name: Option<Vec<u8>>,
    /// What stands before the @, or a group's name.
    pub local: Option<Vec<u8>>,
    /// What stands behind it.
    pub host: Option<Vec<u8>>,
}

impl Address {
    /// `local@host`, when it is both.
    pub fn mailbox(&self) -> Option<String> {
        let local = String::from_utf8(self.local.clone()?).ok()?;
        let host = String::from_utf8(self.host.clone()?).ok()?;
        Some(format!("{local}@{host}"))
    }
}

/// Which marks ended a piece of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    Comma,
    Colon,
    Semicolon,
    End,
}

/// Reads an unfolded value. What cannot be an address is an entry without a host.
pub fn parse(value: &[u8]) -> Vec<Address> {
    let mut found = Vec::new();
    let mut at = 0;
    while at < value.len() && found.len() < MAX_ADDRESSES {
        let (piece, mark) = piece(value.get(at..).unwrap_or_default());
        at += piece.len() + 1;
        let one = address(piece);
        match mark {
            Mark::Colon => found.push(Address {
                local: Some(phrase(piece)),
                ..Address::default()
            }),
            Mark::Semicolon => {
                found.extend(one);
                found.push(Address::default());
            }
            Mark::Comma | Mark::End => found.extend(one),
        }
    }
    found
}

/// Up to the next mark that stands outside of quotes, comments and angle brackets.
fn piece(value: &[u8]) -> (&[u8], Mark) {
    let (mut quoted, mut comments, mut angle) = (false, 0_usize, false);
    let mut at = 0;
    while let Some(byte) = value.get(at) {
        let outside = !quoted && comments == 0;
        let mark = match byte {
            b'\\' => {
                at += 2;
                continue;
            }
            b'"' if comments == 0 => {
                quoted = !quoted;
                None
            }
            b'(' if !quoted => {
                comments += 1;
                None
            }
            b')' if !quoted => {
                comments = comments.saturating_sub(1);
                None
            }
            b'<' if outside => {
                angle = true;
                None
            }
            b'>' if outside => {
                angle = false;
                None
            }
            b',' if outside && !angle => Some(Mark::Comma),
            b':' if outside && !angle => Some(Mark::Colon),
            b';' if outside && !angle => Some(Mark::Semicolon),
            _ => None,
        };
        if let Some(mark) = mark {
            return (value.get(..at).unwrap_or_default(), mark);
        }
        at += 1;
    }
    (value, Mark::End)
}

fn address(piece: &[u8]) -> Option<Address> {
    let piece = piece.trim_ascii();
    if piece.is_empty() {
        return None;
    }
    let open = outside(piece, b'<');
    let (name, spec) = match open {
        Some(open) => {
            let (before, after) = piece.split_at(open);
            let inner = after.get(1..).unwrap_or_default();
            let inner = inner.split(|byte| *byte == b'>').next().unwrap_or_default();
            // A route, of old times, ends with a colon.
            let inner = match (inner.first(), outside(inner, b':')) {
                (Some(b'@'), Some(colon)) => inner.get(colon + 1..).unwrap_or_default(),
                _ => inner,
            };
            (phrase(before), inner.to_vec())
        }
        None => (comment(piece).unwrap_or_default(), strip_comments(piece)),
    };
    let spec = spec.trim_ascii();
    let (local, host) = match spec.iter().rposition(|byte| *byte == b'@') {
        Some(at) => (
            spec.get(..at).unwrap_or_default(),
            Some(spec.get(at + 1..).unwrap_or_default().trim_ascii().to_vec()),
        ),
        None => (spec, None),
    };
    Some(Address {
        name: (!name.is_empty()).then_some(name),
        local: Some(unquote(local.trim_ascii())),
        host,
    })
}

/// Where a byte stands outside of quotes and comments.
fn outside(text: &[u8], wanted: u8) -> Option<usize> {
    let (mut quoted, mut comments, mut escaped) = (false, 0_usize, false);
    for (at, byte) in text.iter().enumerate() {
        if escaped {
            escaped = false;
            continue;
        }
        match byte {
            b'\\' => escaped = true,
            _ if *byte == wanted && !quoted && comments == 0 => return Some(at),
            b'"' if comments == 0 => quoted = !quoted,
            b'(' if !quoted => comments += 1,
            b')' if !quoted => comments = comments.saturating_sub(1),
            _ => {}
        }
    }
    None
}

/// A name: quotes taken off, comments left out.
fn phrase(text: &[u8]) -> Vec<u8> {
    unquote(strip_comments(text).trim_ascii())
}

fn unquote(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => {}
            b'\\' => plain.extend(bytes.next()),
            other => plain.push(*other),
        }
    }
    plain
}

fn strip_comments(text: &[u8]) -> Vec<u8> {
    let (mut quoted, mut comments) = (false, 0_usize);
    let mut plain = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                let next = bytes.next();
                if comments == 0 {
                    plain.push(*byte);
                    plain.extend(next);
                }
                continue;
            }
            b'"' if comments == 0 => quoted = !quoted,
            b'(' if !quoted => {
                comments += 1;
                continue;
            }
            b')' if !quoted && comments > 0 => {
                comments -= 1;
                continue;
            }
            _ => {}
        }
        if comments == 0 {
            plain.push(*byte);
        }
    }
    plain
}

/// The first comment: old programs put the name there.
fn comment(text: &[u8]) -> Option<Vec<u8>> {
    let open = text.iter().position(|byte| *byte == b'(')?;
    let inner = text.get(open + 1..)?;
    let end = inner.iter().position(|byte| *byte == b')')?;
    Some(unquote(inner.get(..end)?.trim_ascii()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &[(&str, &str)]) {
        let shown: Vec<(String, String)> = parse(value.as_bytes())
            .iter()
            .map(|one| {
                let text = |part: &Option<Vec<u8>>| {
                    String::from_utf8(part.clone().unwrap_or_default()).unwrap()
                };
                let spec = match (&one.local, &one.host) {
                    (None, None) => ";".to_owned(),
                    (_, None) => format!("{}:", text(&one.local)),
                    _ => one.mailbox().unwrap(),
                };
                (text(&one.name), spec)
            })
            .collect();
        let expected: Vec<(String, String)> = expected
            .iter()
            .map(|(name, spec)| ((*name).to_owned(), (*spec).to_owned()))
            .collect();
        assert_eq!(shown, expected, "{value}");
    }

    #[test]
    fn addresses_come_apart_in_name_and_mailbox() {
        check("a@b", &[("", "a@b")]);
        check("Ada <a@b>, b@c", &[("Ada", "a@b"), ("", "b@c")]);
        check(r#""Lovelace, Ada" <a@b>"#, &[("Lovelace, Ada", "a@b")]);
        check("a@b (Ada \"L\")", &[("Ada L", "a@b")]);
        check(
            "=?utf-8?q?Ad=C3=A4?= <a@b>",
            &[("=?utf-8?q?Ad=C3=A4?=", "a@b")],
        );
        check("<@r,@s:a@b>", &[("", "a@b")]);
        check(
            "friends: a@b, C <c@d>;, e@f",
            &[
                ("", "friends:"),
                ("", "a@b"),
                ("C", "c@d"),
                ("", ";"),
                ("", "e@f"),
            ],
        );
        check(r#""odd local"@b"#, &[("", "odd local@b")]);
        check("", &[]);
        check(",, ,", &[]);
    }
}
