//! The state of all links, behind one lock that is never held while somebody waits.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use phantasma_wire::relay::{LinkFrame, Mesh, MeshAction, MeshPolicy};
use phantasma_wire::{Hash, PublicKey};

use super::book::Book;
use super::follow::{Following, Step};
use super::known::Known;
use super::outgo::Outgo;
use super::{Numbers, mine_stays};

/// Boxes whose tree is remembered, about 200 KiB each at most. One that is forgotten grows again out of a message that
/// goes everywhere.
const MAX_MESHES: usize = 256;

/// Live messages that may be grafted, in all.
const RECENT_BYTES: usize = 4 << 20;

/// A link that is up.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) key: PublicKey,
    run: u64,
    dialled: bool,
    /// The boxes that the other serves; all when empty.
    boxes: BTreeSet<u64>,
    pub(super) outgo: Arc<Outgo>,
    pub(super) following: Following,
    since_ms: u64,
}

/// What a new link is.
pub(super) struct NewLink {
    pub(super) key: PublicKey,
    pub(super) run: u64,
    pub(super) dialled: bool,
    pub(super) boxes: BTreeSet<u64>,
    pub(super) outgo: Arc<Outgo>,
    pub(super) following: Following,
}

#[derive(Debug, Default)]
pub(super) struct Inner {
    pub(super) book: Book,
    pub(super) known: Known,
    pub(super) links: BTreeMap<u64, Link>,
    meshes: HashMap<u64, (Mesh, u64)>,
    recent: Recent,
    next_link: u64,
    /// Counts uses, so that the longest unused mesh gives way.
    uses: u64,
}

/// Live messages, newest last.
#[derive(Debug, Default)]
struct Recent {
    frames: HashMap<Hash, Bytes>,
    order: VecDeque<Hash>,
    bytes: usize,
}

impl Recent {
    fn put(&mut self, id: Hash, frame: Bytes) {
        self.bytes += frame.len();
        if let Some(old) = self.frames.insert(id, frame) {
            self.bytes -= old.len();
            return;
        }
        self.order.push_back(id);
        while self.bytes > RECENT_BYTES
            && let Some(oldest) = self.order.pop_front()
        {
            let gone = self.frames.remove(&oldest);
            self.bytes -= gone.map_or(0, |frame| frame.len());
        }
    }
}

impl Link {
    fn serves(&self, box_id: u64) -> bool {
        self.boxes.is_empty() || self.boxes.contains(&box_id)
    }
}

impl Inner {
    /// A link is up. `Err` says why it is not wanted; another one with the same relay may have to go for it.
    pub(super) fn up(
        &mut self,
        new: NewLink,
        own_key: &PublicKey,
        max_links: usize,
        now_ms: u64,
    ) -> Result<u64, &'static str> {
        let same = self.links.iter().find(|(_, link)| link.key == new.key);
        if let Some((&number, link)) = same {
            let wanted = match mine_stays(own_key, &new.key) {
                true => new.dialled,
                false => !new.dialled,
            };
            // Who opens a second one itself has lost the first; a new run has lost all.
            if link.run == new.run && link.dialled != new.dialled && !wanted {
                return Err("these relays are linked already");
            }
            link.outgo.close("replaced by a newer link");
            self.down(number, now_ms);
        } else if self.links.len() >= max_links {
            return Err("this relay has as many links as it may");
        }
        self.next_link += 1;
        let number = self.next_link;
        self.book.up(new.key, now_ms);
        let link = Link {
            key: new.key,
            run: new.run,
            dialled: new.dialled,
            boxes: new.boxes,
            outgo: new.outgo,
            following: new.following,
            since_ms: now_ms,
        };
        for (box_id, (mesh, _)) in &mut self.meshes {
            if link.serves(*box_id) {
                mesh.link_up(number);
            }
        }
        self.links.insert(number, link);
        Ok(number)
    }

    /// Once for each link; a second time does nothing.
    pub(super) fn down(&mut self, number: u64, now_ms: u64) {
        let Some(link) = self.links.remove(&number) else {
            return;
        };
        for (mesh, _) in self.meshes.values_mut() {
            mesh.link_down(number);
        }
        self.book.down(&link.key, now_ms);
    }

    /// The tree of a box.
    fn mesh(&mut self, box_id: u64) -> &mut Mesh {
        self.uses += 1;
        if !self.meshes.contains_key(&box_id) && self.meshes.len() >= MAX_MESHES {
            let oldest = self.meshes.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(box_id, _)| *box_id) {
                self.meshes.remove(&oldest);
            }
        }
        let links = &self.links;
        let entry = self.meshes.entry(box_id).or_insert_with(|| {
            let mut mesh = Mesh::new(policy());
            let serving = links.iter().filter(|(_, link)| link.serves(box_id));
            for (number, _) in serving {
                mesh.link_up(*number);
            }
            (mesh, 0)
        });
        entry.1 = self.uses;
        &mut entry.0
    }

    /// A live message of an own client.
    pub(super) fn spread(&mut self, numbers: &Numbers, id: Hash, message: &Message) {
        let box_id = message.body.box_id;
        let actions = self.mesh(box_id).publish(id);
        self.keep_recent(id, message, &actions);
        self.perform(numbers, box_id, &actions);
    }

    /// A live message that came over a link; `new` unless it has been here.
    pub(super) fn pushed(
        &mut self,
        numbers: &Numbers,
        (link, id): (u64, Hash),
        message: &Message,
        new: bool,
    ) {
        let box_id = message.body.box_id;
        let mut actions = self.mesh(box_id).pushed(link, id);
        match new {
            true => {
                numbers.received.inc();
                self.good(link);
                self.keep_recent(id, message, &actions);
            }
            // Longer ago than the tree remembers: it must not go around again.
            false => {
                numbers.repeated.inc();
                actions.retain(|action| matches!(action, MeshAction::Prune { .. }));
            }
        }
        self.perform(numbers, box_id, &actions);
    }

    /// A kept message came over a link again.
    pub(super) fn repeated(&mut self, numbers: &Numbers, link: u64, box_id: u64, id: Hash) {
        let mut actions = self.mesh(box_id).pushed(link, id);
        actions.retain(|action| matches!(action, MeshAction::Prune { .. }));
        self.perform(numbers, box_id, &actions);
    }

    /// A checked kept message of a link is on its way to the log; false when another was faster.
    pub(super) fn taking(&mut self, numbers: &Numbers, link: u64, box_id: u64, id: Hash) -> bool {
        if !self.known.take(&id, link) {
            self.repeated(numbers, link, box_id, id);
            return false;
        }
        numbers.received.inc();
        self.good(link);
        // Who follows this relay's log gets it from there.
        self.mesh(box_id).pushed(link, id);
        true
    }

    fn good(&mut self, link: u64) {
        if let Some(link) = self.links.get(&link) {
            self.book.good(&link.key);
        }
    }

    pub(super) fn stored(&mut self, id: Hash, box_id: u64, position: u64) {
        if self.known.stored(&id, position) == 0 {
            self.mesh(box_id).publish(id);
        }
        for link in self.links.values() {
            link.outgo.wake();
        }
    }

    pub(super) fn sends_whole(&mut self, link: u64, box_id: u64, id: &Hash) -> Option<bool> {
        if !self.links.get(&link)?.serves(box_id) {
            return None;
        }
        Some(self.mesh(box_id).is_eager(link) && !self.known.came_over(id, link))
    }

    /// What to do with a kept message, whole or not, of a link.
    pub(super) fn kept(
        &mut self,
        numbers: &Numbers,
        link: u64,
        (position, box_id, id): (u64, u64, Hash),
        whole: bool,
        now_ms: u64,
    ) -> Step {
        let Some(found) = self.links.get_mut(&link) else {
            return Step::Ignored;
        };
        let known = &self.known;
        let following = &mut found.following;
        let step = following.next(position, (box_id, id), whole, |id| known.is_stored(id));
        match step {
            Step::Again => {
                let ask = following.ask(true, now_ms);
                found.outgo.request(&ask);
            }
            Step::Known { prune } => {
                if whole {
                    numbers.repeated.inc();
                }
                if prune {
                    self.repeated(numbers, link, box_id, id);
                }
            }
            Step::Awaited => self.mesh(box_id).have(link, id, now_ms),
            Step::Take | Step::Ignored | Step::Wrong => {}
        }
        step
    }

    pub(super) fn have(&mut self, link: u64, box_id: u64, id: Hash, now_ms: u64) {
        if self.recent.frames.contains_key(&id) || self.known.is_stored(&id) {
            return;
        }
        self.mesh(box_id).have(link, id, now_ms);
    }

    pub(super) fn grafted(&mut self, numbers: &Numbers, link: u64, box_id: u64, id: Hash) {
        let action = self.mesh(box_id).graft(link, id);
        self.perform(numbers, box_id, action.as_slice());
    }

    pub(super) fn pruned(&mut self, link: u64, box_id: u64) {
        self.mesh(box_id).prune(link);
    }

    /// Something forged or senseless came. True when the link is to be cut.
    pub(super) fn bad(&mut self, numbers: &Numbers, link: u64, now_ms: u64) -> bool {
        numbers.bad.inc();
        let Some(found) = self.links.get(&link) else {
            return true;
        };
        // One score for all boxes, or a liar would have three lies in each.
        let cut = self.book.bad(&found.key, now_ms);
        if cut {
            numbers.cut.inc();
            found.outgo.close("too much of what came was forged");
            tracing::warn!(peer = hex::encode(found.key), "cut a link: forged messages");
        }
        cut
    }

    /// Grafts what is late, and asks for logs that stand still.
    pub(super) fn tick(&mut self, numbers: &Numbers, now_ms: u64) {
        let due: Vec<(u64, Vec<MeshAction>)> = self
            .meshes
            .iter_mut()
            .filter(|(_, (mesh, _))| mesh.due_ms().is_some_and(|due| due <= now_ms))
            .map(|(box_id, (mesh, _))| (*box_id, mesh.tick(now_ms)))
            .collect();
        for (box_id, actions) in due {
            // What has come meanwhile needs no graft.
            let late = |action: &&MeshAction| match action {
                MeshAction::Graft { id, .. } => !self.known.is_stored(id),
                MeshAction::Deliver { .. }
                | MeshAction::Push { .. }
                | MeshAction::Have { .. }
                | MeshAction::Prune { .. }
                | MeshAction::Cut { .. } => true,
            };
            let actions: Vec<MeshAction> = actions.iter().filter(late).copied().collect();
            self.perform(numbers, box_id, &actions);
            self.ask_logs(&actions, now_ms);
        }
        let known = &self.known;
        for link in self.links.values_mut() {
            if let Some(ask) = link.following.tick(now_ms, |id| known.is_stored(id)) {
                link.outgo.request(&ask);
            }
        }
    }

    /// Kept messages that are grafted come by the log, so that none overtakes another.
    fn ask_logs(&mut self, actions: &[MeshAction], now_ms: u64) {
        let mut asked = BTreeSet::new();
        for action in actions {
            if let MeshAction::Graft { link, id } = action
                && let Some(found) = self.links.get_mut(link)
                && found.following.awaits(id)
                && asked.insert(*link)
            {
                let ask = found.following.ask(true, now_ms);
                found.outgo.request(&ask);
            }
        }
    }

    fn keep_recent(&mut self, id: Hash, message: &Message, actions: &[MeshAction]) {
        if !actions.is_empty() && !self.links.is_empty() {
            self.recent.put(id, LinkFrame::encode_push(message));
        }
    }

    fn perform(&mut self, numbers: &Numbers, box_id: u64, actions: &[MeshAction]) {
        for action in actions {
            match *action {
                // The intake delivers, and the book of scores cuts.
                MeshAction::Deliver { .. } | MeshAction::Cut { .. } => {}
                MeshAction::Push { link, id } => {
                    if let Some(frame) = self.recent.frames.get(&id) {
                        self.send_live(numbers, link, frame.clone());
                    }
                }
                MeshAction::Have { link, id } => {
                    self.send_live(numbers, link, LinkFrame::Have { box_id, id }.encode());
                }
                MeshAction::Graft { link, id } => {
                    numbers.grafts.inc();
                    self.request(link, &LinkFrame::Graft { box_id, id });
                }
                MeshAction::Prune { link } => self.request(link, &LinkFrame::Prune { box_id }),
            }
        }
    }

    fn send_live(&self, numbers: &Numbers, link: u64, frame: Bytes) {
        if let Some(link) = self.links.get(&link) {
            numbers.sent.inc();
            numbers.dropped.inc_by(link.outgo.live(frame) as u64);
        }
    }

    fn request(&self, link: u64, frame: &LinkFrame) {
        if let Some(link) = self.links.get(&link) {
            link.outgo.request(frame);
        }
    }

    /// One line a relay.
    pub(super) fn note(&self, now_ms: u64) -> String {
        let mut text = String::new();
        for (key, standing) in self.book.all() {
            let link = self.links.values().find(|link| link.key == *key);
            let state = match link {
                Some(link) => format!(
                    "linked for {} s",
                    now_ms.saturating_sub(link.since_ms) / 1000
                ),
                None if standing.is_banned(now_ms) => "kept away".to_owned(),
                None => "not linked".to_owned(),
            };
            // Writing to a string cannot fail.
            let _ = writeln!(
                text,
                "relay {}@{} {state}, score {}, cut {} times",
                hex::encode(key),
                standing.address.as_deref().unwrap_or("?"),
                standing.score.value(),
                standing.cuts
            );
        }
        text
    }
}

/// Small for each box: what repeats does so within seconds.
fn policy() -> MeshPolicy {
    MeshPolicy {
        max_links: 64,
        max_seen: 2_048,
        max_kept: 256,
        max_missing: 256,
        ..MeshPolicy::default()
    }
}
