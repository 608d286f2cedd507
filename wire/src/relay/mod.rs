//! The relay's frames and its bounded memory.
//!
//! A client opens one stream, says [`ClientFrame::Hello`], and then publishes and subscribes on it; the relay answers
//! each request by its number and sends [`RelayFrame::Deliver`] in between. [`Outbox`] is what waits for one reader,
//! [`Subscriptions`] who listens to what, [`Seen`] which messages have been here. [`AnchorProof`] shows that the
//! chain knows a message. [`Mesh`] decides what goes to other relays, [`LinkFrame`] is how.

mod anchor;
mod frames;
mod mesh;
mod mesh_frames;
mod state;

pub use anchor::{Anchor, AnchorProof, AnchorTree, MAX_ANCHOR_PATH, MAX_ANCHORED, path_nodes};
pub use frames::{ClientFrame, Outcome, RelayError, RelayFrame, Since};
pub use mesh::{Mesh, MeshAction, MeshPolicy, Score};
pub use mesh_frames::{LINK_ALPN, LinkFrame, MAX_LINK_BOXES, relay_key};
pub use state::{Outbox, Pushed, Seen, Subscriptions};

/// Version of every frame of this module.
pub const VERSION: u8 = 1;

/// TLS protocol name of the relay.
pub const ALPN: &[u8] = b"phantasma-relay/1";

/// Longest text of an error.
pub const MAX_ERROR_TEXT: usize = 1024;
