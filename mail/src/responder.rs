//! Automatic answers (RFC 3834): one text for everybody who writes, at most one a week each, never for money, and never to
//! what is automatic itself.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::address::{DOMAIN, Mailbox};
use crate::files::{self, FileError};
use crate::syntax::{date, header};

/// The answer, in the mailbox's folder; there is none without the file.
const FILE: &str = "responder.json";
/// Who was answered when, beside it.
const ANSWERED: &str = "answered.json";

/// Nobody is answered again before that.
const AGAIN_MS: u64 = 7 * 86_400_000;

/// People who are remembered as answered; the oldest are forgotten first.
const MAX_ANSWERED: usize = 10_000;

/// The answer of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    pub text: String,
}

impl Responder {
    /// None when nothing is answered, or the file cannot be read as one.
    pub fn load(folder: &Path) -> Result<Option<Self>, FileError> {
        let bytes = files::read(&folder.join(FILE))?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Answers from now on; None ends it.
    pub fn save(folder: &Path, responder: Option<&Self>) -> Result<(), FileError> {
        let path = folder.join(FILE);
        match responder {
            Some(responder) => {
                let bytes = serde_json::to_vec_pretty(responder).unwrap_or_default();
                files::replace(&path, &bytes)
            }
            None => files::remove(&path),
        }
    }

    /// The answer to a mail of which the head is given; None when there shall be none.
    pub fn answer(
        &self,
        own: &Mailbox,
        from: &Mailbox,
        head: &[u8],
        now_s: i64,
    ) -> Option<Vec<u8>> {
        let (end, _) = header::split(head);
        let fields = header::fields(head.get(..end).unwrap_or_default());
        let value = |name: &str| {
            let found = header::first(&fields, name)?;
            Some(String::from_utf8_lossy(&found).into_owned())
        };
        let automatic =
            value("Auto-Submitted").is_some_and(|word| !word.eq_ignore_ascii_case("no"));
        let bulk = value("Precedence").is_some_and(|word| {
            ["bulk", "junk", "list"]
                .iter()
                .any(|known| word.eq_ignore_ascii_case(known))
        });
        let list = value("List-Id").is_some() || value("List-Unsubscribe").is_some();
        if automatic || bulk || list || from == own {
            return None;
        }
        let subject = value("Subject").unwrap_or_default();
        let mut answer = format!(
            "From: {own}\r\nTo: {from}\r\nSubject: Re: {subject}\r\nDate: {}\r\nMessage-ID: <{:032x}@{DOMAIN}>\r\n\
             Auto-Submitted: auto-replied\r\n",
            date::rfc5322(now_s),
            rand::random::<u128>()
        );
        if let Some(id) = value("Message-ID") {
            answer.push_str(&format!("In-Reply-To: {id}\r\nReferences: {id}\r\n"));
        }
        answer.push_str(
            "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n",
        );
        let text = self.text.replace("\r\n", "\n").replace('\n', "\r\n");
        answer.push_str(&text);
        answer.push_str("\r\n");
        Some(answer.into_bytes())
    }
}

/// Whether somebody may be answered now, which is noted.
pub fn may_answer(folder: &Path, from: &Mailbox, now_ms: u64) -> Result<bool, FileError> {
    let path = folder.join(ANSWERED);
    let bytes = files::read(&path)?.unwrap_or_default();
    let mut answered: BTreeMap<String, u64> = serde_json::from_slice(&bytes).unwrap_or_default();
    answered.retain(|_, at| now_ms.saturating_sub(*at) < AGAIN_MS);
    if answered.contains_key(from.name()) {
        return Ok(false);
    }
    answered.insert(from.name().to_owned(), now_ms);
    while answered.len() > MAX_ANSWERED {
        let oldest = answered.iter().min_by_key(|(_, at)| **at);
        let Some(name) = oldest.map(|(name, _)| name.clone()) else {
            break;
        };
        answered.remove(&name);
    }
    let bytes = serde_json::to_vec(&answered).unwrap_or_default();
    files::replace(&path, &bytes)?;
    Ok(true)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn people_are_answered_and_programs_are_not() {
        let (own, ada) = (
            Mailbox::of_box("bob").unwrap(),
            Mailbox::of_box("ada").unwrap(),
        );
        let responder = Responder {
            text: "away\nuntil May".into(),
        };
        let answer = |head: &str, from: &Mailbox| responder.answer(&own, from, head.as_bytes(), 0);
        let text = answer("Subject: hi\r\nMessage-ID: <1@x>\r\n\r\n", &ada).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.contains("Subject: Re: hi\r\n") && text.contains("In-Reply-To: <1@x>\r\n"));
        assert!(text.ends_with("\r\n\r\naway\r\nuntil May\r\n"), "{text}");
        assert!(answer("Auto-Submitted: no\r\n\r\n", &ada).is_some());
        for head in [
            "Auto-Submitted: auto-replied\r\n\r\n",
            "Precedence: bulk\r\n\r\n",
            "List-Id: <x>\r\n\r\n",
        ] {
            assert_eq!(answer(head, &ada), None, "{head}");
        }
        assert_eq!(answer("Subject: hi\r\n\r\n", &own), None);
        assert_eq!(
            responder.answer(&own, &ada, text.as_bytes(), 0),
            None,
            "no answer to an answer"
        );
    }

    #[test]
    fn nobody_is_answered_twice_in_a_week() {
        let folder = tempfile::tempdir().unwrap();
        let ada = Mailbox::of_box("ada").unwrap();
        assert!(may_answer(folder.path(), &ada, 5).unwrap());
        assert!(!may_answer(folder.path(), &ada, AGAIN_MS).unwrap());
        assert!(may_answer(folder.path(), &ada, AGAIN_MS + 5).unwrap());
        assert_eq!(Responder::load(folder.path()).unwrap(), None);
        let responder = Responder { text: "x".into() };
        Responder::save(folder.path(), Some(&responder)).unwrap();
        assert_eq!(Responder::load(folder.path()).unwrap(), Some(responder));
        Responder::save(folder.path(), None).unwrap();
        assert_eq!(Responder::load(folder.path()).unwrap(), None);
    }
}
