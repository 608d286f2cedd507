//! Who may use the servers of a mailbox: its name and one password, which is made with the mailbox.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::address::Mailbox;
use crate::files::{self, FileError};

/// The file of the password in the mailbox's folder.
pub const FILE: &str = "password";

/// How long a wrong password takes: with [`MAX_TRIES`] a connection, guessing one of 128 bits has no end.
pub const DELAY: Duration = Duration::from_secs(1);

/// Wrong passwords after which a connection ends.
pub const MAX_TRIES: usize = 3;

/// A mailbox's name and password.
#[derive(Debug, Clone)]
pub struct Login {
    own: Mailbox,
    hash: [u8; 32],
}

impl Login {
    pub fn new(own: Mailbox, password: &str) -> Self {
        Self {
            own,
            hash: hash(password.as_bytes()),
        }
    }

    /// Whether these are right. The user is the mailbox's name or address.
    pub fn is_right(&self, user: &[u8], password: &[u8]) -> bool {
        let user = String::from_utf8_lossy(user);
        let named = match user.contains('@') {
            true => user.parse() == Ok(self.own.clone()),
            false => user.eq_ignore_ascii_case(self.own.name()),
        };
        // Hashes first: how long comparing takes tells nothing about the password.
        let given = hash(password);
        let same = given
            .iter()
            .zip(&self.hash)
            .fold(0, |differing, (one, other)| differing | (one ^ other));
        named && same == 0
    }

    /// SASL PLAIN: `authorize NUL user NUL password`.
    pub fn is_right_plain(&self, response: &[u8]) -> bool {
        let mut parts = response.split(|byte| *byte == 0);
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(_), Some(user), Some(password), None) => self.is_right(user, password),
            _ => false,
        }
    }
}

fn hash(password: &[u8]) -> [u8; 32] {
    Sha256::digest(password).into()
}

/// The password of a mailbox's folder; made when there is none.
pub fn password(folder: &Path) -> Result<Zeroizing<String>, FileError> {
    let path = folder.join(FILE);
    if let Some(bytes) = files::read(&path)? {
        let text = String::from_utf8_lossy(&bytes);
        let first = text.lines().next().unwrap_or_default().trim();
        if !first.is_empty() {
            return Ok(Zeroizing::new(first.to_owned()));
        }
    }
    let made = Zeroizing::new(format!("{:032x}", rand::random::<u128>()));
    files::replace(&path, format!("{}\n", *made).as_bytes())?;
    Ok(made)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_name_and_password_come_in() {
        let folder = tempfile::tempdir().unwrap();
        let secret = password(folder.path()).unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(password(folder.path()).unwrap(), secret);
        let login = Login::new(Mailbox::of_box("ada").unwrap(), &secret);
        for user in ["ada", "ADA", "ada@phantasma.alt", "Ada@phantasma"] {
            assert!(login.is_right(user.as_bytes(), secret.as_bytes()), "{user}");
        }
        for (user, given) in [
            ("bob", secret.as_str()),
            ("ada", ""),
            ("ada", "x"),
            ("", ""),
        ] {
            assert!(!login.is_right(user.as_bytes(), given.as_bytes()));
        }
        let plain = format!("\0ada\0{}", *secret);
        assert!(login.is_right_plain(plain.as_bytes()));
        for wrong in ["", "\0ada", "\0ada\0x", &format!("{plain}\0")] {
            assert!(!login.is_right_plain(wrong.as_bytes()));
        }
    }
}
