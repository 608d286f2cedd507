//! ENVELOPE and BODYSTRUCTURE as IMAP writes them (RFC 3501, section 7.4.2).

use super::address::{self, Address};
use super::header::{Field, fields, first, split};
use super::mime::{ContentType, Part};

/// A string or `NIL`.
pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value {
        Some(value) => string(out, value),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// Quoted where that is possible, else a literal.
pub fn string(out: &mut Vec<u8>, value: &[u8]) {
    let plain = |byte: &u8| matches!(byte, 1..=127) && !matches!(byte, b'\r' | b'\n');
    if value.len() > 1024 || !value.iter().all(plain) {
        out.extend_from_slice(format!("{{{}}}\r\n", value.len()).as_bytes());
        out.extend_from_slice(value);
        return;
    }
    out.push(b'"');
    for byte in value {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// The envelope of a message of which at least the header is given.
pub fn envelope(out: &mut Vec<u8>, message: &[u8]) {
    let (end, _) = split(message);
    let fields = fields(message.get(..end).unwrap_or_default());
    out.push(b'(');
    nstring(out, first(&fields, "Date").as_deref());
    out.push(b' ');
    nstring(out, first(&fields, "Subject").as_deref());
    let from = addresses(&fields, "From");
    // Whoever is not named is the author (RFC 3501).
    for name in ["From", "Sender", "Reply-To"] {
        out.push(b' ');
        let named = addresses(&fields, name);
        list(out, if named.is_empty() { &from } else { &named });
    }
    for name in ["To", "Cc", "Bcc"] {
        out.push(b' ');
        list(out, &addresses(&fields, name));
    }
    for name in ["In-Reply-To", "Message-ID"] {
        out.push(b' ');
        nstring(out, first(&fields, name).as_deref());
    }
    out.push(b')');
}

fn addresses(fields: &[Field<'_>], name: &str) -> Vec<Address> {
    let values = fields.iter().filter(|field| field.is(name));
    values
        .flat_map(|field| address::parse(&super::header::unfold(field.value)))
        .take(address::MAX_ADDRESSES)
        .collect()
}

fn list(out: &mut Vec<u8>, addresses: &[Address]) {
    if addresses.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for one in addresses {
        out.push(b'(');
        nstring(out, one.name.as_deref());
        out.extend_from_slice(b" NIL ");
        nstring(out, one.local.as_deref());
        out.push(b' ');
        nstring(out, one.host.as_deref());
        out.push(b')');
    }
    out.push(b')');
}

/// BODYSTRUCTURE, or with `extended` false BODY.
pub fn body(out: &mut Vec<u8>, message: &[u8], part: &Part, extended: bool) {
    out.push(b'(');
    if part.content_type.is_multipart() {
        for inner in &part.parts {
            body(out, message, inner, extended);
        }
        out.push(b' ');
        string(out, &part.content_type.subtype);
        if extended {
            out.push(b' ');
            params(out, &part.content_type.params);
            out.push(b' ');
            disposition(out, part);
            out.extend_from_slice(b" NIL NIL");
        }
        out.push(b')');
        return;
    }
    single(out, message, part, extended);
    out.push(b')');
}

fn single(out: &mut Vec<u8>, message: &[u8], part: &Part, extended: bool) {
    let content = part.content(message);
    kind(out, &part.content_type);
    out.push(b' ');
    nstring(out, part.id.as_deref());
    out.push(b' ');
    nstring(out, part.description.as_deref());
    out.push(b' ');
    string(out, &part.encoding);
    out.extend_from_slice(format!(" {}", content.len()).as_bytes());
    let lines = || content.iter().filter(|byte| **byte == b'\n').count();
    if let Some(inner) = part.message() {
        out.push(b' ');
        envelope(out, inner.header(message));
        out.push(b' ');
        body(out, message, inner, extended);
        out.extend_from_slice(format!(" {}", lines()).as_bytes());
    } else if part.content_type.kind.eq_ignore_ascii_case(b"text") {
        out.extend_from_slice(format!(" {}", lines()).as_bytes());
    }
    if extended {
        out.extend_from_slice(b" NIL ");
        disposition(out, part);
        out.extend_from_slice(b" NIL NIL");
    }
}

fn kind(out: &mut Vec<u8>, content_type: &ContentType) {
    // A message too deep inside others is not taken apart, and so must not call itself one.
    string(out, &content_type.kind);
    out.push(b' ');
    string(out, &content_type.subtype);
    out.push(b' ');
    params(out, &content_type.params);
}

fn params(out: &mut Vec<u8>, params: &[(Vec<u8>, Vec<u8>)]) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    for (at, (name, value)) in params.iter().enumerate() {
        out.push(if at == 0 { b'(' } else { b' ' });
        string(out, name);
        out.push(b' ');
        string(out, value);
    }
    out.push(b')');
}

fn disposition(out: &mut Vec<u8>, part: &Part) {
    match &part.disposition {
        Some(found) => {
            out.push(b'(');
            string(out, &found.kind);
            out.push(b' ');
            params(out, &found.params);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::mime::parse;
    use super::*;

    fn shown(write: impl Fn(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        write(&mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn an_envelope_names_the_author_where_nobody_else_is_named() {
        let message = b"Date: D\r\nSubject: a \"b\"\r\nFrom: Ada <a@b>\r\nTo: c@d, e@f\r\nMessage-ID: <1@b>\r\n\r\n";
        let ada = "((\"Ada\" NIL \"a\" \"b\"))";
        assert_eq!(
            shown(|out| envelope(out, message)),
            format!(
                "(\"D\" \"a \\\"b\\\"\" {ada} {ada} {ada} ((NIL NIL \"c\" \"d\")(NIL NIL \"e\" \"f\")) NIL NIL NIL \"<1@b>\")"
            )
        );
    }

    #[test]
    fn a_structure_tells_kinds_sizes_and_lines() {
        let message =
            b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nhi\r\nyou\r\n--x\r\n\
            Content-Type: image/png; name=\"a.png\"\r\nContent-Transfer-Encoding: base64\r\n\
            Content-Disposition: attachment; filename=a.png\r\n\r\nAAAA\r\n--x--\r\n";
        let part = parse(message);
        assert_eq!(
            shown(|out| body(out, message, &part, true)),
            "((\"text\" \"plain\" NIL NIL NIL \"7BIT\" 7 1 NIL NIL NIL NIL)\
             (\"image\" \"png\" (\"name\" \"a.png\") NIL NIL \"base64\" 4 NIL (\"attachment\" (\"filename\" \"a.png\")) NIL NIL) \
             \"mixed\" (\"boundary\" \"x\") NIL NIL NIL)"
        );
        assert!(shown(|out| body(out, message, &part, false)).ends_with("4) \"mixed\")"));
    }
}
