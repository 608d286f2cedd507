//! Where source text comes from. The library itself never opens a file.

use std::collections::BTreeMap;

/// Gives the text of a source file by its path, with `/` as separator.
pub trait Sources {
    /// The text, or `None` when there is no such file.
    fn read(&self, path: &str) -> Option<String>;
}

/// Sources held in memory.
impl Sources for BTreeMap<String, String> {
    fn read(&self, path: &str) -> Option<String> {
        self.get(path).cloned()
    }
}

/// The folder of a path, without the last `/`.
pub(crate) fn parent(path: &str) -> &str {
    path.rfind('/').map_or("", |at| &path[..at])
}

/// `dir/name`, or `name` when there is no folder.
pub(crate) fn join(dir: &str, name: &str) -> String {
    if dir.is_empty() {
        name.to_owned()
    } else {
        format!("{dir}/{name}")
    }
}
