//! One folder: its files and their numbers.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Flags, MessageName, NewMessage, StoreError};
use crate::files;

/// Which numbers are given, in the folder.
const UIDS: &str = "uids";

/// A mail in a folder.
pub type Message = MessageName;

/// A folder, its mails in the order of their numbers.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// Changes when numbers begin anew.
    pub uid_validity: u32,
    /// The number that comes next.
    pub uid_next: u32,
    /// From this number on nobody has been told of the mails.
    pub recent_from: u32,
    pub messages: Vec<Message>,
}

impl Folder {
    /// Reads a folder, which is made when it is missing.
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        for part in ["cur", "new", "tmp"] {
            files::private_folder(&path.join(part))?;
        }
        clear(&path.join("tmp"))?;
        let mut messages = Vec::new();
        for name in names(&path.join("cur"))? {
            messages.extend(MessageName::parse(&name));
        }
        messages.sort_by_key(|message| message.uid);
        let above = messages.last().map_or(1, |last| last.uid.saturating_add(1));
        let (uid_validity, uid_next) = match read_uids(path)? {
            Some((validity, next)) => (validity, next.max(above)),
            None => (
                u32::try_from(seconds(SystemTime::now()))
                    .unwrap_or(1)
                    .max(1),
                above,
            ),
        };
        let mut folder = Self {
            path: path.to_owned(),
            uid_validity,
            uid_next,
            recent_from: uid_next,
            messages,
        };
        folder.save_uids()?;
        folder.adopt(&["new", "cur"])?;
        Ok(folder)
    }

    pub fn find(&self, uid: u32) -> Option<&Message> {
        let at = self.position(uid)?;
        self.messages.get(at)
    }

    pub fn path_of(&self, message: &Message) -> PathBuf {
        self.path.join("cur").join(message.text())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.messages.iter().any(|message| message.id == id)
    }

    /// Gives numbers to files that have none, in these parts of the folder. Whether there were any.
    pub(super) fn adopt(&mut self, parts: &[&str]) -> Result<bool, StoreError> {
        let mut found = Vec::new();
        for part in parts {
            let folder = self.path.join(part);
            for name in names(&folder)? {
                if *part == "new" || MessageName::parse(&name).is_none() {
                    let path = folder.join(&name);
                    let meta = fs::metadata(&path).map_err(files::failed("inspect", &path))?;
                    let date = seconds(meta.modified().unwrap_or(UNIX_EPOCH));
                    found.push((date, path, MessageName::foreign_flags(&name)));
                }
            }
        }
        found.sort_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        for (date, file, flags) in &found {
            self.add(&NewMessage {
                file: file.clone(),
                date: *date,
                flags: *flags,
                id: format!("{:016x}", rand::random::<u64>()),
            })?;
        }
        Ok(!found.is_empty())
    }

    pub(super) fn add(&mut self, new: &NewMessage) -> Result<u32, StoreError> {
        let file = fs::File::open(&new.file).map_err(files::failed("open", &new.file))?;
        file.sync_all().map_err(files::failed("sync", &new.file))?;
        let size = file
            .metadata()
            .map_err(files::failed("inspect", &new.file))?
            .len();
        let uid = self.uid_next;
        self.uid_next = uid.checked_add(1).ok_or(StoreError::Full)?;
        self.save_uids()?;
        let message = Message {
            date: new.date,
            uid,
            id: new.id.clone(),
            size,
            flags: new.flags,
        };
        files::rename(&new.file, &self.path_of(&message))?;
        self.messages.push(message);
        Ok(uid)
    }

    /// Gives a mail other flags; false when it is gone.
    pub fn set_flags(&mut self, uid: u32, flags: Flags) -> Result<bool, StoreError> {
        let Some(at) = self.position(uid) else {
            return Ok(false);
        };
        let Some(old) = self.messages.get(at).cloned() else {
            return Ok(false);
        };
        if old.flags == flags {
            return Ok(true);
        }
        let new = Message {
            flags,
            ..old.clone()
        };
        let (from, to) = (self.path_of(&old), self.path_of(&new));
        fs::rename(&from, &to).map_err(files::failed("rename", &from))?;
        if let Some(place) = self.messages.get_mut(at) {
            *place = new;
        }
        Ok(true)
    }

    /// Removes mails for good.
    pub fn remove(&mut self, uids: &[u32]) -> Result<(), StoreError> {
        for uid in uids {
            if let Some(at) = self.position(*uid) {
                let message = self.messages.remove(at);
                files::remove(&self.path_of(&message))?;
            }
        }
        files::sync_folder(&self.path.join("cur"))?;
        Ok(())
    }

    fn position(&self, uid: u32) -> Option<usize> {
        let by_uid = self
            .messages
            .binary_search_by_key(&uid, |message| message.uid);
        by_uid.ok()
    }

    fn save_uids(&self) -> Result<(), StoreError> {
        let text = format!("{} {}\n", self.uid_validity, self.uid_next);
        Ok(files::replace(&self.path.join(UIDS), text.as_bytes())?)
    }
}

fn read_uids(folder: &Path) -> Result<Option<(u32, u32)>, StoreError> {
    let Some(bytes) = files::read(&folder.join(UIDS))? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let mut parts = text.split_whitespace().map(str::parse);
    // A file that cannot be read begins a new time, of which clients are told.
    Ok(match (parts.next(), parts.next()) {
        (Some(Ok(validity)), Some(Ok(next))) => Some((validity, next)),
        _ => None,
    })
}

fn names(folder: &Path) -> Result<Vec<String>, StoreError> {
    let entries = fs::read_dir(folder).map_err(files::failed("read", folder))?;
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(files::failed("read", folder))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') {
            found.push(name);
        }
    }
    Ok(found)
}

/// Removes what a crash left half written.
fn clear(folder: &Path) -> Result<(), StoreError> {
    for name in names(folder)? {
        files::remove(&folder.join(name))?;
    }
    Ok(())
}

fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}
