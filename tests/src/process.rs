//! The built programs, as child processes that never outlive their test.

use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::process::{Child, Command};

use phantasma::net::process::stop_child;

/// A program of the workspace, next to the running test's own folder.
///
/// Panics with the command to run when it has not been built: cargo builds the programs of other packages only on
/// demand.
pub fn binary(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own file");
    // target/debug/deps/it-<hash> or target/debug/torture → target/debug/<name>
    let folders: Vec<_> = test.ancestors().skip(1).take(2).collect();
    let [own, above] = folders[..] else {
        panic!("{} lies in no target folder", test.display())
    };
    let folder = if own.ends_with("deps") { above } else { own };
    let path = folder.join(name);
    assert!(
        path.is_file(),
        "{} is not built; run: cargo build -p {name} --bins",
        path.display()
    );
    path
}

/// A UDP port of 127.0.0.1 that nobody has now.
pub fn free_udp_port() -> u16 {
    UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|s| s.local_addr())
        .expect("a free UDP port")
        .port()
}

/// A child process that is stopped (SIGTERM, then SIGKILL) when the guard is dropped.
#[derive(Debug)]
pub struct ProcessGuard {
    child: Option<Child>,
}

impl ProcessGuard {
    /// Starts a program; its output goes where the command says.
    pub fn spawn(command: &mut Command) -> Self {
        let child = command
            .spawn()
            .unwrap_or_else(|e| panic!("starting {:?}: {e}", command.get_program()));
        Self { child: Some(child) }
    }

    pub fn id(&self) -> u32 {
        self.child
            .as_ref()
            .expect("a guard holds its child until it is dropped")
            .id()
    }

    /// Kills at once (SIGKILL), as a crash would, and waits for the end.
    pub fn kill(mut self) {
        let mut child = self
            .child
            .take()
            .expect("a guard holds its child until it is dropped");
        child.kill().expect("a child can be killed");
        child.wait().expect("a killed child can be awaited");
    }

    /// `None` while it runs.
    pub fn exit_status(&mut self) -> Option<std::process::ExitStatus> {
        self.child
            .as_mut()
            .and_then(|child| child.try_wait().expect("a child can be asked"))
    }
}

impl Drop for ProcessGuard {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut() {
            stop_child(child);
        }
    }
}
