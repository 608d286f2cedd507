//! Torn and damaged segment files.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::*;

fn segment(dir: &Path) -> PathBuf {
    dir.join("segments/00000001.seg")
}

pub(super) fn copy_dir(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_dir(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[tokio::test]
async fn a_tail_torn_at_any_byte_is_cut_and_costs_no_other_block() {
    let origin = tempfile::tempdir().unwrap();
    let (store, _) = open(origin.path());
    let (first, second) = (single(1, 70), single(2, 60));
    store.put(first.block(0)).await.unwrap();
    close(store).await;
    let before = tempfile::tempdir().unwrap();
    copy_dir(origin.path(), before.path());
    let whole = fs::metadata(segment(before.path())).unwrap().len();

    let (store, _) = open(origin.path());
    store.put(second.block(0)).await.unwrap();
    close(store).await;
    let bytes = fs::read(segment(origin.path())).unwrap();

    for len in whole as usize..=bytes.len() {
        let dir = tempfile::tempdir().unwrap();
        copy_dir(before.path(), dir.path());
        fs::write(segment(dir.path()), &bytes[..len]).unwrap();
        let (store, recovery) = open(dir.path());
        let is_whole = len == bytes.len();
        assert_eq!(recovery.reindexed, u64::from(is_whole), "at {len}");
        let torn = if is_whole { 0 } else { len as u64 - whole };
        assert_eq!(recovery.torn_bytes, torn, "at {len}");
        assert_held(&store, &first, 0).await;
        let expected = is_whole.then(|| body(2, 60));
        assert_eq!(store.get(second.id(0)).await.unwrap(), expected, "at {len}");
        // What was cut can be written again, and is there after one more start.
        store.put(second.block(0)).await.unwrap();
        close(store).await;
        assert_eq!(fs::read(segment(dir.path())).unwrap().len(), bytes.len());
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery, Recovery::default());
        assert_held(&store, &second, 0).await;
    }
}

#[tokio::test]
async fn any_flipped_bit_is_found_and_the_block_never_served() {
    const HEADER: usize = 112;
    const BODY: usize = 24;
    const RECORD: usize = HEADER + BODY;
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    // One record for each bit of a record: the n-th one loses its n-th bit.
    let samples: Vec<_> = (0..RECORD * 8).map(|n| single(n as u64, BODY)).collect();
    for sample in &samples {
        store.put(sample.block(0)).await.unwrap();
    }
    let mut bytes = fs::read(segment(dir.path())).unwrap();
    // The disk is written in whole blocks.
    let padding = bytes.split_off(32 + samples.len() * RECORD);
    assert!(padding.len() < 4096 && padding.iter().all(|byte| *byte == 0));
    for bit in 0..samples.len() {
        bytes[32 + bit * RECORD + bit / 8] ^= 1 << (bit % 8);
    }
    fs::write(segment(dir.path()), &bytes).unwrap();
    for (bit, sample) in samples.iter().enumerate() {
        let id = sample.id(0);
        let error = store.get(id).await.unwrap_err();
        assert!(
            matches!(error, StoreError::Damaged { id: i, .. } if i == id),
            "bit {bit}: {error}"
        );
        // No longer offered.
        assert_eq!(store.get(id).await.unwrap(), None);
        assert!(store.held(&sample.content.root, 0, 10).unwrap().is_empty());
    }
    // A damaged block can be stored again.
    assert_eq!(store.put(samples[5].block(0)).await.unwrap(), Put::Stored);
    assert_held(&store, &samples[5], 0).await;
    close(store).await;
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery, Recovery::default());
    assert_held(&store, &samples[5], 0).await;
    assert_eq!(store.get(samples[6].id(0)).await.unwrap(), None);
}

#[tokio::test]
async fn damage_between_records_does_not_cost_the_ones_behind_it() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    let samples: Vec<_> = (0..3).map(|n| single(n, 200_000)).collect();
    for sample in &samples {
        store.put(sample.block(0)).await.unwrap();
    }
    close(store).await;
    // The index is lost, and the middle record damaged: in its header, then in its body.
    let good = fs::read(segment(dir.path())).unwrap();
    let record = 112 + 200_000;
    for at in [32 + record + 9, 32 + record + 5_000] {
        let mut bytes = good.clone();
        bytes[at] ^= 4;
        fs::write(segment(dir.path()), &bytes).unwrap();
        fs::remove_dir_all(dir.path().join("index")).unwrap();
        let (store, recovery) = open(dir.path());
        assert_eq!(recovery.reindexed, 2);
        assert_eq!(recovery.damaged_bytes, record as u64);
        assert_eq!(recovery.torn_bytes, 0);
        assert_held(&store, &samples[0], 0).await;
        assert_eq!(store.get(samples[1].id(0)).await.unwrap(), None);
        assert_held(&store, &samples[2], 0).await;
        close(store).await;
    }
}

#[tokio::test]
async fn a_store_that_was_not_closed_ends_with_padding_that_is_no_damage() {
    let origin = tempfile::tempdir().unwrap();
    let (store, _) = open(origin.path());
    let mut samples = Vec::new();
    for n in 0..16 {
        // Also records that end with zeros, or exactly with a block of the disk.
        let len = [1000, 3984, 8192 - 112, 4096 * 3][n as usize % 4];
        let sample = match n % 3 {
            0 => Sample::new(vec![vec![0; len + n as usize].into()]),
            _ => single(n, len),
        };
        store.put(sample.block(0)).await.unwrap();
        samples.push(sample);
        // As it would be found after a power cut now: with an index that knows all, some, or nothing.
        let dir = tempfile::tempdir().unwrap();
        copy_dir(
            &origin.path().join("segments"),
            &dir.path().join("segments"),
        );
        assert_eq!(fs::metadata(segment(dir.path())).unwrap().len() % 4096, 0);
        let (copy, recovery) = open(dir.path());
        assert_eq!((recovery.torn_bytes, recovery.damaged_bytes), (0, 0));
        assert_eq!(recovery.reindexed, samples.len() as u64);
        for sample in &samples {
            assert_held(&copy, sample, 0).await;
        }
        // It goes on where the last record ends.
        let next = single(1000 + n, 77);
        copy.put(next.block(0)).await.unwrap();
        close(copy).await;
        fs::remove_dir_all(dir.path().join("index")).unwrap();
        let (copy, recovery) = open(dir.path());
        assert_eq!((recovery.torn_bytes, recovery.damaged_bytes), (0, 0));
        assert_eq!(recovery.reindexed, samples.len() as u64 + 1);
        assert_held(&copy, &next, 0).await;
    }
}

#[tokio::test]
async fn a_segment_shorter_than_acknowledged_is_an_error_not_a_silent_loss() {
    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.put(single(1, 500).block(0)).await.unwrap();
    store.put(single(2, 500).block(0)).await.unwrap();
    close(store).await;
    let file = fs::OpenOptions::new()
        .write(true)
        .open(segment(dir.path()))
        .unwrap();
    file.set_len(700).unwrap();
    let error = Store::open(&Options::new(dir.path())).unwrap_err();
    assert!(
        matches!(error, StoreError::SegmentTruncated { actual: 700, .. }),
        "{error}"
    );
    // The remedy that the message names works.
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (store, recovery) = open(dir.path());
    assert_eq!(
        (recovery.reindexed, recovery.torn_bytes),
        (1, 700 - 32 - 612)
    );
    assert_held(&store, &single(1, 500), 0).await;
    assert_eq!(store.contents(None, 9).unwrap().len(), 1);
}

#[tokio::test]
async fn a_segment_whose_creation_was_interrupted_is_dropped() {
    for leftover in [&b""[..], b"PHSEG", &[0; 32]] {
        let dir = tempfile::tempdir().unwrap();
        let (store, _) = open(dir.path());
        store.put(single(1, 500).block(0)).await.unwrap();
        close(store).await;
        fs::write(dir.path().join("segments/00000002.seg"), leftover).unwrap();
        let (store, _) = open(dir.path());
        assert_eq!(
            store.put(single(2, 500).block(0)).await.unwrap(),
            Put::Stored
        );
        assert_eq!(store.contents(None, 9).unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_uploaded_body_cannot_pass_for_records() {
    // A body that holds a copy of a real record, header and all, of another node.
    let other = tempfile::tempdir().unwrap();
    let (store, _) = open(other.path());
    store.put(single(9, 300).block(0)).await.unwrap();
    close(store).await;
    let fake = Bytes::from(fs::read(segment(other.path())).unwrap().split_off(32));

    let dir = tempfile::tempdir().unwrap();
    let (store, _) = open(dir.path());
    store.put(Sample::new(vec![fake]).block(0)).await.unwrap();
    store.put(single(2, 50).block(0)).await.unwrap();
    close(store).await;
    let mut bytes = fs::read(segment(dir.path())).unwrap();
    bytes[40] ^= 1; // the first header: recovery has to search through the body behind it
    fs::write(segment(dir.path()), &bytes).unwrap();
    fs::remove_dir_all(dir.path().join("index")).unwrap();
    let (store, recovery) = open(dir.path());
    assert_eq!(recovery.reindexed, 1);
    assert_eq!(store.contents(None, 10).unwrap(), [single(2, 50).content]);
}
