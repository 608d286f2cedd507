//! Gifts from the committee's account, which owns all NEO and GAS of the genesis block.

use std::path::Path;

use super::error::NetError;
use super::validator;

/// The committee of a running net. neo-go's own command signs: its 1-of-1 multisig wallet lies in the net's folder.
#[derive(Clone, Copy, Debug)]
pub struct Committee<'a> {
    pub neogo: &'a Path,
    /// The net's folder.
    pub dir: &'a Path,
    pub rpc_url: &'a str,
}

impl Committee<'_> {
    /// Sends GAS to an address and waits for the block. `datoshi` are 10^-8 GAS.
    pub async fn fund_gas(&self, address: &str, datoshi: u64) -> Result<(), NetError> {
        let amount = format!("{}.{:08}", datoshi / 1_0000_0000, datoshi % 1_0000_0000);
        self.fund(address, "GAS", &amount).await
    }

    /// Sends whole NEO to an address and waits for the block.
    pub async fn fund_neo(&self, address: &str, amount: u64) -> Result<(), NetError> {
        self.fund(address, "NEO", &amount.to_string()).await
    }

    async fn fund(&self, address: &str, token: &str, amount: &str) -> Result<(), NetError> {
        let mut command = tokio::process::Command::new(self.neogo);
        command.args([
            "wallet",
            "nep17",
            "transfer",
            "--force",
            "--await",
            "--wallet-config",
        ]);
        command.arg(validator::access_file(self.dir));
        command.args([
            "--rpc-endpoint",
            self.rpc_url,
            "--from",
            validator::COMMITTEE_ADDRESS,
        ]);
        command.args(["--to", address, "--token", token, "--amount", amount]);
        let output = command
            .output()
            .await
            .map_err(NetError::file("running", self.neogo))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr);
        if output.status.success() && text.contains("HALT") {
            return Ok(());
        }
        Err(NetError::Tool {
            command: format!("transfer of {amount} {token} to {address}"),
            output: text,
        })
    }
}
