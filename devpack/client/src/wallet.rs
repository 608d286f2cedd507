//! NEP-6 wallet files, the same that neo-go and others read and write.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use base64::{Engine, engine::general_purpose::STANDARD as BASE64};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Account, Hash160, HashError, PrivateKey, PublicKey,
    nep2::{self, Nep2Error, ScryptParams},
    script::{self, ScriptError},
};

/// A wallet of a thousand accounts is under 1 MiB.
const MAX_WALLET: u64 = 16 << 20;

/// A wallet and the file it lives in. Holds encrypted keys only.
#[derive(Clone, Debug)]
pub struct Wallet {
    path: PathBuf,
    content: Content,
}

/// What went wrong with a wallet.
#[derive(Debug, thiserror::Error)]
pub enum WalletError {
    #[error("cannot {action} wallet {}: {source}", path.display())]
    Io {
        action: &'static str,
        path: PathBuf,
        source: io::Error,
    },
    #[error("wallet {} exists already; choose another name, its keys would be lost", path.display())]
    Exists { path: PathBuf },
    #[error("wallet {} is damaged at line {line}, column {column}: {reason}; restore it from a copy", path.display())]
    Damaged {
        path: PathBuf,
        line: usize,
        column: usize,
        reason: String,
    },
    #[error("wallet {} is damaged: account {address} {reason}; restore it from a copy", path.display())]
    DamagedAccount {
        path: PathBuf,
        address: String,
        reason: String,
    },
    #[error("wallet {} is larger than {MAX_WALLET} bytes: is it a wallet?", path.display())]
    TooLong { path: PathBuf },
    #[error("wallet {} has no account {address}; it has {present}", path.display())]
    NoAccount {
        path: PathBuf,
        address: String,
        present: String,
    },
    #[error("account {address} has no private key in this wallet: it can only be watched")]
    NoKey { address: String },
    /// The cause stands in the text: it is not a `source`, or chains of errors would say it twice.
    #[error("account {address}: {cause}")]
    Key { address: String, cause: Nep2Error },
    #[error(transparent)]
    Multisig(#[from] ScriptError),
    #[error("the key is not one of the multisig account's keys")]
    NotAmongKeys,
}

/// The file, as NEP-6 describes it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Content {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    version: String,
    accounts: Vec<WalletAccount>,
    scrypt: ScryptParams,
    #[serde(default)]
    extra: Value,
}

/// An account in the file.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct WalletAccount {
    pub address: String,
    /// The key as NEP-2 text; absent when the account is only watched.
    pub key: Option<String>,
    #[serde(default)]
    pub label: Option<String>,
    contract: Option<Contract>,
    #[serde(default)]
    lock: bool,
    #[serde(rename = "isDefault", default)]
    pub is_default: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    extra: Option<Value>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Contract {
    /// Verification script in base64.
    script: Option<String>,
    #[serde(default)]
    parameters: Vec<ScriptParameter>,
    #[serde(default)]
    deployed: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct ScriptParameter {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl Wallet {
    /// A new, empty wallet file. One that exists is never overwritten.
    pub fn create(path: impl Into<PathBuf>) -> Result<Self, WalletError> {
        Self::create_with(path, ScryptParams::NEP2)
    }

    /// With other scrypt parameters than the standard's: cheap ones for tests only.
    pub fn create_with(
        path: impl Into<PathBuf>,
        scrypt: ScryptParams,
    ) -> Result<Self, WalletError> {
        let path = path.into();
        if path.exists() {
            return Err(WalletError::Exists { path });
        }
        let content = Content {
            name: None,
            version: "1.0".to_owned(),
            accounts: Vec::new(),
            scrypt,
            extra: Value::Null,
        };
        let wallet = Self { path, content };
        wallet.save()?;
        Ok(wallet)
    }

    /// Reads a wallet file and checks that every account in it makes sense.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, WalletError> {
        let path = path.into();
        let failed = |source| WalletError::Io {
            action: "read",
            path: path.clone(),
            source,
        };
        if fs::metadata(&path).map_err(failed)?.len() > MAX_WALLET {
            return Err(WalletError::TooLong { path });
        }
        let text = fs::read(&path).map_err(failed)?;
        let content: Content = serde_json::from_slice(&text).map_err(|e| WalletError::Damaged {
            path: path.clone(),
            line: e.line(),
            column: e.column(),
            reason: e.to_string(),
        })?;
        let wallet = Self { path, content };
        wallet
            .content
            .accounts
            .iter()
            .try_for_each(|account| wallet.check(account))?;
        Ok(wallet)
    }

    /// Writes the file so that it is the old or the new one whatever happens: beside it, to disk, then renamed.
    pub fn save(&self) -> Result<(), WalletError> {
        let failed = |source| WalletError::Io {
            action: "write",
            path: self.path.clone(),
            source,
        };
        let text = serde_json::to_vec_pretty(&self.content).map_err(|e| failed(e.into()))?;
        replace_file(&self.path, &text).map_err(failed)
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn accounts(&self) -> &[WalletAccount] {
        &self.content.accounts
    }

    /// The account marked as default, else the first.
    pub fn default_account(&self) -> Option<&WalletAccount> {
        let all = &self.content.accounts;
        all.iter()
            .find(|account| account.is_default)
            .or_else(|| all.first())
    }

    /// Encrypts a key into the wallet and saves it. The first account becomes the default. Gives the address.
    pub fn add_account(
        &mut self,
        key: &PrivateKey,
        password: &str,
        label: &str,
    ) -> Result<String, WalletError> {
        self.add(&Account::new(key.clone()), 1, password, label)
    }

    /// Adds a multisig account that `key` is one of the keys of, and saves.
    pub fn add_multisig(
        &mut self,
        key: &PrivateKey,
        required: usize,
        keys: &[PublicKey],
        password: &str,
        label: &str,
    ) -> Result<String, WalletError> {
        if !keys.contains(&key.public_key()) {
            return Err(WalletError::NotAmongKeys);
        }
        self.add(
            &Account::multisig(key.clone(), required, keys)?,
            required,
            password,
            label,
        )
    }

    /// Opens one account with its password. Takes a tenth of a second or more.
    pub fn decrypt(&self, address: &str, password: &str) -> Result<Account, WalletError> {
        let found = self
            .content
            .accounts
            .iter()
            .find(|account| account.address == address);
        let account = found.ok_or_else(|| WalletError::NoAccount {
            path: self.path.clone(),
            address: address.to_owned(),
            present: self.addresses(),
        })?;
        let address = || account.address.clone();
        let encrypted = account
            .key
            .as_ref()
            .ok_or_else(|| WalletError::NoKey { address: address() })?;
        let key = nep2::decrypt(encrypted, password, self.content.scrypt).map_err(|cause| {
            WalletError::Key {
                address: address(),
                cause,
            }
        })?;
        let script = self
            .script_of(account)?
            .unwrap_or_else(|| key.public_key().verification_script());
        let opened = Account::with_script(key, script);
        let of_key = opened.verification_script() == opened.key.public_key().verification_script();
        let among = || {
            script::parse_multisig(opened.verification_script())
                .is_some_and(|(_, keys)| keys.contains(&opened.key.public_key()))
        };
        if opened.address != account.address || !(of_key || among()) {
            return Err(self.damaged(account, "has a key of another account"));
        }
        Ok(opened)
    }

    fn add(
        &mut self,
        account: &Account,
        signatures: usize,
        password: &str,
        label: &str,
    ) -> Result<String, WalletError> {
        let encrypted =
            nep2::encrypt(&account.key, password, self.content.scrypt).map_err(|cause| {
                WalletError::Key {
                    address: account.address.clone(),
                    cause,
                }
            })?;
        let parameter = |i| ScriptParameter {
            name: format!("parameter{i}"),
            kind: "Signature".to_owned(),
        };
        let contract = Contract {
            script: Some(BASE64.encode(account.verification_script())),
            parameters: (0..signatures).map(parameter).collect(),
            deployed: false,
        };
        let entry = WalletAccount {
            address: account.address.clone(),
            key: Some(encrypted),
            label: Some(label.to_owned()),
            contract: Some(contract),
            lock: false,
            is_default: self.content.accounts.is_empty(),
            extra: None,
        };
        let mut changed = self.clone();
        let others = changed
            .content
            .accounts
            .iter_mut()
            .find(|other| other.address == entry.address);
        match others {
            Some(same) => {
                *same = WalletAccount {
                    is_default: same.is_default,
                    ..entry
                }
            }
            None => changed.content.accounts.push(entry),
        }
        changed.save()?;
        *self = changed;
        Ok(account.address.clone())
    }

    fn check(&self, account: &WalletAccount) -> Result<(), WalletError> {
        Hash160::from_address(&account.address).map_err(|e| {
            let (HashError::Address { reason, .. } | HashError::Hex { text: reason, .. }) = e;
            self.damaged(account, &format!("is no address ({reason})"))
        })?;
        self.script_of(account).map(|_| ())
    }

    /// The account's verification script, which must hash to its address.
    fn script_of(&self, account: &WalletAccount) -> Result<Option<Vec<u8>>, WalletError> {
        let Some(text) = account
            .contract
            .as_ref()
            .and_then(|contract| contract.script.as_ref())
        else {
            return Ok(None);
        };
        let script = BASE64
            .decode(text)
            .map_err(|_| self.damaged(account, "has a script that is no base64"))?;
        if Hash160::of_script(&script).to_address() != account.address {
            return Err(self.damaged(account, "has the script of another address"));
        }
        Ok(Some(script))
    }

    fn damaged(&self, account: &WalletAccount, reason: &str) -> WalletError {
        let (path, address) = (self.path.clone(), account.address.clone());
        WalletError::DamagedAccount {
            path,
            address,
            reason: reason.to_owned(),
        }
    }

    fn addresses(&self) -> String {
        let all: Vec<_> = self
            .content
            .accounts
            .iter()
            .map(|account| account.address.as_str())
            .collect();
        if all.is_empty() {
            "none".to_owned()
        } else {
            all.join(", ")
        }
    }
}

/// Writes a file readable by its owner only, and puts it in place of `path` in one step.
pub fn replace_file(path: &Path, data: &[u8]) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .ok_or_else(|| io::Error::other("the path ends in no file name"))?;
    let mut tag = [0; 8];
    aws_lc_rs::rand::fill(&mut tag).map_err(|_| io::Error::other("no random numbers"))?;
    let mut beside = name.to_owned();
    beside.push(format!(".{}.new", hex::encode(tag)));
    let beside = folder.join(beside);
    let written = write_synced(&beside, data).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    // The new name itself must reach the disk too.
    fs::File::open(folder)?.sync_all()
}

fn write_synced(path: &Path, data: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(data)?;
    file.sync_all()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const CHEAP: ScryptParams = ScryptParams { n: 2, r: 1, p: 1 };
    /// As `neo-go wallet import` 0.120.0 wrote it.
    const NEO_GO: &str = r#"{"version":"1.0","accounts":[{"address":"NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF","key":"6PYP4G8nreNxrn9bWpysq1DLnsFg8KALHXGkBB235q6pMtKyofQ3UJLtZB","label":"imported","contract":{"script":"DCECYkHn4ms4u3FUuK1JRYuX+xxHl0Q9ySHFyld09RGiu/xBVuezJw==","parameters":[{"name":"parameter0","type":"Signature"}],"deployed":false},"lock":false,"isDefault":false}],"scrypt":{"n":16384,"r":8,"p":8},"extra":{"Tokens":null}}"#;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn open_text(text: &str) -> Result<Wallet, WalletError> {
        let folder = folder();
        let path = folder.path().join("w.json");
        fs::write(&path, text).unwrap();
        Wallet::open(path)
    }

    #[test]
    fn a_wallet_of_neo_go_opens_and_keeps_what_we_do_not_know() {
        let folder = folder();
        let path = folder.path().join("w.json");
        fs::write(&path, NEO_GO).unwrap();
        let mut wallet = Wallet::open(&path).unwrap();
        wallet
            .add_account(&PrivateKey::random().unwrap(), "second", "mine")
            .unwrap();
        let wallet = Wallet::open(&path).unwrap();
        assert_eq!(wallet.accounts().len(), 2);
        let account = wallet
            .decrypt(
                "NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF",
                "pw-\u{dc}n\u{ef} \u{6211}\u{7684}",
            )
            .unwrap();
        assert_eq!(account.address, "NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF");
        assert!(
            fs::read_to_string(&path)
                .unwrap()
                .contains("\"Tokens\": null")
        );
    }

    #[test]
    fn keys_come_back_with_the_right_password_only() {
        let folder = folder();
        let mut wallet = Wallet::create_with(folder.path().join("w.json"), CHEAP).unwrap();
        let key = PrivateKey::random().unwrap();
        let address = wallet.add_account(&key, "right", "a").unwrap();
        let wallet = Wallet::open(wallet.path()).unwrap();
        assert_eq!(wallet.default_account().unwrap().address, address);
        assert_eq!(
            wallet.decrypt(&address, "right").unwrap().key.to_bytes(),
            key.to_bytes()
        );
        let wrong = wallet.decrypt(&address, "wrong").unwrap_err().to_string();
        assert!(
            wrong.contains(&address) && wrong.contains("wrong password"),
            "{wrong}"
        );
        let absent = wallet
            .decrypt("NPL5muDmtyEtk7MPReDiStQxc6CzwQzwUU", "right")
            .unwrap_err()
            .to_string();
        assert!(absent.contains(&address), "{absent}");
    }

    #[test]
    fn a_multisig_account_is_kept_with_its_script() {
        let folder = folder();
        let mut wallet = Wallet::create_with(folder.path().join("w.json"), CHEAP).unwrap();
        let (ours, other) = (
            PrivateKey::random().unwrap(),
            PrivateKey::random().unwrap().public_key(),
        );
        let keys = [ours.public_key(), other];
        let address = wallet.add_multisig(&ours, 2, &keys, "pw", "joint").unwrap();
        let opened = Wallet::open(wallet.path())
            .unwrap()
            .decrypt(&address, "pw")
            .unwrap();
        assert_eq!(
            opened.address,
            Account::multisig(ours.clone(), 2, &keys).unwrap().address
        );
        assert!(matches!(
            wallet.add_multisig(&ours, 1, &[other], "pw", "x"),
            Err(WalletError::NotAmongKeys)
        ));
    }

    #[test]
    fn a_damaged_file_names_the_place() {
        let cut = open_text(&NEO_GO[..200]).unwrap_err();
        assert!(
            matches!(
                &cut,
                WalletError::Damaged {
                    line: 1,
                    column: 200,
                    ..
                }
            ),
            "{cut}"
        );
        let typed = open_text(&NEO_GO.replace("\"n\":16384", "\n\"n\":\"many\"")).unwrap_err();
        assert!(
            matches!(&typed, WalletError::Damaged { line: 2, .. }),
            "{typed}"
        );
        let script = open_text(&NEO_GO.replace("DCECYk", "DCECZk"))
            .unwrap_err()
            .to_string();
        assert!(
            script.contains("NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF") && script.contains("script"),
            "{script}"
        );
        let address = open_text(&NEO_GO.replace("NS5F", "NS5G"))
            .unwrap_err()
            .to_string();
        assert!(address.contains("address"), "{address}");
        let key = open_text(&NEO_GO.replace("6PYP4G8n", "6PYP4G8m")).unwrap();
        let key = key
            .decrypt("NS5F1Mth64bgJW4LgmEMNdEk7pVeAp3jrF", "x")
            .unwrap_err()
            .to_string();
        assert!(key.contains("not a NEP-2 key"), "{key}");
    }

    #[test]
    fn a_wallet_is_never_overwritten_by_a_new_one() {
        let folder = folder();
        let path = folder.path().join("w.json");
        Wallet::create_with(&path, CHEAP).unwrap();
        assert!(matches!(
            Wallet::create_with(&path, CHEAP),
            Err(WalletError::Exists { .. })
        ));
        assert!(matches!(
            Wallet::open(folder.path().join("none")),
            Err(WalletError::Io { .. })
        ));
    }

    #[test]
    fn saving_leaves_nothing_beside_the_file_and_nobody_else_may_read_it() {
        let folder = folder();
        let mut wallet = Wallet::create_with(folder.path().join("w.json"), CHEAP).unwrap();
        wallet
            .add_account(&PrivateKey::random().unwrap(), "pw", "")
            .unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(wallet.path()).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }
}
