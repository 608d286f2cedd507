//! SEARCH: which mails have something.

use std::io;

use super::fetch::Open;
use super::selected::Selected;
use super::{Done, Session, ok};
use crate::store::{Flags, Message};
use crate::syntax::imap_items::SearchKey;
use crate::syntax::{date, encoded, header, mime};

/// A mail that is looked at, its file read once it has to be.
struct Candidate {
    message: Message,
    place: u32,
    last_place: u32,
    last_uid: u32,
    recent: bool,
    open: Option<Open>,
}

impl Session {
    pub(super) async fn search(
        &mut self,
        selected: &mut Selected,
        uid: bool,
        key: &SearchKey,
    ) -> Done {
        let last_uid = selected.messages.last().map_or(0, |(uid, _)| *uid);
        let last_place = u32::try_from(selected.messages.len()).unwrap_or(u32::MAX);
        let reads = needs_file(key);
        let mut found = String::from("* SEARCH");
        for (at, (number, _)) in selected.messages.iter().enumerate() {
            let message = self
                .daemon
                .store
                .with(&selected.name, |folder| folder.find(*number).cloned());
            let Ok(Some(message)) = message else { continue };
            let open = match reads {
                true => Open::read(&self.daemon.store, &selected.name, *number, false).await?,
                false => None,
            };
            let place = u32::try_from(at + 1).unwrap_or(u32::MAX);
            let mut candidate = Candidate {
                message,
                place,
                last_place,
                last_uid,
                recent: *number >= selected.recent_from,
                open,
            };
            let key = key.clone();
            // Decoding long mails takes a while.
            let fits = tokio::task::spawn_blocking(move || candidate.fits(&key));
            if fits.await.map_err(io::Error::other)? {
                found.push_str(&format!(" {}", if uid { *number } else { place }));
            }
        }
        self.say(&found).await?;
        self.sync(selected, false).await?;
        ok("Done")
    }
}

fn needs_file(key: &SearchKey) -> bool {
    match key {
        SearchKey::All(keys) => keys.iter().any(needs_file),
        SearchKey::Either(one, other) => needs_file(one) || needs_file(other),
        SearchKey::Not(key) => needs_file(key),
        SearchKey::Header(..)
        | SearchKey::Body(_)
        | SearchKey::Text(_)
        | SearchKey::SentBefore(_)
        | SearchKey::SentSince(_) => true,
        SearchKey::Flag(_)
        | SearchKey::Recent
        | SearchKey::Keyword
        | SearchKey::Before(_)
        | SearchKey::Since(_)
        | SearchKey::Larger(_)
        | SearchKey::Smaller(_)
        | SearchKey::Uid(_)
        | SearchKey::Numbers(_) => false,
    }
}

impl Candidate {
    fn fits(&mut self, key: &SearchKey) -> bool {
        match key {
            SearchKey::All(keys) => keys.iter().all(|key| self.fits(key)),
            SearchKey::Either(one, other) => self.fits(one) || self.fits(other),
            SearchKey::Not(key) => !self.fits(key),
            SearchKey::Flag(name) => self.message.flags.has(Flags::named(name.as_bytes())),
            SearchKey::Recent => self.recent,
            SearchKey::Keyword => false,
            SearchKey::Header(name, text) => self.header_has(name, text),
            SearchKey::Body(text) => self.body_has(text),
            SearchKey::Text(text) => self.head_has(text) || self.body_has(text),
            SearchKey::Before(day) => self.message.date < *day,
            SearchKey::Since(day) => self.message.date >= *day,
            SearchKey::SentBefore(day) => self.sent().is_some_and(|sent| sent < *day),
            SearchKey::SentSince(day) => self.sent().is_some_and(|sent| sent >= *day),
            SearchKey::Larger(size) => self.message.size > u64::from(*size),
            SearchKey::Smaller(size) => self.message.size < u64::from(*size),
            SearchKey::Uid(set) => set.contains(self.message.uid, self.last_uid),
            SearchKey::Numbers(set) => set.contains(self.place, self.last_place),
        }
    }

    fn head(&self) -> &[u8] {
        let bytes = self
            .open
            .as_ref()
            .map_or(&[][..], |open| open.bytes.as_slice());
        let (end, _) = header::split(bytes);
        bytes.get(..end).unwrap_or_default()
    }

    fn header_has(&self, name: &str, text: &str) -> bool {
        let fields = header::fields(self.head());
        fields.iter().filter(|field| field.is(name)).any(|field| {
            let value = encoded::words(&header::unfold(field.value));
            text.is_empty() || contains(&value, text)
        })
    }

    fn head_has(&self, text: &str) -> bool {
        let fields = header::fields(self.head());
        fields
            .iter()
            .any(|field| contains(&encoded::words(&header::unfold(field.raw)), text))
    }

    fn sent(&self) -> Option<i64> {
        let value = header::first(&header::fields(self.head()), "Date")?;
        let at = date::parse_rfc5322(&String::from_utf8_lossy(&value))?;
        // Days count as they are written, whatever the zone (RFC 3501): nearly always the same.
        Some(at)
    }

    fn body_has(&mut self, text: &str) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        let bytes = open.bytes.clone();
        mime::texts(&bytes, open.structure())
            .iter()
            .any(|part| contains(part, text))
    }
}

fn contains(text: &str, wanted: &str) -> bool {
    text.to_lowercase().contains(&wanted.to_lowercase())
}
