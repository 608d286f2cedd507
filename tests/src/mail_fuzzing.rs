//! What a fuzzer calls with bytes that a mail program or a stranger could send. Each function panics when it finds
//! something, and only then. `fuzz/` and the ordinary tests run them, as [`crate::fuzzing`].

use crate::syntax::mime::{self, Part};
use crate::syntax::{address, date, encoded, header, imap, smtp, structure};

/// Any bytes as a mail: its parts lie inside of each other, and all that IMAP shows of it can be written.
pub fn message(mail: &[u8]) {
    let whole = mime::parse(mail);
    assert_eq!((whole.start, whole.end), (0, mail.len()));
    let mut parts = 0;
    inside(&whole, mail, &mut parts);
    assert!(parts <= 3000, "{parts} parts");
    let mut out = Vec::new();
    structure::envelope(&mut out, mail);
    structure::body(&mut out, mail, &whole, true);
    structure::body(&mut out, mail, &whole, false);
    assert_eq!(
        depth_of(&out),
        0,
        "unbalanced: {}",
        String::from_utf8_lossy(&out)
    );
    let (end, body) = header::split(mail);
    assert!(end <= body && body <= mail.len());
    for field in header::fields(&mail[..end]) {
        let value = header::unfold(field.value);
        let _ = encoded::words(&value);
        let _ = date::parse_rfc5322(&String::from_utf8_lossy(&value));
        assert!(address::parse(&value).len() <= 2 * address::MAX_ADDRESSES);
    }
    let _ = mime::texts(mail, &whole);
    for path in [&[1][..], &[2, 1], &[1, 1, 1], &[u32::MAX]] {
        let _ = whole.find(path);
    }
}

fn inside(part: &Part, mail: &[u8], parts: &mut usize) {
    *parts += 1;
    assert!(
        part.start <= part.body && part.body <= part.end && part.end <= mail.len(),
        "{part:?}"
    );
    for inner in &part.parts {
        assert!(
            inner.start >= part.body && inner.end <= part.end,
            "{inner:?} in {part:?}"
        );
        inside(inner, mail, parts);
    }
}

/// How many brackets stay open outside of strings and literals.
fn depth_of(text: &[u8]) -> i64 {
    let (mut depth, mut at, mut quoted) = (0, 0, false);
    while let Some(byte) = text.get(at) {
        match byte {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            b'(' if !quoted => depth += 1,
            b')' if !quoted => depth -= 1,
            b'{' if !quoted => {
                let end = text[at..]
                    .iter()
                    .position(|byte| *byte == b'}')
                    .expect("a literal's length ends");
                let len: usize = std::str::from_utf8(&text[at + 1..at + end])
                    .unwrap()
                    .parse()
                    .unwrap();
                // Behind the length and its line end come the bytes.
                at += end + 2 + len;
            }
            _ => {}
        }
        at += 1;
    }
    depth
}

/// Any bytes as a command of IMAP: a command or what is wrong with it.
pub fn imap_command(command: &[u8]) {
    let _ = imap::tag(command);
    if let Some((open, _, _)) = imap::literal_at_end(command) {
        assert_eq!(command[open], b'{');
        if imap::is_append(command) {
            let _ = imap::append(&command[..open]);
        }
    }
    match imap::parse(command) {
        Ok((tag, _)) => assert!(command.starts_with(tag.as_bytes()) && !tag.is_empty()),
        Err(wrong) => assert!(!wrong.to_string().is_empty()),
    }
}

/// Any bytes as a command of SMTP, and as a mail behind DATA: dots that are doubled on the way come off again.
pub fn smtp_text(text: &[u8]) {
    if let Err(wrong) = smtp::parse(text) {
        assert!(wrong.to_string().starts_with('5'), "{wrong}");
    }
    let mut sent = Vec::new();
    let mut mail = text.to_vec();
    mail.extend_from_slice(b"\r\n");
    for (at, byte) in mail.iter().enumerate() {
        if *byte == b'.' && (at == 0 || mail[..at].ends_with(b"\r\n")) {
            sent.push(b'.');
        }
        sent.push(*byte);
    }
    sent.extend_from_slice(b".\r\nQUIT\r\n");
    let (mut reader, mut got) = (smtp::DataReader::default(), Vec::new());
    let (mut used, mut ended) = (0, false);
    for piece in sent.chunks(text.len() % 7 + 1) {
        match reader.push(piece, &mut got) {
            Some(last) => {
                used += last;
                ended = true;
                break;
            }
            None => used += piece.len(),
        }
    }
    assert!(ended && got == mail, "{sent:?}");
    assert_eq!(&sent[used..], b"QUIT\r\n");
}

/// Words of commands and mails, and what stands between them.
const TOKENS: &[&str] = &[
    "a1 ",
    "UID ",
    "FETCH ",
    "STORE ",
    "SEARCH ",
    "COPY ",
    "LIST ",
    "STATUS ",
    "APPEND ",
    "LOGIN ",
    "SELECT ",
    "1",
    "1:*",
    "2,4:7",
    "*",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "{3}\r\nabc",
    "{3+}",
    "{9999999999}",
    "\"",
    "\\",
    "FLAGS ",
    "+FLAGS ",
    "\\Seen ",
    "BODY",
    ".PEEK",
    "HEADER.FIELDS ",
    "TEXT",
    "MIME",
    "ENVELOPE ",
    "OR ",
    "NOT ",
    "FROM ",
    "SINCE ",
    "1-Jan-2026 ",
    "INBOX ",
    "\r\n",
    "\n",
    " ",
    "\t",
    ":",
    ";",
    ",",
    "=",
    "--",
    "--x",
    "--x--",
    "boundary=x",
    "charset=utf-8",
    "Content-Type: ",
    "multipart/mixed; ",
    "multipart/digest; ",
    "message/rfc822",
    "text/plain; ",
    "Subject: ",
    "To: ",
    "=?utf-8?q?",
    "=?utf-8?b?",
    "?=",
    "a@b",
    "<a@b>",
    "Mon, 1 Jan 2026 00:00:00 +0000",
    "MAIL FROM:",
    "RCPT TO:",
    "SIZE=",
    ".",
    "..",
    "\r\n.\r\n",
    "AUTH PLAIN ",
    "\u{0}",
    "é",
    "Content-Transfer-Encoding: base64\r\n",
    "AAAA",
];

/// Token soup of the tokens that the bytes choose.
pub fn soup(choices: &[u8]) -> String {
    let words = choices
        .iter()
        .map(|byte| TOKENS[usize::from(*byte) % TOKENS.len()]);
    words.collect()
}
