//! Where each record lies, in memory.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use super::segment::Segment;

/// Bytes of the newest messages that are also held in memory, so that a subscriber who keeps up costs no disk reads:
/// at 1 KiB a message and 1,000 messages a second, the last four seconds.
const RECENT_BYTES: usize = 4 << 20;

/// A record's place: 16 bytes, so that the index of a log takes at most a tenth of the log itself (the smallest record
/// is 178 bytes).
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) offset: u32,
    pub(super) len: u32,
}

/// Segments, the places of each box's records, and the newest messages.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By the position of the first record. The last one is written to.
    pub(super) segments: BTreeMap<u64, Segment>,
    boxes: HashMap<u64, VecDeque<Place>>,
    recent: BTreeMap<u64, Bytes>,
    recent_bytes: usize,
    /// Position of the newest committed record; 0 when there has never been one.
    pub(super) head: u64,
}

/// How to get one record.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Bytes),
    Disk {
        file: Arc<File>,
        path: PathBuf,
        place: Place,
    },
}

impl Index {
    /// Makes a committed record visible.
    pub(super) fn add(&mut self, box_id: u64, place: Place, message: Option<Bytes>) {
        self.boxes.entry(box_id).or_default().push_back(place);
        self.head = self.head.max(place.position);
        let Some(message) = message else { return };
        self.recent_bytes += message.len();
        self.recent.insert(place.position, message);
        while self.recent_bytes > RECENT_BYTES
            && let Some((_, oldest)) = self.recent.pop_first()
        {
            self.recent_bytes -= oldest.len();
        }
    }

    /// The records of a box from a position on, oldest first: at least one if there is any, then as long as they
    /// together stay under `max_bytes`.
    pub(super) fn find(&self, box_id: u64, from: u64, max_bytes: usize) -> Vec<(u64, Source)> {
        let Some(places) = self.boxes.get(&box_id) else {
            return Vec::new();
        };
        let start = places.partition_point(|place| place.position < from);
        let (mut found, mut bytes) = (Vec::new(), 0);
        for place in places.range(start..) {
            bytes += place.len as usize;
            if !found.is_empty() && bytes > max_bytes {
                break;
            }
            if let Some(source) = self.source(*place) {
                found.push((place.position, source));
            }
        }
        found
    }

    /// The records of all boxes from a position on, oldest first, at most `max`.
    pub(super) fn after(&self, from: u64, max: usize) -> Vec<(u64, Source)> {
        let mut places = Vec::new();
        for of_box in self.boxes.values() {
            let start = of_box.partition_point(|place| place.position < from);
            // No box can have more of the first `max` than so many.
            places.extend(of_box.range(start..).take(max).copied());
        }
        places.sort_unstable_by_key(|place| place.position);
        let sources = places.into_iter().take(max);
        sources
            .filter_map(|place| Some((place.position, self.source(place)?)))
            .collect()
    }

    /// Position of the oldest record, or of the next one when there is none.
    pub(super) fn oldest(&self) -> u64 {
        self.segments.keys().next().copied().unwrap_or(1)
    }

    /// Bytes of all segments.
    pub(super) fn bytes(&self) -> u64 {
        self.segments.values().map(|segment| segment.len).sum()
    }

    /// Number of records.
    pub(super) fn records(&self) -> usize {
        self.boxes.values().map(VecDeque::len).sum()
    }

    /// Takes out the oldest segment if all its records were accepted before `before_ms`; never the one in use.
    pub(super) fn take_expired(&mut self, before_ms: u64) -> Option<Segment> {
        if self.segments.len() < 2 {
            return None;
        }
        let oldest = self.segments.first_entry()?;
        if oldest.get().newest_ms >= before_ms {
            return None;
        }
        let segment = oldest.remove();
        let next = self.segments.keys().next().copied().unwrap_or(u64::MAX);
        for places in self.boxes.values_mut() {
            while places.front().is_some_and(|place| place.position < next) {
                places.pop_front();
            }
        }
        self.boxes.retain(|_, places| !places.is_empty());
        while let Some(entry) = self.recent.first_entry()
            && *entry.key() < next
        {
            self.recent_bytes -= entry.remove().len();
        }
        Some(segment)
    }

    fn source(&self, place: Place) -> Option<Source> {
        if let Some(message) = self.recent.get(&place.position) {
            return Some(Source::Memory(message.clone()));
        }
        let (_, segment) = self.segments.range(..=place.position).next_back()?;
        Some(Source::Disk {
            file: segment.file.clone(),
            path: segment.path.clone(),
            place,
        })
    }
}
