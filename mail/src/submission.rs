//! What is made of a mail before it is sent (RFC 6409, section 8): it gets a date and a number if it has none, and loses
//! what others must not see.

use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::path::Path;

use crate::address::{DOMAIN, Mailbox};
use crate::files::{self, FileError, failed};
use crate::receive::{author_of, read_head};
use crate::syntax::{date, header};

/// Fields that stay with the sender.
const PRIVATE: [&str; 4] = [
    "Bcc",
    "Resent-Bcc",
    "Return-Path",
    "X-Phantasma-Max-Postage",
];

/// Why a mail is not accepted.
#[derive(Debug, thiserror::Error)]
pub enum SubmissionError {
    #[error(transparent)]
    File(#[from] FileError),
    /// With its enhanced status code.
    #[error("{0}")]
    Refused(String),
}

/// Makes the mail that travels from the one that was given. Both are files; the new one is on the disk afterwards.
pub fn finish(own: &Mailbox, given: &Path, to: &Path, now_s: i64) -> Result<(), SubmissionError> {
    let refused = |text: String| SubmissionError::Refused(text);
    let head = read_head(given)?;
    let (end, body) = header::split(&head);
    if end == head.len() && head.len() >= header::MAX_HEADER {
        return Err(refused(
            "5.6.0 The header is longer than 256 KiB".to_owned(),
        ));
    }
    let header = head.get(..end).unwrap_or_default();
    let from =
        author_of(&head).map_err(|error| refused(format!("5.6.0 The mail is refused: {error}")))?;
    if from != *own {
        return Err(refused(format!(
            "5.7.1 You are {own}, and the mail says it is from {from}"
        )));
    }
    let fields = header::fields(header);
    let mut made = Vec::with_capacity(header.len() + 200);
    if !fields.iter().any(|field| field.is("Date")) {
        made.extend_from_slice(format!("Date: {}\r\n", date::rfc5322(now_s)).as_bytes());
    }
    if !fields.iter().any(|field| field.is("Message-ID")) {
        let number = rand::random::<u128>();
        made.extend_from_slice(format!("Message-ID: <{number:032x}@{DOMAIN}>\r\n").as_bytes());
    }
    for field in &fields {
        if !PRIVATE.iter().any(|name| field.is(name)) {
            made.extend_from_slice(field.raw);
        }
    }
    made.extend_from_slice(b"\r\n");
    let mut out = files::create(to)?;
    let mut mail = fs::File::open(given).map_err(failed("open", given))?;
    let copy = |out: &mut fs::File, mail: &mut fs::File| -> io::Result<()> {
        out.write_all(&made)?;
        mail.seek(io::SeekFrom::Start(body as u64))?;
        io::copy(mail, out)?;
        out.sync_all()
    };
    copy(&mut out, &mut mail).map_err(failed("write", to))?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn check(mail: &str) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let (given, made) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&given, mail).unwrap();
        let own = Mailbox::of_box("ada").unwrap();
        finish(&own, &given, &made, 0).map_err(|error| error.to_string())?;
        Ok(fs::read_to_string(made).unwrap())
    }

    #[test]
    fn a_mail_gets_a_date_and_loses_its_hidden_readers() {
        let mail = "From: ada@phantasma.alt\r\nBcc: eve@phantasma.alt,\r\n bob@phantasma.alt\r\nTo: bob@phantasma.alt\r\n\r\nBcc: body\r\n";
        let made = check(mail).unwrap();
        assert!(
            made.starts_with("Date: Thu, 1 Jan 1970 00:00:00 +0000\r\nMessage-ID: <"),
            "{made}"
        );
        assert!(
            made.ends_with("To: bob@phantasma.alt\r\n\r\nBcc: body\r\n"),
            "{made}"
        );
        assert!(!made.contains("eve"));
        let complete = "From: ada@phantasma\r\nDate: x\r\nMessage-ID: <1@b>\r\n\r\nb";
        assert_eq!(check(complete).unwrap(), complete);
    }

    #[test]
    fn nobody_writes_in_anothers_name() {
        let error = check("From: bob@phantasma.alt\r\n\r\nx").unwrap_err();
        assert!(
            error.starts_with("5.7.1") && error.contains("bob@"),
            "{error}"
        );
        assert!(
            check("Subject: x\r\n\r\nx")
                .unwrap_err()
                .starts_with("5.6.0")
        );
    }
}
