//! What travels between the programs of Phantasma, and nothing about how.
//!
//! * [`merkle`]: the tree over a content's ciphertext; one 32-byte root checks any block and any chunk.
//! * [`message`]: a message to a box, and the bytes that its author signs; [`batch`]: many under one signature.
//! * [`relay`], [`pdfs`]: the frames of the two services, and the relay's bounded queues.
//! * [`endpoint`]: a node's signed address.
//! * [`broadcast`], [`sealed`]: a content's key on its way to a group and to one reader.
//! * [`replicas`]: where blocks go, who watches them, repair.
//! * [`proof`]: when a node asks for proofs, shows its own, and obtains rewards.
//! * [`codec`]: bounded reading and writing, which every frame goes through.
//!
//! Not here: sockets, files, clocks, randomness, signatures (a check is an argument). SHA-256 is the only primitive.
//!
//! ```
//! use phantasma_wire::merkle::{self, TreeBuilder};
//!
//! let data = vec![7u8; 300_000]; // two blocks, the second one short
//! let mut builder = TreeBuilder::new();
//! builder.push(&data)?;
//! let tree = builder.finish()?;
//! let second = merkle::block_id(&data[merkle::BLOCK_SIZE..])?;
//! merkle::verify_block(&tree.root(), 300_000, 1, &second, &tree.block_path(1)?)?;
//! # Ok::<(), merkle::MerkleError>(())
//! ```

pub mod batch;
pub mod broadcast;
pub mod codec;
pub mod endpoint;
pub mod merkle;
pub mod message;
pub mod pdfs;
pub mod proof;
pub mod relay;
pub mod replicas;
pub mod sealed;

/// A SHA-256 hash: a content's root, a block's id, a message's id.
pub type Hash = [u8; 32];

/// A compressed P-256 public key as Neo writes it: `02` or `03`, then the x coordinate.
pub type PublicKey = [u8; 33];
