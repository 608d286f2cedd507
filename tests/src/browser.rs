//! A real browser: runs scripts of `tests/browser` in node, which drive the system's Chromium through Playwright.
//!
//! `tests/browser/install` puts Playwright and ffmpeg below the target folder; Chromium comes from the system.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use crate::ProcessGuard;

/// Names under which systems have Chromium.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// What `tests/browser/install` has put there.
///
/// Panics with the command to run when it has not been run.
fn installed(what: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    // target/debug/deps/it-<hash> → target/browser
    let target = test
        .ancestors()
        .nth(3)
        .expect("a test lies in a target folder");
    let path = target.join("browser").join(what);
    assert!(
        path.exists(),
        "{} is not there; run tests/browser/install",
        path.display()
    );
    path
}

/// The ffmpeg that makes films for tests.
pub fn ffmpeg() -> PathBuf {
    installed("ffmpeg/ffmpeg")
}

/// The file of Chromium: `CHROMIUM`, else the first one in the path.
fn chromium() -> PathBuf {
    if let Some(given) = std::env::var_os("CHROMIUM") {
        return given.into();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
        .find(|file| file.is_file());
    found.expect(
        "no Chromium in the path; on Debian: apt-get install chromium, or set CHROMIUM to its file",
    )
}

/// Runs `tests/browser/<script>` with these environment variables and gives what it printed. It blocks; in a tokio test
/// call it inside of `spawn_blocking` or `block_in_place`.
///
/// Panics with all output when the script fails or takes longer than `patience`; the browser does not outlive it.
pub fn run(script: &str, environment: &[(&str, &str)], patience: Duration) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    // Node looks for packages above a script, so a copy of the scripts lies below them.
    let packages = installed("installed");
    let copy = packages
        .parent()
        .and_then(|above| tempfile::tempdir_in(above).ok());
    let copy = copy.expect("a folder beside the browser's packages");
    for entry in fs::read_dir(&folder).expect("the folder of the browser scripts") {
        let path = entry.expect("an entry of it").path();
        if path.extension().is_some_and(|extension| extension == "mjs") {
            let name = path.file_name().expect("a file has a name");
            fs::copy(&path, copy.path().join(name)).expect("a copy of a browser script");
        }
    }
    let (out, err) = (copy.path().join("out"), copy.path().join("err"));
    let mut command = Command::new("node");
    command
        .arg(copy.path().join(script))
        .env("CHROMIUM", chromium())
        .envs(environment.iter().copied())
        .stdout(File::create(&out).expect("a file for the output"))
        .stderr(File::create(&err).expect("a file for the errors"));
    let status = wait(ProcessGuard::spawn(&mut command), patience);
    let text = |path| fs::read_to_string(path).unwrap_or_default();
    let (out, err) = (text(&out), text(&err));
    match status {
        Some(status) if status.success() => out,
        Some(status) => panic!("{script}: {status}\n{out}\n{err}"),
        None => panic!("{script} took longer than {patience:?}\n{out}\n{err}"),
    }
}

/// `None` when it did not end in time; then it is stopped, and closes its browser.
fn wait(mut guard: ProcessGuard, patience: Duration) -> Option<ExitStatus> {
    let started = Instant::now();
    loop {
        if let Some(status) = guard.exit_status() {
            return Some(status);
        }
        if started.elapsed() > patience {
            return None;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
