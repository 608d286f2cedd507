//! What the name of a mail's file says.

/// Flags of a mail, one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flags(u8);

/// Maildir's letter, IMAP's name.
const NAMES: [(char, &str); 5] = [
    ('D', "\\Draft"),
    ('F', "\\Flagged"),
    ('R', "\\Answered"),
    ('S', "\\Seen"),
    ('T', "\\Deleted"),
];

impl Flags {
    pub const NONE: Self = Self(0);
    pub const SEEN: Self = Self(1 << 3);
    pub const DELETED: Self = Self(1 << 4);

    /// Those that IMAP names; unknown ones, as keywords, are left out.
    pub fn from_imap(names: &[Vec<u8>]) -> Self {
        let mut flags = Self::NONE;
        for name in names {
            flags = flags.with(Self::named(name));
        }
        flags
    }

    /// The flag with one of IMAP's names; none for an unknown one.
    pub fn named(name: &[u8]) -> Self {
        let known = |(_, imap): &(char, &str)| imap.as_bytes().eq_ignore_ascii_case(name);
        match NAMES.iter().position(known) {
            Some(at) => Self(1 << at),
            None => Self::NONE,
        }
    }

    pub fn imap(self) -> impl Iterator<Item = &'static str> {
        let names = NAMES.iter().enumerate();
        names
            .filter(move |(at, _)| self.0 >> at & 1 == 1)
            .map(|(_, (_, name))| *name)
    }

    #[must_use]
    pub fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0 && other != Self::NONE
    }

    fn letters(self) -> String {
        let names = NAMES.iter().enumerate();
        names
            .filter(|(at, _)| self.0 >> at & 1 == 1)
            .map(|(_, (letter, _))| *letter)
            .collect()
    }

    fn of_letters(letters: &str) -> Self {
        let bit = |letter| NAMES.iter().position(|(known, _)| *known == letter);
        let bits = letters.chars().filter_map(bit);
        Self(bits.fold(0, |bits, at| bits | 1 << at))
    }
}

/// A file's name, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageName {
    /// Seconds since 1970.
    pub date: i64,
    pub uid: u32,
    pub id: String,
    /// Bytes.
    pub size: u64,
    pub flags: Flags,
}

impl MessageName {
    /// None for a file that has no number yet.
    pub fn parse(name: &str) -> Option<Self> {
        let (base, flags) = name.split_once(":2,")?;
        let (base, size) = base.split_once(",S=")?;
        let mut parts = base.splitn(3, '.');
        let date = parts.next()?.parse().ok()?;
        let uid = parts.next()?.strip_prefix('U')?.parse().ok()?;
        let id = parts.next()?.to_owned();
        (uid > 0).then_some(Self {
            date,
            uid,
            id,
            size: size.parse().ok()?,
            flags: Flags::of_letters(flags),
        })
    }

    pub fn text(&self) -> String {
        format!(
            "{}.U{}.{},S={}:2,{}",
            self.date,
            self.uid,
            self.id,
            self.size,
            self.flags.letters()
        )
    }

    /// What other programs call the flags of a file without a number.
    pub fn foreign_flags(name: &str) -> Flags {
        name.split_once(":2,")
            .map_or(Flags::NONE, |(_, letters)| Flags::of_letters(letters))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        let name = MessageName {
            date: 1_795_631_400,
            uid: 17,
            id: "ab.cd".to_owned(),
            size: 9,
            flags: Flags::SEEN.with(Flags::named(b"\\flagged")),
        };
        assert_eq!(name.text(), "1795631400.U17.ab.cd,S=9:2,FS");
        assert_eq!(MessageName::parse(&name.text()), Some(name));
        for text in ["", "1.U0.x,S=1:2,", "1.17.x,S=1:2,", "1.U1.x:2,S", "x"] {
            assert_eq!(MessageName::parse(text), None, "{text}");
        }
    }

    #[test]
    fn flags_are_sets() {
        let flags = Flags::from_imap(&[b"\\Seen".to_vec(), b"\\deleted".to_vec(), b"$x".to_vec()]);
        assert_eq!(flags.imap().collect::<Vec<_>>(), ["\\Seen", "\\Deleted"]);
        assert!(flags.has(Flags::SEEN) && !flags.without(Flags::SEEN).has(Flags::SEEN));
        assert!(!flags.has(Flags::NONE));
    }
}
