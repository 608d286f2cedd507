//! Who holds a port or a lock, by what the kernel tells in `/proc`: nothing is bound or locked to find out.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The protocol of a port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    Tcp,
    Udp,
}

impl std::fmt::Display for Protocol {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
        })
    }
}

/// Who holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Holder {
    /// Process id and name; None when this user may not see the process.
    pub(super) process: Option<(u32, String)>,
}

impl Holder {
    pub(super) fn describe(&self) -> String {
        match &self.process {
            Some((pid, name)) => format!("process {pid} ({name})"),
            None => "a process of another user".to_owned(),
        }
    }
}

/// Who stands in the way of listening on an address; None when nobody does.
///
/// # Errors
/// The system has no `/proc/net`.
pub(super) fn holder(
    protocol: Protocol,
    address: SocketAddr,
) -> Result<Option<Holder>, std::io::Error> {
    let (four, six) = match protocol {
        Protocol::Tcp => ("/proc/net/tcp", "/proc/net/tcp6"),
        Protocol::Udp => ("/proc/net/udp", "/proc/net/udp6"),
    };
    let mut table = fs::read_to_string(four)?;
    // A machine without IPv6 has no such file.
    table += &fs::read_to_string(six).unwrap_or_default();
    let inode = table
        .lines()
        .filter_map(|line| listening(protocol, line))
        .find(|(other, _)| collide(*other, address))
        .map(|(_, inode)| inode);
    Ok(inode.map(|inode| Holder {
        process: process_of(inode),
    }))
}

/// Address and socket of a line of the table, if the socket keeps others from listening there.
fn listening(protocol: Protocol, line: &str) -> Option<(SocketAddr, u64)> {
    // sl local_address rem_address st queues timer retransmits uid timeout inode
    let mut fields = line.split_whitespace().skip(1);
    let (ip, port) = fields.next()?.split_once(':')?;
    let state = fields.nth(1)?;
    const LISTEN: &str = "0A";
    if protocol == Protocol::Tcp && state != LISTEN {
        return None;
    }
    let inode = fields.nth(5)?.parse().ok()?;
    let port = u16::from_str_radix(port, 16).ok()?;
    Some((SocketAddr::new(ip_of(ip)?, port), inode))
}

/// The kernel prints addresses as words of four bytes in the machine's order.
fn ip_of(text: &str) -> Option<IpAddr> {
    let word = |at: usize| {
        let digits = text.get(at * 8..at * 8 + 8)?;
        Some(u32::from_str_radix(digits, 16).ok()?.to_ne_bytes())
    };
    match text.len() {
        8 => Some(Ipv4Addr::from(word(0)?).into()),
        32 => {
            let mut all = [0; 16];
            for (at, four) in all.chunks_exact_mut(4).enumerate() {
                four.copy_from_slice(&word(at)?);
            }
            Some(Ipv6Addr::from(all).into())
        }
        _ => None,
    }
}

/// The unspecified address takes the port of every other, IPv6's also those of IPv4.
fn collide(one: SocketAddr, other: SocketAddr) -> bool {
    let all = one.ip().is_unspecified() || other.ip().is_unspecified();
    one.port() == other.port() && (all || one.ip() == other.ip())
}

fn process_of(inode: u64) -> Option<(u32, String)> {
    let wanted = format!("socket:[{inode}]");
    for entry in fs::read_dir("/proc").ok()?.flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|n| n.parse().ok()) else {
            continue;
        };
        // Other users' processes do not show what they have open.
        let Ok(open) = fs::read_dir(entry.path().join("fd")) else {
            continue;
        };
        let holds = |link: fs::DirEntry| {
            fs::read_link(link.path()).is_ok_and(|to| to.as_os_str() == wanted.as_str())
        };
        if open.flatten().any(holds) {
            let name = fs::read_to_string(entry.path().join("comm")).unwrap_or_default();
            return Some((pid, name.trim().to_owned()));
        }
    }
    None
}

/// Whether a process holds a lock on the whole file: a server that runs on the data beside it.
pub(super) fn is_locked(path: &Path) -> bool {
    let Ok(file) = fs::metadata(path) else {
        return false;
    };
    // 1: FLOCK ADVISORY WRITE pid major:minor:inode start end
    let locks = fs::read_to_string("/proc/locks").unwrap_or_default();
    let inode = format!(":{}", file.ino());
    let of_file = |line: &str| line.split_whitespace().any(|field| field.ends_with(&inode));
    locks.lines().any(of_file)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::net::{TcpListener, UdpSocket};

    use super::*;

    #[test]
    fn a_port_names_its_holder() {
        let (tcp, udp) = (
            TcpListener::bind("127.0.0.1:0").unwrap(),
            UdpSocket::bind("127.0.0.1:0").unwrap(),
        );
        for (protocol, address) in [
            (Protocol::Tcp, tcp.local_addr().unwrap()),
            (Protocol::Udp, udp.local_addr().unwrap()),
        ] {
            let found = holder(protocol, address).unwrap().unwrap();
            assert_eq!(found.process.unwrap().0, std::process::id());
            let everywhere = SocketAddr::new([0, 0, 0, 0].into(), address.port());
            assert!(holder(protocol, everywhere).unwrap().is_some());
        }
        let address = tcp.local_addr().unwrap();
        drop(tcp);
        assert_eq!(holder(Protocol::Tcp, address).unwrap(), None);
    }

    #[test]
    fn the_kernels_lines_are_read() {
        let four = "  0: 0100007F:7681 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12345 1";
        let found = listening(Protocol::Tcp, four).unwrap();
        assert_eq!(found, ("127.0.0.1:30337".parse().unwrap(), 12345));
        assert_eq!(
            listening(Protocol::Tcp, &four.replace(" 0A ", " 01 ")),
            None
        );
        for text in ["", "  sl  local_address rem_address   st", "0: x y z"] {
            assert_eq!(listening(Protocol::Udp, text), None);
        }
    }

    #[test]
    fn a_locked_file_is_seen() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = fs::File::create(&path).unwrap();
        assert!(!is_locked(&path));
        file.try_lock().unwrap();
        assert!(is_locked(&path));
    }
}
