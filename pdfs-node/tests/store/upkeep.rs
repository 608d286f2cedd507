//! Scrub, fsck, taking space back, backup, quota: on real files, with real damage and real kills.

use std::{
    collections::HashSet,
    env, fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::FileExt,
    path::PathBuf,
    time::{Duration, Instant},
};

use phantasma_pdfs::{
    store::{Copied, Reclaimed, backup},
    tools::{self, Tool},
};

use super::{crash::child, damage::copy_dir, *};

const BODY: usize = 60_000;
const DIR: &str = "PHANTASMA_TEST_RECLAIM";

fn small_segments(dir: &Path) -> Options {
    let mut options = Options::new(dir);
    options.max_segment_bytes = 1 << 20;
    options
}

/// Contents of one block each, all put.
async fn fill(store: &Store, numbers: std::ops::Range<u64>) -> Vec<Sample> {
    let samples: Vec<_> = numbers.map(|n| single(n, BODY)).collect();
    for sample in &samples {
        store.put(sample.block(0)).await.unwrap();
    }
    samples
}

fn segments(dir: &Path) -> Vec<PathBuf> {
    let mut list: Vec<_> = fs::read_dir(dir.join("segments"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    list.sort();
    list
}

fn flip(path: &Path, at: u64) {
    let file = fs::OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap();
    let mut byte = [0];
    file.read_exact_at(&mut byte, at).unwrap();
    file.write_all_at(&[byte[0] ^ 4], at).unwrap();
}

#[tokio::test]
async fn the_scrub_finds_a_flipped_bit_and_a_new_upload_heals_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let samples = fill(&store, 0..20).await;
    let health = store.scrub(0).await.unwrap();
    assert!(health.is_good());
    assert_eq!(
        (health.good_blocks, health.good_bytes),
        (20, 20 * BODY as u64)
    );
    // In the body of the fifth block.
    flip(&segments(dir.path())[0], 4 * (BODY as u64 + 112) + 5_000);
    let health = store.scrub(0).await.unwrap();
    assert_eq!(
        (
            health.good_blocks,
            health.damaged_blocks,
            health.missing_places
        ),
        (19, 1, 1)
    );
    assert_eq!(store.stats().damaged, 1);
    let hurt = samples.iter().find(|s| !store.has(&s.id(0)).unwrap());
    let hurt = hurt.expect("it is no longer offered");
    assert_eq!(store.put(hurt.block(0)).await.unwrap(), Put::Stored);
    assert_held(&store, hurt, 0).await;
    assert!(store.scrub(0).await.unwrap().is_good());
}

#[tokio::test]
async fn the_scrub_keeps_to_its_rate() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    fill(&store, 0..5).await;
    let started = Instant::now();
    store.scrub(1_000_000).await.unwrap();
    // 300 KB at 1 MB a second.
    assert!(started.elapsed() >= Duration::from_millis(290));
}

#[tokio::test]
async fn fsck_says_what_is_damaged_and_fails() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    fill(&store, 0..5).await;
    close(store).await;
    let fsck = || tools::run(Tool::Fsck, dir.path(), None);
    let text = fsck().await.unwrap();
    assert!(
        text.starts_with("5 blocks good (300000 bytes), 0 damaged"),
        "{text}"
    );
    flip(&segments(dir.path())[0], 40_000);
    let text = fsck().await.unwrap_err().to_string();
    assert!(text.starts_with("4 blocks good"), "{text}");
    assert!(text.contains("1 damaged, 1 places without"), "{text}");
    // Known from now on, and still missing.
    let text = fsck().await.unwrap_err().to_string();
    assert!(text.contains("0 damaged, 1 places without"), "{text}");
    let error = tools::run(Tool::Fsck, &dir.path().join("nowhere"), None)
        .await
        .unwrap_err();
    assert!(error.to_string().contains("is no store"), "{error}");
    assert!(!dir.path().join("nowhere").exists());
}

#[tokio::test]
async fn space_of_dropped_contents_comes_back_and_nothing_else_is_lost() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open_with(small_segments(dir.path()));
    let samples = fill(&store, 0..100).await;
    // A second content with the block of the first one that goes.
    let both = Sample::new(vec![body(900, MAX_BODY), samples[0].bodies[0].clone()]);
    store.put(both.block(0)).await.unwrap();
    assert_eq!(store.put(both.block(1)).await.unwrap(), Put::AlreadyHeld);
    let before = segments(dir.path()).len();
    assert_eq!(store.reclaim(0).await.unwrap(), Reclaimed::default());
    for sample in samples.iter().take(80) {
        store.drop_content(sample.content.root).await.unwrap();
    }
    let reclaimed = store.reclaim(0).await.unwrap();
    assert_eq!(reclaimed.blocks, 79, "one is needed by another content");
    assert!(reclaimed.segments >= 3, "{reclaimed:?}");
    assert!(segments(dir.path()).len() < before);
    assert_eq!(store.stats().bytes_freed, reclaimed.freed_bytes);
    let check = async |store: &Store| {
        for sample in &samples[80..] {
            assert_held(store, sample, 0).await;
        }
        assert_held(store, &both, 0).await;
        assert_held(store, &both, 1).await;
        assert!(store.scrub(0).await.unwrap().is_good());
    };
    check(&store).await;
    for sample in &samples[..80] {
        assert!(store.find(&sample.content.root, 0).unwrap().is_none());
    }
    close(store).await;
    let (store, recovery) = open_with(small_segments(dir.path()));
    assert_eq!(recovery, Recovery::default());
    check(&store).await;
    close(store).await;
    // The segments alone are enough, also after they were moved about.
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (store, _) = open_with(small_segments(dir.path()));
    check(&store).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_put_while_space_is_taken_back_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open_with(small_segments(dir.path()));
    for round in 0..8_u64 {
        let old = fill(&store, round * 1_000..round * 1_000 + 30).await;
        for sample in &old {
            store.drop_content(sample.content.root).await.unwrap();
        }
        // The same blocks again, while they are about to be swept.
        let putter = store.clone();
        let puts = tokio::spawn(async move {
            for sample in &old {
                putter.put(sample.block(0)).await.unwrap();
            }
            old
        });
        store.reclaim(0).await.unwrap();
        let old = puts.await.unwrap();
        store.reclaim(0).await.unwrap();
        for sample in &old {
            assert_held(&store, sample, 0).await;
        }
        for sample in &old {
            store.drop_content(sample.content.root).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_reclaims_until_it_is_stopped() {
    // Started by itself this is nothing to do; the test below gives it a directory.
    let Some(dir) = env::var_os(DIR) else { return };
    let (store, _) = open_with(small_segments(Path::new(&dir)));
    let start = store.contents(None, usize::MAX).unwrap().len() as u64 * 1_000;
    let say = |line: String| std::io::stdout().write_all(line.as_bytes()).unwrap();
    for n in start.. {
        let sample = single(n, BODY);
        store.put(sample.block(0)).await.unwrap();
        say(format!("ack {n}\n"));
        if n % 4 != 0 {
            say(format!("drop {n}\n"));
            store.drop_content(sample.content.root).await.unwrap();
        }
        if n % 10 == 9 {
            let reclaimed = store.reclaim(0).await.unwrap();
            say(format!("reclaimed {}\n", reclaimed.segments));
        }
    }
}

#[tokio::test]
async fn kill_9_while_space_is_taken_back_loses_nothing_that_is_needed() {
    let dir = tempfile::tempdir().unwrap();
    let (mut kept, mut removed) = (HashSet::new(), 0);
    for round in 1..=5 {
        let mut child = child(
            "upkeep::child_reclaims_until_it_is_stopped",
            DIR,
            "",
            dir.path(),
        );
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let until = Instant::now() + Duration::from_secs(60);
        let mut seen = 0;
        let mut note = |line: &str| {
            let mut words = line.split(' ');
            let (word, number) = (words.next().unwrap(), words.next());
            let number = number.and_then(|n| n.parse::<u64>().ok());
            match (word, number) {
                ("ack", Some(n)) => drop(kept.insert(n)),
                ("drop", Some(n)) => drop(kept.remove(&n)),
                ("reclaimed", Some(n)) => removed += n,
                _ => {}
            }
        };
        while seen < 120 + round * 31 {
            assert!(Instant::now() < until, "the child is too slow");
            let line = lines.next().expect("the child ended by itself").unwrap();
            seen += 1;
            note(&line);
        }
        child.kill().unwrap();
        child.wait().unwrap();
        // A line is one write to the pipe, and so whole; a last `drop` may have been done.
        lines.map_while(Result::ok).for_each(|line| note(&line));
        let (store, _) = open_with(small_segments(dir.path()));
        for &n in &kept {
            assert_held(&store, &single(n, BODY), 0).await;
        }
        assert_eq!(store.scrub(0).await.unwrap().damaged_blocks, 0);
        close(store).await;
    }
    assert!(removed > 5, "only {removed} segments were emptied");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_of_a_store_in_use_holds_all_that_was_acknowledged_before() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, _) = open_with(small_segments(dir.path()));
    let before = fill(&store, 0..60).await;
    let putter = store.clone();
    let puts = tokio::spawn(async move { fill(&putter, 1_000..1_100).await });
    let (from, to) = (dir.path().to_owned(), copy.path().to_owned());
    let copied = tokio::task::spawn_blocking(move || backup(&from, &to).unwrap());
    let first = copied.await.unwrap();
    assert!(first.bytes >= 60 * BODY as u64, "{first:?}");
    let after = puts.await.unwrap();
    let check = async |samples: &[Sample]| {
        // On a copy of the copy: opening it writes an index and cuts a torn end.
        let opened = tempfile::tempdir().unwrap();
        copy_dir(copy.path(), opened.path());
        let (store, _) = open_with(small_segments(opened.path()));
        for sample in samples {
            assert_held(&store, sample, 0).await;
        }
        assert_eq!(store.scrub(0).await.unwrap().damaged_blocks, 0);
    };
    check(&before).await;
    // Once more: only what is new, and then nothing.
    let second = backup(dir.path(), copy.path()).unwrap();
    assert!(
        second.bytes < first.bytes + 100 * (BODY as u64 + 200),
        "{second:?}"
    );
    check(&before).await;
    check(&after).await;
    assert_eq!(backup(dir.path(), copy.path()).unwrap().bytes, 0);
    // What was emptied since goes from the copy too.
    for sample in &before {
        store.drop_content(sample.content.root).await.unwrap();
    }
    assert!(store.reclaim(0).await.unwrap().segments > 0);
    let third: Copied = backup(dir.path(), copy.path()).unwrap();
    assert!(third.removed > 0, "{third:?}");
    assert_eq!(third.segments as usize, segments(dir.path()).len());
    check(&after).await;
    // Another store's folder is not written over.
    let other = tempfile::tempdir().unwrap();
    let (stranger, _) = open_with(small_segments(other.path()));
    fill(&stranger, 5_000..5_200).await;
    let error = backup(dir.path(), other.path()).unwrap_err();
    assert!(
        error.to_string().contains("not an earlier backup"),
        "{error}"
    );
}

#[tokio::test]
async fn backups_between_puts_miss_nothing_of_a_block_that_is_written_again() {
    let (dir, copy) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (store, _) = open_with(small_segments(dir.path()));
    for n in 0..60 {
        // Several records share a block of the disk; now and then a segment is full.
        let sample = single(n, if n % 9 == 0 { 250_000 } else { 100 });
        store.put(sample.block(0)).await.unwrap();
        let copied = backup(dir.path(), copy.path()).unwrap();
        assert!(copied.bytes < 250_000 + 3 * 4096, "{copied:?}");
        assert_eq!(backup(dir.path(), copy.path()).unwrap().bytes, 0);
        for (one, other) in segments(dir.path()).iter().zip(segments(copy.path())) {
            assert!(fs::read(one).unwrap() == fs::read(other).unwrap(), "{n}");
        }
    }
    assert!(segments(copy.path()).len() > 1);
}

#[tokio::test]
async fn a_full_quota_refuses_and_opens_again_when_space_is_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = small_segments(dir.path());
    options.quota_bytes = 3 << 20;
    let (store, _) = open_with(options.clone());
    let mut put = Vec::new();
    let error = loop {
        let sample = single(put.len() as u64, BODY);
        match store.put(sample.block(0)).await {
            Ok(_) => put.push(sample),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Quota { .. }), "{error}");
    assert_eq!(put.len(), (3 << 20) / (BODY + 112));
    close(store).await;
    let (store, _) = open_with(options);
    assert!(
        store.put(single(999, BODY).block(0)).await.is_err(),
        "also after a restart"
    );
    for sample in &put[..40] {
        store.drop_content(sample.content.root).await.unwrap();
    }
    store.reclaim(0).await.unwrap();
    store.put(single(999, BODY).block(0)).await.unwrap();
    for sample in &put[40..] {
        assert_held(&store, sample, 0).await;
    }
}
