//! Where a content is kept outside of the storage network, and what it must be.

use std::{fmt, str::FromStr};

use phantasma_wire::Hash;

use super::Kept;

/// Longest data of an `ELNK`, without the service's number.
const MAX_DATA: usize = 254;

/// Services by their number in `ELNK`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Service {
    /// A file of this machine, or of a disk that several machines see.
    Folder = 1,
    /// `bucket/key` at an S3 service, which the reader's configuration names.
    S3 = 2,
    /// The CID of a file on IPFS.
    Ipfs = 3,
}

impl Service {
    const ALL: [Self; 3] = [Self::Folder, Self::S3, Self::Ipfs];

    /// As it stands before the place in a link's text.
    fn scheme(self) -> &'static str {
        match self {
            Self::Folder => "file://",
            Self::S3 => "s3://",
            Self::Ipfs => "ipfs://",
        }
    }
}

/// A content at a service: `ipfs://CID#ROOT:SIZE`, `s3://bucket/key#ROOT:SIZE`, `file:///path#ROOT:SIZE`. In `ELNK` it is the
/// service's number, then the text after `://`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub service: Service,
    pub kept: Kept,
}

/// Why something is not a link.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    #[error(
        "{0:?} is not SCHEME://PLACE#ROOT:SIZE, with file, s3 or ipfs as SCHEME, 64 hex digits as ROOT, bytes as SIZE"
    )]
    Text(String),
    #[error("there is no service {0}: 1 is a folder, 2 is S3, 3 is IPFS")]
    Service(u8),
    #[error("the link has {0} bytes, an ELNK holds {MAX_DATA}")]
    TooLong(usize),
    #[error("a link of no bytes")]
    Empty,
}

impl Link {
    /// From what `ELNK` has pushed: the service's number and the text.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, LinkError> {
        let (number, text) = bytes.split_first().ok_or(LinkError::Empty)?;
        let service = Service::ALL
            .into_iter()
            .find(|service| *service as u8 == *number)
            .ok_or(LinkError::Service(*number))?;
        let lossy = String::from_utf8_lossy(text);
        let kept = parse_kept(&lossy).ok_or_else(|| LinkError::Text(lossy.clone().into_owned()))?;
        Ok(Self { service, kept })
    }

    /// What `ELNK` pushes.
    pub fn to_bytes(&self) -> Result<Vec<u8>, LinkError> {
        let data = self.data();
        if data.len() > MAX_DATA {
            return Err(LinkError::TooLong(data.len()));
        }
        let mut bytes = vec![self.service as u8];
        bytes.extend(data.into_bytes());
        Ok(bytes)
    }

    /// The instruction, for a script's text.
    pub fn instruction(&self) -> Result<String, LinkError> {
        let bytes = self.to_bytes()?;
        let (number, data) = bytes.split_first().ok_or(LinkError::Empty)?;
        Ok(format!("ELNK {number} 0x{}", hex::encode(data)))
    }

    fn data(&self) -> String {
        let Kept { root, size, place } = &self.kept;
        format!("{place}#{}:{size}", hex::encode(root))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.service.scheme(), self.data())
    }
}

impl FromStr for Link {
    type Err = LinkError;

    fn from_str(text: &str) -> Result<Self, LinkError> {
        let found = Service::ALL.into_iter().find_map(|service| {
            let kept = parse_kept(text.strip_prefix(service.scheme())?)?;
            Some(Self { service, kept })
        });
        found.ok_or_else(|| LinkError::Text(text.to_owned()))
    }
}

fn parse_kept(text: &str) -> Option<Kept> {
    let (place, what) = text.rsplit_once('#')?;
    let (root_text, size) = what.split_once(':')?;
    let mut root = Hash::default();
    hex::decode_to_slice(root_text, &mut root).ok()?;
    let size = size.parse().ok().filter(|size| *size > 0)?;
    let place = Some(place).filter(|place| !place.is_empty())?.to_owned();
    Some(Kept { root, size, place })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_are_read_back() {
        let root = "ab".repeat(32);
        for (text, number) in [
            (format!("file:///a b/c#d#{root}:1"), 1),
            (format!("s3://bucket/a/b#{root}:1099511627776"), 2),
            (format!("ipfs://Qm#{root}:5"), 3),
        ] {
            let link: Link = text.parse().unwrap();
            assert_eq!(link.to_string(), text);
            let bytes = link.to_bytes().unwrap();
            assert_eq!(bytes[0], number);
            assert_eq!(Link::from_bytes(&bytes), Ok(link));
        }
        for wrong in [
            "",
            "Qm",
            "ipfs://Qm",
            &format!("http://Qm#{root}:5"),
            &format!("ipfs://#{root}:5"),
            &format!("ipfs://Qm#{root}:0"),
            &format!("ipfs://Qm#{root}"),
            &format!("ipfs://Qm#{}:5", &root[1..]),
        ] {
            assert_eq!(wrong.parse::<Link>(), Err(LinkError::Text(wrong.into())));
        }
        assert_eq!(Link::from_bytes(b"\x09Qm"), Err(LinkError::Service(9)));
        let long: Link = format!("ipfs://{}#{root}:5", "Q".repeat(188))
            .parse()
            .unwrap();
        assert_eq!(long.to_bytes(), Err(LinkError::TooLong(255)));
    }

    #[test]
    fn the_instruction_pushes_the_bytes() {
        let link: Link = format!("ipfs://Qm#{}:5", "ab".repeat(32)).parse().unwrap();
        let script = phantasma_vm::assemble(&link.instruction().unwrap()).unwrap();
        let bytes = link.to_bytes().unwrap();
        assert!(script.ends_with(&bytes), "{script:02x?}");
    }
}
