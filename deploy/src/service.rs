//! The servers of this project as child processes: found, started, waited for, stopped.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::net::process::{stop_child, tail};

/// A server opens its wallet (scrypt, half a second) and its store; tests share the machine with compilers.
const START_TIMEOUT: Duration = Duration::from_secs(60);

const POLL: Duration = Duration::from_millis(20);

/// A running server. Stopped when dropped: SIGTERM, then SIGKILL.
#[derive(Debug)]
pub struct Service {
    name: String,
    child: Child,
    log: PathBuf,
    ready: String,
}

impl Service {
    /// Starts a program and waits for the line on its standard output that starts with `ready`. Both outputs go to
    /// files in `dir` named after `name`.
    pub async fn start(name: &str, command: &mut Command, dir: &Path, ready: &str) -> Result<Self> {
        fs::create_dir_all(dir).with_context(|| format!("creating {}", dir.display()))?;
        let (out, log) = (
            dir.join(format!("{name}.out")),
            dir.join(format!("{name}.log")),
        );
        let create = |path: &Path| {
            File::create(path).with_context(|| format!("creating {}", path.display()))
        };
        command
            .stdin(Stdio::null())
            .stdout(create(&out)?)
            .stderr(create(&log)?);
        let program = command.get_program().to_string_lossy().into_owned();
        let child = command
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        let mut service = Self {
            name: name.to_owned(),
            child,
            log,
            ready: String::new(),
        };
        service.ready = service.wait_for(&out, ready).await?;
        Ok(service)
    }

    async fn wait_for(&mut self, out: &Path, start: &str) -> Result<String> {
        let deadline = Instant::now() + START_TIMEOUT;
        loop {
            let text = fs::read_to_string(out).unwrap_or_default();
            // Only whole lines: the program may be in the middle of writing.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            if let Some(line) = whole.lines().find(|line| line.starts_with(start)) {
                return Ok(line.to_owned());
            }
            if let Some(status) = self
                .child
                .try_wait()
                .context("asking for a child's state")?
            {
                bail!(
                    "{} ended ({status}) before it was ready; the end of its log:\n{}",
                    self.name,
                    tail(&self.log)
                );
            }
            if Instant::now() > deadline {
                let seconds = START_TIMEOUT.as_secs();
                bail!(
                    "{} was not ready within {seconds} s; the end of its log:\n{}",
                    self.name,
                    tail(&self.log)
                );
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The line with which it said that it is ready.
    pub fn ready_line(&self) -> &str {
        &self.ready
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Standard error of the program.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Kills at once (SIGKILL), as a crash would.
    pub fn kill(mut self) -> Result<()> {
        self.child
            .kill()
            .with_context(|| format!("killing {}", self.name))?;
        self.child
            .wait()
            .with_context(|| format!("waiting for {}", self.name))?;
        Ok(())
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        stop_child(&mut self.child);
    }
}

/// A program of this project: beside this one, where cargo puts them all, else on `PATH`.
pub fn program(name: &str) -> Result<PathBuf> {
    let here = std::env::current_exe().context("finding this program's own file")?;
    // A test lies one folder deeper, in deps.
    let beside = here
        .ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.is_file());
    let on_path = || {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path)
            .map(|folder| folder.join(name))
            .find(|path| path.is_file())
    };
    match beside.or_else(on_path) {
        Some(path) => Ok(path),
        None => bail!("the program {name} is not built; run: cargo build -p {name} --bins"),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::net::process::exists;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_service_is_ready_with_its_line_and_gone_when_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = shell("echo starting; echo ready at 1; exec sleep 60");
        let service = Service::start("nap", &mut command, dir.path(), "ready")
            .await
            .unwrap();
        assert_eq!(service.ready_line(), "ready at 1");
        let pid = service.pid();
        assert!(exists(pid));
        drop(service);
        assert!(!exists(pid));
    }

    #[tokio::test]
    async fn a_service_that_ends_at_once_shows_its_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut command = shell("echo no wallet >&2; exit 3");
        let error = Service::start("nap", &mut command, dir.path(), "ready")
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("exit status: 3") && error.contains("no wallet"),
            "{error}"
        );
    }

    #[test]
    fn a_missing_program_is_named_with_the_command_that_builds_it() {
        let error = program("phantasma-nothing").unwrap_err().to_string();
        assert!(
            error.contains("cargo build -p phantasma-nothing --bins"),
            "{error}"
        );
    }
}
