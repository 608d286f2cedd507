//! FETCH: what is in a mail.

use std::io;
use std::path::Path;
use std::sync::Arc;

use tokio::io::AsyncReadExt as _;

use super::selected::{Selected, shown_flags};
use super::{Done, Session, ok};
use crate::store::{Flags, Message, Store};
use crate::syntax::header::{self, fields};
use crate::syntax::imap_items::{FetchItem, Section, SectionText, SequenceSet};
use crate::syntax::mime::{self, Part};
use crate::syntax::{date, structure};

/// Looks for a file that was renamed at the same moment.
const TRIES: usize = 5;

/// A mail, and its structure once that is asked for.
pub(super) struct Open {
    pub(super) bytes: Arc<Vec<u8>>,
    structure: Option<Part>,
}

impl Open {
    /// Reads a mail's file; with `head`, when that is enough, not further than the header.
    pub(super) async fn read(
        store: &Store,
        folder: &str,
        uid: u32,
        head: bool,
    ) -> io::Result<Option<Self>> {
        for _ in 0..TRIES {
            let path = store.with(folder, |folder| Some(folder.path_of(folder.find(uid)?)));
            let Ok(Some(path)) = path else {
                return Ok(None);
            };
            match read_file(&path, head).await {
                Ok(bytes) => {
                    return Ok(Some(Self {
                        bytes: Arc::new(bytes),
                        structure: None,
                    }));
                }
                // Its flags have just changed, and with them its name.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    pub(super) fn structure(&mut self) -> &Part {
        let bytes = self.bytes.clone();
        self.structure.get_or_insert_with(|| mime::parse(&bytes))
    }
}

async fn read_file(path: &Path, head: bool) -> io::Result<Vec<u8>> {
    if head {
        let limit = header::MAX_HEADER;
        let mut bytes = Vec::new();
        let file = tokio::fs::File::open(path).await?;
        file.take(limit as u64).read_to_end(&mut bytes).await?;
        // A header that goes on belongs to a mail that is read whole.
        if bytes.len() < limit || header::split(&bytes).0 < bytes.len() {
            return Ok(bytes);
        }
    }
    tokio::fs::read(path).await
}

/// Whether an item is answered by the header alone.
fn is_of_head(item: &FetchItem) -> bool {
    match item {
        FetchItem::Section { section, .. } => {
            section.path.is_empty()
                && matches!(section.text, SectionText::Header | SectionText::Fields(..))
        }
        FetchItem::Structure { .. } => false,
        FetchItem::Uid
        | FetchItem::Flags
        | FetchItem::InternalDate
        | FetchItem::Size
        | FetchItem::Envelope => true,
    }
}

impl Session {
    pub(super) async fn fetch(
        &mut self,
        selected: &mut Selected,
        uid: bool,
        set: &SequenceSet,
        items: &[FetchItem],
    ) -> Done {
        let reads = |item: &FetchItem| {
            matches!(
                item,
                FetchItem::Section { .. } | FetchItem::Envelope | FetchItem::Structure { .. }
            )
        };
        let marks = |item: &FetchItem| matches!(item, FetchItem::Section { peek: false, .. });
        let (reads, marks) = (items.iter().any(reads), items.iter().any(marks));
        let head = items.iter().all(is_of_head);
        for (place, number) in selected.chosen(set, uid) {
            let mut message = {
                let found = self
                    .daemon
                    .store
                    .with(&selected.name, |folder| folder.find(number).cloned());
                match found {
                    Ok(Some(message)) => message,
                    Ok(None) | Err(_) => continue,
                }
            };
            let mut open = None;
            if reads {
                open = Open::read(&self.daemon.store, &selected.name, number, head).await?;
                if open.is_none() {
                    continue;
                }
            }
            let mut shows_flags = items.contains(&FetchItem::Flags);
            if marks && !selected.read_only && !message.flags.has(Flags::SEEN) {
                let seen = message.flags.with(Flags::SEEN);
                let set = self
                    .daemon
                    .store
                    .change(&selected.name, |folder| folder.set_flags(number, seen));
                if let Ok(true) = set {
                    message.flags = seen;
                    shows_flags = true;
                    if let Some(known) = selected.messages.get_mut(place - 1) {
                        known.1 = seen;
                    }
                }
            }
            let recent = number >= selected.recent_from;
            let line = answer(place, &message, recent, items, shows_flags, open.as_mut());
            self.lines.write(&line).await?;
        }
        self.sync(selected, false).await?;
        ok("Done")
    }
}

/// One untagged FETCH.
fn answer(
    place: usize,
    message: &Message,
    recent: bool,
    items: &[FetchItem],
    shows_flags: bool,
    mut open: Option<&mut Open>,
) -> Vec<u8> {
    let mut out = format!("* {place} FETCH (").into_bytes();
    let mut first = true;
    let mut gap = |out: &mut Vec<u8>| {
        if !first {
            out.push(b' ');
        }
        first = false;
    };
    if shows_flags {
        gap(&mut out);
        let shown = shown_flags(message.flags, recent);
        out.extend_from_slice(format!("FLAGS ({shown})").as_bytes());
    }
    for item in items {
        match item {
            FetchItem::Flags => continue,
            FetchItem::Uid => {
                gap(&mut out);
                out.extend_from_slice(format!("UID {}", message.uid).as_bytes());
            }
            FetchItem::InternalDate => {
                gap(&mut out);
                let date = date::internal(message.date);
                out.extend_from_slice(format!("INTERNALDATE \"{date}\"").as_bytes());
            }
            FetchItem::Size => {
                gap(&mut out);
                out.extend_from_slice(format!("RFC822.SIZE {}", message.size).as_bytes());
            }
            FetchItem::Envelope => {
                let Some(open) = open.as_deref() else {
                    continue;
                };
                gap(&mut out);
                out.extend_from_slice(b"ENVELOPE ");
                structure::envelope(&mut out, &open.bytes);
            }
            FetchItem::Structure { extended } => {
                let Some(open) = open.as_deref_mut() else {
                    continue;
                };
                gap(&mut out);
                let name: &[u8] = if *extended {
                    b"BODYSTRUCTURE "
                } else {
                    b"BODY "
                };
                out.extend_from_slice(name);
                let bytes = open.bytes.clone();
                structure::body(&mut out, &bytes, open.structure(), *extended);
            }
            FetchItem::Section {
                label,
                section,
                partial,
                ..
            } => {
                let Some(open) = open.as_deref_mut() else {
                    continue;
                };
                gap(&mut out);
                out.extend_from_slice(label);
                out.push(b' ');
                let text = text_of(open, section);
                literal(&mut out, text.as_deref(), *partial);
            }
        }
    }
    out.extend_from_slice(b")\r\n");
    out
}

fn literal(out: &mut Vec<u8>, text: Option<&[u8]>, partial: Option<(u32, u32)>) {
    let Some(text) = text else {
        // A part that is not there.
        out.extend_from_slice(b"NIL");
        return;
    };
    let text = match partial {
        None => text,
        Some((from, count)) => {
            let from = usize::try_from(from).unwrap_or(usize::MAX).min(text.len());
            let rest = text.get(from..).unwrap_or_default();
            let count = usize::try_from(count).unwrap_or(usize::MAX).min(rest.len());
            rest.get(..count).unwrap_or_default()
        }
    };
    out.extend_from_slice(format!("{{{}}}\r\n", text.len()).as_bytes());
    out.extend_from_slice(text);
}

/// The bytes of a section; None when there is no such part.
fn text_of(open: &mut Open, section: &Section) -> Option<Vec<u8>> {
    let bytes = open.bytes.clone();
    if section.path.is_empty() {
        let (end, body) = header::split(&bytes);
        // The empty line belongs to the header.
        let head = bytes.get(..body).unwrap_or_default();
        return Some(match &section.text {
            SectionText::All => bytes.to_vec(),
            SectionText::Header | SectionText::Mime => head.to_vec(),
            SectionText::Fields(names, others) => {
                chosen_fields(bytes.get(..end).unwrap_or_default(), names, *others)
            }
            SectionText::Text => bytes.get(body..).unwrap_or_default().to_vec(),
        });
    }
    let part = open.structure().find(&section.path)?;
    match &section.text {
        SectionText::All => Some(part.content(&bytes).to_vec()),
        SectionText::Mime => Some(part.header(&bytes).to_vec()),
        SectionText::Header => Some(part.message()?.header(&bytes).to_vec()),
        SectionText::Text => Some(part.message()?.content(&bytes).to_vec()),
        SectionText::Fields(names, others) => {
            let head = part.message()?.header(&bytes);
            Some(chosen_fields(head, names, *others))
        }
    }
}

/// The fields of these names, or the others, and an empty line.
fn chosen_fields(head: &[u8], names: &[Vec<u8>], others: bool) -> Vec<u8> {
    let mut chosen = Vec::new();
    for field in fields(head) {
        let named = names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(field.name));
        if named != others {
            chosen.extend_from_slice(field.raw);
        }
    }
    chosen.extend_from_slice(b"\r\n");
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &[u8] = b"From: a@b\r\nSubject: hi\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nA: b\r\n\r\none\r\n--x\r\n\
        Content-Type: message/rfc822\r\n\r\nSubject: in\r\n\r\ninner\r\n--x--\r\n";

    fn section(path: &[u32], text: SectionText) -> Option<String> {
        let mut open = Open {
            bytes: Arc::new(MAIL.to_vec()),
            structure: None,
        };
        let section = Section {
            path: path.to_vec(),
            text,
        };
        text_of(&mut open, &section).map(|text| String::from_utf8_lossy(&text).into_owned())
    }

    #[test]
    fn sections_are_what_the_standard_says() {
        let names = || vec![b"subject".to_vec()];
        assert_eq!(
            section(&[], SectionText::All).map(|t| t.len()),
            Some(MAIL.len())
        );
        assert_eq!(
            section(&[], SectionText::Fields(names(), false)).as_deref(),
            Some("Subject: hi\r\n\r\n")
        );
        assert!(
            section(&[], SectionText::Header).is_some_and(|t| t.ends_with("boundary=x\r\n\r\n"))
        );
        assert_eq!(section(&[1], SectionText::All).as_deref(), Some("one"));
        assert_eq!(
            section(&[1], SectionText::Mime).as_deref(),
            Some("A: b\r\n\r\n")
        );
        assert_eq!(
            section(&[2], SectionText::Header).as_deref(),
            Some("Subject: in\r\n\r\n")
        );
        assert_eq!(section(&[2], SectionText::Text).as_deref(), Some("inner"));
        assert_eq!(section(&[2, 1], SectionText::All).as_deref(), Some("inner"));
        assert_eq!(section(&[1], SectionText::Header), None);
        assert_eq!(section(&[3], SectionText::All), None);
    }

    #[test]
    fn a_part_of_a_section_never_leaves_it() {
        for (partial, expected) in [
            (None, "{5}\r\nhello"),
            (Some((1, 3)), "{3}\r\nell"),
            (Some((3, 9)), "{2}\r\nlo"),
            (Some((9, 9)), "{0}\r\n"),
        ] {
            let mut out = Vec::new();
            literal(&mut out, Some(b"hello"), partial);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
