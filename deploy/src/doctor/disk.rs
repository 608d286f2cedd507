//! Room on the disks, and the right to use it.

use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::{Finding, Setup};

/// Below this a node's database cannot write its next file: RocksDB's and BoltDB's buffers are 64 MiB.
const MIN_FREE_BYTES: u64 = 64 << 20;

/// Written to find a quota, which the free space does not show; the file has no name and is gone at once.
const TRIAL_BYTES: usize = 64 << 10;

pub(super) fn look(setup: &Setup) -> Finding {
    let servers = [&setup.relay, &setup.node];
    let mut folders = vec![setup.context.global.dir.clone()];
    folders.extend(servers.iter().filter(|s| s.set_up).map(|s| s.data.clone()));
    let mut good = Vec::new();
    for folder in folders {
        match one(&folder) {
            Ok(text) => good.push(text),
            Err(finding) => return finding,
        }
    }
    Finding::fine(good.join(", "))
}

fn one(folder: &Path) -> Result<String, Finding> {
    let there = existing(folder);
    let place = there.display().to_string();
    let stat = rustix::fs::statvfs(&there).map_err(|error| {
        Finding::wrong(
            format!("the disk does not answer: {error}"),
            &place,
            "look at the mount and the system's log",
        )
    })?;
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free < MIN_FREE_BYTES {
        return Err(full(
            &format!(
                "{} MiB are free, {} are needed",
                free >> 20,
                MIN_FREE_BYTES >> 20
            ),
            &place,
        ));
    }
    // File systems without a fixed number of files say 0 of 0.
    if stat.f_files > 0 && stat.f_favail == 0 {
        return Err(full("no more files can be made", &place));
    }
    trial(&there).map_err(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            full(&error.to_string(), &place)
        }
        _ => Finding::wrong(
            format!("the folder cannot be written to: {error}"),
            &place,
            "give your user the right to write there, or name another folder (--dir, or the server's `data`)",
        ),
    })?;
    Ok(format!("{} MiB free in {place}", free >> 20))
}

fn full(how: &str, place: &str) -> Finding {
    Finding::wrong(
        format!("disk full: {how}"),
        place,
        "free space there, or move the folder to a larger disk; then start what stopped again",
    )
}

fn trial(folder: &Path) -> std::io::Result<()> {
    let mut file = tempfile::tempfile_in(folder)?;
    file.write_all(&[0x5A; TRIAL_BYTES])?;
    file.sync_all()
}

/// The folder, or the one that it would be made in.
fn existing(folder: &Path) -> PathBuf {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_path_buf());
    let there = absolute.ancestors().find(|path| path.is_dir());
    there.unwrap_or(Path::new("/")).to_path_buf()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_folder_that_is_still_to_be_made_counts_as_the_one_above() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(existing(&dir.path().join("a/b")), dir.path());
        assert!(one(&dir.path().join("a/b")).unwrap().contains("MiB free"));
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
