//! Starting, recognising and stopping a node's process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::NetError;

/// How many lines of a log an error shows: enough for a Go panic's head and the line that caused it.
const TAIL_LINES: usize = 20;

/// How long a node may take to close its database before it is killed. It needs some 50 ms.
const STOP_TIMEOUT: Duration = Duration::from_secs(10);

const POLL: Duration = Duration::from_millis(20);

/// The files of one node in its folder.
#[derive(Clone, Debug)]
pub struct NodeFiles {
    pub dir: PathBuf,
}

impl NodeFiles {
    pub fn config(&self) -> PathBuf {
        self.dir.join("node.yml")
    }
    pub fn log(&self) -> PathBuf {
        self.dir.join("node.log")
    }
    pub fn pid(&self) -> PathBuf {
        self.dir.join("node.pid")
    }
}

/// Starts the node with output to its log. `detached` gives it a process group of its own, so that it outlives the
/// terminal's interrupt; otherwise it dies with its starter's group.
pub fn spawn(neogo: &Path, files: &NodeFiles, detached: bool) -> Result<Child, NetError> {
    use std::os::unix::process::CommandExt;
    let log = files.log();
    let out = File::create(&log).map_err(NetError::file("creating", &log))?;
    let err = out.try_clone().map_err(NetError::file("opening", &log))?;
    let mut command = Command::new(neogo);
    command
        .arg("node")
        .arg("--force-timestamp-logs")
        .arg("--config-file")
        .arg(files.config());
    command
        .current_dir(&files.dir)
        .stdin(Stdio::null())
        .stdout(out)
        .stderr(err);
    if detached {
        command.process_group(0);
    }
    command.spawn().map_err(NetError::file("starting", neogo))
}

/// Is `pid` the node of this folder? A number alone may have been given to another program since.
pub fn is_ours(pid: u32, files: &NodeFiles) -> bool {
    let Ok(cmdline) = fs::read(format!("/proc/{pid}/cmdline")) else {
        return false;
    };
    let config = files.config();
    cmdline
        .split(|byte| *byte == 0)
        .any(|argument| Path::new(&*String::from_utf8_lossy(argument)) == config)
}

/// The running node's process id from the pid file; `None` when there is none or the file is stale.
pub fn running(files: &NodeFiles) -> Option<u32> {
    let pid = fs::read_to_string(files.pid()).ok()?.trim().parse().ok()?;
    is_ours(pid, files).then_some(pid)
}

/// Asks the process to stop, waits, kills it after [`STOP_TIMEOUT`]. `gone` says whether it has ended.
pub fn stop(pid: u32, mut gone: impl FnMut() -> bool) -> bool {
    signal(pid, Signal::TERM);
    if wait_until(STOP_TIMEOUT, &mut gone) {
        return true;
    }
    signal(pid, Signal::KILL);
    wait_until(STOP_TIMEOUT, &mut gone)
}

/// Stops a child of ours and reaps it.
pub fn stop_child(child: &mut Child) {
    let pid = child.id();
    let ended = stop(pid, || !matches!(child.try_wait(), Ok(None)));
    if !ended {
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// Does the process run? One that has ended and only waits for its parent to notice does not.
pub fn exists(pid: u32) -> bool {
    as_pid(pid).is_some_and(|pid| test_kill_process(pid).is_ok()) && !is_zombie(pid)
}

fn is_zombie(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    // The program's name stands in parentheses and may hold any character; the state follows.
    stat.rsplit_once(')')
        .is_some_and(|(_, rest)| rest.trim_start().starts_with(['Z', 'X']))
}

fn signal(pid: u32, signal: Signal) {
    if let Some(pid) = as_pid(pid) {
        // It may have ended on its own meanwhile, which is as good.
        let _ = kill_process(pid, signal);
    }
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}

fn wait_until(limit: Duration, done: &mut impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        if done() {
            return true;
        }
        std::thread::sleep(POLL);
    }
    done()
}

/// The last lines of a log, for an error message.
pub fn tail(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_else(|e| format!("(no log: {e})"));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(TAIL_LINES)..].join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn another_programs_pid_is_not_our_node() {
        let dir = tempfile::tempdir().unwrap();
        let files = NodeFiles {
            dir: dir.path().to_path_buf(),
        };
        fs::write(files.pid(), std::process::id().to_string()).unwrap();
        assert_eq!(running(&files), None);
        assert!(exists(std::process::id()));
    }

    #[test]
    fn a_damaged_pid_file_means_no_node() {
        let dir = tempfile::tempdir().unwrap();
        let files = NodeFiles {
            dir: dir.path().to_path_buf(),
        };
        for text in ["", "abc", "-1", "0", "99999999999999"] {
            fs::write(files.pid(), text).unwrap();
            assert_eq!(running(&files), None, "{text:?}");
        }
    }

    #[test]
    fn a_child_is_gone_once_it_was_stopped() {
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        stop_child(&mut child);
        assert!(!exists(pid));
    }

    #[test]
    fn the_tail_is_the_end() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        fs::write(&log, (0..100).map(|n| format!("{n}\n")).collect::<String>()).unwrap();
        assert!(tail(&log).starts_with("80\n") && tail(&log).ends_with("99"));
        assert!(tail(&dir.path().join("none")).starts_with("(no log"));
    }
}
