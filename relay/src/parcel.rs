//! Live messages on their way to many readers: encoded once, whoever reads them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use phantasma_wire::batch::Group;
use phantasma_wire::codec::Frame;
use phantasma_wire::message::Message;
use phantasma_wire::relay::RelayFrame;

/// Version and kind in front of a group.
const GROUP_HEAD: usize = 2;

/// Messages of one box, in order.
#[derive(Debug, Default)]
pub struct Parcel {
    messages: Vec<Message>,
    alone: OnceLock<Vec<Bytes>>,
    /// By the largest datagram that they were made for: paths of one relay have few different ones.
    datagrams: Mutex<BTreeMap<usize, Arc<Vec<Packed>>>>,
}

/// A frame for a datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    pub frame: Bytes,
    /// The messages in it: where the first one stands in the parcel, and how many.
    pub first: usize,
    pub count: usize,
}

impl Parcel {
    pub fn new(messages: Vec<Message>) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }

    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// A delivery for each message.
    pub fn alone(&self) -> &[Bytes] {
        self.alone.get_or_init(|| {
            let deliver = |message| RelayFrame::encode_delivery(0, message);
            self.messages.iter().map(deliver).collect()
        })
    }

    /// All messages in as few frames as datagrams of `max` bytes allow. A message that does not fit alone is a frame all
    /// the same, for the reader's stream.
    pub fn datagrams(&self, max: usize) -> Arc<Vec<Packed>> {
        let mut known = self
            .datagrams
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .entry(max)
            .or_insert_with(|| Arc::new(self.pack(max)))
            .clone()
    }

    fn pack(&self, max: usize) -> Vec<Packed> {
        let (mut packed, mut first) = (Vec::new(), 0);
        while let Some(left) = self.messages.get(first..).filter(|left| !left.is_empty()) {
            let (frame, count) = match Group::front(left, max.saturating_sub(GROUP_HEAD)) {
                Some(group) => {
                    let count = group.len();
                    (RelayFrame::DeliverGroup { group }.encode(), count)
                }
                None => (self.alone().get(first).cloned().unwrap_or_default(), 1),
            };
            packed.push(Packed {
                frame,
                first,
                count,
            });
            first += count;
        }
        packed
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use phantasma_wire::batch::{Batch, VerifiedRoots};
    use phantasma_wire::message::{Class, Unsigned};

    use super::*;

    fn messages(count: u64, payload: usize) -> Vec<Message> {
        let body = |sequence| Unsigned {
            network: 1,
            contract: [2; 20],
            author: [3; 33],
            box_id: 4,
            sequence,
            time_ms: 5,
            class: Class::Ephemeral,
            payload: vec![6; payload].into(),
        };
        let batch = Batch::sign((0..count).map(body).collect(), |_| [7; 64]).unwrap();
        let messages = batch.into_messages(|_, _, _| true).unwrap();
        messages.into_iter().map(|(_, message)| message).collect()
    }

    fn unpack(packed: &[Packed]) -> Vec<Message> {
        let mut roots = VerifiedRoots::new(1);
        let open = |packed: &Packed| match RelayFrame::decode(packed.frame.clone()).unwrap() {
            RelayFrame::Deliver { message, .. } => vec![message],
            RelayFrame::DeliverGroup { group } => roots.open(group, |_, _, _| true).unwrap(),
            other => panic!("{other:?}"),
        };
        packed.iter().flat_map(open).collect()
    }

    #[test]
    fn datagrams_of_every_size_hold_the_same_messages_in_order() {
        let messages = messages(50, 100);
        let parcel = Parcel::new(messages.clone());
        let mut fewest = usize::MAX;
        for max in [100, 600, 1200, 1414, 6000] {
            let packed = parcel.datagrams(max);
            assert_eq!(unpack(&packed), messages);
            assert!(
                packed
                    .iter()
                    .all(|one| one.count == 1 || one.frame.len() <= max)
            );
            assert!(packed.len() <= fewest, "{} of {max} bytes", packed.len());
            fewest = packed.len();
        }
        // Two of sixteen messages, and the tail of eighteen.
        assert_eq!(fewest, 3);
    }

    #[test]
    fn readers_with_the_same_path_share_the_same_bytes() {
        let parcel = Parcel::new(messages(8, 100));
        let (one, other) = (parcel.datagrams(1200), parcel.datagrams(1200));
        assert_eq!(one[0].frame.as_ptr(), other[0].frame.as_ptr());
        assert_eq!(parcel.alone().len(), 8);
    }
}
