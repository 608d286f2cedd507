//! Header fields of a message (RFC 5322, section 2.2).

/// More header than this is not looked at: mail programs write a few KiB.
pub const MAX_HEADER: usize = 256 << 10;

/// One field as it stands in the message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    pub name: &'a [u8],
    /// From the name to the last line end.
    pub raw: &'a [u8],
    /// What follows the colon, still folded.
    pub value: &'a [u8],
}

impl Field<'_> {
    /// Whether the field has this name; case does not matter.
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }
}

/// Bytes of the line at the beginning of `bytes` with its line end.
pub fn line_len(bytes: &[u8]) -> usize {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) => at + 1,
        None => bytes.len(),
    }
}

/// A line without its line end.
pub fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Where the header ends and where the body begins: the empty line lies between the two. Without an empty line all is
/// header.
pub fn split(message: &[u8]) -> (usize, usize) {
    let mut at = 0;
    while let Some(rest) = message.get(at..)
        && !rest.is_empty()
    {
        let len = line_len(rest);
        if trim_end(rest.get(..len).unwrap_or_default()).is_empty() {
            return (at, at + len);
        }
        at += len;
    }
    (message.len(), message.len())
}

/// The fields of a header. Lines that are no field are passed over.
pub fn fields(header: &[u8]) -> Vec<Field<'_>> {
    let mut found = Vec::new();
    let mut rest = header.get(..header.len().min(MAX_HEADER)).unwrap_or(header);
    while !rest.is_empty() {
        let mut len = line_len(rest);
        while rest
            .get(len)
            .is_some_and(|byte| *byte == b' ' || *byte == b'\t')
        {
            len += line_len(rest.get(len..).unwrap_or_default());
        }
        let (raw, after) = rest.split_at(len.min(rest.len()));
        rest = after;
        let Some(colon) = raw.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let (name, value) = raw.split_at(colon);
        let name = name.trim_ascii_end();
        let printable = name.iter().all(|byte| (33..127).contains(byte));
        if !name.is_empty() && printable {
            found.push(Field {
                name,
                raw,
                value: value.get(1..).unwrap_or_default(),
            });
        }
    }
    found
}

/// The value on one line, without the line ends of folding and the space around it.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let kept = value.iter().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    let line: Vec<u8> = kept.copied().collect();
    line.trim_ascii().to_vec()
}

/// The unfolded value of the first field with this name.
pub fn first(fields: &[Field<'_>], name: &str) -> Option<Vec<u8>> {
    let field = fields.iter().find(|field| field.is(name))?;
    Some(unfold(field.value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folded_fields_are_one_and_the_body_is_not_header() {
        let message = b"From: a@b\r\nSubject: one\r\n two\r\nbroken\r\n\r\nTo: body\r\n";
        let (end, body) = split(message);
        assert_eq!(&message[body..], b"To: body\r\n");
        let fields = fields(&message[..end]);
        assert_eq!(fields.len(), 2);
        assert_eq!(first(&fields, "SUBJECT").as_deref(), Some(&b"one two"[..]));
        assert_eq!(first(&fields, "To"), None);
        assert_eq!(fields[1].raw, b"Subject: one\r\n two\r\n");
    }

    #[test]
    fn lines_may_end_in_either_way_and_a_body_may_be_missing() {
        assert_eq!(split(b"a: b\n\nc"), (5, 6));
        assert_eq!(split(b"a: b"), (4, 4));
        assert_eq!(split(b""), (0, 0));
    }
}
