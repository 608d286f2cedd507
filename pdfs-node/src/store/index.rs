//! The index and metadata, in RocksDB. Segments are the truth: everything here can be rebuilt.
//!
//! | key | value |
//! |---|---|
//! | `b` ‖ block id | segment u32, offset u64, record length u32 |
//! | `i` ‖ content root ‖ block index (big-endian, so that iteration is in order) | block id, path to the root |
//! | `c` ‖ content root | size u64, expiry u64 |
//! | `m` ‖ `tail` | segment u32, offset u64: everything before it is indexed |
//!
//! A batch holds the entries of one group commit *and* the new tail. It is not synced: what a
//! power loss takes from RocksDB's log lies behind the tail that is left, and recovery reads it
//! again from the segments.

use std::path::Path;

use phantasma_wire::Hash;
use rocksdb::{BlockBasedOptions, DB, Direction, IteratorMode, Options, WriteBatch};

use super::{
    error::StoreError,
    record::Header,
    types::{BlockId, Content, ContentRoot, Place},
};

/// Where a record begins, and how long it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Location {
    pub(super) segment: u32,
    pub(super) offset: u64,
    pub(super) record_len: u32,
}

impl Location {
    pub(super) fn new(segment: u32, offset: u64, header: &Header) -> Self {
        Self {
            segment,
            offset,
            // A record is at most a block, a path and a header: far below 4 GiB.
            record_len: u32::try_from(header.record_len()).unwrap_or(u32::MAX),
        }
    }
}

/// A position in the segments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    pub(super) segment: u32,
    pub(super) offset: u64,
}

#[derive(Debug)]
pub(super) struct Index {
    db: DB,
}

/// Changes that become visible together.
#[derive(Default)]
pub(super) struct Changes(WriteBatch);

/// Bits for each key: one look in a hundred is for nothing.
const BLOOM_BITS: f64 = 10.0;

/// Part of the memory of new entries that their filter takes.
const MEMTABLE_BLOOM: f64 = 0.05;

const TAIL_KEY: &[u8] = b"mtail";

impl Changes {
    pub(super) fn block(&mut self, id: &BlockId, at: Location) {
        let mut value = Vec::with_capacity(16);
        value.extend_from_slice(&at.segment.to_le_bytes());
        value.extend_from_slice(&at.offset.to_le_bytes());
        value.extend_from_slice(&at.record_len.to_le_bytes());
        self.0.put(key(b'b', &id.0), value);
    }

    pub(super) fn member(&mut self, root: &ContentRoot, index: u64, id: &BlockId, path: &[Hash]) {
        let value = [&id.0, path.as_flattened()].concat();
        self.0.put(member_key(root, index), value);
    }

    pub(super) fn content(&mut self, content: &Content) {
        let mut value = content.size.to_le_bytes().to_vec();
        value.extend_from_slice(&content.expiry_ms.to_le_bytes());
        self.0.put(key(b'c', &content.root.0), value);
    }

    pub(super) fn tail(&mut self, tail: Tail) {
        let mut value = tail.segment.to_le_bytes().to_vec();
        value.extend_from_slice(&tail.offset.to_le_bytes());
        self.0.put(TAIL_KEY, value);
    }

    pub(super) fn forget_block(&mut self, id: &BlockId) {
        self.0.delete(key(b'b', &id.0));
    }

    /// Forgets that a content has this block.
    pub(super) fn forget_member(&mut self, root: &ContentRoot, index: u64) {
        self.0.delete(member_key(root, index));
    }

    /// Forgets a content and which blocks it has; the blocks themselves may be another's too.
    pub(super) fn forget_content(&mut self, root: &ContentRoot) {
        self.0.delete(key(b'c', &root.0));
        self.0
            .delete_range(member_key(root, 0), member_key(root, u64::MAX));
    }
}

impl Index {
    pub(super) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut options = Options::default();
        options.create_if_missing(true);
        // An entry is under 100 bytes: 8 MiB hold some 80,000 blocks (20 GiB of bodies) before a flush.
        options.set_write_buffer_size(8 << 20);
        options.set_max_total_wal_size(32 << 20);
        options.set_max_open_files(64);
        // Nearly every put asks for a block that is not there: a Bloom filter says so without looking into each file.
        let mut tables = BlockBasedOptions::default();
        tables.set_bloom_filter(BLOOM_BITS, false);
        options.set_block_based_table_factory(&tables);
        options.set_memtable_whole_key_filtering(true);
        options.set_memtable_prefix_bloom_ratio(MEMTABLE_BLOOM);
        options.set_keep_log_file_num(2);
        options.set_paranoid_checks(true);
        Ok(Self {
            db: DB::open(&options, path).map_err(fail)?,
        })
    }

    pub(super) fn apply(&self, changes: Changes) -> Result<(), StoreError> {
        self.db.write(changes.0).map_err(fail)
    }

    /// Makes everything applied so far durable.
    pub(super) fn sync(&self) -> Result<(), StoreError> {
        self.db.flush_wal(true).map_err(fail)
    }

    pub(super) fn location(&self, id: &BlockId) -> Result<Option<Location>, StoreError> {
        let Some(value) = self.db.get_pinned(key(b'b', &id.0)).map_err(fail)? else {
            return Ok(None);
        };
        location(&value).map(Some)
    }

    pub(super) fn member(
        &self,
        root: &ContentRoot,
        index: u64,
    ) -> Result<Option<Place>, StoreError> {
        let value = self.db.get_pinned(member_key(root, index)).map_err(fail)?;
        let Some(value) = value else {
            return Ok(None);
        };
        let mut fields = Fields(&value);
        Ok(Some(Place {
            id: BlockId(fields.id()?),
            path: fields.0.as_chunks().0.to_vec(),
        }))
    }

    pub(super) fn content(&self, root: &ContentRoot) -> Result<Option<Content>, StoreError> {
        let value = self.db.get_pinned(key(b'c', &root.0)).map_err(fail)?;
        value.map(|v| content(*root, &v)).transpose()
    }

    pub(super) fn tail(&self) -> Result<Option<Tail>, StoreError> {
        let Some(value) = self.db.get_pinned(TAIL_KEY).map_err(fail)? else {
            return Ok(None);
        };
        let mut fields = Fields(&value);
        Ok(Some(Tail {
            segment: fields.u32()?,
            offset: fields.u64()?,
        }))
    }

    /// Up to `limit` blocks of a content from block `from` on, in order: index and id.
    pub(super) fn members(
        &self,
        root: &ContentRoot,
        from: u64,
        limit: usize,
    ) -> Result<Vec<(u64, BlockId)>, StoreError> {
        let prefix = key(b'i', &root.0);
        let mut found = Vec::new();
        let start = member_key(root, from);
        for item in self
            .db
            .iterator(IteratorMode::From(&start, Direction::Forward))
        {
            let (name, value) = item.map_err(fail)?;
            let Some(index) = name.strip_prefix(prefix.as_slice()) else {
                break;
            };
            if found.len() >= limit {
                break;
            }
            let index = u64::from_be_bytes(index.try_into().map_err(|_| malformed())?);
            found.push((index, BlockId(Fields(&value).id()?)));
        }
        Ok(found)
    }

    /// Up to `limit` blocks after the id `after`, in the order of ids.
    pub(super) fn blocks(
        &self,
        after: Option<&BlockId>,
        limit: usize,
    ) -> Result<Vec<(BlockId, Location)>, StoreError> {
        let start = key(b'b', after.map(|id| id.0.as_slice()).unwrap_or_default());
        let mut found = Vec::new();
        for item in self
            .db
            .iterator(IteratorMode::From(&start, Direction::Forward))
        {
            let (name, value) = item.map_err(fail)?;
            let Some(id) = name.strip_prefix(b"b") else {
                break;
            };
            let id = BlockId(id.try_into().map_err(|_| malformed())?);
            if found.len() >= limit {
                break;
            }
            if Some(&id) != after {
                found.push((id, location(&value)?));
            }
        }
        Ok(found)
    }

    /// Calls `each` with the block id of every place of every content.
    pub(super) fn each_member(&self, mut each: impl FnMut(BlockId)) -> Result<(), StoreError> {
        for item in self
            .db
            .iterator(IteratorMode::From(b"i", Direction::Forward))
        {
            let (name, value) = item.map_err(fail)?;
            if name.first() != Some(&b'i') {
                break;
            }
            each(BlockId(Fields(&value).id()?));
        }
        Ok(())
    }

    /// Up to `limit` contents after the root `after`, in the order of their roots.
    pub(super) fn contents(
        &self,
        after: Option<&ContentRoot>,
        limit: usize,
    ) -> Result<Vec<Content>, StoreError> {
        let start = key(b'c', after.map(|r| r.0.as_slice()).unwrap_or_default());
        let mut found = Vec::new();
        for item in self
            .db
            .iterator(IteratorMode::From(&start, Direction::Forward))
        {
            let (name, value) = item.map_err(fail)?;
            let Some(root) = name.strip_prefix(b"c") else {
                break;
            };
            let root = ContentRoot(root.try_into().map_err(|_| malformed())?);
            if found.len() >= limit {
                break;
            }
            if Some(&root) != after {
                found.push(content(root, &value)?);
            }
        }
        Ok(found)
    }
}

fn key(kind: u8, rest: &[u8]) -> Vec<u8> {
    let mut key = Vec::with_capacity(1 + rest.len());
    key.push(kind);
    key.extend_from_slice(rest);
    key
}

fn member_key(root: &ContentRoot, index: u64) -> Vec<u8> {
    let mut key = key(b'i', &root.0);
    key.extend_from_slice(&index.to_be_bytes());
    key
}

fn location(value: &[u8]) -> Result<Location, StoreError> {
    let mut fields = Fields(value);
    Ok(Location {
        segment: fields.u32()?,
        offset: fields.u64()?,
        record_len: fields.u32()?,
    })
}

fn content(root: ContentRoot, value: &[u8]) -> Result<Content, StoreError> {
    let mut fields = Fields(value);
    Ok(Content {
        root,
        size: fields.u64()?,
        expiry_ms: fields.u64()?,
    })
}

/// Reads fixed fields off the front of a value.
struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], StoreError> {
        let (head, rest) = self.0.split_first_chunk::<N>().ok_or_else(malformed)?;
        self.0 = rest;
        Ok(*head)
    }
    fn u32(&mut self) -> Result<u32, StoreError> {
        self.take().map(u32::from_le_bytes)
    }
    fn u64(&mut self) -> Result<u64, StoreError> {
        self.take().map(u64::from_le_bytes)
    }
    fn id(&mut self) -> Result<[u8; 32], StoreError> {
        self.take()
    }
}

fn malformed() -> StoreError {
    StoreError::Index("an entry has a wrong length".into())
}

fn fail(error: rocksdb::Error) -> StoreError {
    StoreError::Index(error.into_string())
}
