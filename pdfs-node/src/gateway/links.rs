//! Links to plain bytes for programs that cannot send headers, such as a browser's `<video>`.
//!
//! A link is 16 random bytes that stand for a content's key while this process runs, for some hours. It is made by those
//! alone who may have the plain bytes anyway, and the key itself is in no address, and so in no history or log.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use phantasma_sdk::content::ContentKey;

use crate::store::ContentRoot;

/// A long film with a pause.
pub(super) const LIVES: Duration = Duration::from_secs(6 * 60 * 60);

/// Links at once; the oldest makes room.
const MAX_LINKS: usize = 1024;

/// What a link stands for.
#[derive(Clone)]
pub(super) struct Link {
    pub(super) root: ContentRoot,
    pub(super) key: ContentKey,
    /// Content type of the plain bytes.
    pub(super) content_type: Option<String>,
}

#[derive(Default)]
pub(super) struct Links(Mutex<HashMap<[u8; 16], (Instant, Link)>>);

impl Links {
    /// A new link: 32 hex digits.
    pub(super) fn add(&self, link: Link) -> String {
        let id: [u8; 16] = rand::random();
        let mut links = self.lock();
        links.retain(|_, (made, _)| made.elapsed() < LIVES);
        if links.len() >= MAX_LINKS {
            let oldest = links.iter().min_by_key(|(_, (made, _))| *made);
            if let Some(oldest) = oldest.map(|(id, _)| *id) {
                links.remove(&oldest);
            }
        }
        links.insert(id, (Instant::now(), link));
        hex::encode(id)
    }

    pub(super) fn get(&self, text: &str) -> Option<Link> {
        let mut id = [0; 16];
        hex::decode_to_slice(text, &mut id).ok()?;
        let links = self.lock();
        let (made, link) = links.get(&id)?;
        (made.elapsed() < LIVES).then(|| link.clone())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<[u8; 16], (Instant, Link)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_link_makes_room() {
        let links = Links::default();
        let link = || Link {
            root: ContentRoot([1; 32]),
            key: ContentKey::random(),
            content_type: None,
        };
        let first = links.add(link());
        let second = links.add(link());
        assert!(links.get(&first).is_some() && links.get("").is_none());
        assert!(links.get(&"0".repeat(32)).is_none());
        for _ in 2..=MAX_LINKS {
            links.add(link());
        }
        assert!(links.get(&first).is_none());
        assert!(links.get(&second).is_some());
        assert_eq!(links.lock().len(), MAX_LINKS);
    }
}
