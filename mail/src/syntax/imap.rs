//! Commands of IMAP4rev1 (RFC 3501, section 9), with UIDPLUS, MOVE, IDLE, UNSELECT, NAMESPACE and ID.
//!
//! A whole command is given at once, its literals behind their lengths as they came: `{3}\r\nabc`.

use super::imap_items::{FetchItem, SearchKey, SequenceSet, StoreMode, fetch_items, search_keys};

/// A command without the text of an APPEND: literals and lines together.
pub const MAX_COMMAND: usize = 64 << 10;

/// What a client asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    Id,
    Login {
        user: Vec<u8>,
        password: Vec<u8>,
    },
    Authenticate {
        mechanism: String,
        initial: Option<String>,
    },
    Select(String),
    Examine(String),
    Create(String),
    Delete(String),
    Rename,
    Subscribe(String),
    Unsubscribe(String),
    List {
        reference: String,
        pattern: String,
        subscribed: bool,
    },
    Namespace,
    Status {
        mailbox: String,
        items: Vec<StatusItem>,
    },
    Check,
    Close,
    Unselect,
    Expunge(Option<SequenceSet>),
    Search {
        uid: bool,
        key: SearchKey,
    },
    Fetch {
        uid: bool,
        set: SequenceSet,
        items: Vec<FetchItem>,
    },
    Store {
        uid: bool,
        set: SequenceSet,
        mode: StoreMode,
        silent: bool,
        flags: Vec<Vec<u8>>,
    },
    Copy {
        uid: bool,
        set: SequenceSet,
        mailbox: String,
        moved: bool,
    },
    Idle,
}

/// What APPEND says before the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    pub mailbox: String,
    pub flags: Vec<Vec<u8>>,
    /// Seconds since 1970.
    pub date: Option<i64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
}

/// Why a line is no command. The text goes to the client behind `BAD`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub &'static str);

/// A place in a command.
pub struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// Characters of an atom: all that is visible but these.
fn is_atom(byte: u8) -> bool {
    (33..127).contains(&byte) && !matches!(byte, b'(' | b')' | b'{' | b'%' | b'*' | b'"' | b'\\')
}

impl<'a> Cursor<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    pub fn need(&mut self, byte: u8, what: &'static str) -> Result<(), Wrong> {
        match self.eat(byte) {
            true => Ok(()),
            false => Err(Wrong(what)),
        }
    }

    pub fn space(&mut self) -> Result<(), Wrong> {
        self.need(b' ', "A space is missing")
    }

    pub fn end(&self) -> Result<(), Wrong> {
        match self.rest().is_empty() {
            true => Ok(()),
            false => Err(Wrong("There is more than the command takes")),
        }
    }

    /// Bytes for which `allowed` holds, one at least.
    pub fn run(
        &mut self,
        allowed: impl Fn(u8) -> bool,
        what: &'static str,
    ) -> Result<&'a [u8], Wrong> {
        let rest = self.rest();
        let len = rest
            .iter()
            .position(|byte| !allowed(*byte))
            .unwrap_or(rest.len());
        if len == 0 {
            return Err(Wrong(what));
        }
        self.at += len;
        Ok(rest.get(..len).unwrap_or_default())
    }

    pub fn atom(&mut self) -> Result<String, Wrong> {
        let bytes = self.run(is_atom, "A word is missing")?;
        Ok(String::from_utf8_lossy(bytes).into_owned())
    }

    pub fn number(&mut self) -> Result<u32, Wrong> {
        let digits = self.run(|byte| byte.is_ascii_digit(), "A number is missing")?;
        let text = std::str::from_utf8(digits).unwrap_or_default();
        text.parse().map_err(|_| Wrong("A number is too large"))
    }

    /// A quoted string or a literal.
    pub fn string(&mut self) -> Result<Vec<u8>, Wrong> {
        match self.peek() {
            Some(b'"') => self.quoted(),
            Some(b'{') => self.literal(),
            _ => Err(Wrong("A string is missing")),
        }
    }

    /// A string, or a word that needs no quotes.
    pub fn astring(&mut self) -> Result<Vec<u8>, Wrong> {
        match self.peek() {
            Some(b'"' | b'{') => self.string(),
            _ => {
                // Programs search for words in UTF-8 without quotes.
                let allowed = |byte| is_atom(byte) || byte == b']' || byte > 127;
                let bytes = self.run(allowed, "A word is missing")?;
                Ok(bytes.to_vec())
            }
        }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, Wrong> {
        self.need(b'"', "A quote is missing")?;
        let mut text = Vec::new();
        loop {
            let byte = self.peek().ok_or(Wrong("A quoted string has no end"))?;
            self.at += 1;
            match byte {
                b'"' => return Ok(text),
                b'\\' => {
                    text.push(self.peek().ok_or(Wrong("A quoted string has no end"))?);
                    self.at += 1;
                }
                b'\r' | b'\n' => return Err(Wrong("A quoted string goes over a line")),
                other => text.push(other),
            }
        }
    }

    fn literal(&mut self) -> Result<Vec<u8>, Wrong> {
        self.need(b'{', "A literal is missing")?;
        let len = self.number()?;
        self.eat(b'+');
        self.need(b'}', "A literal's length has no end")?;
        self.need(b'\r', "A literal's length ends its line")?;
        self.need(b'\n', "A literal's length ends its line")?;
        let len = usize::try_from(len).unwrap_or(usize::MAX);
        let bytes = self
            .rest()
            .get(..len)
            .ok_or(Wrong("A literal is shorter than it says"))?;
        self.at += len;
        Ok(bytes.to_vec())
    }

    fn mailbox(&mut self) -> Result<String, Wrong> {
        let bytes = self.astring()?;
        let name = String::from_utf8(bytes).map_err(|_| Wrong("A mailbox name is not UTF-7"))?;
        Ok(match name.eq_ignore_ascii_case("INBOX") {
            true => "INBOX".to_owned(),
            false => name,
        })
    }

    fn pattern(&mut self) -> Result<String, Wrong> {
        let bytes = match self.peek() {
            Some(b'"' | b'{') => self.string()?,
            _ => self
                .run(
                    |byte| is_atom(byte) || matches!(byte, b'%' | b'*' | b']'),
                    "A pattern is missing",
                )?
                .to_vec(),
        };
        String::from_utf8(bytes).map_err(|_| Wrong("A pattern is not text"))
    }

    /// `(\Seen \Deleted)`.
    pub fn flags(&mut self) -> Result<Vec<Vec<u8>>, Wrong> {
        let mut flags = Vec::new();
        let listed = self.eat(b'(');
        while !(listed && self.eat(b')')) {
            if !flags.is_empty() {
                self.space()?;
            }
            let mut flag = Vec::new();
            if self.eat(b'\\') {
                flag.push(b'\\');
            }
            flag.extend_from_slice(self.run(is_atom, "A flag is missing")?);
            flags.push(flag);
            if !listed && self.peek() != Some(b' ') {
                break;
            }
        }
        Ok(flags)
    }
}

/// The tag of a command, even when the rest is wrong.
pub fn tag(command: &[u8]) -> Option<&str> {
    let mut cursor = Cursor::new(command);
    let tag = cursor
        .run(|byte| is_atom(byte) && byte != b'+', "A tag is missing")
        .ok()?;
    std::str::from_utf8(tag).ok()
}

/// Whether a command begins as an APPEND, whose text goes another way.
pub fn is_append(command: &[u8]) -> bool {
    let Some(tag) = tag(command) else {
        return false;
    };
    let rest = command.get(tag.len()..).unwrap_or_default();
    rest.get(..8)
        .is_some_and(|word| word.eq_ignore_ascii_case(b" APPEND "))
}

/// APPEND up to its text's length.
pub fn append(command: &[u8]) -> Result<Append, Wrong> {
    let tag = tag(command).ok_or(Wrong("A tag is missing"))?;
    let rest = command.get(tag.len() + 8..).unwrap_or_default();
    let mut cursor = Cursor::new(rest);
    let mailbox = cursor.mailbox()?;
    cursor.space()?;
    let mut flags = Vec::new();
    if cursor.peek() == Some(b'(') {
        flags = cursor.flags()?;
        cursor.space()?;
    }
    let mut date = None;
    if cursor.peek() == Some(b'"') {
        let text = cursor.quoted()?;
        let text = String::from_utf8_lossy(&text).into_owned();
        date = Some(super::date::parse_internal(&text).ok_or(Wrong("That is no date"))?);
        cursor.space()?;
    }
    match cursor.rest().is_empty() {
        true => Ok(Append {
            mailbox,
            flags,
            date,
        }),
        false => Err(Wrong("The message must be a literal")),
    }
}

/// The length that a line ends with: `{12}`, or `{12+}` when nobody waits for a go-ahead. Gives where the brace is, the
/// length, and whether to wait.
pub fn literal_at_end(line: &[u8]) -> Option<(usize, u64, bool)> {
    let inner = line.strip_suffix(b"}")?;
    let (inner, waits) = match inner.strip_suffix(b"+") {
        Some(inner) => (inner, false),
        None => (inner, true),
    };
    let open = inner.iter().rposition(|byte| *byte == b'{')?;
    let digits = inner.get(open + 1..)?;
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let len = std::str::from_utf8(digits).ok()?.parse().ok()?;
    Some((open, len, waits))
}

/// Reads a command without its last line end; the tag comes with it.
pub fn parse(command: &[u8]) -> Result<(String, Command), Wrong> {
    let tag = tag(command).ok_or(Wrong("A tag is missing"))?.to_owned();
    let mut cursor = Cursor::new(command.get(tag.len()..).unwrap_or_default());
    cursor.space()?;
    let verb = cursor.atom()?.to_ascii_uppercase();
    let parsed = if verb == "UID" {
        cursor.space()?;
        let verb = cursor.atom()?.to_ascii_uppercase();
        with_uid(&mut cursor, &verb)?
    } else {
        plain(&mut cursor, &verb)?
    };
    cursor.end()?;
    Ok((tag, parsed))
}

fn plain(cursor: &mut Cursor<'_>, verb: &str) -> Result<Command, Wrong> {
    Ok(match verb {
        "CAPABILITY" => Command::Capability,
        "NOOP" => Command::Noop,
        "LOGOUT" => Command::Logout,
        "NAMESPACE" => Command::Namespace,
        "CHECK" => Command::Check,
        "CLOSE" => Command::Close,
        "UNSELECT" => Command::Unselect,
        "IDLE" => Command::Idle,
        "EXPUNGE" => Command::Expunge(None),
        "ID" => {
            // What a client calls itself is of no use here.
            cursor.at = cursor.bytes.len();
            Command::Id
        }
        "LOGIN" => {
            cursor.space()?;
            let user = cursor.astring()?;
            cursor.space()?;
            let password = cursor.astring()?;
            Command::Login { user, password }
        }
        "AUTHENTICATE" => {
            cursor.space()?;
            let mechanism = cursor.atom()?.to_ascii_uppercase();
            let mut initial = None;
            if cursor.eat(b' ') {
                initial = Some(cursor.atom()?);
            }
            Command::Authenticate { mechanism, initial }
        }
        "SELECT" => Command::Select(after_space(cursor)?),
        "EXAMINE" => Command::Examine(after_space(cursor)?),
        "CREATE" => Command::Create(after_space(cursor)?),
        "DELETE" => Command::Delete(after_space(cursor)?),
        "SUBSCRIBE" => Command::Subscribe(after_space(cursor)?),
        "UNSUBSCRIBE" => Command::Unsubscribe(after_space(cursor)?),
        "RENAME" => {
            after_space(cursor)?;
            after_space(cursor)?;
            Command::Rename
        }
        "LIST" | "LSUB" => {
            let reference = after_space(cursor)?;
            cursor.space()?;
            Command::List {
                reference,
                pattern: cursor.pattern()?,
                subscribed: verb == "LSUB",
            }
        }
        "STATUS" => Command::Status {
            mailbox: after_space(cursor)?,
            items: status_items(cursor)?,
        },
        "SEARCH" => search(cursor, false)?,
        "FETCH" => fetch(cursor, false)?,
        "STORE" => store(cursor, false)?,
        "COPY" => copy(cursor, false, false)?,
        "MOVE" => copy(cursor, false, true)?,
        _ => return Err(Wrong("There is no such command")),
    })
}

fn with_uid(cursor: &mut Cursor<'_>, verb: &str) -> Result<Command, Wrong> {
    Ok(match verb {
        "SEARCH" => search(cursor, true)?,
        "FETCH" => fetch(cursor, true)?,
        "STORE" => store(cursor, true)?,
        "COPY" => copy(cursor, true, false)?,
        "MOVE" => copy(cursor, true, true)?,
        "EXPUNGE" => {
            cursor.space()?;
            Command::Expunge(Some(SequenceSet::parse(cursor)?))
        }
        _ => return Err(Wrong("There is no such command with UID")),
    })
}

fn after_space(cursor: &mut Cursor<'_>) -> Result<String, Wrong> {
    cursor.space()?;
    cursor.mailbox()
}

fn status_items(cursor: &mut Cursor<'_>) -> Result<Vec<StatusItem>, Wrong> {
    cursor.space()?;
    cursor.need(b'(', "A list is missing")?;
    let mut items = Vec::new();
    while !cursor.eat(b')') {
        if !items.is_empty() {
            cursor.space()?;
        }
        items.push(match cursor.atom()?.to_ascii_uppercase().as_str() {
            "MESSAGES" => StatusItem::Messages,
            "RECENT" => StatusItem::Recent,
            "UIDNEXT" => StatusItem::UidNext,
            "UIDVALIDITY" => StatusItem::UidValidity,
            "UNSEEN" => StatusItem::Unseen,
            _ => return Err(Wrong("There is no such item of STATUS")),
        });
    }
    Ok(items)
}

fn search(cursor: &mut Cursor<'_>, uid: bool) -> Result<Command, Wrong> {
    cursor.space()?;
    let key = search_keys(cursor)?;
    Ok(Command::Search { uid, key })
}

fn fetch(cursor: &mut Cursor<'_>, uid: bool) -> Result<Command, Wrong> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    let mut items = fetch_items(cursor)?;
    if uid && !items.contains(&FetchItem::Uid) {
        items.insert(0, FetchItem::Uid);
    }
    Ok(Command::Fetch { uid, set, items })
}

fn store(cursor: &mut Cursor<'_>, uid: bool) -> Result<Command, Wrong> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    cursor.space()?;
    let mode = match (cursor.eat(b'+'), cursor.eat(b'-')) {
        (true, _) => StoreMode::Add,
        (_, true) => StoreMode::Remove,
        (false, false) => StoreMode::Replace,
    };
    let silent = match cursor.atom()?.to_ascii_uppercase().as_str() {
        "FLAGS" => false,
        "FLAGS.SILENT" => true,
        _ => return Err(Wrong("Only FLAGS can be stored")),
    };
    cursor.space()?;
    let flags = cursor.flags()?;
    Ok(Command::Store {
        uid,
        set,
        mode,
        silent,
        flags,
    })
}

fn copy(cursor: &mut Cursor<'_>, uid: bool, moved: bool) -> Result<Command, Wrong> {
    cursor.space()?;
    let set = SequenceSet::parse(cursor)?;
    let mailbox = after_space(cursor)?;
    Ok(Command::Copy {
        uid,
        set,
        mailbox,
        moved,
    })
}

#[cfg(test)]
#[path = "imap/tests.rs"]
mod tests;
