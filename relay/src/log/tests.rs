//! The log's promises: order, durability, bounds, and what a crash may leave behind.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;

use bytes::Bytes;
use phantasma_wire::message::{Class, Unsigned};

use super::*;
use tokio::sync::oneshot;

fn message(box_id: u64, sequence: u64, payload: &[u8]) -> Message {
    let unsigned = Unsigned {
        network: 1,
        contract: [2; 20],
        author: [3; 33],
        box_id,
        sequence,
        time_ms: 5,
        class: Class::Durable,
        payload: Bytes::copy_from_slice(payload),
    };
    unsigned.sign(|_| [9; 64]).unwrap()
}

fn config(folder: &Path) -> LogConfig {
    LogConfig {
        folder: folder.to_path_buf(),
        max_bytes: 1 << 30,
        segment_bytes: 1 << 20,
        keep_ms: 1000,
    }
}

fn open(config: &LogConfig) -> (Log, Recovered) {
    Log::open(config.clone(), 0, Box::new(|_| {})).unwrap()
}

async fn append(log: &Log, message: &Message, now_ms: u64) -> Result<u64, LogError> {
    queue(log, message, now_ms).await?.await.unwrap()
}

/// Hands a message to the log; its answer comes later.
async fn queue(
    log: &Log,
    message: &Message,
    now_ms: u64,
) -> Result<oneshot::Receiver<Result<u64, LogError>>, LogError> {
    let (done, answer) = oneshot::channel();
    log.append(message, now_ms, |result| {
        let _ = done.send(result);
    })
    .await?;
    Ok(answer)
}

async fn all(log: &Log, box_id: u64) -> Vec<(u64, u64)> {
    let found = log.read(box_id, 0, usize::MAX).await.unwrap();
    found
        .iter()
        .map(|(position, message)| (*position, decode(message).body.sequence))
        .collect()
}

fn decode(message: &Bytes) -> Message {
    Message::decode(message.clone()).unwrap()
}

fn segments(folder: &Path) -> Vec<PathBuf> {
    segment::list(folder)
        .unwrap()
        .into_iter()
        .map(|(_, path)| path)
        .collect()
}

#[tokio::test]
async fn messages_come_back_by_box_in_order_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let (log, recovered) = open(&config);
    assert_eq!((recovered, log.head()), (Recovered::default(), 0));
    for (n, box_id) in [(1, 7), (2, 8), (3, 7)] {
        assert_eq!(
            append(&log, &message(box_id, n, b"x"), 10).await.unwrap(),
            n
        );
    }
    drop(log);
    let (log, recovered) = open(&config);
    let newer = [
        message(7, 1, b"x").id(),
        message(8, 2, b"x").id(),
        message(7, 3, b"x").id(),
    ];
    assert_eq!(
        recovered.newer,
        newer.into_iter().zip(1..).collect::<Vec<_>>()
    );
    assert_eq!((recovered.records, recovered.torn_bytes), (3, 0));
    assert_eq!(all(&log, 7).await, [(1, 1), (3, 3)]);
    assert_eq!(all(&log, 8).await, [(2, 2)]);
    assert_eq!(
        log.read(7, 2, 0).await.unwrap(),
        [(3, message(7, 3, b"x").encode())]
    );
    assert_eq!(append(&log, &message(8, 4, b"x"), 10).await.unwrap(), 4);
}

#[tokio::test]
async fn many_at_once_get_positions_in_order_and_few_syncs() {
    let folder = tempfile::tempdir().unwrap();
    let commits = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = commits.clone();
    let on_commit = Box::new(move |_: &[u64]| {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    });
    let (log, _) = Log::open(config(folder.path()), 0, on_commit).unwrap();
    let mut waiting = Vec::new();
    for n in 1..=200 {
        waiting.push(queue(&log, &message(1, n, b"x"), 10).await.unwrap());
    }
    for (n, one) in (1..).zip(waiting) {
        assert_eq!(one.await.unwrap().unwrap(), n);
    }
    let commits = commits.load(std::sync::atomic::Ordering::Relaxed);
    assert!(
        (1..200).contains(&commits),
        "{commits} commits for 200 messages"
    );
    assert_eq!(all(&log, 1).await.len(), 200);
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_costs_only_what_was_not_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(&config(folder.path()));
    let mut ends = vec![8];
    for n in 1..=4 {
        append(&log, &message(1, n, &vec![0xAB; n as usize * 3]), 10)
            .await
            .unwrap();
        ends.push(log.stats().bytes as usize);
    }
    drop(log);
    let whole = fs::read(&segments(folder.path())[0]).unwrap();
    assert_eq!(whole.len(), ends[4]);
    for len in 0..=whole.len() {
        let torn = tempfile::tempdir().unwrap();
        let config = config(torn.path());
        let name = segments(folder.path())[0].file_name().unwrap().to_owned();
        fs::write(torn.path().join(name), &whole[..len]).unwrap();
        let (log, recovered) = open(&config);
        let kept = ends
            .iter()
            .filter(|end| **end <= len)
            .count()
            .saturating_sub(1);
        assert_eq!(recovered.records, kept, "cut at {len}");
        let left = if len < 8 { len } else { len - ends[kept] };
        assert_eq!(recovered.torn_bytes, left as u64, "cut at {len}");
        let next = append(&log, &message(1, 77, b"after"), 10).await.unwrap();
        assert_eq!(next, kept as u64 + 1);
        drop(log);
        let (log, recovered) = open(&config);
        assert_eq!((recovered.records, recovered.torn_bytes), (kept + 1, 0));
        assert_eq!(all(&log, 1).await.last(), Some(&(next, 77)));
    }
}

#[tokio::test]
async fn a_flipped_byte_in_the_last_record_costs_that_record_only() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(&config(folder.path()));
    append(&log, &message(1, 1, b"first"), 10).await.unwrap();
    let start = log.stats().bytes as usize;
    append(&log, &message(1, 2, b"second"), 10).await.unwrap();
    drop(log);
    let path = &segments(folder.path())[0];
    let whole = fs::read(path).unwrap();
    for at in start..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(path, &bytes).unwrap();
        let (log, recovered) = open(&config(folder.path()));
        assert_eq!(
            recovered.torn_bytes as usize,
            whole.len() - start,
            "flipped at {at}"
        );
        assert_eq!(all(&log, 1).await, [(1, 1)]);
    }
}

#[tokio::test]
async fn damage_in_an_older_segment_is_an_error_that_names_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 100,
        ..config(folder.path())
    };
    let (log, _) = open(&config);
    for n in 1..=3 {
        append(&log, &message(1, n, b"x"), 10).await.unwrap();
    }
    drop(log);
    let paths = segments(folder.path());
    assert_eq!(paths.len(), 3);
    let mut bytes = fs::read(&paths[1]).unwrap();
    bytes[30] ^= 1;
    fs::write(&paths[1], &bytes).unwrap();
    let error = Log::open(config.clone(), 0, Box::new(|_| {}))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("00000000000000000002.log is damaged at byte 8"),
        "{error}"
    );
    fs::remove_file(&paths[1]).unwrap();
    let error = Log::open(config, 0, Box::new(|_| {}))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("00000000000000000003.log is damaged at byte 0"),
        "{error}"
    );
}

#[tokio::test]
async fn a_full_log_refuses_until_what_it_promised_has_expired() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 300,
        max_bytes: 1000,
        ..config(folder.path())
    };
    let (log, _) = open(&config);
    let mut last = 0;
    let refused = loop {
        match append(&log, &message(1, 1, b"x"), 10).await {
            Ok(position) => last = position,
            Err(error) => break error,
        }
        assert!(log.stats().bytes <= 1000);
    };
    assert!(
        matches!(refused, LogError::Full { max_bytes: 1000 }) && last >= 4,
        "{refused} after {last}"
    );
    assert_eq!(all(&log, 1).await.len() as u64, last);
    // At 1010 the promise of 1000 ms still holds, a millisecond later no longer.
    assert!(append(&log, &message(1, 1, b"x"), 1010).await.is_err());
    assert_eq!(
        append(&log, &message(1, 2, b"x"), 1011).await.unwrap(),
        last + 1
    );
    assert!(all(&log, 1).await.len() as u64 <= last);
    drop(log);
    let (log, _) = open(&config);
    assert_eq!(
        log.head(),
        last + 1,
        "positions go on after expiry and restart"
    );
}

#[tokio::test]
async fn old_messages_are_read_from_the_disk_and_new_ones_from_memory() {
    let folder = tempfile::tempdir().unwrap();
    let config = LogConfig {
        segment_bytes: 1 << 20,
        ..config(folder.path())
    };
    let (log, _) = open(&config);
    let payload = vec![5; 50 << 10];
    for n in 1..=120 {
        append(&log, &message(1, n, &payload), 10).await.unwrap();
    }
    assert!(segments(folder.path()).len() >= 5);
    let found = log.read(1, 1, usize::MAX).await.unwrap();
    assert_eq!(found.len(), 120);
    for (position, found) in found {
        assert_eq!(decode(&found), message(1, position, &payload));
    }
    assert_eq!(log.read(1, 1, 120 << 10).await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_second_relay_on_the_same_folder_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(&config(folder.path()));
    let error = Log::open(config(folder.path()), 0, Box::new(|_| {})).unwrap_err();
    assert!(
        error.to_string().contains("is used by another relay"),
        "{error}"
    );
    drop(log);
    open(&config(folder.path()));
}

#[tokio::test]
async fn a_closed_log_has_written_what_waited_and_takes_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let (log, _) = open(&config(folder.path()));
    let mut waiting = Vec::new();
    for n in 1..=50 {
        waiting.push(queue(&log, &message(1, n, b"x"), 10).await.unwrap());
    }
    log.close();
    for one in &mut waiting {
        assert!(one.try_recv().unwrap().is_ok());
    }
    assert!(matches!(
        queue(&log, &message(1, 51, b"x"), 10).await,
        Err(LogError::Closed)
    ));
    assert_eq!(all(&log, 1).await.len(), 50);
}
