//! What was sent to the chain and is not known to have ended, on disk before it is sent.
//!
//! The file holds whole transactions: after a crash the same one is sent again, which the chain takes once at most,
//! instead of a second one that says the same. It is replaced as a whole, so that it is never half-written.

use std::path::{Path, PathBuf};

use phantasma_sdk::neo::{DecodeError, Transaction, wallet::replace_file};
use phantasma_wire::{
    Hash,
    proof::{Account, Call, Memory},
};
use serde::{Deserialize, Serialize};

/// Why what was sent is not known, or cannot be kept.
#[derive(Debug, thiserror::Error)]
pub(super) enum JournalError {
    #[error("{} {}: {error}", .what, .path.display())]
    Io {
        what: &'static str,
        path: PathBuf,
        error: std::io::Error,
    },
    #[error(
        "{} cannot be understood: {reason}; if it is removed, calls that are on their way may be sent twice",
        .path.display()
    )]
    Content { path: PathBuf, reason: String },
}

/// A transaction on its way, and what it is for.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) call: Call,
    pub(super) tx: Transaction,
}

impl Sent {
    /// Datoshi that it costs, whatever comes of it in a block.
    pub(super) fn price(&self) -> u64 {
        let fees = self.tx.system_fee.saturating_add(self.tx.network_fee);
        u64::try_from(fees).unwrap_or(0)
    }
}

#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    memory: Memory,
    pub(super) sent: Vec<Sent>,
}

/// The file's form.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Written {
    day: u64,
    spent_datoshi: u64,
    last_start_ms: Option<u64>,
    sent: Vec<WrittenCall>,
}

#[derive(Serialize, Deserialize)]
struct WrittenCall {
    #[serde(flatten)]
    call: WrittenKind,
    transaction: String,
}

#[derive(Serialize, Deserialize)]
#[serde(tag = "call", rename_all = "snake_case")]
enum WrittenKind {
    Show { validator: String },
    Accept { validator: String, prover: String },
    Fail { prover: String },
    Retract { content: String },
    Offer { content: String },
    Start { prover: String, content: String },
    Obtain,
}

impl Journal {
    /// Reads the file; none is an empty journal.
    pub(super) fn open(path: &Path) -> Result<Self, JournalError> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(failed("read", path)(error)),
        };
        let wrong = |reason: String| JournalError::Content {
            path: path.to_owned(),
            reason,
        };
        let written: Written = toml::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let sent: Result<_, String> = written.sent.iter().map(WrittenCall::read).collect();
        Ok(Self {
            path: path.to_owned(),
            memory: Memory {
                day: written.day,
                spent: written.spent_datoshi,
                last_start_ms: written.last_start_ms,
            },
            sent: sent.map_err(wrong)?,
        })
    }

    pub(super) fn memory(&self) -> Memory {
        self.memory
    }

    pub(super) fn calls(&self) -> impl Iterator<Item = Call> {
        self.sent.iter().map(|sent| sent.call)
    }

    /// Writes everything down; it is on the disk when this returns.
    pub(super) fn save(&mut self, memory: Memory) -> Result<(), JournalError> {
        self.memory = memory;
        let written = Written {
            day: memory.day,
            spent_datoshi: memory.spent,
            last_start_ms: memory.last_start_ms,
            sent: self.sent.iter().map(WrittenCall::of).collect(),
        };
        let text = toml::to_string(&written).map_err(|error| JournalError::Content {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        replace_file(&self.path, text.as_bytes()).map_err(failed("write", &self.path))
    }
}

impl WrittenCall {
    fn of(sent: &Sent) -> Self {
        let hex = |bytes: &[u8]| hex::encode(bytes);
        let call = match &sent.call {
            Call::Show { validator } => WrittenKind::Show {
                validator: hex(validator),
            },
            Call::Accept { validator, prover } => WrittenKind::Accept {
                validator: hex(validator),
                prover: hex(prover),
            },
            Call::Fail { prover } => WrittenKind::Fail {
                prover: hex(prover),
            },
            Call::Retract { content } => WrittenKind::Retract {
                content: hex(content),
            },
            Call::Offer { content } => WrittenKind::Offer {
                content: hex(content),
            },
            Call::Start { prover, content } => WrittenKind::Start {
                prover: hex(prover),
                content: hex(content),
            },
            Call::Obtain => WrittenKind::Obtain,
        };
        Self {
            call,
            transaction: hex::encode(sent.tx.to_bytes()),
        }
    }

    fn read(&self) -> Result<Sent, String> {
        let bytes = hex::decode(&self.transaction).map_err(|error| error.to_string())?;
        let tx = Transaction::from_bytes(&bytes).map_err(|error: DecodeError| error.to_string())?;
        Ok(Sent {
            call: self.call.read()?,
            tx,
        })
    }
}

impl WrittenKind {
    fn read(&self) -> Result<Call, String> {
        Ok(match self {
            Self::Show { validator } => Call::Show {
                validator: account(validator)?,
            },
            Self::Accept { validator, prover } => Call::Accept {
                validator: account(validator)?,
                prover: account(prover)?,
            },
            Self::Fail { prover } => Call::Fail {
                prover: account(prover)?,
            },
            Self::Retract { content } => Call::Retract {
                content: root(content)?,
            },
            Self::Offer { content } => Call::Offer {
                content: root(content)?,
            },
            Self::Start { prover, content } => Call::Start {
                prover: account(prover)?,
                content: root(content)?,
            },
            Self::Obtain => Call::Obtain,
        })
    }
}

fn account(text: &str) -> Result<Account, String> {
    bytes(text)
}

fn root(text: &str) -> Result<Hash, String> {
    bytes(text)
}

fn bytes<const N: usize>(text: &str) -> Result<[u8; N], String> {
    let mut bytes = [0; N];
    hex::decode_to_slice(text, &mut bytes).map_err(|error| format!("{text:?}: {error}"))?;
    Ok(bytes)
}

fn failed<'a>(
    what: &'static str,
    path: &'a Path,
) -> impl FnOnce(std::io::Error) -> JournalError + use<'a> {
    move |error| JournalError::Io {
        what,
        path: path.to_owned(),
        error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_was_sent_is_read_back_and_a_torn_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("proofs.toml");
        let mut journal = Journal::open(&path).unwrap();
        assert_eq!(
            (journal.memory(), journal.calls().count()),
            Default::default()
        );
        let (validator, prover, content) = ([1; 20], [2; 20], [3; 32]);
        let calls = [
            Call::Show { validator },
            Call::Accept { validator, prover },
            Call::Fail { prover },
            Call::Retract { content },
            Call::Offer { content },
            Call::Start { prover, content },
            Call::Obtain,
        ];
        for (n, call) in calls.into_iter().enumerate() {
            let tx = Transaction {
                nonce: n as u32,
                script: vec![0x40],
                signers: vec![phantasma_sdk::neo::Signer::new(
                    phantasma_sdk::neo::Hash160([9; 20]),
                )],
                witnesses: vec![phantasma_sdk::neo::Witness::default()],
                ..Transaction::default()
            };
            journal.sent.push(Sent { call, tx });
        }
        let memory = Memory {
            day: 20_000,
            spent: 77,
            last_start_ms: Some(5),
        };
        journal.save(memory).unwrap();
        let again = Journal::open(&path).unwrap();
        assert_eq!(again.memory(), memory);
        assert_eq!(again.calls().collect::<Vec<_>>(), calls);
        let same = again.sent.iter().zip(&journal.sent);
        assert!(same.clone().count() == 7 && same.into_iter().all(|(a, b)| a.tx == b.tx));

        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, &text[..text.len() - 9]).unwrap();
        let error = Journal::open(&path).unwrap_err().to_string();
        assert!(error.contains("cannot be understood"), "{error}");
    }
}
