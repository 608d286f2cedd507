//! Addresses: a box's name before the @, and a domain that no server outside answers for.

use std::fmt;
use std::str::FromStr;

/// `.alt` is set aside for names that are not the DNS's (RFC 9476): mail that leaves this network by mistake reaches
/// nobody.
pub const DOMAIN: &str = "phantasma.alt";

/// The same in short, taken and never given.
pub const SHORT_DOMAIN: &str = "phantasma";

/// A box's name has at most so many characters.
const MAX_NAME: usize = 32;

/// The address of a box. Case does not matter, and what follows a `+` before the @ is the reader's own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Mailbox(String);

/// Why a text is no address here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    #[error("{0} is no address: write box@{DOMAIN}")]
    Shape(String),
    #[error("{0} is outside: only addresses @{DOMAIN} are reached from here")]
    Outside(String),
    #[error("{0} is no box's name: those have 1 to {MAX_NAME} characters of a-z, 0-9 and _")]
    Name(String),
}

impl Mailbox {
    /// The address of the box with this name.
    pub fn of_box(name: &str) -> Result<Self, AddressError> {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        match (1..=MAX_NAME).contains(&name.len()) && name.chars().all(fits) {
            true => Ok(Self(name.to_owned())),
            false => Err(AddressError::Name(name.to_owned())),
        }
    }

    /// The box's name.
    pub fn name(&self) -> &str {
        &self.0
    }
}

impl FromStr for Mailbox {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (local, domain) = text
            .rsplit_once('@')
            .ok_or_else(|| AddressError::Shape(text.to_owned()))?;
        let ours = [DOMAIN, SHORT_DOMAIN];
        if !ours.iter().any(|known| domain.eq_ignore_ascii_case(known)) {
            return Err(AddressError::Outside(text.to_owned()));
        }
        let name = local.split('+').next().unwrap_or_default();
        Self::of_box(&name.to_ascii_lowercase())
    }
}

impl fmt::Display for Mailbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{DOMAIN}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_a_box_and_the_domain() {
        for text in [
            "ada_1@phantasma.alt",
            "Ada_1@Phantasma.ALT",
            "ada_1+news@phantasma",
        ] {
            let mailbox: Result<Mailbox, _> = text.parse();
            assert_eq!(
                mailbox.map(|m| m.to_string()),
                Ok("ada_1@phantasma.alt".to_owned())
            );
        }
        for text in [
            "",
            "ada",
            "ada@example.org",
            "a.b@phantasma.alt",
            "@phantasma.alt",
            "+x@phantasma.alt",
            "ada@x.phantasma.alt",
        ] {
            assert!(text.parse::<Mailbox>().is_err(), "{text}");
        }
        assert!(Mailbox::of_box(&"a".repeat(33)).is_err());
    }
}
