//! What the nodes of a torture stand on: a network and disks that can be taken away.
//!
//! Each node gets a network namespace of its own, tied to one of two bridges. A node on the second bridge reaches only
//! those that are there too: no packet of either plane, of the chain or of a client crosses. Its folder is a small `tmpfs`,
//! which really runs full. All of it lies in namespaces of the torture itself, so that nothing is left when it ends,
//! however it ends; as root directly, as somebody else in a user namespace. Where the system allows neither, the nodes
//! share the machine's loopback: then nobody is cut off, and a full disk is a limit on the length of files.

use std::net::Ipv4Addr;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

/// Tells the torture that it runs inside.
const INSIDE: &str = "PHANTASMA_TORTURE_INSIDE";

/// A disk of a node.
const DISK_MIB: usize = 96;

/// What there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ground {
    /// Namespaces and disks of their own.
    Apart,
    /// Nothing: loopback and the machine's disk.
    Shared,
}

/// The same program with the same arguments and this seed inside namespaces, and how it ended. `None`: it is inside, or
/// there are none to be had.
pub fn inside(seed: u64) -> Option<ExitCode> {
    if std::env::var_os(INSIDE).is_some() {
        return None;
    }
    let flags = ways().into_iter().find(|flags| {
        let mut tried = Command::new("unshare");
        tried.args(flags).args(["sh", "-c", PROBE]);
        let tried = tried.stdout(Stdio::null()).stderr(Stdio::null()).status();
        tried.is_ok_and(|status| status.success())
    })?;
    let status = Command::new("unshare")
        .args(flags)
        .arg(std::env::current_exe().ok()?)
        .args(std::env::args_os().skip(1))
        .args(["--seed", &seed.to_string()])
        .env(INSIDE, "1")
        .status()
        .ok()?;
    Some(match status.code() {
        Some(0) => ExitCode::SUCCESS,
        Some(_) | None => ExitCode::FAILURE,
    })
}

/// What a torture needs inside, tried before it relies on it.
const PROBE: &str = "mount -t tmpfs none /run && mkdir /run/netns && ip link add name bridge0 type bridge && \
    ip netns add node && ip link add name side0 type veth peer name side1 netns node && \
    nsenter --net=/run/netns/node true";

/// Arguments of `unshare`: as root, and as anybody.
fn ways() -> [Vec<&'static str>; 2] {
    let own = [
        "--net",
        "--mount",
        "--pid",
        "--fork",
        "--kill-child",
        "--mount-proc",
    ];
    [
        own.to_vec(),
        [&["--user", "--map-root-user"][..], &own].concat(),
    ]
}

impl Ground {
    /// Prepares the network.
    pub(super) fn new() -> Self {
        if std::env::var_os(INSIDE).is_none() {
            println!(
                "no namespaces on this machine: nobody is cut off, and a full disk is a limit on files"
            );
            return Self::Shared;
        }
        run("ip link set lo up");
        run("mount -t tmpfs none /run");
        run("mkdir /run/netns");
        for bridge in ["br0", "br1"] {
            run(&format!("ip link add name {bridge} type bridge"));
            run(&format!("ip link set {bridge} up"));
        }
        run(&format!(
            "ip addr add {}/16 dev br0",
            Ipv4Addr::new(10, 77, 0, 254)
        ));
        Self::Apart
    }

    /// Where the torture itself is found by the nodes.
    pub(super) fn here(self) -> Ipv4Addr {
        match self {
            Self::Apart => Ipv4Addr::new(10, 77, 0, 254),
            Self::Shared => Ipv4Addr::LOCALHOST,
        }
    }

    /// The address of node `n`: each in a /24 of its own, as nodes of different houses are.
    pub(super) fn address(self, n: usize) -> Ipv4Addr {
        let n = u8::try_from(n + 1).unwrap();
        match self {
            Self::Apart => Ipv4Addr::new(10, 77, n, 1),
            Self::Shared => Ipv4Addr::new(127, 77, n, 1),
        }
    }

    /// An address for one that is no process: the liar.
    pub(super) fn strange_address(self) -> Ipv4Addr {
        match self {
            Self::Apart => {
                let address = Ipv4Addr::new(10, 77, 200, 1);
                // It may be there from the run before.
                let _ = Command::new("ip")
                    .args(["addr", "add", &format!("{address}/16"), "dev", "br0"])
                    .stderr(Stdio::null())
                    .status();
                address
            }
            Self::Shared => Ipv4Addr::new(127, 77, 200, 1),
        }
    }

    /// Makes the network of node `n`.
    pub(super) fn connect(self, n: usize) {
        if self == Self::Shared || Path::new(&format!("/run/netns/n{n}")).exists() {
            return;
        }
        run(&format!("ip netns add n{n}"));
        run(&format!(
            "ip link add name v{n} type veth peer name eth0 netns n{n}"
        ));
        run(&format!("ip link set v{n} master br0 up"));
        run(&format!(
            "ip -n n{n} addr add {}/16 dev eth0",
            self.address(n)
        ));
        run(&format!("ip -n n{n} link set lo up"));
        run(&format!("ip -n n{n} link set eth0 up"));
    }

    /// Puts node `n` on the side of the client, or on the other one.
    pub(super) fn cut(self, n: usize, off: bool) {
        if self == Self::Apart {
            run(&format!("ip link set v{n} master br{}", usize::from(off)));
        }
    }

    /// Gives a node an empty disk.
    pub(super) fn disk(self, folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        if self == Self::Apart {
            run(&format!(
                "mount -t tmpfs -o size={DISK_MIB}m none {}",
                folder.display()
            ));
        }
    }

    /// Takes it away.
    pub(super) fn no_disk(self, folder: &Path) {
        if self == Self::Apart {
            run(&format!("umount {}", folder.display()));
        }
        let _ = std::fs::remove_dir_all(folder);
    }

    /// Fills a disk, up to some KiB.
    pub(super) fn fill(self, folder: &Path, pid: u32) {
        match self {
            Self::Apart => {
                let ballast = std::fs::File::create(folder.join("ballast"));
                let mut ballast = ballast.unwrap();
                let piece = vec![1; 16 * 1024];
                // Until the disk says that it is full.
                while std::io::Write::write_all(&mut ballast, &piece).is_ok() {}
            }
            // A little, so that files which exist may still grow by some blocks.
            Self::Shared => run(&format!("prlimit --pid {pid} --fsize=300000:unlimited")),
        }
    }

    /// Makes room again.
    pub(super) fn empty(self, folder: &Path, pid: Option<u32>) {
        match (self, pid) {
            (Self::Apart, _) => drop(std::fs::remove_file(folder.join("ballast"))),
            (Self::Shared, Some(pid)) => {
                run(&format!("prlimit --pid {pid} --fsize=unlimited:unlimited"));
            }
            (Self::Shared, None) => {}
        }
    }

    /// The beginning of a command that runs on node `n`'s place.
    pub(super) fn command(self, n: usize) -> Vec<String> {
        let place = match self {
            Self::Apart => format!("nsenter --net=/run/netns/n{n} "),
            Self::Shared => String::new(),
        };
        // The signal of the limit on files is ignored, so that the write fails instead.
        let script = format!("trap '' XFSZ; exec {place}\"$0\" \"$@\"");
        ["sh", "-c", &script].map(str::to_owned).to_vec()
    }
}

/// Runs a command without special characters; it must succeed.
pub(super) fn run(command: &str) {
    let mut words = command.split(' ');
    let status = Command::new(words.next().unwrap()).args(words).status();
    assert!(status.is_ok_and(|status| status.success()), "{command}");
}
