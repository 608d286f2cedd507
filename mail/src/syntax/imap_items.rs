//! What IMAP's FETCH and SEARCH ask for, and the sets of numbers that they ask about.

use super::imap::{Cursor, Wrong};

/// Ranges in one set, keys in one search, items in one FETCH.
const MAX_LIST: usize = 10_000;
/// Searches inside of searches.
const MAX_DEPTH: usize = 16;

/// `1:3,7,9:*`; 0 stands for `*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SequenceSet(Vec<(u32, u32)>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreMode {
    Replace,
    Add,
    Remove,
}

/// One thing that FETCH gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    /// BODY or, when extended, BODYSTRUCTURE.
    Structure {
        extended: bool,
    },
    Section {
        /// As the answer calls it.
        label: Vec<u8>,
        /// Without setting `\Seen`.
        peek: bool,
        section: Section,
        /// From which byte, and how many.
        partial: Option<(u32, u32)>,
    },
}

/// Which part of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    pub path: Vec<u32>,
    pub text: SectionText,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SectionText {
    All,
    Header,
    /// These fields, or all but these.
    Fields(Vec<Vec<u8>>, bool),
    Text,
    Mime,
}

/// What SEARCH looks for.
#[derive(Clone, Debug, PartialEq)]
pub enum SearchKey {
    /// All of these; everything when there are none.
    All(Vec<SearchKey>),
    Either(Box<SearchKey>, Box<SearchKey>),
    Not(Box<SearchKey>),
    /// A flag is set.
    Flag(&'static str),
    Recent,
    /// A keyword, which no message has.
    Keyword,
    /// A header field holds a text; an empty text asks whether the field is there.
    Header(String, String),
    Body(String),
    Text(String),
    /// Internal date before the second, or (second pair) from it on; as days.
    Before(i64),
    Since(i64),
    SentBefore(i64),
    SentSince(i64),
    Larger(u32),
    Smaller(u32),
    Uid(SequenceSet),
    Numbers(SequenceSet),
}

impl SequenceSet {
    pub fn parse(cursor: &mut Cursor<'_>) -> Result<Self, Wrong> {
        let mut ranges = Vec::new();
        loop {
            let from = Self::number(cursor)?;
            let to = match cursor.eat(b':') {
                true => Self::number(cursor)?,
                false => from,
            };
            ranges.push((from, to));
            if ranges.len() > MAX_LIST {
                return Err(Wrong("The set has too many ranges"));
            }
            if !cursor.eat(b',') {
                return Ok(Self(ranges));
            }
        }
    }

    fn number(cursor: &mut Cursor<'_>) -> Result<u32, Wrong> {
        if cursor.eat(b'*') {
            return Ok(0);
        }
        match cursor.number()? {
            0 => Err(Wrong("Numbers count from 1")),
            number => Ok(number),
        }
    }

    /// Whether a number is in it, when `last` is the greatest there is.
    pub fn contains(&self, number: u32, last: u32) -> bool {
        let known = |end: u32| if end == 0 { last } else { end };
        self.0.iter().any(|(from, to)| {
            let (from, to) = (known(*from), known(*to));
            (from.min(to)..=from.max(to)).contains(&number)
        })
    }
}

/// One item, a list of items, or a macro.
pub fn fetch_items(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>, Wrong> {
    if !cursor.eat(b'(') {
        return fetch_item(cursor);
    }
    let mut items = Vec::new();
    loop {
        items.extend(fetch_item(cursor)?);
        if cursor.eat(b')') {
            return Ok(items);
        }
        if items.len() > MAX_LIST {
            return Err(Wrong("FETCH asks for too much"));
        }
        cursor.space()?;
    }
}

fn fetch_item(cursor: &mut Cursor<'_>) -> Result<Vec<FetchItem>, Wrong> {
    use FetchItem::{Envelope, Flags, InternalDate, Size, Structure, Uid};
    let name = cursor.run(
        |byte| byte.is_ascii_alphanumeric() || byte == b'.',
        "An item of FETCH is missing",
    )?;
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    let whole = |label: &str, peek, text| {
        let section = Section {
            path: Vec::new(),
            text,
        };
        vec![FetchItem::Section {
            label: label.as_bytes().to_vec(),
            peek,
            section,
            partial: None,
        }]
    };
    let sectioned = cursor.peek() == Some(b'[');
    Ok(match name.as_str() {
        "BODY" | "BODY.PEEK" if sectioned => vec![section(cursor, name == "BODY.PEEK")?],
        "UID" => vec![Uid],
        "FLAGS" => vec![Flags],
        "INTERNALDATE" => vec![InternalDate],
        "RFC822.SIZE" => vec![Size],
        "ENVELOPE" => vec![Envelope],
        "BODY" => vec![Structure { extended: false }],
        "BODYSTRUCTURE" => vec![Structure { extended: true }],
        "RFC822" => whole("RFC822", false, SectionText::All),
        "RFC822.HEADER" => whole("RFC822.HEADER", true, SectionText::Header),
        "RFC822.TEXT" => whole("RFC822.TEXT", false, SectionText::Text),
        "FAST" => vec![Flags, InternalDate, Size],
        "ALL" => vec![Flags, InternalDate, Size, Envelope],
        "FULL" => vec![
            Flags,
            InternalDate,
            Size,
            Envelope,
            Structure { extended: false },
        ],
        _ => return Err(Wrong("There is no such item of FETCH")),
    })
}

/// `[1.2.HEADER.FIELDS (To From)]<10.20>`.
fn section(cursor: &mut Cursor<'_>, peek: bool) -> Result<FetchItem, Wrong> {
    let before = cursor.rest();
    cursor.need(b'[', "A section is missing")?;
    let mut path = Vec::new();
    let mut text = SectionText::All;
    while !cursor.eat(b']') {
        if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            path.push(cursor.number()?);
            if path.len() > 100 {
                return Err(Wrong("A section is too deep"));
            }
            if !cursor.eat(b'.') {
                cursor.need(b']', "A section has no end")?;
                break;
            }
            continue;
        }
        text = section_text(cursor, !path.is_empty())?;
        cursor.need(b']', "A section has no end")?;
        break;
    }
    let len = before.len() - cursor.rest().len();
    let mut label = b"BODY".to_vec();
    label.extend_from_slice(before.get(..len).unwrap_or_default());
    let mut partial = None;
    if cursor.eat(b'<') {
        let from = cursor.number()?;
        cursor.need(b'.', "A part of a section has a length")?;
        let count = cursor.number()?;
        cursor.need(b'>', "A part of a section has no end")?;
        label.extend_from_slice(format!("<{from}>").as_bytes());
        partial = Some((from, count));
    }
    Ok(FetchItem::Section {
        label,
        peek,
        section: Section { path, text },
        partial,
    })
}

fn section_text(cursor: &mut Cursor<'_>, inside: bool) -> Result<SectionText, Wrong> {
    let name = cursor.run(
        |byte| byte.is_ascii_alphabetic() || byte == b'.',
        "There is no such section",
    )?;
    let name = String::from_utf8_lossy(name).to_ascii_uppercase();
    Ok(match name.as_str() {
        "HEADER" => SectionText::Header,
        "TEXT" => SectionText::Text,
        "MIME" if inside => SectionText::Mime,
        "HEADER.FIELDS" => SectionText::Fields(field_names(cursor)?, false),
        "HEADER.FIELDS.NOT" => SectionText::Fields(field_names(cursor)?, true),
        _ => return Err(Wrong("There is no such section")),
    })
}

fn field_names(cursor: &mut Cursor<'_>) -> Result<Vec<Vec<u8>>, Wrong> {
    cursor.space()?;
    cursor.need(b'(', "A list of fields is missing")?;
    let mut names = Vec::new();
    while !cursor.eat(b')') {
        if !names.is_empty() {
            cursor.space()?;
        }
        names.push(cursor.astring()?);
        if names.len() > MAX_LIST {
            return Err(Wrong("The list of fields is too long"));
        }
    }
    Ok(names)
}

/// All keys up to the end; all must hold.
pub fn search_keys(cursor: &mut Cursor<'_>) -> Result<SearchKey, Wrong> {
    let charset = cursor
        .rest()
        .get(..8)
        .is_some_and(|word| word.eq_ignore_ascii_case(b"CHARSET "));
    if charset {
        cursor.atom()?;
        cursor.space()?;
        let name = cursor.astring()?;
        let known = ["UTF-8", "US-ASCII"];
        if !known
            .iter()
            .any(|k| k.as_bytes().eq_ignore_ascii_case(&name))
        {
            return Err(Wrong("Only UTF-8 is searched in"));
        }
        cursor.space()?;
    }
    let mut left = MAX_LIST;
    let mut keys = vec![key(cursor, 0, &mut left)?];
    while cursor.eat(b' ') {
        keys.push(key(cursor, 0, &mut left)?);
    }
    Ok(SearchKey::All(keys))
}

fn key(cursor: &mut Cursor<'_>, depth: usize, left: &mut usize) -> Result<SearchKey, Wrong> {
    *left = left.checked_sub(1).ok_or(Wrong("The search is too long"))?;
    if depth > MAX_DEPTH {
        return Err(Wrong("The search is nested too deep"));
    }
    if cursor.eat(b'(') {
        let mut keys = vec![key(cursor, depth + 1, left)?];
        while !cursor.eat(b')') {
            cursor.space()?;
            keys.push(key(cursor, depth + 1, left)?);
        }
        return Ok(SearchKey::All(keys));
    }
    if cursor
        .peek()
        .is_some_and(|byte| byte.is_ascii_digit() || byte == b'*')
    {
        return Ok(SearchKey::Numbers(SequenceSet::parse(cursor)?));
    }
    let name = cursor.atom()?.to_ascii_uppercase();
    match name.as_str() {
        "NOT" => {
            cursor.space()?;
            Ok(not(key(cursor, depth + 1, left)?))
        }
        "OR" => {
            cursor.space()?;
            let one = key(cursor, depth + 1, left)?;
            cursor.space()?;
            let other = key(cursor, depth + 1, left)?;
            Ok(SearchKey::Either(Box::new(one), Box::new(other)))
        }
        name => simple(cursor, name),
    }
}

fn not(key: SearchKey) -> SearchKey {
    SearchKey::Not(Box::new(key))
}

fn simple(cursor: &mut Cursor<'_>, name: &str) -> Result<SearchKey, Wrong> {
    use SearchKey::{All, Flag, Header, Keyword, Recent};
    Ok(match name {
        "ALL" => All(Vec::new()),
        "ANSWERED" => Flag("\\Answered"),
        "DELETED" => Flag("\\Deleted"),
        "DRAFT" => Flag("\\Draft"),
        "FLAGGED" => Flag("\\Flagged"),
        "SEEN" => Flag("\\Seen"),
        "UNANSWERED" => not(Flag("\\Answered")),
        "UNDELETED" => not(Flag("\\Deleted")),
        "UNDRAFT" => not(Flag("\\Draft")),
        "UNFLAGGED" => not(Flag("\\Flagged")),
        "UNSEEN" => not(Flag("\\Seen")),
        "RECENT" => Recent,
        "NEW" => All(vec![Recent, not(Flag("\\Seen"))]),
        "OLD" => not(Recent),
        "KEYWORD" => text(cursor).map(|_| Keyword)?,
        "UNKEYWORD" => text(cursor).map(|_| not(Keyword))?,
        "FROM" | "TO" | "CC" | "BCC" | "SUBJECT" => Header(name.to_owned(), text(cursor)?),
        "HEADER" => Header(text(cursor)?, text(cursor)?),
        "BODY" => SearchKey::Body(text(cursor)?),
        "TEXT" => SearchKey::Text(text(cursor)?),
        "BEFORE" => SearchKey::Before(day(cursor)?),
        "SINCE" => SearchKey::Since(day(cursor)?),
        "ON" => on(day(cursor)?, SearchKey::Since, SearchKey::Before),
        "SENTBEFORE" => SearchKey::SentBefore(day(cursor)?),
        "SENTSINCE" => SearchKey::SentSince(day(cursor)?),
        "SENTON" => on(day(cursor)?, SearchKey::SentSince, SearchKey::SentBefore),
        "LARGER" => SearchKey::Larger(number(cursor)?),
        "SMALLER" => SearchKey::Smaller(number(cursor)?),
        "UID" => {
            cursor.space()?;
            SearchKey::Uid(SequenceSet::parse(cursor)?)
        }
        _ => return Err(Wrong("There is no such key of SEARCH")),
    })
}

fn on(day: i64, since: fn(i64) -> SearchKey, before: fn(i64) -> SearchKey) -> SearchKey {
    SearchKey::All(vec![since(day), before(day + 86_400)])
}

fn text(cursor: &mut Cursor<'_>) -> Result<String, Wrong> {
    cursor.space()?;
    let bytes = cursor.astring()?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn number(cursor: &mut Cursor<'_>) -> Result<u32, Wrong> {
    cursor.space()?;
    cursor.number()
}

fn day(cursor: &mut Cursor<'_>) -> Result<i64, Wrong> {
    let text = text(cursor)?;
    super::date::parse_day(&text).ok_or(Wrong("That is no date"))
}
