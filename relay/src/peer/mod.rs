//! Links to other relays that serve the same boxes: what is published at one reaches the listeners of all.
//!
//! * [`Links`]: what all links share: a [`Mesh`](phantasma_wire::relay::Mesh) for each box, the live messages that may be grafted, and which
//!   kept messages are here (`known`).
//! * `session`: one link from its Hello to its end; `outgo`: what is sent on it; `follow`: how far this relay is in the
//!   other's log.
//! * `book`: which relays there are, when to try them, and which have lied; `dial`: tries them; `find`: looks for more
//!   in the distributed hash table.
//! * `taken`: a message of another relay on its way in. It passes the same checks as that of a client.

mod book;
mod config;
mod dial;
mod find;
mod follow;
mod known;
mod outgo;
mod session;
mod state;
mod taken;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use phantasma_wire::message::{Class, Message};
use phantasma_wire::{Hash, PublicKey};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

pub use config::{PeerArgs, PeersTable};
pub(crate) use dial::{Running, start};
use phantasma_net::control::Bootstrap;
use state::Inner;

/// What the operator wants of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PeerSettings {
    /// UDP; port 0 takes any free one.
    pub listen: std::net::SocketAddr,
    /// Relays to link with: key and `host:port` of their links.
    pub known: Vec<(PublicKey, String)>,
    /// The boxes that this relay passes on and keeps for others; all when empty.
    pub boxes: BTreeSet<u64>,
    /// Whether relays that are not in `known` may link themselves.
    pub open: bool,
    /// Links at once.
    pub max_links: usize,
    pub find: Option<FindSettings>,
}

/// How relays are looked for in the distributed hash table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FindSettings {
    /// UDP of the control plane.
    pub listen: std::net::SocketAddr,
    /// `host:port` of this relay's links as others should dial it.
    pub public: String,
    /// Nodes to meet first.
    pub bootstrap: Vec<Bootstrap>,
}

/// Counters of all links, and how many there are.
#[derive(Debug, Clone, Default)]
pub struct Numbers {
    pub(super) links: Gauge,
    pub(super) received: Counter,
    pub(super) repeated: Counter,
    pub(super) sent: Counter,
    pub(super) dropped: Counter,
    pub(super) bad: Counter,
    pub(super) cut: Counter,
    pub(super) grafts: Counter,
}

impl Numbers {
    /// Shows them in `/metrics`.
    pub fn register(&self, registry: &mut Registry) {
        let mut counter = |name: &str, help: &str, counter: &Counter| {
            registry.register(name, help, counter.clone());
        };
        counter(
            "link_received",
            "New messages from other relays",
            &self.received,
        );
        counter(
            "link_repeated",
            "Whole messages from other relays that were here already",
            &self.repeated,
        );
        counter(
            "link_sent",
            "Messages and ids sent to other relays",
            &self.sent,
        );
        counter(
            "link_dropped",
            "Live messages that slow links lost",
            &self.dropped,
        );
        counter(
            "link_bad",
            "Forged or senseless frames from other relays",
            &self.bad,
        );
        counter("link_cut", "Links cut for what came over them", &self.cut);
        counter(
            "link_grafts",
            "Messages asked for because they did not come",
            &self.grafts,
        );
        registry.register("links", "Links to other relays", self.links.clone());
    }
}

/// What all links share. Without settings there are none, and every call costs nothing.
#[derive(Debug)]
pub struct Links {
    pub(super) settings: Option<PeerSettings>,
    /// Where the places in the others' logs are kept.
    pub(super) folder: PathBuf,
    pub(super) own_key: PublicKey,
    /// Tells runs of this relay apart.
    pub(super) run: u64,
    pub(super) numbers: Numbers,
    started: Instant,
    inner: Mutex<Inner>,
    /// Kept messages go to the log one after the other: asking the gate takes a while, and a later message that came over
    /// another link must not overtake.
    turn: tokio::sync::Mutex<()>,
}

impl Links {
    pub fn new(
        settings: Option<PeerSettings>,
        folder: PathBuf,
        own_key: PublicKey,
        numbers: Numbers,
    ) -> Self {
        let mut inner = Inner::default();
        for (key, address) in settings.iter().flat_map(|settings| &settings.known) {
            if *key != own_key {
                inner.book.configure(*key, address.clone());
            }
        }
        // Fixed keys would make it the same for each run; the system's randomness is behind this one.
        let run = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), own_key);
        Self {
            settings,
            folder,
            own_key,
            run,
            numbers,
            started: Instant::now(),
            inner: Mutex::new(inner),
            turn: tokio::sync::Mutex::default(),
        }
    }

    /// A live message of an own client goes to the other relays.
    pub(crate) fn spread(&self, id: Hash, message: &Message) {
        if self.serves(message.body.box_id) && message.body.class != Class::Durable {
            self.lock().spread(&self.numbers, id, message);
        }
    }

    /// A message is in the log: those who read it may go on.
    pub(crate) fn stored(&self, id: Hash, box_id: u64, position: u64) {
        if self.settings.is_some() {
            self.lock().stored(id, box_id, position);
        }
    }

    /// The log did not take it.
    pub(crate) fn not_stored(&self, id: &Hash) {
        if self.settings.is_some() {
            self.lock().known.refused(id);
        }
    }

    /// Lines about all relays that are known of, for `/healthz`.
    pub(crate) fn note(&self) -> String {
        match &self.settings {
            None => String::new(),
            Some(_) => self.lock().note(self.now_ms()),
        }
    }

    fn serves(&self, box_id: u64) -> bool {
        let settings = self.settings.as_ref();
        settings
            .is_some_and(|settings| settings.boxes.is_empty() || settings.boxes.contains(&box_id))
    }

    /// Whether the message goes whole to this link; `None` when the other does not serve its box.
    fn sends_whole(&self, link: u64, box_id: u64, id: &Hash) -> Option<bool> {
        if !self.serves(box_id) {
            return None;
        }
        self.lock().sends_whole(link, box_id, id)
    }

    /// Milliseconds of a clock that does not jump.
    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ids of messages that the log holds already, so that another relay's log brings none of them twice.
pub(crate) async fn remember_log(
    links: &Links,
    log: &crate::log::Log,
) -> Result<(), crate::log::LogError> {
    if links.settings.is_none() {
        return Ok(());
    }
    let mut from = 1;
    loop {
        let ids = log.ids(from, 4096).await?;
        let Some((last, _)) = ids.last() else {
            return Ok(());
        };
        from = last + 1;
        let mut inner = links.lock();
        for (position, id) in ids {
            inner.known.stored(&id, position);
        }
    }
}

/// Whether this end's link stays when both ends have opened one: the one of the smaller key does.
fn mine_stays(own: &PublicKey, other: &PublicKey) -> bool {
    own < other
}

type Shared = Arc<crate::intake::Intake>;
