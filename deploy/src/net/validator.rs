//! The one validator of a private net.
//!
//! Its key is public on purpose, like that of every development chain: it guards nothing but a chain that lives on
//! 127.0.0.1. One fixed key also gives every private net the same genesis block and the same funding account. Never
//! use it on a network that others can reach.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::NetError;

/// The wallet as neo-go wants it. Its scrypt parameters are the weakest possible, so that a node starts at once.
const WALLET: &str = include_str!("validator.json");

pub const WALLET_FILE: &str = "validator.json";
pub const PASSWORD: &str = "phantasma";
pub const WIF: &str = "L3j8KGutDuFtk5hZxBkhpa3mdvVXStuJkpCLU7TRXpZ6mXmgezwe";
pub const PUBLIC_KEY: &str = "03470f900f012dd16f2d79560b0af00b07295678c4092105f7f8bfbbcad170c8f5";

/// The validator's own account (a plain signature account).
pub const ADDRESS: &str = "NdGHtPN2NygSu5yHjAMpK99hctk6yU1afx";

/// The committee's 1-of-1 account, which owns all NEO and GAS of the genesis block.
pub const COMMITTEE_ADDRESS: &str = "NPL5muDmtyEtk7MPReDiStQxc6CzwQzwUU";

/// Writes the wallet, and the small file that gives its password to neo-go's command line; returns the latter.
pub fn write(dir: &Path) -> Result<PathBuf, NetError> {
    let wallet = dir.join(WALLET_FILE);
    fs::write(&wallet, WALLET).map_err(NetError::file("writing", &wallet))?;
    let access = access_file(dir);
    let text = format!(
        "Path: {:?}\nPassword: {PASSWORD:?}\n",
        wallet.display().to_string()
    );
    fs::write(&access, text).map_err(NetError::file("writing", &access))?;
    Ok(access)
}

/// `--wallet-config` of neo-go's commands.
pub fn access_file(dir: &Path) -> PathBuf {
    dir.join("validator-access.yml")
}
