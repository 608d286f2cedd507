//! Where this project's own files are.

use std::path::{Path, PathBuf};

/// The workspace this program was built in. It may be gone by the time the program runs: check before use.
pub fn workspace() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}
