//! Who may ask for what: tokens in a file that its owner alone can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use phantasma_net::http::same_secret;
use serde::{Deserialize, Serialize};

/// A token's random bytes: nobody guesses 256 bits.
const SECRET_BYTES: usize = 32;

/// More tokens than programs a person gives one to; each request compares with all.
const MAX_TOKENS: usize = 64;

/// Characters of a token's name.
const MAX_NAME: usize = 32;

/// What a token is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Looking at boxes, gates, nodes, balances.
    Read,
    /// Sending transactions and files, which costs.
    Write,
    /// Plain bytes of contents.
    Decrypt,
    /// Making and revoking tokens.
    Admin,
}

impl Scope {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Read, Self::Write, Self::Decrypt, Self::Admin];

    /// As the file and the API name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Decrypt => "decrypt",
            Self::Admin => "admin",
        }
    }
}

/// One token.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// For people.
    pub name: String,
    /// What a request shows.
    pub secret: String,
    pub scopes: Vec<Scope>,
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Token({}, {:?})", self.name, self.scopes)
    }
}

/// Why tokens cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("cannot {action} {}: {error}", path.display())]
    File {
        action: &'static str,
        path: PathBuf,
        error: io::Error,
    },
    #[error("{} can be read by others (mode {mode:o}); run: chmod 600 {}", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{} is no file of tokens: {reason}", path.display())]
    Damaged { path: PathBuf, reason: String },
    #[error("a token's name has 1 to {MAX_NAME} characters of a-z, 0-9, - and _")]
    Name,
    #[error("there is a token \"{0}\" already; revoke it first")]
    Taken(String),
    #[error("there is no token \"{0}\"")]
    Unknown(String),
    #[error("a token needs a scope, of read, write, decrypt and admin")]
    NoScope,
    #[error("there are {MAX_TOKENS} tokens already; revoke one first")]
    Full,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Contents {
    #[serde(default)]
    token: Vec<Token>,
}

/// The tokens of one daemon.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    tokens: Vec<Token>,
}

impl Tokens {
    /// Reads the file, or makes it with one token `console` that may do everything.
    ///
    /// # Errors
    /// Others can read the file, or it is something else.
    pub fn open_or_create(path: impl Into<PathBuf>) -> Result<Self, TokenError> {
        let path = path.into();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let tokens = Vec::new();
                let mut made = Self { path, tokens };
                made.add("console", &Scope::ALL)?;
                return Ok(made);
            }
            Err(error) => return Err(failed("open", &path)(error)),
        };
        let metadata = file.metadata().map_err(failed("look at", &path))?;
        let mode = metadata.permissions().mode() & 0o777;
        if mode & 0o077 != 0 {
            return Err(TokenError::Open { path, mode });
        }
        let text = io::read_to_string(file).map_err(failed("read", &path))?;
        let contents: Contents = toml::from_str(&text).map_err(|error| TokenError::Damaged {
            path: path.clone(),
            // The whole message of the parser would show the line, and with it a secret.
            reason: error.message().to_owned(),
        })?;
        Ok(Self {
            path,
            tokens: contents.token,
        })
    }

    /// The token with this secret.
    #[must_use]
    pub fn find(&self, secret: &str) -> Option<&Token> {
        let fits = |token: &&Token| same_secret(token.secret.as_bytes(), secret.as_bytes());
        self.tokens.iter().find(fits)
    }

    /// The token with this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Token> {
        self.tokens.iter().find(|token| token.name == name)
    }

    /// All of them.
    #[must_use]
    pub fn all(&self) -> &[Token] {
        &self.tokens
    }

    /// Makes a token and saves it.
    ///
    /// # Errors
    /// A name that is taken or odd, no scope, a file that cannot be written.
    pub fn add(&mut self, name: &str, scopes: &[Scope]) -> Result<Token, TokenError> {
        let odd = |c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
        if name.is_empty() || name.len() > MAX_NAME || name.contains(odd) {
            return Err(TokenError::Name);
        }
        if scopes.is_empty() {
            return Err(TokenError::NoScope);
        }
        if self.named(name).is_some() {
            return Err(TokenError::Taken(name.to_owned()));
        }
        if self.tokens.len() >= MAX_TOKENS {
            return Err(TokenError::Full);
        }
        let token = Token {
            name: name.to_owned(),
            secret: hex::encode(rand::random::<[u8; SECRET_BYTES]>()),
            scopes: scopes.to_vec(),
        };
        self.tokens.push(token.clone());
        self.save().inspect_err(|_| drop(self.tokens.pop()))?;
        Ok(token)
    }

    /// Makes a token worthless.
    ///
    /// # Errors
    /// There is none of that name, or the file cannot be written: the token then stays.
    pub fn revoke(&mut self, name: &str) -> Result<(), TokenError> {
        let at = self.tokens.iter().position(|token| token.name == name);
        let at = at.ok_or_else(|| TokenError::Unknown(name.to_owned()))?;
        let token = self.tokens.remove(at);
        self.save().inspect_err(|_| self.tokens.insert(at, token))
    }

    /// Writes the whole file; a reader never sees half of it.
    fn save(&self) -> Result<(), TokenError> {
        let contents = Contents {
            token: self.tokens.clone(),
        };
        let text = toml::to_string(&contents).map_err(|error| TokenError::Damaged {
            path: self.path.clone(),
            reason: error.to_string(),
        })?;
        let scratch = self
            .path
            .with_extension(format!("{:08x}", rand::random::<u32>()));
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&scratch)
            .map_err(failed("create", &scratch))?;
        file.write_all(text.as_bytes())
            .and_then(|()| file.sync_all())
            .map_err(failed("write", &scratch))?;
        fs::rename(&scratch, &self.path).map_err(failed("write", &self.path))
    }
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> TokenError {
    let path = path.to_owned();
    move |error| TokenError::File {
        action,
        path,
        error,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn tokens_come_back_from_a_file_that_its_owner_alone_can_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        let mut tokens = Tokens::open_or_create(&path).unwrap();
        let reader = tokens.add("reader", &[Scope::Read]).unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let again = Tokens::open_or_create(&path).unwrap();
        assert_eq!(again.all(), tokens.all());
        assert_eq!(again.find(&reader.secret), Some(&reader));
        assert_eq!(again.named("console").unwrap().scopes, Scope::ALL);
        assert_eq!(again.find(""), None);
        assert_eq!(again.find(&reader.secret[1..]), None);
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_with_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        Tokens::open_or_create(&path).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let error = Tokens::open_or_create(&path).unwrap_err().to_string();
        assert!(error.contains("chmod 600"), "{error}");
    }

    #[test]
    fn a_damaged_file_is_named_without_its_secrets() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens.toml");
        Tokens::open_or_create(&path).unwrap();
        let text = fs::read_to_string(&path).unwrap();
        let secret = Tokens::open_or_create(&path).unwrap().all()[0]
            .secret
            .clone();
        fs::write(&path, text.replace("secret =", "secret = 3 =")).unwrap();
        let error = Tokens::open_or_create(&path).unwrap_err().to_string();
        assert!(
            error.contains("tokens.toml") && !error.contains(&secret),
            "{error}"
        );
    }

    #[test]
    fn odd_names_and_revoked_tokens_are_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let mut tokens = Tokens::open_or_create(folder.path().join("t")).unwrap();
        for name in ["", "A", "a b", &"x".repeat(33)] {
            assert!(matches!(
                tokens.add(name, &[Scope::Read]),
                Err(TokenError::Name)
            ));
        }
        assert!(matches!(
            tokens.add("console", &[Scope::Read]),
            Err(TokenError::Taken(_))
        ));
        assert!(matches!(tokens.add("x", &[]), Err(TokenError::NoScope)));
        let token = tokens.add("x", &[Scope::Write]).unwrap();
        tokens.revoke("x").unwrap();
        assert!(tokens.find(&token.secret).is_none());
        assert!(matches!(tokens.revoke("x"), Err(TokenError::Unknown(_))));
        assert!(!format!("{token:?}").contains(&token.secret));
    }
}
