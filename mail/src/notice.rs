//! What a sender is told of a mail that did not reach somebody: a report (RFC 3464) in the sender's own inbox.

use std::path::Path;

use crate::address::{DOMAIN, Mailbox};
use crate::files::{self, FileError, failed};
use crate::outbox::{Delivery, Job};
use crate::receive::read_head;
use crate::syntax::{date, header};

/// The report for those readers whom the mail never reaches; None when it reached all.
pub fn report(
    own: &Mailbox,
    mail: &Path,
    job: &Job,
    now_s: i64,
) -> Result<Option<Vec<u8>>, FileError> {
    let failed: Vec<(String, String)> = job
        .recipients
        .iter()
        .filter_map(|recipient| match &recipient.state {
            Delivery::Failed(reason) => {
                Some((format!("{}@{DOMAIN}", recipient.name), reason.clone()))
            }
            Delivery::Waiting | Delivery::Sent => None,
        })
        .collect();
    if failed.is_empty() {
        return Ok(None);
    }
    let from = format!("postmaster@{DOMAIN}");
    compose(&from, own, mail, &failed, now_s).map(Some)
}

/// A report on readers who were not reached, each with the reason, which begins with its status code.
pub fn compose(
    from: &str,
    to: &Mailbox,
    mail: &Path,
    failed: &[(String, String)],
    now_s: i64,
) -> Result<Vec<u8>, FileError> {
    let head = read_head(mail)?;
    let (end, _) = header::split(&head);
    let head = String::from_utf8_lossy(head.get(..end).unwrap_or_default()).into_owned();
    let boundary = format!("{:032x}", rand::random::<u128>());
    let (mut told, mut status) = (String::new(), String::new());
    for (address, reason) in failed {
        let reason = reason.replace(['\r', '\n'], " ");
        let code = reason.split(' ').next().unwrap_or("5.0.0");
        told.push_str(&format!("{address}\r\n    {reason}\r\n\r\n"));
        status.push_str(&format!(
            "\r\nFinal-Recipient: rfc822; {address}\r\nAction: failed\r\nStatus: {code}\r\nDiagnostic-Code: smtp; 550 {reason}\r\n"
        ));
    }
    let text = format!(
        "From: Mail Delivery <{from}>\r\nTo: {to}\r\nSubject: Your mail was not delivered\r\nDate: {}\r\n\
         Message-ID: <{:032x}@{DOMAIN}>\r\nAuto-Submitted: auto-replied\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"{boundary}\"\r\n\r\n\
         --{boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n\
         Your mail did not reach:\r\n\r\n{told}\
         --{boundary}\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; {DOMAIN}\r\n{status}\r\n\
         --{boundary}\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n--{boundary}--\r\n",
        date::rfc5322(now_s),
        rand::random::<u128>(),
    );
    Ok(text.into_bytes())
}

/// Writes a mail of our own into a file.
pub fn write(path: &Path, mail: &[u8]) -> Result<(), FileError> {
    let mut file = files::create(path)?;
    std::io::Write::write_all(&mut file, mail).map_err(failed("write", path))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outbox::Recipient;
    use crate::syntax::mime;

    #[test]
    fn a_report_names_who_was_not_reached_and_why() {
        let folder = tempfile::tempdir().unwrap();
        let mail = folder.path().join("m");
        std::fs::write(&mail, "Subject: hi\r\n\r\nbody").unwrap();
        let mut job = Job::new(
            vec![
                Recipient::new("bob".into(), 0),
                Recipient::new("eve".into(), 0),
            ],
            0,
        );
        let own = Mailbox::of_box("ada").unwrap();
        assert_eq!(report(&own, &mail, &job, 0).unwrap(), None);
        job.recipients[1].state = Delivery::Failed("5.7.1 no".into());
        let text = report(&own, &mail, &job, 0).unwrap().unwrap();
        let part = mime::parse(&text);
        let shown = |path: &[u32]| {
            let content = part.find(path).unwrap().content(&text);
            String::from_utf8_lossy(content).into_owned()
        };
        assert!(shown(&[1]).contains("eve@phantasma.alt\r\n    5.7.1 no"));
        assert!(!shown(&[1]).contains("bob"));
        assert!(shown(&[2]).contains("Status: 5.7.1\r\n"));
        assert!(shown(&[3]).contains("Subject: hi") && !shown(&[3]).contains("body"));
    }
}
