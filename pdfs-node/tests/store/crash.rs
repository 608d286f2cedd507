//! A real process that is killed while it writes, and one that meets a real limit of file size.
//!
//! The child is this test binary itself, started on one test that does its work only when the
//! environment says so.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use super::*;

const DIR: &str = "PHANTASMA_TEST_STORE";
const BODY: usize = 30_000;

/// Runs `test` of this binary in a process of its own, through a shell that first runs `setup`. The test finds its
/// directory in `variable`.
pub(super) fn child(test: &str, variable: &str, setup: &str, dir: &Path) -> Child {
    Command::new("sh")
        .arg("-c")
        .arg(format!("{setup} exec \"$0\" \"$@\""))
        .arg(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env(variable, dir)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// The child's part: puts blocks and prints the number of each acknowledged one.
async fn write_forever(dir: &Path) {
    let mut options = Options::new(dir);
    options.max_segment_bytes = 2 << 20;
    let (store, _) = open_with(options);
    let workers: Vec<_> = (0..8_u64)
        .map(|worker| {
            let store = store.clone();
            tokio::spawn(async move {
                // Two put the same at the same time: what one takes for known may still fail.
                for n in (worker / 2..).step_by(4) {
                    let outcome = store.put(single(n, BODY).block(0)).await;
                    let line = match outcome {
                        Ok(_) => format!("ack {n}\n"),
                        Err(error) => format!("err {error}\n"),
                    };
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    if line.starts_with("err") {
                        return;
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_writes_until_it_is_stopped() {
    // Started by itself this is nothing to do; the tests below give it a directory.
    if let Some(dir) = env::var_os(DIR) {
        write_forever(Path::new(&dir)).await;
    }
}

/// Numbers acknowledged by a child that is killed with signal 9 after `count` of them.
fn kill_after(dir: &Path, count: usize) -> Vec<u64> {
    let mut child = child("crash::child_writes_until_it_is_stopped", DIR, "", dir);
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acked = Vec::new();
    let deadline = Instant::now() + Duration::from_secs(60);
    while acked.len() < count {
        assert!(
            Instant::now() < deadline,
            "the child wrote only {} blocks",
            acked.len()
        );
        let line = lines.next().expect("the child ended by itself").unwrap();
        assert!(!line.starts_with("err"), "{line}");
        acked.extend(line.strip_prefix("ack ").map(|n| n.parse::<u64>().unwrap()));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    // What it had already said counts too; a last line may be cut short.
    let rest: Vec<_> = lines.map_while(Result::ok).collect();
    let whole = rest.len().saturating_sub(1);
    acked.extend(
        rest[..whole]
            .iter()
            .filter_map(|l| l.strip_prefix("ack ")?.parse::<u64>().ok()),
    );
    acked
}

#[tokio::test]
async fn kill_9_loses_nothing_that_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let mut acked = Vec::new();
    for round in 1..=6 {
        acked.extend(kill_after(dir.path(), round * 37));
        let (store, _) = open(dir.path());
        for &n in &acked {
            assert_held(&store, &single(n, BODY), 0).await;
        }
        // And nothing half-written is offered.
        for content in store.contents(None, usize::MAX).unwrap() {
            let place = store.find(&content.root, 0).unwrap().unwrap();
            assert_eq!(store.get(place.id).await.unwrap().unwrap().len(), BODY);
        }
        close(store).await;
    }
    assert!(acked.len() >= 6 * 37);
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_leaves_nothing_half_written() {
    let dir = tempfile::tempdir().unwrap();
    // Files may not grow over 1 MiB (2,048 × 512 bytes); the write that meets the limit is cut
    // short by the kernel, as on a full disk.
    let limited = child(
        "crash::child_writes_until_it_is_stopped",
        DIR,
        "trap '' XFSZ; ulimit -f 2048;",
        dir.path(),
    );
    let out = limited.wait_with_output().unwrap();
    let text = String::from_utf8(out.stdout).unwrap();
    let acked: Vec<u64> = text
        .lines()
        .filter_map(|l| l.strip_prefix("ack ")?.parse().ok())
        .collect();
    let errors: Vec<_> = text.lines().filter(|l| l.starts_with("err ")).collect();
    assert!(acked.len() > 20, "{text}");
    assert!(!errors.is_empty(), "{text}");
    assert!(
        errors
            .iter()
            .all(|e| e.contains("no space left to store a block")),
        "{errors:?}"
    );

    let (store, recovery) = open(dir.path());
    assert_eq!(
        (recovery.torn_bytes, recovery.damaged_bytes),
        (0, 0),
        "it was cut back at once"
    );
    for n in acked {
        assert_held(&store, &single(n, BODY), 0).await;
    }
    // With space again it goes on.
    store
        .put(single(u64::MAX, MAX_BODY).block(0))
        .await
        .unwrap();
}
