//! The mails that are here: folders in the Maildir++ layout, each mail one file that never changes.
//!
//! A file's name holds all that IMAP wants to know: `DATE.Uuid.ID,S=SIZE:2,FLAGS`, so that adding a mail or changing its
//! flags is one rename. `uids` in each folder says which number comes next, and is written before that number is used: a
//! number is never given twice, not even after a crash. Files without a number, which other programs put into `new`,
//! get one when the folder is looked at.
//!
//! Not here: who may see which folder; one store belongs to one mailbox, and one process has it open.

mod folder;
mod name;

use std::collections::BTreeMap;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::files::{self, FileError};

pub use folder::{Folder, Message};
pub use name::{Flags, MessageName};

/// Where new mail goes.
pub const INBOX: &str = "INBOX";

/// The folders that are always there, with their special use (RFC 6154).
pub const FOLDERS: [(&str, &str); 4] = [
    (INBOX, ""),
    ("Drafts", "\\Drafts"),
    ("Sent", "\\Sent"),
    ("Trash", "\\Trash"),
];

/// Folders that a client may make.
const MAX_FOLDERS: usize = 1000;

/// Why something did not work in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error(transparent)]
    File(#[from] FileError),
    #[error("another process serves {0}: stop it first")]
    Locked(String),
    #[error("there is no folder {0}")]
    NoFolder(String),
    #[error("{0} cannot be a folder's name: use letters, digits, spaces, - and _, at most 64")]
    FolderName(String),
    #[error("folder {0} is there already")]
    Exists(String),
    #[error("folder {0} always stays")]
    Fixed(String),
    #[error("there are {MAX_FOLDERS} folders already")]
    TooMany,
    #[error("the folder's numbers are used up")]
    Full,
}

/// A mail that is to be kept: a finished file on the same file system.
#[derive(Clone, Debug)]
pub struct NewMessage {
    pub file: PathBuf,
    /// Seconds since 1970.
    pub date: i64,
    pub flags: Flags,
    /// By what it is known: a letter's id in hex, or anything random.
    pub id: String,
}

/// The folders of one mailbox.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    folders: Mutex<BTreeMap<String, Folder>>,
    changed: watch::Sender<u64>,
    _lock: File,
}

impl Store {
    /// Opens the folders below `root`, making what is missing. Half-written files of a crash are removed.
    ///
    /// # Errors
    /// Another process has it open; a file system that refuses.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        files::private_folder(root)?;
        let path = root.join("lock");
        let lock = files::create(&path)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked(root.display().to_string()));
            }
            Err(TryLockError::Error(error)) => {
                return Err(files::failed("lock", &path)(error).into());
            }
        }
        let mut folders = BTreeMap::new();
        for (name, _) in FOLDERS {
            folders.insert(name.to_owned(), Folder::open(&folder_path(root, name))?);
        }
        let entries = std::fs::read_dir(root).map_err(files::failed("read", root))?;
        for entry in entries {
            let entry = entry.map_err(files::failed("read", root))?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(name) = name.strip_prefix('.')
                && is_folder_name(name)
                && !folders.contains_key(name)
            {
                folders.insert(name.to_owned(), Folder::open(&entry.path())?);
            }
        }
        Ok(Self {
            root: root.to_owned(),
            folders: Mutex::new(folders),
            changed: watch::Sender::new(0),
            _lock: lock,
        })
    }

    /// Counts up whenever something changes, for who waits for news.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Names of all folders, INBOX first.
    pub fn names(&self) -> Vec<String> {
        let folders = self.lock();
        let others = folders.keys().filter(|name| *name != INBOX).cloned();
        std::iter::once(INBOX.to_owned()).chain(others).collect()
    }

    /// Something to look at in a folder.
    pub fn with<T>(
        &self,
        name: &str,
        look: impl FnOnce(&mut Folder) -> T,
    ) -> Result<T, StoreError> {
        let mut folders = self.lock();
        let folder = folders
            .get_mut(name)
            .ok_or_else(|| StoreError::NoFolder(name.to_owned()))?;
        Ok(look(folder))
    }

    /// As [`Store::with`], for what changes something.
    pub fn change<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut Folder) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let done = self.with(name, change)??;
        self.touch();
        Ok(done)
    }

    /// Takes in what other programs put there, and gives what then is in the folder.
    pub fn refresh(&self, name: &str) -> Result<(), StoreError> {
        // Other programs deliver into `new`; looking through `cur` at each turn would take long in a full folder.
        if self.with(name, |folder| folder.adopt(&["new"]))?? {
            self.touch();
        }
        Ok(())
    }

    /// Whether any folder has a mail with this id.
    pub fn has(&self, id: &str) -> bool {
        let folders = self.lock();
        folders.values().any(|folder| folder.has(id))
    }

    /// Keeps a mail, durably, and gives its number.
    pub fn add(&self, name: &str, message: &NewMessage) -> Result<u32, StoreError> {
        self.change(name, |folder| folder.add(message))
    }

    /// A new file's place, on the same file system as the folders.
    pub fn scratch(&self) -> PathBuf {
        let name = format!("{:032x}", rand::random::<u128>());
        self.root.join("tmp").join(name)
    }

    /// Copies mails from one folder to another: pairs of old and new numbers.
    pub fn copy(&self, from: &str, uids: &[u32], to: &str) -> Result<Vec<(u32, u32)>, StoreError> {
        let mut folders = self.lock();
        let no_folder = |name: &str| StoreError::NoFolder(name.to_owned());
        let source = folders.get(from).ok_or_else(|| no_folder(from))?;
        let found: Vec<(u32, Message, PathBuf)> = uids
            .iter()
            .filter_map(|uid| source.find(*uid))
            .map(|message| (message.uid, message.clone(), source.path_of(message)))
            .collect();
        let target = folders.get_mut(to).ok_or_else(|| no_folder(to))?;
        let mut pairs = Vec::new();
        for (uid, message, path) in found {
            // Files never change, so two names of one file are two copies.
            let link = self
                .root
                .join("tmp")
                .join(format!("{:032x}", rand::random::<u128>()));
            std::fs::hard_link(&path, &link).map_err(files::failed("copy", &path))?;
            let copy = NewMessage {
                file: link,
                date: message.date,
                flags: message.flags,
                id: message.id,
            };
            pairs.push((uid, target.add(&copy)?));
        }
        drop(folders);
        self.touch();
        Ok(pairs)
    }

    /// Makes a folder.
    pub fn create(&self, name: &str) -> Result<(), StoreError> {
        let mut folders = self.lock();
        if folders.contains_key(name) {
            return Err(StoreError::Exists(name.to_owned()));
        }
        if !is_folder_name(name) || name.eq_ignore_ascii_case(INBOX) {
            return Err(StoreError::FolderName(name.to_owned()));
        }
        if folders.len() >= MAX_FOLDERS {
            return Err(StoreError::TooMany);
        }
        let folder = Folder::open(&folder_path(&self.root, name))?;
        folders.insert(name.to_owned(), folder);
        Ok(())
    }

    /// Removes a folder with all that is in it.
    pub fn delete(&self, name: &str) -> Result<(), StoreError> {
        if FOLDERS.iter().any(|(fixed, _)| *fixed == name) {
            return Err(StoreError::Fixed(name.to_owned()));
        }
        let mut folders = self.lock();
        if folders.remove(name).is_none() {
            return Err(StoreError::NoFolder(name.to_owned()));
        }
        let path = folder_path(&self.root, name);
        std::fs::remove_dir_all(&path).map_err(files::failed("remove", &path))?;
        Ok(())
    }

    fn touch(&self) {
        self.changed
            .send_modify(|count| *count = count.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Folder>> {
        // No code panics while it holds the lock; should one do, the files are still right.
        self.folders.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a folder lies: INBOX is the Maildir itself.
pub fn folder_path(root: &Path, name: &str) -> PathBuf {
    match name {
        INBOX => root.to_owned(),
        name => root.join(format!(".{name}")),
    }
}

fn is_folder_name(name: &str) -> bool {
    let fits =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '_' | '&' | '+' | ',');
    (1..=64).contains(&name.len()) && name.chars().all(fits) && name.trim() == name
}

#[cfg(test)]
#[path = "store/tests.rs"]
mod tests;
