//! `phantasma wallet import`: keys that other wallets export, as WIF, NEP-2 or NEP-6.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, bail};
use clap::Args;
use neo_client::{PrivateKey, Wallet};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Context, make_file};
use crate::password;

#[derive(Debug, Args)]
pub struct ImportCommand {
    /// File whose first line is the key, WIF or NEP-2.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// NEP-6 file: all its accounts that have a key are taken, with their names.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["key_file", "label"])]
    nep6: Option<PathBuf>,
    /// File whose first line is the password of the encrypted key or the NEP-6 file [default: that of the wallet].
    #[arg(long, value_name = "FILE")]
    key_password_file: Option<PathBuf>,
    /// Name of the account.
    #[arg(long, default_value = "")]
    label: String,
}

/// A key to be taken over.
pub(super) struct Found {
    pub(super) key: PrivateKey,
    pub(super) label: String,
}

/// Opens everything before anything is written.
pub(super) fn run(context: &Context, command: &ImportCommand) -> Result<()> {
    let typed = match &command.nep6 {
        Some(_) => None,
        None => Some(read_key(command.key_file.as_deref())?),
    };
    let path = context.wallet_path();
    let what = format!("wallet {}", path.display());
    let file = context.global.password_file.as_deref();
    let password = match path.exists() {
        true => password::get(file, &what)?,
        false => password::get_new(file, &what)?,
    };
    let of_key = match &command.key_password_file {
        Some(path) => password::first_line(path)?,
        None => password.clone(),
    };
    let found = match (&command.nep6, typed) {
        (Some(path), _) => accounts(path, &of_key)?,
        (None, Some(key)) => vec![Found {
            key: open(&key, &of_key)?,
            label: command.label.clone(),
        }],
        (None, None) => Vec::new(),
    };
    let wallet = match path.exists() {
        true => Some(Wallet::open(&path)?),
        false => None,
    };
    // One wallet, one password: else the account could not be opened together with the others.
    if let Some(wallet) = &wallet
        && let Some(account) = wallet.default_account()
    {
        wallet.decrypt(&account.address, &password)?;
    }
    let wallet = match wallet {
        Some(wallet) => wallet,
        None => make_file(&path)?,
    };
    add(context, wallet, &found, &password)
}

pub(super) fn add(
    context: &Context,
    mut wallet: Wallet,
    found: &[Found],
    password: &str,
) -> Result<()> {
    let mut addresses = Vec::new();
    for Found { key, label } in found {
        addresses.push(wallet.add_account(key, password, label)?);
    }
    let path = wallet.path().to_path_buf();
    let stored = path.canonicalize().unwrap_or_else(|_| path.clone());
    context.remember(|profile| profile.adopt_wallet(stored))?;
    context.say(&format!(
        "{} in {}",
        counted(addresses.len()),
        path.display()
    ));
    context.print(
        &json!({"wallet": path, "address": addresses.first(), "addresses": addresses}),
        &addresses.join("\n"),
    )
}

fn counted(accounts: usize) -> String {
    match accounts {
        1 => "account".to_owned(),
        more => format!("{more} accounts"),
    }
}

fn read_key(file: Option<&Path>) -> Result<Zeroizing<String>> {
    match file {
        Some(path) => password::first_line(path),
        None => password::prompt("key (WIF or NEP-2): "),
    }
}

fn open(key: &str, password: &str) -> Result<PrivateKey> {
    if !key.starts_with("6P") {
        return Ok(PrivateKey::from_wif(key)?);
    }
    PrivateKey::from_nep2(key, password).context(
        "the key is encrypted; without --key-password-file the wallet's password must open it",
    )
}

/// The accounts of another wallet. What is only watched there has no key to take; a multisig account's key alone is not
/// the account.
fn accounts(path: &Path, password: &str) -> Result<Vec<Found>> {
    let other = Wallet::open(path)?;
    let mut found = Vec::new();
    for account in other.accounts().iter().filter(|a| a.key.is_some()) {
        let opened = other.decrypt(&account.address, password).with_context(|| {
            format!(
                "opening {}; its password is that of the wallet, or give --key-password-file",
                path.display()
            )
        })?;
        if opened.key.public_key().script_hash() != opened.script_hash {
            bail!(
                "{} in {} is a multisig account; take its key alone with --key-file",
                account.address,
                path.display()
            );
        }
        found.push(Found {
            key: opened.key.clone(),
            label: account.label.clone().unwrap_or_default(),
        });
    }
    if found.is_empty() {
        bail!(
            "{} has no account with a key; nothing was imported",
            path.display()
        );
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key() -> PrivateKey {
        PrivateKey::from_bytes(&[7; 32]).unwrap()
    }

    /// The shape that browser wallets export: names, `isDefault`, a base64 script, `extra`, and one watched account.
    fn exported(dir: &Path, password: &str) -> (PathBuf, String) {
        let key = key();
        let address = key.public_key().script_hash().to_address();
        let path = dir.join("export.json");
        let text = serde_json::json!({
            "name": "browser", "version": "1.0", "scrypt": {"n": 16384, "r": 8, "p": 8},
            "accounts": [
                {"address": address, "label": "daily", "isDefault": true, "lock": false,
                 "key": key.to_nep2(password).unwrap(), "contract": null, "extra": null},
                {"address": "NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx", "label": "watched", "isDefault": false,
                 "lock": false, "key": null, "contract": null, "extra": null},
            ],
            "extra": null,
        });
        std::fs::write(&path, text.to_string()).unwrap();
        (path, address)
    }

    fn context(dir: &Path, password: &str) -> Context {
        use clap::Parser;
        let file = dir.join("password");
        std::fs::write(&file, password).unwrap();
        let cli = crate::cmd::Cli::parse_from([
            "phantasma".as_ref(),
            "wallet".as_ref(),
            "address".as_ref(),
            "--dir".as_ref(),
            dir.as_os_str(),
            "--wallet".as_ref(),
            dir.join("own.json").as_os_str(),
            "--password-file".as_ref(),
            file.as_os_str(),
        ]);
        Context::new(cli.global).unwrap()
    }

    fn command(
        nep6: Option<PathBuf>,
        key: Option<PathBuf>,
        password: Option<PathBuf>,
    ) -> ImportCommand {
        ImportCommand {
            key_file: key,
            nep6,
            key_password_file: password,
            label: String::new(),
        }
    }

    #[test]
    fn a_nep6_export_under_another_password_is_taken_with_its_name() {
        let dir = tempfile::tempdir().unwrap();
        let (export, address) = exported(dir.path(), "theirs");
        let theirs = dir.path().join("theirs");
        std::fs::write(&theirs, "theirs\n").unwrap();
        let context = context(dir.path(), "ours");
        let refused = run(&context, &command(Some(export.clone()), None, None)).unwrap_err();
        assert!(format!("{refused:#}").contains("--key-password-file"));
        assert!(!dir.path().join("own.json").exists());

        run(&context, &command(Some(export), None, Some(theirs))).unwrap();
        let own = Wallet::open(dir.path().join("own.json")).unwrap();
        assert_eq!(own.accounts().len(), 1);
        assert_eq!(own.accounts()[0].label.as_deref(), Some("daily"));
        let opened = own.decrypt(&address, "ours").unwrap();
        assert_eq!(opened.key.to_wif(), key().to_wif());
    }

    #[test]
    fn wif_and_nep2_give_the_same_account() {
        let dir = tempfile::tempdir().unwrap();
        let key = key();
        let (plain, encrypted, theirs) = (
            dir.path().join("wif"),
            dir.path().join("nep2"),
            dir.path().join("theirs"),
        );
        std::fs::write(&plain, key.to_wif().as_bytes()).unwrap();
        std::fs::write(&encrypted, key.to_nep2("theirs").unwrap()).unwrap();
        std::fs::write(&theirs, "theirs").unwrap();
        let context = context(dir.path(), "ours");
        run(&context, &command(None, Some(plain), None)).unwrap();
        run(&context, &command(None, Some(encrypted), Some(theirs))).unwrap();
        let own = Wallet::open(dir.path().join("own.json")).unwrap();
        assert_eq!(own.accounts().len(), 1);
    }

    #[test]
    fn a_file_without_keys_imports_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (export, _) = exported(dir.path(), "x");
        let text = std::fs::read_to_string(&export).unwrap();
        let start = text.find("\"6P").unwrap();
        let text = text.replace(&text[start..start + 60], "null");
        std::fs::write(&export, text).unwrap();
        let context = context(dir.path(), "x");
        let refused = run(&context, &command(Some(export), None, None)).unwrap_err();
        assert!(refused.to_string().contains("no account with a key"));
        assert!(!dir.path().join("own.json").exists());
    }
}
