//! The folder that a session has open, as its client knows it, and the commands that change it.

use std::io;

use super::{Done, End, Session, no, of, ok};
use crate::store::{Flags, Store, StoreError};
use crate::syntax::imap_items::{SequenceSet, StoreMode};

/// What the client believes is in the folder: numbers of mails count from 1 in this list.
#[derive(Debug)]
pub(crate) struct Selected {
    pub(crate) name: String,
    pub(crate) read_only: bool,
    pub(crate) messages: Vec<(u32, Flags)>,
    /// This session was the first to see the mails from this number on.
    pub(crate) recent_from: u32,
}

impl Selected {
    pub(crate) fn recent(&self) -> usize {
        let recent = self
            .messages
            .iter()
            .filter(|(uid, _)| *uid >= self.recent_from);
        recent.count()
    }

    /// The mails of a set: their place, counted from 1, and their number.
    pub(crate) fn chosen(&self, set: &SequenceSet, uid: bool) -> Vec<(usize, u32)> {
        let last = match uid {
            true => self.messages.last().map_or(0, |(uid, _)| *uid),
            false => u32::try_from(self.messages.len()).unwrap_or(u32::MAX),
        };
        let places = self.messages.iter().enumerate();
        places
            .map(|(at, (uid, _))| (at + 1, *uid))
            .filter(|(place, number)| {
                let wanted = if uid {
                    *number
                } else {
                    u32::try_from(*place).unwrap_or(u32::MAX)
                };
                set.contains(wanted, last)
            })
            .collect()
    }

    /// Numbers of the mails that are marked as deleted, of those in a set if one is given.
    pub(crate) fn deleted(&self, store: &Store, set: Option<&SequenceSet>) -> Vec<u32> {
        let chosen: Vec<u32> = match set {
            Some(set) => self
                .chosen(set, true)
                .into_iter()
                .map(|(_, uid)| uid)
                .collect(),
            None => self.messages.iter().map(|(uid, _)| *uid).collect(),
        };
        let deleted = store.with(&self.name, |folder| {
            let marked = |uid: &u32| {
                folder
                    .find(*uid)
                    .is_some_and(|m| m.flags.has(Flags::DELETED))
            };
            chosen.into_iter().filter(marked).collect()
        });
        deleted.unwrap_or_default()
    }
}

impl Session {
    /// Tells the client what has changed in its folder. `removals` only where numbers may change (RFC 3501, 7.4.1).
    pub(super) async fn sync(&mut self, selected: &mut Selected, removals: bool) -> io::Result<()> {
        let now = self.daemon.store.with(&selected.name, |folder| {
            let all: Vec<(u32, Flags)> = folder.messages.iter().map(|m| (m.uid, m.flags)).collect();
            all
        });
        // A folder that was removed is empty.
        let now = now.unwrap_or_default();
        let find = |uid: u32| {
            let at = now.binary_search_by_key(&uid, |(uid, _)| *uid).ok()?;
            now.get(at).map(|(_, flags)| *flags)
        };
        let mut told = String::new();
        for at in (0..selected.messages.len()).rev() {
            let Some((uid, flags)) = selected.messages.get(at).copied() else {
                continue;
            };
            match find(uid) {
                None if removals => {
                    selected.messages.remove(at);
                    told.push_str(&format!("* {} EXPUNGE\r\n", at + 1));
                }
                None => {}
                Some(new) if new != flags => {
                    if let Some(place) = selected.messages.get_mut(at) {
                        place.1 = new;
                    }
                    let shown = shown_flags(new, uid >= selected.recent_from);
                    told.push_str(&format!(
                        "* {} FETCH (UID {uid} FLAGS ({shown}))\r\n",
                        at + 1
                    ));
                }
                Some(_) => {}
            }
        }
        let last = selected.messages.last().map_or(0, |(uid, _)| *uid);
        let new: Vec<_> = now.iter().filter(|(uid, _)| *uid > last).copied().collect();
        if !new.is_empty() {
            selected.messages.extend(new);
            told.push_str(&format!("* {} EXISTS\r\n", selected.messages.len()));
            told.push_str(&format!("* {} RECENT\r\n", selected.recent()));
        }
        self.lines.write(told.as_bytes()).await
    }

    pub(super) async fn expunge(
        &mut self,
        selected: &mut Selected,
        set: Option<&SequenceSet>,
    ) -> Done {
        if selected.read_only {
            return no("[READ-ONLY] The folder is open for looking only");
        }
        let deleted = selected.deleted(&self.daemon.store, set);
        let removed = self
            .daemon
            .store
            .change(&selected.name, |folder| folder.remove(&deleted));
        self.sync(selected, true).await?;
        of(removed)
    }

    pub(super) async fn store(
        &mut self,
        selected: &mut Selected,
        uid: bool,
        set: &SequenceSet,
        mode: StoreMode,
        silent: bool,
        names: &[Vec<u8>],
    ) -> Done {
        if selected.read_only {
            return no("[READ-ONLY] The folder is open for looking only");
        }
        let given = Flags::from_imap(names);
        let chosen = selected.chosen(set, uid);
        let changed = self.daemon.store.change(&selected.name, |folder| {
            let mut changed = Vec::new();
            for (place, uid) in &chosen {
                let Some(old) = folder.find(*uid).map(|message| message.flags) else {
                    continue;
                };
                let new = match mode {
                    StoreMode::Replace => given,
                    StoreMode::Add => old.with(given),
                    StoreMode::Remove => old.without(given),
                };
                folder.set_flags(*uid, new)?;
                changed.push((*place, *uid, new));
            }
            Ok(changed)
        });
        let changed = match changed {
            Ok(changed) => changed,
            Err(error) => return no(&error.to_string()),
        };
        let mut told = String::new();
        for (place, number, flags) in changed {
            if let Some(known) = selected.messages.get_mut(place - 1) {
                known.1 = flags;
            }
            if !silent {
                let shown = shown_flags(flags, number >= selected.recent_from);
                let uid = if uid {
                    format!("UID {number} ")
                } else {
                    String::new()
                };
                told.push_str(&format!("* {place} FETCH ({uid}FLAGS ({shown}))\r\n"));
            }
        }
        self.lines.write(told.as_bytes()).await?;
        self.sync(selected, false).await?;
        ok("Done")
    }

    pub(super) async fn copy(
        &mut self,
        selected: &mut Selected,
        uid: bool,
        set: &SequenceSet,
        mailbox: &str,
        moved: bool,
    ) -> Done {
        if moved && selected.read_only {
            return no("[READ-ONLY] The folder is open for looking only");
        }
        let chosen = selected.chosen(set, uid);
        let uids: Vec<u32> = chosen.iter().map(|(_, uid)| *uid).collect();
        let store = self.daemon.store.clone();
        let pairs = match store.copy(&selected.name, &uids, mailbox) {
            Ok(pairs) => pairs,
            Err(StoreError::NoFolder(name)) => {
                return no(&format!("[TRYCREATE] There is no folder {name}"));
            }
            Err(error) => return no(&error.to_string()),
        };
        let validity = store
            .with(mailbox, |folder| folder.uid_validity)
            .unwrap_or(1);
        let list = |numbers: Vec<String>| numbers.join(",");
        let from = list(pairs.iter().map(|(from, _)| from.to_string()).collect());
        let to = list(pairs.iter().map(|(_, to)| to.to_string()).collect());
        let code = match pairs.is_empty() {
            true => String::new(),
            false => format!("[COPYUID {validity} {from} {to}] "),
        };
        if !moved {
            self.sync(selected, false).await?;
            return ok(&format!("{code}Done"));
        }
        self.say(&format!("* OK {code}Moved")).await?;
        let gone: Vec<u32> = pairs.iter().map(|(from, _)| *from).collect();
        let removed = store.change(&selected.name, |folder| folder.remove(&gone));
        self.sync(selected, true).await?;
        match removed {
            Ok(()) => Ok(End::Ok("Done".to_owned())),
            Err(error) => no(&error.to_string()),
        }
    }
}

/// Flags as FETCH shows them.
pub(super) fn shown_flags(flags: Flags, recent: bool) -> String {
    let recent = recent.then_some("\\Recent");
    let all: Vec<&str> = flags.imap().chain(recent).collect();
    all.join(" ")
}
