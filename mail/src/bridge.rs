//! To mail servers outside and back, for those whom the bridge's own mailbox lets in.
//!
//! A bridge is a mailbox, say `bridge`, whose daemon knows a mail server on the same machine. Somebody outside is
//! `bridge+someone=example.org@phantasma.alt` in here: whoever writes there writes to the bridge's box, so its gate is the
//! list of users (or the price), and its daemon hands the mail on. Outside, `ada@phantasma.alt` is `ada@DOMAIN`. Mail goes
//! to and comes from the named providers only. Addresses in headers are turned round on the way, so that answers work.
//!
//! The bridge reads what passes: sealing ends at it.

use std::fs;
use std::io::{self, Seek as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;

use crate::address::{DOMAIN, Mailbox};
use crate::files::{self, FileError, failed};
use crate::receive::read_head;
use crate::submission::SubmissionError;
use crate::syntax::address::{Address, parse};
use crate::syntax::{date, header};

/// Fields with addresses that are turned round.
const TURNED: [&str; 4] = ["From", "To", "Cc", "Reply-To"];

/// Fields that belong to one side only.
const LEFT_OUT: [&str; 8] = [
    "Return-Path",
    "Delivered-To",
    "Received",
    "Authentication-Results",
    "Bcc",
    "Sender",
    "DKIM-Signature",
    "ARC-Seal",
];

/// Readers outside of one mail.
pub const MAX_OUTSIDE: usize = 100;

/// How a bridge reaches the outside.
#[derive(Clone, Debug)]
pub struct Bridge {
    /// What stands behind the @ of our addresses outside.
    pub domain: String,
    /// The mail server that takes mail to the outside, on this machine.
    pub smarthost: SocketAddr,
    /// Where that server brings mail from the outside, on this machine.
    pub listen: SocketAddr,
    /// Domains that mail goes to and comes from.
    pub providers: Vec<String>,
}

impl Bridge {
    /// Whether mail goes to an address outside, or comes from it.
    pub fn allows(&self, outside: &str) -> bool {
        let domain = outside.rsplit_once('@').map_or("", |(_, domain)| domain);
        self.providers
            .iter()
            .any(|known| known.eq_ignore_ascii_case(domain))
    }

    /// The mailbox of one of our addresses outside.
    pub fn inside(&self, address: &str) -> Option<Mailbox> {
        let (local, domain) = address.rsplit_once('@')?;
        if !domain.eq_ignore_ascii_case(&self.domain) {
            return None;
        }
        format!("{local}@{DOMAIN}").parse().ok()
    }

    /// How an address is called on the other side: outside when it is one of in here, and the other way round.
    fn turned(&self, own: &Mailbox, address: &str) -> Option<String> {
        if let Some(outside) = outside_of(own, address) {
            return Some(outside);
        }
        if let Ok(mailbox) = address.parse::<Mailbox>() {
            return Some(format!("{}@{}", mailbox.name(), self.domain));
        }
        match self.inside(address) {
            Some(mailbox) => Some(mailbox.to_string()),
            None => tagged(own, address),
        }
    }
}

/// Who is meant outside by an address of the bridge: `bridge+someone=example.org@phantasma.alt`.
pub fn outside_of(own: &Mailbox, address: &str) -> Option<String> {
    if address.parse::<Mailbox>().ok()? != *own {
        return None;
    }
    let (local, _) = address.rsplit_once('@')?;
    let (_, tag) = local.split_once('+')?;
    let (someone, domain) = tag.rsplit_once('=')?;
    (is_local(someone) && is_domain(domain)).then(|| format!("{someone}@{domain}"))
}

/// The bridge's address for somebody outside; None for an address that is written in an odd way.
fn tagged(own: &Mailbox, outside: &str) -> Option<String> {
    let (someone, domain) = outside.rsplit_once('@')?;
    let fits = is_local(someone) && is_domain(domain);
    fits.then(|| format!("{}+{someone}={domain}@{DOMAIN}", own.name()))
}

fn is_local(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-+".contains(c);
    (1..=64).contains(&text.len()) && text.chars().all(fits)
}

fn is_domain(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || ".-".contains(c);
    (1..=255).contains(&text.len()) && text.chars().all(fits)
}

/// Everybody outside whom a mail to the bridge is for: in its To and Cc.
pub fn readers_outside(own: &Mailbox, head: &[u8]) -> Vec<String> {
    let (end, _) = header::split(head);
    let mut found = Vec::new();
    for field in header::fields(head.get(..end).unwrap_or_default()) {
        if !field.is("To") && !field.is("Cc") {
            continue;
        }
        for address in parse(&header::unfold(field.value)) {
            let outside = address.mailbox().and_then(|text| outside_of(own, &text));
            found.extend(outside);
        }
    }
    found.sort();
    found.dedup();
    found.truncate(MAX_OUTSIDE);
    found
}

/// Writes a mail as it is on the other side.
///
/// # Errors
/// A mail without one author who has an address on the other side.
pub fn turn(
    bridge: &Bridge,
    own: &Mailbox,
    given: &Path,
    to: &Path,
    now_s: i64,
) -> Result<(), SubmissionError> {
    let head = read_head(given)?;
    let (end, body) = header::split(&head);
    if end == head.len() && head.len() >= header::MAX_HEADER {
        return Err(refused("5.6.0 The header is longer than 256 KiB"));
    }
    let fields = header::fields(head.get(..end).unwrap_or_default());
    let mut made = Vec::new();
    let mut authors = 0;
    for field in &fields {
        if LEFT_OUT.iter().any(|name| field.is(name)) {
            continue;
        }
        match TURNED.iter().find(|name| field.is(name)) {
            Some(name) => {
                let turned = turned_list(bridge, own, &header::unfold(field.value));
                if *name == "From" {
                    authors += turned.len();
                }
                if !turned.is_empty() {
                    made.extend_from_slice(
                        format!("{name}: {}\r\n", turned.join(",\r\n ")).as_bytes(),
                    );
                }
            }
            None => made.extend_from_slice(field.raw),
        }
    }
    if authors != 1 {
        return Err(refused(
            "5.6.0 The mail must have one author with a plain address",
        ));
    }
    for (name, value) in [
        ("Date", date::rfc5322(now_s)),
        (
            "Message-ID",
            format!("<{:032x}@{}>", rand::random::<u128>(), bridge.domain),
        ),
    ] {
        if !fields.iter().any(|field| field.is(name)) {
            made.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
        }
    }
    made.extend_from_slice(b"\r\n");
    Ok(write(given, body, &made, to)?)
}

/// As [`turn`], for a mail from outside: its author must be of a provider from which mail is taken, whatever the envelope
/// said.
pub fn turn_in(
    bridge: &Bridge,
    own: &Mailbox,
    given: &Path,
    to: &Path,
    now_s: i64,
) -> Result<(), SubmissionError> {
    turn(bridge, own, given, to, now_s)?;
    let head = read_head(to)?;
    let (end, _) = header::split(&head);
    let fields = header::fields(head.get(..end).unwrap_or_default());
    let from = header::first(&fields, "From").unwrap_or_default();
    let author = parse(&from).first().and_then(Address::mailbox);
    let outside = author.and_then(|address| outside_of(own, &address));
    match outside.is_some_and(|outside| bridge.allows(&outside)) {
        true => Ok(()),
        false => Err(refused(
            "5.7.1 The author is of no provider from which mail is taken",
        )),
    }
}

fn refused(text: &str) -> SubmissionError {
    SubmissionError::Refused(text.to_owned())
}

/// The new header, and the body as it was.
fn write(given: &Path, body: usize, head: &[u8], to: &Path) -> Result<(), FileError> {
    let mut mail = fs::File::open(given).map_err(failed("open", given))?;
    let mut out = files::create(to)?;
    let mut copy = || -> io::Result<()> {
        out.write_all(head)?;
        mail.seek(io::SeekFrom::Start(body as u64))?;
        io::copy(&mut mail, &mut out)?;
        out.sync_all()
    };
    copy().map_err(failed("write", to))
}

/// The addresses of a field as they are on the other side; those that cannot be are left out.
fn turned_list(bridge: &Bridge, own: &Mailbox, value: &[u8]) -> Vec<String> {
    let each = |address: &Address| {
        let turned = bridge.turned(own, &address.mailbox()?)?;
        Some(match &address.name {
            Some(name) => format!("{} <{turned}>", quoted(name)),
            None => turned,
        })
    };
    parse(value).iter().filter_map(each).collect()
}

/// A name that is shown: as it is when it is a word or encoded, else in quotes.
fn quoted(name: &[u8]) -> String {
    let text = String::from_utf8_lossy(name);
    let plain = |c: char| c.is_ascii_alphanumeric() || " =?_-+/!".contains(c);
    if text.chars().all(plain) {
        return text.into_owned();
    }
    let inner: String = text
        .chars()
        .filter(|c| !c.is_control() && !"\"\\".contains(*c))
        .collect();
    format!("\"{inner}\"")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn bridge() -> (Bridge, Mailbox) {
        let bridge = Bridge {
            domain: "mail.example.net".into(),
            smarthost: "127.0.0.1:1".parse().unwrap(),
            listen: "127.0.0.1:2".parse().unwrap(),
            providers: vec!["example.org".into()],
        };
        (bridge, Mailbox::of_box("bridge").unwrap())
    }

    fn turned(mail: &str) -> Result<String, String> {
        let (bridge, own) = bridge();
        let folder = tempfile::tempdir().unwrap();
        let (given, made) = (folder.path().join("a"), folder.path().join("b"));
        fs::write(&given, mail).unwrap();
        turn(&bridge, &own, &given, &made, 0).map_err(|error| error.to_string())?;
        Ok(fs::read_to_string(made).unwrap())
    }

    #[test]
    fn addresses_turn_round_and_back() {
        let out = turned(
            "Return-Path: <x>\r\nFrom: Ada L. <ada@phantasma.alt>\r\nTo: Bob <bridge+bob.b=example.org@phantasma.alt>,\r\n \
             eve@phantasma.alt\r\nBcc: x@y\r\nDate: D\r\nMessage-ID: <1>\r\nSubject: s\r\n\r\nFrom: body\r\n",
        )
        .unwrap();
        assert_eq!(
            out,
            "From: \"Ada L.\" <ada@mail.example.net>\r\nTo: Bob <bob.b@example.org>,\r\n eve@mail.example.net\r\nDate: D\r\n\
             Message-ID: <1>\r\nSubject: s\r\n\r\nFrom: body\r\n"
        );
        let back = turned(
            "From: Bob <bob.b@example.org>\r\nTo: ada@mail.example.net\r\nDate: D\r\nMessage-ID: <2>\r\n\r\nx",
        )
        .unwrap();
        assert_eq!(
            back,
            "From: Bob <bridge+bob.b=example.org@phantasma.alt>\r\nTo: ada@phantasma.alt\r\nDate: D\r\nMessage-ID: <2>\r\n\r\nx"
        );
        assert!(turned("To: x@example.org\r\n\r\nx").is_err());
        assert!(turned("From: a@example.org, b@example.org\r\n\r\nx").is_err());
    }

    #[test]
    fn mail_from_outside_is_of_a_known_provider() {
        let (bridge, own) = bridge();
        let folder = tempfile::tempdir().unwrap();
        let (given, made) = (folder.path().join("a"), folder.path().join("b"));
        for (from, taken) in [
            ("bob@example.org", true),
            ("bob@example.com", false),
            ("ada@mail.example.net", false),
            ("ada@phantasma.alt", false),
        ] {
            fs::write(&given, format!("From: {from}\r\n\r\nx")).unwrap();
            let turned = turn_in(&bridge, &own, &given, &made, 0);
            assert_eq!(turned.is_ok(), taken, "{from}");
        }
    }

    #[test]
    fn only_readers_of_the_bridge_itself_are_outside() {
        let (bridge, own) = bridge();
        let head = b"To: bridge+a=example.org@phantasma.alt, other+b=example.org@phantasma.alt\r\nCc: bridge@phantasma.alt,\r\n \
            bridge+a=example.org@phantasma\r\n\r\nTo: bridge+c=example.org@phantasma.alt";
        assert_eq!(readers_outside(&own, head), ["a@example.org"]);
        assert!(bridge.allows("x@Example.ORG") && !bridge.allows("x@evil.example.org"));
        assert_eq!(bridge.inside("Ada@mail.example.net").unwrap().name(), "ada");
        assert_eq!(bridge.inside("ada@example.org"), None);
        for odd in [
            "bridge+a\r\nb=c@phantasma.alt",
            "bridge+a<b=c@phantasma.alt",
            "bridge+=c@phantasma.alt",
        ] {
            assert_eq!(outside_of(&own, odd), None, "{odd:?}");
        }
    }
}
