//! Commands of SMTP submission (RFC 5321, RFC 6409, RFC 4954).

/// A command line with its end: RFC 5321 asks for 512, extensions for more, AUTH for 12,288.
pub const MAX_LINE: usize = 12_288;

/// A command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Ehlo(String),
    Helo(String),
    /// Mechanism in upper case, and what was sent with it.
    Auth(String, Option<String>),
    Mail {
        /// Empty for the null path.
        from: String,
        /// Bytes, if declared.
        size: Option<u64>,
    },
    Rcpt(String),
    Data,
    Rset,
    Noop,
    Quit,
    Verify,
    Help,
}

/// Why a line is no command.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    #[error("500 5.5.2 There is no such command")]
    Unknown,
    #[error("502 5.5.1 {0} is not offered here")]
    NotOffered(&'static str),
    #[error("501 5.5.4 {0}")]
    Arguments(&'static str),
    #[error("504 5.5.4 {0}")]
    Parameter(&'static str),
}

/// Reads a line without its end.
pub fn parse(line: &[u8]) -> Result<Command, Wrong> {
    let line = std::str::from_utf8(line)
        .map_err(|_| Wrong::Arguments("A command line is ASCII or UTF-8"))?;
    let line = line.trim_end();
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    match verb.to_ascii_uppercase().as_str() {
        "EHLO" => Ok(Command::Ehlo(domain(rest)?)),
        "HELO" => Ok(Command::Helo(domain(rest)?)),
        "AUTH" => {
            let (mechanism, initial) = match rest.split_once(' ') {
                Some((mechanism, initial)) => (mechanism, Some(initial.trim().to_owned())),
                None => (rest, None),
            };
            match mechanism.is_empty() {
                true => Err(Wrong::Arguments("AUTH needs a mechanism")),
                false => Ok(Command::Auth(mechanism.to_ascii_uppercase(), initial)),
            }
        }
        "MAIL" => mail(rest),
        "RCPT" => {
            let path = keyword(rest, "TO:").ok_or(Wrong::Arguments("Write RCPT TO:<address>"))?;
            let (address, params) = path_of(path)?;
            match (address.is_empty(), params.is_empty()) {
                (true, _) => Err(Wrong::Arguments("A recipient has an address")),
                (false, true) => Ok(Command::Rcpt(address)),
                (false, false) => Err(Wrong::Parameter("No parameter of RCPT is offered here")),
            }
        }
        "DATA" => Ok(Command::Data),
        "RSET" => Ok(Command::Rset),
        "NOOP" => Ok(Command::Noop),
        "QUIT" => Ok(Command::Quit),
        "VRFY" => Ok(Command::Verify),
        "HELP" => Ok(Command::Help),
        "EXPN" => Err(Wrong::NotOffered("EXPN")),
        "STARTTLS" => Err(Wrong::NotOffered("STARTTLS")),
        "BDAT" => Err(Wrong::NotOffered("BDAT")),
        _ => Err(Wrong::Unknown),
    }
}

fn domain(text: &str) -> Result<String, Wrong> {
    match text.is_empty() {
        true => Err(Wrong::Arguments("Say who you are: EHLO name")),
        false => Ok(text.to_owned()),
    }
}

fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let head = text.get(..word.len())?;
    head.eq_ignore_ascii_case(word)
        .then(|| text.get(word.len()..).unwrap_or_default().trim_start())
}

fn mail(rest: &str) -> Result<Command, Wrong> {
    let path = keyword(rest, "FROM:").ok_or(Wrong::Arguments("Write MAIL FROM:<address>"))?;
    let (from, params) = path_of(path)?;
    let mut size = None;
    for param in params {
        let (name, value) = param.split_once('=').unwrap_or((&param, ""));
        match name.to_ascii_uppercase().as_str() {
            "SIZE" => {
                let bytes = value.parse();
                size = Some(bytes.map_err(|_| Wrong::Arguments("SIZE is a number"))?);
            }
            "BODY"
                if ["7BIT", "8BITMIME"]
                    .iter()
                    .any(|k| k.eq_ignore_ascii_case(value)) => {}
            "AUTH" => {}
            _ => {
                return Err(Wrong::Parameter(
                    "This parameter of MAIL is not offered here",
                ));
            }
        }
    }
    Ok(Command::Mail { from, size })
}

/// An address in angle brackets and what follows it.
fn path_of(text: &str) -> Result<(String, Vec<String>), Wrong> {
    let wrong = Wrong::Arguments("An address stands in angle brackets: <name@domain>");
    let inner = text.strip_prefix('<').ok_or(wrong.clone())?;
    let (mut quoted, mut escaped, mut end) = (false, false, None);
    for (at, c) in inner.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => {
                end = Some(at);
                break;
            }
            _ => {}
        }
    }
    let end = end.ok_or(wrong)?;
    let (path, after) = inner.split_at(end);
    // A source route is passed over, as RFC 5321 says.
    let path = match path.strip_prefix('@') {
        Some(route) => route.split_once(':').map_or(path, |(_, path)| path),
        None => path,
    };
    let params = after.get(1..).unwrap_or_default();
    let params = params.split_whitespace().map(str::to_owned).collect();
    Ok((path.to_owned(), params))
}

/// Reads the text behind DATA: takes the doubled dots off and finds the end, `CRLF . CRLF`. Line ends of other kinds are
/// text, so that nothing in a mail can end it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DataReader {
    #[default]
    LineStart,
    Dot,
    DotCr,
    Within,
    Cr,
}

impl DataReader {
    /// Takes bytes as they come, appends the mail's to `out`. When the end is among them, gives how many were used.
    pub fn push(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            *self = match (*self, byte) {
                (Self::DotCr, b'\n') => return Some(at + 1),
                (Self::LineStart, b'.') => Self::Dot,
                (Self::Dot, b'\r') => Self::DotCr,
                (state, byte) => {
                    if state == Self::DotCr {
                        out.push(b'\r');
                    }
                    out.push(*byte);
                    match byte {
                        b'\r' => Self::Cr,
                        b'\n' if state == Self::Cr => Self::LineStart,
                        _ => Self::Within,
                    }
                }
            };
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_in_any_case() {
        let mail = Command::Mail {
            from: "a@b".into(),
            size: Some(5),
        };
        for (line, expected) in [
            ("EHLO me", Ok(Command::Ehlo("me".into()))),
            ("mail from:<a@b> size=5 BODY=8BITMIME", Ok(mail.clone())),
            ("MAIL FROM: <@r:a@b> SIZE=5", Ok(mail)),
            ("RCPT TO:<\"a>b\"@c>", Ok(Command::Rcpt("\"a>b\"@c".into()))),
            (
                "AUTH plain AGE=",
                Ok(Command::Auth("PLAIN".into(), Some("AGE=".into()))),
            ),
            ("data", Ok(Command::Data)),
            ("FOO", Err(Wrong::Unknown)),
            ("STARTTLS", Err(Wrong::NotOffered("STARTTLS"))),
        ] {
            assert_eq!(parse(line.as_bytes()), expected, "{line}");
        }
        for line in [
            "RCPT TO:<>",
            "RCPT <a@b>",
            "MAIL FROM:a",
            "MAIL FROM:<a",
            "EHLO",
        ] {
            assert!(matches!(parse(line.as_bytes()), Err(Wrong::Arguments(_))));
        }
    }

    #[test]
    fn a_mail_ends_at_the_dot_and_nowhere_else() {
        for (sent, mail) in [
            ("a\r\n.\r\nQUIT", "a\r\n"),
            (".\r\nQUIT", ""),
            ("..\r\n.\r\nQUIT", ".\r\n"),
            (".x\r\n.\r\nQUIT", "x\r\n"),
            ("a\n.\nb\n.\r\nc\r\n.\r\nQUIT", "a\n.\nb\n.\r\nc\r\n"),
            (".\rx\r\n.\r\nQUIT", "\rx\r\n"),
            ("a\r\r\n.\r\nQUIT", "a\r\r\n"),
        ] {
            for cut in 1..sent.len() {
                let (mut reader, mut out) = (DataReader::default(), Vec::new());
                let mut used = 0;
                for piece in sent.as_bytes().chunks(cut) {
                    match reader.push(piece, &mut out) {
                        Some(last) => {
                            used += last;
                            break;
                        }
                        None => used += piece.len(),
                    }
                }
                assert_eq!(String::from_utf8_lossy(&out), mail, "{sent:?} {cut}");
                assert_eq!(sent.get(used..), Some("QUIT"), "{sent:?} {cut}");
            }
        }
    }
}
