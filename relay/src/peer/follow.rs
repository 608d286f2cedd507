//! How far this relay is in another one's log.
//!
//! Kept messages come in the order of the other's log and without gaps, whole or as ids. One that came as an id is waited
//! for over other links; while it is missing, nothing whole of its box is taken from behind it, but the log is asked for
//! again from there. So of each author, whatever stands first in the other's log stands first in this one's.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use phantasma_sdk::neo::wallet::replace_file;
use phantasma_wire::Hash;
use phantasma_wire::relay::LinkFrame;

/// Messages behind the first missing one: about 64 bytes each.
const WINDOW: usize = 4096;

/// The first missing one is asked for again after so long. Its id is grafted before that.
const STUCK_MS: u64 = 5_000;

/// After the own log or chain has failed, the other's log is asked for again.
const PAUSE_MS: u64 = 10_000;

/// What is to be done with a kept message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// New: check and store it.
    Take,
    /// Here already. `prune` when it should have come as an id.
    Known { prune: bool },
    /// An id of something that has not come yet.
    Awaited,
    /// Part of an answer that is no longer wanted.
    Ignored,
    /// Something before it is missing: the log has to be asked for again.
    Again,
    /// The other does not keep to the order of its own log.
    Wrong,
}

#[derive(Debug)]
struct Entry {
    position: u64,
    box_id: u64,
    id: Hash,
    whole: bool,
    skipped: bool,
}

/// One relay's log as another one reads it.
#[derive(Debug)]
pub(super) struct Following {
    /// Everything up to here is in the own log, or was refused for good.
    cursor: u64,
    /// The id that stood there.
    last: Hash,
    window: VecDeque<Entry>,
    number: u32,
    /// The last Follow has been answered.
    running: bool,
    /// Up to here the other sends whole messages by this side's own wish.
    whole: u64,
    newest: u64,
    front_since_ms: u64,
    retry_ms: Option<u64>,
}

impl Following {
    pub(super) fn new(cursor: u64, last: Hash) -> Self {
        Self {
            cursor,
            last,
            window: VecDeque::new(),
            number: 0,
            running: false,
            whole: 0,
            newest: 0,
            front_since_ms: 0,
            retry_ms: None,
        }
    }

    pub(super) fn cursor(&self) -> (u64, Hash) {
        (self.cursor, self.last)
    }

    /// Asks for everything behind the cursor.
    pub(super) fn ask(&mut self, whole: bool, now_ms: u64) -> LinkFrame {
        self.number = self.number.wrapping_add(1);
        self.running = false;
        self.retry_ms = None;
        self.front_since_ms = now_ms;
        self.window.clear();
        LinkFrame::Follow {
            number: self.number,
            from: self.cursor + 1,
            last: self.last,
            whole,
        }
    }

    pub(super) fn restarted(&mut self, number: u32, whole: u64) {
        if number == self.number && self.retry_ms.is_none() {
            self.running = true;
            self.whole = whole;
            self.newest = 0;
        }
    }

    /// What is next: a message of the other's log, whole or not. `stored` says what the own log has.
    pub(super) fn next(
        &mut self,
        position: u64,
        (box_id, id): (u64, Hash),
        whole: bool,
        stored: impl Fn(&Hash) -> bool,
    ) -> Step {
        if !self.running {
            return Step::Ignored;
        }
        if position <= self.newest || position == 0 {
            return Step::Wrong;
        }
        // The other began at its start: its log is not the one that was known.
        if self.newest == 0 && position <= self.cursor {
            (self.cursor, self.last) = (position - 1, [0; 32]);
        }
        self.newest = position;
        let here = stored(&id);
        let owed = |entry: &Entry| entry.box_id == box_id && !entry.whole && !stored(&entry.id);
        let again = self.window.len() >= WINDOW
            || (whole
                && !here
                && self
                    .window
                    .iter()
                    .any(|entry| !entry.skipped && owed(entry)));
        if again {
            return Step::Again;
        }
        self.window.push_back(Entry {
            position,
            box_id,
            id,
            whole,
            skipped: false,
        });
        match (here, whole) {
            (true, whole) => Step::Known {
                prune: whole && position > self.whole,
            },
            (false, true) => Step::Take,
            (false, false) => Step::Awaited,
        }
    }

    /// This one will never be in the own log.
    pub(super) fn skip(&mut self, position: u64) {
        let found = self.window.iter_mut().find(|one| one.position == position);
        if let Some(entry) = found {
            entry.skipped = true;
        }
    }

    /// Nothing can be taken for a while.
    pub(super) fn pause(&mut self, now_ms: u64) {
        self.running = false;
        self.retry_ms = Some(now_ms + PAUSE_MS);
    }

    /// Whether this message is waited for.
    pub(super) fn awaits(&self, id: &Hash) -> bool {
        self.window.iter().any(|entry| entry.id == *id)
    }

    /// Moves the cursor over what is stored, and asks again when it does not move for too long.
    pub(super) fn tick(
        &mut self,
        now_ms: u64,
        stored: impl Fn(&Hash) -> bool,
    ) -> Option<LinkFrame> {
        while let Some(front) = self.window.front()
            && (front.skipped || stored(&front.id))
        {
            (self.cursor, self.last) = (front.position, front.id);
            self.window.pop_front();
            self.front_since_ms = now_ms;
        }
        if self.window.is_empty() {
            self.front_since_ms = now_ms;
        }
        let due = match self.retry_ms {
            Some(at) => now_ms >= at,
            None => now_ms >= self.front_since_ms + STUCK_MS,
        };
        due.then(|| self.ask(true, now_ms))
    }
}

/// Where the cursor of a peer is kept: one line, position and id. An older one, or none, costs only that ids are sent
/// again.
#[derive(Debug)]
pub(super) struct CursorFile {
    path: PathBuf,
    /// What both sides serve: with other boxes the log has to be read anew.
    boxes: String,
    written: u64,
}

impl CursorFile {
    pub(super) fn open(folder: &Path, peer: &str, boxes: String) -> (Self, u64, Hash) {
        let path = folder.join(peer);
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let (cursor, last) = parse(&text, &boxes).unwrap_or((0, [0; 32]));
        let file = Self {
            path,
            boxes,
            written: cursor,
        };
        (file, cursor, last)
    }

    /// Writes the cursor if it has moved.
    pub(super) fn write(&mut self, (cursor, last): (u64, Hash)) {
        if cursor == self.written {
            return;
        }
        let text = format!("{cursor} {} {}\n", hex::encode(last), self.boxes);
        match replace_file(&self.path, text.as_bytes()) {
            Ok(()) => self.written = cursor,
            Err(error) => {
                tracing::warn!(%error, path = %self.path.display(), "the place in a peer's log was not written")
            }
        }
    }
}

fn parse(text: &str, boxes: &str) -> Option<(u64, Hash)> {
    let mut words = text.strip_suffix('\n')?.splitn(3, ' ');
    let (cursor, last) = (words.next()?.parse().ok()?, words.next()?);
    let mut id = [0; 32];
    hex::decode_to_slice(last, &mut id).ok()?;
    (words.next()? == boxes).then_some((cursor, id))
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use super::*;

    const A: (u64, Hash) = (7, [1; 32]);
    const B: (u64, Hash) = (7, [2; 32]);
    const OTHER_BOX: (u64, Hash) = (8, [3; 32]);

    fn running() -> Following {
        let mut following = Following::new(10, [9; 32]);
        let LinkFrame::Follow { number, from, .. } = following.ask(false, 0) else {
            panic!("no follow")
        };
        assert_eq!(from, 11);
        assert_eq!(following.next(11, A, true, |_| false), Step::Ignored);
        following.restarted(number, 0);
        following
    }

    #[test]
    fn nothing_whole_of_a_box_is_taken_from_behind_a_missing_message() {
        let mut following = running();
        let none = |_: &Hash| false;
        assert_eq!(following.next(11, A, false, none), Step::Awaited);
        assert_eq!(following.next(12, OTHER_BOX, true, none), Step::Take);
        assert_eq!(following.next(13, B, true, none), Step::Again);
        assert!(following.awaits(&A.1));
        // As soon as it has come over another link, the next one may be taken.
        let mut following = running();
        following.next(11, A, false, none);
        let here = |id: &Hash| *id == A.1;
        assert_eq!(following.next(13, B, true, here), Step::Take);
    }

    #[test]
    fn the_cursor_stops_at_what_is_missing_and_asks_for_it() {
        let mut following = running();
        let here = |id: &Hash| *id != B.1;
        assert_eq!(
            following.next(12, A, true, here),
            Step::Known { prune: true }
        );
        assert_eq!(following.next(14, B, true, here), Step::Take);
        assert_eq!(
            following.next(15, OTHER_BOX, false, here),
            Step::Known { prune: false }
        );
        assert_eq!(following.tick(100, here), None);
        assert_eq!(following.cursor(), (12, A.1));
        let asked = following.tick(100 + STUCK_MS, here);
        assert!(
            matches!(
                asked,
                Some(LinkFrame::Follow {
                    number: 2,
                    from: 13,
                    whole: true,
                    ..
                })
            ),
            "{asked:?}"
        );
        following.restarted(1, 0);
        assert_eq!(following.next(13, B, true, here), Step::Ignored);
        following.restarted(2, 20);
        // By its own wish it comes whole up to 20: no reason to prune.
        assert_eq!(
            following.next(13, A, true, here),
            Step::Known { prune: false }
        );
        assert_eq!(following.next(14, B, true, here), Step::Take);
        following.skip(14);
        assert_eq!(following.tick(200_000, here), None);
        assert_eq!(following.cursor(), (14, B.1));
    }

    #[test]
    fn a_log_out_of_order_is_wrong_and_another_log_is_read_from_its_start() {
        let mut following = running();
        assert_eq!(following.next(2, A, true, |_| false), Step::Take);
        assert_eq!(following.next(2, B, true, |_| false), Step::Wrong);
        following.tick(1, |_| true);
        assert_eq!(following.cursor(), (2, A.1));
    }

    #[test]
    fn a_cursor_file_of_other_boxes_or_half_a_line_is_a_start_from_the_beginning() {
        let folder = tempfile::tempdir().unwrap_or_else(|error| panic!("{error}"));
        let open = |boxes: &str| CursorFile::open(folder.path(), "peer", boxes.to_owned());
        let (mut file, cursor, _) = open("all all");
        assert_eq!(cursor, 0);
        file.write((5, [6; 32]));
        let (_, cursor, last) = open("all all");
        assert_eq!((cursor, last), (5, [6; 32]));
        assert_eq!(open("1,2 all").1, 0);
        let whole = std::fs::read_to_string(folder.path().join("peer")).unwrap_or_default();
        for end in 0..whole.len() {
            assert_eq!(parse(&whole[..end], "all all"), None, "{end}");
        }
    }
}
