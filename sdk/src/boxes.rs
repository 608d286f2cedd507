//! Messages in boxes: plain data in and out, without thinking in scripts.

use neo_client::{Account, Hash160, Receipt, StackItem};
use phantasma_vm::{ScriptError, data_script, script_data};
use phantasma_wire::{
    codec::DecodeError,
    message::{Class, Message, Unsigned},
};

use crate::contract::{BoxInfo, ContractError, Phantasma};
#[cfg(feature = "emulator")]
use crate::emulator::admission::{Admission, Asked, Facts, Write, admission};

/// Contents fetched by one [`read_range`]: each is a call to the node, about a millisecond on the same machine.
pub const MAX_RANGE: u64 = 1000;

/// Entries of the chain's storage that a gate may look at, all boxes that it visits included: each is a question to the
/// node.
pub const MAX_LOOKED_AT: usize = 256;

/// Why a box could not be used.
#[derive(Debug, thiserror::Error)]
pub enum BoxError {
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error("cannot make a content of the data: {0}")]
    Script(#[from] ScriptError),
    #[error("cannot make a message of the data: {0}")]
    Message(#[from] DecodeError),
    #[error("there is no box named \"{name}\"")]
    NoSuchName { name: String },
    #[error("{count} contents are too many at once, ask for at most {MAX_RANGE}")]
    TooMany { count: u64 },
    #[error("the gate of box {box_id} looks at more than {MAX_LOOKED_AT} entries of storage")]
    LooksTooFar { box_id: u64 },
}

/// A content as it lies in its box.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// From 0.
    pub index: u64,
    /// The script that runs when it is read.
    pub script: Vec<u8>,
}

impl Entry {
    /// The data, when the content is plain data; None when it has to be run.
    pub fn data(&self) -> Option<&[u8]> {
        script_data(&self.script)
    }
}

/// Writes plain data into a box in a transaction of `author`. Gives the index.
pub async fn post(
    contract: &Phantasma,
    author: &Account,
    box_id: u64,
    data: &[u8],
) -> Result<(u64, Receipt), BoxError> {
    Ok(contract
        .write_content(author, box_id, &data_script(data)?, 0)
        .await?)
}

/// The content that leaves plain data.
pub fn data_content(data: &[u8]) -> Result<Vec<u8>, ScriptError> {
    data_script(data)
}

/// A message signed by `author`, for a relay or for `writeSigned`. `sequence` must be above all the author used in
/// this box, `time_ms` is Unix time.
pub async fn sign(
    contract: &Phantasma,
    author: &Account,
    box_id: u64,
    sequence: u64,
    time_ms: u64,
    class: Class,
    data: &[u8],
) -> Result<Message, BoxError> {
    let network = contract
        .rpc()
        .version()
        .await
        .map_err(ContractError::from)?
        .network();
    let body = Unsigned {
        network,
        contract: contract.hash().0,
        author: author.key.public_key().0,
        box_id,
        sequence,
        time_ms,
        class,
        payload: data_script(data)?.into(),
    };
    Ok(body.sign(|bytes| author.key.sign(bytes))?)
}

/// Whether a message carries its author's signature.
pub fn is_signed(message: &Message) -> bool {
    message.is_signed(|author, bytes, signature| {
        neo_client::PublicKey(*author).verify(bytes, signature)
    })
}

/// The box with this name.
pub async fn by_name(contract: &Phantasma, name: &str) -> Result<BoxInfo, BoxError> {
    let absent = || BoxError::NoSuchName {
        name: name.to_owned(),
    };
    let id = contract.find_box(name).await?.ok_or_else(absent)?;
    contract.box_info(id).await?.ok_or_else(absent)
}

/// The number of the box that people name: by its number, its name, or `name:12` where a name is a number.
pub async fn find(contract: &Phantasma, target: &str) -> Result<Option<u64>, BoxError> {
    let name = match (target.strip_prefix("name:"), target.parse::<u64>()) {
        (Some(name), _) => name,
        (None, Ok(id)) => return Ok(contract.box_info(id).await?.map(|info| info.id)),
        (None, Err(_)) => target,
    };
    Ok(contract.find_box(name).await?)
}

/// An account's boxes, oldest first.
pub async fn list(contract: &Phantasma, owner: &Hash160) -> Result<Vec<BoxInfo>, BoxError> {
    let mut boxes = Vec::new();
    for id in contract.boxes_of(owner).await? {
        boxes.extend(contract.box_info(id).await?);
    }
    Ok(boxes)
}

/// Up to `count` contents from index `start` on, without running them or asking the gate: the chain is public.
pub async fn read_range(
    contract: &Phantasma,
    box_id: u64,
    start: u64,
    count: u64,
) -> Result<Vec<Entry>, BoxError> {
    if count > MAX_RANGE {
        return Err(BoxError::TooMany { count });
    }
    let end = contract
        .content_count(box_id)
        .await?
        .min(start.saturating_add(count));
    let mut entries = Vec::new();
    for index in start..end {
        entries.push(Entry {
            index,
            script: contract.content_at(box_id, index).await?,
        });
    }
    Ok(entries)
}

/// The newest `count` contents, oldest first.
pub async fn read_latest(
    contract: &Phantasma,
    box_id: u64,
    count: u64,
) -> Result<Vec<Entry>, BoxError> {
    let total = contract.content_count(box_id).await?;
    read_range(contract, box_id, total.saturating_sub(count), count).await
}

/// Reads one content as `reader`, through gate and script, without a transaction and without paying.
pub async fn read(
    contract: &Phantasma,
    reader: &Hash160,
    box_id: u64,
    index: u64,
) -> Result<StackItem, BoxError> {
    Ok(contract.read_content_at(reader, box_id, index, 0).await?)
}

/// Whether a box takes a content, or a message with this payload, that `author` writes now, and what it asks for it: what
/// relay and chain will say. Reads the chain without a transaction; the gate is run here by the contract's own code.
///
/// A message can pay nothing, so of a [`Admission::Priced`] box it is refused. Who wants to write there pays with a
/// transaction, [`Phantasma::write_content`] with the price as `max_payment`: once, if the price is `lasting`, after which
/// messages pass; else with each content.
///
/// ```no_run
/// use phantasma_sdk::boxes::may_write;
/// use phantasma_sdk::contract::Phantasma;
/// use phantasma_sdk::emulator::admission::Admission;
/// use phantasma_sdk::neo::Hash160;
///
/// # async fn example(contract: Phantasma, author: Hash160) -> Result<(), Box<dyn std::error::Error>> {
/// match may_write(&contract, &author, 7, b"hello").await? {
///     Admission::Free => println!("just write"),
///     Admission::Priced { price, lasting: true } => println!("{price} once, then free"),
///     Admission::Priced { price, lasting: false } => println!("{price} for each"),
///     Admission::Refused { reason } => println!("not for you: {reason}"),
/// }
/// # Ok(()) }
/// ```
///
/// # Errors
/// A node that cannot be reached, and a gate that looks at more than [`MAX_LOOKED_AT`] entries of storage.
#[cfg(feature = "emulator")]
pub async fn may_write(
    contract: &Phantasma,
    author: &Hash160,
    box_id: u64,
    content: &[u8],
) -> Result<Admission, BoxError> {
    let rpc = contract.rpc();
    let version = rpc.version().await.map_err(ContractError::from)?;
    let count = rpc.get_block_count().await.map_err(ContractError::from)?;
    let last = rpc.get_block_header(count.saturating_sub(1)).await;
    let last = last.map_err(ContractError::from)?;
    let write = Write {
        contract: contract.hash(),
        network: version.network(),
        box_id,
        author: *author,
        content,
        time_ms: last.time_ms + version.protocol.ms_per_block,
    };
    let mut facts = Facts::default();
    loop {
        let missing = match admission(&facts, &write) {
            Asked::Answer(admission) => return Ok(admission),
            Asked::Missing(missing) => missing,
        };
        if facts.len() + missing.len() > MAX_LOOKED_AT {
            return Err(BoxError::LooksTooFar { box_id });
        }
        for key in missing {
            let value = rpc.get_storage(&contract.hash(), &key).await;
            facts.know(key, value.map_err(ContractError::from)?);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn plain_data_is_seen_without_running_and_a_program_is_not() {
        let plain = Entry {
            index: 0,
            script: data_script(b"hello").unwrap(),
        };
        assert_eq!(plain.data(), Some(&b"hello"[..]));
        // PUSH1 PUSH2 ADD
        let program = Entry {
            index: 0,
            script: vec![0x11, 0x12, 0x9E],
        };
        assert_eq!(program.data(), None);
    }

    #[test]
    fn a_message_with_another_author_is_not_signed() {
        let account = Account::random().unwrap();
        let body = Unsigned {
            network: 1,
            contract: [2; 20],
            author: account.key.public_key().0,
            box_id: 3,
            sequence: 4,
            time_ms: 5,
            class: Class::OnChain,
            payload: data_script(b"x").unwrap().into(),
        };
        let mut message = body.sign(|bytes| account.key.sign(bytes)).unwrap();
        assert!(is_signed(&message));
        message.body.author = Account::random().unwrap().key.public_key().0;
        assert!(!is_signed(&message));
    }
}
